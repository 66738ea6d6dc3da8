//! What a system call returned.

use rustix::io::{Errno, Result};
use std::io;

/// Turns the `-1` of a C function into the errno it left behind.
pub(super) fn check(result: libc::c_long) -> Result<libc::c_long> {
    if result == -1 {
        let error = io::Error::last_os_error();
        Err(Errno::from_io_error(&error).unwrap_or(Errno::IO))
    } else {
        Ok(result)
    }
}
