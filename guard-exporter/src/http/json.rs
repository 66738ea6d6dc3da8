//! Answers in JSON.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use guard_report::json;
use serde::Serialize;

pub(super) const CONTENT_TYPE: &str = "application/json";

/// An answer with this value.
pub(super) fn respond(value: &impl Serialize) -> Response {
    let json = json::line(value);
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], json).into_response()
}
