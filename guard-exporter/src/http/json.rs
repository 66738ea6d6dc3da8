//! Answers in JSON, and the JSON object of a denial, which the API and the events share.

use crate::recent::Denial;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use guard_report::record::DenialRecord;
use guard_report::sentence::Sentence;
use serde::Serialize;

pub(super) const CONTENT_TYPE: &str = "application/json";

/// An answer with this value.
pub(super) fn respond(value: &impl Serialize) -> Response {
    let json = serde_json::to_string(value).expect("strings and numbers make JSON");
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], json).into_response()
}

/// A denial's id and its JSON object: the record of the log, after the id and a sentence. `None` when
/// the line is no record.
pub(super) fn denial(denial: &Denial) -> Option<(String, String)> {
    let record = DenialRecord::parse(&denial.line)?;
    let fields = denial.line.strip_prefix('{')?;
    let id = record.id();
    let summary = Sentence::of(&record).to_string();
    let summary = serde_json::to_string(&summary).expect("a string makes JSON");
    let object = format!("{{\"id\":\"{id}\",\"summary\":{summary},{fields}");
    Some((id, object))
}
