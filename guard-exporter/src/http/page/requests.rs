//! The requests that wait for a person, each with the command to answer. Nothing while there is none.

use super::text::{text, time};
use guard_report::request_record::RequestRecord;
use maud::{Markup, html};
use std::sync::Arc;

/// A row for each line of the log.
pub(super) fn requests(open: &[Arc<str>]) -> Markup {
    let records: Vec<_> = open
        .iter()
        .filter_map(|line| RequestRecord::parse(line))
        .collect();
    html! {
        @if !records.is_empty() {
            section #requests.card aria-labelledby="h-requests" {
                h2 #h-requests { "Requests" }
                @for record in &records { (request(record)) }
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

#[cfg(test)]
mod tests {
    use super::*;
    use guard_testing::events::REQUEST;

    #[test]
    fn a_request_has_the_command_to_answer_and_no_markup_of_its_own() {
        let event = guard_core::event::RequestEvent {
            because: Some("<script>alert(1)</script>"),
            ..REQUEST
        };
        let mut line = Vec::new();
        RequestRecord::new(&event, "aa").append_to(&mut line);
        let line: Arc<str> = String::from_utf8(line).unwrap().trim_end().into();
        let page = requests(&[line]).into_string();
        assert!(page.contains("codex-es-guard approve 0011aa-1"), "{page}");
        assert!(page.contains("denied 2 times"), "{page}");
        assert!(!page.contains("<script>"), "{page}");
        assert_eq!(requests(&[]).into_string(), "");
    }
}
