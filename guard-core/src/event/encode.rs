//! An event as a byte string, as it lies in a ring.
//!
//! The string is made of groups of seven bytes, since that is what a word of a ring carries; every
//! field begins with a group and is padded with zeros to whole groups. Integers are little-endian.
//! A field that is absent has length 0 and its presence bit clear, so that an empty field and an
//! absent one differ.
//!
//! ```text
//! group  bytes
//!     0  operation, verdict, reason, answer: 1 each · presence: 2 · trace flags: 1
//!     1  wall: low 7
//!     2  monotonic: low 7
//!     3  latency: low 7
//!     4  deadline left: low 7
//!     5  generation: low 7
//!     6  the highest byte of each of these five · length of field 0: 2
//!     7  pid: 4       · length of field 1: 2
//!     8  ppid: 4      · length of field 2: 2
//!     9  uid: 4       · length of field 3: 2
//!    10  errno: 4     · length of field 4: 2
//!    11  agent pid: 4 · length of field 5: 2
//!    12  lengths of fields 6, 7, 8: 2 each
//!    13  lengths of fields 9, 10: 2 each
//!     …  trace id, span id: 24 bytes together, only when present
//!     …  the fields, in the order of FIELD_BOUNDS
//!
//! presence: bit 0 deadline, 1 agent, 2 ancestor, 3 agent pid, 4 destination, 5 zone, 6 tool,
//!           7 override, 8 trace
//! ```
//!
//! Encoding takes no buffer: a [`Plan`] knows the length beforehand and then pours the groups into
//! any [`Sink`]. It guarantees that nothing is shortened silently: a field beyond its bound keeps
//! its beginning and ends with a note that says how long it was (`… [cut, was 0000000070000
//! bytes]`). The bounds are far beyond what kernels hand out (`PATH_MAX` is 4,096).
//!
//! It deliberately carries no sequence number: the ring's lane gives and stores that.

use super::{DecisionEvent, TraceContext, ZoneRef};

/// Takes an encoded event, group after group.
pub(crate) trait Sink {
    /// One group: the low seven bytes of `group`.
    fn group(&mut self, group: u64);

    /// As many groups as these bytes need.
    fn bytes(&mut self, bytes: &[u8]);
}

/// What is about to be encoded: the event, each field fitted to its bound, and the size.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    event: &'a DecisionEvent<'a>,
    fields: [Field<'a>; FIELD_BOUNDS.len()],
    groups: usize,
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
    let mut groups = FIXED_GROUPS + TRACE_GROUPS;
    let mut bounds: &[(&str, u16)] = &FIELD_BOUNDS;
    while let [(_, bound), rest @ ..] = bounds {
        groups += (*bound as usize).div_ceil(GROUP_BYTES);
        bounds = rest;
    }
    groups * GROUP_BYTES
};

/// Bytes of a group.
pub(crate) const GROUP_BYTES: usize = 7;

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
        into.reserve(plan.groups() * GROUP_BYTES);
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
            TRACE_GROUPS
        } else {
            0
        };
        let groups = fields
            .iter()
            .map(|field| field.len().div_ceil(GROUP_BYTES))
            .sum::<usize>();
        Self {
            event,
            fields,
            groups: FIXED_GROUPS + trace + groups,
        }
    }

    /// How many groups [`pour`](Self::pour) gives.
    #[inline]
    pub(crate) const fn groups(&self) -> usize {
        self.groups
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
        let longs = [
            event.wall_ns,
            event.monotonic_ns,
            event.latency_ns,
            event.deadline_left_ns.unwrap_or_default(),
            event.process.key.generation,
        ];
        let shorts = [
            event.process.key.pid,
            event.process.ppid,
            event.process.uid,
            event.errno,
            event.agent_pid.unwrap_or_default(),
        ];
        let [first, second, third, fourth, fifth, sixth, rest @ ..] =
            self.fields.each_ref().map(|field| field.len() as u64);

        sink.group(
            event.operation as u64
                | (event.verdict as u64) << 8
                | (event.reason as u64) << 16
                | (event.answer as u64) << 24
                | presence(event) << 32
                | u64::from(trace_flags) << 48,
        );
        for long in longs {
            sink.group(long);
        }
        let highest = longs
            .iter()
            .rev()
            .fold(0, |bytes, long| bytes << 8 | long >> 56);
        sink.group(highest | first << 40);
        for (short, length) in shorts
            .into_iter()
            .zip([second, third, fourth, fifth, sixth])
        {
            sink.group(u64::from(short) | length << 32);
        }
        let [seventh, eighth, ninth, tenth, eleventh] = rest;
        sink.group(seventh | eighth << 16 | ninth << 32);
        sink.group(tenth | eleventh << 16);

        if let Some(TraceContext {
            trace_id, span_id, ..
        }) = event.trace
        {
            let mut both = [0; TRACE_BYTES];
            for (into, byte) in both.iter_mut().zip(trace_id.into_iter().chain(span_id)) {
                *into = byte;
            }
            sink.bytes(&both);
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
        if self.cut_from != 0 {
            self.pour_with_note(sink);
        } else if !self.kept.is_empty() {
            sink.bytes(self.kept);
        }
    }

    /// The note continues the group in which the kept bytes end.
    #[cold]
    fn pour_with_note(&self, sink: &mut impl Sink) {
        let mut bytes = self
            .kept
            .iter()
            .copied()
            .chain(note(self.cut_from))
            .peekable();
        while bytes.peek().is_some() {
            let group = bytes.by_ref().take(GROUP_BYTES).enumerate();
            sink.group(group.fold(0, |group, (index, byte)| {
                group | u64::from(byte) << (8 * index)
            }));
        }
    }
}

// === impl Sink ===

impl Sink for Vec<u8> {
    fn group(&mut self, group: u64) {
        self.extend(group.to_le_bytes().into_iter().take(GROUP_BYTES));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
        self.resize(self.len().next_multiple_of(GROUP_BYTES), 0);
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

/// Groups before the trace context.
pub(super) const FIXED_GROUPS: usize = 14;
/// Bytes of a trace context without its flags.
pub(super) const TRACE_BYTES: usize = 24;
const TRACE_GROUPS: usize = TRACE_BYTES.div_ceil(GROUP_BYTES);
/// Four paths of this length are 64 KiB; the kernel's own limit is 4,096 bytes for each.
const MAX_PATH_BYTES: u16 = 16 * 1024;
