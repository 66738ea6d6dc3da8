//! The words of a ring in memory: the only unsafe code of this crate.
//!
//! Every word is an atomic, so nothing that another thread or process does to the memory is a data
//! race. Through a read-only mapping only relaxed loads are allowed (the standard library guarantees
//! no more for read-only memory), so readers get a [`ReadWords`], which can do nothing else, and
//! order their loads with fences.
//!
//! It deliberately does not protect a mapping from truncation of its file (the kernel sends
//! `SIGBUS`): only the owner of the ring's directory could do that.
//!
//! Under Miri and loom, which cannot map files, the words are on the heap.

#![allow(unsafe_code)]

use crate::sync::{AtomicU64, Ordering};
use std::sync::Arc;
use std::{fs, io};

#[cfg(any(loom, miri))]
pub(super) use heap::Memory;
#[cfg(not(any(loom, miri)))]
pub(super) use mapped::Memory;

/// The access that a mapping allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    ReadWrite,
}

/// Words that are only ever loaded.
#[derive(Clone, Debug)]
pub(super) struct ReadWords(Arc<Memory>);

// === impl ReadWords ===

impl ReadWords {
    pub(super) const fn new(memory: Arc<Memory>) -> Self {
        Self(memory)
    }

    /// A relaxed load; 0 beyond the end.
    #[inline]
    pub(super) fn load(&self, index: usize) -> u64 {
        self.0
            .words()
            .get(index)
            .map_or(0, |word| word.load(Ordering::Relaxed))
    }
}

#[cfg(not(any(loom, miri)))]
mod mapped {
    use super::{Access, AtomicU64, fs, io};
    use std::os::fd::AsRawFd;
    use std::ptr::{self, NonNull};
    use std::slice;

    /// A shared mapping of whole words, unmapped when dropped.
    #[derive(Debug)]
    pub(in crate::ring) struct Memory {
        start: NonNull<AtomicU64>,
        words: usize,
    }

    // === impl Memory ===

    impl Memory {
        /// Zeroed words without a file.
        pub(in crate::ring) fn anonymous(words: usize) -> io::Result<Self> {
            let protection = libc::PROT_READ | libc::PROT_WRITE;
            Self::new(words, protection, libc::MAP_SHARED | libc::MAP_ANON, -1)
        }

        /// The first `words` words of a file.
        pub(in crate::ring) fn map(
            file: &fs::File,
            words: usize,
            access: Access,
        ) -> io::Result<Self> {
            let protection = match access {
                Access::Read => libc::PROT_READ,
                Access::ReadWrite => libc::PROT_READ | libc::PROT_WRITE,
            };
            Self::new(words, protection, libc::MAP_SHARED, file.as_raw_fd())
        }

        #[inline]
        pub(in crate::ring) const fn words(&self) -> &[AtomicU64] {
            // SAFETY: `new` mapped `words` readable words at `start`, which is page-aligned, and
            // only `drop` unmaps them, which this borrow keeps away. `AtomicU64` has the layout of
            // `u64`, any bits are a value of it, and its interior is allowed to change under a
            // shared reference, be it by other processes. Stores through a read-only mapping would
            // fault; they are kept away by `ReadWords`, the only way readers come here.
            unsafe { slice::from_raw_parts(self.start.as_ptr(), self.words) }
        }

        fn new(words: usize, protection: i32, flags: i32, file: i32) -> io::Result<Self> {
            // A page fault while publishing would enter the kernel.
            #[cfg(target_os = "linux")]
            let flags = flags | libc::MAP_POPULATE;
            let len = words
                .checked_mul(size_of::<u64>())
                .ok_or(io::ErrorKind::InvalidInput)?;
            // SAFETY: without MAP_FIXED the kernel picks unused addresses, so no memory of
            // this process changes; the kernel itself checks the length and the descriptor.
            let start = unsafe { libc::mmap(ptr::null_mut(), len, protection, flags, file, 0) };
            if start == libc::MAP_FAILED {
                return Err(io::Error::last_os_error());
            }
            let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
            Ok(Self { start, words })
        }
    }

    impl Drop for Memory {
        fn drop(&mut self) {
            let len = self.words * size_of::<u64>();
            // SAFETY: `new` mapped exactly these bytes and gave them to this value alone; borrows
            // from `words` have ended, since this is the owner's end.
            let unmapped = unsafe { libc::munmap(self.start.as_ptr().cast(), len) };
            debug_assert_eq!(unmapped, 0, "munmap of one's own mapping does not fail");
        }
    }

    // SAFETY: the value owns its mapping, which belongs to no thread and is unmapped once.
    unsafe impl Send for Memory {}
    // SAFETY: all a shared reference gives are atomics.
    unsafe impl Sync for Memory {}
}

#[cfg(any(loom, miri))]
mod heap {
    use super::{Access, AtomicU64, fs, io};

    /// Words on the heap, in place of a mapping.
    #[derive(Debug)]
    pub(in crate::ring) struct Memory(Box<[AtomicU64]>);

    // === impl Memory ===

    #[allow(clippy::unnecessary_wraps, reason = "the signatures of the mapping")]
    impl Memory {
        pub(in crate::ring) fn anonymous(words: usize) -> io::Result<Self> {
            Ok(Self((0..words).map(|_| AtomicU64::new(0)).collect()))
        }

        pub(in crate::ring) fn map(_: &fs::File, _: usize, _: Access) -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(in crate::ring) fn words(&self) -> &[AtomicU64] {
            &self.0
        }
    }
}
