//! System calls that std does not offer, each behind a safe function.
//!
//! All unsafe code of the Linux backend is in this module. Every function returns
//! [`std::io::Result`] with the kernel's errno, retries nothing, and owns no policy.

pub mod files;
pub(crate) mod given;
pub(crate) mod memory;
pub(crate) mod notify;
pub mod process;

use std::io;

/// Turns a system call's `-1` into the errno.
fn check(result: libc::c_long) -> io::Result<libc::c_long> {
    if result == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// The errno of an I/O error; `EIO` when it carries none.
pub(crate) fn errno_of(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(libc::EIO)
}

/// The kernel's bound on a path, its NUL included (`include/uapi/linux/limits.h`).
pub(crate) const PATH_MAX: usize = 4096;
