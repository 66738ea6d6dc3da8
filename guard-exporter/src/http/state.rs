//! What the handlers of all endpoints share.

use super::scrape_cache::Scrapes;
use crate::board::Board;
use crate::metrics::Metrics;
use std::sync::Arc;

/// Shared by all requests. A clone is the same.
#[derive(Clone, Debug)]
pub struct Shown {
    pub metrics: Metrics,
    pub scrapes: Scrapes,
    pub telemetry_path: Arc<str>,
    pub board: Arc<Board>,
}
