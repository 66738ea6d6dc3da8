//! Waiting for a condition, never for a time.

use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take. Much more than it does, on a machine that is busy otherwise.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Waits until a condition holds.
///
/// # Panics
///
/// With `what`, when it does not hold by the [`DEADLINE`].
#[track_caller]
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    found(what, || holds().then_some(()));
}

/// Waits until there is a value.
///
/// # Panics
///
/// With `what`, when there is none by the [`DEADLINE`].
#[track_caller]
pub fn found<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = find() {
            return value;
        }
        assert!(
            start.elapsed() < DEADLINE,
            "not within {DEADLINE:?}: {what}"
        );
        thread::park_timeout(PAUSE);
    }
}

const PAUSE: Duration = Duration::from_millis(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_waited_for() {
        let mut left = 3;
        let found = found("three rounds", || {
            left -= 1;
            (left == 0).then_some("done")
        });
        assert_eq!(found, "done");
        eventually("one round", || true);
    }
}
