//! Making, becoming and ending a process.

use super::result::check;
use rustix::io::{Errno, Result};
use std::ffi::CString;

/// Which side of a fork this is.
#[derive(Debug)]
pub(crate) enum Fork {
    /// The new process.
    Child,
    /// The old one, and the new one's id.
    Parent(libc::pid_t),
}

/// Forks. Must be called while the process has one thread; the child may then go on as any
/// program does.
///
/// # Errors
///
/// The kernel's (`EAGAIN`, `ENOMEM`), and `EDEADLK` when other threads run: a fork would copy
/// their locks in whatever state they are.
pub(crate) fn fork() -> Result<Fork> {
    let threads = std::fs::read_dir("/proc/self/task")
        .map(Iterator::count)
        .unwrap_or(1);
    if threads != 1 {
        return Err(Errno::DEADLK);
    }
    // SAFETY: checked above: this is the only thread, so no lock is held by a thread that will not
    // exist in the child.
    let pid = unsafe { libc::fork() };
    match check(libc::c_long::from(pid))? {
        0 => Ok(Fork::Child),
        _ => Ok(Fork::Parent(pid)),
    }
}

/// Replaces this process by `command`, searched in `PATH` as a shell does. Returns only on error.
///
/// Unlike [`std::process::Command`] it leaves `SIGPIPE` and the signal mask as they are.
pub(crate) fn exec(command: &[CString]) -> Errno {
    let mut pointers: Vec<*const libc::c_char> = command.iter().map(|word| word.as_ptr()).collect();
    pointers.push(std::ptr::null());
    let Some(first) = command.first() else {
        return Errno::NOENT;
    };
    // SAFETY: `pointers` is NULL-terminated and each of its strings NUL-terminated and alive.
    let result = unsafe { libc::execvp(first.as_ptr(), pointers.as_ptr()) };
    check(libc::c_long::from(result)).err().unwrap_or(Errno::IO)
}

/// Ends this process without running anything of the parent's (no destructors, no `atexit`).
pub(crate) fn exit_at_once(status: i32) -> ! {
    // SAFETY: `_exit` has no preconditions.
    unsafe { libc::_exit(status) }
}
