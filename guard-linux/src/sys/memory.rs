//! Reading a process's memory where `/proc/PID/mem` cannot be opened.

use super::result::check;
use rustix::io::Result;

/// Reads up to `into.len()` bytes at `address` of process `pid`; returns how many.
pub(crate) fn read_of(pid: u32, address: u64, into: &mut [u8]) -> Result<usize> {
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
