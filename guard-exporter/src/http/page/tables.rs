//! The page's parts.

use super::html::Html;
use crate::activity::{Activity, AgentActivity, Span};
use crate::detect::Detection;
use crate::percentiles::{self, Percentiles};
use crate::recent::told::Told;
use crate::recent::{Denial, sentence};
use crate::status::Guard;
use guard_core::verdict::Verdict;
use std::sync::Arc;
use std::time::Instant;

/// How things stand, in a sentence or three.
pub(super) fn summary(
    html: &mut Html,
    guards: &[Guard],
    agents: &[AgentActivity],
    obstacle: Option<String>,
) {
    let live = || guards.iter().filter(|guard| guard.alive);
    let count = live().count();
    let is_audit = |guard: &Guard| guard.policy.mode == "audit";
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
    html.raw("<div id=summary><p class=\"state ").raw(class);
    html.raw("\">").text(&state).raw("</p>");
    if let Some(obstacle) = obstacle {
        html.raw("<p class=\"state bad\">")
            .text(&obstacle)
            .raw("</p>");
    }
    let [minute, _, start] = [0, 1, 2].map(|span| -> u64 {
        let denied = |agent: &AgentActivity| agent.decisions[span][Verdict::Deny as usize];
        agents.iter().map(denied).sum()
    });
    html.raw("<p>").text(&format!(
        "{minute} denied in the last minute, {start} since the exporter began."
    ));
    html.raw("</p></div>");
}

/// The denials.
pub(super) fn denials(html: &mut Html, denials: &[Arc<Denial>]) {
    html.raw("<div class=wide>");
    html.table("Newest first", &["Time (UTC)", "Agent", "What happened"]);
    for denial in denials {
        if let Some(told) = Told::parse(&denial.line) {
            row(html, &told);
        }
    }
    html.raw("</tbody></table></div>");
    if denials.is_empty() {
        html.raw("<p id=none>There is none.</p>");
    }
}

fn row(html: &mut Html, told: &Told<'_>) {
    html.raw("<tr class=").raw(match told.verdict() {
        Some(Verdict::Audit) => "audit",
        _ => "deny",
    });
    html.raw(" id=\"d-")
        .text(&told.id())
        .raw("\" role=row><td role=cell data-label=Time>");
    html.raw("<time datetime=\"").text(&told.time).raw("\">");
    html.text(&clock(&told.time)).raw("</time></td>");
    html.cell("Agent", told.agent.as_deref().unwrap_or("unknown"));
    html.raw("<td role=cell data-label=\"What happened\">");
    html.text(&sentence::of(told)).raw("</td></tr>");
}

/// Retry storms and mass deletions, if there were any.
pub(super) fn detections(html: &mut Html, detections: &[Arc<Detection>]) {
    html.raw("<section id=detections aria-label=\"Retry storms and mass deletions\">");
    if !detections.is_empty() {
        html.raw("<h2>Noticed</h2><ul>");
        for detection in detections.iter().take(SHOWN_DETECTIONS) {
            html.raw("<li><time datetime=\"")
                .text(&detection.time)
                .raw("\">");
            html.text(&clock(&detection.time)).raw("</time> ");
            html.text(&detection.sentence()).raw("</li>");
        }
        html.raw("</ul>");
    }
    html.raw("</section>");
}

/// What each agent did.
pub(super) fn agents(html: &mut Html, agents: &[AgentActivity]) {
    html.raw(
        "<section id=agents aria-labelledby=h-agents><h2 id=h-agents>Agents</h2><div class=wide>",
    );
    let columns = [
        "Agent",
        "Denied, 1 min",
        "Denied, 5 min",
        "Denied",
        "Audited",
        "Allowed",
    ];
    html.table(
        "Decisions by agent; none is people and what needed no look",
        &columns,
    );
    for AgentActivity { agent, decisions } in agents {
        let [minute, five_minutes, start] = decisions;
        html.raw("<tr role=row><th scope=row role=rowheader>")
            .text(agent)
            .raw("</th>");
        let numbers = [
            minute[Verdict::Deny as usize],
            five_minutes[Verdict::Deny as usize],
            start[Verdict::Deny as usize],
            start[Verdict::Audit as usize],
            start[Verdict::Allow as usize],
        ];
        for (column, number) in columns[1..].iter().zip(numbers) {
            html.number(column, &number.to_string());
        }
        html.raw("</tr>");
    }
    html.raw("</tbody></table></div></section>");
}

/// How long decisions took.
pub(super) fn latency(html: &mut Html, activity: &Activity, now: Instant) {
    html.raw("<section id=latency aria-labelledby=h-latency><h2 id=h-latency>Latency</h2><div class=wide>");
    let columns = [
        "Operation",
        "Verdict",
        "Count",
        "p50",
        "p90",
        "p99",
        "p99.9",
        "p99.99",
        "Longest",
    ];
    html.table("From first sight to verdict, last 5 minutes", &columns);
    let latencies = activity.latencies(now, Span::ALL[1]);
    for row in percentiles::table(&latencies) {
        let Percentiles {
            operation,
            verdict,
            count,
            ..
        } = row;
        html.raw("<tr role=row><th scope=row role=rowheader>")
            .text(operation)
            .raw("</th>");
        html.cell("Verdict", verdict)
            .number("Count", &count.to_string());
        let times = [
            row.p50_ns,
            row.p90_ns,
            row.p99_ns,
            row.p99_9_ns,
            row.p99_99_ns,
            row.max_ns,
        ];
        for (column, nanoseconds) in columns[3..].iter().zip(times) {
            html.number(column, &duration(nanoseconds));
        }
        html.raw("</tr>");
    }
    html.raw("</tbody></table></div></section>");
}

/// How each guard is.
pub(super) fn guards(html: &mut Html, guards: &[Guard]) {
    html.raw(
        "<section id=guards aria-labelledby=h-guards><h2 id=h-guards>Guards</h2><div class=wide>",
    );
    let columns = [
        "Session",
        "Process",
        "State",
        "Policy",
        "Zones",
        "Overrides",
        "Unread",
        "Lost",
    ];
    html.table(
        "Guards that are alive, or whose last words are being read",
        &columns,
    );
    for guard in guards {
        let policy = &guard.policy;
        html.raw("<tr role=row><th scope=row role=rowheader>")
            .text(&guard.session)
            .raw("</th>");
        html.number("Process", &guard.pid.to_string());
        html.cell(
            "State",
            match (guard.alive, guard.enforcing) {
                (false, _) => "ended",
                (true, true) => "enforcing",
                (true, false) => "not enforcing",
            },
        );
        let mode = if policy.ok {
            policy.mode
        } else {
            "unreadable; the last good one"
        };
        html.cell("Policy", mode);
        for (column, number) in [
            ("Zones", policy.zones),
            ("Overrides", policy.overrides),
            ("Unread", guard.deny.unread + guard.allow.unread),
            ("Lost", guard.deny.lost + guard.allow.lost),
        ] {
            html.number(column, &number.to_string());
        }
        html.raw("</tr>");
    }
    html.raw("</tbody></table></div></section>");
}

fn guards_at_work(count: usize) -> String {
    match count {
        1 => "A guard is at work".to_owned(),
        count => format!("{count} guards are at work"),
    }
}

/// RFC 3339 in UTC, to the second and for people.
fn clock(time: &str) -> String {
    let seconds = time.get(..19).unwrap_or(time);
    seconds.replace('T', " ")
}

/// Three digits and a unit.
fn duration(nanoseconds: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = nanoseconds as f64;
    for unit in ["ns", "µs", "ms"] {
        if value < 999.5 {
            let decimals = usize::from(value < 99.95 && unit != "ns")
                + usize::from(value < 9.995 && unit != "ns");
            return format!("{value:.decimals$} {unit}");
        }
        value /= 1000.0;
    }
    format!("{value:.1} s")
}

/// The API has them all.
const SHOWN_DETECTIONS: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits() {
        for (nanoseconds, text) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1.00 µs"),
            (12_543, "12.5 µs"),
            (999_400, "999 µs"),
            (999_600, "1.00 ms"),
            (60_000_000_000, "60.0 s"),
        ] {
            assert_eq!(duration(nanoseconds), text);
        }
    }

    #[test]
    fn the_summary_names_the_worst_first() {
        let guard = |change: fn(&mut Guard)| {
            let lane = crate::status::LaneState {
                committed: 0,
                unread: 0,
                lost: 0,
            };
            let mut guard = Guard {
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
                policy: crate::status::Policy {
                    ok: true,
                    mode: "enforce",
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
                vec![guard(|guard| guard.policy.mode = "audit")],
                "watched and not stopped",
            ),
        ] {
            let mut html = Html::new();
            summary(&mut html, &guards, &[], None);
            let text = html.finish();
            assert!(text.contains(said), "{said}: {text}");
        }
    }
}
