//! Processes that became another program since they were last looked at.
//!
//! A set without a lock: one slot for all process ids that are equal modulo its size. A newcomer
//! pushes out whoever had the slot, and a later process of the same id counts as marked; both cost
//! no more than a look too late (bounded by age, see [`Guard`](super::Guard)) or too many.

use std::sync::atomic::{AtomicU32, Ordering};

/// A set of process ids.
#[derive(Debug)]
pub(super) struct ChangedProcesses(Vec<AtomicU32>);

// === impl ChangedProcesses ===

impl ChangedProcesses {
    pub(super) fn new() -> Self {
        Self((0..SLOTS).map(|_| AtomicU32::new(NOBODY)).collect())
    }

    /// Marks a process. Whoever hears of its next call hears of it after this.
    pub(super) fn mark(&self, pid: u32) {
        self.slot(pid).store(pid, Ordering::Release);
    }

    /// Whether it is marked.
    pub(super) fn contains(&self, pid: u32) -> bool {
        self.slot(pid).load(Ordering::Acquire) == pid
    }

    /// Takes the mark away; whether there was one.
    pub(super) fn take(&self, pid: u32) -> bool {
        self.slot(pid)
            .compare_exchange(pid, NOBODY, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
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
const NOBODY: u32 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_taken_once() {
        let changed = ChangedProcesses::new();
        changed.mark(7);
        assert!(changed.contains(7) && !changed.contains(7 + 4096));
        assert!(changed.take(7) && !changed.take(7));
        changed.mark(7);
        changed.mark(7 + 4096);
        assert!(!changed.contains(7) && changed.contains(7 + 4096));
    }
}
