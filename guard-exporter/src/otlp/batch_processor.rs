//! Exports batch after batch, each until it is accepted, refused, or no time is left.
//!
//! Every item is counted: at any time the recorded items are those exported, those dropped and those
//! queued. A batch that cannot be delivered now is retried with growing pauses for as long as the
//! queue has room; once the queue is full and the batch was retried for [`MAX_RETRY_TIME`], it is
//! dropped. One that the collector finds too large is sent in halves.

use super::attempt::{Backoff, Reporter, attempt};
use super::outcome::ExportOutcome;
use super::queue::Queue;
use crate::metrics::SignalMetrics;
use crate::metrics::catalogue::Signal;
use std::time::{Duration, Instant};

/// Sends batches of one kind of items.
pub(super) trait BatchExporter {
    type Item;

    /// Sends a batch, once.
    fn export(&mut self, batch: &[Self::Item]) -> ExportOutcome;
}

/// Exports the items of a queue.
#[derive(Debug)]
pub(super) struct BatchProcessor<'q, E: BatchExporter> {
    pub(super) signal: Signal,
    pub(super) queue: &'q Queue<E::Item>,
    pub(super) exporter: E,
    pub(super) metrics: SignalMetrics,
}

// === impl BatchProcessor ===

impl<E: BatchExporter> BatchProcessor<'_, E> {
    /// Exports until the queue is closed and empty, or closed and the collector does not accept.
    pub(super) fn run(mut self) {
        let mut reporter = Reporter::new(self.signal);
        while let Some(batch) = self.queue.take() {
            let is_over = !self.deliver(&batch, &mut reporter);
            // Frees the memory before waiting for the next batch.
            drop(batch);
            if is_over {
                let left = self.queue.clear();
                self.count_dropped(left);
                return;
            }
        }
    }

    /// Delivers one batch. Returns whether there is time for another.
    fn deliver(&mut self, batch: &[E::Item], reporter: &mut Reporter) -> bool {
        let began = Instant::now();
        let mut backoff = Backoff::new();
        loop {
            let outcome = attempt(self.signal, batch.len(), || self.exporter.export(batch));
            reporter.report(&outcome);
            match outcome {
                ExportOutcome::Success { rejected, .. } => {
                    let rejected = usize::try_from(rejected).unwrap_or(usize::MAX);
                    let rejected = rejected.min(batch.len());
                    self.count_dropped(rejected);
                    let exported = batch.len() - rejected;
                    self.metrics.exported.inc_by(exported as u64);
                    self.metrics.queued.sub(signed(exported));
                    return true;
                }
                ExportOutcome::TooLarge { .. } if batch.len() > 1 => {
                    self.metrics.failures.inc();
                    let (first, second) = batch.split_at(batch.len() / 2);
                    let goes_on = self.deliver(first, reporter);
                    if !goes_on {
                        self.count_dropped(second.len());
                    }
                    return goes_on && self.deliver(second, reporter);
                }
                ExportOutcome::TooLarge { .. } | ExportOutcome::Failed { .. } => {
                    self.metrics.failures.inc();
                    self.count_dropped(batch.len());
                    return true;
                }
                ExportOutcome::Retryable { retry_after, .. } => {
                    self.metrics.failures.inc();
                    if self.queue.wait_closed(backoff.next(retry_after)) {
                        self.count_dropped(batch.len());
                        return false;
                    }
                    if began.elapsed() >= MAX_RETRY_TIME && self.queue.is_full() {
                        self.count_dropped(batch.len());
                        return true;
                    }
                }
            }
        }
    }

    fn count_dropped(&self, items: usize) {
        self.metrics.dropped.inc_by(items as u64);
        self.metrics.queued.sub(signed(items));
    }
}

fn signed(items: usize) -> i64 {
    i64::try_from(items).unwrap_or(i64::MAX)
}

/// How long a batch is retried while the queue is full.
const MAX_RETRY_TIME: Duration = Duration::from_secs(5 * 60);
