//! What waits to be sent: a decision, as the ring's own byte string.
//!
//! A decision is copied once and shared by the queues of spans and of log records, which take it
//! apart when they send it: the reading thread makes no attributes.

use crate::denial_log::line::hex;
use crate::detect::Detection;
use guard_core::DecisionEvent;
use guard_core::event::TraceContext;
use opentelemetry::{SpanId, TraceId};
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator, SpanData};
use std::sync::Arc;

/// What becomes a span.
#[derive(Debug)]
pub(super) enum SpanItem {
    /// A decision.
    Decision(Arc<Decision>),
    /// A piece of the exporter's own work, as the SDK made it.
    Own(Box<SpanData>),
}

/// What becomes a log record.
#[derive(Debug)]
pub(super) enum LogItem {
    /// A denial.
    Denial(Arc<Decision>),
    /// A detection, and the trace of the decision that completed it.
    Detection(Arc<Detection>, Option<TraceContext>),
}

/// A ring's own id.
pub type RingId = [u8; 16];

/// One decision, and who it is in a trace.
#[derive(Debug)]
pub(super) struct Decision {
    ring: RingId,
    sequence: u64,
    /// As [`DecisionEvent::encode`] makes it.
    bytes: Box<[u8]>,
    /// The trace it belongs to: the acting process's, else one of its own.
    pub(super) trace_id: TraceId,
    /// Its own span.
    pub(super) span_id: SpanId,
}

// === impl Decision ===

impl Decision {
    /// Copies `event`, which came from the ring with this id.
    pub(super) fn new(event: &DecisionEvent<'_>, ring: RingId) -> Self {
        let mut bytes = Vec::new();
        event.encode(&mut bytes);
        let ids = RandomIdGenerator::default();
        Self {
            ring,
            sequence: event.sequence,
            bytes: bytes.into(),
            trace_id: event.trace.map_or_else(
                || ids.new_trace_id(),
                |trace| TraceId::from_bytes(trace.trace_id),
            ),
            span_id: ids.new_span_id(),
        }
    }

    /// The event.
    pub(super) fn event(&self) -> DecisionEvent<'_> {
        DecisionEvent::decode(self.sequence, &self.bytes)
            .expect("what was encoded here can be decoded")
    }

    /// Its identity: the ring, and its number in the ring's lane. For denials the log's `ring` and
    /// `seq`.
    pub(super) fn id(&self) -> String {
        format!("{}-{}", hex(&self.ring), self.sequence)
    }

    /// The memory it takes.
    pub(super) fn size(&self) -> usize {
        self.bytes.len() + size_of::<Self>()
    }
}
