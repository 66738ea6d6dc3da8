//! Exports the metrics at an interval.
//!
//! They are cumulative: what did not arrive is part of the next export, so nothing is queued, and a
//! failed attempt drops nothing.

use super::attempt::{Backoff, Reporter, attempt};
use super::connection::Connection;
use super::metrics::{CollectionInterval, convert};
use super::names;
use super::outcome::ExportOutcome;
use crate::metrics::catalogue::Signal;
use crate::metrics::{Metrics, SignalMetrics};
use guard_report::time;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// Reads the registry and exports what it holds.
#[derive(Debug)]
pub(super) struct PeriodicReader {
    pub(super) connection: Connection,
    pub(super) registry: Metrics,
    pub(super) metrics: SignalMetrics,
    pub(super) interval: Duration,
    pub(super) started_ns: u64,
}

// === impl PeriodicReader ===

impl PeriodicReader {
    /// Exports at each interval until `stop` hangs up, and then for the last time.
    pub(super) fn run(self, stop: &Receiver<()>) {
        let mut reporter = Reporter::new(Signal::Metrics);
        let mut backoff = Backoff::new();
        let mut wait = self.interval;
        loop {
            let is_over = stop.recv_timeout(wait) != Err(RecvTimeoutError::Timeout);
            let outcome = self.export();
            reporter.report(&outcome);
            if is_over {
                return;
            }
            wait = match outcome {
                ExportOutcome::Retryable { retry_after, .. } => {
                    backoff.next(retry_after).min(self.interval)
                }
                ExportOutcome::Success { .. }
                | ExportOutcome::TooLarge { .. }
                | ExportOutcome::Failed { .. } => {
                    backoff = Backoff::new();
                    self.interval
                }
            };
        }
    }

    fn export(&self) -> ExportOutcome {
        let interval = CollectionInterval {
            start_ns: self.started_ns,
            end_ns: time::now_ns(),
        };
        let families = self.registry.families();
        let resource = self.connection.resource();
        let (metrics, points) = convert(&families, resource, names::SCOPE, interval);
        let items = usize::try_from(points).unwrap_or(usize::MAX);
        let outcome = attempt(Signal::Metrics, items, || {
            self.connection.export_metrics(metrics)
        });
        match &outcome {
            ExportOutcome::Success { rejected, .. } => {
                let rejected = (*rejected).min(points);
                self.metrics.exported.inc_by(points - rejected);
                self.metrics.dropped.inc_by(rejected);
            }
            ExportOutcome::Retryable { .. }
            | ExportOutcome::TooLarge { .. }
            | ExportOutcome::Failed { .. } => {
                self.metrics.failures.inc();
            }
        }
        outcome
    }
}
