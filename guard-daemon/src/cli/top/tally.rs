//! Decisions of the last minute, counted from the rings when no exporter does.
//!
//! It reads along as an exporter does, and counts with the same [`Activity`], so that the figures
//! stay the same when an exporter starts or ends. It writes nothing.

use guard_core::DecisionEvent;
use guard_core::ring::{Lane, Reader};
use guard_core::verdict::Verdict;
use guard_report::activity::{Activity, Span};
use guard_report::api::{AgentDecisions, Percentiles};
use guard_report::hex;
use guard_report::record::DecisionRecord;
use guard_report::rings::readers;
use guard_report::rolling::LONGEST;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What was read.
#[derive(Debug)]
pub(super) struct Tally {
    rings: Vec<Reader>,
    activity: Activity,
    /// Lines as the log has them, oldest first.
    denials: VecDeque<String>,
}

/// A point in time on both clocks.
#[derive(Clone, Copy, Debug)]
struct Now {
    wall_ns: u64,
    monotonic: Instant,
}

// === impl Tally ===

impl Tally {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        let window = Duration::from_secs(LONGEST.seconds());
        Self {
            rings: Vec::new(),
            // What is in the rings already is older.
            activity: Activity::new(now.checked_sub(window).unwrap_or(now)),
            denials: VecDeque::new(),
        }
    }

    /// Reads what came since the last call.
    pub(super) fn read(&mut self, directories: &[PathBuf], wall_ns: u64) {
        let now = Now {
            wall_ns,
            monotonic: Instant::now(),
        };
        let uid = rustix::process::geteuid().as_raw();
        for reader in readers(directories, uid) {
            let id = reader.header().id;
            if self.rings.iter().all(|known| known.header().id != id) {
                self.rings.push(reader);
            }
        }
        let mut rings = std::mem::take(&mut self.rings);
        rings.retain_mut(|reader| {
            let is_live = reader.is_writer_alive();
            let ring = hex(&reader.header().id);
            for lane in Lane::ALL {
                for _ in 0..MAX_RECORDS {
                    let Some(event) = reader.next(lane) else {
                        break;
                    };
                    self.add(&event, &ring, now);
                }
            }
            is_live
        });
        self.rings = rings;
    }

    fn add(&mut self, event: &DecisionEvent<'_>, ring: &str, now: Now) {
        if event.verdict != Verdict::Allow {
            let mut line = Vec::new();
            DecisionRecord::new(event, ring).append_to(&mut line);
            self.denials
                .push_back(String::from_utf8(line).unwrap_or_default());
            if self.denials.len() > MAX_DENIALS {
                self.denials.pop_front();
            }
        }
        if let Some(time) = now.before(event.wall_ns) {
            self.activity.add(
                time,
                event.agent,
                event.operation,
                event.verdict,
                event.latency_ns,
            );
        }
    }

    /// Decisions by agent.
    pub(super) fn agents(&self) -> Vec<AgentDecisions> {
        self.activity.agents(Instant::now())
    }

    /// Latencies of the last minute by operation and verdict.
    pub(super) fn latencies(&self) -> Vec<Percentiles> {
        let [minute, ..] = Span::ALL;
        self.activity
            .latencies(Instant::now(), minute)
            .percentiles()
    }

    /// The latest denials, oldest first.
    pub(super) fn denials(&self) -> impl DoubleEndedIterator<Item = &String> {
        self.denials.iter()
    }
}

// === impl Now ===

impl Now {
    /// When on the monotonic clock a wall clock time was; `None` when no window covers it.
    fn before(self, wall_ns: u64) -> Option<Instant> {
        let age = Duration::from_nanos(self.wall_ns.saturating_sub(wall_ns));
        (age.as_secs() < LONGEST.seconds())
            .then(|| self.monotonic.checked_sub(age))
            .flatten()
    }
}

/// Of one lane of one ring at a time: a storm must not keep the screen waiting.
const MAX_RECORDS: usize = 200_000;
const MAX_DENIALS: usize = 2000;

#[cfg(test)]
mod tests {
    use super::*;
    use guard_report::time::now_ns;
    use guard_testing::events;
    use guard_testing::home::Home;

    fn read(events: &[DecisionEvent<'_>]) -> Tally {
        let home = Home::new();
        let ring = home.ring(1);
        for event in events {
            ring.publish(event);
        }
        let mut tally = Tally::new();
        tally.read(&[home.rings()], now_ns());
        tally
    }

    #[test]
    fn a_minute_is_counted_by_agent_and_by_operation() {
        let now = now_ns();
        let allowed = |latency_ns| DecisionEvent {
            agent: Some("codex"),
            wall_ns: now,
            latency_ns,
            ..events::ALLOWED
        };
        let denial = |wall_ns| DecisionEvent {
            agent: Some("custom:mytool"),
            wall_ns,
            ..events::DENIAL
        };
        let mut all: Vec<_> = (1..=100).map(allowed).collect();
        all.extend([now, now - 70 * SECOND_NS, now - 400 * SECOND_NS].map(denial));
        let tally = read(&all);
        let agents = tally.agents();
        let counts: Vec<_> = agents
            .iter()
            .map(|agent| {
                let minute = agent.minute;
                (
                    &*agent.agent,
                    minute.deny,
                    minute.allow,
                    agent.five_minutes.deny,
                )
            })
            .collect();
        // As `/api/v1/status` has them.
        assert_eq!(counts, [("custom:mytool", 1, 0, 2), ("codex", 0, 100, 0)]);
        let latencies = tally.latencies();
        let [allowed, denied] = latencies.as_slice() else {
            panic!("{latencies:?}")
        };
        assert_eq!(denied.operation, "rename");
        assert_eq!(
            (allowed.p50_ns, allowed.p99_ns, allowed.max_ns),
            (50, 99, 100)
        );
        assert_eq!(tally.denials().count(), 3, "old denials are shown, too");
    }

    #[test]
    fn percentiles_are_those_of_the_exporter() {
        let wall_ns = now_ns();
        let all: Vec<_> = (1..=200_u64)
            .map(|number| DecisionEvent {
                wall_ns,
                latency_ns: number * 1_037,
                ..events::ALLOWED
            })
            .collect();
        let mut exporter = Activity::new(Instant::now());
        for event in &all {
            let DecisionEvent {
                agent,
                operation,
                verdict,
                latency_ns,
                ..
            } = *event;
            exporter.add(Instant::now(), agent, operation, verdict, latency_ns);
        }
        let [minute, ..] = Span::ALL;
        let served = exporter.latencies(Instant::now(), minute).percentiles();
        assert_eq!(read(&all).latencies(), served);
    }

    const SECOND_NS: u64 = 1_000_000_000;
}
