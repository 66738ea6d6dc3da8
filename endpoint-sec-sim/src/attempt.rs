//! What became of an operation.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::machine::Shared;

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

/// An operation that is waiting for its verdict, or has it. Dropping it changes nothing.
#[derive(Clone)]
pub struct Attempt {
    pub(crate) ticket: Arc<Ticket>,
    pub(crate) shared: Arc<Shared>,
}

/// Where a verdict is put when it is there.
#[derive(Debug, Default)]
pub(crate) struct Ticket {
    verdict: Mutex<Option<Verdict>>,
    decided: Condvar,
}

// === impl Attempt ===

impl Attempt {
    /// Waits for the verdict.
    ///
    /// # Panics
    ///
    /// When nobody answers within a minute of the host's time, although the machine's clock stands
    /// still: then no deadline will ever pass, and the test would wait for ever.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let runs = self.shared.clock.runs();
        let patience = if runs { TICK } else { PATIENCE };
        loop {
            if let Some(verdict) = self.ticket.wait(patience) {
                return verdict;
            }
            assert!(
                runs,
                "nobody answered, and the machine's clock stands still"
            );
            self.shared.expire_due();
        }
    }

    /// The verdict, if it is there already.
    #[must_use]
    pub fn decided(&self) -> Option<Verdict> {
        *self.ticket.lock()
    }

    /// Waits for the verdict and says whether the operation happened.
    #[must_use]
    pub fn allowed(&self) -> bool {
        self.verdict().allowed
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("decided", &self.decided())
            .finish_non_exhaustive()
    }
}

// === impl Ticket ===

impl Ticket {
    pub(crate) fn decide(&self, verdict: Verdict) {
        *self.lock() = Some(verdict);
        self.decided.notify_all();
    }

    fn wait(&self, patience: Duration) -> Option<Verdict> {
        let verdict = self.lock();
        let waited = self
            .decided
            .wait_timeout_while(verdict, patience, |verdict| verdict.is_none());
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Verdict>> {
        self.verdict.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a verdict may take when the machine's clock stands still.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often deadlines are looked at when the machine's clock runs.
const TICK: Duration = Duration::from_millis(5);
