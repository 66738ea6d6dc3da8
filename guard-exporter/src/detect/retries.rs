//! Retry storms: the same denied operation repeated.

use super::generations::Generations;
use super::live_count::LiveCount;
use super::operation_count::{OperationCount, is_reported_at};
use guard_core::DecisionEvent;
use guard_core::verdict::Verdict;
use std::time::Duration;

/// Denials of the same operation that make a storm.
pub const STORM: u64 = 5;
/// A longer pause ends a storm.
pub const STORM_PAUSE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Retries(Generations<Retry>);

#[derive(Debug, Default)]
struct Retry {
    last_ns: u64,
    count: u64,
    /// What was reported of it.
    live: Option<LiveCount>,
}

// === impl Retries ===

impl Retries {
    /// Counts a denial, and returns a storm that begins or has grown tenfold.
    pub(super) fn check(&mut self, event: &DecisionEvent<'_>) -> Option<(LiveCount, bool)> {
        if event.verdict != Verdict::Deny {
            return None;
        }
        // An agent retries with a new process each time, so the agent identifies the actor.
        let actor = event.agent_pid.unwrap_or(event.process.key.pid);
        let retry = self.0.touch((
            event.session,
            actor,
            event.operation,
            event.path,
            event.destination,
        ));
        // Also when the clock restarts, as after a reboot.
        let pause_ns = event.monotonic_ns.abs_diff(retry.last_ns);
        if u128::from(pause_ns) > STORM_PAUSE.as_nanos() {
            *retry = Retry::default();
        }
        retry.last_ns = event.monotonic_ns;
        retry.count += 1;
        let counted = OperationCount {
            count: retry.count,
            denied: retry.count,
        };
        if retry.count < STORM {
            return None;
        }
        let live = retry.live.get_or_insert_default();
        live.set(counted, 0);
        is_reported_at(retry.count, STORM).then(|| (live.clone(), retry.count == STORM))
    }
}

impl Default for Retries {
    fn default() -> Self {
        Self(Generations::new(CAPACITY))
    }
}

/// About 100 KB when full.
const CAPACITY: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;
    use guard_testing::events::denial;

    fn storms<'a>(events: impl IntoIterator<Item = DecisionEvent<'a>>) -> usize {
        let mut retries = Retries::default();
        events
            .into_iter()
            .filter(|event| retries.check(event).is_some())
            .count()
    }

    #[test]
    fn actor_operation_and_path_identify_a_storm() {
        let same = || (0..STORM).map(denial);
        assert_eq!(storms(same()), 1);
        let paths = ["/a", "/b", "/c", "/d", "/e"];
        assert_eq!(
            storms(same().zip(paths).map(|(event, path)| DecisionEvent {
                path: path.as_bytes(),
                ..event
            })),
            0
        );
        assert_eq!(
            storms(same().map(|event| DecisionEvent {
                agent_pid: u32::try_from(event.sequence).ok(),
                ..event
            })),
            0
        );
        assert_eq!(
            storms(same().map(|event| {
                let mut event = event;
                event.process.key.pid = u32::try_from(event.sequence).unwrap();
                event
            })),
            1,
            "each attempt is another process of the same agent"
        );
    }

    #[test]
    fn a_pause_ends_a_storm() {
        let every = |seconds: u64| {
            (0..STORM).map(move |number| DecisionEvent {
                monotonic_ns: number * seconds * 1_000_000_000,
                ..denial(number)
            })
        };
        assert_eq!(storms(every(60)), 1);
        assert_eq!(storms(every(61)), 0);
        let around_a_reboot = every(1).rev().map(|event| DecisionEvent {
            monotonic_ns: event.monotonic_ns * 1_000,
            ..event
        });
        assert_eq!(storms(around_a_reboot), 0);
    }
}
