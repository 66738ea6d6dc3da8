//! Mass deletions: many names removed in one session within a short time.

use super::generations::Generations;
use super::tally::Tally;
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
    removed: [Tally; SECONDS],
    /// What was told last of the mass deletion that goes on; 0 when none does.
    told: u64,
}

// === impl Deletions ===

impl Deletions {
    /// Counts a removal, and tells of a mass deletion that begins or has grown.
    pub(super) fn look(&mut self, event: &DecisionEvent<'_>) -> Option<(Tally, bool)> {
        if !is_counted(event) {
            return None;
        }
        let session = self.0.touch(event.session);
        session.advance(event.monotonic_ns / NANOSECONDS);
        let now = &mut session.removed[slot(session.second)];
        now.count += 1;
        now.denied += u64::from(event.verdict == Verdict::Deny);
        let tally = session.tally();
        if session.told > 0 && tally.count < MASS / 2 {
            session.told = 0;
        }
        let next = if session.told == 0 {
            MASS
        } else {
            session.told.saturating_mul(10)
        };
        if tally.count < next {
            return None;
        }
        let begins = session.told == 0;
        session.told = next;
        Some((tally, begins))
    }
}

impl Default for Deletions {
    fn default() -> Self {
        Self(Generations::new(CAPACITY))
    }
}

// === impl Session ===

impl Session {
    /// Comes to `second`, and forgets what is out of the window then.
    fn advance(&mut self, second: u64) {
        let gone = if second < self.second {
            // Another boot's clock; or another thread's event of a moment ago, which counts now.
            if self.second - second < SECONDS as u64 {
                return;
            }
            SECONDS as u64
        } else {
            (second - self.second).min(SECONDS as u64)
        };
        self.second = second;
        for back in 0..gone {
            self.removed[slot(second.wrapping_sub(back))] = Tally::default();
        }
    }

    fn tally(&self) -> Tally {
        let sum = |of: fn(&Tally) -> u64| self.removed.iter().map(of).sum();
        Tally {
            count: sum(|tally| tally.count),
            denied: sum(|tally| tally.denied),
        }
    }
}

/// Whether it removes a name that nobody gave away beforehand.
fn is_counted(event: &DecisionEvent<'_>) -> bool {
    let is_given = matches!(
        event.reason,
        Reason::Override
            | Reason::SystemTemp
            | Reason::Disposable
            | Reason::Scratch
            | Reason::Human
            | Reason::TrustedTool
    );
    let has_failed = event.verdict == Verdict::Allow && event.errno != 0;
    // Temporary places outside zones are no entries of the policy.
    let is_temporary = || {
        let is_below = |place: &&[u8]| event.path.starts_with(place);
        TEMPORARY.iter().any(is_below)
    };
    event.operation == OperationKind::Unlink && !is_given && !has_failed && !is_temporary()
}

fn slot(second: u64) -> usize {
    usize::try_from(second % SECONDS as u64).expect("below ten")
}

const SECONDS: usize = 10;
const _: () = assert!(SECONDS as u64 == MASS_WINDOW.as_secs());
const NANOSECONDS: u64 = 1_000_000_000;
/// Some 200 KB when full.
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
    use crate::testing::denial;
    use guard_core::verdict::Answer;

    /// An unknown actor's removal outside all zones, at this time.
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

    fn told<'a>(events: impl IntoIterator<Item = DecisionEvent<'a>>) -> Vec<(Tally, bool)> {
        let mut deletions = Deletions::default();
        let events = events.into_iter();
        events.filter_map(|event| deletions.look(&event)).collect()
    }

    #[test]
    fn many_outside_zones_are_one_as_well() {
        let found = told((0..MASS).map(|number| removal(number * 40)));
        let expected = Tally {
            count: MASS,
            denied: 0,
        };
        assert_eq!(found, [(expected, true)]);
    }

    #[test]
    fn few_at_a_time_are_none() {
        // 19 a second: 190 in any ten.
        assert_eq!(
            told((0..5000).map(|number| removal(number * 1000 / 19))),
            []
        );
        assert_eq!(told((0..MASS - 1).map(|_| removal(7))), []);
    }

    #[test]
    fn after_a_quiet_the_next_is_told_again() {
        let burst = |at: u64| (0..MASS).map(move |_| removal(at));
        assert_eq!(told(burst(0).chain(burst(60_000))).len(), 2);
        assert_eq!(told(burst(0).chain(burst(5_000))).len(), 1, "it goes on");
    }

    #[test]
    fn sessions_are_apart() {
        let of_two = (0..2 * MASS - 2).map(|number| DecisionEvent {
            session: if number % 2 == 0 { b"a" } else { b"b" },
            ..removal(0)
        });
        assert_eq!(told(of_two), []);
    }

    #[test]
    fn what_was_given_away_is_none() {
        let many = |event: DecisionEvent<'static>| told((0..2 * MASS).map(move |_| event)).len();
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
        assert_eq!(
            many(DecisionEvent {
                operation: OperationKind::Rename,
                ..removal(0)
            }),
            0
        );
    }

    #[test]
    fn a_clock_that_jumps_loses_the_window_and_nothing_else() {
        let mut events: Vec<_> = (0..MASS - 1)
            .map(|_| removal(u64::MAX / 1_000_000))
            .collect();
        events.extend((0..MASS - 1).map(|_| removal(3)));
        assert_eq!(told(events.clone()), []);
        events.push(removal(3));
        assert_eq!(told(events).len(), 1);
        let late_thread = (0..MASS).map(|number| removal(20_000 - number % 2 * 3_000));
        assert_eq!(told(late_thread).len(), 1);
    }
}
