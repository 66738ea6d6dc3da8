//! The page's tables: denials, what was noticed, agents, latencies, guards.

use super::html::Html;
use crate::detect::Detection;
use crate::recent::Denial;
use guard_core::verdict::Verdict;
use guard_report::activity::{Activity, Span};
use guard_report::api::{AgentDecisions, Percentiles};
use guard_report::record::DenialRecord;
use guard_report::sentence::Sentence;
use guard_report::status::GuardStatus;
use std::sync::Arc;
use std::time::Instant;

/// The denials.
pub(super) fn denials(html: &mut Html, denials: &[Arc<Denial>]) {
    html.raw("<div class=wide>");
    let columns = ["Time (UTC)", "Agent", "What happened", "Zone"];
    html.table("Newest first", &columns);
    for denial in denials {
        if let Some(told) = DenialRecord::parse(&denial.line) {
            row(html, &told);
        }
    }
    html.raw("</tbody></table></div>");
    if denials.is_empty() {
        html.raw("<p id=none>There is none.</p>");
    }
}

fn row(html: &mut Html, told: &DenialRecord<'_>) {
    html.raw("<tr class=").raw(match told.verdict() {
        Some(Verdict::Audit) => "audit",
        _ => "deny",
    });
    html.raw(" id=\"d-").text(&told.id());
    html.raw("\" role=row><td role=cell data-label=Time>");
    time(html, &told.time);
    let sentence = Sentence::of(told);
    html.raw("</td><td role=cell data-label=Agent><span class=chip>");
    html.text(told.agent.as_deref().unwrap_or("unknown"));
    html.raw("</span></td><td role=cell data-label=\"What happened\">");
    html.raw("<p class=deed>").text(&sentence.who).raw(" ");
    html.raw(sentence.was).raw(" ").raw(sentence.doing);
    html.raw(" <code>").text(&sentence.path).raw("</code>");
    if let Some(destination) = &sentence.destination {
        html.raw(" to <code>").text(destination).raw("</code>");
    }
    html.raw(" with ").text(&sentence.program);
    html.raw("</p><p class=why>").text(&sentence.because);
    html.raw("</p></td>");
    html.cell("Zone", sentence.zone.as_deref().unwrap_or_default());
    html.raw("</tr>");
}

/// Retry storms and mass deletions, if there were any.
pub(super) fn detections(html: &mut Html, detections: &[Arc<Detection>]) {
    html.raw("<section id=detections aria-label=\"Retry storms and mass deletions\"");
    html.raw(if detections.is_empty() {
        ">"
    } else {
        " class=card>"
    });
    if !detections.is_empty() {
        html.raw("<h2>Noticed</h2><ul>");
        for detection in detections.iter().take(SHOWN_DETECTIONS) {
            html.raw("<li>");
            time(html, &detection.time);
            html.raw(" ").text(&detection.sentence()).raw("</li>");
        }
        html.raw("</ul>");
    }
    html.raw("</section>");
}

/// What each agent did.
pub(super) fn agents(html: &mut Html, agents: &[AgentDecisions]) {
    html.raw(
        "<section class=card id=agents aria-labelledby=h-agents><h2 id=h-agents>Agents</h2><div class=wide>",
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
    for agent in agents {
        html.raw("<tr role=row><th scope=row role=rowheader>")
            .text(&agent.agent)
            .raw("</th>");
        let numbers = [
            agent.minute.deny,
            agent.five_minutes.deny,
            agent.start.deny,
            agent.start.audit,
            agent.start.allow,
        ];
        for (column, number) in columns[1..].iter().zip(numbers) {
            html.number(column, &grouped(number));
        }
        html.raw("</tr>");
    }
    html.raw("</tbody></table></div></section>");
}

/// How long decisions took.
pub(super) fn latency(html: &mut Html, activity: &Activity, now: Instant) {
    html.raw("<section class=card id=latency aria-labelledby=h-latency><h2 id=h-latency>Latency</h2><div class=wide>");
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
    for row in latencies.percentiles() {
        let Percentiles {
            operation,
            verdict,
            count,
            ..
        } = row;
        html.raw("<tr role=row><th scope=row role=rowheader>")
            .text(&operation)
            .raw("</th>");
        html.cell("Verdict", &verdict)
            .number("Count", &grouped(count));
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
pub(super) fn guards(html: &mut Html, guards: &[GuardStatus]) {
    html.raw(
        "<section class=card id=guards aria-labelledby=h-guards><h2 id=h-guards>Guards</h2><div class=wide>",
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
        html.cell("Process", &guard.pid.to_string());
        html.cell(
            "State",
            match (guard.alive, guard.enforcing) {
                (false, _) => "ended",
                (true, true) => "enforcing",
                (true, false) => "not enforcing",
            },
        );
        let mode = if policy.ok {
            &policy.mode
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
            html.number(column, &grouped(number));
        }
        html.raw("</tr>");
    }
    html.raw("</tbody></table></div></section>");
}

/// RFC 3339 in UTC, to the second and for people; the day comes second.
fn time(html: &mut Html, time: &str) {
    let seconds = time.get(..19).unwrap_or(time);
    let (day, clock) = seconds.split_once('T').unwrap_or(("", seconds));
    html.raw("<time datetime=\"").text(time).raw("\"><strong>");
    html.text(clock).raw("</strong> <span>").text(day);
    html.raw("</span></time>");
}

/// A number with its thousands apart.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let places = (0..digits.len()).rev();
    digits
        .chars()
        .zip(places)
        .fold(String::new(), |mut text, (digit, place)| {
            text.push(digit);
            if place > 0 && place.is_multiple_of(3) {
                text.push(',');
            }
            text
        })
}

/// Three digits and a unit.
pub(super) fn duration(nanoseconds: u64) -> String {
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
const SHOWN_DETECTIONS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let numbers = [0, 999, 1_000, 12_345_678].map(grouped);
        assert_eq!(numbers, ["0", "999", "1,000", "12,345,678"]);
    }

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
}
