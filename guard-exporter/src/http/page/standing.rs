//! How things stand, before any table: the guards' state, a few numbers, and the last minutes' denials
//! as bars.

use super::html::Html;
use super::tables::{duration, grouped};
use guard_report::activity::{Activity, NONE, Span};
use guard_report::api::{AgentDecisions, DecisionCounts};
use guard_report::rolling::{LONGEST, SLICE};
use guard_report::status::GuardStatus;
use std::time::Instant;

/// The part of the page that says it.
pub(super) fn standing(
    html: &mut Html,
    guards: &[GuardStatus],
    agents: &[AgentDecisions],
    activity: &Activity,
    obstacle: Option<String>,
    now: Instant,
) {
    html.raw("<section id=summary aria-label=\"How things stand\">");
    state(html, guards, obstacle);
    let minute = |count: fn(&DecisionCounts) -> u64| -> u64 {
        agents.iter().map(|agent| count(&agent.minute)).sum()
    };
    let start = |count: fn(&DecisionCounts) -> u64| -> u64 {
        agents.iter().map(|agent| count(&agent.start)).sum()
    };
    let denied = minute(|counts| counts.deny);
    let latencies = activity.latencies(now, Span::ALL[1]).together(|_, _| true);
    let at = |quantile| match latencies.len() {
        0 => "–".to_owned(),
        _ => duration(latencies.value_at_quantile(quantile)),
    };
    html.raw("<dl class=tiles>");
    let class = if denied > 0 { "bad" } else { "idle" };
    tile(
        html,
        (class, "Denied in the last minute"),
        &grouped(denied),
        &format!(
            "{} since the exporter began",
            grouped(start(|counts| counts.deny))
        ),
    );
    let decisions = minute(DecisionCounts::all);
    let all = grouped(start(DecisionCounts::all));
    tile(
        html,
        ("", "Decisions in the last minute"),
        &grouped(decisions),
        &format!("{all} since the exporter began"),
    );
    tile(
        html,
        ("", "99 in 100 decided within"),
        &at(0.99),
        &format!("one in two within {}", at(0.5)),
    );
    let live = guards.iter().filter(|guard| guard.alive);
    let at_work: u64 = live.map(|guard| guard.active_agents).sum();
    tile(
        html,
        ("", "Agents at work"),
        &grouped(at_work),
        &format!(
            "{} seen",
            agents.iter().filter(|agent| agent.agent != NONE).count()
        ),
    );
    html.raw("</dl>");
    bars(html, &activity.denied_lately(now));
    html.raw("</section>");
}

/// What the guards do, the worst first, and what keeps the exporter from its work.
fn state(html: &mut Html, guards: &[GuardStatus], obstacle: Option<String>) {
    let live = || guards.iter().filter(|guard| guard.alive);
    let count = live().count();
    let is_audit = |guard: &GuardStatus| guard.policy.mode == "audit";
    let (class, state) = if count == 0 {
        ("idle", "No guard is at work.".to_owned())
    } else if !live().all(|guard| guard.enforcing) {
        (
            "bad",
            format!("{}; not every one enforces.", guards_at_work(count)),
        )
    } else if !live().all(|guard| guard.policy.ok) {
        let bad = "a policy cannot be read, the last good one is in force";
        ("bad", format!("{}; {bad}.", guards_at_work(count)))
    } else if live().any(is_audit) {
        let audit = "in audit mode agents are watched and not stopped";
        ("warn", format!("{}; {audit}.", guards_at_work(count)))
    } else {
        ("good", format!("{}.", guards_at_work(count)))
    };
    html.raw("<p class=\"state ").raw(class);
    html.raw("\">").text(&state).raw("</p>");
    if let Some(obstacle) = obstacle {
        html.raw("<p class=\"state bad\">")
            .text(&obstacle)
            .raw("</p>");
    }
}

fn tile(html: &mut Html, (class, name): (&'static str, &str), value: &str, more: &str) {
    html.raw("<div><dt>")
        .text(name)
        .raw("</dt><dd class=\"")
        .raw(class);
    html.raw("\">")
        .text(value)
        .raw("</dd><dd class=more>")
        .text(more);
    html.raw("</dd></div>");
}

/// Denials by the slice, oldest first.
fn bars(html: &mut Html, denied: &[u64; LONGEST.slices]) {
    let most = denied.iter().copied().max().unwrap_or(0);
    let minutes = LONGEST.seconds() / 60;
    let seconds = SLICE.as_secs();
    html.raw("<figure><svg role=img viewBox=\"0 0 300 48\" preserveAspectRatio=none aria-label=\"");
    html.text(&format!(
        "Denials of the last {minutes} minutes by {seconds} seconds: {} in all, {most} at most",
        denied.iter().sum::<u64>()
    ));
    html.raw("\">");
    for (place, &count) in denied.iter().enumerate() {
        // What happened is seen, however little it is beside the most.
        let height = match count {
            0 => 1,
            count => (count * 46 / most).max(3),
        };
        html.raw(if count == 0 {
            "<rect class=none x="
        } else {
            "<rect x="
        });
        html.text(&format!(
            "{} y={} width=8 height={height}",
            place * 10 + 1,
            48 - height
        ));
        html.raw("></rect>");
    }
    html.raw("</svg><figcaption><span>")
        .text(&format!("{minutes} minutes ago"));
    html.raw("</span><span>").text(&match most {
        0 => "no denials".to_owned(),
        most => format!("denials, at most {} in {seconds} s", grouped(most)),
    });
    html.raw("</span><span>now</span></figcaption></figure>");
}

fn guards_at_work(count: usize) -> String {
    match count {
        1 => "A guard is at work".to_owned(),
        count => format!("{count} guards are at work"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_names_the_worst_first() {
        let guard = |change: fn(&mut GuardStatus)| {
            let lane = guard_report::status::LaneStatus {
                committed: 0,
                unread: 0,
                lost: 0,
            };
            let mut guard = GuardStatus {
                ring: String::new(),
                session: String::new(),
                pid: 1,
                version: String::new(),
                started: String::new(),
                alive: true,
                enforcing: true,
                heartbeat: None,
                active_agents: 0,
                tracked_processes: 0,
                policy: guard_report::status::PolicyStatus {
                    ok: true,
                    mode: "enforce".to_owned(),
                    revision: String::new(),
                    loaded: None,
                    zones: 0,
                    overrides: 0,
                },
                deny: lane,
                allow: lane,
                deadline_misses: 0,
                kernel_events_dropped: 0,
            };
            change(&mut guard);
            guard
        };
        let good = || guard(|_| ());
        for (guards, said) in [
            (vec![], "No guard is at work."),
            (
                vec![guard(|guard| guard.alive = false)],
                "No guard is at work.",
            ),
            (vec![good()], "A guard is at work."),
            (vec![good(), good()], "2 guards are at work."),
            (
                vec![good(), guard(|guard| guard.enforcing = false)],
                "not every one enforces",
            ),
            (
                vec![guard(|guard| guard.policy.ok = false)],
                "a policy cannot be read",
            ),
            (
                vec![guard(|guard| guard.policy.mode = "audit".to_owned())],
                "watched and not stopped",
            ),
        ] {
            let mut html = Html::new();
            state(&mut html, &guards, None);
            let text = html.finish();
            assert!(text.contains(said), "{said}: {text}");
        }
    }

    #[test]
    fn every_slice_has_a_bar() {
        let mut denied = [0; LONGEST.slices];
        denied[LONGEST.slices - 1] = 1000;
        denied[0] = 1;
        let mut html = Html::new();
        bars(&mut html, &denied);
        let text = html.finish();
        assert_eq!(text.matches("<rect").count(), LONGEST.slices);
        assert!(text.contains("<rect x=1 y=45 width=8 height=3>"), "{text}");
        assert!(
            text.contains("<rect x=291 y=2 width=8 height=46>"),
            "{text}"
        );
        assert!(text.contains("1001 in all, 1000 at most"), "{text}");
    }
}
