//! Where the reading thread records what is exported: it copies a decision into the queues of spans
//! and of log records, and never waits.

use super::item::{LogItem, RecordedDecision, RecordedRequest, RingId, SpanItem};
use super::signal_queue::SignalQueue;
use crate::detect::Detection;
use guard_core::DecisionEvent;
use guard_core::event::{RequestEvent, TraceContext};
use guard_core::verdict::Verdict;
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator};
use std::sync::Arc;

/// Records decisions and detections. A clone records into the same queues.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    pub(super) spans: SignalQueue<SpanItem>,
    pub(super) logs: SignalQueue<LogItem>,
    sampler: Sampler,
}

/// Samples a ratio of allowed operations.
#[derive(Clone, Debug, Default)]
struct Sampler {
    /// Of 2⁶⁴ operations this many are sampled.
    threshold: u64,
    /// The state of a xorshift generator: which operations are sampled is no secret.
    rng: u64,
}

// === impl Recorder ===

impl Recorder {
    pub(super) fn new(
        spans: SignalQueue<SpanItem>,
        logs: SignalQueue<LogItem>,
        allowed_ratio: f64,
    ) -> Self {
        let seed = RandomIdGenerator::default().new_span_id().to_bytes();
        Self {
            spans,
            logs,
            sampler: Sampler::new(allowed_ratio, u64::from_ne_bytes(seed)),
        }
    }

    /// Records an allowed operation, if it is sampled, for a span.
    pub fn allowed(&mut self, event: &DecisionEvent<'_>, ring: RingId) {
        if self.sampler.sample() {
            let decision = Arc::new(RecordedDecision::new(event, ring));
            let size = decision.size();
            self.spans.push(size, || SpanItem::Decision(decision));
        }
    }

    /// Records an allowed operation before which something was, or was to be, preserved: for a log
    /// record, and, if it is sampled, for a span.
    pub fn changed(&mut self, event: &DecisionEvent<'_>, ring: RingId) {
        let is_sampled = self.sampler.sample();
        if !is_sampled && matches!(self.logs, SignalQueue::Disabled) {
            return;
        }
        let decision = Arc::new(RecordedDecision::new(event, ring));
        let size = decision.size();
        if is_sampled {
            self.spans
                .push(size, || SpanItem::Decision(Arc::clone(&decision)));
        }
        self.logs.push(size, || LogItem::Change(decision));
    }

    /// Records a denial for a span and a log record.
    pub fn denial(&self, event: &DecisionEvent<'_>, ring: RingId) {
        debug_assert_ne!(event.verdict, Verdict::Allow);
        if matches!(
            (&self.spans, &self.logs),
            (SignalQueue::Disabled, SignalQueue::Disabled)
        ) {
            return;
        }
        let decision = Arc::new(RecordedDecision::new(event, ring));
        let size = decision.size();
        self.spans
            .push(size, || SpanItem::Decision(Arc::clone(&decision)));
        self.logs.push(size, || LogItem::Denial(decision));
    }

    /// Records a step of a request for a span and a log record.
    pub fn request(&self, event: &RequestEvent<'_>, ring: RingId) {
        let request = Arc::new(RecordedRequest::new(event, ring));
        let size = request.size();
        self.spans
            .push(size, || SpanItem::Request(Arc::clone(&request)));
        self.logs.push(size, || LogItem::Request(request));
    }

    /// Records a detection for a log record; `trace` is that of the decision that completed it.
    pub fn detection(&self, detection: &Arc<Detection>, trace: Option<TraceContext>) {
        let size = size_of::<Detection>() + detection.path.len() + detection.session.len();
        self.logs
            .push(size, || LogItem::Detection(Arc::clone(detection), trace));
    }
}

// === impl Sampler ===

impl Sampler {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a ratio is precise enough to one in 2⁵³, and the conversion saturates"
    )]
    fn new(ratio: f64, seed: u64) -> Self {
        Self {
            threshold: (ratio * u64::MAX as f64) as u64,
            rng: seed | 1,
        }
    }

    fn sample(&mut self) -> bool {
        if self.threshold == 0 {
            return false;
        }
        self.rng ^= self.rng << 13;
        self.rng ^= self.rng >> 7;
        self.rng ^= self.rng << 17;
        self.rng <= self.threshold
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;
    use crate::metrics::catalogue::Signal;
    use guard_testing::events::denial;

    #[test]
    fn the_configured_ratio_of_allowed_operations_is_sampled() {
        let event = DecisionEvent {
            verdict: Verdict::Allow,
            trace: None,
            ..denial(0)
        };
        for (ratio, least, most) in [(0.0, 0, 0), (0.25, 2200, 2800), (1.0, 10_000, 10_000)] {
            let metrics = Metrics::new().otlp.of(Signal::Traces);
            let mut recorder = Recorder {
                spans: SignalQueue::Unusable(metrics.clone()),
                logs: SignalQueue::Disabled,
                sampler: Sampler::new(ratio, 0x5eed),
            };
            for _ in 0..10_000 {
                recorder.allowed(&event, [0; 16]);
            }
            let sampled = metrics.dropped.get();
            assert!((least..=most).contains(&sampled), "{ratio}: {sampled}");
        }
    }
}
