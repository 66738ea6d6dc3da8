//! What the control socket asks of Linux.
//!
//! The kernel names the process that connected (`SO_PEERCRED`) and, with each piece of data, the one
//! that sent it (`SCM_CREDENTIALS`).

use super::peer::Peer;
use rustix::io::{IoSliceMut, Result};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, UCred, recvmsg, sockopt,
};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;

pub(super) use guard_linux::procfs::{ProcFs as Processes, terminal_session};

/// Has the kernel name who sends something to this socket, and to what is accepted from it.
pub(super) fn name_senders(socket: impl AsFd) -> Result<()> {
    sockopt::set_socket_passcred(socket, true)
}

/// The process that connected.
pub(super) fn connected(socket: impl AsFd) -> Result<Peer> {
    Ok(peer(sockopt::socket_peercred(socket)?))
}

/// Receives what is there, and from whom; `None` if the kernel does not say. Never waits.
pub(super) fn receive(socket: impl AsFd, into: &mut [u8]) -> Result<(usize, Option<Peer>)> {
    // No room for descriptors: what is passed is closed by the kernel.
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(
        socket,
        &mut [IoSliceMut::new(into)],
        &mut ancillary,
        RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC,
    )?;
    let sender = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmCredentials(sender) => Some(peer(sender)),
        _ => None,
    });
    Ok((received.bytes, sender))
}

fn peer(credentials: UCred) -> Peer {
    Peer {
        pid: credentials.pid.as_raw_pid().cast_unsigned(),
        uid: credentials.uid.as_raw(),
    }
}

/// How an answer is sent: nobody waits, and a reader that is gone is no signal.
pub(super) const SEND: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);
