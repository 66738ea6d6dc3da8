//! Encoded metrics for a moment, and how many scrapes are answered at the same time.
//!
//! Encoding a thousand series takes about a millisecond, so an encoded text is used again for
//! [`MAX_AGE`]: however many clients scrape, and however often, the reading thread keeps its
//! processor.

use crate::metrics::Metrics;
use crate::metrics::exposition::Format;
use axum::body::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How old a text may be. No scrape interval is that short.
const MAX_AGE: Duration = Duration::from_millis(10);

/// The latest text of each format, and the free slots. A clone is the same.
#[derive(Clone, Debug)]
pub struct ScrapeCache {
    latest: Arc<Mutex<[Option<Scrape>; Format::ALL.len()]>>,
    slots: Arc<Semaphore>,
}

#[derive(Debug)]
struct Scrape {
    taken: Instant,
    text: Bytes,
    /// Made when it is first asked for.
    gzip: Option<Bytes>,
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

    /// The metrics in `format`, compressed if `gzip`, at most [`MAX_AGE`] old.
    pub(super) fn get(&self, format: Format, gzip: bool, metrics: &Metrics, now: Instant) -> Bytes {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let latest = &mut latest[format as usize];
        let is_fresh = |scrape: &Scrape| now.saturating_duration_since(scrape.taken) < MAX_AGE;
        let scrape = match latest {
            Some(scrape) if is_fresh(scrape) => scrape,
            _ => latest.insert(Scrape {
                taken: now,
                text: metrics.encode(format).into(),
                gzip: None,
            }),
        };
        if gzip {
            let text = &scrape.text;
            scrape.gzip.get_or_insert_with(|| compressed(text)).clone()
        } else {
            scrape.text.clone()
        }
    }
}

fn compressed(text: &[u8]) -> Bytes {
    // The fastest level shrinks it to a tenth.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).expect(NO_FAILURE);
    encoder.finish().expect(NO_FAILURE).into()
}

const NO_FAILURE: &str = "writing to memory does not fail";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_used_again_for_a_moment_only() {
        let metrics = Metrics::new();
        let scrapes = ScrapeCache::new(0);
        let start = Instant::now();
        let has_failure = |format, after: Duration| {
            let text = scrapes.get(format, false, &metrics, start + after);
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
