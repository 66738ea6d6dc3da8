//! The attributes of a decision: those of the semantic conventions where they have one, and `guard.*`
//! for the rest.
//!
//! Paths are bytes. A path that is not UTF-8 has two attributes: a text with U+FFFD for invalid bytes,
//! and all bytes in hex.

use super::item::RecordedDecision;
use super::names;
use crate::units::seconds;
use guard_core::DecisionEvent;
use guard_core::event::{
    ActingProcess, ChangeKind, Preservation, PreservationMethod, RequestEvent, UnpreservedCause,
};
use guard_core::process::basename;
use guard_report::hex;
use opentelemetry::{KeyValue, Value};

/// The attributes of a decision.
pub(super) fn of(decision: &RecordedDecision, event: &DecisionEvent<'_>) -> Vec<KeyValue> {
    let mut attributes = Attributes(Vec::with_capacity(CAPACITY));
    attributes.put(names::DECISION_ID, decision.id());
    attributes.decision(event);
    attributes.process(&event.process);
    attributes.file(event.path);
    if let Some(destination) = event.destination {
        attributes.put(names::TARGET_PATH, text(destination));
        attributes.put_bytes(names::TARGET_PATH_BYTES, destination);
    }
    if let Some(zone) = event.zone {
        attributes.put(names::RULE_NAME, zone.name.to_owned());
        attributes.put(names::ZONE_PATH, text(zone.path));
    }
    attributes.0
}

/// The attributes of a step of a request.
pub(super) fn of_request(event: &RequestEvent<'_>) -> Vec<KeyValue> {
    let mut attributes = Attributes(Vec::with_capacity(CAPACITY));
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    attributes.put(names::REQUEST_STEP, event.step.as_str());
    attributes.put(names::OVERRIDE_ID, event.id.to_owned());
    attributes.put(names::OPERATION, event.operations.to_owned());
    attributes.put_some(names::AGENT_NAME, event.agent.map(str::to_owned));
    if !event.session.is_empty() {
        attributes.put(names::SESSION_ID, text(event.session));
    }
    attributes.put(names::PROCESS_PID, i64::from(event.pid));
    attributes.put(names::REQUEST_DENIALS, number(event.denials));
    attributes.put(names::REQUEST_USES, number(event.uses));
    attributes.put_some(names::REQUEST_REASON, event.because.map(str::to_owned));
    attributes.put_some(names::REQUEST_ANSWERED_BY, event.by.map(str::to_owned));
    attributes.put_some(names::REQUEST_WAIT, event.wait_ns.map(seconds));
    attributes.file(event.path);
    attributes.0
}

#[derive(Debug)]
struct Attributes(Vec<KeyValue>);

// === impl Attributes ===

impl Attributes {
    fn put(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.push(KeyValue::new(name, value));
    }

    fn put_some(&mut self, name: &'static str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    /// Only when the text cannot show the bytes.
    fn put_bytes(&mut self, name: &'static str, bytes: &[u8]) {
        if std::str::from_utf8(bytes).is_err() {
            self.put(name, hex(bytes));
        }
    }

    fn decision(&mut self, event: &DecisionEvent<'_>) {
        self.put(names::OPERATION, event.operation.as_str());
        self.put(names::VERDICT, event.verdict.as_str());
        self.put(names::REASON, event.reason.as_str());
        self.put(names::RULE_CATEGORY, event.reason.as_str());
        self.put(names::ANSWER, event.answer.as_str());
        self.put(names::DECISION_DURATION, seconds(event.latency_ns));
        if event.errno != 0 {
            self.put(names::ERRNO, i64::from(event.errno));
            self.put(names::ERROR_TYPE, error_type(event.errno));
        }
        self.put_some(names::AGENT_NAME, event.agent.map(str::to_owned));
        self.put_some(names::AGENT_PID, event.agent_pid.map(i64::from));
        self.put_some(names::ANCESTOR, event.ancestor.map(text));
        if !event.session.is_empty() {
            self.put(names::SESSION_ID, text(event.session));
        }
        self.put_some(names::TOOL, event.tool.map(text));
        self.put_some(names::OVERRIDE_ID, event.override_id.map(str::to_owned));
        self.put_some(names::CHANGE, event.change().map(ChangeKind::as_str));
        if let Some(preservation) = &event.preservation {
            self.preservation(preservation);
        }
    }

    fn preservation(&mut self, preservation: &Preservation) {
        let method = preservation.method().map(PreservationMethod::as_str);
        let cause = preservation.cause().map(UnpreservedCause::as_str);
        let number = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        self.put_some(names::PRESERVED, method);
        self.put_some(names::UNPRESERVED, cause);
        self.put(names::SIZE_BEFORE, number(preservation.bytes));
        self.put_some(names::SIZE_AFTER, preservation.bytes_after.map(number));
        self.put(names::PRESERVE_DURATION, seconds(preservation.duration_ns));
    }

    fn process(&mut self, process: &ActingProcess<'_>) {
        self.put(names::PROCESS_PID, i64::from(process.key.pid));
        self.put(names::PROCESS_PARENT_PID, i64::from(process.ppid));
        self.put(names::PROCESS_REAL_USER_ID, i64::from(process.uid));
        self.put(names::USER_ID, process.uid.to_string());
        self.put(names::PROCESS_EXECUTABLE_PATH, text(process.executable));
        let name = basename(process.executable);
        self.put(names::PROCESS_EXECUTABLE_NAME, text(name));
        if !process.argv0.is_empty() {
            self.put(names::PROCESS_COMMAND, text(process.argv0));
        }
    }

    fn file(&mut self, path: &[u8]) {
        self.put(names::FILE_PATH, text(path));
        self.put_bytes(names::PATH_BYTES, path);
        let name = basename(path);
        self.put(names::FILE_NAME, text(name));
        if let Some(directory) = path.strip_suffix(name) {
            let directory = directory.strip_suffix(b"/").unwrap_or(directory);
            let directory = if directory.is_empty() && path.starts_with(b"/") {
                b"/"
            } else {
                directory
            };
            self.put(names::FILE_DIRECTORY, text(directory));
        }
        // By the conventions without the dot; a leading dot begins no extension.
        let dot = name.iter().rposition(|&byte| byte == b'.');
        if let Some(extension) = dot.filter(|&dot| dot > 0).map(|dot| &name[dot + 1..])
            && !extension.is_empty()
        {
            self.put(names::FILE_EXTENSION, text(extension));
        }
    }
}

/// The name of an errno that a guard answers with; another is a number.
fn error_type(errno: u32) -> Value {
    let known = [
        (libc::EPERM, "EPERM"),
        (libc::ENOENT, "ENOENT"),
        (libc::EACCES, "EACCES"),
        (libc::EEXIST, "EEXIST"),
        (libc::EXDEV, "EXDEV"),
        (libc::ENOTDIR, "ENOTDIR"),
        (libc::EISDIR, "EISDIR"),
        (libc::EINVAL, "EINVAL"),
        (libc::EROFS, "EROFS"),
        (libc::ENOTEMPTY, "ENOTEMPTY"),
        (libc::ENOSYS, "ENOSYS"),
    ];
    let name = known
        .into_iter()
        .find(|&(number, _)| u32::try_from(number) == Ok(errno));
    name.map_or_else(|| errno.to_string().into(), |(_, name)| name.into())
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The most attributes that a decision has.
const CAPACITY: usize = 33;

#[cfg(test)]
mod tests {
    use super::*;
    use guard_testing::events::{CHANGE, denial};
    use std::collections::HashMap;

    fn attributes(event: &DecisionEvent<'_>) -> HashMap<String, String> {
        let decision = RecordedDecision::new(event, [0xab; 16]);
        let pairs = of(&decision, &decision.event());
        assert!(pairs.len() <= CAPACITY);
        let count = pairs.len();
        let map: HashMap<_, _> = pairs
            .into_iter()
            .map(|pair| (pair.key.to_string(), pair.value.to_string()))
            .collect();
        assert_eq!(map.len(), count, "each name is there once");
        map
    }

    #[test]
    fn a_denial_has_the_attributes_of_the_conventions() {
        let found = attributes(&denial(7));
        for (name, value) in [
            ("guard.decision.id", "abababababababababababababababab-7"),
            ("guard.operation", "rename"),
            ("guard.verdict", "deny"),
            ("guard.reason", "agent_in_zone"),
            ("guard.agent.name", "claude_code"),
            ("guard.decision.duration", "0.0000125"),
            ("guard.file.target_path", "/tmp/main.rs"),
            ("process.pid", "42"),
            ("process.parent_pid", "41"),
            ("process.executable.name", "mv"),
            ("process.real_user.id", "1000"),
            ("user.id", "1000"),
            ("error.type", "EPERM"),
            ("file.path", "/home/u/project/main.rs"),
            ("file.directory", "/home/u/project"),
            ("file.name", "main.rs"),
            ("file.extension", "rs"),
            ("security_rule.name", "project"),
        ] {
            assert_eq!(found.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert!(!found.contains_key("guard.file.path_bytes"));
    }

    #[test]
    fn a_change_says_what_was_preserved() {
        let found = attributes(&CHANGE);
        for (name, value) in [
            ("guard.change", "removed"),
            ("guard.preserved", "hardlink"),
            ("guard.file.size_before", "4096"),
            ("guard.preserve.duration", "0.000021"),
            ("guard.decision.id", "abababababababababababababababab-c0"),
        ] {
            assert_eq!(found.get(name).map(String::as_str), Some(value), "{name}");
        }
        for absent in ["guard.unpreserved", "guard.file.size_after"] {
            assert!(!found.contains_key(absent), "{absent}");
        }
    }

    #[test]
    fn a_path_that_is_not_utf_8_is_also_there_in_hex() {
        let found = attributes(&DecisionEvent {
            path: b"/\xff.",
            destination: Some(b"\xfe"),
            ..denial(0)
        });
        assert_eq!(found["file.path"], "/\u{fffd}.");
        assert_eq!(found["guard.file.path_bytes"], "2fff2e");
        assert_eq!(found["guard.file.target_path_bytes"], "fe");
        assert_eq!(found["file.directory"], "/");
        assert!(!found.contains_key("file.extension"));
    }
}
