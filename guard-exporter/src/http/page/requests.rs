//! The requests that wait for a person, each with the command to answer. Nothing while there is none;
//! of many the first, and the others folded, so that the page stays in sight.

use super::text::{text, time};
use guard_report::request_record::RequestRecord;
use maud::{Markup, html};
use std::sync::Arc;

/// A row for each line of the log, what waits longest first.
pub(super) fn requests(open: &[Arc<str>]) -> Markup {
    let mut records: Vec<_> = open
        .iter()
        .filter_map(|line| RequestRecord::parse(line))
        .collect();
    records.sort_by_key(|record| record.ts);
    let (first, others) = records.split_at(records.len().min(SHOWN));
    html! {
        @if !records.is_empty() {
            section #requests.card aria-labelledby="h-requests" {
                h2 #h-requests { "Requests" }
                @for record in first { (request(record)) }
                @if !others.is_empty() {
                    details #more-requests {
                        summary { (others.len()) " more, the newest at " (time(&others[others.len() - 1].time)) }
                        @for record in others { (request(record)) }
                    }
                }
            }
        }
    }
}

fn request(record: &RequestRecord<'_>) -> Markup {
    html! {
        p.deed {
            span.chip { (text(record.agent.as_deref().unwrap_or("somebody"))) }
            " asks for " (text(&record.op.join(" and "))) " of " code { (text(&record.path)) }
            @if let Some(because) = &record.because { ", because: " (text(because)) }
            @if record.denials > 0 { ", denied " (record.denials) " times before" }
            ", at " (time(&record.time))
        }
        p.why { code { "codex-es-guard approve " (text(&record.id)) } " or "
            code { "codex-es-guard reject " (text(&record.id)) }
        }
    }
}

/// So many are in sight; the others open.
const SHOWN: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::event::RequestEvent;
    use guard_testing::events::REQUEST;

    #[test]
    fn a_request_has_the_command_to_answer_and_no_markup_of_its_own() {
        let event = RequestEvent {
            because: Some("<script>alert(1)</script>"),
            ..REQUEST
        };
        let page = requests(&[line(&event)]).into_string();
        assert!(page.contains("codex-es-guard approve 0011aa-1"), "{page}");
        assert!(page.contains("denied 2 times"), "{page}");
        assert!(!page.contains("<script>"), "{page}");
        assert_eq!(requests(&[]).into_string(), "");
    }
    #[test]
    fn of_many_the_first_are_in_sight_and_the_others_open() {
        let second = 1_000_000_000;
        let lines: Vec<_> = (0..50)
            .map(|number| {
                line(&RequestEvent {
                    id: &format!("0011aa-{number}"),
                    // The last was made first.
                    wall_ns: REQUEST.wall_ns - number * second,
                    ..REQUEST
                })
            })
            .collect();
        let page = requests(&lines).into_string();
        let (sight, folded) = page.split_once("<details").unwrap();
        assert_eq!(sight.matches("class=\"deed\"").count(), SHOWN, "{page}");
        assert!(sight.contains("approve 0011aa-49"), "{page}");
        assert_eq!(folded.matches("class=\"deed\"").count(), 50 - SHOWN);
        assert!(folded.contains("47 more"), "{page}");
        assert!(!requests(&lines[..SHOWN]).into_string().contains("<details"));
    }

    fn line(event: &RequestEvent<'_>) -> Arc<str> {
        let mut line = Vec::new();
        RequestRecord::new(event, "aa").append_to(&mut line);
        String::from_utf8(line).unwrap().trim_end().into()
    }
}
