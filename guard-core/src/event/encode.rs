//! The format of an event in a ring, and its encoder.
//!
//! An event is a byte string of groups of seven bytes, the payload of one word of a ring; every field
//! begins with a group and is padded with zeros to whole groups. Integers are little-endian. An
//! absent field has length 0 and its presence bit clear, so that an empty field and an absent one
//! differ.
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
//!    13  lengths of fields 9, 10: 2 each · delivery delay: 3
//!     …  trace id, span id: 24 bytes together, only when present
//!     …  the preservation, four groups, only when present: outcome (0 preserved, 1 not), method or
//!        cause: 1 each · bytes: 7 · bytes after: 7 · duration: 7
//!     …  the fields, in the order of FIELD_BOUNDS
//!
//! presence: bit 0 deadline, 1 agent, 2 ancestor, 3 agent pid, 4 destination, 5 zone, 6 tool,
//!           7 override, 8 trace, 9 delivery delay, 10 preservation, 11 bytes after
//! ```
//!
//! Encoding needs no buffer: an [`Encoding`] computes the length first and then writes the groups to
//! any [`GroupSink`]. It guarantees that nothing is shortened silently: a field beyond its bound keeps
//! its beginning and ends with a note of its length (`… [cut, was 0000000070000 bytes]`). The bounds
//! are far beyond those of kernels (`PATH_MAX` is 4,096).
//!
//! The format deliberately has no sequence number: the ring's lane assigns and stores that.

use super::{
    DecisionEvent, MAX_PRESERVATION_NUMBER, Preservation, PreservationOutcome, TraceContext,
    ZoneRef,
};

/// Receives an encoded event, group by group.
pub(crate) trait GroupSink {
    /// One group: the low seven bytes of `group`.
    fn group(&mut self, group: u64);

    /// As many groups as these bytes need.
    fn bytes(&mut self, bytes: &[u8]);
}

/// An event to be encoded, its fields and its size.
#[derive(Debug)]
pub(crate) struct Encoding<'a> {
    event: &'a DecisionEvent<'a>,
    fields: [&'a [u8]; FIELD_BOUNDS.len()],
    groups: usize,
    /// Whether a field is beyond its bound. All code for that is kept out of the common path.
    is_cut: bool,
}

/// The fields of variable length, in the order in which they are stored, and the most bytes each
/// may have. Longer fields are cut, with a note.
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
    let mut groups = FIXED_GROUPS + TRACE_GROUPS + PRESERVATION_GROUPS;
    let mut bounds: &[(&str, u16)] = &FIELD_BOUNDS;
    while let [(_, bound), rest @ ..] = bounds {
        groups += (*bound as usize).div_ceil(GROUP_BYTES);
        bounds = rest;
    }
    groups * GROUP_BYTES
};

/// The longest delay of delivery that three bytes hold: 16.8 s, longer than deadlines are.
pub const MAX_DELIVERY_DELAY_US: u32 = (1 << 24) - 1;

/// Bytes of a group.
pub(crate) const GROUP_BYTES: usize = 7;

// === impl DecisionEvent ===

impl DecisionEvent<'_> {
    /// Appends the encoded event; the inverse of [`decode`](DecisionEvent::decode).
    pub fn encode(&self, into: &mut Vec<u8>) {
        let encoding = Encoding::new(self);
        into.reserve(encoding.groups() * GROUP_BYTES);
        encoding.write_to(into);
    }
}

// === impl Encoding ===

impl<'a> Encoding<'a> {
    /// Measures the event.
    #[inline]
    pub(crate) fn new(event: &'a DecisionEvent<'a>) -> Self {
        let zone = event.zone.unwrap_or(ZoneRef {
            name: "",
            path: b"",
        });
        let fields = [
            event.agent.unwrap_or_default().as_bytes(),
            event.ancestor.unwrap_or_default(),
            event.session,
            event.process.executable,
            event.process.argv0,
            event.path,
            event.destination.unwrap_or_default(),
            zone.name.as_bytes(),
            zone.path,
            event.tool.unwrap_or_default(),
            event.override_id.unwrap_or_default().as_bytes(),
        ];
        let mut groups = FIXED_GROUPS;
        if event.trace.is_some() {
            groups += TRACE_GROUPS;
        }
        if event.preservation.is_some() {
            groups += PRESERVATION_GROUPS;
        }
        let mut is_cut = false;
        for (field, (_, bound)) in fields.iter().zip(FIELD_BOUNDS) {
            is_cut |= field.len() > usize::from(bound);
            groups += field.len().div_ceil(GROUP_BYTES);
        }
        let mut encoding = Self {
            event,
            fields,
            groups,
            is_cut,
        };
        if is_cut {
            encoding.measure_cut();
        }
        encoding
    }

    /// How many groups [`write_to`](Self::write_to) writes.
    #[inline]
    pub(crate) const fn groups(&self) -> usize {
        self.groups
    }

    /// Whether a field is beyond its bound.
    #[inline]
    pub(crate) const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Writes the encoded event to `sink`.
    #[inline]
    pub(crate) fn write_to(&self, sink: &mut impl GroupSink) {
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
        let lengths = if self.is_cut {
            self.cut_lengths()
        } else {
            lengths(&self.fields)
        };
        let [first, second, third, fourth, fifth, sixth, rest @ ..] = lengths;

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
        let delay = event.delivery_delay_us.unwrap_or_default();
        let delay = u64::from(delay.min(MAX_DELIVERY_DELAY_US));
        sink.group(tenth | eleventh << 16 | delay << 32);

        if let Some(trace) = &event.trace {
            sink.bytes(&ids_of(trace));
        }
        if let Some(preservation) = &event.preservation {
            for group in preservation_groups(preservation) {
                sink.group(group);
            }
        }
        if self.is_cut {
            self.write_cut_to(sink);
        } else {
            for field in self.fields.iter().filter(|field| !field.is_empty()) {
                sink.bytes(field);
            }
        }
    }

    #[cold]
    fn measure_cut(&mut self) {
        let whole = self
            .fields
            .iter()
            .map(|field| field.len().div_ceil(GROUP_BYTES))
            .sum::<usize>();
        let cut = self
            .cut()
            .map(|(kept, note)| (kept.len() + note.len()).div_ceil(GROUP_BYTES));
        self.groups = self.groups - whole + cut.sum::<usize>();
    }

    #[cold]
    fn cut_lengths(&self) -> [u64; FIELD_BOUNDS.len()] {
        let mut lengths = [0; FIELD_BOUNDS.len()];
        for (length, (kept, note)) in lengths.iter_mut().zip(self.cut()) {
            *length = (kept.len() + note.len()) as u64;
        }
        lengths
    }

    #[cold]
    fn write_cut_to(&self, sink: &mut impl GroupSink) {
        for (kept, note) in self.cut() {
            // The note continues the group in which the kept bytes end.
            let mut bytes = kept.iter().chain(note.as_slice()).peekable();
            while bytes.peek().is_some() {
                let group = bytes.by_ref().take(GROUP_BYTES).zip((0..).step_by(8));
                sink.group(group.fold(0, |group, (&byte, shift)| group | u64::from(byte) << shift));
            }
        }
    }

    /// The part of each field that is kept, and the note after it.
    fn cut(&self) -> impl Iterator<Item = (&'a [u8], Note)> {
        self.fields
            .iter()
            .zip(FIELD_BOUNDS)
            .map(|(field, (_, bound))| {
                let bound = usize::from(bound);
                if field.len() <= bound {
                    return (*field, Note::default());
                }
                let (kept, rest) = field
                    .split_at_checked(bound - NOTE.len())
                    .unwrap_or_default();
                (whole_characters(kept, rest), Note::new(field.len()))
            })
    }
}

/// The note after a field that was cut; empty for one that was not.
#[derive(Default)]
struct Note(Option<[u8; NOTE.len()]>);

// === impl Note ===

impl Note {
    /// `… [cut, was 0000000070000 bytes]`, written without allocating.
    fn new(len: usize) -> Self {
        let mut note = *NOTE;
        let mut rest = len;
        for byte in note.iter_mut().rev().filter(|byte| **byte == b'0') {
            *byte = b"0123456789".get(rest % 10).copied().unwrap_or(b'?');
            rest /= 10;
        }
        Self(Some(note))
    }

    fn as_slice(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], <[u8; NOTE.len()]>::as_slice)
    }

    fn len(&self) -> usize {
        self.as_slice().len()
    }
}

// === impl GroupSink ===

impl GroupSink for Vec<u8> {
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
        event.delivery_delay_us.is_some(),
        event.preservation.is_some(),
        event
            .preservation
            .is_some_and(|preservation| preservation.bytes_after.is_some()),
    ];
    bits(&present)
}

/// The first in the lowest bit.
#[inline]
pub(super) fn bits(present: &[bool]) -> u64 {
    let highest_first = present.iter().rev();
    highest_first.fold(0, |bits, &bit| bits << 1 | u64::from(bit))
}

/// A trace context without its flags.
#[inline]
pub(super) fn ids_of(trace: &TraceContext) -> [u8; TRACE_BYTES] {
    let mut both = [0; TRACE_BYTES];
    let (first, second) = both.split_at_mut(trace.trace_id.len());
    first.copy_from_slice(&trace.trace_id);
    second.copy_from_slice(&trace.span_id);
    both
}

fn preservation_groups(preservation: &Preservation) -> [u64; PRESERVATION_GROUPS] {
    let (outcome, number) = match preservation.outcome {
        PreservationOutcome::Preserved(method) => (0, method as u64),
        PreservationOutcome::Unpreserved(cause) => (1, cause as u64),
    };
    let number_of = |number: u64| number.min(MAX_PRESERVATION_NUMBER);
    [
        outcome | number << 8,
        number_of(preservation.bytes),
        number_of(preservation.bytes_after.unwrap_or_default()),
        number_of(preservation.duration_ns),
    ]
}

#[inline]
fn lengths(fields: &[&[u8]; FIELD_BOUNDS.len()]) -> [u64; FIELD_BOUNDS.len()] {
    let [a, b, c, d, e, f, g, h, i, j, k] = fields;
    [
        a.len(),
        b.len(),
        c.len(),
        d.len(),
        e.len(),
        f.len(),
        g.len(),
        h.len(),
        i.len(),
        j.len(),
        k.len(),
    ]
    .map(|len| len as u64)
}

/// `kept` without the beginning of a UTF-8 character whose end is in `rest`, so that a text stays
/// valid. Of bytes that are not text, at most three more are dropped.
pub(super) fn whole_characters<'a>(kept: &'a [u8], rest: &[u8]) -> &'a [u8] {
    let continues = |byte: &u8| byte & 0xc0 == 0x80;
    if !rest.first().is_some_and(continues) {
        return kept;
    }
    let tail = kept
        .iter()
        .rev()
        .take(3)
        .take_while(|byte| continues(byte))
        .count()
        + 1;
    kept.len()
        .checked_sub(tail)
        .and_then(|end| kept.get(..end))
        .unwrap_or(kept)
}

const NOTE: &[u8; 31] = b" [cut, was 0000000000000 bytes]";

/// Groups before the trace context.
pub(super) const FIXED_GROUPS: usize = 14;
/// Bytes of a trace context without its flags.
pub(super) const TRACE_BYTES: usize = 24;
const TRACE_GROUPS: usize = TRACE_BYTES.div_ceil(GROUP_BYTES);
/// Groups of a preservation.
pub(super) const PRESERVATION_GROUPS: usize = 4;
/// Four paths of this length are 64 KiB; the kernel's own limit is 4,096 bytes for each.
const MAX_PATH_BYTES: u16 = 16 * 1024;
