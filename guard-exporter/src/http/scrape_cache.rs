//! Encoded metrics for a moment, and how many scrapes are answered at the same time.
//!
//! Encoding a thousand series takes about a millisecond, so an encoded text is used again for
//! [`MAX_AGE`]: however many clients scrape, and however often, the reading thread keeps its
//! processor.

use crate::metrics::{self, Metrics, openmetrics};
use axum::body::Bytes;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How old a text may be. No scrape interval is that short.
const MAX_AGE: Duration = Duration::from_millis(10);

/// The latest text of each format, and the free slots. A clone is the same.
#[derive(Clone, Debug)]
pub struct ScrapeCache {
    latest: Arc<Mutex<[Option<Scrape>; 2]>>,
    slots: Arc<Semaphore>,
}

#[derive(Debug)]
struct Scrape {
    taken: Instant,
    text: Bytes,
}

/// The exposition format.
#[derive(Clone, Copy, Debug)]
pub(super) enum Format {
    Text,
    OpenMetrics,
}

// === impl ScrapeCache ===

impl ScrapeCache {
    /// Answers at most `max_requests` at the same time; 0 sets no limit.
    #[must_use]
    pub fn new(max_requests: u32) -> Self {
        let slots = match max_requests {
            0 => Semaphore::MAX_PERMITS,
            limit => usize::try_from(limit).unwrap_or(usize::MAX),
        };
        Self {
            latest: Arc::default(),
            slots: Arc::new(Semaphore::new(slots.min(Semaphore::MAX_PERMITS))),
        }
    }

    /// A slot for one scrape; `None` while all are taken.
    pub(super) fn slot(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.slots).try_acquire_owned().ok()
    }

    /// The metrics in `format`, at most [`MAX_AGE`] old.
    pub(super) fn get(&self, format: Format, metrics: &Metrics, now: Instant) -> Bytes {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
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
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Text => metrics::CONTENT_TYPE,
            Self::OpenMetrics => openmetrics::CONTENT_TYPE,
        }
    }

    fn encode(self, metrics: &Metrics) -> String {
        match self {
            Self::Text => metrics.encode(),
            Self::OpenMetrics => metrics.encode_openmetrics(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_used_again_for_a_moment_only() {
        let metrics = Metrics::new();
        let scrapes = ScrapeCache::new(0);
        let start = Instant::now();
        let has_failure = |format, after: Duration| {
            let text = scrapes.get(format, &metrics, start + after);
            let text = String::from_utf8(text.to_vec()).unwrap();
            text.contains("guard_exporter_bind_failures_total 1")
        };
        assert!(!has_failure(Format::Text, Duration::ZERO));
        metrics.exporter.bind_failures.inc();
        assert!(!has_failure(
            Format::Text,
            MAX_AGE - Duration::from_nanos(1)
        ));
        assert!(
            has_failure(Format::OpenMetrics, Duration::ZERO),
            "each format is kept by itself"
        );
        assert!(has_failure(Format::Text, MAX_AGE));
    }
}
