//! What each guard says of itself in its ring's header, as it is told to people.

use crate::denial_log::line::hex;
use crate::time::rfc3339;
use guard_core::ring::{Counter, Lane, Reader};
use serde::Serialize;

/// One guard, alive or with a ring that is not read to its end yet.
#[derive(Clone, Debug, Serialize)]
pub struct Guard {
    /// Its ring's id in hex.
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
    /// Whether it judges operations.
    pub enforcing: bool,
    /// When it last said that it is well; `null` before the first time.
    pub heartbeat: Option<String>,
    /// Agents alive under it.
    pub active_agents: u64,
    /// Processes it knows.
    pub tracked_processes: u64,
    /// Its policy.
    pub policy: Policy,
    /// Its ring's lane of denials.
    pub deny: LaneState,
    /// Its ring's lane of allowed operations.
    pub allow: LaneState,
    /// Answers after the kernel's deadline.
    pub deadline_misses: u64,
    /// Events that the kernel dropped.
    pub kernel_events_dropped: u64,
}

/// The policy in force.
#[derive(Clone, Debug, Serialize)]
pub struct Policy {
    /// Whether it is the file's: false when the last change could not be read.
    pub ok: bool,
    /// `enforce` or `audit`.
    pub mode: &'static str,
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
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LaneState {
    /// Records written to it.
    pub committed: u64,
    /// Of these, not read yet.
    pub unread: u64,
    /// Of these, overwritten before they were read.
    pub lost: u64,
}

/// The denial log, as it is told to people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LogState {
    /// Where it is.
    pub path: String,
    /// The hash of its last line while its lines are chained; else `null`.
    pub head: Option<String>,
}

// === impl Guard ===

impl Guard {
    /// The guard whose ring `reader` reads; `alive` is whether it still runs.
    #[must_use]
    pub fn of(reader: &Reader, alive: bool) -> Self {
        let header = reader.header();
        let counter = |counter| reader.counter(counter);
        let time = |wall_ns| (wall_ns > 0).then(|| rfc3339(wall_ns));
        let lane = |lane| LaneState {
            committed: reader.committed(lane),
            unread: reader.lag(lane),
            lost: reader.lost(lane),
        };
        Self {
            ring: hex(&header.id),
            session: String::from_utf8_lossy(&header.session).into_owned(),
            pid: header.writer.pid,
            version: header.version,
            started: rfc3339(header.created_wall_ns),
            alive,
            enforcing: counter(Counter::EnforcementActive) == 1,
            heartbeat: time(reader.heartbeat_ns()),
            active_agents: counter(Counter::ActiveAgents),
            tracked_processes: counter(Counter::LineageEntries),
            policy: Policy {
                ok: counter(Counter::PolicyOk) == 1,
                mode: policy_mode(counter(Counter::PolicyAudit)),
                revision: format!("{:016x}", counter(Counter::PolicyRevision)),
                loaded: time(counter(Counter::PolicyLoadedNs)),
                zones: counter(Counter::Zones),
                overrides: counter(Counter::Overrides),
            },
            deny: lane(Lane::Deny),
            allow: lane(Lane::Allow),
            deadline_misses: counter(Counter::DeadlineMisses),
            kernel_events_dropped: counter(Counter::KernelEventsDropped),
        }
    }
}

/// The name of a policy's mode, from [`Counter::PolicyAudit`].
#[must_use]
pub const fn policy_mode(audit: u64) -> &'static str {
    if audit == 1 { "audit" } else { "enforce" }
}
