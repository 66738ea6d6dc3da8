//! A connection that does not wait for ever for its client to read.
//!
//! What a client does not read fills the system's buffers, and from then on its answer waits. When
//! nothing at all could be written for [`WRITE_TIMEOUT`] the connection ends with an error.

use crate::metrics::ConnectionMetrics;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

/// The longest that an answer waits for its client to read some of it.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(20);

/// A stream whose writes fail when they wait too long.
#[derive(Debug)]
pub(super) struct Patient {
    stream: TcpStream,
    /// Runs while a write waits.
    timeout: Option<Pin<Box<Sleep>>>,
    /// Whether anything was ever answered; told to the one who accepts connections.
    is_served: Arc<AtomicBool>,
    metrics: ConnectionMetrics,
}

// === impl Patient ===

impl Patient {
    pub(super) fn new(
        stream: TcpStream,
        is_served: Arc<AtomicBool>,
        metrics: ConnectionMetrics,
    ) -> Self {
        Self {
            stream,
            timeout: None,
            is_served,
            metrics,
        }
    }

    /// Takes the outcome of a write, and gives up when it has waited too long.
    fn judge(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.timeout = None;
            // Only a hint which connection to give up first, so nothing is ordered by it.
            self.is_served.store(true, Ordering::Relaxed);
            return written;
        }
        let timeout = self
            .timeout
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(WRITE_TIMEOUT)));
        if timeout.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.metrics.stalled.inc();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.judge(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
