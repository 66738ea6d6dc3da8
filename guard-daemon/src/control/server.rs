//! The thread that serves a session's control socket.
//!
//! One thread, no waiting for anybody: connections are polled, one line each, and those that take too
//! long are closed. It runs with less of the processor than the threads that answer the kernel.

use super::connection::{Connection, Progress};
use super::desk::Desk;
use super::peer::{Peer, Standing, may_ask};
use guard_control::protocol::{Answer, Order};
use guard_core::guard::SharedGuard;
use guard_report::directories::{DirectoryError, make_private};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt;
use rustix::process::setpriority_process;
use rustix::thread::gettid;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Instant;

/// Why a session has no control socket.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartControlError {
    /// Its directory is not safe.
    #[error("preparing the directory of the control socket")]
    Directory(#[from] DirectoryError),
    /// The socket cannot be made.
    #[error("making the control socket {}", path.display())]
    Socket {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No thread can be started.
    #[error("starting the control thread")]
    Thread(#[source] io::Error),
}

/// The socket of a session, which goes with this.
#[derive(Debug)]
pub(crate) struct ControlSocket {
    path: PathBuf,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread works with.
struct Server {
    listener: UnixListener,
    guard: SharedGuard,
    desk: Desk,
    connections: Vec<Connection>,
    /// How many lines each user's processes were answered in the current second.
    answered: HashMap<u32, u32>,
    second: Instant,
}

/// Starts serving in `directory`.
///
/// # Errors
///
/// [`StartControlError`]
pub(crate) fn start(
    directory: &Path,
    session: &str,
    guard: SharedGuard,
    desk: Desk,
) -> Result<ControlSocket, StartControlError> {
    make_private(directory)?;
    let path = directory.join(format!("{session}.sock"));
    let listener = UnixListener::bind(&path)
        .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
        // Inherited by what is accepted: set only then, the kernel would not name who sent a line
        // between accepting and setting.
        .and_then(|listener| {
            sockopt::set_socket_passcred(&listener, true)?;
            Ok(listener)
        })
        .map_err(|source| StartControlError::Socket {
            path: path.clone(),
            source,
        })?;
    let server = Server {
        listener,
        guard,
        desk,
        connections: Vec::new(),
        answered: HashMap::new(),
        second: Instant::now(),
    };
    let over = Arc::new(AtomicBool::new(false));
    let is_over = Arc::clone(&over);
    let thread = thread::Builder::new()
        .name("guard-control".into())
        .spawn(move || server.serve(&is_over))
        .map_err(StartControlError::Thread)?;
    Ok(ControlSocket {
        path,
        over,
        thread: Some(thread),
    })
}

// === impl Drop for ControlSocket ===

impl Drop for ControlSocket {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        // The thread may be waiting for a connection.
        let _gone = UnixStream::connect(&self.path);
        // The grants end with the thread.
        let _panicked = self.thread.take().map(JoinHandle::join);
        // One that stays refuses connections, and is removed by the next guard of its name.
        let _stays = fs::remove_file(&self.path);
    }
}

// === impl Server ===

impl Server {
    fn serve(mut self, is_over: &AtomicBool) {
        let _unnamed = rustix::thread::set_name(c"guard-control");
        // Of this thread alone, as Linux has it.
        let _as_before = setpriority_process(Some(gettid()), LESS);
        while !is_over.load(Ordering::Acquire) {
            self.wait();
            self.accept();
            self.receive();
            self.desk.tick(&self.guard);
        }
        self.desk.end(&self.guard);
    }

    /// Waits for something to come, or for a moment.
    fn wait(&self) {
        let mut polled = vec![PollFd::new(&self.listener, PollFlags::IN)];
        polled.extend(
            self.connections
                .iter()
                .map(|connection| PollFd::new(connection, PollFlags::IN)),
        );
        let is_idle = self.connections.is_empty() && !self.desk.has_grants();
        let interval = if is_idle { IDLE } else { TICK };
        let _interrupted = poll(&mut polled, Some(&interval));
    }

    fn accept(&mut self) {
        while self.connections.len() < MAX_CONNECTIONS
            && let Ok((stream, _)) = self.listener.accept()
        {
            if let Ok(connection) = Connection::new(stream)
                && connection.peers().iter().all(|peer| may_ask(peer.uid))
            {
                self.connections.push(connection);
            }
        }
    }

    fn receive(&mut self) {
        for mut connection in std::mem::take(&mut self.connections) {
            match connection.receive() {
                Progress::Complete => {
                    let answer = self.answer(&connection);
                    let mut line = serde_json::to_vec(&answer).unwrap_or_default();
                    line.push(b'\n');
                    connection.answer(&line);
                }
                Progress::Waiting if !connection.is_late() => self.connections.push(connection),
                Progress::Waiting | Progress::Broken => {}
            }
        }
    }

    fn answer(&mut self, connection: &Connection) -> Answer {
        let refused = |why: &str| Answer::Refused {
            why: why.to_owned(),
        };
        let Ok(order) = serde_json::from_slice::<Order>(connection.line()) else {
            return refused("this guard does not understand the line");
        };
        let first = connection.peers().first().copied();
        let Some(first) = first.filter(|peer| self.is_within_rate(*peer)) else {
            return refused("too much is asked of this guard; try again in a second");
        };
        let peers = connection.peers().iter();
        let standing = Standing::of_all(peers.map(|&peer| Standing::of(peer, &self.guard)));
        self.desk.answer(order, first, &standing, &self.guard)
    }

    /// Whether a process may be answered now. Each process has its share, so that one that asks
    /// without end does not keep a person from answering.
    fn is_within_rate(&mut self, peer: Peer) -> bool {
        if self.second.elapsed().as_secs() > 0 || self.answered.len() > MAX_COUNTED {
            self.second = Instant::now();
            self.answered.clear();
        }
        let count = self.answered.entry(peer.pid).or_default();
        *count += 1;
        *count <= MAX_IN_A_SECOND
    }
}

/// Connections at a time.
const MAX_CONNECTIONS: usize = 64;

/// Lines of one process that are answered within a second.
const MAX_IN_A_SECOND: u32 = 50;

/// Processes whose lines are counted within a second.
const MAX_COUNTED: usize = 1024;

/// How often is checked whether grants ended, and whether connections are late.
const TICK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};

/// How often is checked whether the session is over, if nobody can connect to say so.
const IDLE: Timespec = Timespec {
    tv_sec: 1,
    tv_nsec: 0,
};

/// A nice value.
const LESS: i32 = 10;
