//! Answers in JSON.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

pub(super) const CONTENT_TYPE: &str = "application/json";

/// An answer with this value.
pub(super) fn respond(value: &impl Serialize) -> Response {
    let json = serde_json::to_string(value).expect("strings and numbers make JSON");
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], json).into_response()
}
