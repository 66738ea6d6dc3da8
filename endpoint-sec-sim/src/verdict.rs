//! The outcome of an operation, and the place where it is waited for.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The outcome of an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// Whether the operation happened.
    pub allowed: bool,
    /// For an open: the flags that were authorised.
    pub flags: Option<u32>,
    /// How many clients were asked.
    pub asked: usize,
    /// How many of them answered in time.
    pub answered: usize,
    /// How many of them let the deadline pass.
    pub missed: usize,
    /// How many clients would have been asked but for a full queue.
    pub dropped: usize,
    /// Whether the result cache answered, so that nobody was asked.
    pub cached: bool,
}

/// Where a verdict is put when it is there.
#[derive(Debug, Default)]
pub(crate) struct Ticket {
    verdict: Mutex<Option<Verdict>>,
    decided: Condvar,
}

// === impl Ticket ===

impl Ticket {
    pub(crate) fn decide(&self, verdict: Verdict) {
        *self.lock() = Some(verdict);
        self.decided.notify_all();
    }

    pub(crate) fn wait(&self, patience: Duration) -> Option<Verdict> {
        let verdict = self.lock();
        let waited = self
            .decided
            .wait_timeout_while(verdict, patience, |verdict| verdict.is_none());
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    pub(crate) fn lock(&self) -> std::sync::MutexGuard<'_, Option<Verdict>> {
        self.verdict.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
