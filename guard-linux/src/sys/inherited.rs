//! What this process inherited through its own exec.
//!
//! A guarded command inherits what the guard inherited. Before `main`, std ignores `SIGPIPE` and
//! opens `/dev/null` for closed standard streams, so both are read before that. Inherited
//! descriptors are recognised by their flags: everything this program opens is closed on exec, and
//! what came through an exec is not.

use super::result::check;
use super::signals::is_ignored;
use std::io;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicU8, Ordering};

/// Whether `SIGPIPE` was ignored.
pub(crate) fn ignored_sigpipe() -> bool {
    INHERITED.load(Ordering::Relaxed) & IGNORED_SIGPIPE != 0
}

/// Closes the standard streams that were closed. Only right before an exec: std writes to them.
pub(crate) fn close_closed_streams() {
    let inherited = INHERITED.load(Ordering::Relaxed);
    for fd in (0..3).filter(|fd| inherited & (1 << fd) != 0) {
        // SAFETY: std opened it in place of a closed stream and holds no owner of it.
        unsafe { libc::close(fd) };
    }
}

/// Closes the inherited descriptors above the standard streams.
///
/// # Errors
///
/// When `/proc/self/fd` cannot be read.
pub(crate) fn release_descriptors() -> io::Result<()> {
    let entries: Vec<RawFd> = std::fs::read_dir("/proc/self/fd")?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    for fd in entries.into_iter().filter(|&fd| fd > 2) {
        if flags_of(fd).is_some_and(|flags| flags & libc::c_long::from(libc::FD_CLOEXEC) == 0) {
            // SAFETY: without the flag it came through an exec, and nothing in this program owns
            // it: whatever it opens or receives itself is closed on exec.
            unsafe { libc::close(fd) };
        }
    }
    Ok(())
}

/// The flags of a descriptor; `None` when it is closed, which rustix's borrowed descriptors must not
/// be.
fn flags_of(fd: RawFd) -> Option<libc::c_long> {
    // SAFETY: no memory is involved; a number that is no descriptor answers `EBADF`.
    check(unsafe { libc::fcntl(fd, libc::F_GETFD) }.into()).ok()
}

/// Bits 0 to 2: a closed standard stream; [`IGNORED_SIGPIPE`]. Written once, before `main`.
static INHERITED: AtomicU8 = AtomicU8::new(0);

const IGNORED_SIGPIPE: u8 = 8;

/// The C library runs this before std's start.
#[used]
// SAFETY: the section holds pointers to functions without arguments that may be called before
// `main`; `record` needs nothing of std.
#[unsafe(link_section = ".init_array")]
static RECORD: extern "C" fn() = record;

extern "C" fn record() {
    let mut inherited = 0;
    for fd in 0..3 {
        if flags_of(fd).is_none() {
            inherited |= 1 << fd;
        }
    }
    if is_ignored(libc::SIGPIPE) {
        inherited |= IGNORED_SIGPIPE;
    }
    INHERITED.store(inherited, Ordering::Relaxed);
}
