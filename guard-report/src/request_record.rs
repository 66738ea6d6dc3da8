//! One line of `overrides.jsonl`: a step of a request or of an override, written and read.
//!
//! Every field is on every line, `null` where there is nothing to say, but `path_bytes`, which is present
//! only when the path is not UTF-8. `ring` and `seq` together identify a line for good; `step`
//! distinguishes it from a line of the other logs. A reader ignores fields that it does not know.
//!
//! ```json
//! {"ts":1718000000,"step":"requested","id":"3fa81c-1","path":"/p/old","op":["unlink","rename"],
//!  "agent":"codex","session":"3fa81c00","because":"replaced by new","by":null,…}
//! ```

use crate::{hex, json, time};
use guard_core::event::{RequestEvent, RequestStep};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A line. A step that a later version adds stays text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct RequestRecord<'a> {
    /// When, seconds since the Unix epoch.
    pub ts: u64,
    /// What happened: the name of a [`RequestStep`].
    #[serde(borrow)]
    pub step: Cow<'a, str>,
    /// The request's id, or the override's.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// What is asked for, or open.
    #[serde(borrow)]
    pub path: Cow<'a, str>,
    /// The operations.
    #[serde(borrow)]
    pub op: Vec<Cow<'a, str>>,
    /// The agent's label.
    #[serde(borrow)]
    pub agent: Option<Cow<'a, str>>,
    /// The guard's session.
    #[serde(borrow)]
    pub session: Cow<'a, str>,
    /// Why, in the words of whoever asks; of a rejection in those of the person.
    #[serde(borrow)]
    pub because: Option<Cow<'a, str>>,
    /// Who answered.
    #[serde(borrow)]
    pub by: Option<Cow<'a, str>>,
    /// The asking process.
    pub pid: u32,
    /// How often the path was denied before.
    pub denials: u64,
    /// Milliseconds from the request to its answer.
    pub wait_ms: Option<u64>,
    /// When a grant ends, RFC 3339.
    #[serde(borrow)]
    pub expires_at: Option<Cow<'a, str>>,
    /// Whether a grant ends with its first use.
    pub once: bool,
    /// How often a grant was used until now.
    pub uses: u64,
    /// When, RFC 3339.
    #[serde(borrow)]
    pub time: Cow<'a, str>,
    /// The id of the ring that it was read from, in hexadecimal.
    #[serde(borrow)]
    pub ring: Cow<'a, str>,
    /// Its number in the ring's request lane.
    pub seq: u64,
    /// The number of the latest denial in the ring's deny lane.
    pub denial: Option<u64>,
    /// The trace that it is part of.
    #[serde(borrow)]
    pub trace_id: Option<Cow<'a, str>>,
    /// The span above it.
    #[serde(borrow)]
    pub span_id: Option<Cow<'a, str>>,
    /// The bytes of `path` when they are not UTF-8.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub path_bytes: Option<Cow<'a, str>>,
}

/// The fields of a line, in their order.
pub const FIELDS: [&str; 22] = [
    "ts",
    "step",
    "id",
    "path",
    "op",
    "agent",
    "session",
    "because",
    "by",
    "pid",
    "denials",
    "wait_ms",
    "expires_at",
    "once",
    "uses",
    "time",
    "ring",
    "seq",
    "denial",
    "trace_id",
    "span_id",
    "path_bytes",
];

// === impl RequestRecord ===

impl<'a> RequestRecord<'a> {
    /// Of an event that was read from the ring with this id, in hexadecimal.
    #[must_use]
    pub fn new(event: &RequestEvent<'a>, ring: &'a str) -> Self {
        let path = String::from_utf8_lossy(event.path);
        let is_text = matches!(path, Cow::Borrowed(_));
        Self {
            ts: event.wall_ns / 1_000_000_000,
            step: event.step.as_str().into(),
            id: event.id.into(),
            path_bytes: (!is_text).then(|| hex(event.path).into()),
            path,
            op: event
                .operations
                .split('+')
                .filter(|name| !name.is_empty())
                .map(Cow::Borrowed)
                .collect(),
            agent: event.agent.map(Cow::Borrowed),
            session: String::from_utf8_lossy(event.session),
            because: event.because.map(Cow::Borrowed),
            by: event.by.map(Cow::Borrowed),
            pid: event.pid,
            denials: event.denials,
            wait_ms: event.wait_ns.map(|wait| wait / 1_000_000),
            expires_at: event.expires_ns.map(|end| time::rfc3339(end).into()),
            once: event.once,
            uses: event.uses,
            time: time::rfc3339(event.wall_ns).into(),
            ring: ring.into(),
            seq: event.sequence,
            denial: event.denial,
            trace_id: event.trace.map(|trace| hex(&trace.trace_id).into()),
            span_id: event.trace.map(|trace| hex(&trace.span_id).into()),
        }
    }

    /// Reads a line; `None` when it is none of these.
    #[must_use]
    pub fn parse(line: &'a str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }

    /// Appends the line, with its newline.
    pub fn append_to(&self, into: &mut Vec<u8>) {
        json::append(self, into);
        into.push(b'\n');
    }

    /// What happened, as far as this version knows it.
    #[must_use]
    pub fn step(&self) -> Option<RequestStep> {
        RequestStep::from_name(&self.step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::event::TraceContext;

    const EVENT: RequestEvent<'_> = RequestEvent {
        sequence: 4,
        wall_ns: 1_718_000_000_000_000_042,
        step: RequestStep::Granted,
        id: "3fa81c-1",
        agent: Some("codex"),
        session: b"3fa81c00",
        path: b"/p/old",
        operations: "unlink+rename",
        because: Some("replaced\nby new"),
        by: Some("user 1000"),
        pid: 7,
        expires_ns: Some(1_718_000_600_000_000_000),
        wait_ns: Some(2_500_000_000),
        once: true,
        uses: 0,
        denials: 2,
        denial: Some(9),
        denial_is_traced: true,
        request: Some(3),
        trace: Some(TraceContext {
            trace_id: [0xab; 16],
            span_id: [0xcd; 8],
            flags: 1,
        }),
    };

    fn line(event: &RequestEvent<'_>) -> String {
        let mut line = Vec::new();
        RequestRecord::new(event, "00ff").append_to(&mut line);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn what_is_written_is_read_and_is_one_line() {
        let text = line(&EVENT);
        assert_eq!(text.matches('\n').count(), 1);
        assert!(text.ends_with("}\n"));
        let read = RequestRecord::parse(&text).unwrap();
        assert_eq!(read, RequestRecord::new(&EVENT, "00ff"));
        assert_eq!(read.step(), Some(RequestStep::Granted));
        assert_eq!(read.wait_ms, Some(2500));
        assert_eq!(read.op, ["unlink", "rename"]);
    }

    #[test]
    fn the_fields_are_those_that_are_listed() {
        let strange = RequestEvent {
            path: b"/p/\xff",
            ..EVENT
        };
        let text = line(&strange);
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["path_bytes"], "2f702fff");
        let position = |field: &&str| text.find(&format!("\"{field}\":")).unwrap();
        assert!(FIELDS.iter().map(position).is_sorted());
        assert_eq!(read.as_object().unwrap().len(), FIELDS.len());
    }

    #[test]
    fn a_denial_is_no_step() {
        assert_eq!(
            RequestRecord::parse(r#"{"ts":1,"op":"unlink","path":"/p"}"#),
            None
        );
    }
}
