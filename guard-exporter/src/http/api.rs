//! `/api/v1`: the state of the exporter and its guards as JSON. [`openapi.json`](OPENAPI) describes it.

use super::json;
use super::query::{BadRequest, DenialsQuery, Parameters};
use super::state::HttpState;
use crate::percentiles;
use crate::recent::{MAX_KEPT, Recent, Selection};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use guard_report::activity::Span;
use guard_report::api::{
    Changes, Denials, Groups, Latencies, LatencySpan, OtlpStatus, Record, Requests, Status,
};
use guard_report::time;
use serde_json::value::RawValue;
use std::sync::Arc;
use std::time::Instant;

/// The description of the API.
pub const OPENAPI: &str = include_str!("openapi.json");

/// `GET /api/v1/denials`
pub(super) async fn denials(
    State(state): State<HttpState>,
    parameters: Parameters,
) -> Result<Response, BadRequest> {
    let query = parameters.denials()?;
    let recent = &state.app.recent;
    let selection = select(recent, &query);
    let denials = selection.denials.iter();
    let denials = denials.filter_map(|denial| Record::of_line(&denial.line));
    let page = Denials::page(denials.collect(), selection.more, recent.len(), MAX_KEPT);
    Ok(json::respond(&page))
}

/// `GET /api/v1/changes`
pub(super) async fn changes(
    State(state): State<HttpState>,
    parameters: Parameters,
) -> Result<Response, BadRequest> {
    let query = parameters.denials()?;
    let recent = &state.app.changes;
    let selection = select(recent, &query);
    let changes = selection.denials.iter();
    let changes = changes.filter_map(|change| Record::of_line(&change.line));
    let page = Changes::page(changes.collect(), selection.more, recent.len(), MAX_KEPT);
    Ok(json::respond(&page))
}

/// `GET /api/v1/requests`
pub(super) async fn requests(State(state): State<HttpState>) -> Response {
    let requests = &state.app.requests;
    let raw = |line: &Arc<str>| RawValue::from_string(line.to_string()).ok();
    let objects = |lines: Vec<Arc<str>>| lines.iter().filter_map(raw).collect();
    json::respond(&Requests {
        open: objects(requests.open()),
        steps: objects(requests.steps()),
    })
}

/// `GET /api/v1/denials/groups`
pub(super) async fn denial_groups(
    State(state): State<HttpState>,
    parameters: Parameters,
) -> Result<Response, BadRequest> {
    groups(&state.app.recent, &parameters.groups()?)
}

/// `GET /api/v1/changes/groups`
pub(super) async fn change_groups(
    State(state): State<HttpState>,
    parameters: Parameters,
) -> Result<Response, BadRequest> {
    groups(&state.app.changes, &parameters.groups()?)
}

fn groups(recent: &Recent, query: &DenialsQuery) -> Result<Response, BadRequest> {
    let selection = recent.groups(&query.filter, query.before.as_ref(), query.limit);
    let lines = selection
        .groups
        .iter()
        .map(|group| group.iter().map(|record| &*record.line));
    let page = Groups::page(lines, selection.more, recent.len(), MAX_KEPT);
    Ok(json::respond(&page))
}

/// What a query selects, one by one.
pub(super) fn select(recent: &Recent, query: &DenialsQuery) -> Selection {
    let (filter, before) = (&query.filter, query.before.as_ref());
    match &query.group {
        Some(group) => recent.select_of_group(group, filter, before, query.limit),
        None => recent.select(filter, before, query.limit),
    }
}

/// `GET /api/v1/detections`
pub(super) async fn detections(State(state): State<HttpState>) -> impl IntoResponse {
    let detections = state.app.detections();
    let detections: Vec<_> = detections.iter().map(|found| found.as_ref()).collect();
    json::respond(&serde_json::json!({ "detections": detections }))
}

/// `GET /api/v1/status`
pub(super) async fn status(State(state): State<HttpState>) -> Response {
    let app = &state.app;
    let obstacle = app.health.obstacle();
    let agents = app.activity().agents(Instant::now());
    let guards = app.guards();
    let now_ns = time::now_ns();
    let [denial_log, change_log] = app.logs();
    let status = Status {
        version: env!("CARGO_PKG_VERSION").into(),
        pid: std::process::id(),
        started: time::rfc3339(time::nanoseconds(app.started)),
        uptime_seconds: app.started.elapsed().unwrap_or_default().as_secs(),
        ready: obstacle.is_none(),
        obstacle,
        kept_denials: app.recent.len(),
        kept_changes: app.changes.len(),
        denial_log,
        change_log,
        otlp: otlp(&state),
        agents,
        problems: guards
            .iter()
            .flat_map(|guard| guard.problems(now_ns))
            .collect(),
        guards: (&*guards).into(),
    };
    json::respond(&status)
}

fn otlp(state: &HttpState) -> Vec<OtlpStatus> {
    let destinations = state.destinations.iter();
    destinations
        .map(|(signal, endpoint)| {
            let metrics = state.metrics.otlp.of(*signal);
            OtlpStatus {
                signal: signal.as_str().to_owned(),
                endpoint: endpoint.clone(),
                exported: metrics.exported.get(),
                dropped: metrics.dropped.get(),
                queued: u64::try_from(metrics.queued.get()).unwrap_or_default(),
            }
        })
        .collect()
}

/// `GET /api/v1/latency`
pub(super) async fn latency(
    State(state): State<HttpState>,
    parameters: Parameters,
) -> Result<Response, BadRequest> {
    let query = parameters.latency()?;
    let now = Instant::now();
    if query.as_text {
        let span = query.span.unwrap_or(Span::SinceStart);
        let latencies = state.app.activity().latencies(now, span);
        let selected = latencies.together(|operation, verdict| {
            query.operation.is_none_or(|wanted| wanted == operation)
                && query.verdict.is_none_or(|wanted| wanted == verdict)
        });
        let text = percentiles::distribution(&selected);
        return Ok(([(header::CONTENT_TYPE, TEXT)], text).into_response());
    }
    let spans = Span::ALL.into_iter();
    let spans = spans.filter(|span| query.span.is_none_or(|wanted| wanted == *span));
    let spans = spans.map(|span| {
        let latencies = state.app.activity().latencies(now, span);
        let mut series = latencies.percentiles();
        series.retain(|row| {
            query
                .operation
                .is_none_or(|wanted| wanted.as_str() == row.operation)
                && query
                    .verdict
                    .is_none_or(|wanted| wanted.as_str() == row.verdict)
        });
        LatencySpan {
            span: span.name().into(),
            series,
        }
    });
    let latency = Latencies {
        spans: spans.collect(),
    };
    Ok(json::respond(&latency))
}

/// `GET /api/v1/openapi.json`
pub(super) async fn openapi() -> impl IntoResponse {
    let description = OPENAPI.replace("VERSION", env!("CARGO_PKG_VERSION"));
    ([(header::CONTENT_TYPE, json::CONTENT_TYPE)], description)
}

const TEXT: &str = "text/plain; charset=utf-8";
