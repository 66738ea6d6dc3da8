//! `/metrics`: what a scrape gets.
//!
//! Writing a thousand series takes about a millisecond, so a text is handed out again for
//! [`MAX_AGE`]: however many scrape, and however often, the reading thread keeps its processor.

use super::Shown;
use crate::metrics::{self, Metrics, openmetrics};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How old an answer may be. Nobody scrapes that often on purpose.
const MAX_AGE: Duration = Duration::from_millis(10);

/// The latest text of each format. A clone is the same.
#[derive(Clone, Debug, Default)]
pub struct Scrapes(Arc<Mutex<[Option<Scrape>; 2]>>);

#[derive(Debug)]
struct Scrape {
    taken: Instant,
    text: Bytes,
}

#[derive(Clone, Copy)]
enum Format {
    Text,
    OpenMetrics,
}

/// `GET /metrics`
pub(super) async fn scrape(State(shown): State<Shown>, headers: HeaderMap) -> impl IntoResponse {
    let accepted = headers.get_all(header::ACCEPT).iter();
    let mut accepted = accepted.filter_map(|accept| accept.to_str().ok());
    let format = if accepted.any(openmetrics::is_preferred) {
        Format::OpenMetrics
    } else {
        Format::Text
    };
    let text = shown.scrapes.get(format, &shown.metrics, Instant::now());
    ([(header::CONTENT_TYPE, format.content_type())], text)
}

// === impl Scrapes ===

impl Scrapes {
    fn get(&self, format: Format, metrics: &Metrics, now: Instant) -> Bytes {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let latest = &mut latest[format as usize];
        if let Some(scrape) = latest
            && now.saturating_duration_since(scrape.taken) < MAX_AGE
        {
            return scrape.text.clone();
        }
        let text = Bytes::from(format.encode(metrics));
        *latest = Some(Scrape {
            taken: now,
            text: text.clone(),
        });
        text
    }
}

// === impl Format ===

impl Format {
    fn encode(self, metrics: &Metrics) -> String {
        match self {
            Self::Text => metrics.encode(),
            Self::OpenMetrics => metrics.encode_openmetrics(),
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Text => metrics::CONTENT_TYPE,
            Self::OpenMetrics => openmetrics::CONTENT_TYPE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_handed_out_again_for_a_moment_only() {
        let metrics = Metrics::new();
        let scrapes = Scrapes::default();
        let start = Instant::now();
        let failures = |format, after: Duration| {
            let text = scrapes.get(format, &metrics, start + after);
            let text = String::from_utf8(text.to_vec()).unwrap();
            text.contains("guard_exporter_bind_failures_total 1")
        };
        assert!(!failures(Format::Text, Duration::ZERO));
        metrics.exporter.bind_failures.inc();
        assert!(!failures(Format::Text, MAX_AGE - Duration::from_nanos(1)));
        assert!(
            failures(Format::OpenMetrics, Duration::ZERO),
            "each format by itself"
        );
        assert!(failures(Format::Text, MAX_AGE));
    }
}
