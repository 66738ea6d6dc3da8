//! `/metrics`: answers a scrape.
//!
//! A scrape counts against `--web.max-requests` until its client has read the answer, or all but what
//! the kernel buffers of it; one scrape too many is answered 503.

use super::negotiation::{accepts_gzip, format};
use super::state::HttpState;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body::{Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::sync::OwnedSemaphorePermit;

/// An answer that is handed over in pieces, so that what is not sent yet does not count as sent.
#[derive(Debug)]
struct Pieces {
    rest: Bytes,
    /// Moves into the last piece.
    slot: Option<OwnedSemaphorePermit>,
}

/// The end of an answer. The server holds it until the kernel has all of it, and with it the slot.
#[derive(Debug)]
struct LastPiece {
    bytes: Bytes,
    _slot: Option<OwnedSemaphorePermit>,
}

/// `GET /metrics`
pub(super) async fn scrape(State(state): State<HttpState>, headers: HeaderMap) -> Response {
    let Some(slot) = state.scrapes.slot() else {
        return (StatusCode::SERVICE_UNAVAILABLE, BUSY).into_response();
    };
    let format = format(&headers);
    let gzip = accepts_gzip(&headers);
    let body = state
        .scrapes
        .get(format, gzip, &state.metrics, Instant::now());
    let mut head = HeaderMap::new();
    head.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(format.content_type()),
    );
    head.insert(
        header::VARY,
        HeaderValue::from_static("accept, accept-encoding"),
    );
    if gzip {
        head.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let pieces = Pieces {
        rest: body,
        slot: Some(slot),
    };
    (head, Body::new(pieces)).into_response()
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

const PIECE_BYTES: usize = 16 * 1024;

const BUSY: &str = "too many scrapes at the same time (--web.max-requests)\n";
