//! Points in time, as messages have them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds and nanoseconds since 1970 (`struct timespec`).
///
/// A program may ask for any two numbers (`utimes`), so they are kept as they are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TimeSpec {
    /// Whole seconds; negative before 1970.
    pub seconds: i64,
    /// Nanoseconds on top of them, 0 to 999,999,999 for a real time.
    pub nanoseconds: i64,
}

impl TimeSpec {
    /// The same as a [`SystemTime`]; `None` if it is no real time.
    #[must_use]
    pub fn to_system_time(self) -> Option<SystemTime> {
        let nanoseconds = u32::try_from(self.nanoseconds)
            .ok()
            .filter(|n| *n < 1_000_000_000)?;
        let seconds = Duration::from_secs(self.seconds.unsigned_abs());
        let whole = if self.seconds < 0 {
            UNIX_EPOCH.checked_sub(seconds)?
        } else {
            UNIX_EPOCH.checked_add(seconds)?
        };
        whole.checked_add(Duration::new(0, nanoseconds))
    }
}

#[cfg(test)]
mod tests {
    use super::TimeSpec;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn only_real_times_are_system_times() {
        let time = |seconds, nanoseconds| {
            TimeSpec {
                seconds,
                nanoseconds,
            }
            .to_system_time()
        };
        assert_eq!(time(3, 5), Some(UNIX_EPOCH + Duration::new(3, 5)));
        let before = UNIX_EPOCH - Duration::from_secs(2) + Duration::from_nanos(5);
        assert_eq!(time(-2, 5), Some(before));
        assert_eq!(time(0, 1_000_000_000), None);
        assert_eq!(time(0, -1), None);
    }
}
