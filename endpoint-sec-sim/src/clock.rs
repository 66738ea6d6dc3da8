//! The clock of a simulated Mac.
//!
//! It counts nanoseconds since boot and shows them as mach ticks. A test moves it by hand, so that
//! a deadline passes when the test says so; a bench may let it run with the host's clock instead.
//! Wall time is a fixed date at boot plus the time since.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The length of a mach tick, as `mach_timebase_info` returns it: a tick is `numer / denom`
/// nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timebase {
    /// Nanoseconds in `denom` ticks.
    pub numer: u32,
    /// Ticks in `numer` nanoseconds.
    pub denom: u32,
}

/// A clock that is moved by hand or runs with the host.
#[derive(Debug)]
pub(crate) struct Clock {
    timebase: Timebase,
    /// Nanoseconds since boot. Written by `advance` alone; a relaxed counter that orders nothing
    /// else.
    nanos: AtomicU64,
    /// When the machine was made, if its clock runs by itself.
    started: Option<Instant>,
}

// === impl Timebase ===

impl Timebase {
    /// Native programs on Apple silicon: 125/3.
    pub const APPLE_SILICON: Self = Self {
        numer: 125,
        denom: 3,
    };
    /// Intel machines, and programs under Rosetta: 1/1.
    pub const INTEL: Self = Self { numer: 1, denom: 1 };

    /// Whole ticks in a number of nanoseconds.
    #[must_use]
    pub fn ticks(self, nanos: u64) -> u64 {
        scale(nanos, self.denom, self.numer)
    }

    /// Whole nanoseconds in a number of ticks.
    #[must_use]
    pub fn nanos(self, ticks: u64) -> u64 {
        scale(ticks, self.numer, self.denom)
    }
}

// === impl Clock ===

impl Clock {
    pub(crate) fn new(timebase: Timebase, runs: bool) -> Self {
        Self {
            timebase,
            nanos: AtomicU64::new(AT_START.as_nanos().try_into().unwrap_or(u64::MAX)),
            started: runs.then(Instant::now),
        }
    }

    /// Nanoseconds since boot.
    pub(crate) fn nanos(&self) -> u64 {
        let passed = self.started.map_or(Duration::ZERO, |start| start.elapsed());
        self.nanos.load(Ordering::Relaxed) + whole_nanos(passed)
    }

    /// Mach ticks since boot.
    pub(crate) fn ticks(&self) -> u64 {
        self.timebase.ticks(self.nanos())
    }

    pub(crate) fn timebase(&self) -> Timebase {
        self.timebase
    }

    /// Whether time passes without `advance`.
    pub(crate) fn runs(&self) -> bool {
        self.started.is_some()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.nanos.fetch_add(whole_nanos(by), Ordering::Relaxed);
    }

    /// Wall time since 1970.
    pub(crate) fn wall(&self) -> Duration {
        BOOTED + Duration::from_nanos(self.nanos())
    }
}

/// Nanoseconds of a duration; a test that lives for 584 years gets the largest number.
pub(crate) fn whole_nanos(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap_or(u64::MAX)
}

fn scale(value: u64, by: u32, over: u32) -> u64 {
    let scaled = u128::from(value) * u128::from(by) / u128::from(over.max(1));
    scaled.try_into().unwrap_or(u64::MAX)
}

/// How long the machine has been up when a test begins: long enough that no subtraction passes
/// zero.
const AT_START: Duration = Duration::from_secs(1000);

/// The date of boot: 2026-09-14T12:00:00Z.
pub(crate) const BOOTED: Duration = Duration::from_secs(1_789_387_200);

#[cfg(test)]
mod tests {
    use super::{Clock, Timebase};
    use std::time::Duration;

    #[test]
    fn ticks_of_apple_silicon_are_41_nanoseconds() {
        assert_eq!(Timebase::APPLE_SILICON.ticks(1_000_000_000), 24_000_000);
        assert_eq!(Timebase::APPLE_SILICON.nanos(24_000_000), 1_000_000_000);
        assert_eq!(Timebase::INTEL.ticks(7), 7);
    }

    #[test]
    fn time_is_still_until_it_is_moved() {
        let clock = Clock::new(Timebase::INTEL, false);
        let before = clock.ticks();
        assert_eq!(clock.ticks(), before);
        clock.advance(Duration::from_millis(3));
        assert_eq!(clock.ticks() - before, 3_000_000);
    }
}
