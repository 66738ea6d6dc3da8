//! Sending batch after batch, each until it is taken, refused, or there is no more time.
//!
//! Whatever becomes of an item is counted: at any time what was offered is what was exported, what
//! was dropped, and what is queued. A batch that cannot be delivered now is tried again with growing
//! pauses, for as long as there is room for what comes after it; once the queue is full and the
//! batch was tried for [`PATIENCE`], it makes room.

use super::answer::Answer;
use super::queue::Queue;
use crate::metrics::SignalMetrics;
use crate::metrics::catalogue::Signal;
use crate::notice::{self, Notice};
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator};
use std::time::{Duration, Instant};
use tracing::field::{Empty, display};

/// Knows how to send one kind of items.
pub(super) trait Courier {
    /// What it sends.
    type Item;

    /// Sends a batch, once.
    fn send(&mut self, batch: &[Self::Item]) -> Answer;
}

/// Sends what is in a queue.
#[derive(Debug)]
pub(super) struct Sender<'q, C: Courier> {
    pub(super) signal: Signal,
    pub(super) queue: &'q Queue<C::Item>,
    pub(super) courier: C,
    pub(super) metrics: SignalMetrics,
}

/// What is said of attempts, and not too often.
#[derive(Debug)]
pub(super) struct Reporter {
    signal: Signal,
    trouble: Notice,
    loss: Notice,
    is_failing: bool,
}

// === impl Sender ===

impl<C: Courier> Sender<'_, C> {
    /// Sends until the queue is closed and empty, or closed and the collector does not answer well.
    pub(super) fn run(mut self) {
        let mut reporter = Reporter::new(self.signal);
        while let Some(batch) = self.queue.take() {
            let is_over = !self.deliver(&batch, &mut reporter);
            // Whose memory it was may be asked for again.
            drop(batch);
            if is_over {
                let left = self.queue.clear();
                self.drop_items(left);
                return;
            }
        }
    }

    /// Sends one batch. Returns whether there is time for another.
    fn deliver(&mut self, batch: &[C::Item], reporter: &mut Reporter) -> bool {
        let began = Instant::now();
        let mut pause = SHORTEST_PAUSE;
        loop {
            let answer = attempt(self.signal, batch.len(), || self.courier.send(batch));
            reporter.report(&answer);
            match answer {
                Answer::Taken { rejected, .. } => {
                    let rejected = usize::try_from(rejected).unwrap_or(usize::MAX);
                    let rejected = rejected.min(batch.len());
                    self.drop_items(rejected);
                    let taken = (batch.len() - rejected) as u64;
                    self.metrics.exported.inc_by(taken);
                    self.metrics.queued.sub(count(batch.len() - rejected));
                    return true;
                }
                Answer::Refused { .. } => {
                    self.metrics.failures.inc();
                    self.drop_items(batch.len());
                    return true;
                }
                Answer::Again { after, .. } => {
                    self.metrics.failures.inc();
                    let wait = after.map_or(pause, |after| after.max(pause));
                    if self.queue.wait_closed(jittered(wait)) {
                        self.drop_items(batch.len());
                        return false;
                    }
                    if began.elapsed() >= PATIENCE && self.queue.is_full() {
                        self.drop_items(batch.len());
                        return true;
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    fn drop_items(&self, items: usize) {
        self.metrics.dropped.inc_by(items as u64);
        self.metrics.queued.sub(count(items));
    }
}

// === impl Reporter ===

impl Reporter {
    pub(super) fn new(signal: Signal) -> Self {
        Self {
            signal,
            trouble: Notice::default(),
            loss: Notice::default(),
            is_failing: false,
        }
    }

    /// Says on standard error what is wrong, and when it is right again.
    pub(super) fn report(&mut self, answer: &Answer) {
        let signal = self.signal.as_str();
        let now = Instant::now();
        match answer {
            Answer::Taken { rejected, why } => {
                if *rejected > 0 {
                    self.loss.warn_at(
                        now,
                        format_args!("the collector rejects {rejected} of {signal}: {why}"),
                    );
                }
                if self.is_failing {
                    notice::say(format_args!("{signal} reach the collector again"));
                }
                self.is_failing = false;
            }
            Answer::Again { why, .. } => {
                self.is_failing = true;
                let text = format_args!("{signal} do not reach the collector: {why}; trying again");
                self.trouble.warn_at(now, text);
            }
            Answer::Refused { why } => {
                self.is_failing = true;
                let text = format_args!("{signal} are refused and dropped: {why}");
                self.loss.warn_at(now, text);
            }
        }
    }
}

/// One attempt, which is a span of its own when it fails. Of failures to send spans no span tells: it
/// would go the same way, and its failure make another, without end.
pub(super) fn attempt(signal: Signal, items: usize, send: impl FnOnce() -> Answer) -> Answer {
    if signal == Signal::Traces {
        return send();
    }
    let span = tracing::info_span!(
        "export",
        guard.otlp.signal = signal.as_str(),
        guard.otlp.items = items.cast_signed(),
        error.r#type = Empty,
        otel.status_description = Empty,
    );
    let _entered = span.enter();
    let answer = send();
    let (kind, why) = match &answer {
        Answer::Taken { .. } => return answer,
        Answer::Again { why, .. } => ("unavailable", why),
        Answer::Refused { why } => ("refused", why),
    };
    span.record("error.type", kind);
    span.record("otel.status_description", display(why));
    answer
}

fn count(items: usize) -> i64 {
    i64::try_from(items).unwrap_or(i64::MAX)
}

/// Up to a fifth more, so that many exporters do not come at once.
pub(super) fn jittered(pause: Duration) -> Duration {
    let [dice, ..] = RandomIdGenerator::default().new_span_id().to_bytes();
    pause + pause / 5 * u32::from(dice) / 255
}

/// Before the second attempt.
pub(super) const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
/// Between later attempts.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long a batch keeps its place while there is no room for others.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
