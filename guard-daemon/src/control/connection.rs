//! One connection: who opened it, who sent something over it, and the line so far.

use super::peer::Peer;
use super::platform;
use guard_control::protocol::MAX_ORDER_BYTES;
use rustix::io::Errno;
use rustix::net::send;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// A connection that has not sent its line yet.
#[derive(Debug)]
pub(super) struct Connection {
    stream: UnixStream,
    /// The process that connected, then those that sent something.
    peers: Vec<Peer>,
    received: Vec<u8>,
    opened: Instant,
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// More is to come.
    Waiting,
    /// The line is there.
    Complete,
    /// There will be no line.
    Broken,
}

// === impl Connection ===

impl Connection {
    /// Of a stream that was just accepted. From now on the kernel names who sends.
    pub(super) fn new(stream: UnixStream) -> rustix::io::Result<Self> {
        platform::name_senders(&stream)?;
        Ok(Self {
            peers: vec![platform::connected(&stream)?],
            stream,
            received: Vec::new(),
            opened: Instant::now(),
        })
    }

    /// The processes that have a part in it; the first connected.
    pub(super) fn peers(&self) -> &[Peer] {
        &self.peers
    }

    /// The line, without its end.
    pub(super) fn line(&self) -> &[u8] {
        let mut lines = self.received.split(|&byte| byte == b'\n');
        lines.next().unwrap_or_default()
    }

    /// Whether it took too long.
    pub(super) fn is_late(&self) -> bool {
        self.opened.elapsed() >= PATIENCE
    }

    /// Receives what is there. Never waits.
    pub(super) fn receive(&mut self) -> Progress {
        let mut chunk = [0; 4096];
        loop {
            let (length, sender) = match platform::receive(&self.stream, &mut chunk) {
                Ok(received) => received,
                Err(Errno::AGAIN) => return Progress::Waiting,
                Err(Errno::INTR) => continue,
                Err(_) => return Progress::Broken,
            };
            if length == 0 {
                return Progress::Broken;
            }
            let sender = sender.unwrap_or(NOBODY);
            if !self.peers.contains(&sender) {
                self.peers.push(sender);
            }
            self.received
                .extend_from_slice(chunk.get(..length).unwrap_or_default());
            if self.peers.len() > MAX_PEERS || self.received.len() > MAX_ORDER_BYTES {
                return Progress::Broken;
            }
            if self.received.contains(&b'\n') {
                return Progress::Complete;
            }
        }
    }

    /// Sends the answer, if whoever asked left room for it.
    pub(super) fn answer(&self, line: &[u8]) {
        // Who does not read it can ask again.
        let _unread = send(&self.stream, line, platform::SEND);
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// Somebody whom the kernel does not name.
const NOBODY: Peer = Peer {
    pid: 0,
    uid: u32::MAX,
};

/// Processes that have a part in one line at most.
const MAX_PEERS: usize = 4;

/// How long a line may take.
const PATIENCE: Duration = Duration::from_secs(2);
