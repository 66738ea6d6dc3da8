//! The rows of denials and of changes: one for each command or burst, which opens.
//!
//! Closed, a row is a sentence. Open, it has the facts, what the reason means, commands to copy, and
//! the newest of what the group has. It opens without scripts.

use super::links::{GROUP, address, session_of};
use super::text::{duration, grouped, text, time};
use crate::http::query::{EACH, VIEW};
use crate::recent::LoggedDecision;
use guard_core::verdict::Verdict;
use guard_report::groups::Summary;
use guard_report::next_steps::{meaning, next_steps};
use guard_report::record::DecisionRecord;
use guard_report::sentence::{ChangeSentence, Sentence, is_change};
use maud::{Markup, html};
use std::sync::Arc;

/// The table of these groups, each of whose records are the newest first.
pub(super) fn table(caption: &str, groups: &[Vec<Arc<LoggedDecision>>]) -> Markup {
    html! {
        div.wide {
            table.rows role="table" {
                caption { (caption) }
                thead role="rowgroup" {
                    tr role="row" {
                        @for column in ["Time (UTC)", "Agent", "What happened", "Zone"] {
                            th scope="col" role="columnheader" { (column) }
                        }
                    }
                }
                tbody role="rowgroup" { (rows(groups)) }
            }
        }
    }
}

fn rows(groups: &[Vec<Arc<LoggedDecision>>]) -> Markup {
    html! {
        @for group in groups {
            @let records = || group.iter().filter_map(|record| DecisionRecord::parse(&record.line));
            @if let Some(summary) = Summary::of(records()) {
                (row(&summary, records()))
            }
        }
    }
}

fn row<'r>(summary: &Summary<'_>, records: impl Iterator<Item = DecisionRecord<'r>>) -> Markup {
    let newest = &summary.newest;
    let class = match newest.verdict() {
        Some(Verdict::Audit) => "audit",
        Some(Verdict::Allow) if summary.unpreserved == 0 => "kept",
        Some(Verdict::Deny | Verdict::Allow) | None => "deny",
    };
    let agent = newest.agent.as_deref();
    html! {
        tr class=(class) id={ "d-" (text(&summary.id)) } data-count=(summary.count) role="row" {
            td role="cell" data-label="Time" { (time(&summary.last)) }
            td role="cell" data-label="Agent" {
                @match agent {
                    Some(agent) => a.chip href=(address(&[("agent", agent)])) { (text(agent)) },
                    None => span.chip { "unknown" },
                }
            }
            td role="cell" data-label="What happened" {
                details {
                    summary {
                        span.deed { (deed(summary)) }
                        span.why { (text(&summary.because())) }
                    }
                    (facts(summary))
                    (steps(newest))
                    @if summary.count > 1 { (members(summary, records)) }
                }
            }
            td role="cell" data-label="Zone" {
                @for (number, zone) in summary.zones.iter().enumerate() {
                    @if number > 0 { ", " }
                    a href=(address(&[("zone", zone)])) { (text(zone)) }
                }
            }
        }
    }
}

/// The sentence, with its paths as code. Its parts are visible texts already.
fn deed(summary: &Summary<'_>) -> Markup {
    let newest = &summary.newest;
    let program = text(&newest.process);
    if summary.count == 1 && summary.is_change() {
        let sentence = ChangeSentence::of(newest);
        return html! {
            (sentence.who) " " (sentence.did) " " code { (sentence.path) }
            @if let Some(by) = &sentence.by { " by " code { (by) } }
            " with " (program)
        };
    }
    if summary.paths == 1 && !summary.is_change() {
        let sentence = Sentence::of(newest);
        return html! {
            (sentence.who) " " (sentence.was) " " (summary.doing) " " code { (sentence.path) }
            @if let Some(destination) = &sentence.destination { " to " code { (destination) } }
            " with " (program)
            @if let Some(count) = summary.attempts() { " " (times(count)) }
        };
    }
    html! {
        (summary.who()) " " (summary.doing) " "
        @if summary.paths == 1 {
            code { (ChangeSentence::of(newest).path) }
        } @else {
            strong { (grouped(summary.paths as u64)) " paths" } " in " code { (text(&summary.directory)) }
        }
        " with " (program)
        @if summary.count > summary.paths as u64 { " " (times(summary.count)) }
    }
}

fn times(count: u64) -> Markup {
    html! { strong.times { (grouped(count)) " times" } }
}

/// What is known of the newest of a group.
fn facts(summary: &Summary<'_>) -> Markup {
    let newest = &summary.newest;
    let means = newest.reason().map_or("", meaning);
    let session = session_of(newest);
    let denied = !is_change(newest);
    html! {
        dl.facts {
            @if denied && !means.is_empty() { (fact("Why", &html! { (means) })) }
            @if summary.count > 1 {
                (fact("When", &html! {
                    (time(&summary.first)) " to " (time(&summary.last))
                }))
            }
            (fact("Program", &html! {
                code { (text(&newest.exe)) } ", process " (newest.pid)
                @if !newest.argv0.is_empty() { ", started as " code { (text(&newest.argv0)) } }
            }))
            (fact("Parents", &html! {
                "process " (newest.ppid)
                @if let Some(pid) = newest.agent_pid {
                    ", of " (text(newest.ancestor.as_deref().unwrap_or("the agent")))
                    ", process " (pid)
                }
            }))
            @if let Some(session) = session {
                (fact("Session", &html! {
                    a href=(address(&[("session", session)])) { (text(session)) }
                }))
            }
            @if let Some(zone) = newest.zone.as_deref() {
                (fact("Zone", &html! {
                    (text(newest.zone_name.as_deref().unwrap_or_default())) " " code { (text(zone)) }
                }))
            }
            @if let Some(trace) = newest.trace_id.as_deref() {
                (fact("Trace", &html! { code { (text(trace)) } }))
            }
            (fact("Decided", &html! {
                "in " (duration(newest.latency_ns)) ": " (text(&newest.reason))
                @if let Some(tool) = newest.tool.as_deref() { ", tool " (text(tool)) }
                @if let Some(id) = newest.override_id.as_deref() { ", override " (text(id)) }
            }))
        }
    }
}

fn fact(name: &str, content: &Markup) -> Markup {
    html! { div { dt { (name) } dd { (content) } } }
}

/// The commands that lead on.
fn steps(record: &DecisionRecord<'_>) -> Markup {
    html! {
        @if is_change(record) && record.preserved.is_none() { p.lost { "It is lost." } }
        ul.steps {
            @for step in next_steps(record) {
                li { span { (step.purpose) } code.command { (text(&step.command)) } }
            }
        }
    }
}

/// The newest of a group, and a link to all of them.
fn members<'r>(summary: &Summary<'_>, records: impl Iterator<Item = DecisionRecord<'r>>) -> Markup {
    let all = [(VIEW, EACH), (GROUP, &*summary.id)];
    html! {
        ol.members {
            @for record in records.take(SHOWN_MEMBERS) {
                li {
                    (time(&record.time)) " "
                    @if summary.is_change() { (member_change(&record)) }
                    @else {
                        code { (text(&record.path)) }
                        @if let Some(destination) = record.dest.as_deref() {
                            " to " code { (text(destination)) }
                        }
                    }
                }
            }
        }
        @if !summary.is_change() {
            a.all href=(address(&all)) { "All " (grouped(summary.count)) " of them" }
        }
    }
}

/// What became of one change. The parts of a sentence are visible texts already.
fn member_change(record: &DecisionRecord<'_>) -> Markup {
    let sentence = ChangeSentence::of(record);
    html! {
        (sentence.did) " " code { (sentence.path) } ": " (sentence.outcome) ". "
        @match &sentence.restore {
            Some(restore) => code.command { (restore) },
            None => "It is lost.",
        }
    }
}

/// The link leads to all of them.
const SHOWN_MEMBERS: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::{DecisionEvent, OperationKind};
    use guard_testing::events::{CHANGE, DENIAL};

    fn html_of(events: &[DecisionEvent<'_>]) -> String {
        let group = events.iter().rev().map(|event| {
            let mut bytes = Vec::new();
            DecisionRecord::new(event, "000102030405060708090a0b0c0d0e0f")
                .in_session(b"calm-heron-7")
                .append_to(&mut bytes);
            let line = String::from_utf8(bytes).unwrap();
            Arc::new(LoggedDecision::new(event, line.trim_end()))
        });
        rows(&[group.collect()]).into_string()
    }

    fn removal(sequence: u64, path: &str) -> DecisionEvent<'_> {
        DecisionEvent {
            sequence,
            operation: OperationKind::Unlink,
            path: path.as_bytes(),
            destination: None,
            ..DENIAL
        }
    }

    #[test]
    fn a_row_leads_on() {
        let html = html_of(&[DENIAL]);
        for expected in [
            "<code>/usr/bin/mv</code>, process 42, started as <code>mv</code>",
            "process 41, of claude, process 41",
            "<a href=\"/?session=s-1\">s-1</a>",
            "Only a person does that.",
            "<code>0af7651916cd43dd8448eb211c80319c</code>",
            "in 12.5 µs: agent_in_zone",
            "<code class=\"command\">codex-es-guard explain /home/u/project/main.rs --as",
            "codex-es-guard request /home/u/project/main.rs",
            "<a href=\"/?zone=project\">project</a>",
        ] {
            assert!(html.contains(expected), "no {expected} in {html}");
        }
        assert!(!html.contains("<ol"));
    }

    #[test]
    fn a_command_is_one_row_with_its_newest_paths() {
        let paths: Vec<String> = (0..400).map(|number| format!("/p/{number}")).collect();
        let numbered = (0..400).zip(&paths);
        let events: Vec<_> = numbered
            .map(|(number, path)| removal(number, path))
            .collect();
        let html = html_of(&events);
        assert_eq!(html.matches("<tr ").count(), 1);
        for expected in [
            "data-count=\"400\"",
            "removing <strong>400 paths</strong> in <code>/p</code> with mv",
            "<code>/p/399</code>",
            "<code>/p/390</code>",
            "?view=each&amp;group=000102030405060708090a0b0c0d0e0f-0\">All 400 of them</a>",
        ] {
            assert!(html.contains(expected), "no {expected} in {html}");
        }
        assert!(!html.contains("<code>/p/389</code>"));
        let again = html_of(&[removal(0, "/p/a"), removal(1, "/p/a")]);
        assert!(
            again.contains("<strong class=\"times\">2 times</strong>"),
            "{again}"
        );
    }

    #[test]
    fn a_change_has_the_command_that_restores_it() {
        let html = html_of(&[CHANGE]);
        assert!(html.contains("class=\"kept\""), "{html}");
        assert!(
            html.contains("codex-es-guard undo restore calm-heron-7 /home/u/project/main.rs"),
            "{html}"
        );
    }
}
