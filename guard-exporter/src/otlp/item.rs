//! Queued items: a decision is kept as the ring's own encoding.
//!
//! A decision is copied once and shared by the queues of spans and of log records. It is decoded when
//! it is sent, so that the reading thread builds no attributes.

use crate::detect::Detection;
use fnv::FnvHasher;
use guard_core::DecisionEvent;
use guard_core::event::{RequestEvent, TraceContext};
use guard_core::ring::Lane;
use guard_report::hex;
use opentelemetry::{SpanId, TraceId};
use opentelemetry_sdk::trace::SpanData;
use std::hash::Hasher as _;
use std::sync::Arc;

/// An item that becomes a span.
#[derive(Debug)]
pub(super) enum SpanItem {
    Decision(Arc<RecordedDecision>),
    Request(Arc<RecordedRequest>),
    /// A span of the exporter itself, as the SDK made it.
    Own(Box<SpanData>),
}

/// An item that becomes a log record.
#[derive(Debug)]
pub(super) enum LogItem {
    Denial(Arc<RecordedDecision>),
    /// An allowed operation before which something was, or was to be, preserved.
    Change(Arc<RecordedDecision>),
    /// A step of a request.
    Request(Arc<RecordedRequest>),
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

/// One step of a request, and its identity in a trace.
#[derive(Debug)]
pub(super) struct RecordedRequest {
    ring: RingId,
    sequence: u64,
    bytes: Box<[u8]>,
    pub(super) trace_id: TraceId,
    pub(super) span_id: SpanId,
}

// === impl RecordedDecision ===

impl RecordedDecision {
    /// Copies `event`, which was read from the ring with this id.
    pub(super) fn new(event: &DecisionEvent<'_>, ring: RingId) -> Self {
        let mut bytes = Vec::new();
        event.encode(&mut bytes);
        let lane = Lane::of(event);
        Self {
            ring,
            sequence: event.sequence,
            lane,
            bytes: bytes.into(),
            trace_id: trace_id(event.trace, (ring, lane, event.sequence)),
            span_id: span_id((ring, lane, event.sequence)),
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
            Lane::Request => "r",
        };
        format!("{}-{lane}{}", hex(&self.ring), self.sequence)
    }

    /// The memory that it takes.
    pub(super) fn size(&self) -> usize {
        self.bytes.len() + size_of::<Self>()
    }
}

// === impl RecordedRequest ===

impl RecordedRequest {
    /// Copies `event`, which was read from the ring with this id.
    pub(super) fn new(event: &RequestEvent<'_>, ring: RingId) -> Self {
        let own = (ring, Lane::Request, event.sequence);
        // All steps of a request are of one trace.
        let first = (ring, Lane::Request, event.request.unwrap_or(event.sequence));
        Self {
            ring,
            sequence: event.sequence,
            bytes: event.encode().into(),
            trace_id: trace_id(event.trace, first),
            span_id: span_id(own),
        }
    }

    pub(super) fn event(&self) -> RequestEvent<'_> {
        RequestEvent::decode(self.sequence, &self.bytes)
            .expect("what was encoded here can be decoded")
    }

    /// The span of the request's first step; `None` for that step itself.
    pub(super) fn request_span(&self) -> Option<SpanId> {
        let first = self.event().request?;
        Some(span_id((self.ring, Lane::Request, first)))
    }

    /// The trace and the span of the latest denial before the request.
    pub(super) fn denial(&self) -> Option<(TraceId, SpanId)> {
        let event = self.event();
        let denial = (self.ring, Lane::Deny, event.denial?);
        let trace = event.trace.filter(|_| event.denial_is_traced);
        Some((trace_id(trace, denial), span_id(denial)))
    }

    /// The memory that it takes.
    pub(super) fn size(&self) -> usize {
        self.bytes.len() + size_of::<Self>()
    }
}

/// What identifies a record for good: its ring, its lane and its number there.
type RecordId = (RingId, Lane, u64);

/// The trace of a record: the acting process's, else one of its own.
fn trace_id(trace: Option<TraceContext>, id: RecordId) -> TraceId {
    let own = || {
        let [high, low] = [1, 2].map(|part| hash(part, id));
        TraceId::from(u128::from(high) << 64 | u128::from(low))
    };
    trace.map_or_else(own, |trace| TraceId::from_bytes(trace.trace_id))
}

/// The span of a record. It follows from the record, so that another can link to it, also after a restart.
fn span_id(id: RecordId) -> SpanId {
    SpanId::from(hash(0, id))
}

/// Never 0, which is no id.
fn hash(part: u8, (ring, lane, sequence): RecordId) -> u64 {
    let mut hasher = FnvHasher::default();
    hasher.write_u8(part);
    hasher.write(&ring);
    hasher.write(lane.as_str().as_bytes());
    hasher.write(&sequence.to_le_bytes());
    // FNV leaves its high bits alike for numbers that differ little.
    let mixed = hasher.finish().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ mixed >> 32).max(1)
}
