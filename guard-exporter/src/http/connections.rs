//! Serving connections so that no client can harm another.
//!
//! A request's head must arrive within [`HEAD_TIMEOUT`] and fit [`MAX_HEAD_BYTES`] and
//! [`MAX_HEADERS`]; an idle connection is closed after the same time. At [`MAX_CONNECTIONS`] the
//! oldest gives way to a new one: a crowd of slow clients keeps nobody out.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::collections::VecDeque;
use std::convert::Infallible;
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

/// Serves `router` on `listener` until dropped.
pub async fn serve(listener: TcpListener, router: Router) -> Infallible {
    let mut open = VecDeque::with_capacity(MAX_CONNECTIONS);
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                make_room(&mut open);
                open.push_back(tokio::spawn(serve_one(stream, router.clone())).abort_handle());
            }
            // Out of descriptors, or the client is gone already: give others time to close.
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

fn make_room(open: &mut VecDeque<AbortHandle>) {
    open.retain(|connection| !connection.is_finished());
    if open.len() >= MAX_CONNECTIONS
        && let Some(oldest) = open.pop_front()
    {
        oldest.abort();
    }
}

async fn serve_one(stream: TcpStream, router: Router) {
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .await;
    // A client's broken connection concerns nobody else.
    drop(served);
}

const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
