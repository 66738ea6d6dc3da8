//! How often the reading loop makes a pass.
//!
//! It polls, since a writer that woke its readers would need a system call. After a record the next
//! pass follows within milliseconds, and while nothing comes the pause grows to [`LONGEST_PAUSE`].
//! After [`QUIET`] without any it grows to [`QUIET_PAUSE`], so that an idle exporter costs little
//! processor time: a denial is then shown within a quarter of a second, and the ones after it within
//! milliseconds again.

use std::time::{Duration, Instant};

/// The pauses between passes.
#[derive(Debug)]
pub(crate) struct Pace {
    pause: Duration,
    /// When a record was last read, or a ring attached or removed.
    last_work: Instant,
}

/// What a pass found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// More is waiting.
    More,
    /// Records.
    Records,
    /// No record, but a ring that came or went.
    Rings,
    Nothing,
}

/// The longest pause while records come: that long a denial waits for its line.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause while none come.
pub(crate) const QUIET_PAUSE: Duration = Duration::from_millis(250);
/// How long none came then.
pub(crate) const QUIET: Duration = Duration::from_secs(10);

// === impl Pace ===

impl Pace {
    pub(crate) const fn new(now: Instant) -> Self {
        Self {
            pause: SHORTEST_PAUSE,
            last_work: now,
        }
    }

    /// The pause after a pass that began at `now`.
    pub(crate) fn after(&mut self, found: Found, now: Instant) -> Duration {
        if found != Found::Nothing {
            self.last_work = now;
        }
        self.pause = match found {
            Found::More => Duration::ZERO,
            Found::Records => SHORTEST_PAUSE,
            Found::Rings | Found::Nothing => {
                let longest = if self.is_quiet(now) {
                    QUIET_PAUSE
                } else {
                    LONGEST_PAUSE
                };
                (self.pause * 2).clamp(SHORTEST_PAUSE, longest)
            }
        };
        self.pause
    }

    /// How often directories are scanned, writers' locks are tried, and the guards' state is published.
    pub(crate) fn scan_interval(&self, now: Instant) -> Duration {
        if self.is_quiet(now) {
            QUIET_SCAN_INTERVAL
        } else {
            SCAN_INTERVAL
        }
    }

    fn is_quiet(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last_work) >= QUIET
    }
}

/// After a pass that read something.
const SHORTEST_PAUSE: Duration = Duration::from_millis(2);
pub(crate) const SCAN_INTERVAL: Duration = Duration::from_millis(200);
const QUIET_SCAN_INTERVAL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_while_nothing_comes() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        assert_eq!(pace.after(Found::Records, start), SHORTEST_PAUSE);
        for milliseconds in [4, 8, 16, 32, 50, 50] {
            let pause = pace.after(Found::Nothing, start);
            assert_eq!(pause, Duration::from_millis(milliseconds));
        }
        assert_eq!(pace.scan_interval(start), SCAN_INTERVAL);
        let later = start + QUIET;
        for milliseconds in [100, 200, 250, 250] {
            let pause = pace.after(Found::Nothing, later);
            assert_eq!(pause, Duration::from_millis(milliseconds));
        }
        assert_eq!(pace.scan_interval(later), QUIET_SCAN_INTERVAL);
    }

    #[test]
    fn what_comes_after_a_quiet_time_makes_it_quick_again() {
        let start = Instant::now();
        let later = start + QUIET;
        for (found, pause) in [
            (Found::More, Duration::ZERO),
            (Found::Records, SHORTEST_PAUSE),
            (Found::Rings, LONGEST_PAUSE),
        ] {
            let mut pace = Pace::new(start);
            for _ in 0..9 {
                pace.after(Found::Nothing, later);
            }
            assert_eq!(pace.after(found, later), pause, "{found:?}");
            assert_eq!(pace.scan_interval(later), SCAN_INTERVAL);
        }
    }
}
