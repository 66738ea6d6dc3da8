//! Serving connections so that no client can harm another.
//!
//! A request's head must arrive within [`HEAD_TIMEOUT`] and fit [`MAX_HEAD_BYTES`] and
//! [`MAX_HEADERS`]; an idle connection is closed after the same time. An answer must be read, see
//! [`patience`](super::patience). At [`MAX_CONNECTIONS`] one gives way to a new one: the oldest that
//! has not got any answer yet, or else the oldest, so that a crowd of slow clients keeps nobody out
//! and ends no one's events.

use super::patience::Patient;
use super::peer::Peer;
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

/// Concurrent connections; a scraper or two and some people need fewer.
pub const MAX_CONNECTIONS: usize = 64;
/// Time for a request's head to arrive.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of a request's head.
pub const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Headers of a request.
pub const MAX_HEADERS: usize = 64;

/// Open connections, oldest first.
struct Open {
    connections: VecDeque<Connection>,
    metrics: ConnectionMetrics,
}

struct Connection {
    task: AbortHandle,
    is_served: Arc<AtomicBool>,
}

/// Counts a connection for as long as it lives, however it ends.
struct Counted(ConnectionMetrics);

/// Serves `router` on `listener` until dropped.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    metrics: &ConnectionMetrics,
) -> Infallible {
    let mut open = Open {
        connections: VecDeque::with_capacity(MAX_CONNECTIONS),
        metrics: metrics.clone(),
    };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Else an answer's end waits until the client acknowledges its beginning.
                drop(stream.set_nodelay(true));
                open.add(stream, router.clone());
            }
            // Out of descriptors, or the client is gone already: give others time to close.
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
        // Gone again already, when the system does not know its ends.
        let Ok(peer) = Peer::of(&stream) else { return };
        let stream = Patient::new(stream, Arc::clone(&is_served), self.metrics.clone());
        let task = tokio::spawn(async move {
            let _counted = counted;
            serve_one(stream, peer, router).await;
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
        if let Some(one) = self.connections.remove(unserved.unwrap_or(0)) {
            one.task.abort();
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

async fn serve_one(stream: Patient, peer: Peer, router: Router) {
    let router = TowerToHyperService::new(router);
    let told_whose = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        router.call(request)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), told_whose)
        .await;
    // A client's broken connection concerns nobody else.
    drop(served);
}

const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
