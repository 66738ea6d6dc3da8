//! Sending the metrics, now and then.
//!
//! They are cumulative: what did not arrive is in what is sent next, so nothing is queued, and a
//! failed attempt drops nothing.

use super::answer::Answer;
use super::link::Link;
use super::metrics::{Span, convert, string};
use super::names;
use super::sender::{LONGEST_PAUSE, Reporter, SHORTEST_PAUSE, attempt, jittered};
use crate::metrics::catalogue::Signal;
use crate::metrics::{Metrics, SignalMetrics};
use crate::time::wall_ns;
use opentelemetry_proto::tonic::resource::v1::Resource;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, SystemTime};

/// What sends the metrics.
#[derive(Debug)]
pub(super) struct Pulse {
    pub(super) link: Link,
    pub(super) registry: Metrics,
    pub(super) metrics: SignalMetrics,
    pub(super) interval: Duration,
    pub(super) started_ns: u64,
}

// === impl Pulse ===

impl Pulse {
    /// Sends at each interval until `stop` hangs up, and then for the last time.
    pub(super) fn run(self, stop: &Receiver<()>) {
        let mut reporter = Reporter::new(Signal::Metrics);
        let mut pause = SHORTEST_PAUSE;
        let mut wait = self.interval;
        loop {
            let is_over = stop.recv_timeout(wait) != Err(RecvTimeoutError::Timeout);
            let answer = self.send();
            reporter.report(&answer);
            if is_over {
                return;
            }
            wait = match answer {
                Answer::Again { after, .. } => {
                    let wait = jittered(after.map_or(pause, |after| after.max(pause)));
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    wait.min(self.interval)
                }
                Answer::Taken { .. } | Answer::Refused { .. } => {
                    pause = SHORTEST_PAUSE;
                    self.interval
                }
            };
        }
    }

    fn send(&self) -> Answer {
        let span = Span {
            start_ns: self.started_ns,
            now_ns: wall_ns(SystemTime::now()),
        };
        let resource = Resource {
            attributes: self
                .link
                .resource()
                .iter()
                .map(|(name, value)| string(name, value))
                .collect(),
            ..Resource::default()
        };
        let families = self.registry.families();
        let (metrics, points) = convert(&families, resource, names::SCOPE, span);
        let items = usize::try_from(points).unwrap_or(usize::MAX);
        let answer = attempt(Signal::Metrics, items, || self.link.send_metrics(metrics));
        match &answer {
            Answer::Taken { rejected, .. } => {
                let rejected = (*rejected).min(points);
                self.metrics.exported.inc_by(points - rejected);
                self.metrics.dropped.inc_by(rejected);
            }
            Answer::Again { .. } | Answer::Refused { .. } => self.metrics.failures.inc(),
        }
        answer
    }
}
