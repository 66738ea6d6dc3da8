//! Waiting for what other processes of the demo do.

use std::time::{Duration, Instant};

/// Asks until there is an answer, or the time is over.
pub(super) fn await_condition<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if start.elapsed() > TIMEOUT {
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// How long the demo waits for another process.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
