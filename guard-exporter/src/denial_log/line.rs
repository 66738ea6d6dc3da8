//! One line of `denials.jsonl`.
//!
//! The seed's seven fields come first and in the seed's order; the rest of the order is ours and
//! only ever grows at its end. Every field is on every line, `null` where there is nothing to say,
//! save `path_bytes` and `dest_bytes`: lower-case hex, there only when the path is not UTF-8 and
//! `path` or `dest` therefore shows U+FFFD where bytes could not be shown.
//!
//! ```json
//! {"ts":1718000000,"op":"unlink","path":"/p/main.rs","dest":null,"zone":"/p","process":"rm",
//!  "ancestor":"claude","schema_version":1,"time":"2024-06-10T06:13:20.000000000Z",
//!  "ring":"000102030405060708090a0b0c0d0e0f","seq":0,"verdict":"deny",…}
//! ```
//!
//! A line never holds a raw newline, so the log can be cut at newlines; `ring` and `seq` together
//! are a denial's identity for ever.

use crate::time::rfc3339;
use guard_core::DecisionEvent;
use guard_core::process::basename;
use serde::Serialize;
use std::borrow::Cow;
use std::fmt::Write as _;

/// Appends the line of `event`, with its newline, to `into`.
///
/// `ring` is the ring's id in hex.
pub fn encode(event: &DecisionEvent<'_>, ring: &str, into: &mut Vec<u8>) {
    let line = Line::new(event, ring);
    serde_json::to_writer(&mut *into, &line)
        .expect("a line is strings and numbers, kept in memory");
    into.push(b'\n');
}

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a string does not fail");
            text
        })
}

/// Raised when a field changes its meaning or goes away; a new field does not raise it.
pub const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Line<'a> {
    ts: u64,
    op: &'static str,
    path: Cow<'a, str>,
    dest: Option<Cow<'a, str>>,
    zone: Option<Cow<'a, str>>,
    process: Cow<'a, str>,
    ancestor: Option<Cow<'a, str>>,
    schema_version: u32,
    time: String,
    ring: &'a str,
    seq: u64,
    verdict: &'static str,
    reason: &'static str,
    agent: Option<&'a str>,
    agent_pid: Option<u32>,
    session: Option<Cow<'a, str>>,
    pid: u32,
    generation: u64,
    ppid: u32,
    uid: u32,
    exe: Cow<'a, str>,
    argv0: Cow<'a, str>,
    zone_name: Option<&'a str>,
    errno: u32,
    answer: &'static str,
    latency_ns: u64,
    override_id: Option<&'a str>,
    tool: Option<Cow<'a, str>>,
    trace_id: Option<String>,
    span_id: Option<String>,
    delivery_delay_us: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_bytes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dest_bytes: Option<String>,
}

// === impl Line ===

impl<'a> Line<'a> {
    fn new(event: &DecisionEvent<'a>, ring: &'a str) -> Self {
        let process = event.process;
        Self {
            ts: event.wall_ns / NANOSECONDS,
            op: event.operation.as_str(),
            path: text(event.path),
            dest: event.destination.map(text),
            zone: event.zone.map(|zone| text(zone.path)),
            process: match basename(process.executable) {
                b"" => format!("pid:{}", process.key.pid).into(),
                name => text(name),
            },
            ancestor: event.ancestor.map(text),
            schema_version: SCHEMA_VERSION,
            time: rfc3339(event.wall_ns),
            ring,
            seq: event.sequence,
            verdict: event.verdict.as_str(),
            reason: event.reason.as_str(),
            agent: event.agent,
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
            zone_name: event.zone.map(|zone| zone.name),
            errno: event.errno,
            answer: event.answer.as_str(),
            latency_ns: event.latency_ns,
            override_id: event.override_id,
            tool: event.tool.map(text),
            trace_id: event.trace.map(|trace| hex(&trace.trace_id)),
            span_id: event.trace.map(|trace| hex(&trace.span_id)),
            delivery_delay_us: event.delivery_delay_us,
            path_bytes: bytes_unless_text(event.path),
            dest_bytes: event.destination.and_then(bytes_unless_text),
        }
    }
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn bytes_unless_text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).is_err().then(|| hex(bytes))
}

const NANOSECONDS: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::denial;

    fn line(event: &DecisionEvent<'_>) -> String {
        let mut bytes = Vec::new();
        encode(event, "00ff", &mut bytes);
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
    fn what_is_not_known_is_null_or_told_otherwise() {
        let mut event = denial(0);
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
    fn bytes_that_are_no_text_are_kept_beside() {
        let mut event = denial(0);
        event.path = b"/p/\xff\n\"x";
        let line = line(&event);
        assert_eq!(line.matches('\n').count(), 1);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["path"], "/p/\u{fffd}\n\"x");
        assert_eq!(value["path_bytes"], "2f702fff0a2278");
    }
}
