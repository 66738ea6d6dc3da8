//! Processes that the kernel makes the parents of orphans: child subreapers, and the first processes of
//! PID namespaces.
//!
//! Their children may be others' orphans, so that having such a parent proves no descent. The set is
//! bounded; beyond the bound every process counts as one, which makes descent unknown, never wrong.

use crate::process::ProcessKey;
use crate::sync::{AtomicBool, Mutex, Ordering};
use std::collections::HashSet;
use std::sync::PoisonError;

/// The processes that adopt.
#[derive(Debug)]
pub(super) struct Adopters {
    /// SYNC: set after the set has its first process, and read before the set is: whoever learns of
    /// the process by other means finds it.
    any: AtomicBool,
    known: Mutex<HashSet<ProcessKey>>,
}

// === impl Adopters ===

impl Adopters {
    pub(super) fn new() -> Self {
        Self {
            any: AtomicBool::new(false),
            known: Mutex::new(HashSet::new()),
        }
    }

    pub(super) fn insert(&self, key: ProcessKey) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MAX_ADOPTERS {
            known.insert(key);
        }
        drop(known);
        self.any.store(true, Ordering::Release);
    }

    pub(super) fn contains(&self, key: ProcessKey) -> bool {
        if !self.any.load(Ordering::Acquire) {
            return false;
        }
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.len() >= MAX_ADOPTERS || known.contains(&key)
    }
}

/// Far more than a session has: each container and each service manager is one.
const MAX_ADOPTERS: usize = 4096;

#[cfg(not(loom))]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_set_has_everybody() {
        let key = |pid| ProcessKey { pid, generation: 1 };
        let adopters = Adopters::new();
        assert!(!adopters.contains(key(7)));
        adopters.insert(key(7));
        assert!(adopters.contains(key(7)) && !adopters.contains(key(8)));
        for pid in 0..=4096 {
            adopters.insert(key(pid + 10));
        }
        assert!(adopters.contains(key(8)));
    }
}
