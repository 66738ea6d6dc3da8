//! The exporter's HTTP server, on loopback, read-only.
//!
//! | endpoint | answer |
//! |---|---|
//! | `GET /` | this table, as text |
//! | `GET /metrics` | Prometheus text format 0.0.4 |
//! | `GET /-/healthy` | 200 while the process runs |
//! | `GET /-/ready` | 200 once the rings were drained and while the denial log can be written; else 503 and why |
//!
//! `HEAD` works wherever `GET` does; any other method is 405, a host that is not loopback 403.
//!
//! It deliberately has no authentication: who may connect to this user's loopback may see counts,
//! and counts hold no path. It takes no command.

mod connections;
mod host_guard;

pub use connections::{HEAD_TIMEOUT, MAX_CONNECTIONS, MAX_HEAD_BYTES, MAX_HEADERS, serve};

use crate::health::Health;
use crate::metrics::{self, Metrics};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware::from_fn;
use axum::response::IntoResponse;
use axum::routing::get;
use std::sync::Arc;

/// What the endpoints show.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What `/metrics` tells.
    pub metrics: Metrics,
    /// What `/-/ready` tells.
    pub health: Arc<Health>,
}

/// The endpoints, behind the host guard.
pub fn router(shown: Shown) -> Router {
    Router::new()
        .route("/", get(async || INDEX))
        .route("/metrics", get(scrape))
        .route("/-/healthy", get(async || "healthy\n"))
        .route("/-/ready", get(ready))
        .with_state(shown)
        .layer(from_fn(host_guard::host_guard))
}

async fn scrape(State(shown): State<Shown>) -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, metrics::CONTENT_TYPE)],
        shown.metrics.encode(),
    )
}

async fn ready(State(shown): State<Shown>) -> impl IntoResponse {
    match shown.health.obstacle() {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(obstacle) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("not ready: {obstacle}\n"),
        ),
    }
}

const INDEX: &str = "\
guard-exporter: what the guards on this machine decide

/metrics     Prometheus text format
/-/healthy   200 while this process runs
/-/ready     200 when rings are drained and the denial log can be written
";
