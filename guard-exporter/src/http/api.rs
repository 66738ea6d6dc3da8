//! `/api/v1`: what the board shows, as JSON. [`openapi.json`](OPENAPI) describes all of it.

use super::json;
use super::query::{BadRequest, Parameters};
use super::state::Shown;
use crate::activity::{AgentActivity, Span};
use crate::percentiles::{self, Percentiles};
use crate::recent::MAX_KEPT;
use crate::status::{Guard, LogState};
use crate::time;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use guard_core::verdict::Verdict;
use serde::Serialize;
use std::time::Instant;

/// The description of the API.
pub const OPENAPI: &str = include_str!("openapi.json");

#[derive(Serialize)]
struct Status<'a> {
    version: &'static str,
    pid: u32,
    started: String,
    uptime_seconds: u64,
    ready: bool,
    obstacle: Option<String>,
    kept_denials: usize,
    denial_log: LogState,
    agents: Vec<Agent>,
    guards: &'a [Guard],
}

#[derive(Serialize)]
struct Agent {
    agent: Box<str>,
    #[serde(rename = "1m")]
    minute: Decisions,
    #[serde(rename = "5m")]
    five_minutes: Decisions,
    start: Decisions,
}

#[derive(Serialize)]
struct Decisions {
    allow: u64,
    deny: u64,
    audit: u64,
}

#[derive(Serialize)]
struct Latency {
    spans: Vec<LatencySpan>,
}

#[derive(Serialize)]
struct LatencySpan {
    span: &'static str,
    series: Vec<Percentiles>,
}

/// `GET /api/v1/denials`
pub(super) async fn denials(
    State(shown): State<Shown>,
    parameters: Parameters,
) -> Result<Response, BadRequest> {
    let query = parameters.denials()?;
    let recent = &shown.board.recent;
    let selection = recent.select(&query.filter, query.before.as_ref(), query.limit);
    let mut body = String::from("{\"denials\":[");
    let mut next = None;
    for denial in &selection.denials {
        if let Some((id, object)) = json::denial(denial) {
            if next.is_some() {
                body.push(',');
            }
            body.push_str(&object);
            next = Some(id);
        }
    }
    let next = next.filter(|_| selection.more);
    let next = next.map_or_else(|| "null".to_owned(), |id| format!("\"{id}\""));
    let kept = recent.len();
    body.push_str(&format!(
        "],\"next\":{next},\"kept\":{kept},\"max_kept\":{MAX_KEPT}}}"
    ));
    Ok(([(header::CONTENT_TYPE, json::CONTENT_TYPE)], body).into_response())
}

/// `GET /api/v1/detections`
pub(super) async fn detections(State(shown): State<Shown>) -> impl IntoResponse {
    let detections = shown.board.detections();
    let detections: Vec<_> = detections.iter().map(|found| found.as_ref()).collect();
    json::respond(&serde_json::json!({ "detections": detections }))
}

/// `GET /api/v1/status`
pub(super) async fn status(State(shown): State<Shown>) -> Response {
    let board = &shown.board;
    let obstacle = board.health.obstacle();
    let agents = board.activity().agents(Instant::now());
    let status = Status {
        version: env!("CARGO_PKG_VERSION"),
        pid: std::process::id(),
        started: time::rfc3339(time::wall_ns(board.started)),
        uptime_seconds: board.started.elapsed().unwrap_or_default().as_secs(),
        ready: obstacle.is_none(),
        obstacle,
        kept_denials: board.recent.len(),
        denial_log: board.log(),
        agents: agents.into_iter().map(Agent::from).collect(),
        guards: &board.guards(),
    };
    json::respond(&status)
}

/// `GET /api/v1/latency`
pub(super) async fn latency(
    State(shown): State<Shown>,
    parameters: Parameters,
) -> Result<Response, BadRequest> {
    let query = parameters.latency()?;
    let now = Instant::now();
    if query.as_text {
        let span = query.span.unwrap_or(Span::SinceStart);
        let latencies = shown.board.activity().latencies(now, span);
        let chosen = latencies.together(|operation, verdict| {
            query.operation.is_none_or(|wanted| wanted == operation)
                && query.verdict.is_none_or(|wanted| wanted == verdict)
        });
        let text = percentiles::distribution(&chosen);
        return Ok(([(header::CONTENT_TYPE, TEXT)], text).into_response());
    }
    let spans = Span::ALL.into_iter();
    let spans = spans.filter(|span| query.span.is_none_or(|wanted| wanted == *span));
    let spans = spans.map(|span| {
        let latencies = shown.board.activity().latencies(now, span);
        let mut series = percentiles::table(&latencies);
        series.retain(|row| {
            query
                .operation
                .is_none_or(|wanted| wanted.as_str() == row.operation)
                && query
                    .verdict
                    .is_none_or(|wanted| wanted.as_str() == row.verdict)
        });
        LatencySpan {
            span: span.name(),
            series,
        }
    });
    let latency = Latency {
        spans: spans.collect(),
    };
    Ok(json::respond(&latency))
}

/// `GET /api/v1/openapi.json`
pub(super) async fn openapi() -> impl IntoResponse {
    let description = OPENAPI.replace("VERSION", env!("CARGO_PKG_VERSION"));
    ([(header::CONTENT_TYPE, json::CONTENT_TYPE)], description)
}

// === impl Agent ===

impl From<AgentActivity> for Agent {
    fn from(activity: AgentActivity) -> Self {
        let [minute, five_minutes, start] = activity.decisions.map(|by_verdict| Decisions {
            allow: by_verdict[Verdict::Allow as usize],
            deny: by_verdict[Verdict::Deny as usize],
            audit: by_verdict[Verdict::Audit as usize],
        });
        Self {
            agent: activity.agent,
            minute,
            five_minutes,
            start,
        }
    }
}

const TEXT: &str = "text/plain; charset=utf-8";
