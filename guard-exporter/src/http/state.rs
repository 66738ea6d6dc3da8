//! What the handlers of all endpoints share.

use super::scrape_cache::ScrapeCache;
use crate::app_state::AppState;
use crate::metrics::Metrics;
use crate::metrics::catalogue::Signal;
use std::sync::Arc;

/// Shared by all requests. A clone is the same.
#[derive(Clone, Debug)]
pub struct HttpState {
    pub metrics: Metrics,
    pub scrapes: ScrapeCache,
    pub telemetry_path: Arc<str>,
    pub app: Arc<AppState>,
    /// Where each signal goes over OTLP, shown without secrets.
    pub destinations: Arc<[(Signal, Option<String>)]>,
}
