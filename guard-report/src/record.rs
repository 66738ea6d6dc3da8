//! One line of `denials.jsonl` or `changes.jsonl`: the type that writes it and reads it.
//!
//! [`FIELDS`] is the order of the fields. The first seven are those of the format that other tools
//! already read; the order only ever grows at its end. Every field is on every line, `null` where
//! there is nothing to say, except
//!
//! - `path_bytes` and `dest_bytes`: lower-case hexadecimal, present only when the path is not UTF-8 and
//!   `path` or `dest` therefore has U+FFFD in place of bytes;
//! - from `change` on to `undo_session`: present only when something was, or was to be, preserved before the operation,
//!   and then those of them that say something. All lines of `changes.jsonl` have `change`;
//! - `count`, `first` and `last`: present only on a line that several denials share.
//!
//! ```json
//! {"ts":1718000000,"op":"unlink","path":"/p/main.rs","dest":null,"zone":"/p","process":"rm",
//!  "ancestor":"claude","schema_version":1,"time":"2024-06-10T06:13:20.000000000Z",
//!  "ring":"000102030405060708090a0b0c0d0e0f","seq":0,"verdict":"deny",…}
//! ```
//!
//! A line never holds a raw newline, so the log can be split at newlines; `ring` and `seq` together
//! identify a denial for good, and with `verdict` `allow` a change. A reader ignores fields that it does not know, and accepts lines of
//! earlier versions, which have fewer.

use crate::{hex, json, time};
use guard_core::event::{ChangeKind, Preservation, PreservationMethod, UnpreservedCause};
use guard_core::process::basename;
use guard_core::verdict::{Reason, Verdict};
use guard_core::{DecisionEvent, OperationKind};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A line. Names that a later version adds to operations, verdicts, reasons, answers, changes, methods
/// and causes stay text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct DecisionRecord<'a> {
    /// When, seconds since the Unix epoch.
    #[serde(default)]
    pub ts: u64,
    /// The operation.
    #[serde(borrow)]
    pub op: Cow<'a, str>,
    /// What would have been destroyed.
    #[serde(borrow)]
    pub path: Cow<'a, str>,
    /// Where it would have gone.
    #[serde(borrow)]
    pub dest: Option<Cow<'a, str>>,
    /// The path of the zone it is in.
    #[serde(borrow, default)]
    pub zone: Option<Cow<'a, str>>,
    /// The name of the program, else `pid:NUMBER`.
    #[serde(borrow)]
    pub process: Cow<'a, str>,
    /// The name of the agent's process.
    #[serde(borrow, default)]
    pub ancestor: Option<Cow<'a, str>>,
    /// [`SCHEMA_VERSION`].
    #[serde(default)]
    pub schema_version: u32,
    /// When, RFC 3339.
    #[serde(borrow)]
    pub time: Cow<'a, str>,
    /// The id of the ring that it was read from, in hexadecimal.
    #[serde(borrow)]
    pub ring: Cow<'a, str>,
    /// Its number in the ring.
    pub seq: u64,
    /// The verdict.
    #[serde(borrow)]
    pub verdict: Cow<'a, str>,
    /// The reason of the verdict.
    #[serde(borrow)]
    pub reason: Cow<'a, str>,
    /// The agent's label.
    #[serde(borrow)]
    pub agent: Option<Cow<'a, str>>,
    /// The agent's process.
    #[serde(default)]
    pub agent_pid: Option<u32>,
    /// The agent's session.
    #[serde(borrow, default)]
    pub session: Option<Cow<'a, str>>,
    /// The acting process.
    pub pid: u32,
    /// What distinguishes the process from another with the same number.
    #[serde(default)]
    pub generation: u64,
    /// Its parent.
    #[serde(default)]
    pub ppid: u32,
    /// Its effective user.
    #[serde(default)]
    pub uid: u32,
    /// The path of its executable.
    #[serde(borrow, default)]
    pub exe: Cow<'a, str>,
    /// Its first argument.
    #[serde(borrow, default)]
    pub argv0: Cow<'a, str>,
    /// The name of the zone.
    #[serde(borrow)]
    pub zone_name: Option<Cow<'a, str>>,
    /// What the process got as its error; 0 for none.
    #[serde(default)]
    pub errno: u32,
    /// What became of the operation.
    #[serde(borrow, default)]
    pub answer: Cow<'a, str>,
    /// Nanoseconds that the decision took.
    #[serde(default)]
    pub latency_ns: u64,
    /// The override that allowed it.
    #[serde(borrow, default)]
    pub override_id: Option<Cow<'a, str>>,
    /// The trusted tool that did it.
    #[serde(borrow, default)]
    pub tool: Option<Cow<'a, str>>,
    /// The trace that the process is part of.
    #[serde(borrow, default)]
    pub trace_id: Option<Cow<'a, str>>,
    /// The span that the process is part of.
    #[serde(borrow, default)]
    pub span_id: Option<Cow<'a, str>>,
    /// Microseconds between the kernel's question and its arrival.
    #[serde(default)]
    pub delivery_delay_us: Option<u32>,
    /// The bytes of `path` when they are not UTF-8.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub path_bytes: Option<Cow<'a, str>>,
    /// The bytes of `dest` when they are not UTF-8.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub dest_bytes: Option<Cow<'a, str>>,
    /// What the operation did to what was, or was to be, preserved: `removed`, `replaced`, `changed`,
    /// `shrunk`; absent if it was denied.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Cow<'a, str>>,
    /// How it was preserved: `hardlink`, `rename`, `reflink`, `copy`, `record`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub preserved: Option<Cow<'a, str>>,
    /// Why it was not preserved.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub unpreserved: Option<Cow<'a, str>>,
    /// Its length before the operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The length that the operation left, where the operation gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_after: Option<u64>,
    /// Nanoseconds that preserving took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preserve_ns: Option<u64>,
    /// The name of the guard's session, by which `codex-es-guard undo` finds it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub undo_session: Option<Cow<'a, str>>,
    /// The number of denials that share this line; absent on a line of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// When the first of them was, RFC 3339.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Cow<'a, str>>,
    /// When the last of them was, which is also in `time`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Cow<'a, str>>,
}

/// The fields of a line, in their order.
pub const FIELDS: [&str; 43] = [
    "ts",
    "op",
    "path",
    "dest",
    "zone",
    "process",
    "ancestor",
    "schema_version",
    "time",
    "ring",
    "seq",
    "verdict",
    "reason",
    "agent",
    "agent_pid",
    "session",
    "pid",
    "generation",
    "ppid",
    "uid",
    "exe",
    "argv0",
    "zone_name",
    "errno",
    "answer",
    "latency_ns",
    "override_id",
    "tool",
    "trace_id",
    "span_id",
    "delivery_delay_us",
    "path_bytes",
    "dest_bytes",
    "change",
    "preserved",
    "unpreserved",
    "bytes",
    "bytes_after",
    "preserve_ns",
    "undo_session",
    "count",
    "first",
    "last",
];

/// Raised when a field changes its meaning or goes away; a new field does not raise it.
pub const SCHEMA_VERSION: u32 = 1;

// === impl DecisionRecord ===

impl<'a> DecisionRecord<'a> {
    /// The record of `event`, read from the ring whose id is `ring` in hexadecimal.
    #[must_use]
    pub fn new(event: &DecisionEvent<'a>, ring: &'a str) -> Self {
        let process = event.process;
        let preservation = event.preservation.as_ref();
        Self {
            ts: event.wall_ns / NANOSECONDS,
            op: event.operation.as_str().into(),
            path: text(event.path),
            dest: event.destination.map(text),
            zone: event.zone.map(|zone| text(zone.path)),
            process: match basename(process.executable) {
                b"" => format!("pid:{}", process.key.pid).into(),
                name => text(name),
            },
            ancestor: event.ancestor.map(text),
            schema_version: SCHEMA_VERSION,
            time: time::rfc3339(event.wall_ns).into(),
            ring: ring.into(),
            seq: event.sequence,
            verdict: event.verdict.as_str().into(),
            reason: event.reason.as_str().into(),
            agent: event.agent.map(Into::into),
            agent_pid: event.agent_pid,
            session: Some(event.session)
                .filter(|session| !session.is_empty())
                .map(text),
            pid: process.key.pid,
            generation: process.key.generation,
            ppid: process.ppid,
            uid: process.uid,
            exe: text(process.executable),
            argv0: text(process.argv0),
            zone_name: event.zone.map(|zone| zone.name.into()),
            errno: event.errno,
            answer: event.answer.as_str().into(),
            latency_ns: event.latency_ns,
            override_id: event.override_id.map(Into::into),
            tool: event.tool.map(text),
            trace_id: event.trace.map(|trace| hex(&trace.trace_id).into()),
            span_id: event.trace.map(|trace| hex(&trace.span_id).into()),
            delivery_delay_us: event.delivery_delay_us,
            path_bytes: bytes_unless_text(event.path),
            dest_bytes: event.destination.and_then(bytes_unless_text),
            change: event.change().map(|change| change.as_str().into()),
            preserved: preservation
                .and_then(Preservation::method)
                .map(|method| method.as_str().into()),
            unpreserved: preservation
                .and_then(Preservation::cause)
                .map(|cause| cause.as_str().into()),
            bytes: preservation.map(|preservation| preservation.bytes),
            bytes_after: preservation.and_then(|preservation| preservation.bytes_after),
            preserve_ns: preservation.map(|preservation| preservation.duration_ns),
            undo_session: None,
            count: None,
            first: None,
            last: None,
        }
    }

    /// The record with the name of the guard's session, if something was, or was to be, preserved.
    #[must_use]
    pub fn in_session(self, session: &'a [u8]) -> Self {
        let undo_session = self.bytes.map(|_| text(session));
        Self {
            undo_session,
            ..self
        }
    }

    /// The record of `count` denials alike, of which this is the first: with the number and the time of
    /// the last, which was at `last_ns`, wall clock nanoseconds.
    #[must_use]
    pub fn repeated(self, count: u64, last_sequence: u64, last_ns: u64) -> Self {
        let last = time::rfc3339(last_ns);
        Self {
            ts: last_ns / NANOSECONDS,
            seq: last_sequence,
            first: Some(self.time),
            last: Some(last.clone().into()),
            time: last.into(),
            count: Some(count),
            ..self
        }
    }

    /// Reads a line; `None` when it is no record.
    #[must_use]
    pub fn parse(line: &'a str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }

    /// Appends the line, with its newline, to `into`.
    pub fn append_to(&self, into: &mut Vec<u8>) {
        json::append(self, into);
        into.push(b'\n');
    }

    /// The operation; `None` for one that this version does not know.
    #[must_use]
    pub fn operation(&self) -> Option<OperationKind> {
        OperationKind::from_name(&self.op)
    }

    /// The verdict; `None` for one that this version does not know.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        let mut verdicts = Verdict::ALL.into_iter();
        verdicts.find(|verdict| verdict.as_str() == self.verdict)
    }

    /// The reason; `None` for one that this version does not know.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        let mut reasons = Reason::ALL.into_iter();
        reasons.find(|reason| reason.as_str() == self.reason)
    }

    /// What the operation did to what was, or was to be, preserved; `None` if nothing was, it was
    /// denied, or this version does not know the name.
    #[must_use]
    pub fn change(&self) -> Option<ChangeKind> {
        let mut changes = ChangeKind::ALL.into_iter();
        changes.find(|change| self.change.as_deref() == Some(change.as_str()))
    }

    /// How it was preserved; `None` if it was not, or this version does not know the name.
    #[must_use]
    pub fn method(&self) -> Option<PreservationMethod> {
        self.preserved
            .as_deref()
            .and_then(PreservationMethod::from_name)
    }

    /// Why it was not preserved; `None` if it was, or nothing was to be.
    #[must_use]
    pub fn cause(&self) -> Option<UnpreservedCause> {
        let cause = self.unpreserved.as_deref();
        cause.map(UnpreservedCause::from_name)
    }

    /// The path of the object that a change took: of an operation on two, the second.
    #[must_use]
    pub fn lost(&self) -> Vec<u8> {
        let (text, bytes) = match &self.dest {
            Some(destination) => (destination, &self.dest_bytes),
            None => (&self.path, &self.path_bytes),
        };
        let digits = bytes.as_deref().map(str::as_bytes);
        digits.map_or_else(|| text.as_bytes().to_vec(), from_hex)
    }

    /// When, wall clock nanoseconds.
    #[must_use]
    pub fn wall_ns(&self) -> Option<u64> {
        time::parse(&self.time).ok()
    }

    /// Its identity as people read it: the beginning of its ring's id, and its number there.
    #[must_use]
    pub fn short_id(&self) -> String {
        let ring = self.ring.get(..SHORT_RING).unwrap_or(&self.ring);
        format!("{ring}-{}", self.seq)
    }

    /// Its identity: `RING-NUMBER`, of an allowed operation `RING-cNUMBER`, since changes have numbers
    /// of their own.
    #[must_use]
    pub fn id(&self) -> String {
        let lane = match self.verdict() {
            Some(Verdict::Allow) => "c",
            Some(Verdict::Deny | Verdict::Audit) | None => "",
        };
        format!("{}-{lane}{}", self.ring, self.seq)
    }
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn bytes_unless_text(bytes: &[u8]) -> Option<Cow<'static, str>> {
    let is_text = std::str::from_utf8(bytes).is_ok();
    (!is_text).then(|| hex(bytes).into())
}

/// The bytes that these hexadecimal digits are.
fn from_hex(digits: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or_default();
    let pairs = digits.as_chunks::<2>().0.iter();
    pairs
        .map(|&[high, low]| u8::try_from(digit(high) << 4 | digit(low)).unwrap_or_default())
        .collect()
}

/// What is shown of a ring's id: the end says nothing more.
pub(crate) const SHORT_RING: usize = 8;

const NANOSECONDS: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::event::PreservationOutcome;
    use guard_testing::events::{CHANGE, denial};

    fn line(event: &DecisionEvent<'_>) -> String {
        let mut bytes = Vec::new();
        DecisionRecord::new(event, "00ff").append_to(&mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_golden_line() {
        let golden = concat!(
            r#"{"ts":1718000000,"op":"rename","path":"/home/u/project/main.rs","#,
            r#""dest":"/tmp/main.rs","zone":"/home/u/project","process":"mv","ancestor":"claude","#,
            r#""schema_version":1,"time":"2024-06-10T06:13:20.000000042Z","ring":"00ff","seq":7,"#,
            r#""verdict":"deny","reason":"agent_in_zone","agent":"claude_code","agent_pid":41,"#,
            r#""session":"s-1","pid":42,"generation":977,"ppid":41,"uid":1000,"exe":"/usr/bin/mv","#,
            r#""argv0":"mv","zone_name":"project","errno":1,"answer":"denied","latency_ns":12500,"#,
            r#""override_id":null,"tool":null,"trace_id":"0af7651916cd43dd8448eb211c80319c","#,
            r#""span_id":"b7ad6b7169203331","delivery_delay_us":null}"#,
            "\n"
        );
        assert_eq!(line(&denial(7)), golden);
    }

    #[test]
    fn what_is_written_is_read() {
        let event = DecisionEvent {
            path: b"/p/\xff\n\"x",
            destination: Some(b"/q\xff"),
            ..denial(7)
        };
        let line = line(&event);
        assert_eq!(line.matches('\n').count(), 1);
        let read = DecisionRecord::parse(&line).unwrap();
        assert_eq!(read, DecisionRecord::new(&event, "00ff"));
        assert_eq!(read.path, "/p/\u{fffd}\n\"x");
        assert_eq!(read.path_bytes.as_deref(), Some("2f702fff0a2278"));
        assert_eq!(read.lost(), b"/q\xff");
        assert_eq!(read.operation(), Some(OperationKind::Rename));
        assert_eq!(read.verdict(), Some(Verdict::Deny));
        assert_eq!(read.reason(), Some(Reason::AgentInZone));
        assert_eq!(read.wall_ns(), Some(event.wall_ns));
        assert_eq!(read.id(), "00ff-7");
        let fields: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&line).unwrap();
        let fields: Vec<&str> = fields.keys().map(String::as_str).collect();
        assert_eq!(fields, FIELDS[..33]);
    }

    #[test]
    fn a_change_has_its_fields_at_the_end() {
        let check = |event: &DecisionEvent<'_>, expected: &str| {
            let mut bytes = Vec::new();
            DecisionRecord::new(event, "00ff")
                .in_session(b"calm-heron-7")
                .append_to(&mut bytes);
            let line = String::from_utf8(bytes).unwrap();
            let (_, end) = line.split_once(r#","delivery_delay_us":null"#).unwrap();
            assert_eq!(end, format!("{expected}}}\n"));
            let read = DecisionRecord::parse(&line).unwrap();
            assert_eq!(
                read,
                DecisionRecord::new(event, "00ff").in_session(b"calm-heron-7")
            );
            assert_eq!(read.change(), event.change());
            let fields: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(&line).unwrap();
            let mut known = FIELDS.iter();
            assert!(fields.keys().all(|field| known.any(|known| known == field)));
        };
        check(
            &CHANGE,
            r#","change":"removed","preserved":"hardlink","bytes":4096,"preserve_ns":21000,"undo_session":"calm-heron-7""#,
        );
        let unpreserved = Preservation {
            outcome: PreservationOutcome::Unpreserved(UnpreservedCause::TooLarge),
            bytes: 1 << 40,
            bytes_after: Some(0),
            duration_ns: 5,
        };
        let edit = DecisionEvent {
            operation: OperationKind::Write,
            preservation: Some(unpreserved),
            ..CHANGE
        };
        check(
            &edit,
            r#","change":"shrunk","unpreserved":"too_large","bytes":1099511627776,"bytes_after":0,"preserve_ns":5,"undo_session":"calm-heron-7""#,
        );
        let denied = DecisionEvent {
            verdict: Verdict::Deny,
            ..edit
        };
        check(
            &denied,
            r#","unpreserved":"too_large","bytes":1099511627776,"bytes_after":0,"preserve_ns":5,"undo_session":"calm-heron-7""#,
        );
        check(&denial(7), "");
        assert_eq!(DecisionRecord::new(&CHANGE, "00ff").id(), "00ff-c0");
    }

    #[test]
    fn what_is_not_known_is_null_or_written_otherwise() {
        let mut event = denial(7);
        event.destination = None;
        event.zone = None;
        event.ancestor = None;
        event.trace = None;
        event.session = b"";
        event.process.executable = b"";
        let value: serde_json::Value = serde_json::from_str(&line(&event)).unwrap();
        for field in [
            "dest",
            "zone",
            "zone_name",
            "ancestor",
            "trace_id",
            "span_id",
            "session",
        ] {
            assert!(value[field].is_null(), "{field}");
        }
        assert_eq!(value["process"], "pid:42");
        assert!(value.get("path_bytes").is_none());
    }

    #[test]
    fn other_versions_are_read_and_other_lines_are_not() {
        let later = line(&denial(7)).replace("{\"ts\"", "{\"later\":[1],\"ts\"");
        assert_eq!(DecisionRecord::parse(&later).unwrap().seq, 7);
        let sealed = line(&denial(7)).replace("null}", "null,\"prev\":\"00\",\"hash\":\"01\"}");
        assert!(DecisionRecord::parse(&sealed).is_some());
        let earlier = r#"{"ts":1,"op":"melt","path":"/p/a","dest":null,"process":"rm","ring":"00",
            "time":"2024-06-10T06:13:20Z","seq":0,"verdict":"deny","reason":"new","pid":7}"#;
        let earlier = DecisionRecord::parse(earlier).unwrap();
        assert_eq!((earlier.operation(), earlier.reason()), (None, None));
        for no_denial in ["", "by hand", "{}", "[1]", r#"{"ring":"00","seq":1}"#] {
            assert_eq!(DecisionRecord::parse(no_denial), None, "{no_denial}");
        }
    }
}
