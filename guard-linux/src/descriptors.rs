//! Waiting on descriptors, passing them between processes, and how many there may be.

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::{Errno, Result};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};

/// Waits until `fd` has one of `events`, an error or a hang-up, for `timeout_ms` at most, or without
/// end; returns what it has.
pub(crate) fn poll(
    fd: BorrowedFd<'_>,
    events: PollFlags,
    timeout_ms: Option<u16>,
) -> Result<PollFlags> {
    let timeout = timeout_ms.map(|timeout| Timespec {
        tv_sec: i64::from(timeout / 1000),
        tv_nsec: i64::from(timeout % 1000) * 1_000_000,
    });
    let mut entry = [PollFd::from_borrowed_fd(fd, events)];
    rustix::event::poll(&mut entry, timeout.as_ref())?;
    let [entry] = entry;
    Ok(entry.revents())
}

/// Sends one byte and a descriptor over a Unix socket.
pub(crate) fn send(socket: BorrowedFd<'_>, fd: BorrowedFd<'_>) -> Result<()> {
    let fds = [fd];
    let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut room);
    if !control.push(SendAncillaryMessage::ScmRights(&fds)) {
        return Err(Errno::NOBUFS);
    }
    let byte = [IoSlice::new(&[0])];
    rustix::net::sendmsg(socket, &byte, &mut control, SendFlags::NOSIGNAL).map(drop)
}

/// Receives what [`send`] sent.
///
/// # Errors
///
/// `EPIPE` when the other side is gone, `EBADMSG` when it sent something else.
pub(crate) fn receive(socket: BorrowedFd<'_>) -> Result<OwnedFd> {
    let mut byte = [0u8; 1];
    let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut room);
    let received = rustix::net::recvmsg(
        socket,
        &mut [IoSliceMut::new(&mut byte)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    if received.bytes == 0 {
        return Err(Errno::PIPE);
    }
    let mut rights = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(fds) => Some(fds),
        _ => None,
    });
    let fd = rights.next().and_then(|mut fds| fds.next());
    fd.ok_or(Errno::BADMSG)
}

/// How many descriptors this process may have.
pub(crate) fn limit() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Asks for as many descriptors as this process may ask for.
pub(crate) fn raise_limit() -> Result<()> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::os::fd::AsFd as _;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_descriptor_passes_through_a_socket() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (inner, passed) = UnixStream::pair().unwrap();
        send(ours.as_fd(), passed.as_fd()).unwrap();
        drop(passed);
        let mut received = UnixStream::from(receive(theirs.as_fd()).unwrap());
        (&inner).write_all(b"x").unwrap();
        let mut byte = [0u8];
        received.read_exact(&mut byte).unwrap();
        assert_eq!(&byte, b"x");
        drop(ours);
        assert_eq!(receive(theirs.as_fd()).unwrap_err(), Errno::PIPE);
    }

    #[test]
    fn polling_says_what_a_descriptor_has() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let ready = || poll(theirs.as_fd(), PollFlags::IN, Some(0));
        assert_eq!(ready(), Ok(PollFlags::empty()));
        (&ours).write_all(b"x").unwrap();
        assert_eq!(ready(), Ok(PollFlags::IN));
        drop(ours);
        assert!(ready().unwrap().contains(PollFlags::HUP));
    }
}
