//! Taking up changes of the policy file while a guard runs.
//!
//! The file is looked at four times a second; a change is in force well within a second. Zones that
//! do not exist yet, or are reached through links, are placed anew every second.
//!
//! What puts a snapshot in force is the backend's: see [`InForce`].

use crate::journal::Journal;
use crate::policy_file::{LoadPolicyError, Origin, PolicySource, Stamp, WrittenPolicy};
use guard_core::guard::Guard;
use guard_core::policy::Snapshot;
use guard_core::ring::Counter;
use guard_report::time::now_ns;
use std::time::{Duration, Instant};

/// Where snapshots are put in force.
pub(crate) trait InForce {
    /// The guard that decides.
    fn guard(&self) -> &Guard;

    /// Puts a snapshot in force. When this returns, all of it is.
    ///
    /// # Errors
    ///
    /// Why the snapshot before is still in force.
    fn adopt(&self, snapshot: Snapshot) -> Result<(), String>;
}

/// Watches one policy file.
#[derive(Debug)]
pub(crate) struct PolicyWatch {
    /// Where the policy comes from.
    pub(crate) source: PolicySource,
    /// The file as it was last looked at, good or bad.
    seen: Option<Stamp>,
    origin: Origin,
    replaced: Instant,
    /// Whether the refusal of a file that appeared was told.
    told_refusal: bool,
    /// Whether what was read could not be put in force, and is to be tried again.
    pending: bool,
}

// === impl InForce for Guard ===

impl InForce for Guard {
    fn guard(&self) -> &Guard {
        self
    }

    fn adopt(&self, snapshot: Snapshot) -> Result<(), String> {
        Self::adopt(self, snapshot);
        Ok(())
    }
}

// === impl PolicyWatch ===

impl PolicyWatch {
    pub(crate) fn new(source: PolicySource, origin: Origin) -> Self {
        let seen = source.stamp();
        Self {
            source,
            seen,
            origin,
            replaced: Instant::now(),
            told_refusal: false,
            pending: false,
        }
    }

    /// Tells the ring's header what is in force at the beginning.
    pub(crate) fn tell(&self, guard: &Guard) {
        guard.ring.set(
            Counter::PolicyOk,
            u64::from(self.origin != Origin::LastGood),
        );
        guard.ring.set(Counter::PolicyLoadedNs, now_ns());
    }

    /// Looks at the file, and takes up what changed.
    pub(crate) fn check(&mut self, backend: &impl InForce, journal: &Journal) {
        let now = self.source.stamp();
        if now != self.seen || self.pending {
            self.seen = now;
            self.pending = false;
            self.reload(backend, journal);
        } else if self.replaced.elapsed() >= REPLACE_INTERVAL {
            self.replaced = Instant::now();
            self.replace(backend, journal);
        }
    }

    /// Places the zones of an unchanged file anew; the revision tells whether any has moved.
    fn replace(&mut self, backend: &impl InForce, journal: &Journal) {
        let read = match self.origin {
            Origin::CommandLine => self.source.without_file(),
            Origin::File => self.source.load(),
            Origin::LastGood => {
                // Mended before it was looked at for the first time, or readable again.
                if let Ok((written, snapshot)) = self.read() {
                    self.adopt(backend, &written, snapshot, journal);
                }
                return;
            }
        };
        if let Ok(snapshot) = read
            && snapshot.revision() != backend.guard().policy.load().revision()
            && self.source.stamp() == self.seen
            && let Err(error) = backend.adopt(snapshot)
        {
            journal.write(&format!(
                "zones have moved and cannot be followed yet: {error}"
            ));
        }
    }

    fn reload(&mut self, backend: &impl InForce, journal: &Journal) {
        let guard = backend.guard();
        if self.origin == Origin::CommandLine && guard.lineage.agent_seen() {
            // A policy that an agent may have made itself: links and new files are not judged.
            if !self.told_refusal {
                self.told_refusal = true;
                journal.write(
                    "a policy file appeared while an agent runs; it takes effect in the next \
                     session",
                );
            }
            return;
        }
        match self.read() {
            Ok((written, snapshot)) => self.adopt(backend, &written, snapshot, journal),
            // A file that appeared, was bad, and went again.
            Err(LoadPolicyError::Missing(_)) if self.origin == Origin::CommandLine => {
                self.tell(guard)
            }
            Err(error) => {
                if self.origin == Origin::File {
                    self.origin = Origin::LastGood;
                }
                guard.ring.add(Counter::PolicyReloadFailures, 1);
                guard.ring.set(Counter::PolicyOk, 0);
                journal.write(&format!("the policy in force stays: {error}"));
            }
        }
    }

    fn read(&self) -> Result<(WrittenPolicy, Snapshot), LoadPolicyError> {
        let written = self.source.read()?;
        let snapshot = self.source.compile(&written)?;
        Ok((written, snapshot))
    }

    fn adopt(
        &mut self,
        backend: &impl InForce,
        written: &WrittenPolicy,
        snapshot: Snapshot,
        journal: &Journal,
    ) {
        let guard = backend.guard();
        for warning in snapshot.warnings() {
            journal.write(&format!("policy: {warning}"));
        }
        if let Err(error) = backend.adopt(snapshot) {
            self.pending = true;
            guard.ring.add(Counter::PolicyReloadFailures, 1);
            guard.ring.set(Counter::PolicyOk, 0);
            journal.write(&format!("the policy in force stays for now: {error}"));
            return;
        }
        self.origin = Origin::File;
        guard.ring.add(Counter::PolicyReloads, 1);
        self.tell(guard);
        guard.publish_state(now_ns());
        journal.write("policy reloaded");
        if let Err(error) = self.source.keep_last_good(written) {
            journal.write(&format!("cannot keep a copy of the good policy: {error}"));
        }
    }
}

/// How often zones are placed anew.
const REPLACE_INTERVAL: Duration = Duration::from_secs(1);
