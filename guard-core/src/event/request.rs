//! The event of one step of a request: asked for, answered, used, over.
//!
//! In a ring it has a lane of its own, and is a byte string of groups of seven bytes, as a decision is:
//!
//! ```text
//! group  bytes
//!     0  step: 1 · presence: 2 · flags: 1 · trace flags: 1
//!     1  wall: low 7
//!     2  expiry: low 7
//!     3  highest bytes of these two: 1 each · pid: 4
//!     4  wait: 7
//!     5  uses: 7
//!     6  denials: 7
//!     7  number of the denial: 7
//!     8  number of the request: 7
//!     9  lengths of fields 0, 1, 2: 2 each
//!    10  lengths of fields 3, 4, 5: 2 each
//!    11  length of field 6: 2
//!     …  trace id and span id: 24, only when present
//!     …  the fields, in the order of REQUEST_FIELD_BOUNDS
//!
//! presence: bit 0 expiry, 1 wait, 2 denial, 3 request, 4 agent, 5 reason, 6 by, 7 trace
//! flags:    bit 0 once, 1 the denial was traced
//! ```
//!
//! A guard writes a few of these in a minute, and not while an operation waits. They are bounded when a
//! request is taken; a field that is longer all the same is cut at a character.

use super::TraceContext;
use super::decode::{DecodeEventError, Source, bounded_length};
use super::encode::{GroupSink as _, bits, ids_of, whole_characters};

/// One step of a request. Times are nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestEvent<'a> {
    /// Number within the ring's lane, from 0 without gaps. Given by the ring; ignored when published.
    pub sequence: u64,
    /// Wall clock when it happened.
    pub wall_ns: u64,
    /// What happened.
    pub step: RequestStep,
    /// The request's id, or that of an override that nobody requested.
    pub id: &'a str,
    /// The agent that asks, or that the override is for.
    pub agent: Option<&'a str>,
    /// The session's name.
    pub session: &'a [u8],
    /// What is asked for, or open.
    pub path: &'a [u8],
    /// The operations, joined by `+`.
    pub operations: &'a str,
    /// Why, in the words of whoever asks; of a rejection in those of the person.
    pub because: Option<&'a str>,
    /// Who answered; the policy, in a person's place, by a text that begins with [`BY_POLICY`].
    pub by: Option<&'a str>,
    /// The asking process.
    pub pid: u32,
    /// When a grant ends, wall clock.
    pub expires_ns: Option<u64>,
    /// From the request to its answer; 56 bits of it, as of the numbers below.
    pub wait_ns: Option<u64>,
    /// Whether a grant ends with its first use.
    pub once: bool,
    /// How often a grant was used until now.
    pub uses: u64,
    /// How often the path was denied before it was asked for.
    pub denials: u64,
    /// The number of the latest of these denials in the deny lane.
    pub denial: Option<u64>,
    /// Whether that denial had the trace context that this event has.
    pub denial_is_traced: bool,
    /// The number of the request's first event in this lane.
    pub request: Option<u64>,
    /// The trace of the denial, else that of the asking process.
    pub trace: Option<TraceContext>,
}

/// What happens to a request. The names are the stable values of the `step` label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RequestStep {
    /// Somebody asks.
    Requested = 0,
    /// The path is open.
    Granted = 1,
    /// A person says no.
    Rejected = 2,
    /// Nobody answered before the session ended.
    Unanswered = 3,
    /// A grant was used.
    Used = 4,
    /// A grant is over, because its time or its session is.
    Expired = 5,
    /// A grant for once is over, because it was used.
    Spent = 6,
    /// A grant is over, because a person took it back.
    Withdrawn = 7,
}

/// The fields of variable length, in the order in which they are stored, and the most bytes of each.
pub const REQUEST_FIELD_BOUNDS: [(&str, u16); 7] = [
    ("id", 256),
    ("agent", 256),
    ("session", 1024),
    ("path", 16 * 1024),
    ("operations", 256),
    ("reason", 8 * 1024),
    ("by", 256),
];

const FIXED_GROUPS: usize = 12;

// === impl RequestStep ===

impl RequestStep {
    /// All steps, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::Requested,
        Self::Granted,
        Self::Rejected,
        Self::Unanswered,
        Self::Used,
        Self::Expired,
        Self::Spent,
        Self::Withdrawn,
    ];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Granted => "granted",
            Self::Rejected => "rejected",
            Self::Unanswered => "unanswered",
            Self::Used => "used",
            Self::Expired => "expired",
            Self::Spent => "spent",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The step with this stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == name)
    }

    /// The step with this number, as stored in a ring.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// How the policy names itself when it answers in a person's place.
pub const BY_POLICY: &str = "the policy";

// === impl RequestEvent ===

impl<'a> RequestEvent<'a> {
    /// The encoded event; the inverse of [`decode`](Self::decode).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let fields = [
            whole(self.id.as_bytes(), 0),
            whole(self.agent.unwrap_or_default().as_bytes(), 1),
            whole(self.session, 2),
            whole(self.path, 3),
            whole(self.operations.as_bytes(), 4),
            whole(self.because.unwrap_or_default().as_bytes(), 5),
            whole(self.by.unwrap_or_default().as_bytes(), 6),
        ];
        let [id, agent, session, path, operations, reason, by] =
            fields.map(|field| field.len() as u64);
        let expires_ns = self.expires_ns.unwrap_or_default();
        let numbers = [
            self.wait_ns.unwrap_or_default(),
            self.uses,
            self.denials,
            self.denial.unwrap_or_default(),
            self.request.unwrap_or_default(),
        ];
        let mut bytes = Vec::new();
        bytes.group(
            self.step as u64
                | self.presence() << 8
                | u64::from(self.once) << 24
                | u64::from(self.denial_is_traced) << 25
                | u64::from(self.trace.map_or(0, |trace| trace.flags)) << 32,
        );
        bytes.group(self.wall_ns);
        bytes.group(expires_ns);
        bytes.group(self.wall_ns >> 56 | expires_ns >> 56 << 8 | u64::from(self.pid) << 16);
        for number in numbers {
            bytes.group(number);
        }
        bytes.group(id | agent << 16 | session << 32);
        bytes.group(path | operations << 16 | reason << 32);
        bytes.group(by);
        if let Some(trace) = &self.trace {
            bytes.bytes(&ids_of(trace));
        }
        for field in fields {
            bytes.bytes(field);
        }
        bytes
    }

    /// Decodes an event. Bytes after its end are ignored.
    ///
    /// # Errors
    ///
    /// If the bytes are not in the format of [`encode`](Self::encode).
    pub fn decode(sequence: u64, bytes: &'a [u8]) -> Result<Self, DecodeEventError> {
        let mut source = Source::new(bytes);
        let fixed: [u64; FIXED_GROUPS] = source.groups("fixed part")?;
        let [
            kinds,
            wall,
            expiry,
            high,
            wait,
            uses,
            denials,
            denial,
            request,
            first,
            second,
            third,
        ] = fixed;
        let [step, presence, _, flags, trace_flags, ..] = kinds.to_le_bytes();
        let has = |bit: u32| presence >> bit & 1 == 1;
        let step = RequestStep::from_number(step).ok_or(DecodeEventError::UnknownNumber {
            field: "step",
            number: step,
        })?;
        let [wall_high, expiry_high, pid @ ..] = high.to_le_bytes();
        let [p0, p1, p2, p3, ..] = pid;
        let lengths = [
            length(0, first)?,
            length(1, first >> 16)?,
            length(2, first >> 32)?,
            length(3, second)?,
            length(4, second >> 16)?,
            length(5, second >> 32)?,
            length(6, third)?,
        ];
        let trace = if has(7) {
            Some(source.trace(trace_flags)?)
        } else {
            None
        };
        let [id, agent, session, path, operations, reason, by] = lengths;
        Ok(Self {
            sequence,
            wall_ns: wall | u64::from(wall_high) << 56,
            step,
            id: source.text("id", id)?,
            agent: Some(source.text("agent", agent)?).filter(|_| has(4)),
            session: source.bytes("session", session)?,
            path: source.bytes("path", path)?,
            operations: source.text("operations", operations)?,
            because: Some(source.text("reason", reason)?).filter(|_| has(5)),
            by: Some(source.text("by", by)?).filter(|_| has(6)),
            pid: u32::from_le_bytes([p0, p1, p2, p3]),
            expires_ns: has(0).then_some(expiry | u64::from(expiry_high) << 56),
            wait_ns: has(1).then_some(wait),
            once: flags & 1 == 1,
            uses,
            denials,
            denial: has(2).then_some(denial),
            denial_is_traced: flags >> 1 & 1 == 1,
            request: has(3).then_some(request),
            trace,
        })
    }

    fn presence(&self) -> u64 {
        bits(&[
            self.expires_ns.is_some(),
            self.wait_ns.is_some(),
            self.denial.is_some(),
            self.request.is_some(),
            self.agent.is_some(),
            self.because.is_some(),
            self.by.is_some(),
            self.trace.is_some(),
        ])
    }
}

/// As much of a field as may be stored, cut between characters.
fn whole(field: &[u8], index: usize) -> &[u8] {
    let bound = REQUEST_FIELD_BOUNDS
        .get(index)
        .map_or(0, |(_, bound)| usize::from(*bound));
    match field.split_at_checked(bound) {
        Some((kept, rest)) => whole_characters(kept, rest),
        None => field,
    }
}

fn length(index: usize, bits: u64) -> Result<usize, DecodeEventError> {
    bounded_length(&REQUEST_FIELD_BOUNDS, index, bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: RequestEvent<'_> = RequestEvent {
        sequence: 3,
        wall_ns: u64::MAX - 1,
        step: RequestStep::Granted,
        id: "3fa81c-1",
        agent: Some("codex"),
        session: b"3fa81c00",
        path: b"/home/me/work/\xff",
        operations: "unlink+rename",
        because: Some(""),
        by: None,
        pid: u32::MAX,
        expires_ns: Some(u64::MAX),
        wait_ns: Some(7),
        once: true,
        uses: 8,
        denials: 9,
        denial: Some(0),
        denial_is_traced: true,
        request: None,
        trace: Some(TraceContext {
            trace_id: [1; 16],
            span_id: [2; 8],
            flags: 3,
        }),
    };

    #[test]
    fn a_step_round_trips_and_no_prefix_of_it_decodes() {
        for event in [
            EVENT,
            RequestEvent {
                trace: None,
                agent: None,
                by: Some("user 1000"),
                request: Some(2),
                once: false,
                ..EVENT
            },
        ] {
            let bytes = event.encode();
            assert_eq!(RequestEvent::decode(3, &bytes), Ok(event));
            for end in 0..bytes.len() {
                let prefix = bytes.get(..end).unwrap();
                assert!(RequestEvent::decode(3, prefix).is_err(), "{end} bytes");
            }
        }
    }

    #[test]
    fn what_is_too_long_is_cut_between_characters() {
        let by = "é".repeat(200);
        let event = RequestEvent {
            by: Some(&by),
            ..EVENT
        };
        let bytes = event.encode();
        let back = RequestEvent::decode(3, &bytes).unwrap();
        assert_eq!(back.by, Some("é".repeat(128).as_str()));
        let mut bytes = EVENT.encode();
        *bytes.first_mut().unwrap() = 99;
        assert!(RequestEvent::decode(3, &bytes).is_err());
    }

    #[test]
    fn names_and_numbers_round_trip() {
        for (number, step) in (0u8..).zip(RequestStep::ALL) {
            assert_eq!(step as u8, number);
            assert_eq!(RequestStep::from_number(number), Some(step));
            assert_eq!(RequestStep::from_name(step.as_str()), Some(step));
        }
        assert_eq!(RequestStep::from_number(8), None);
    }
}
