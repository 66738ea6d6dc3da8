//! The sentences that a panel makes of the denial log's lines are those of both programs.
//!
//! Loki is not to be had where the tests run. What its panel has of Go's templates is evaluated here:
//! fields, and choices by a field's presence or value.

use crate::grafana;
use guard_core::{OperationKind, Reason};
use guard_report::record::DecisionRecord;
use guard_report::sentence::Sentence;
use serde_json::{Map, Value, json};

#[test]
fn a_panel_shows_a_denial_in_the_words_of_both_programs() {
    let queries = grafana::log_queries();
    let query = queries
        .iter()
        .find(|query| query.place.contains("What was denied"));
    let query = &query.unwrap().text;
    let mut compared = 0;
    for verdict in ["deny", "audit"] {
        for operation in OperationKind::ALL {
            for reason in REASONS {
                let line = json!({
                    "op": operation.as_str(), "path": "/p/a", "dest": null, "process": "mv",
                    "time": "", "ring": "0", "seq": 0, "verdict": verdict,
                    "reason": reason.as_str(), "agent": "codex", "pid": 1, "zone_name": "p",
                });
                assert_same(query, &line);
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 2 * 8 * 7);
    let mut line = json!({
        "op": "rename", "path": "/p/a", "dest": "/q", "process": "mv", "time": "", "ring": "0",
        "seq": 0, "verdict": "deny", "reason": "of_a_later_version", "agent": null, "pid": 1,
        "zone_name": null,
    });
    assert_same(query, &line);
    line["count"] = json!(7);
    assert_same(query, &line);
}

#[track_caller]
fn assert_same(query: &str, line: &Value) {
    let text = line.to_string();
    let record = DecisionRecord::parse(&text).unwrap();
    assert_eq!(shown(query, line), Sentence::of(&record).to_string());
}

/// The line as the query shows it.
fn shown(query: &str, line: &Value) -> String {
    let (_, extraction) = query.split_once("| json ").unwrap();
    let (extraction, template) = extraction.split_once(" | line_format `").unwrap();
    let mut labels = Map::new();
    for field in extraction.split(", ") {
        let (label, field) = field.split_once("=\"").unwrap();
        let value = &line[field.trim_end_matches('"')];
        let value = match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        labels.insert(label.to_owned(), value.into());
    }
    let mut parts = Parts {
        rest: template.trim_end_matches('`'),
        labels: &labels,
    };
    let mut text = String::new();
    let end = parts.evaluate(true, &mut text);
    assert_eq!((end, parts.rest), ("", ""));
    text
}

/// What is left of a template, and its values.
struct Parts<'a> {
    rest: &'a str,
    labels: &'a Map<String, Value>,
}

// === impl Parts ===

impl<'a> Parts<'a> {
    /// Writes what comes before the next `else` or `end`, which it returns.
    fn evaluate(&mut self, is_shown: bool, to: &mut String) -> &'a str {
        loop {
            let Some((text, rest)) = self.rest.split_once("{{") else {
                let text = std::mem::take(&mut self.rest);
                to.push_str(if is_shown { text } else { "" });
                return "";
            };
            let (action, rest) = rest.split_once("}}").unwrap();
            self.rest = rest;
            to.push_str(if is_shown { text } else { "" });
            if let Some(condition) = action.strip_prefix("if ") {
                self.choose(condition, is_shown, to);
            } else if let Some(field) = action.strip_prefix('.') {
                let value = self.labels[field].as_str().unwrap();
                to.push_str(if is_shown { value } else { "" });
            } else {
                return action;
            }
        }
    }

    fn choose(&mut self, condition: &str, is_shown: bool, to: &mut String) {
        let mut is_open = is_shown;
        let mut condition = condition;
        loop {
            let holds = is_open && self.holds(condition);
            is_open = is_open && !holds;
            let mut end = self.evaluate(holds, to);
            if end == "else" {
                end = self.evaluate(is_open, to);
            }
            match end.strip_prefix("else if ") {
                Some(next) => condition = next,
                None => return assert_eq!(end, "end"),
            }
        }
    }

    fn holds(&self, condition: &str) -> bool {
        let (field, wanted) = match condition.strip_prefix("eq ") {
            Some(comparison) => {
                let (field, wanted) = comparison.split_once(' ').unwrap();
                (field, Some(wanted.trim_matches('"')))
            }
            None => (condition, None),
        };
        let value = self.labels[field.trim_start_matches('.')].as_str().unwrap();
        wanted.map_or(!value.is_empty(), |wanted| value == wanted)
    }
}

/// The reasons for which something is denied, or would be.
const REASONS: [Reason; 7] = [
    Reason::AgentInZone,
    Reason::AuditOnly,
    Reason::UnknownLineage,
    Reason::Deadline,
    Reason::UnresolvedPath,
    Reason::GuardFiles,
    Reason::Unpreservable,
];
