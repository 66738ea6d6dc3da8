//! What this program was given, before and besides what it made of it.
//!
//! A command under guard is to be given what the guard was given. Before `main`, std ignores
//! `SIGPIPE` and opens `/dev/null` for closed standard streams, so a look is taken before that. And
//! descriptors that are not this program's own are told by their flags: everything it opens is
//! closed on exec, and what came to it through an exec is not.

use super::check;
use std::io;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicU8, Ordering};

/// Whether `SIGPIPE` was ignored.
pub(crate) fn ignored_sigpipe() -> bool {
    GIVEN.load(Ordering::Relaxed) & IGNORED_SIGPIPE != 0
}

/// Closes the standard streams that were closed. Only right before an exec: std writes to them.
pub(crate) fn close_closed_streams() {
    let given = GIVEN.load(Ordering::Relaxed);
    for fd in (0..3).filter(|fd| given & (1 << fd) != 0) {
        // SAFETY: std opened it in place of a closed stream and holds no owner of it.
        unsafe { libc::close(fd) };
    }
}

/// Closes the descriptors above the standard streams that are not this program's own.
pub(crate) fn release_descriptors() -> io::Result<()> {
    let entries: Vec<RawFd> = std::fs::read_dir("/proc/self/fd")?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    for fd in entries.into_iter().filter(|&fd| fd > 2) {
        // SAFETY: no memory is involved; the descriptor of the listing is gone by now: EBADF.
        let flags = check(unsafe { libc::fcntl(fd, libc::F_GETFD) }.into());
        if flags.is_ok_and(|flags| flags & libc::c_long::from(libc::FD_CLOEXEC) == 0) {
            // SAFETY: without the flag it came through an exec, and nothing in this program owns
            // it: whatever it opens or receives itself is closed on exec.
            unsafe { libc::close(fd) };
        }
    }
    Ok(())
}

/// Bits 0 to 2: a closed standard stream; [`IGNORED_SIGPIPE`]. Written once, before `main`.
static GIVEN: AtomicU8 = AtomicU8::new(0);

const IGNORED_SIGPIPE: u8 = 8;

/// The C library runs this before std's start.
#[used]
// SAFETY: the section holds pointers to functions without arguments that may be called before
// `main`; `look` needs nothing of std.
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    let mut given = 0;
    for fd in 0..3 {
        // SAFETY: no memory is involved.
        if unsafe { libc::fcntl(fd, libc::F_GETFD) } == -1 {
            given |= 1 << fd;
        }
    }
    if super::process::is_ignored(libc::SIGPIPE) {
        given |= IGNORED_SIGPIPE;
    }
    GIVEN.store(given, Ordering::Relaxed);
}
