//! What the exporter says on standard error, and not too often.
//!
//! A condition that repeats (a full disk, a port that is taken) has a [`Notice`] of its own, which
//! speaks at once, then at most once a minute.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

/// The right to speak of one condition.
#[derive(Debug, Default)]
pub struct Notice {
    spoke: Option<Instant>,
}

/// Says `text` on standard error. That nobody hears it, since the other end is gone, is no failure.
pub fn say(text: impl Display) {
    let line = format!("guard-exporter: {text}\n");
    drop(io::stderr().lock().write_all(line.as_bytes()));
}

// === impl Notice ===

impl Notice {
    /// Says `text` unless this condition was spoken of within the last minute before `now`.
    pub fn say_at(&mut self, now: Instant, text: impl Display) {
        if self.may_speak(now) {
            say(text);
        }
    }

    fn may_speak(&mut self, now: Instant) -> bool {
        let silent = self
            .spoke
            .is_none_or(|spoke| now.duration_since(spoke) >= INTERVAL);
        if silent {
            self.spoke = Some(now);
        }
        silent
    }
}

const INTERVAL: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_speaks_at_once_and_then_once_a_minute() {
        let mut notice = Notice::default();
        let start = Instant::now();
        let spoken = [0, 1, 59, 60, 61, 119, 120]
            .map(|second| notice.may_speak(start + Duration::from_secs(second)));
        assert_eq!(spoken, [true, false, false, true, false, false, true]);
    }
}
