//! Queued items: a decision is kept as the ring's own encoding.
//!
//! A decision is copied once and shared by the queues of spans and of log records. It is decoded when
//! it is sent, so that the reading thread builds no attributes.

use crate::detect::Detection;
use guard_core::DecisionEvent;
use guard_core::event::TraceContext;
use guard_core::ring::Lane;
use guard_report::hex;
use opentelemetry::{SpanId, TraceId};
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator, SpanData};
use std::sync::Arc;

/// An item that becomes a span.
#[derive(Debug)]
pub(super) enum SpanItem {
    Decision(Arc<RecordedDecision>),
    /// A span of the exporter itself, as the SDK made it.
    Own(Box<SpanData>),
}

/// An item that becomes a log record.
#[derive(Debug)]
pub(super) enum LogItem {
    Denial(Arc<RecordedDecision>),
    /// An allowed operation before which something was, or was to be, preserved.
    Change(Arc<RecordedDecision>),
    /// A detection, and the trace of the decision that completed it.
    Detection(Arc<Detection>, Option<TraceContext>),
}

/// The id of a ring.
pub type RingId = [u8; 16];

/// One decision, and its identity in a trace.
#[derive(Debug)]
pub(super) struct RecordedDecision {
    ring: RingId,
    sequence: u64,
    lane: Lane,
    /// As [`DecisionEvent::encode`] writes it.
    bytes: Box<[u8]>,
    /// The trace of the acting process, else a new one.
    pub(super) trace_id: TraceId,
    pub(super) span_id: SpanId,
}

// === impl RecordedDecision ===

impl RecordedDecision {
    /// Copies `event`, which was read from the ring with this id.
    pub(super) fn new(event: &DecisionEvent<'_>, ring: RingId) -> Self {
        let mut bytes = Vec::new();
        event.encode(&mut bytes);
        let ids = RandomIdGenerator::default();
        Self {
            ring,
            sequence: event.sequence,
            lane: Lane::of(event),
            bytes: bytes.into(),
            trace_id: event.trace.map_or_else(
                || ids.new_trace_id(),
                |trace| TraceId::from_bytes(trace.trace_id),
            ),
            span_id: ids.new_span_id(),
        }
    }

    pub(super) fn event(&self) -> DecisionEvent<'_> {
        DecisionEvent::decode(self.sequence, &self.bytes)
            .expect("what was encoded here can be decoded")
    }

    /// The ring and the number in the ring's lane; of a denial or a change, its id in the API.
    pub(super) fn id(&self) -> String {
        let lane = match self.lane {
            Lane::Deny => "",
            Lane::Allow => "a",
            Lane::Change => "c",
        };
        format!("{}-{lane}{}", hex(&self.ring), self.sequence)
    }

    /// The memory that it takes.
    pub(super) fn size(&self) -> usize {
        self.bytes.len() + size_of::<Self>()
    }
}
