//! The exporter's HTTP server, on loopback, read-only.
//!
//! | endpoint | answer |
//! |---|---|
//! | `GET /` | a page for people |
//! | `GET /metrics` (`--web.telemetry-path`) | Prometheus text format 0.0.4, or OpenMetrics 1.0.0 if preferred; 503 beyond `--web.max-requests` |
//! | `GET /api/v1/denials` | the latest denials, newest first, by pages |
//! | `GET /api/v1/changes` | the latest changes of kept files, newest first, by pages |
//! | `GET /api/v1/requests` | the requests that wait for a person, and the latest steps of all |
//! | `GET /api/v1/denials/groups`, `GET /api/v1/changes/groups` | the same, as one what one command or burst was |
//! | `GET /api/v1/detections` | retry storms and mass deletions, newest first |
//! | `GET /api/v1/events` | server-sent events: denials and detections as they happen |
//! | `GET /api/v1/latency` | percentiles as JSON, or HdrHistogram's percentile distribution |
//! | `GET /api/v1/status` | the exporter, the guards and the decisions of each agent |
//! | `GET /api/v1/openapi.json` | the description of the API |
//! | `GET /-/healthy` | 200 while the process runs |
//! | `GET /-/ready` | 200 after the rings were drained and while the logs can be written; else 503 with the reason |
//!
//! `HEAD` works wherever `GET` does; any other method is 405, a host that is not loopback 403.
//!
//! It deliberately has no passwords: endpoints with paths or sessions are restricted to the exporter's
//! own user and root, whom the system identifies; counts and latencies are open to everyone on this
//! machine. It accepts no command.

mod api;
mod connections;
mod events;
mod host_guard;
mod json;
mod negotiation;
mod page;
mod peer;
mod query;
mod scrape;
mod scrape_cache;
mod state;
mod timeouts;
mod write_timeout;

pub use api::OPENAPI;
pub use connections::{MAX_CONNECTIONS, MAX_HEAD_BYTES, MAX_HEADERS, serve};
#[cfg(fuzzing)]
pub use query::limit_of;
pub use query::{DEFAULT_LIMIT, MAX_LIMIT};
pub use scrape_cache::ScrapeCache;
pub use state::HttpState;
pub use timeouts::Timeouts;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{from_fn, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// The endpoints, behind the host guard.
pub fn router(state: HttpState) -> Router {
    let own = Router::new()
        .route("/", get(page::page))
        .route("/api/v1/denials", get(api::denials))
        .route("/api/v1/changes", get(api::changes))
        .route("/api/v1/requests", get(api::requests))
        .route("/api/v1/denials/groups", get(api::denial_groups))
        .route("/api/v1/changes/groups", get(api::change_groups))
        .route("/api/v1/detections", get(api::detections))
        .route("/api/v1/events", get(events::events))
        .route("/api/v1/status", get(api::status))
        .route_layer(from_fn(peer::own_user_only));
    Router::new()
        .route("/page.css", get(page::style))
        .route("/page.js", get(page::script))
        .route("/icon.svg", get(page::icon))
        .route("/icon-new.svg", get(page::icon_new))
        .route(&state.telemetry_path.clone(), get(scrape::scrape))
        .route("/api/v1/latency", get(api::latency))
        .route("/api/v1/openapi.json", get(api::openapi))
        .route("/-/healthy", get(async || "healthy\n"))
        .route("/-/ready", get(ready))
        .merge(own)
        .fallback(async || (StatusCode::NOT_FOUND, NOTHING_HERE))
        .with_state(state)
        .layer(map_response(with_security_headers))
        .layer(from_fn(host_guard::host_guard))
}

async fn ready(State(state): State<HttpState>) -> impl IntoResponse {
    match state.app.health.obstacle() {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(obstacle) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("not ready: {obstacle}\n"),
        ),
    }
}

/// Adds headers by which browsers give no response to another site, and cache none.
async fn with_security_headers(mut response: Response) -> Response {
    for (name, value) in SECURITY_HEADERS {
        response
            .headers_mut()
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

const NOTHING_HERE: &str = "nothing is here; the page is at /, and names everything else\n";

const SECURITY_HEADERS: [(HeaderName, &str); 5] = [
    (header::CACHE_CONTROL, "no-store"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];
