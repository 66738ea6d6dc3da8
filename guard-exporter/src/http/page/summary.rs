//! The summary above the tables: the state of the guards, some numbers, and the denials of the last
//! minutes as bars.

use super::text::{duration, grouped, text};
use guard_report::activity::{Activity, NONE, Span};
use guard_report::api::{AgentDecisions, DecisionCounts};
use guard_report::rolling::{LONGEST, SLICE};
use guard_report::status::GuardStatus;
use guard_report::time;
use maud::{Markup, html};
use std::time::Instant;

/// The section with the summary; `obstacle` is why the exporter is not ready.
pub(super) fn summary(
    guards: &[GuardStatus],
    agents: &[AgentDecisions],
    activity: &Activity,
    obstacle: Option<&str>,
    now: Instant,
) -> Markup {
    let minute = |count: fn(&DecisionCounts) -> u64| -> u64 {
        agents.iter().map(|agent| count(&agent.minute)).sum()
    };
    let since_start = |count: fn(&DecisionCounts) -> u64| -> String {
        let sum = agents.iter().map(|agent| count(&agent.start)).sum();
        format!("{} since the exporter started", grouped(sum))
    };
    let denied = minute(|counts| counts.deny);
    let latencies = activity.latencies(now, Span::ALL[1]).together(|_, _| true);
    let quantile = |quantile| match latencies.len() {
        0 => "–".to_owned(),
        _ => duration(latencies.value_at_quantile(quantile)),
    };
    let live = guards.iter().filter(|guard| guard.alive);
    let active_agents = live.map(|guard| guard.active_agents).sum();
    let seen = agents.iter().filter(|agent| agent.agent != NONE).count();
    html! {
        section #summary aria-label="Summary" {
            (state(guards, time::now_ns()))
            @if let Some(obstacle) = obstacle {
                p.state.bad { (text(obstacle)) }
            }
            dl.tiles {
                (tile(
                    if denied > 0 { "bad" } else { "idle" },
                    "Denied in the last minute",
                    &grouped(denied),
                    &since_start(|counts| counts.deny),
                ))
                (tile(
                    "",
                    "Decisions in the last minute",
                    &grouped(minute(DecisionCounts::all)),
                    &since_start(DecisionCounts::all),
                ))
                (tile(
                    "",
                    "99 in 100 decided within",
                    &quantile(0.99),
                    &format!("one in two within {}", quantile(0.5)),
                ))
                (tile(
                    "",
                    "Agents at work",
                    &grouped(active_agents),
                    &format!("{seen} seen"),
                ))
            }
            (bars(&activity.denied_lately(now)))
        }
    }
}

/// The state of the guards, the worst first.
fn state(guards: &[GuardStatus], now_ns: u64) -> Markup {
    let live: Vec<&GuardStatus> = guards.iter().filter(|guard| guard.alive).collect();
    let (class, problem) = if live.is_empty() {
        ("idle", None)
    } else if !live.iter().all(|guard| guard.enforcing) {
        ("bad", Some("not all of them enforce".to_owned()))
    } else if let Some(age) = live
        .iter()
        .filter_map(|guard| guard.unresponsive_for(now_ns))
        .max()
    {
        let seconds = age.as_secs();
        (
            "bad",
            Some(format!("one has not responded for {seconds} s")),
        )
    } else if !live.iter().all(|guard| guard.policy.ok) {
        let bad = "a policy cannot be loaded, the last good one is in force";
        ("bad", Some(bad.to_owned()))
    } else if live.iter().any(|guard| guard.policy.mode == "audit") {
        let audit = "in audit mode agents are watched and not stopped";
        ("warn", Some(audit.to_owned()))
    } else {
        ("good", None)
    };
    let count = match live.len() {
        0 => "No guard is at work".to_owned(),
        1 => "A guard is at work".to_owned(),
        count => format!("{count} guards are at work"),
    };
    html! {
        p class={ "state " (class) } {
            (count)
            @if let Some(problem) = problem { "; " (problem) }
            "."
        }
    }
}

fn tile(class: &str, name: &str, value: &str, more: &str) -> Markup {
    html! {
        div {
            dt { (name) }
            dd class=(class) { (value) }
            dd.more { (more) }
        }
    }
}

/// Denials by the slice, oldest first.
fn bars(denied: &[u64; LONGEST.slices]) -> Markup {
    let most = denied.iter().copied().max().unwrap_or(0);
    let sum = denied.iter().sum::<u64>();
    let minutes = LONGEST.seconds() / 60;
    let seconds = SLICE.as_secs();
    let label = format!(
        "Denials of the last {minutes} minutes by {seconds} seconds: {sum} in all, {most} at most"
    );
    // A few denials are visible beside many.
    let height = |count: u64| match count {
        0 => 1,
        count => (count * 46 / most).max(3),
    };
    html! {
        figure {
            svg role="img" viewBox="0 0 300 48" preserveAspectRatio="none" aria-label=(label) {
                @for (index, &count) in denied.iter().enumerate() {
                    rect class=[(count == 0).then_some("none")] x=(index * 10 + 1) y=(48 - height(count)) width="8"
                        height=(height(count)) {}
                }
            }
            figcaption {
                span { (minutes) " minutes ago" }
                span {
                    @if most == 0 { "no denials" }
                    @else { "denials, at most " (grouped(most)) " in " (seconds) " s" }
                }
                span { "now" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::ring::{Counter, Producer, RingOptions};

    const NOW_NS: u64 = 1_000_000_000_000;

    /// A live guard, with a change.
    fn guard(change: impl Fn(&Producer)) -> GuardStatus {
        let ring = Producer::anonymous(&RingOptions::default()).unwrap();
        ring.set(Counter::EnforcementActive, 1);
        ring.set(Counter::PolicyOk, 1);
        ring.beat(NOW_NS);
        change(&ring);
        GuardStatus::of(&ring.reader(), true)
    }

    #[test]
    fn the_summary_names_the_worst_first() {
        let good = || guard(|_| ());
        let ended = GuardStatus {
            alive: false,
            ..good()
        };
        let audit = || guard(|ring| ring.set(Counter::PolicyAudit, 1));
        let hung = || guard(|ring| ring.beat(NOW_NS - 71_000_000_000));
        for (guards, class, expected) in [
            (vec![], "idle", "No guard is at work."),
            (vec![ended], "idle", "No guard is at work."),
            (vec![good()], "good", "A guard is at work."),
            (vec![good(), good()], "good", "2 guards are at work."),
            (vec![good(), audit()], "warn", "watched and not stopped"),
            (
                vec![audit(), guard(|ring| ring.set(Counter::PolicyOk, 0))],
                "bad",
                "a policy cannot be loaded",
            ),
            (
                vec![good(), hung()],
                "bad",
                "2 guards are at work; one has not responded for 71 s.",
            ),
            (
                vec![
                    hung(),
                    guard(|ring| ring.set(Counter::EnforcementActive, 0)),
                ],
                "bad",
                "not all of them enforce",
            ),
        ] {
            let html = state(&guards, NOW_NS).into_string();
            assert!(html.contains(expected), "{expected}: {html}");
            assert!(html.contains(&format!("\"state {class}\"")), "{html}");
        }
    }

    #[test]
    fn every_slice_has_a_bar() {
        let mut denied = [0; LONGEST.slices];
        denied[LONGEST.slices - 1] = 1000;
        denied[0] = 1;
        let html = bars(&denied).into_string();
        assert_eq!(html.matches("<rect").count(), LONGEST.slices);
        for rect in [
            "<rect x=\"1\" y=\"45\" width=\"8\" height=\"3\">",
            "<rect class=\"none\" x=\"11\" y=\"47\" width=\"8\" height=\"1\">",
            "<rect x=\"291\" y=\"2\" width=\"8\" height=\"46\">",
        ] {
            assert!(html.contains(rect), "no {rect} in {html}");
        }
        assert!(html.contains("1001 in all, 1000 at most"), "{html}");
    }
}
