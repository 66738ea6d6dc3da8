//! One connection: who opened it, who sent something over it, and the line so far.

use super::peer::Peer;
use guard_control::protocol::MAX_ORDER_BYTES;
use rustix::io::{Errno, IoSliceMut};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, recvmsg, send, sockopt,
};
use std::mem::MaybeUninit;
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
        sockopt::set_socket_passcred(&stream, true)?;
        let connected = sockopt::socket_peercred(&stream)?;
        let peer = Peer {
            pid: connected.pid.as_raw_pid().cast_unsigned(),
            uid: connected.uid.as_raw(),
        };
        Ok(Self {
            stream,
            peers: vec![peer],
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
        // No room for descriptors: what is passed is closed by the kernel.
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
        loop {
            let mut ancillary = RecvAncillaryBuffer::new(&mut space);
            let received = recvmsg(
                &self.stream,
                &mut [IoSliceMut::new(&mut chunk)],
                &mut ancillary,
                RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC,
            );
            let length = match received {
                Ok(message) => message.bytes,
                Err(Errno::AGAIN) => return Progress::Waiting,
                Err(Errno::INTR) => continue,
                Err(_) => return Progress::Broken,
            };
            if length == 0 {
                return Progress::Broken;
            }
            let sender = ancillary.drain().find_map(|message| match message {
                RecvAncillaryMessage::ScmCredentials(sender) => Some(Peer {
                    pid: sender.pid.as_raw_pid().cast_unsigned(),
                    uid: sender.uid.as_raw(),
                }),
                _ => None,
            });
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
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        // Who does not read it can ask again.
        let _unread = send(&self.stream, line, flags);
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
