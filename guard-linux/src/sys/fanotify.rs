//! Permission events of `fanotify(7)`: whoever opens a marked directory waits for an answer.

use super::result::check;
use rustix::io::{Errno, Result};
use std::ffi::CStr;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

/// Somebody waits for the answer whether a directory may be opened.
#[derive(Debug)]
pub(crate) struct OpenRequest {
    /// The process that waits; 0 when it is in another pid namespace.
    pub(crate) pid: u32,
    object: OwnedFd,
}

/// Makes a group whose members ask. Needs `CAP_SYS_ADMIN`.
///
/// # Errors
///
/// `EPERM` without it, `ENOSYS` and `EINVAL` on kernels without permission events.
pub(crate) fn open_group() -> Result<OwnedFd> {
    let flags = libc::FAN_CLASS_CONTENT | libc::FAN_CLOEXEC;
    let event_flags = libc::O_RDONLY | libc::O_CLOEXEC | libc::O_LARGEFILE;
    // SAFETY: it takes two numbers.
    let fd = unsafe { libc::fanotify_init(flags, event_flags.cast_unsigned()) };
    check(libc::c_long::from(fd))?;
    // SAFETY: checked above: the kernel has just made it, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// From now on who opens this directory, or what is directly in it, asks the group.
///
/// # Errors
///
/// The kernel's.
pub(crate) fn mark(group: BorrowedFd<'_>, dir: &CStr) -> Result<()> {
    let flags = libc::FAN_MARK_ADD | libc::FAN_MARK_ONLYDIR | libc::FAN_MARK_DONT_FOLLOW;
    let mask = libc::FAN_OPEN_PERM | libc::FAN_ONDIR | libc::FAN_EVENT_ON_CHILD;
    // SAFETY: `dir` is NUL-terminated and outlives the call, which keeps no pointer to it.
    let result = unsafe {
        libc::fanotify_mark(group.as_raw_fd(), flags, mask, libc::AT_FDCWD, dir.as_ptr())
    };
    check(libc::c_long::from(result)).map(drop)
}

/// Waits for requests.
///
/// # Errors
///
/// The kernel's, and `EPROTO` for events of another version.
pub(crate) fn read(group: BorrowedFd<'_>) -> Result<Vec<OpenRequest>> {
    let mut buffer = [0_u8; 4096];
    let length = rustix::io::read(group, &mut buffer)?;
    let mut rest = buffer.get(..length).unwrap_or_default();
    let mut requests = Vec::new();
    while let Some(event) = rest.get(..size_of::<libc::fanotify_event_metadata>()) {
        // SAFETY: `event` has that many bytes, and any bytes are a value of this struct of integers.
        let event: libc::fanotify_event_metadata =
            unsafe { std::ptr::read_unaligned(event.as_ptr().cast()) };
        if event.vers != libc::FANOTIFY_METADATA_VERSION || event.event_len == 0 {
            return Err(Errno::PROTO);
        }
        if event.fd >= 0 {
            requests.push(OpenRequest {
                pid: u32::try_from(event.pid).unwrap_or(0),
                // SAFETY: the kernel opened it for this event, and it is read once.
                object: unsafe { OwnedFd::from_raw_fd(event.fd) },
            });
        }
        let length = usize::try_from(event.event_len).unwrap_or(usize::MAX);
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(requests)
}

/// Answers a request. A refused open fails with `EPERM`.
///
/// # Errors
///
/// The kernel's.
pub(crate) fn answer(group: BorrowedFd<'_>, request: &OpenRequest, allow: bool) -> Result<()> {
    let response = libc::fanotify_response {
        fd: request.object.as_raw_fd(),
        response: if allow {
            libc::FAN_ALLOW
        } else {
            libc::FAN_DENY
        },
    };
    let fd = response.fd.to_ne_bytes();
    let answer = response.response.to_ne_bytes();
    rustix::io::write(group, &[fd, answer].concat()).map(drop)
}
