//! `/metrics`: what a scrape gets.
//!
//! Writing a thousand series takes about a millisecond, so a text is handed out again for
//! [`MAX_AGE`]: however many scrape, and however often, the reading thread keeps its processor.
//!
//! A scrape counts against `--web.max-requests` until its client has taken the text, or all but what
//! the kernel holds of it; one too many is answered 503.

use super::Shown;
use crate::metrics::{self, Metrics, openmetrics};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body::{Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How old an answer may be. Nobody scrapes that often on purpose.
const MAX_AGE: Duration = Duration::from_millis(10);

/// The latest text of each format, and who is being told. A clone is the same.
#[derive(Clone, Debug)]
pub struct Scrapes {
    latest: Arc<Mutex<[Option<Scrape>; 2]>>,
    slots: Arc<Semaphore>,
}

/// A text on its way to a client, by pieces: what is not sent yet is not taken for sent.
#[derive(Debug)]
struct Pieces {
    rest: Bytes,
    /// Goes with the last piece.
    slot: Option<OwnedSemaphorePermit>,
}

/// The end of a text. Whoever sends it keeps it until the kernel has all of it, and with it the slot.
#[derive(Debug)]
struct LastPiece {
    bytes: Bytes,
    _slot: Option<OwnedSemaphorePermit>,
}

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
pub(super) async fn scrape(State(shown): State<Shown>, headers: HeaderMap) -> Response {
    let Some(slot) = shown.scrapes.slot() else {
        return (StatusCode::SERVICE_UNAVAILABLE, BUSY).into_response();
    };
    let accepted = headers.get_all(header::ACCEPT).iter();
    let mut accepted = accepted.filter_map(|accept| accept.to_str().ok());
    let format = if accepted.any(openmetrics::is_preferred) {
        Format::OpenMetrics
    } else {
        Format::Text
    };
    let text = shown.scrapes.get(format, &shown.metrics, Instant::now());
    let head = [(header::CONTENT_TYPE, format.content_type())];
    let pieces = Pieces {
        rest: text,
        slot: Some(slot),
    };
    (head, Body::new(pieces)).into_response()
}

// === impl Scrapes ===

impl Scrapes {
    /// Of which so many are answered at the same time; 0 for no limit.
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

    /// The right to be answered; `None` while too many are.
    fn slot(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.slots).try_acquire_owned().ok()
    }

    fn get(&self, format: Format, metrics: &Metrics, now: Instant) -> Bytes {
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

// === impl Pieces ===

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let size = self.rest.len().min(PIECE_BYTES);
        let mut piece = self.rest.split_to(size);
        if self.rest.is_empty() {
            piece = Bytes::from_owner(LastPiece {
                bytes: piece,
                _slot: self.slot.take(),
            });
        }
        Poll::Ready((size > 0).then(|| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

// === impl LastPiece ===

impl AsRef<[u8]> for LastPiece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
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

const PIECE_BYTES: usize = 16 * 1024;

const BUSY: &str = "too many scrapes at the same time (--web.max-requests)\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_handed_out_again_for_a_moment_only() {
        let metrics = Metrics::new();
        let scrapes = Scrapes::new(0);
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
