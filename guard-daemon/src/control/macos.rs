//! What the control socket asks of macOS.
//!
//! The kernel names the process that last used the other end of a socket (`LOCAL_PEERTOKEN`): asked
//! when somebody connects, and again with each piece of data.

use super::peer::Peer;
use guard_es::processes::{SocketPeer, socket_peer};
use rustix::io::{Errno, Result};
use rustix::net::{RecvFlags, SendFlags, recv};
use std::os::fd::AsFd;

pub(super) use guard_es::processes::{AnyUsers as Processes, terminal_session};

/// There is nothing to switch on.
pub(super) fn name_senders(_: impl AsFd) -> Result<()> {
    Ok(())
}

/// The process that connected.
pub(super) fn connected(socket: impl AsFd) -> Result<Peer> {
    let SocketPeer { pid, uid } = socket_peer(socket.as_fd())
        .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::NOTCONN))?;
    Ok(Peer { pid, uid })
}

/// Receives what is there, and from whom; `None` if the kernel does not say. Never waits.
pub(super) fn receive(socket: impl AsFd, into: &mut [u8]) -> Result<(usize, Option<Peer>)> {
    let (received, _) = recv(&socket, into, RecvFlags::DONTWAIT)?;
    Ok((received, connected(&socket).ok()))
}

/// How an answer is sent: nobody waits. This program ignores the signal of a reader that is gone.
pub(super) const SEND: SendFlags = SendFlags::DONTWAIT;
