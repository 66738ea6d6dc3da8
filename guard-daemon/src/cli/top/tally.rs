//! Decisions of the last minute, counted from the rings when no exporter does.
//!
//! It reads along like an exporter would, but writes nothing and keeps a minute at most.

use crate::observed::api::{Agent, Decisions, Latency};
use crate::observed::guards::{readers, rfc3339, ring_id};
use guard_core::DecisionEvent;
use guard_core::ring::{Lane, Reader};
use guard_core::verdict::Verdict;
use guard_report::record::DenialRecord;
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Tally {
    rings: Vec<Reader>,
    decisions: VecDeque<Decision>,
    denials: VecDeque<DenialRecord<'static>>,
}

#[derive(Debug)]
struct Decision {
    wall_ns: u64,
    agent: String,
    operation: &'static str,
    verdict: Verdict,
    latency_ns: u64,
}

// === impl Tally ===

impl Tally {
    /// Reads what came since the last time, and forgets what is older than a minute.
    pub(super) fn read(&mut self, directories: &[PathBuf], now_ns: u64) {
        for reader in readers(directories) {
            let id = reader.header().id;
            if self.rings.iter().all(|known| known.header().id != id) {
                self.rings.push(reader);
            }
        }
        let since = now_ns.saturating_sub(MINUTE_NS);
        let mut rings = std::mem::take(&mut self.rings);
        rings.retain_mut(|reader| {
            let is_live = reader.is_writer_alive();
            let ring = ring_id(reader);
            for lane in Lane::ALL {
                for _ in 0..MAX_RECORDS {
                    let Some(event) = reader.next(lane) else {
                        break;
                    };
                    self.add(&event, &ring, since);
                }
            }
            is_live
        });
        self.rings = rings;
        self.decisions.retain(|decision| decision.wall_ns >= since);
    }

    fn add(&mut self, event: &DecisionEvent<'_>, ring: &str, since: u64) {
        if event.verdict != Verdict::Allow {
            self.denials.push_back(owned(event, ring));
            if self.denials.len() > MAX_DENIALS {
                self.denials.pop_front();
            }
        }
        if event.wall_ns >= since && self.decisions.len() < MAX_DECISIONS {
            self.decisions.push_back(Decision {
                wall_ns: event.wall_ns,
                agent: event.agent.unwrap_or("none").to_owned(),
                operation: event.operation.as_str(),
                verdict: event.verdict,
                latency_ns: event.latency_ns,
            });
        }
    }

    /// Decisions by agent, by name.
    pub(super) fn agents(&self) -> Vec<Agent> {
        let mut agents: BTreeMap<&str, Decisions> = BTreeMap::new();
        for decision in &self.decisions {
            let counts = agents.entry(&decision.agent).or_default();
            match decision.verdict {
                Verdict::Deny => counts.deny += 1,
                Verdict::Audit => counts.audit += 1,
                _ => counts.allow += 1,
            }
        }
        let agent = |(agent, minute): (&str, Decisions)| Agent {
            agent: agent.to_owned(),
            minute,
        };
        agents.into_iter().map(agent).collect()
    }

    /// Latencies by operation and verdict.
    pub(super) fn latencies(&self) -> Vec<Latency> {
        let mut groups: BTreeMap<(&str, &str), Vec<u64>> = BTreeMap::new();
        for decision in &self.decisions {
            let group = groups.entry((decision.operation, decision.verdict.as_str()));
            group.or_default().push(decision.latency_ns);
        }
        let latency = |((operation, verdict), mut all): ((&str, &str), Vec<u64>)| {
            all.sort_unstable();
            // The smallest that so many of a hundred do not exceed.
            let at = |percent: usize| all.get((all.len() * percent).div_ceil(100).max(1) - 1);
            Latency {
                operation: operation.to_owned(),
                verdict: verdict.to_owned(),
                count: all.len() as u64,
                p50_ns: at(50).copied().unwrap_or_default(),
                p99_ns: at(99).copied().unwrap_or_default(),
                max_ns: all.last().copied().unwrap_or_default(),
            }
        };
        groups.into_iter().map(latency).collect()
    }

    /// The latest denials, oldest first.
    pub(super) fn denials(&self) -> impl DoubleEndedIterator<Item = &DenialRecord<'static>> {
        self.denials.iter()
    }
}

/// The event as the log would tell it.
fn owned(event: &DecisionEvent<'_>, ring: &str) -> DenialRecord<'static> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned().into();
    DenialRecord {
        ring: ring.to_owned().into(),
        seq: event.sequence,
        time: rfc3339(event.wall_ns).into(),
        op: event.operation.as_str().into(),
        verdict: event.verdict.as_str().into(),
        reason: event.reason.as_str().into(),
        path: text(event.path),
        dest: event.destination.map(text),
        process: text(guard_core::process::basename(event.process.executable)),
        pid: event.process.key.pid,
        agent: event.agent.map(|agent| agent.to_owned().into()),
        zone_name: event.zone.map(|zone| zone.name.to_owned().into()),
    }
}

const MINUTE_NS: u64 = 60_000_000_000;
/// Of one lane of one ring at a time: a storm must not hold the screen up.
const MAX_RECORDS: usize = 200_000;
const MAX_DECISIONS: usize = 500_000;
const MAX_DENIALS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_counted_by_agent_and_by_operation() {
        let decision = |agent: &str, verdict, latency_ns| Decision {
            wall_ns: 0,
            agent: agent.to_owned(),
            operation: "unlink",
            verdict,
            latency_ns,
        };
        let mut tally = Tally::default();
        for number in 1..=100 {
            tally
                .decisions
                .push_back(decision("codex", Verdict::Allow, number));
        }
        tally.decisions.push_back(decision("amp", Verdict::Deny, 7));
        let agents = tally.agents();
        let counts: Vec<_> = agents
            .iter()
            .map(|agent| (agent.agent.as_str(), agent.minute.allow, agent.minute.deny))
            .collect();
        assert_eq!(counts, [("amp", 0, 1), ("codex", 100, 0)]);
        let latencies = tally.latencies();
        let [allow, deny] = latencies.as_slice() else {
            panic!("{latencies:?}")
        };
        assert_eq!((allow.p50_ns, allow.p99_ns, allow.max_ns), (50, 99, 100));
        assert_eq!((deny.count, deny.p50_ns, deny.p99_ns), (1, 7, 7));
    }
}
