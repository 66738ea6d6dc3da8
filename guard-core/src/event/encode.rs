//! An event as a byte string, as it lies in a ring.
//!
//! Integers are little-endian. A field that is absent has length 0 and its presence bit clear, so
//! that an empty field and an absent one differ.
//!
//! ```text
//! offset  size  field
//!      0     4  operation, verdict, reason, answer: one byte each
//!      4     2  presence: bit 0 deadline, 1 agent, 2 ancestor, 3 agent pid, 4 destination,
//!               5 zone, 6 tool, 7 override, 8 trace
//!      6     1  trace flags
//!      7    40  wall, monotonic, latency, deadline left, generation: eight bytes each
//!     47    20  pid, ppid, uid, errno, agent pid: four bytes each
//!     67    22  eleven lengths, two bytes each, in the order of FIELD_BOUNDS
//!     89   0|24 trace id, span id: only when present
//!      …     …  the eleven fields, one after another
//! ```
//!
//! Encoding takes no buffer: a [`Plan`] knows the length beforehand and then pours the bytes into
//! any [`Sink`]. It guarantees that nothing is shortened silently: a field beyond its bound keeps
//! its beginning and ends with a note that says how long it was (`… [cut, was 0000000070000
//! bytes]`). The bounds are far beyond what kernels hand out (`PATH_MAX` is 4,096).
//!
//! It deliberately carries no sequence number: the ring's lane gives and stores that.

use super::{DecisionEvent, TraceContext, ZoneRef};

/// Takes the pieces of an encoded event, in order.
pub(crate) trait Sink {
    /// The low `bytes` bytes of `value`, little-endian; the others are zero.
    fn integer(&mut self, value: u64, bytes: u32);

    /// These bytes.
    fn bytes(&mut self, bytes: &[u8]);
}

/// What is about to be encoded: the event, each field fitted to its bound, and the length.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    event: &'a DecisionEvent<'a>,
    fields: [Field<'a>; FIELD_BOUNDS.len()],
    len: usize,
}

/// The fields of variable length, in the order in which they are stored, and the most bytes each
/// may have. What is longer is cut and says so.
pub const FIELD_BOUNDS: [(&str, u16); 11] = [
    ("agent", 256),
    ("ancestor", 4096),
    ("session", 1024),
    ("executable", MAX_PATH_BYTES),
    ("argv0", 4096),
    ("path", MAX_PATH_BYTES),
    ("destination", MAX_PATH_BYTES),
    ("zone name", 4096),
    ("zone path", MAX_PATH_BYTES),
    ("tool", 4096),
    ("override id", 256),
];

/// The length of the longest encoded event.
pub const MAX_ENCODED_BYTES: usize = {
    let mut sum = FIXED_BYTES + TRACE_BYTES;
    let mut bounds: &[(&str, u16)] = &FIELD_BOUNDS;
    while let [(_, bound), rest @ ..] = bounds {
        sum += *bound as usize;
        bounds = rest;
    }
    sum
};

/// One field as it will be stored.
#[derive(Clone, Copy, Debug)]
struct Field<'a> {
    kept: &'a [u8],
    /// The true length when the field was cut, else 0.
    cut_from: usize,
}

// === impl DecisionEvent ===

impl DecisionEvent<'_> {
    /// Appends the encoded event; [`decode`](DecisionEvent::decode) leads back.
    pub fn encode(&self, into: &mut Vec<u8>) {
        let plan = Plan::new(self);
        into.reserve(plan.len());
        plan.pour(into);
    }
}

// === impl Plan ===

impl<'a> Plan<'a> {
    /// Looks at the event and measures it.
    #[inline]
    pub(crate) fn new(event: &'a DecisionEvent<'a>) -> Self {
        let zone = event.zone.unwrap_or(ZoneRef {
            name: "",
            path: b"",
        });
        let fields = [
            Field::text::<0>(event.agent.unwrap_or_default()),
            Field::bytes::<1>(event.ancestor.unwrap_or_default()),
            Field::bytes::<2>(event.session),
            Field::bytes::<3>(event.process.executable),
            Field::bytes::<4>(event.process.argv0),
            Field::bytes::<5>(event.path),
            Field::bytes::<6>(event.destination.unwrap_or_default()),
            Field::text::<7>(zone.name),
            Field::bytes::<8>(zone.path),
            Field::bytes::<9>(event.tool.unwrap_or_default()),
            Field::text::<10>(event.override_id.unwrap_or_default()),
        ];
        let trace = if event.trace.is_some() {
            TRACE_BYTES
        } else {
            0
        };
        let len = FIXED_BYTES + trace + fields.iter().map(Field::len).sum::<usize>();
        Self { event, fields, len }
    }

    /// How many bytes [`pour`](Self::pour) gives.
    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Whether a field was beyond its bound.
    #[inline]
    pub(crate) fn is_cut(&self) -> bool {
        self.fields.iter().any(|field| field.cut_from != 0)
    }

    /// Gives the encoded event to `sink`.
    #[inline]
    pub(crate) fn pour(&self, sink: &mut impl Sink) {
        let event = self.event;
        let trace_flags = event.trace.map_or(0, |trace| trace.flags);
        sink.integer(event.operation as u64, 1);
        sink.integer(event.verdict as u64, 1);
        sink.integer(event.reason as u64, 1);
        sink.integer(event.answer as u64, 1);
        sink.integer(presence(event), 2);
        sink.integer(u64::from(trace_flags), 1);
        sink.integer(event.wall_ns, 8);
        sink.integer(event.monotonic_ns, 8);
        sink.integer(event.latency_ns, 8);
        sink.integer(event.deadline_left_ns.unwrap_or_default(), 8);
        sink.integer(event.process.key.generation, 8);
        sink.integer(u64::from(event.process.key.pid), 4);
        sink.integer(u64::from(event.process.ppid), 4);
        sink.integer(u64::from(event.process.uid), 4);
        sink.integer(u64::from(event.errno), 4);
        sink.integer(u64::from(event.agent_pid.unwrap_or_default()), 4);
        for field in &self.fields {
            sink.integer(field.len() as u64, 2);
        }
        if let Some(TraceContext {
            trace_id, span_id, ..
        }) = event.trace
        {
            sink.bytes(&trace_id);
            sink.bytes(&span_id);
        }
        for field in &self.fields {
            field.pour(sink);
        }
    }
}

// === impl Field ===

impl<'a> Field<'a> {
    #[inline]
    fn bytes<const INDEX: usize>(bytes: &'a [u8]) -> Self {
        let bound = const { FIELD_BOUNDS[INDEX].1 as usize };
        if bytes.len() <= bound {
            return Self {
                kept: bytes,
                cut_from: 0,
            };
        }
        let (kept, _) = bytes
            .split_at_checked(bound - NOTE_BYTES)
            .unwrap_or_default();
        Self {
            kept,
            cut_from: bytes.len(),
        }
    }

    /// As [`bytes`](Self::bytes), but never cuts a character in two.
    #[inline]
    fn text<const INDEX: usize>(text: &'a str) -> Self {
        let field = Self::bytes::<INDEX>(text.as_bytes());
        if field.cut_from == 0 {
            return field;
        }
        let whole = (0..=field.kept.len())
            .rev()
            .find(|&end| text.is_char_boundary(end));
        let kept = whole.and_then(|end| text.get(..end)).unwrap_or_default();
        Self {
            kept: kept.as_bytes(),
            ..field
        }
    }

    #[inline]
    const fn len(&self) -> usize {
        self.kept.len() + if self.cut_from == 0 { 0 } else { NOTE_BYTES }
    }

    #[inline]
    fn pour(&self, sink: &mut impl Sink) {
        sink.bytes(self.kept);
        if self.cut_from != 0 {
            sink.bytes(&note(self.cut_from));
        }
    }
}

// === impl Sink ===

impl Sink for Vec<u8> {
    fn integer(&mut self, value: u64, bytes: u32) {
        self.extend(value.to_le_bytes().iter().take(bytes as usize));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

#[inline]
fn presence(event: &DecisionEvent<'_>) -> u64 {
    let present = [
        event.deadline_left_ns.is_some(),
        event.agent.is_some(),
        event.ancestor.is_some(),
        event.agent_pid.is_some(),
        event.destination.is_some(),
        event.zone.is_some(),
        event.tool.is_some(),
        event.override_id.is_some(),
        event.trace.is_some(),
    ];
    present
        .iter()
        .rev()
        .fold(0, |bits, &bit| bits << 1 | u64::from(bit))
}

/// `… [cut, was 0000000070000 bytes]`, written without allocating.
fn note(len: usize) -> [u8; NOTE_BYTES] {
    let mut note = *NOTE;
    let mut rest = len;
    for byte in note.iter_mut().rev().filter(|byte| **byte == b'0') {
        *byte = b"0123456789".get(rest % 10).copied().unwrap_or(b'?');
        rest /= 10;
    }
    note
}

const NOTE: &[u8; NOTE_BYTES] = b" [cut, was 0000000000000 bytes]";
const NOTE_BYTES: usize = 31;

/// Bytes before the trace context.
pub(super) const FIXED_BYTES: usize = 89;
/// Bytes of a trace context without its flags.
pub(super) const TRACE_BYTES: usize = 24;
/// Four paths of this length are 64 KiB; the kernel's own limit is 4,096 bytes for each.
const MAX_PATH_BYTES: u16 = 16 * 1024;
