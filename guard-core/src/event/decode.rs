//! The decoder of events, in the format that `encode.rs` describes.
//!
//! The bytes come from a file that another process writes, so every number is validated before it is
//! used. The result borrows: decoding copies and allocates nothing.

use super::encode::{FIELD_BOUNDS, FIXED_GROUPS, GROUP_BYTES, PRESERVATION_GROUPS, TRACE_BYTES};
use super::{
    ActingProcess, DecisionEvent, Preservation, PreservationMethod, PreservationOutcome,
    TraceContext, UnpreservedCause, ZoneRef,
};
use crate::operation::OperationKind;
use crate::process::ProcessKey;
use crate::verdict::{Answer, Reason, Verdict};

/// Why bytes are not an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeEventError {
    /// The bytes end inside a field.
    #[error("the event ends inside its {field}: {needed} bytes needed, {available} left")]
    Truncated {
        /// The field.
        field: &'static str,
        /// Its length, padding included.
        needed: usize,
        /// The bytes that are left.
        available: usize,
    },
    /// A number has no name in this version.
    #[error("unknown {field} {number}")]
    UnknownNumber {
        /// The field.
        field: &'static str,
        /// The number.
        number: u8,
    },
    /// A field is longer than a writer may make it.
    #[error("the {field} has {len} bytes, the limit is {limit}")]
    TooLong {
        /// The field.
        field: &'static str,
        /// Its length.
        len: u16,
        /// The most it may have.
        limit: u16,
    },
    /// A text is not UTF-8.
    #[error("the {field} is not UTF-8")]
    NotUtf8 {
        /// The field.
        field: &'static str,
    },
}

/// The bytes not yet decoded.
pub(super) struct Source<'a>(&'a [u8]);

// === impl DecisionEvent ===

impl<'a> DecisionEvent<'a> {
    /// Decodes an event. Bytes after its end are ignored: rings pad records to whole words.
    ///
    /// # Errors
    ///
    /// If the bytes are not in the format of [`encode`](DecisionEvent::encode).
    pub fn decode(sequence: u64, bytes: &'a [u8]) -> Result<Self, DecodeEventError> {
        let mut source = Source(bytes);
        let [
            kinds,
            longs @ ..,
            highest,
            pid,
            ppid,
            uid,
            errno,
            agent_pid,
            middle,
            last,
        ] = source.fixed()?;
        let [
            operation,
            verdict,
            reason,
            answer,
            present,
            presence_high,
            trace_flags,
            _,
        ] = kinds.to_le_bytes();
        let present = Presence(u16::from_le_bytes([present, presence_high]));
        let [
            wall_ns,
            monotonic_ns,
            latency_ns,
            deadline_left_ns,
            generation,
        ] = {
            let mut highest = highest;
            longs.map(|low| {
                let long = low | highest << 56;
                highest >>= 8;
                long
            })
        };
        let lengths = [
            length(0, highest >> 40)?,
            length(1, pid >> 32)?,
            length(2, ppid >> 32)?,
            length(3, uid >> 32)?,
            length(4, errno >> 32)?,
            length(5, agent_pid >> 32)?,
            length(6, middle)?,
            length(7, middle >> 16)?,
            length(8, middle >> 32)?,
            length(9, last)?,
            length(10, last >> 16)?,
        ];
        let trace = if present.has(8) {
            Some(source.trace(trace_flags)?)
        } else {
            None
        };
        let preservation = if present.has(10) {
            Some(source.preservation(present.has(11))?)
        } else {
            None
        };
        let [
            agent,
            ancestor,
            session,
            executable,
            argv0,
            path,
            destination,
            name,
            root,
            tool,
            id,
        ] = lengths;
        Ok(Self {
            sequence,
            wall_ns,
            monotonic_ns,
            latency_ns,
            deadline_left_ns: present.then(0, deadline_left_ns),
            delivery_delay_us: present.then(9, low_half(last >> 32)),
            operation: number("operation", operation, OperationKind::from_number)?,
            verdict: number("verdict", verdict, Verdict::from_number)?,
            reason: number("reason", reason, Reason::from_number)?,
            answer: number("answer", answer, Answer::from_number)?,
            errno: low_half(errno),
            agent: present.then(1, source.text("agent", agent)?),
            ancestor: present.then(2, source.bytes("ancestor", ancestor)?),
            agent_pid: present.then(3, low_half(agent_pid)),
            session: source.bytes("session", session)?,
            process: ActingProcess {
                key: ProcessKey {
                    pid: low_half(pid),
                    generation,
                },
                ppid: low_half(ppid),
                uid: low_half(uid),
                executable: source.bytes("executable", executable)?,
                argv0: source.bytes("argv0", argv0)?,
            },
            path: source.bytes("path", path)?,
            destination: present.then(4, source.bytes("destination", destination)?),
            zone: present.then(
                5,
                ZoneRef {
                    name: source.text("zone name", name)?,
                    path: source.bytes("zone path", root)?,
                },
            ),
            tool: present.then(6, source.bytes("tool", tool)?),
            override_id: present.then(7, source.text("override id", id)?),
            preservation,
            trace,
        })
    }
}

/// The presence bits.
#[derive(Clone, Copy)]
struct Presence(u16);

// === impl Presence ===

impl Presence {
    const fn has(self, bit: u32) -> bool {
        self.0 >> bit & 1 == 1
    }

    fn then<T>(self, bit: u32, value: T) -> Option<T> {
        self.has(bit).then_some(value)
    }
}

// === impl Source ===

impl<'a> Source<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The groups of the fixed part.
    fn fixed(&mut self) -> Result<[u64; FIXED_GROUPS], DecodeEventError> {
        self.groups("fixed part")
    }

    /// The next `N` groups.
    pub(super) fn groups<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<[u64; N], DecodeEventError> {
        let bytes = self.bytes(field, N * GROUP_BYTES)?;
        let (groups, _) = bytes.as_chunks::<GROUP_BYTES>();
        let mut numbers = [0; N];
        for (into, &[a, b, c, d, e, f, g]) in numbers.iter_mut().zip(groups) {
            *into = u64::from_le_bytes([a, b, c, d, e, f, g, 0]);
        }
        Ok(numbers)
    }

    fn preservation(&mut self, has_after: bool) -> Result<Preservation, DecodeEventError> {
        let [kind, bytes, bytes_after, duration_ns]: [u64; PRESERVATION_GROUPS] =
            self.groups("preservation")?;
        let [outcome, method_or_cause, ..] = kind.to_le_bytes();
        let outcome = match outcome {
            0 => PreservationOutcome::Preserved(number(
                "method",
                method_or_cause,
                PreservationMethod::from_number,
            )?),
            1 => PreservationOutcome::Unpreserved(number(
                "cause",
                method_or_cause,
                UnpreservedCause::from_number,
            )?),
            number => {
                return Err(DecodeEventError::UnknownNumber {
                    field: "outcome",
                    number,
                });
            }
        };
        Ok(Preservation {
            outcome,
            bytes,
            bytes_after: has_after.then_some(bytes_after),
            duration_ns,
        })
    }

    pub(super) fn trace(&mut self, flags: u8) -> Result<TraceContext, DecodeEventError> {
        let bytes = self.bytes("trace context", TRACE_BYTES)?;
        let truncated = || DecodeEventError::Truncated {
            field: "trace context",
            needed: TRACE_BYTES,
            available: bytes.len(),
        };
        let (trace_id, rest) = bytes.split_first_chunk().ok_or_else(truncated)?;
        let span_id = rest.first_chunk().ok_or_else(truncated)?;
        Ok(TraceContext {
            trace_id: *trace_id,
            span_id: *span_id,
            flags,
        })
    }

    /// The next `len` bytes, without their padding.
    pub(super) fn bytes(
        &mut self,
        field: &'static str,
        len: usize,
    ) -> Result<&'a [u8], DecodeEventError> {
        let needed = len.next_multiple_of(GROUP_BYTES);
        let available = self.0.len();
        let truncated = DecodeEventError::Truncated {
            field,
            needed,
            available,
        };
        let (padded, rest) = self.0.split_at_checked(needed).ok_or(truncated)?;
        self.0 = rest;
        padded.get(..len).ok_or(truncated)
    }

    pub(super) fn text(
        &mut self,
        field: &'static str,
        len: usize,
    ) -> Result<&'a str, DecodeEventError> {
        let bytes = self.bytes(field, len)?;
        std::str::from_utf8(bytes).map_err(|_| DecodeEventError::NotUtf8 { field })
    }
}

fn number<T>(
    field: &'static str,
    number: u8,
    known: impl Fn(u8) -> Option<T>,
) -> Result<T, DecodeEventError> {
    known(number).ok_or(DecodeEventError::UnknownNumber { field, number })
}

/// The length of the field with this index, from the low two bytes of `bits`.
fn length(index: usize, bits: u64) -> Result<usize, DecodeEventError> {
    bounded_length(&FIELD_BOUNDS, index, bits)
}

/// The length of a field, from the low two bytes of `bits`: at most what `bounds` has for it.
pub(super) fn bounded_length(
    bounds: &[(&'static str, u16)],
    index: usize,
    bits: u64,
) -> Result<usize, DecodeEventError> {
    let (field, limit) = bounds.get(index).copied().unwrap_or_default();
    let [low, high, ..] = bits.to_le_bytes();
    let len = u16::from_le_bytes([low, high]);
    if len <= limit {
        Ok(usize::from(len))
    } else {
        Err(DecodeEventError::TooLong { field, len, limit })
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "the other half is another field"
)]
const fn low_half(group: u64) -> u32 {
    group as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{MAX_DELIVERY_DELAY_US, MAX_ENCODED_BYTES, MAX_PRESERVATION_NUMBER};
    use fnv::FnvHasher;
    use std::hash::Hasher as _;

    const EVENT: DecisionEvent<'_> = DecisionEvent {
        sequence: 7,
        wall_ns: u64::MAX,
        monotonic_ns: 2,
        latency_ns: 3,
        deadline_left_ns: Some(0),
        delivery_delay_us: Some(7),
        operation: OperationKind::Rename,
        verdict: Verdict::Deny,
        reason: Reason::AgentInZone,
        answer: Answer::Denied,
        errno: 1,
        agent: Some("claude_code"),
        ancestor: Some(b"claude"),
        agent_pid: Some(u32::MAX),
        session: b"",
        process: ActingProcess {
            key: ProcessKey {
                pid: 5,
                generation: u64::MAX - 1,
            },
            ppid: 6,
            uid: 7,
            executable: b"/usr/bin/mv",
            argv0: b"mv",
        },
        path: b"/home/u/\xff\xfe",
        destination: Some(b""),
        zone: Some(ZoneRef {
            name: "u",
            path: b"/home/u",
        }),
        tool: None,
        override_id: None,
        preservation: Some(Preservation {
            outcome: PreservationOutcome::Unpreserved(UnpreservedCause::Full),
            bytes: MAX_PRESERVATION_NUMBER,
            bytes_after: Some(0),
            duration_ns: 9,
        }),
        trace: Some(TraceContext {
            trace_id: [1; 16],
            span_id: [2; 8],
            flags: 3,
        }),
    };

    fn encoded(event: &DecisionEvent<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        event.encode(&mut bytes);
        bytes
    }

    #[test]
    fn an_event_round_trips_and_no_prefix_of_it_decodes() {
        let bytes = encoded(&EVENT);
        assert_eq!(DecisionEvent::decode(7, &bytes), Ok(EVENT));
        for end in 0..bytes.len() {
            let prefix = bytes.get(..end).unwrap();
            assert!(
                matches!(
                    DecisionEvent::decode(7, prefix),
                    Err(DecodeEventError::Truncated { .. })
                ),
                "{end} bytes"
            );
        }
    }

    /// A guard and an exporter of different builds share a ring's file.
    #[test]
    fn these_bytes_belong_to_the_ring_s_format() {
        let mut hasher = FnvHasher::default();
        hasher.write(&encoded(&EVENT));
        let fnv = hasher.finish();
        assert_eq!(
            fnv, 0xd93e_8009_bbf5_db4a,
            "the encoding changed: raise FORMAT in ring/header.rs, then put {fnv:#x} here"
        );
    }

    #[test]
    fn invalid_numbers_lengths_and_texts_are_named() {
        let check = |offset: usize, byte: u8, expected| {
            let mut bytes = encoded(&EVENT);
            *bytes.get_mut(offset).unwrap() = byte;
            assert_eq!(DecisionEvent::decode(7, &bytes), Err(expected));
        };
        check(
            0,
            99,
            DecodeEventError::UnknownNumber {
                field: "operation",
                number: 99,
            },
        );
        check(
            1,
            3,
            DecodeEventError::UnknownNumber {
                field: "verdict",
                number: 3,
            },
        );
        check(
            48,
            9,
            DecodeEventError::TooLong {
                field: "agent",
                len: 9 * 256 + 11,
                limit: 256,
            },
        );
        let unknown = |field, number| DecodeEventError::UnknownNumber { field, number };
        check(126, 2, unknown("outcome", 2));
        check(127, 8, unknown("cause", 8));
        check(154, 0xff, DecodeEventError::NotUtf8 { field: "agent" });
    }

    #[test]
    fn a_field_beyond_its_bound_is_cut_with_a_note() {
        let path = vec![b'p'; 70_000];
        let id = "é".repeat(200);
        let event = DecisionEvent {
            path: &path,
            override_id: Some(&id),
            ..EVENT
        };
        let bytes = encoded(&event);
        let back = DecisionEvent::decode(0, &bytes).unwrap();
        assert_eq!(back.path.len(), 16 * 1024);
        assert!(back.path.ends_with(b"p [cut, was 0000000070000 bytes]"));
        // 256 less 31 is odd, and every letter has two bytes.
        assert_eq!(back.override_id.unwrap().len(), 255);
        assert!(
            back.override_id
                .unwrap()
                .ends_with("é [cut, was 0000000000400 bytes]")
        );
    }

    #[test]
    fn a_delay_beyond_three_bytes_is_encoded_as_the_longest() {
        for (delay, encoded_as) in [
            (MAX_DELIVERY_DELAY_US - 1, MAX_DELIVERY_DELAY_US - 1),
            (MAX_DELIVERY_DELAY_US, MAX_DELIVERY_DELAY_US),
            (MAX_DELIVERY_DELAY_US + 1, MAX_DELIVERY_DELAY_US),
            (u32::MAX, MAX_DELIVERY_DELAY_US),
        ] {
            let event = DecisionEvent {
                delivery_delay_us: Some(delay),
                ..EVENT
            };
            let expected = DecisionEvent {
                delivery_delay_us: Some(encoded_as),
                ..EVENT
            };
            assert_eq!(DecisionEvent::decode(7, &encoded(&event)), Ok(expected));
        }
    }

    #[test]
    fn preservations_round_trip_and_numbers_beyond_seven_bytes_are_encoded_as_the_largest() {
        let methods = PreservationMethod::ALL.map(PreservationOutcome::Preserved);
        let causes = UnpreservedCause::ALL.map(PreservationOutcome::Unpreserved);
        for outcome in methods.into_iter().chain(causes) {
            for bytes_after in [None, Some(0), Some(7), Some(u64::MAX)] {
                let preservation = Preservation {
                    outcome,
                    bytes: u64::MAX,
                    bytes_after,
                    duration_ns: 12,
                };
                let event = DecisionEvent {
                    preservation: Some(preservation),
                    trace: None,
                    ..EVENT
                };
                let expected = Preservation {
                    bytes: MAX_PRESERVATION_NUMBER,
                    bytes_after: bytes_after.map(|bytes| bytes.min(MAX_PRESERVATION_NUMBER)),
                    ..preservation
                };
                let bytes = encoded(&event);
                let back = DecisionEvent::decode(7, &bytes).unwrap();
                assert_eq!(back.preservation, Some(expected));
                assert_eq!(back.path, EVENT.path);
            }
        }
        let none = DecisionEvent {
            preservation: None,
            ..EVENT
        };
        let bytes = encoded(&none);
        assert_eq!(DecisionEvent::decode(7, &bytes), Ok(none));
        assert_eq!(bytes.len() + 4 * GROUP_BYTES, encoded(&EVENT).len());
    }

    #[test]
    fn the_longest_event_has_the_stated_length() {
        let long = vec![b'x'; 100_000];
        let text = std::str::from_utf8(&long).unwrap();
        let event = DecisionEvent {
            agent: Some(text),
            ancestor: Some(&long),
            session: &long,
            process: ActingProcess {
                executable: &long,
                argv0: &long,
                ..EVENT.process
            },
            path: &long,
            destination: Some(&long),
            zone: Some(ZoneRef {
                name: text,
                path: &long,
            }),
            tool: Some(&long),
            override_id: Some(text),
            ..EVENT
        };
        assert_eq!(encoded(&event).len(), MAX_ENCODED_BYTES);
    }
}
