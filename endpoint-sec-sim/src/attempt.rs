//! An operation on its way to a verdict.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::machine::Shared;
use crate::verdict::{Ticket, Verdict};

/// An operation that is waiting for its verdict, or has it. Dropping it changes nothing.
#[derive(Clone)]
pub struct Attempt {
    pub(crate) ticket: Arc<Ticket>,
    pub(crate) shared: Arc<Shared>,
}

// === impl Attempt ===

impl Attempt {
    /// Waits for the verdict.
    ///
    /// # Panics
    ///
    /// When no client answers within a minute of the host's time while the machine's clock is
    /// stopped: then no deadline will pass, and the test would wait for ever.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let runs = self.shared.clock.runs();
        let timeout = if runs { TICK } else { TIMEOUT };
        loop {
            if let Some(verdict) = self.ticket.wait(timeout) {
                return verdict;
            }
            assert!(
                runs,
                "no client answered, and the machine's clock is stopped"
            );
            self.shared.expire_due();
        }
    }

    /// The verdict, if there is one already.
    #[must_use]
    pub fn decided(&self) -> Option<Verdict> {
        *self.ticket.lock()
    }

    /// Waits for the verdict and returns whether the operation was performed.
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

/// How long a verdict may take while the machine's clock is stopped.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How often deadlines are checked while the machine's clock runs.
const TICK: Duration = Duration::from_millis(5);
