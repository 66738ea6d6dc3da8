//! Work that is done at most once in a while by a loop that polls.

use std::time::{Duration, Instant};

/// Knows when something is due again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timer {
    interval: Duration,
    last: Option<Instant>,
}

// === impl Timer ===

impl Timer {
    /// Due at once, then once per `interval`.
    pub(crate) const fn new(interval: Duration) -> Self {
        Self {
            interval,
            last: None,
        }
    }

    /// Due for the first time one `interval` after `now`.
    pub(crate) const fn starting_at(interval: Duration, now: Instant) -> Self {
        Self {
            interval,
            last: Some(now),
        }
    }

    /// Whether it is due at `now`; the next interval then begins.
    pub(crate) fn is_due(&mut self, now: Instant) -> bool {
        let is_due = self
            .last
            .is_none_or(|last| now.duration_since(last) >= self.interval);
        if is_due {
            self.last = Some(now);
        }
        is_due
    }

    /// Changes the interval: it is due again that long after it last was.
    pub(crate) const fn set_interval(&mut self, interval: Duration) {
        self.interval = interval;
    }

    /// Makes it due at once.
    pub(crate) const fn expire(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_due_once_per_interval() {
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let mut timer = Timer::new(Duration::from_secs(60));
        let due = [0, 1, 59, 60, 61, 119, 120].map(|second| timer.is_due(at(second)));
        assert_eq!(due, [true, false, false, true, false, false, true]);
        timer.expire();
        assert!(timer.is_due(at(121)));
        timer.set_interval(Duration::from_secs(2));
        assert_eq!(
            [122, 123].map(|second| timer.is_due(at(second))),
            [false, true]
        );
        let mut timer = Timer::starting_at(Duration::from_secs(60), start);
        assert_eq!(
            [0, 59, 60].map(|second| timer.is_due(at(second))),
            [false, false, true]
        );
    }
}
