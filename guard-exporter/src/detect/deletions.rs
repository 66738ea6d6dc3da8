//! Mass deletions: many names removed in one session within a short time.

use super::generations::Generations;
use super::live_count::LiveCount;
use super::operation_count::{OperationCount, is_reported_at};
use guard_core::verdict::{Reason, Verdict};
use guard_core::{DecisionEvent, OperationKind};
use std::time::Duration;

/// Removals within [`MASS_WINDOW`] that make a mass deletion.
pub const MASS: u64 = 200;
/// The window, in steps of a second.
pub const MASS_WINDOW: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Deletions(Generations<Session>);

/// One session's removals, by the second.
#[derive(Debug, Default)]
struct Session {
    second: u64,
    /// The seconds of the window; `second` is at its remainder.
    removed: [OperationCount; SECONDS],
    current: Option<MassDeletion>,
}

/// A mass deletion that goes on.
#[derive(Debug)]
struct MassDeletion {
    total: OperationCount,
    /// The second in which it was first reported.
    since: u64,
    live: LiveCount,
}

// === impl Deletions ===

impl Deletions {
    /// Counts a removal, and returns a mass deletion that begins or has grown tenfold.
    pub(super) fn check(&mut self, event: &DecisionEvent<'_>) -> Option<(LiveCount, bool)> {
        if !is_counted(event) {
            return None;
        }
        let session = self.0.touch(event.session);
        session.advance(event.monotonic_ns / NANOSECONDS);
        let now = &mut session.removed[slot(session.second)];
        let is_denied = event.verdict == Verdict::Deny;
        now.add(is_denied);
        let counted = session.counted();
        if counted.count < MASS / 2 {
            session.current = None;
        }
        let Some(current) = &mut session.current else {
            if counted.count < MASS {
                return None;
            }
            let current = MassDeletion::new(counted, session.second);
            let live = current.live.clone();
            session.current = Some(current);
            return Some((live, true));
        };
        current.grow(is_denied, session.second)
    }
}

impl Default for Deletions {
    fn default() -> Self {
        Self(Generations::new(CAPACITY))
    }
}

// === impl MassDeletion ===

impl MassDeletion {
    /// One that has just been found, by the `counted` removals of the window that ends in this second.
    fn new(counted: OperationCount, second: u64) -> Self {
        Self {
            total: counted,
            since: second,
            live: LiveCount::new(counted.count, counted.denied, SECONDS as u64),
        }
    }

    /// Counts a removal in this second, and returns the count when that is worth a report.
    fn grow(&mut self, is_denied: bool, second: u64) -> Option<(LiveCount, bool)> {
        self.total.add(is_denied);
        let longer = second.saturating_sub(self.since);
        self.live.set(self.total, SECONDS as u64 + longer);
        is_reported_at(self.total.count, MASS).then(|| (self.live.clone(), false))
    }
}

// === impl Session ===

impl Session {
    /// Advances to `second`, and forgets what has left the window.
    fn advance(&mut self, second: u64) {
        let elapsed = if second < self.second {
            // The clock of another boot; or a slightly older event of another thread, which counts now.
            if self.second - second < SECONDS as u64 {
                return;
            }
            SECONDS as u64
        } else {
            (second - self.second).min(SECONDS as u64)
        };
        self.second = second;
        for back in 0..elapsed {
            self.removed[slot(second.wrapping_sub(back))] = OperationCount::default();
        }
    }

    fn counted(&self) -> OperationCount {
        let sum = |of: fn(&OperationCount) -> u64| self.removed.iter().map(of).sum();
        OperationCount {
            count: sum(|counted| counted.count),
            denied: sum(|counted| counted.denied),
        }
    }
}

/// Whether it removes a name that neither the policy nor a person gave up.
fn is_counted(event: &DecisionEvent<'_>) -> bool {
    let is_expected = matches!(
        event.reason,
        Reason::Override
            | Reason::SystemTemp
            | Reason::Disposable
            | Reason::Scratch
            | Reason::Human
            | Reason::TrustedTool
    );
    let has_failed = event.verdict == Verdict::Allow && event.errno != 0;
    // Temporary directories outside zones have no reason of their own.
    let is_temporary = || {
        let is_below = |place: &&[u8]| event.path.starts_with(place);
        event.zone.is_none() && TEMPORARY.iter().any(is_below)
    };
    event.operation == OperationKind::Unlink && !is_expected && !has_failed && !is_temporary()
}

fn slot(second: u64) -> usize {
    usize::try_from(second % SECONDS as u64).expect("below ten")
}

const SECONDS: usize = 10;
const _: () = assert!(SECONDS as u64 == MASS_WINDOW.as_secs());
const NANOSECONDS: u64 = 1_000_000_000;
/// About 200 KB when full.
const CAPACITY: usize = 512;
const TEMPORARY: [&[u8]; 5] = [
    b"/tmp/",
    b"/var/tmp/",
    b"/dev/shm/",
    b"/private/tmp/",
    b"/private/var/folders/",
];

#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::verdict::Answer;
    use guard_testing::events::denial;

    /// A removal outside all zones by an unknown actor, at this time.
    fn removal(milliseconds: u64) -> DecisionEvent<'static> {
        DecisionEvent {
            monotonic_ns: milliseconds * 1_000_000,
            operation: OperationKind::Unlink,
            verdict: Verdict::Allow,
            reason: Reason::OutsideZones,
            answer: Answer::Continued,
            errno: 0,
            agent: None,
            zone: None,
            destination: None,
            ..denial(0)
        }
    }

    fn reports<'a>(events: impl IntoIterator<Item = DecisionEvent<'a>>) -> Vec<(LiveCount, bool)> {
        let mut deletions = Deletions::default();
        let events = events.into_iter();
        events.filter_map(|event| deletions.check(&event)).collect()
    }

    #[test]
    fn removals_outside_zones_count() {
        let found = reports((0..MASS).map(|number| removal(number * 40)));
        assert_eq!(found, [(LiveCount::new(MASS, 0, 10), true)]);
    }

    #[test]
    fn the_count_grows_until_the_end() {
        // 100 a second for four seconds, and one of another session.
        let removals = (0..2 * MASS).map(|number| removal(number * 10));
        let found = reports(removals.chain([DecisionEvent {
            session: b"another",
            ..removal(4000)
        }]));
        assert_eq!(found, [(LiveCount::new(2 * MASS, 0, 12), true)]);
    }

    #[test]
    fn slow_removals_are_not_a_mass_deletion() {
        // 19 a second: 190 in any ten.
        assert_eq!(
            reports((0..5000).map(|number| removal(number * 1000 / 19))),
            []
        );
        assert_eq!(reports((0..MASS - 1).map(|_| removal(7))), []);
    }

    #[test]
    fn after_a_pause_the_next_one_is_reported() {
        let burst = |at: u64| (0..MASS).map(move |_| removal(at));
        assert_eq!(reports(burst(0).chain(burst(60_000))).len(), 2);
        assert_eq!(
            reports(burst(0).chain(burst(5_000))).len(),
            1,
            "it continues"
        );
    }

    #[test]
    fn sessions_are_counted_separately() {
        let of_two = (0..2 * MASS - 2).map(|number| DecisionEvent {
            session: if number % 2 == 0 { b"a" } else { b"b" },
            ..removal(0)
        });
        assert_eq!(reports(of_two), []);
    }

    #[test]
    fn expected_removals_do_not_count() {
        let many = |event: DecisionEvent<'static>| reports((0..2 * MASS).map(move |_| event)).len();
        assert_eq!(many(removal(0)), 1);
        for reason in [
            Reason::Disposable,
            Reason::TrustedTool,
            Reason::Human,
            Reason::Scratch,
        ] {
            assert_eq!(
                many(DecisionEvent {
                    reason,
                    ..removal(0)
                }),
                0,
                "{reason:?}"
            );
        }
        assert_eq!(
            many(DecisionEvent {
                errno: 2,
                ..removal(0)
            }),
            0
        );
        assert_eq!(
            many(DecisionEvent {
                path: b"/tmp/x",
                ..removal(0)
            }),
            0
        );
        let in_a_zone_there = DecisionEvent {
            path: b"/tmp/zone/x",
            zone: denial(0).zone,
            ..removal(0)
        };
        assert_eq!(many(in_a_zone_there), 1);
        assert_eq!(
            many(DecisionEvent {
                operation: OperationKind::Rename,
                ..removal(0)
            }),
            0
        );
    }

    #[test]
    fn a_clock_that_jumps_only_empties_the_window() {
        let mut events: Vec<_> = (0..MASS - 1)
            .map(|_| removal(u64::MAX / 1_000_000))
            .collect();
        events.extend((0..MASS - 1).map(|_| removal(3)));
        assert_eq!(reports(events.clone()), []);
        events.push(removal(3));
        assert_eq!(reports(events).len(), 1);
        let late_thread = (0..MASS).map(|number| removal(20_000 - number % 2 * 3_000));
        assert_eq!(reports(late_thread).len(), 1);
    }
}
