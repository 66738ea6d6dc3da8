//! One attempt to export, its span and its messages, and the pause before the next one.

use super::outcome::ExportOutcome;
use crate::metrics::catalogue::Signal;
use crate::rate_limited::RateLimited;
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator};
use std::time::{Duration, Instant};
use tracing::field::{Empty, display};

/// The pauses between attempts, which double until the longest.
#[derive(Debug)]
pub(super) struct Backoff {
    pause: Duration,
}

/// Logs how exporting a signal goes, without repeating itself too often.
#[derive(Debug)]
pub(super) struct Reporter {
    signal: Signal,
    unavailable: RateLimited,
    rejected: RateLimited,
    is_failing: bool,
}

/// Makes one attempt, which has a span of its own when it fails. Failed attempts to send spans have
/// none: it would fail the same way, and its failure would make another, without end.
pub(super) fn attempt(
    signal: Signal,
    items: usize,
    export: impl FnOnce() -> ExportOutcome,
) -> ExportOutcome {
    if signal == Signal::Traces {
        return export();
    }
    let span = tracing::info_span!(
        "export",
        guard.otlp.signal = signal.as_str(),
        guard.otlp.items = items.cast_signed(),
        error.r#type = Empty,
        otel.status_description = Empty,
    );
    let _entered = span.enter();
    let outcome = export();
    let (kind, reason) = match &outcome {
        ExportOutcome::Success { .. } => return outcome,
        ExportOutcome::Retryable { reason, .. } => ("unavailable", reason),
        ExportOutcome::TooLarge { reason } | ExportOutcome::Failed { reason } => {
            ("refused", reason)
        }
    };
    span.record("error.type", kind);
    span.record("otel.status_description", display(reason));
    outcome
}

// === impl Backoff ===

impl Backoff {
    pub(super) const fn new() -> Self {
        Self {
            pause: SHORTEST_PAUSE,
        }
    }

    /// The pause before the next attempt, not shorter than the collector asked for.
    pub(super) fn next(&mut self, retry_after: Option<Duration>) -> Duration {
        let pause = retry_after.map_or(self.pause, |after| after.max(self.pause));
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        jittered(pause)
    }
}

// === impl Reporter ===

impl Reporter {
    pub(super) fn new(signal: Signal) -> Self {
        Self {
            signal,
            unavailable: RateLimited::default(),
            rejected: RateLimited::default(),
            is_failing: false,
        }
    }

    pub(super) fn report(&mut self, outcome: &ExportOutcome) {
        let signal = self.signal.as_str();
        let now = Instant::now();
        match outcome {
            ExportOutcome::Success { rejected, message } => {
                if *rejected > 0 {
                    self.rejected.warn(
                        now,
                        format_args!("the collector rejects {rejected} of {signal}: {message}"),
                    );
                }
                if self.is_failing {
                    tracing::info!("{signal} reach the collector again");
                }
                self.is_failing = false;
            }
            ExportOutcome::Retryable { reason, .. } => {
                self.is_failing = true;
                self.unavailable.warn(
                    now,
                    format_args!("{signal} do not reach the collector: {reason}; trying again"),
                );
            }
            ExportOutcome::TooLarge { reason } | ExportOutcome::Failed { reason } => {
                self.is_failing = true;
                self.rejected.warn(
                    now,
                    format_args!("{signal} are refused and dropped: {reason}"),
                );
            }
        }
    }
}

/// Up to a fifth longer, so that many exporters do not try at the same time.
fn jittered(pause: Duration) -> Duration {
    let [random, ..] = RandomIdGenerator::default().new_span_id().to_bytes();
    pause + pause / 5 * u32::from(random) / 255
}

/// Before the second attempt.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_respect_the_collector() {
        let mut backoff = Backoff::new();
        let at_least = |pause: Duration, least: Duration| {
            assert!(pause >= least && pause <= least * 6 / 5, "{pause:?}");
        };
        at_least(backoff.next(None), SHORTEST_PAUSE);
        at_least(backoff.next(None), SHORTEST_PAUSE * 2);
        at_least(backoff.next(Some(Duration::ZERO)), SHORTEST_PAUSE * 4);
        let minute = Duration::from_secs(60);
        at_least(backoff.next(Some(minute)), minute);
        for _ in 0..10 {
            backoff.next(None);
        }
        at_least(backoff.next(None), LONGEST_PAUSE);
    }
}
