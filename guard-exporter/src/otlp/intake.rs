//! Where the reading thread records what may be sent: it copies a decision into the queues of spans
//! and of log records, and never waits.

use super::item::{Decision, LogItem, RingId, SpanItem};
use super::outlet::Outlet;
use crate::detect::Detection;
use guard_core::DecisionEvent;
use guard_core::event::TraceContext;
use guard_core::verdict::Verdict;
use std::sync::Arc;

/// Where the reading thread hands in what there is to send. A clone is the same.
#[derive(Clone, Debug, Default)]
pub struct Intake {
    pub(super) spans: Outlet<SpanItem>,
    pub(super) records: Outlet<LogItem>,
    /// Of 2⁶⁴ allowed operations so many become spans.
    pub(super) sampled: u64,
    pub(super) dice: u64,
}

// === impl Intake ===

impl Intake {
    /// Hands in an allowed operation, of which some become spans.
    pub fn allowed(&mut self, event: &DecisionEvent<'_>, ring: RingId) {
        if self.sampled == 0 {
            return;
        }
        // xorshift: which ones is nobody's secret.
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        if self.dice <= self.sampled {
            let decision = Arc::new(Decision::new(event, ring));
            let size = decision.size();
            self.spans.offer(size, || SpanItem::Decision(decision));
        }
    }

    /// Hands in a denial, which becomes a span and a log record.
    pub fn denial(&self, event: &DecisionEvent<'_>, ring: RingId) {
        debug_assert_ne!(event.verdict, Verdict::Allow);
        if matches!(
            (&self.spans, &self.records),
            (Outlet::Closed, Outlet::Closed)
        ) {
            return;
        }
        let decision = Arc::new(Decision::new(event, ring));
        let size = decision.size();
        self.spans
            .offer(size, || SpanItem::Decision(Arc::clone(&decision)));
        self.records.offer(size, || LogItem::Denial(decision));
    }

    /// Hands in a detection, which becomes a log record; `trace` is that of the decision which
    /// completed it.
    pub fn detection(&self, detection: &Arc<Detection>, trace: Option<TraceContext>) {
        let size = size_of::<Detection>() + detection.path.len() + detection.session.len();
        self.records
            .offer(size, || LogItem::Detection(Arc::clone(detection), trace));
    }
}

/// A part, 0 to 1, of 2⁶⁴.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a ratio to one in 2⁵³ will do, and floats saturate"
)]
pub(super) fn threshold(ratio: f64) -> u64 {
    (ratio * u64::MAX as f64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;
    use crate::metrics::catalogue::Signal;
    use crate::testing::denial;

    #[test]
    fn as_many_allowed_operations_are_sampled_as_was_said() {
        let event = DecisionEvent {
            verdict: Verdict::Allow,
            trace: None,
            ..denial(0)
        };
        for (ratio, least, most) in [(0.0, 0, 0), (0.25, 2200, 2800), (1.0, 10_000, 10_000)] {
            let metrics = Metrics::new().otlp.of(Signal::Traces);
            let mut intake = Intake {
                spans: Outlet::Blocked(metrics.clone()),
                sampled: threshold(ratio),
                dice: 0x5eed,
                ..Intake::default()
            };
            for _ in 0..10_000 {
                intake.allowed(&event, [0; 16]);
            }
            let sampled = metrics.dropped.get();
            assert!((least..=most).contains(&sampled), "{ratio}: {sampled}");
        }
    }
}
