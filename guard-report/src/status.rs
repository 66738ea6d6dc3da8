//! A guard as its ring's header describes it, and what is wrong with it.

use crate::protection::Protection;
use crate::{hex, time};
use guard_core::ring::{Counter, Lane, Reader};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A guard, alive or with a ring that is not read to its end.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct GuardStatus {
    /// Its ring's id in hexadecimal.
    pub ring: String,
    /// Its session's name.
    pub session: String,
    /// Its process.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// When its ring was made.
    pub started: String,
    /// Whether it is alive.
    pub alive: bool,
    /// Whether it decides operations.
    pub enforcing: bool,
    /// When it last updated its header; `null` before the first time.
    pub heartbeat: Option<String>,
    /// Live agents that it knows.
    pub active_agents: u64,
    /// Processes that it knows.
    pub tracked_processes: u64,
    /// Its policy.
    pub policy: PolicyStatus,
    /// Its ring's lane of denials.
    pub deny: LaneStatus,
    /// Its ring's lane of allowed operations.
    pub allow: LaneStatus,
    /// Its ring's lane of allowed operations before which something was, or was to be, preserved.
    #[serde(default)]
    pub change: LaneStatus,
    /// Answers after the kernel's deadline.
    pub deadline_misses: u64,
    /// Events that the kernel dropped.
    pub kernel_events_dropped: u64,
    /// What it protects; absent when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protection: Option<Box<Protection>>,
}

/// The policy in force.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct PolicyStatus {
    /// Whether it is the file's: false when the last change could not be used.
    pub ok: bool,
    /// `enforce` or `audit`.
    pub mode: String,
    /// A digest of it.
    pub revision: String,
    /// When it was put in force; `null` when that is not known.
    pub loaded: Option<String>,
    /// Protected zones.
    pub zones: u64,
    /// Temporary overrides.
    pub overrides: u64,
}

/// One lane of a ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct LaneStatus {
    /// Records written to it.
    pub committed: u64,
    /// Of these, not read yet.
    pub unread: u64,
    /// Of these, overwritten before they were read.
    pub lost: u64,
}

// === impl GuardStatus ===

impl GuardStatus {
    /// The guard that writes the ring of `reader`, which is alive or not.
    #[must_use]
    pub fn of(reader: &Reader, alive: bool) -> Self {
        let header = reader.header();
        let counter = |counter| reader.counter(counter);
        let lane = |lane| LaneStatus {
            committed: reader.committed(lane),
            unread: reader.lag(lane),
            lost: reader.lost(lane),
        };
        Self {
            ring: hex(&header.id),
            session: String::from_utf8_lossy(&header.session).into_owned(),
            pid: header.writer.pid,
            version: header.version,
            started: time::rfc3339(header.created_wall_ns),
            alive,
            enforcing: counter(Counter::EnforcementActive) == 1,
            heartbeat: known_time(reader.heartbeat_ns()),
            active_agents: counter(Counter::ActiveAgents),
            tracked_processes: counter(Counter::LineageEntries),
            policy: PolicyStatus::of(reader),
            deny: lane(Lane::Deny),
            allow: lane(Lane::Allow),
            change: lane(Lane::Change),
            deadline_misses: counter(Counter::DeadlineMisses),
            kernel_events_dropped: counter(Counter::KernelEventsDropped),
            protection: None,
        }
    }

    /// How long ago the header was last updated.
    #[must_use]
    pub fn heartbeat_age(&self, now_ns: u64) -> Option<Duration> {
        let beat = time::parse(self.heartbeat.as_deref()?).ok()?;
        Some(Duration::from_nanos(now_ns.saturating_sub(beat)))
    }

    /// For how long the guard, which is alive, has not updated its header; `None` while it responds.
    #[must_use]
    pub fn unresponsive_for(&self, now_ns: u64) -> Option<Duration> {
        let age = self.heartbeat_age(now_ns)?;
        (self.alive && age > MAX_HEARTBEAT_AGE).then_some(age)
    }

    /// What is wrong, each in a sentence.
    #[must_use]
    pub fn problems(&self, now_ns: u64) -> Vec<String> {
        let name = format!("the guard of session {} (pid {})", self.session, self.pid);
        let mut problems = Vec::new();
        if self.alive {
            if !self.enforcing {
                problems.push(format!(
                    "{name} decides nothing (enforcement is not active)"
                ));
            }
            if let Some(age) = self.unresponsive_for(now_ns) {
                let seconds = age.as_secs();
                problems.push(format!("{name} last updated its ring {seconds} s ago"));
            }
            if !self.policy.ok {
                problems.push(format!(
                    "{name} keeps an older policy, since the file is bad (codex-es-guard policy \
                     check)"
                ));
            }
        }
        if self.deny.lost > 0 {
            problems.push(format!(
                "{} denials of {name} were overwritten before they were read",
                self.deny.lost
            ));
        }
        if self.deadline_misses > 0 {
            problems.push(format!(
                "{name} missed {} of the kernel's deadlines",
                self.deadline_misses
            ));
        }
        if self.kernel_events_dropped > 0 {
            problems.push(format!(
                "the kernel dropped {} events of {name}",
                self.kernel_events_dropped
            ));
        }
        problems
    }
}

// === impl PolicyStatus ===

impl PolicyStatus {
    fn of(reader: &Reader) -> Self {
        let counter = |counter| reader.counter(counter);
        Self {
            ok: counter(Counter::PolicyOk) == 1,
            mode: mode_name(counter(Counter::PolicyAudit)).to_owned(),
            revision: format!("{:016x}", counter(Counter::PolicyRevision)),
            loaded: known_time(counter(Counter::PolicyLoadedNs)),
            zones: counter(Counter::Zones),
            overrides: counter(Counter::Overrides),
        }
    }
}

/// The name of a policy's mode, from [`Counter::PolicyAudit`].
#[must_use]
pub const fn mode_name(audit: u64) -> &'static str {
    if audit == 1 { "audit" } else { "enforce" }
}

fn known_time(wall_ns: u64) -> Option<String> {
    (wall_ns > 0).then(|| time::rfc3339(wall_ns))
}

/// A guard updates its header every second.
const MAX_HEARTBEAT_AGE: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::ring::{Producer, RingOptions};

    const SECOND_NS: u64 = 1_000_000_000;

    fn guard(change: impl Fn(&Producer)) -> GuardStatus {
        let options = RingOptions {
            session: b"s".to_vec(),
            ..RingOptions::default()
        };
        let ring = Producer::anonymous(&options).unwrap();
        ring.set(Counter::EnforcementActive, 1);
        ring.set(Counter::PolicyOk, 1);
        ring.beat(100 * SECOND_NS);
        change(&ring);
        GuardStatus::of(&ring.reader(), true)
    }

    #[test]
    fn what_is_written_to_json_is_read() {
        let guard = guard(|ring| ring.set(Counter::PolicyAudit, 1));
        let json = serde_json::to_string(&guard).unwrap();
        assert_eq!(serde_json::from_str::<GuardStatus>(&json).unwrap(), guard);
        assert_eq!(guard.policy.mode, "audit");
        assert_eq!(guard.policy.loaded, None);
        assert_eq!(
            guard.heartbeat_age(107 * SECOND_NS),
            Some(Duration::from_secs(7))
        );
    }

    #[test]
    fn a_guard_in_trouble_says_why() {
        let problems = |change: &dyn Fn(&Producer)| guard(change).problems(110 * SECOND_NS);
        assert!(problems(&|_| {}).is_empty());
        let counters = [
            (Counter::EnforcementActive, 0, "decides nothing"),
            (Counter::PolicyOk, 0, "keeps an older policy"),
            (
                Counter::DeadlineMisses,
                2,
                "missed 2 of the kernel's deadlines",
            ),
            (
                Counter::KernelEventsDropped,
                3,
                "the kernel dropped 3 events",
            ),
        ];
        for (counter, value, expected) in counters {
            let found = problems(&|ring| ring.set(counter, value));
            assert!(
                matches!(&found[..], [one] if one.contains(expected)),
                "{found:?}"
            );
        }
        let late = guard(|_| {}).problems(200 * SECOND_NS);
        assert_eq!(
            late,
            ["the guard of session s (pid 0) last updated its ring 100 s ago"]
        );
    }
}
