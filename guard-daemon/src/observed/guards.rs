//! One guard, as its ring's header tells of it.

use crate::places::{check_private, is_root_s_alone};
use guard_core::ring::{Counter, Lane, Reader};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::PathBuf;

/// A guard. Its fields are those of the exporter's `/api/v1/status`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Guard {
    /// Its ring's id in hex.
    pub(crate) ring: String,
    pub(crate) session: String,
    pub(crate) pid: u32,
    pub(crate) version: String,
    pub(crate) started: String,
    pub(crate) alive: bool,
    pub(crate) enforcing: bool,
    pub(crate) heartbeat: Option<String>,
    pub(crate) active_agents: u64,
    pub(crate) policy: Policy,
    pub(crate) deny: LaneState,
    pub(crate) allow: LaneState,
    pub(crate) deadline_misses: u64,
    pub(crate) kernel_events_dropped: u64,
}

/// The policy in force.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Policy {
    /// Whether it is the file's.
    pub(crate) ok: bool,
    pub(crate) mode: String,
    pub(crate) revision: String,
    pub(crate) loaded: Option<String>,
    pub(crate) zones: u64,
    pub(crate) overrides: u64,
}

/// One lane of a ring: records written, of these not read, of these lost.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct LaneState {
    pub(crate) committed: u64,
    pub(crate) unread: u64,
    pub(crate) lost: u64,
}

/// The guards whose rings lie in these directories. What is no ring is passed over.
pub(crate) fn in_directories(directories: &[PathBuf]) -> Vec<Guard> {
    readers(directories).iter().map(Guard::of).collect()
}

/// The rings of this user's guards.
pub(crate) fn readers(directories: &[PathBuf]) -> Vec<Reader> {
    let mut found: Vec<Reader> = Vec::new();
    for directory in directories {
        // Anyone may put a file where others may write.
        if check_private(directory).is_err() && !is_root_s_alone(directory) {
            continue;
        }
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            if is_hidden || !is_file {
                continue;
            }
            let Ok(reader) = Reader::attach(&entry.path()) else {
                continue;
            };
            let id = reader.header().id;
            if found.iter().all(|other| other.header().id != id) {
                found.push(reader);
            }
        }
    }
    found.sort_by_key(|reader| reader.header().created_wall_ns);
    found
}

/// A ring's id in hex, as the log has it.
pub(crate) fn ring_id(reader: &Reader) -> String {
    let id = reader.header().id;
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Wall clock nanoseconds as RFC 3339.
pub(crate) fn rfc3339(wall_ns: u64) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(wall_ns))
        .map_or_else(|_| String::new(), |time| format!("{time:.9}"))
}

/// RFC 3339 as wall clock nanoseconds.
pub(crate) fn nanoseconds(text: &str) -> Option<u64> {
    let time: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(time.as_nanosecond()).ok()
}

// === impl Guard ===

impl Guard {
    fn of(reader: &Reader) -> Self {
        let header = reader.header();
        let counter = |counter| reader.counter(counter);
        let time = |wall_ns| (wall_ns > 0).then(|| rfc3339(wall_ns));
        let lane = |lane| LaneState {
            committed: reader.committed(lane),
            unread: reader.lag(lane),
            lost: reader.lost(lane),
        };
        let audit = counter(Counter::PolicyAudit) == 1;
        Self {
            ring: ring_id(reader),
            session: String::from_utf8_lossy(&header.session).into_owned(),
            pid: header.writer.pid,
            version: header.version,
            started: rfc3339(header.created_wall_ns),
            alive: reader.is_writer_alive(),
            enforcing: counter(Counter::EnforcementActive) == 1,
            heartbeat: time(reader.heartbeat_ns()),
            active_agents: counter(Counter::ActiveAgents),
            policy: Policy {
                ok: counter(Counter::PolicyOk) == 1,
                mode: if audit { "audit" } else { "enforce" }.to_owned(),
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

    /// Seconds since the last heartbeat.
    pub(crate) fn heartbeat_age(&self, now_ns: u64) -> Option<f64> {
        let beat = nanoseconds(self.heartbeat.as_deref()?)?;
        let age = std::time::Duration::from_nanos(now_ns.saturating_sub(beat));
        Some(age.as_secs_f64())
    }

    /// What is wrong with a live guard.
    pub(crate) fn problems(&self, now_ns: u64) -> Vec<String> {
        let name = format!("the guard of session {} (pid {})", self.session, self.pid);
        let mut problems = Vec::new();
        if self.alive {
            if !self.enforcing {
                problems.push(format!("{name} judges nothing (enforcement is not active)"));
            }
            match self.heartbeat_age(now_ns) {
                Some(age) if age > MAX_HEARTBEAT_AGE => {
                    problems.push(format!("{name} was last heard of {age:.0} s ago"));
                }
                _ => {}
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

/// Seconds. A guard beats every second.
const MAX_HEARTBEAT_AGE: f64 = 15.0;
