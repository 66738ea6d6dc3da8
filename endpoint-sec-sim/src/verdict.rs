//! The verdict on an operation, and waiting for it.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The outcome of an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// Whether the operation was performed.
    pub allowed: bool,
    /// For an open: the flags that were authorised.
    pub flags: Option<u32>,
    /// How many clients received a request.
    pub asked: usize,
    /// How many of them answered in time.
    pub answered: usize,
    /// How many of them let the deadline pass.
    pub missed: usize,
    /// How many clients lost the request to a full queue.
    pub dropped: usize,
    /// Whether the result came from the cache, without a request.
    pub cached: bool,
}

/// A slot for a verdict, and a condition to wait for it.
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

    pub(crate) fn wait(&self, timeout: Duration) -> Option<Verdict> {
        let verdict = self.lock();
        let waited = self
            .decided
            .wait_timeout_while(verdict, timeout, |verdict| verdict.is_none());
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    pub(crate) fn lock(&self) -> std::sync::MutexGuard<'_, Option<Verdict>> {
        self.verdict.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
