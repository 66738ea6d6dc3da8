//! A connection that fails when its client does not read.
//!
//! What a client does not read fills the system's buffers, and then writes wait. When nothing could be
//! written for the time-out, the connection ends with an error.

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

/// A stream whose writes time out.
#[derive(Debug)]
pub(super) struct WriteTimeoutStream {
    stream: TcpStream,
    timeout: Duration,
    /// Runs while a write waits.
    sleep: Option<Pin<Box<Sleep>>>,
    /// Whether anything was written yet; shared with the accepting task.
    is_served: Arc<AtomicBool>,
    metrics: ConnectionMetrics,
}

// === impl WriteTimeoutStream ===

impl WriteTimeoutStream {
    pub(super) fn new(
        stream: TcpStream,
        timeout: Duration,
        is_served: Arc<AtomicBool>,
        metrics: ConnectionMetrics,
    ) -> Self {
        Self {
            stream,
            timeout,
            sleep: None,
            is_served,
            metrics,
        }
    }

    /// Passes on the result of a write, or fails when it has waited too long.
    fn check(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.sleep = None;
            // Only a hint which connection to close first, so relaxed ordering is enough.
            self.is_served.store(true, Ordering::Relaxed);
            return written;
        }
        let timeout = self.timeout;
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        if sleep.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.metrics.stalled.inc();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for WriteTimeoutStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for WriteTimeoutStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.check(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.check(written, context)
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
