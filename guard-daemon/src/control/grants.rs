//! The overrides that a guard granted: put in force, counted, and taken back when they end.
//!
//! A grant is an entry of `temporary_overrides` in the policy file, where people see it and can
//! remove it. Where that file cannot be written (there is none, it is bad, it is root's or read-only)
//! the guard keeps the grant itself, for its own session. Both are in force before the answer is sent.

use crate::policy_file::GrantedOverride;
use crate::policy_watch::{InForce, SharedPolicyWatch};
use crate::policy_write::{self, Edit, expired_before, with_ids};
use guard_core::event::RequestStep;
use guard_core::policy::OperationSet;
use guard_core::policy::{MAX_OVERRIDES, OverrideEntry, POLICY_OPERATIONS};
use guard_core::ring::{Lane, Reader};
use guard_report::time::rfc3339;
use std::collections::BTreeMap;

/// What a person opened.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    /// The request's id.
    pub(super) id: String,
    /// The path, canonical.
    pub(super) path: String,
    /// The operations.
    pub(super) op: Vec<String>,
    /// The agent it is for; every agent of the session if absent.
    pub(super) agent: Option<String>,
    /// The session it is for.
    pub(super) session: String,
    /// When it ends, wall clock nanoseconds.
    pub(super) expires_at_ns: u64,
    /// Who granted it.
    pub(super) by: String,
    /// Whether it ends with its first use.
    pub(super) once: bool,
}

/// What happened to grants since it was last asked.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// How often each was used.
    pub(super) uses: BTreeMap<String, u64>,
    /// Those that ended, and how.
    pub(super) over: Vec<(String, RequestStep)>,
}

/// The grants of a session that are in force.
#[derive(Debug)]
pub(super) struct Grants {
    watch: SharedPolicyWatch,
    active: Vec<Grant>,
    /// When is looked next for overrides in the file that expired.
    sweep_ns: u64,
    /// Reads which grants are used; only while there are any.
    used: Option<Reader>,
}

// === impl Grant ===

impl Grant {
    fn entry(&self) -> OverrideEntry {
        let kinds: Vec<_> = POLICY_OPERATIONS
            .into_iter()
            .filter(|kind| self.op.iter().any(|name| name == kind.as_str()))
            .collect();
        OverrideEntry {
            path: self.path.clone(),
            operations: OperationSet::of(&kinds),
            agent: self.agent.clone(),
            session: Some(self.session.clone()),
            expires_at_ns: Some(self.expires_at_ns),
            granted_by: Some(self.by.clone()),
            id: Some(self.id.clone()),
        }
    }

    /// As the policy file has it.
    fn text(&self) -> String {
        let mut entry = serde_json::json!({
            "path": self.path,
            "op": self.op,
            "session": self.session,
            "expires_at": rfc3339(self.expires_at_ns),
            "granted_by": self.by,
            "id": self.id,
        });
        if let Some(agent) = &self.agent {
            entry["agent"] = agent.as_str().into();
        }
        entry.to_string()
    }
}

// === impl Grants ===

impl Grants {
    pub(super) fn new(watch: SharedPolicyWatch) -> Self {
        Self {
            watch,
            active: Vec::new(),
            sweep_ns: 0,
            used: None,
        }
    }

    /// Puts a grant in force.
    ///
    /// # Errors
    ///
    /// A sentence: there are too many overrides, or the policy does not open the path by it.
    pub(super) fn add(&mut self, grant: Grant, backend: &impl InForce) -> Result<(), String> {
        let guard = backend.guard();
        let count = guard.policy.load().overrides().len();
        if count >= MAX_OVERRIDES {
            return Err(format!(
                "there are {count} overrides already, as many as there can be"
            ));
        }
        let mut watch = self.watch.lock();
        let granted = &watch.source.granted;
        granted.pin(GrantedOverride {
            entry: grant.entry(),
            in_file: true,
        });
        let added = policy_write::edit(&watch.source, watch.origin(), Edit::Add(&grant.text()));
        if let Err(error) = added {
            let error = anyhow::Error::new(error);
            tracing::info!("override {} is kept by the guard: {error:#}", grant.id);
            granted.keep(&grant.id);
        }
        watch.apply(backend);
        let is_in_force = |granted: &OverrideEntry| granted.id.as_ref() == Some(&grant.id);
        if !guard.policy.load().overrides().iter().any(is_in_force) {
            // The file changed in the meantime, and is bad now.
            watch.source.granted.keep(&grant.id);
            watch.apply(backend);
        }
        drop(watch);
        if self.used.is_none() {
            self.used = Some(guard.ring.reader());
        }
        self.active.push(grant);
        Ok(())
    }

    /// Whether any is in force.
    #[cfg(target_os = "linux")]
    pub(super) const fn has_any(&self) -> bool {
        !self.active.is_empty()
    }

    /// Counts uses, and ends the grants whose time has come.
    pub(super) fn tick(&mut self, backend: &impl InForce, now_ns: u64) -> Changes {
        let mut changes = Changes::default();
        self.sweep(backend, now_ns);
        if self.active.is_empty() {
            return changes;
        }
        if let Some(ring) = &mut self.used {
            for lane in [Lane::Allow, Lane::Change] {
                while let Some(event) = ring.next(lane) {
                    let used = event
                        .override_id
                        .and_then(|id| self.active.iter().find(|grant| grant.id == id));
                    if let Some(grant) = used {
                        *changes.uses.entry(grant.id.clone()).or_default() += 1;
                    }
                }
            }
        }
        let in_force: Vec<String> = backend
            .guard()
            .policy
            .load()
            .overrides()
            .iter()
            .filter_map(|entry| entry.id.clone())
            .collect();
        let end = |grant: &Grant| {
            if grant.once && changes.uses.contains_key(&grant.id) {
                Some(RequestStep::Spent)
            } else if now_ns >= grant.expires_at_ns {
                Some(RequestStep::Expired)
            } else if !in_force.contains(&grant.id) {
                // A person removed it from the file.
                Some(RequestStep::Withdrawn)
            } else {
                None
            }
        };
        let mut over = Vec::new();
        self.active.retain(|grant| match end(grant) {
            Some(step) => {
                over.push((grant.id.clone(), step));
                false
            }
            None => true,
        });
        if self.active.is_empty() {
            self.used = None;
        }
        if !over.is_empty() {
            let ids: Vec<String> = over.iter().map(|(id, _)| id.clone()).collect();
            self.remove(&ids, backend);
        }
        changes.over = over;
        changes
    }

    /// Removes the overrides from the policy file that a guard which is gone, or a person by
    /// `override add`, wrote for a time that is over.
    fn sweep(&mut self, backend: &impl InForce, now_ns: u64) {
        if now_ns < self.sweep_ns {
            return;
        }
        self.sweep_ns = now_ns + SWEEP_NS;
        let is_over = |entry: &OverrideEntry| {
            let is_written = entry.id.is_some() && entry.granted_by.is_some();
            is_written && entry.expires_at_ns.is_some_and(|end| end <= now_ns)
        };
        let policy = backend.guard().policy.load();
        if !policy.overrides().iter().any(is_over) {
            return;
        }
        let mut watch = self.watch.lock();
        let is_over = expired_before(now_ns);
        if policy_write::edit(&watch.source, watch.origin(), Edit::Remove(&is_over)).is_err() {
            // They have no effect any more, and need not go at once.
            self.sweep_ns = now_ns + LATER_NS;
        }
        watch.apply(backend);
    }

    fn remove(&self, ids: &[String], backend: &impl InForce) {
        let mut watch = self.watch.lock();
        let removed =
            policy_write::edit(&watch.source, watch.origin(), Edit::Remove(&with_ids(ids)));
        if let Err(error) = removed {
            let error = anyhow::Error::new(error);
            tracing::info!("overrides that ended stay in the policy file: {error:#}");
        }
        watch.source.granted.forget(ids);
        watch.apply(backend);
    }
}

// === impl Drop for Grants ===

impl Drop for Grants {
    fn drop(&mut self) {
        let ids: Vec<String> = self.active.iter().map(|grant| grant.id.clone()).collect();
        if !ids.is_empty() {
            let watch = self.watch.lock();
            // What stays is for a session that is over, and expires.
            let _stays =
                policy_write::edit(&watch.source, watch.origin(), Edit::Remove(&with_ids(&ids)));
        }
    }
}

/// How often is looked for overrides that expired.
const SWEEP_NS: u64 = 1_000_000_000;

/// How long is waited when they cannot be removed.
const LATER_NS: u64 = 60_000_000_000;
