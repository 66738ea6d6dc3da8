//! The tables of the page, apart from denials and changes: detections, agents, latencies, guards.

use super::links::address;
use super::text::{duration, grouped, text, time};
use crate::detect::Detection;
use guard_report::activity::{Activity, NONE, Span};
use guard_report::api::AgentDecisions;
use guard_report::status::GuardStatus;
use guard_report::time::now_ns;
use maud::{Markup, Render, html};
use std::sync::Arc;
use std::time::Instant;

/// Retry storms and mass deletions, if there were any.
pub(super) fn detections(detections: &[Arc<Detection>]) -> Markup {
    html! {
        section #detections class=[(!detections.is_empty()).then_some("card")]
            aria-label="Retry storms and mass deletions"
        {
            @if !detections.is_empty() {
                h2 { "Detected" }
                ul {
                    @for detection in detections.iter().take(SHOWN_DETECTIONS) {
                        li {
                            (time(&detection.time)) " " (text(&detection.sentence()))
                            @if !detection.session.is_empty() {
                                " " a href=(address(&[("session", &detection.session)])) { "Its denials" }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The decisions about each agent.
pub(super) fn agents(agents: &[AgentDecisions]) -> Markup {
    let columns = [
        "Agent",
        "Denied, 1 min",
        "Denied, 5 min",
        "Denied",
        "Audited",
        "Allowed",
    ];
    let rows = html! {
        @for agent in agents {
            tr role="row" {
                th scope="row" role="rowheader" {
                    @if agent.agent == NONE { "none" }
                    @else { a href=(address(&[("agent", &agent.agent)])) { (text(&agent.agent)) } }
                }
                (number(columns[1], agent.minute.deny))
                (number(columns[2], agent.five_minutes.deny))
                (number(columns[3], agent.start.deny))
                (number(columns[4], agent.start.audit))
                (number(columns[5], agent.start.allow))
            }
        }
    };
    let caption = "Decisions by agent; none is for people and for operations outside zones";
    let content = html! {
        (table(caption, &columns, &rows))
        @if agents.is_empty() { p { "Nothing was decided since the exporter started." } }
    };
    section("agents", "Agents", &content)
}

/// How long decisions took.
pub(super) fn latency(activity: &Activity, now: Instant) -> Markup {
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
    let latencies = activity.latencies(now, Span::ALL[1]);
    let together = latencies.together(|_, _| true);
    let within = |quantile| duration(together.value_at_quantile(quantile));
    let rows = html! {
        @for row in latencies.percentiles() {
            @let times = [
                row.p50_ns,
                row.p90_ns,
                row.p99_ns,
                row.p99_9_ns,
                row.p99_99_ns,
                row.max_ns,
            ];
            tr role="row" {
                (row_header(&row.operation))
                (cell(columns[1], &*row.verdict))
                (number(columns[2], row.count))
                @for (column, nanoseconds) in columns[3..].iter().zip(times) {
                    (number_text(column, &duration(nanoseconds)))
                }
            }
        }
    };
    let caption = "From the receipt of an operation to its verdict, last 5 minutes";
    let content = html! {
        @if together.is_empty() {
            p { "Nothing was decided in the last 5 minutes." }
        } @else {
            p.hint {
                "One in two decided within " (within(0.5)) ", 99 in 100 within " (within(0.99)) "."
            }
        }
        (table(caption, &columns, &rows))
    };
    section("latency", "Latency", &content)
}

/// The state of each guard.
pub(super) fn guards(guards: &[GuardStatus]) -> Markup {
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
    let now_ns = now_ns();
    let state = |guard: &GuardStatus| match guard.unresponsive_for(now_ns) {
        _ if !guard.alive => "ended",
        Some(_) => "not responding",
        None if guard.enforcing => "enforcing",
        None => "not enforcing",
    };
    let rows = html! {
        @for guard in guards {
            @let policy = &guard.policy;
            tr role="row" {
                th scope="row" role="rowheader" {
                    a href=(address(&[("session", &guard.session)])) { (text(&guard.session)) }
                }
                (cell(columns[1], guard.pid))
                (cell(columns[2], state(guard)))
                (cell(columns[3], if policy.ok {
                    text(&policy.mode)
                } else {
                    "not loaded; the last good one".into()
                }))
                (number(columns[4], policy.zones))
                (number(columns[5], policy.overrides))
                (number(columns[6], guard.deny.unread + guard.allow.unread + guard.change.unread))
                (number(columns[7], guard.deny.lost + guard.allow.lost + guard.change.lost))
            }
        }
    };
    let caption = "Live guards, and ended ones whose rings are still being read";
    let content = html! {
        (table(caption, &columns, &rows))
        @if guards.is_empty() {
            p { "There is none. " code.command { (START) } " starts one." }
        }
    };
    section("guards", "Guards", &content)
}

pub(super) fn section(id: &str, heading: &str, content: &Markup) -> Markup {
    let label = format!("h-{id}");
    html! {
        section.card id=(id) aria-labelledby=(label) {
            h2 id=(label) { (heading) }
            (content)
        }
    }
}

/// A table with the names of its columns. The roles are explicit, since a table that is laid out
/// otherwise on a narrow screen loses the implicit ones.
fn table(caption: &str, columns: &[&str], rows: &Markup) -> Markup {
    html! {
        div.wide {
            table role="table" {
                caption { (caption) }
                thead role="rowgroup" {
                    tr role="row" {
                        @for column in columns {
                            th scope="col" role="columnheader" { (column) }
                        }
                    }
                }
                tbody role="rowgroup" { (rows) }
            }
        }
    }
}

/// The first cell of a row.
fn row_header(name: &str) -> Markup {
    html! {
        th scope="row" role="rowheader" { (text(name)) }
    }
}

/// A cell with the name of its column, for narrow screens.
fn cell(column: &str, content: impl Render) -> Markup {
    html! {
        td role="cell" data-label=(column) { (content) }
    }
}

fn number(column: &str, number: u64) -> Markup {
    number_text(column, &grouped(number))
}

fn number_text(column: &str, text: &str) -> Markup {
    html! {
        td.number role="cell" data-label=(column) { (text) }
    }
}

/// How a guard is started.
pub(super) const START: &str = "codex-es-guard run -- claude";
/// The API has all of them.
const SHOWN_DETECTIONS: usize = 3;
