//! Supervises the backend: starts it, tests it, and tries again after failures.
//!
//! ```text
//!            refused (no entitlement, no Full Disk Access, …): report it, try again later
//!           ┌──────┐
//!           ▼      │
//!        inactive ─┴─ started ──▶ unproven ── self-test passed ──▶ active
//!                                  │    ▲
//!                                  └────┘ failed: report it, test again later
//! ```
//!
//! The guard's policy, ring and lineage exist in every state. The ring's header reports enforcement
//! only while *active*: after a denial has taken effect on this machine.

use crate::backend::{Backend, Settings, StartError};
use crate::muting::AdoptError;
use crate::probe::{Proof, SelfTestError};
use guard_core::guard::{Guard, SharedGuard};
use guard_core::policy::Snapshot;
use guard_core::ring::Counter;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// Runs a process that removes a file, and returns when it has exited.
pub type Attempt = Box<dyn Fn(&Path) -> io::Result<()> + Send>;

/// Starts a backend, tests it, and keeps its counters up to date.
pub struct Service {
    guard: SharedGuard,
    settings: Settings,
    attempt: Attempt,
    backend: Option<Backend>,
    is_proven: bool,
    /// When to try again after a failure.
    next_try: Option<Instant>,
    tries: u32,
}

/// The result of one step.
#[derive(Debug)]
pub enum Step {
    /// Nothing new.
    Unchanged,
    /// Operations are evaluated, and the self-test passed.
    Active(Proof),
    /// The system refused a client; it will be tried again.
    Refused(StartError),
    /// The backend runs and failed the self-test; it will be tested again.
    Unproven(SelfTestError),
}

// === impl Service ===

impl Service {
    /// A service for a guard.
    #[must_use]
    pub fn new(guard: SharedGuard, settings: Settings, attempt: Attempt) -> Self {
        Self {
            guard,
            settings,
            attempt,
            backend: None,
            is_proven: false,
            next_try: None,
            tries: 0,
        }
    }

    /// Performs what is due at `now`.
    pub fn step(&mut self, now: Instant) -> Step {
        if let Some(backend) = &self.backend {
            backend.update_counters();
            backend.keep_house();
        }
        if self.is_proven || self.next_try.is_some_and(|then| now < then) {
            return Step::Unchanged;
        }
        let step = self.advance();
        match &step {
            Step::Active(_) => {
                self.guard.ring.set(Counter::EnforcementActive, 1);
                self.is_proven = true;
            }
            Step::Refused(_) | Step::Unproven(_) => {
                self.next_try = Some(now + retry_after(self.tries));
                self.tries = self.tries.saturating_add(1);
            }
            Step::Unchanged => {}
        }
        step
    }

    /// Whether the self-test passed.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.is_proven
    }

    /// The guard that decides.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Puts a snapshot in force. When this returns, the kernel sends everything that it needs.
    ///
    /// # Errors
    ///
    /// [`AdoptError`] if the kernel refused a path; then the old snapshot stays in force.
    pub fn adopt(&self, snapshot: Snapshot) -> Result<(), AdoptError> {
        match &self.backend {
            Some(backend) => backend.adopt(snapshot),
            None => {
                self.guard.adopt(snapshot);
                Ok(())
            }
        }
    }

    /// Stops the backend; from now on every operation is allowed.
    pub fn stop(&mut self) {
        self.guard.ring.set(Counter::EnforcementActive, 0);
        self.is_proven = false;
        self.backend = None;
    }

    fn advance(&mut self) -> Step {
        let backend = match self.backend.take() {
            Some(backend) => backend,
            None => match Backend::start(self.guard.clone(), &self.settings) {
                Ok(backend) => backend,
                Err(error) => return Step::Refused(error),
            },
        };
        let backend = self.backend.insert(backend);
        match backend.probe().test(&self.attempt) {
            Ok(proof) => Step::Active(proof),
            Err(error) => Step::Unproven(error),
        }
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service")
            .field("backend", &self.backend)
            .field("is_proven", &self.is_proven)
            .finish_non_exhaustive()
    }
}

/// Short at first, since the person may be granting Full Disk Access at this moment; at most a
/// minute.
fn retry_after(tries: u32) -> Duration {
    FIRST_RETRY
        .saturating_mul(2u32.saturating_pow(tries.min(8)))
        .min(LAST_RETRY)
}

const FIRST_RETRY: Duration = Duration::from_secs(2);
const LAST_RETRY: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_slow_down_to_one_a_minute() {
        let seconds: Vec<u64> = (0..8).map(|tries| retry_after(tries).as_secs()).collect();
        assert_eq!(seconds, [2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(retry_after(u32::MAX), LAST_RETRY);
    }
}
