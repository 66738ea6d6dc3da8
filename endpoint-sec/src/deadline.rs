//! How much of the time to a deadline a handler may use.

use std::time::Duration;

/// Which part of the time to a deadline the handler has; what is left over is for the default
/// answer to arrive in time.
///
/// The standard budget leaves a fifth of the time over, but at least a second and at most five; of
/// a time so short that a second is more than half of it, half. Deadlines differ from message to
/// message and from release to release; macOS 14.4 made many of them shorter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    /// What is left over at least, unless that is more than half of the time.
    pub least_headroom: Duration,
    /// What is left over at most.
    pub most_headroom: Duration,
    /// Which part of the time is left over between the two: one in so many.
    pub one_in: u32,
}

impl Budget {
    /// How much of `left`, the time to the deadline, the handler may take.
    #[must_use]
    pub fn of(&self, left: Duration) -> Duration {
        let headroom = (left / self.one_in.max(1))
            .min(self.most_headroom)
            .max(self.least_headroom)
            .min(left / 2);
        left - headroom
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            least_headroom: Duration::from_secs(1),
            most_headroom: Duration::from_secs(5),
            one_in: 5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;
    use std::time::Duration;

    #[test]
    fn the_handler_has_four_fifths_within_bounds() {
        let cases = [
            // A minute: five seconds are enough.
            (60_000, 55_000),
            (25_000, 20_000),
            // Between the bounds: four fifths.
            (15_000, 12_000),
            (10_000, 8_000),
            // A second at least.
            (5_000, 4_000),
            (3_000, 2_000),
            // But never more than half.
            (2_000, 1_000),
            (1_000, 500),
            (10, 5),
            (0, 0),
        ];
        let budget = Budget::default();
        for (left, expected) in cases {
            let left = Duration::from_millis(left);
            assert_eq!(budget.of(left), Duration::from_millis(expected), "{left:?}");
        }
    }
}
