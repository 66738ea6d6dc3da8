//! Accepts and serves connections so that no client can harm another.
//!
//! The head of a request must arrive within a time-out and fit [`MAX_HEAD_BYTES`] and [`MAX_HEADERS`];
//! an idle connection is closed after the same time. A response must be read, see
//! [`write_timeout`](super::write_timeout). At [`MAX_CONNECTIONS`] an old connection is closed for a
//! new one: the oldest that has not got any response yet, or else the oldest, so that a crowd of slow
//! clients keeps nobody out and ends nobody's events.

use super::peer::Peer;
use super::timeouts::Timeouts;
use super::write_timeout::WriteTimeoutStream;
use crate::metrics::ConnectionMetrics;
use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// Concurrent connections; some scrapers and people need fewer.
pub const MAX_CONNECTIONS: usize = 64;
/// Bytes of a request's head.
pub const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Headers of a request.
pub const MAX_HEADERS: usize = 64;

/// Open connections, oldest first.
struct Open {
    connections: VecDeque<Connection>,
    timeouts: Timeouts,
    metrics: ConnectionMetrics,
}

struct Connection {
    task: AbortHandle,
    is_served: Arc<AtomicBool>,
}

/// Counts a connection as open until it is dropped.
struct Counted(ConnectionMetrics);

/// Serves `router` on `listener` until dropped.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    timeouts: Timeouts,
    metrics: &ConnectionMetrics,
) -> Infallible {
    let mut open = Open {
        connections: VecDeque::with_capacity(MAX_CONNECTIONS),
        timeouts,
        metrics: metrics.clone(),
    };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Otherwise the end of a response waits until the client acknowledges its beginning.
                drop(stream.set_nodelay(true));
                open.add(stream, router.clone());
            }
            // Out of descriptors, or the client has left already: let others close.
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

// === impl Open ===

impl Open {
    fn add(&mut self, stream: TcpStream, router: Router) {
        self.make_room();
        let is_served = Arc::new(AtomicBool::new(false));
        let counted = Counted::new(&self.metrics);
        // Closed already, when the system does not know its addresses.
        let Ok(peer) = Peer::of(&stream) else { return };
        let Timeouts { head, write } = self.timeouts;
        let metrics = self.metrics.clone();
        let stream = WriteTimeoutStream::new(stream, write, Arc::clone(&is_served), metrics);
        let task = tokio::spawn(async move {
            let _counted = counted;
            serve_connection(stream, head, peer, router).await;
        });
        self.connections.push_back(Connection {
            task: task.abort_handle(),
            is_served,
        });
    }

    fn make_room(&mut self) {
        self.connections
            .retain(|connection| !connection.task.is_finished());
        if self.connections.len() < MAX_CONNECTIONS {
            return;
        }
        let mut connections = self.connections.iter();
        let unserved =
            connections.position(|connection| !connection.is_served.load(Ordering::Relaxed));
        if let Some(connection) = self.connections.remove(unserved.unwrap_or(0)) {
            connection.task.abort();
            self.metrics.shed.inc();
        }
    }
}

// === impl Counted ===

impl Counted {
    fn new(metrics: &ConnectionMetrics) -> Self {
        metrics.open.inc();
        Self(metrics.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.open.dec();
    }
}

async fn serve_connection(
    stream: WriteTimeoutStream,
    head_timeout: Duration,
    peer: Peer,
    router: Router,
) {
    let router = TowerToHyperService::new(router);
    let with_peer = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        router.call(request)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), with_peer)
        .await;
    // A client's broken connection concerns nobody else.
    drop(served);
}

const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
