//! Serving a guard's control socket.
//!
//! One thread, no waiting for anybody: connections are polled, one line each, and those that take too
//! long are closed. The thread is the caller's, which gives it a [turn](Server::turn) again and again.

use super::connection::{Connection, Progress};
use super::desk::Desk;
use super::peer::Peer;
use super::platform;
use super::standing::{Standing, may_ask};
use crate::policy_watch::InForce;
use guard_control::protocol::{Answer, Order};
use guard_report::directories::{DirectoryError, make_private, make_readable};
use guard_report::paths::{Account, StatePaths};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::HashMap;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Why a guard has no control socket.
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
    #[cfg(target_os = "linux")]
    #[error("starting the control thread")]
    Thread(#[source] io::Error),
}

/// A control socket, which goes with this.
#[derive(Debug)]
pub(crate) struct Server {
    path: PathBuf,
    listener: UnixListener,
    desk: Desk,
    /// Whom root guards.
    protected: Option<Account>,
    connections: Vec<Connection>,
    /// How many lines each process was answered in the current second.
    answered: HashMap<u32, u32>,
    second: Instant,
}

// === impl Server ===

impl Server {
    /// Begins to listen for those who may ask the guard of `session`.
    ///
    /// # Errors
    ///
    /// [`StartControlError`]
    pub(crate) fn listen(
        paths: &StatePaths,
        session: &str,
        desk: Desk,
    ) -> Result<Self, StartControlError> {
        let directory = paths.control_directory();
        match paths.protected {
            None => make_private(&directory)?,
            Some(_) => make_readable(&directory)?,
        }
        let path = directory.join(format!("{session}.sock"));
        let listener =
            bind(&path, paths.protected).map_err(|source| StartControlError::Socket {
                path: path.clone(),
                source,
            })?;
        Ok(Self {
            path,
            listener,
            desk,
            protected: paths.protected,
            connections: Vec::new(),
            answered: HashMap::new(),
            second: Instant::now(),
        })
    }

    /// Where it listens.
    #[cfg(target_os = "linux")]
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How long a turn may wait: whether grants ended, and whether connections are late, is not to be
    /// found late.
    #[cfg(target_os = "linux")]
    pub(super) const fn patience(&self) -> Duration {
        if self.connections.is_empty() && !self.desk.has_grants() {
            IDLE
        } else {
            TICK
        }
    }

    /// Waits at most `most` for something to come, answers what is there, and ends the grants whose
    /// time has come.
    pub(crate) fn turn(&mut self, backend: &impl InForce, most: Duration) {
        self.wait(most);
        self.accept();
        self.receive(backend);
        self.desk.tick(backend);
    }

    /// The guard ends: nobody answers any more, and what was granted ends.
    pub(crate) fn end(&mut self, backend: &impl InForce) {
        self.desk.end(backend);
    }

    fn wait(&self, most: Duration) {
        let mut polled = vec![PollFd::new(&self.listener, PollFlags::IN)];
        polled.extend(
            self.connections
                .iter()
                .map(|connection| PollFd::new(connection, PollFlags::IN)),
        );
        let most = Timespec::try_from(most).ok();
        let _interrupted = poll(&mut polled, most.as_ref());
    }

    fn accept(&mut self) {
        while self.connections.len() < MAX_CONNECTIONS
            && let Ok((stream, _)) = self.listener.accept()
        {
            if let Ok(connection) = Connection::new(stream)
                && connection
                    .peers()
                    .iter()
                    .all(|peer| may_ask(peer.uid, self.protected))
            {
                self.connections.push(connection);
            }
        }
    }

    fn receive(&mut self, backend: &impl InForce) {
        for mut connection in std::mem::take(&mut self.connections) {
            match connection.receive() {
                Progress::Complete => {
                    let answer = self.answer(&connection, backend);
                    let mut line = serde_json::to_vec(&answer).unwrap_or_default();
                    line.push(b'\n');
                    connection.answer(&line);
                }
                Progress::Waiting if !connection.is_late() => self.connections.push(connection),
                Progress::Waiting | Progress::Broken => {}
            }
        }
    }

    fn answer(&mut self, connection: &Connection, backend: &impl InForce) -> Answer {
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
        let of = |&peer: &Peer| Standing::of(peer, backend.guard(), self.protected);
        let standing = Standing::of_all(peers.map(of));
        self.desk.answer(order, first, &standing, backend)
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

// === impl Drop for Server ===

impl Drop for Server {
    fn drop(&mut self) {
        // One that stays refuses connections, and is removed by the next guard of its name.
        let _stays = fs::remove_file(&self.path);
    }
}

/// Where root guards somebody else, they have to be able to connect; who they are is checked then.
fn bind(path: &Path, protected: Option<Account>) -> io::Result<UnixListener> {
    let listener = UnixListener::bind(path)?;
    listener.set_nonblocking(true)?;
    // Inherited by what is accepted: set only then, the kernel would not name who sent a line
    // between accepting and setting.
    platform::name_senders(&listener)?;
    if protected.is_some() {
        fs::set_permissions(path, Permissions::from_mode(0o666))?;
    }
    Ok(listener)
}

/// Connections at a time.
const MAX_CONNECTIONS: usize = 64;

/// Lines of one process that are answered within a second.
const MAX_IN_A_SECOND: u32 = 50;

/// Processes whose lines are counted within a second.
const MAX_COUNTED: usize = 1024;

/// How often is checked whether grants ended, and whether connections are late.
#[cfg(target_os = "linux")]
const TICK: Duration = Duration::from_millis(100);

/// How often is checked whether the session is over, if nobody can connect to say so.
#[cfg(target_os = "linux")]
const IDLE: Duration = Duration::from_secs(1);
