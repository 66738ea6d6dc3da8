//! Installing a seccomp filter with a listener, and talking over it (`seccomp_unotify(2)`).

use super::result::check;
use rustix::io::{Errno, Result};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// A system call that waits for its answer.
pub(crate) type Notification = libc::seccomp_notif;

/// The answer to a call that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The caller's system call goes on in the kernel.
    Continue,
    /// The caller gets this result, without the kernel doing anything.
    Return(i64),
    /// The caller gets this errno.
    Fail(Errno),
}

/// Installs `program` on the calling thread and returns the listener.
///
/// `wait_killable` asks for `SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV` (Linux 5.19).
pub(crate) fn install(program: &[libc::sock_filter], wait_killable: bool) -> Result<OwnedFd> {
    let length = u16::try_from(program.len()).map_err(|_| Errno::INVAL)?;
    let fprog = libc::sock_fprog {
        len: length,
        filter: program.as_ptr().cast_mut(),
    };
    let mut flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    if wait_killable {
        flags |= libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    }
    // SAFETY: `fprog` describes `program`, which the kernel only reads during the call.
    let fd = check(unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            flags,
            &raw const fprog,
        )
    })?;
    let fd = i32::try_from(fd).map_err(|_| Errno::BADF)?;
    // SAFETY: the kernel just gave us this descriptor, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Waits for the next notification.
///
/// # Errors
///
/// `ENOENT` when the caller died between waking us and our reading; `EINTR`.
pub(crate) fn receive(listener: BorrowedFd<'_>) -> Result<Notification> {
    // SAFETY: the kernel demands an all-zero structure; zero is valid for every field.
    let mut notification: Notification = unsafe { std::mem::zeroed() };
    // SAFETY: the listener is open and the structure has the size the request number encodes.
    let result = unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_RECV,
            &raw mut notification,
        )
    };
    check(libc::c_long::from(result))?;
    Ok(notification)
}

/// Answers a notification.
///
/// # Errors
///
/// `ENOENT` when the caller is gone or its call was interrupted.
pub(crate) fn answer(listener: BorrowedFd<'_>, id: u64, reply: Reply) -> Result<()> {
    let mut response = libc::seccomp_notif_resp {
        id,
        val: 0,
        error: 0,
        flags: 0,
    };
    match reply {
        Reply::Continue => {
            response.flags = u32::try_from(libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE).unwrap_or(1);
        }
        Reply::Return(value) => response.val = value,
        Reply::Fail(errno) => response.error = -errno.raw_os_error(),
    }
    // SAFETY: the listener is open and the structure has the size the request number encodes.
    let result = unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_SEND,
            &raw mut response,
        )
    };
    check(libc::c_long::from(result)).map(drop)
}

/// Whether the notification's caller still waits: what was read of it until now was its own.
pub(crate) fn is_waiting(listener: BorrowedFd<'_>, id: u64) -> bool {
    // SAFETY: the listener is open and `id` lives across the call.
    let result = unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_ID_VALID,
            &raw const id,
        )
    };
    result == 0
}

/// Asks the kernel to hand the processor over when a notification or an answer is sent
/// (`SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP`, Linux 6.6). Older kernels answer `EINVAL`.
pub(crate) fn wake_synchronously(listener: BorrowedFd<'_>) -> Result<()> {
    // The flags are the argument itself, not a pointer (kernel/seccomp.c, seccomp_notify_ioctl).
    // SAFETY: this request reads no memory.
    let result = unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_SET_FLAGS,
            SYNC_WAKE_UP,
        )
    };
    check(libc::c_long::from(result)).map(drop)
}

/// `include/uapi/linux/seccomp.h`.
const SYNC_WAKE_UP: libc::c_ulong = 1;
