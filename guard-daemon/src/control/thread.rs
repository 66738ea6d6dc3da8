//! The thread that serves a session's control socket.
//!
//! It runs with less of the processor than the threads that answer the kernel.

use super::desk::Desk;
use super::server::{Server, StartControlError};
use guard_core::guard::SharedGuard;
use guard_report::paths::StatePaths;
use rustix::process::setpriority_process;
use rustix::thread::gettid;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

/// The socket of a session and its thread, which end with this.
#[derive(Debug)]
pub(crate) struct ControlThread {
    socket: PathBuf,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Starts serving.
///
/// # Errors
///
/// [`StartControlError`]
pub(crate) fn start(
    paths: &StatePaths,
    session: &str,
    guard: SharedGuard,
    desk: Desk,
) -> Result<ControlThread, StartControlError> {
    let server = Server::listen(paths, session, desk)?;
    let socket = server.path().to_owned();
    let over = Arc::new(AtomicBool::new(false));
    let is_over = Arc::clone(&over);
    let thread = thread::Builder::new()
        .name("guard-control".into())
        .spawn(move || serve(server, &guard, &is_over))
        .map_err(StartControlError::Thread)?;
    Ok(ControlThread {
        socket,
        over,
        thread: Some(thread),
    })
}

fn serve(mut server: Server, guard: &SharedGuard, is_over: &AtomicBool) {
    let _unnamed = rustix::thread::set_name(c"guard-control");
    // Of this thread alone, as Linux has it.
    let _as_before = setpriority_process(Some(gettid()), LESS);
    while !is_over.load(Ordering::Acquire) {
        server.turn(guard.as_ref(), server.patience());
    }
    server.end(guard.as_ref());
}

// === impl Drop for ControlThread ===

impl Drop for ControlThread {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        // The thread may be waiting for a connection.
        let _gone = UnixStream::connect(&self.socket);
        // The grants and the socket end with the thread.
        let _panicked = self.thread.take().map(JoinHandle::join);
    }
}

/// A nice value.
const LESS: i32 = 10;
