//! Reloading the policy file while a guard runs.
//!
//! The file is checked four times a second; a change is in force well within a second. The paths of
//! zones that do not exist yet, or are reached through links, are resolved again every second.
//!
//! How a snapshot is put in force is the backend's: see [`InForce`].

use crate::policy_file::{LoadPolicyError, Origin, PolicySource, Stamp, WrittenPolicy};
use crate::protection::ProtectionFile;
use guard_core::guard::Guard;
use guard_core::policy::Snapshot;
use guard_core::ring::Counter;
use guard_report::time::now_ns;
use std::convert::Infallible;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Where snapshots are put in force.
pub(crate) trait InForce {
    /// Why a snapshot cannot be put in force.
    type Error: Error + Send + Sync + 'static;

    /// The guard that decides.
    fn guard(&self) -> &Guard;

    /// Puts a snapshot in force. When this returns, all of it is.
    ///
    /// # Errors
    ///
    /// When the snapshot before is still in force.
    fn adopt(&self, snapshot: Snapshot) -> Result<(), Self::Error>;
}

/// Watches one policy file.
#[derive(Debug)]
pub(crate) struct PolicyWatch {
    /// Where the policy comes from.
    pub(crate) source: PolicySource,
    /// The file as it was last checked, good or bad.
    checked: Option<Stamp>,
    origin: Origin,
    recanonicalized: Instant,
    /// Whether the refusal of a file that appeared was logged.
    refusal_logged: bool,
    /// Whether what was read could not be put in force, and is to be tried again.
    pending: bool,
    /// Where what is protected is written.
    protection: Option<ProtectionFile>,
}

/// A watch that several threads of a guard use in turn.
#[derive(Clone, Debug)]
pub(crate) struct SharedPolicyWatch(Arc<Mutex<PolicyWatch>>);

// === impl SharedPolicyWatch ===

impl SharedPolicyWatch {
    pub(crate) fn new(watch: PolicyWatch) -> Self {
        Self(Arc::new(Mutex::new(watch)))
    }

    /// Waits for its turn.
    pub(crate) fn lock(&self) -> MutexGuard<'_, PolicyWatch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl InForce for Guard ===

impl InForce for Guard {
    type Error = Infallible;

    fn guard(&self) -> &Guard {
        self
    }

    fn adopt(&self, snapshot: Snapshot) -> Result<(), Infallible> {
        Self::adopt(self, snapshot);
        Ok(())
    }
}

// === impl PolicyWatch ===

impl PolicyWatch {
    pub(crate) fn new(source: PolicySource, origin: Origin) -> Self {
        let checked = source.stamp();
        Self {
            source,
            checked,
            origin,
            recanonicalized: Instant::now(),
            refusal_logged: false,
            pending: false,
            protection: None,
        }
    }

    /// Writes what is protected there, whenever it changes.
    pub(crate) fn showing(self, protection: Option<ProtectionFile>) -> Self {
        Self { protection, ..self }
    }

    /// Writes to the ring's header whether the policy in force is the file's, and beside the ring what
    /// it is.
    pub(crate) fn publish(&mut self, guard: &Guard) {
        self.show(guard);
        guard.ring.set(
            Counter::PolicyOk,
            u64::from(self.origin != Origin::LastGood),
        );
        guard.ring.set(Counter::PolicyLoadedNs, now_ns());
    }

    /// Reloads the file if it changed.
    pub(crate) fn check(&mut self, backend: &impl InForce) {
        self.check_file(backend);
        self.show(backend.guard());
    }

    fn show(&mut self, guard: &Guard) {
        if let Some(protection) = &mut self.protection {
            let policy = &self.source.paths.policy;
            protection.update(&guard.policy.load(), self.origin, policy);
        }
    }

    fn check_file(&mut self, backend: &impl InForce) {
        let now = self.source.stamp();
        if now != self.checked || self.pending {
            self.checked = now;
            self.pending = false;
            self.reload(backend);
        } else if self.recanonicalized.elapsed() >= RECANONICALIZE_INTERVAL {
            self.recanonicalized = Instant::now();
            self.recanonicalize_zones(backend);
        }
    }

    /// Where the policy in force comes from.
    pub(crate) const fn origin(&self) -> Origin {
        self.origin
    }

    /// Puts in force what changed, in the file or among the granted overrides, before it returns.
    pub(crate) fn apply(&mut self, backend: &impl InForce) {
        self.check(backend);
        self.recanonicalize_zones(backend);
        self.show(backend.guard());
    }

    /// Resolves the paths of an unchanged file's zones again; the revision shows whether any differs.
    fn recanonicalize_zones(&mut self, backend: &impl InForce) {
        let read = match self.origin {
            Origin::CommandLine => self.source.without_file(),
            Origin::File => self.source.load(),
            Origin::LastGood => {
                // Repaired before the first check, or readable again.
                if let Ok((written, snapshot)) = self.read() {
                    self.adopt(backend, &written, snapshot);
                    return;
                }
                self.source
                    .read_last_good()
                    .and_then(|written| self.source.compile(&written))
            }
        };
        if let Ok(snapshot) = read
            && snapshot.revision() != backend.guard().policy.load().revision()
            && self.source.stamp() == self.checked
            && let Err(error) = backend.adopt(snapshot)
        {
            let error = anyhow::Error::new(error);
            tracing::warn!("zones have moved and cannot be followed yet: {error:#}");
        }
    }

    fn reload(&mut self, backend: &impl InForce) {
        let guard = backend.guard();
        if self.origin == Origin::CommandLine
            && guard.lineage.agent_seen()
            && !self.source.is_own_place(guard)
        {
            // A policy that an agent may have made itself, where its link leads.
            if !self.refusal_logged {
                self.refusal_logged = true;
                tracing::warn!(
                    "a policy file appeared where agents may write; it takes effect in the next session"
                );
            }
            return;
        }
        match self.read() {
            Ok((written, snapshot)) => self.adopt(backend, &written, snapshot),
            // A file that appeared, was bad, and went again.
            Err(LoadPolicyError::Missing(_)) if self.origin == Origin::CommandLine => {
                self.publish(guard)
            }
            Err(error) => {
                if self.origin == Origin::File {
                    self.origin = Origin::LastGood;
                }
                guard.ring.add(Counter::PolicyReloadFailures, 1);
                guard.ring.set(Counter::PolicyOk, 0);
                let error = anyhow::Error::new(error);
                tracing::warn!("the policy in force stays: {error:#}");
            }
        }
    }

    fn read(&self) -> Result<(WrittenPolicy, Snapshot), LoadPolicyError> {
        let written = self.source.read()?;
        let snapshot = self.source.compile(&written)?;
        Ok((written, snapshot))
    }

    fn adopt(&mut self, backend: &impl InForce, written: &WrittenPolicy, snapshot: Snapshot) {
        let guard = backend.guard();
        for warning in snapshot.warnings() {
            tracing::warn!("policy: {warning}");
        }
        if let Err(error) = backend.adopt(snapshot) {
            self.pending = true;
            guard.ring.add(Counter::PolicyReloadFailures, 1);
            guard.ring.set(Counter::PolicyOk, 0);
            let error = anyhow::Error::new(error);
            tracing::warn!("the policy in force stays for now: {error:#}");
            return;
        }
        self.origin = Origin::File;
        guard.ring.add(Counter::PolicyReloads, 1);
        self.publish(guard);
        guard.publish_state(now_ns());
        tracing::info!("policy reloaded");
        if let Err(error) = self.source.keep_last_good(written) {
            tracing::warn!("cannot keep a copy of the good policy: {error}");
        }
    }
}

/// How often the paths of zones are resolved again.
const RECANONICALIZE_INTERVAL: Duration = Duration::from_secs(1);
