//! Reading a caller's memory.

use super::check;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Reads up to `into.len()` bytes at `address` from an open `/proc/PID/mem`; returns how many.
/// Nothing readable there is `EIO`; a process whose memory is gone gives 0.
pub(crate) fn read_at(memory: BorrowedFd<'_>, address: u64, into: &mut [u8]) -> io::Result<usize> {
    // Addresses above `i64::MAX` are the kernel's half; as an offset they are negative, and the
    // kernel answers EIO or EINVAL, as it should.
    let offset = address.cast_signed();
    // SAFETY: `into` is writable for its whole length.
    let result = unsafe {
        libc::pread64(
            memory.as_raw_fd(),
            into.as_mut_ptr().cast(),
            into.len(),
            offset,
        )
    };
    let read = check(libc::c_long::try_from(result).unwrap_or(-1))?;
    Ok(usize::try_from(read).unwrap_or(0))
}

/// Reads from a process's memory by its number, where `/proc/PID/mem` cannot be opened.
pub(crate) fn read_of(pid: u32, address: u64, into: &mut [u8]) -> io::Result<usize> {
    let local = libc::iovec {
        iov_base: into.as_mut_ptr().cast(),
        iov_len: into.len(),
    };
    let remote = libc::iovec {
        iov_base: std::ptr::with_exposed_provenance_mut(usize::try_from(address).unwrap_or(0)),
        iov_len: into.len(),
    };
    let pid = libc::pid_t::try_from(pid).unwrap_or(-1);
    // SAFETY: `local` describes `into`, writable for its length; `remote` is checked by the kernel
    // against the other process's address space and never dereferenced here.
    let result =
        unsafe { libc::process_vm_readv(pid, &raw const local, 1, &raw const remote, 1, 0) };
    let read = check(libc::c_long::try_from(result).unwrap_or(-1))?;
    Ok(usize::try_from(read).unwrap_or(0))
}
