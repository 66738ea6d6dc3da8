//! Processes that executed another program since they were last examined.
//!
//! A set without a lock: process ids that are equal modulo its size share a slot. A new id replaces
//! the one in its slot, and a later process with the same id counts as marked; the cost is that a
//! process is examined too late (bounded by age, see [`Guard`](super::Guard)) or once too often.

use std::sync::atomic::{AtomicU32, Ordering};

/// A set of process ids.
#[derive(Debug)]
pub(super) struct ChangedProcesses(Vec<AtomicU32>);

// === impl ChangedProcesses ===

impl ChangedProcesses {
    pub(super) fn new() -> Self {
        Self((0..SLOTS).map(|_| AtomicU32::new(EMPTY)).collect())
    }

    /// Marks a process.
    pub(super) fn mark(&self, pid: u32) {
        self.slot(pid).store(pid, Ordering::Release);
    }

    /// Whether it is marked.
    pub(super) fn contains(&self, pid: u32) -> bool {
        self.slot(pid).load(Ordering::Acquire) == pid
    }

    /// Removes a mark; returns whether there was one.
    pub(super) fn take(&self, pid: u32) -> bool {
        self.slot(pid)
            .compare_exchange(pid, EMPTY, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// Removes every mark, one after the other.
    pub(super) fn take_all(&self) -> impl Iterator<Item = u32> {
        self.0
            .iter()
            .filter(|slot| slot.load(Ordering::Acquire) != EMPTY)
            .map(|slot| slot.swap(EMPTY, Ordering::AcqRel))
            .filter(|&pid| pid != EMPTY)
    }

    fn slot(&self, pid: u32) -> &AtomicU32 {
        let index = usize::try_from(pid).unwrap_or(0) % SLOTS;
        self.0
            .get(index)
            .expect("the index is below the number of slots")
    }
}

/// 16 KiB: consecutive process ids do not collide.
const SLOTS: usize = 4096;

/// No process has this id.
const EMPTY: u32 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_removed_once() {
        let changed = ChangedProcesses::new();
        changed.mark(7);
        assert!(changed.contains(7) && !changed.contains(7 + 4096));
        assert!(changed.take(7) && !changed.take(7));
        changed.mark(7);
        changed.mark(7 + 4096);
        assert!(!changed.contains(7) && changed.contains(7 + 4096));
        changed.mark(8);
        assert!(changed.take_all().eq([7 + 4096, 8]));
        assert_eq!(changed.take_all().next(), None);
    }
}
