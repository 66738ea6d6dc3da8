//! The clock of messages and deadlines.

use crate::raw::clock;
use std::time::Duration;

/// The clock of [`MessageView::mach_time`](crate::MessageView::mach_time) and
/// [`MessageView::deadline`](crate::MessageView::deadline): `mach_absolute_time`, which does not
/// advance while the machine sleeps, and its rate.
///
/// A tick is 125/3 ns on Apple silicon and 1 ns on Intel and under Rosetta.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clock {
    numerator: u32,
    denominator: u32,
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        let (numerator, denominator) = clock::timebase();
        Self {
            numerator: numerator.max(1),
            denominator: denominator.max(1),
        }
    }

    /// The time, in ticks since some moment at boot.
    #[must_use]
    pub fn now(&self) -> u64 {
        clock::now()
    }

    /// How long so many ticks take; at most 584 years.
    #[must_use]
    pub fn duration(&self, ticks: u64) -> Duration {
        let nanoseconds =
            u128::from(ticks) * u128::from(self.numerator) / u128::from(self.denominator);
        Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }

    /// How many whole ticks so long a time takes; at most `u64::MAX`.
    #[must_use]
    pub fn ticks(&self, duration: Duration) -> u64 {
        let nanoseconds = duration.as_nanos().min(u128::from(u64::MAX));
        let ticks = nanoseconds * u128::from(self.denominator) / u128::from(self.numerator);
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }

    /// The time until `then`; zero if that is past.
    #[must_use]
    pub fn until(&self, then: u64) -> Duration {
        self.duration(then.saturating_sub(self.now()))
    }

    /// The time since `then`; zero if that is in the future.
    #[must_use]
    pub fn since(&self, then: u64) -> Duration {
        self.duration(self.now().saturating_sub(then))
    }
}

#[cfg(test)]
mod tests {
    use super::Clock;
    use std::time::Duration;

    #[test]
    fn ticks_are_time_at_the_clock_s_rate() {
        let apple = Clock {
            numerator: 125,
            denominator: 3,
        };
        assert_eq!(apple.duration(24_000_000), Duration::from_secs(1));
        assert_eq!(apple.ticks(Duration::from_secs(1)), 24_000_000);
        let intel = Clock {
            numerator: 1,
            denominator: 1,
        };
        assert_eq!(intel.duration(7), Duration::from_nanos(7));
        assert_eq!(intel.ticks(Duration::from_nanos(7)), 7);
        // No sum overflows, however far away the deadline is.
        assert_eq!(apple.duration(u64::MAX), Duration::from_nanos(u64::MAX));
        assert_eq!(intel.ticks(Duration::MAX), u64::MAX);
    }
}
