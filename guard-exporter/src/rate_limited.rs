//! Messages about a condition that repeats, such as a full disk or a port that is taken.
//!
//! Each condition has a [`RateLimited`] of its own, which logs at once and then at most once a minute.

use crate::timer::Timer;
use std::fmt::Display;
use std::time::{Duration, Instant};

/// Logs one condition at most once a minute.
#[derive(Debug)]
pub(crate) struct RateLimited {
    timer: Timer,
}

// === impl RateLimited ===

impl RateLimited {
    /// Logs a warning, unless one was logged within the minute before `now`.
    pub(crate) fn warn(&mut self, now: Instant, message: impl Display) {
        if self.timer.is_due(now) {
            tracing::warn!("{message}");
        }
    }

    /// Logs an information, unless one was logged within the minute before `now`.
    pub(crate) fn info(&mut self, now: Instant, message: impl Display) {
        if self.timer.is_due(now) {
            tracing::info!("{message}");
        }
    }
}

impl Default for RateLimited {
    fn default() -> Self {
        Self {
            timer: Timer::new(INTERVAL),
        }
    }
}

const INTERVAL: Duration = Duration::from_secs(60);
