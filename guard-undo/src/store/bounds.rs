//! How much a store may hold.
//!
//! An object counts with what it takes on the disk, also when it is a second name of a file that
//! is still in its place: it may be the only one a moment later.
//!
//! An eighth of the bound is for files below 1 MiB, so that one disk image does not make every
//! later discard fail.

use super::PreserveError;
use rustix::fs::StatVfs;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The policy's `undo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// What all sessions together may take.
    pub max_bytes: u64,
    /// The largest file of which the bytes are copied, where blocks cannot be shared.
    pub max_copy: u64,
    /// How long sessions are kept.
    pub keep: Duration,
    /// How much of the disk copies leave free, in hundredths.
    pub min_free_percent: u8,
}

/// The room on a disk, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DiskSpace {
    pub(crate) total: u64,
    pub(crate) free: u64,
}

/// What is kept, counted by one guard.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    /// This session's bytes.
    own: AtomicU64,
    /// All other sessions', as of the last sweep.
    others: AtomicU64,
}

// === impl Bounds ===

impl Bounds {
    /// The defaults for a disk of this size: 20 GiB or a fifth of it, 64 MiB, 14 days, 5 %.
    #[must_use]
    pub fn for_disk(bytes: u64) -> Self {
        Self {
            max_bytes: (bytes / 5).min(20 << 30),
            max_copy: 64 << 20,
            keep: Duration::from_secs(14 * 24 * 3600),
            min_free_percent: 5,
        }
    }

    /// Whether a copy of this size may be made where copies may take `spare` bytes in all.
    pub(crate) const fn may_copy(&self, bytes: u64, spare: u64) -> Result<(), PreserveError> {
        if bytes > self.max_copy {
            return Err(PreserveError::TooLarge {
                size: bytes,
                limit: self.max_copy,
            });
        }
        if bytes > spare {
            return Err(PreserveError::LowDisk { free: spare });
        }
        Ok(())
    }

    fn limit_for(&self, bytes: u64) -> u64 {
        if bytes < SMALL_BYTES {
            self.max_bytes
        } else {
            self.max_bytes - self.max_bytes / RESERVED_PART
        }
    }
}

// === impl Usage ===

impl Usage {
    pub(crate) fn set_others(&self, others: u64) {
        self.others.store(others, Ordering::Relaxed);
    }

    pub(crate) fn bytes(&self) -> u64 {
        let own = self.own.load(Ordering::Relaxed);
        own.saturating_add(self.others.load(Ordering::Relaxed))
    }

    /// Counts an object in, if there is room.
    pub(crate) fn take(&self, bytes: u64, bounds: &Bounds) -> Result<(), PreserveError> {
        let limit = bounds.limit_for(bytes);
        let others = self.others.load(Ordering::Relaxed);
        let fits = |own: u64| {
            let new = own.checked_add(bytes)?;
            (new.checked_add(others)? <= limit).then_some(new)
        };
        self.own
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits)
            .map(drop)
            .map_err(|own| PreserveError::Full {
                used: own.saturating_add(others),
                limit,
                needed: bytes,
            })
    }

    /// Counts an object out that is not kept after all.
    pub(crate) fn give_back(&self, bytes: u64) {
        let less = |own: u64| Some(own.saturating_sub(bytes));
        let _always = self
            .own
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}

// === impl DiskSpace ===

impl DiskSpace {
    /// The room on the disk of an open directory.
    pub(crate) fn of(dir: BorrowedFd<'_>) -> io::Result<Self> {
        Ok(rustix::fs::fstatvfs(dir)?.into())
    }

    /// What copies of files of this size may take: what is free above the bounds' share. Small ones
    /// may take four fifths of that share, too, so that edits can be undone on a disk that is
    /// nearly full.
    pub(crate) fn spare(self, bounds: &Bounds, bytes: u64) -> u64 {
        let hundredths = u64::from(bounds.min_free_percent.min(100));
        let share = self.total / 100 * hundredths;
        self.free.saturating_sub(if bytes < SMALL_BYTES {
            share / 5
        } else {
            share
        })
    }
}

impl From<StatVfs> for DiskSpace {
    fn from(found: StatVfs) -> Self {
        Self {
            total: found.f_blocks.saturating_mul(found.f_frsize),
            free: found.f_bavail.saturating_mul(found.f_frsize),
        }
    }
}

/// Files below this have a part of the bound to themselves.
pub(crate) const SMALL_BYTES: u64 = 1 << 20;

const RESERVED_PART: u64 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_files_leave_room_for_small_ones() {
        let bounds = Bounds {
            max_bytes: 80 << 20,
            ..Bounds::for_disk(1 << 40)
        };
        let usage = Usage::default();
        usage.set_others(10 << 20);
        usage.take(60 << 20, &bounds).unwrap();
        assert!(matches!(
            usage.take(1 << 20, &bounds),
            Err(PreserveError::Full { limit, .. }) if limit == 70 << 20
        ));
        usage.take(1000, &bounds).unwrap();
        assert_eq!(usage.bytes(), (70 << 20) + 1000);
        usage.give_back(60 << 20);
        usage.take(1 << 20, &bounds).unwrap();
        assert!(usage.take(u64::MAX, &bounds).is_err());
    }

    #[test]
    fn copies_are_bounded_each_and_leave_the_disk_some_room() {
        let bounds = Bounds::for_disk(1 << 40);
        assert_eq!(bounds.max_bytes, 20 << 30);
        assert_eq!(Bounds::for_disk(10 << 30).max_bytes, 2 << 30);
        let refused = |bytes, spare| bounds.may_copy(bytes, spare).unwrap_err().cause();
        assert_eq!(refused(65 << 20, u64::MAX), "too_large");
        assert_eq!(refused(101, 100), "low_disk");
        bounds.may_copy(100, 100).unwrap();
        let disk = DiskSpace {
            total: 1_000_000 << 10,
            free: 30_000 << 10,
        };
        assert_eq!(disk.spare(&bounds, 1 << 20), 0);
        let left = 30_000_u64 - 10_000;
        assert_eq!(disk.spare(&bounds, 1 << 10), left << 10);
    }
}
