//! Which denials, and which changes, are one: those of one command, or of one burst.
//!
//! `rm -rf` of a directory is one command of a person's, and hundreds of denials. The page, the API,
//! `top` and `denials` show it as one, by this rule and no other:
//!
//! A record joins the group of an earlier one of the same guard, agent and verdict
//!
//! - if the same process did both, at most [`COMMAND_GAP`] apart; or
//! - if another process of the same agent did the same thing with the same program, at most
//!   [`BURST_GAP`] apart: the same operation, for the same reason, in the same zone.
//!
//! ```
//! use guard_report::groups::{GroupKey, Grouping};
//! use guard_report::record::DecisionRecord;
//!
//! let key = |pid: u32, second: u32| {
//!     let line = format!(
//!         r#"{{"op":"unlink","path":"/p/a","dest":null,"process":"rm","ring":"00","seq":0,
//!         "time":"2026-01-02T03:04:{second:02}Z","verdict":"deny","reason":"agent_in_zone",
//!         "agent":"codex","pid":{pid},"zone_name":"p"}}"#
//!     );
//!     GroupKey::of(&DecisionRecord::parse(&line).unwrap())
//! };
//! let mut grouping = Grouping::default();
//! assert_eq!(grouping.add(&key(7, 0)), 0);
//! assert_eq!(grouping.add(&key(7, 40)), 0, "the same command");
//! assert_eq!(grouping.add(&key(8, 45)), 0, "a burst of commands");
//! assert_eq!(grouping.add(&key(9, 59)), 1, "another, later");
//! ```
//!
//! [`Summary`] is what a group comes to, and a sentence about it.

mod summary;

pub use summary::Summary;

use crate::record::DecisionRecord;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash as _, RandomState};
use std::sync::OnceLock;
use std::time::Duration;

/// The longest that a process may pause within a group.
pub const COMMAND_GAP: Duration = Duration::from_secs(60);
/// The longest that may pass between two processes of a group.
pub const BURST_GAP: Duration = Duration::from_secs(10);

/// What decides about the group of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupKey {
    /// The process, with its guard, agent and verdict.
    command: u64,
    /// What is done with which program, with the same.
    burst: u64,
    wall_ns: u64,
}

/// Puts records into groups, one by one, the oldest first.
#[derive(Debug, Default)]
pub struct Grouping {
    groups: usize,
    commands: HashMap<u64, Latest>,
    bursts: HashMap<u64, Latest>,
}

/// The newest record of a kind.
#[derive(Clone, Copy, Debug)]
struct Latest {
    group: usize,
    wall_ns: u64,
}

// === impl GroupKey ===

impl GroupKey {
    /// Of this record.
    #[must_use]
    pub fn of(record: &DecisionRecord<'_>) -> Self {
        // Random: no agent can choose names that put it into the group of another.
        static HASHES: OnceLock<RandomState> = OnceLock::new();
        let mut hasher = HASHES.get_or_init(RandomState::new).build_hasher();
        let scope = (
            &record.ring,
            &record.agent,
            record.agent_pid,
            &record.verdict,
        );
        scope.hash(&mut hasher);
        let (mut command, mut burst) = (hasher.clone(), hasher);
        (record.pid, record.generation).hash(&mut command);
        let deed = (
            &record.op,
            &record.reason,
            &record.zone_name,
            &record.process,
        );
        deed.hash(&mut burst);
        Self {
            command: std::hash::Hasher::finish(&command),
            burst: std::hash::Hasher::finish(&burst),
            wall_ns: record.wall_ns().unwrap_or_default(),
        }
    }
}

// === impl Grouping ===

impl Grouping {
    /// The number of the group that the next record belongs to. Groups are numbered from 0 as they
    /// begin.
    pub fn add(&mut self, key: &GroupKey) -> usize {
        let within = |latest: Option<&Latest>, gap: Duration| {
            let latest = latest?;
            // A clock that is set back makes no new group.
            let apart = Duration::from_nanos(key.wall_ns.abs_diff(latest.wall_ns));
            (apart <= gap).then_some(latest.group)
        };
        let group = within(self.commands.get(&key.command), COMMAND_GAP)
            .or_else(|| within(self.bursts.get(&key.burst), BURST_GAP))
            .unwrap_or_else(|| {
                self.groups += 1;
                self.groups - 1
            });
        let latest = Latest {
            group,
            wall_ns: key.wall_ns,
        };
        self.commands.insert(key.command, latest);
        self.bursts.insert(key.burst, latest);
        if self.commands.len() > MAX_REMEMBERED {
            self.forget_before(key.wall_ns);
        }
        group
    }

    /// How many groups there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.groups
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.groups == 0
    }

    /// Forgets what nothing joins any more.
    fn forget_before(&mut self, wall_ns: u64) {
        let is_joined = |latest: &Latest, gap: Duration| {
            Duration::from_nanos(wall_ns.abs_diff(latest.wall_ns)) <= gap
        };
        self.commands
            .retain(|_, latest| is_joined(latest, COMMAND_GAP));
        self.bursts.retain(|_, latest| is_joined(latest, BURST_GAP));
        if self.commands.len() > MAX_REMEMBERED / 2 {
            // A storm of processes: they are of few bursts.
            self.commands.clear();
        }
    }
}

/// So many processes are remembered at most, for a reader that goes on for days.
const MAX_REMEMBERED: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::event::ActingProcess;
    use guard_core::process::ProcessKey;
    use guard_core::verdict::Verdict;
    use guard_core::{DecisionEvent, OperationKind};
    use guard_testing::events::DENIAL;

    const SECOND_NS: u64 = 1_000_000_000;

    fn at(seconds: u64, pid: u32) -> DecisionEvent<'static> {
        DecisionEvent {
            wall_ns: DENIAL.wall_ns + seconds * SECOND_NS,
            process: ActingProcess {
                key: ProcessKey { pid, generation: 1 },
                ..DENIAL.process
            },
            ..DENIAL
        }
    }

    fn groups(events: &[DecisionEvent<'_>]) -> Vec<usize> {
        let mut grouping = Grouping::default();
        let key = |event| GroupKey::of(&DecisionRecord::new(event, "00"));
        let numbers: Vec<usize> = events
            .iter()
            .map(|event| grouping.add(&key(event)))
            .collect();
        let last = numbers.iter().max().map_or(0, |last| last + 1);
        assert_eq!(grouping.len(), last);
        numbers
    }

    #[test]
    fn a_process_is_one_command_whatever_it_does() {
        let other = DecisionEvent {
            operation: OperationKind::Unlink,
            zone: None,
            ..at(59, 1)
        };
        assert_eq!(
            groups(&[at(0, 1), other, at(118, 1), at(179, 1)]),
            [0, 0, 0, 1]
        );
    }

    #[test]
    fn processes_that_do_the_same_are_one_burst() {
        assert_eq!(
            groups(&[at(0, 1), at(10, 2), at(20, 3), at(31, 4)]),
            [0, 0, 0, 1]
        );
        // An agent at work on two things at once: each is one.
        let other = |seconds, pid| DecisionEvent {
            operation: OperationKind::Truncate,
            ..at(seconds, pid)
        };
        assert_eq!(
            groups(&[at(0, 1), other(1, 2), at(2, 3), other(3, 4)]),
            [0, 1, 0, 1]
        );
    }

    #[test]
    fn nobody_joins_another_agent_s_group_or_another_verdict_s() {
        for other in [
            DecisionEvent {
                agent: Some("codex"),
                ..at(1, 1)
            },
            DecisionEvent {
                agent_pid: Some(99),
                ..at(1, 1)
            },
            DecisionEvent {
                verdict: Verdict::Audit,
                ..at(1, 1)
            },
        ] {
            assert_eq!(groups(&[at(0, 1), other, at(2, 1)]), [0, 1, 0]);
        }
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_new_group() {
        assert_eq!(groups(&[at(30, 1), at(0, 1), at(31, 2)]), [0, 0, 1]);
    }

    #[test]
    fn a_storm_of_processes_takes_bounded_memory() {
        let mut grouping = Grouping::default();
        let first = GroupKey::of(&DecisionRecord::new(&at(0, 1), "00"));
        for number in 0..3 * MAX_REMEMBERED as u64 {
            let command = first.command.wrapping_add(number);
            assert_eq!(grouping.add(&GroupKey { command, ..first }), 0);
        }
        assert!(grouping.commands.len() <= MAX_REMEMBERED);
    }
}
