//! A decision as attributes: the conventions' own where they have a word for it, `guard.` else.
//!
//! Paths come from whoever was denied, as bytes. A path that is no text is told twice: with U+FFFD
//! for what cannot be shown, and whole, in hex.

use super::item::Decision;
use super::names;
use crate::denial_log::line::hex;
use guard_core::DecisionEvent;
use guard_core::event::ActingProcess;
use guard_core::process::basename;
use opentelemetry::{KeyValue, Value};

/// The attributes of a decision.
pub(super) fn of(decision: &Decision, event: &DecisionEvent<'_>) -> Vec<KeyValue> {
    let mut attributes = Attributes(Vec::with_capacity(CAPACITY));
    attributes.put(names::DECISION_ID, decision.id());
    attributes.decided(event);
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

    /// Only what the text cannot show.
    fn put_bytes(&mut self, name: &'static str, bytes: &[u8]) {
        if std::str::from_utf8(bytes).is_err() {
            self.put(name, hex(bytes));
        }
    }

    fn decided(&mut self, event: &DecisionEvent<'_>) {
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
        // As the conventions have it: without the dot, and a leading dot begins no extension.
        let dot = name.iter().rposition(|&byte| byte == b'.');
        if let Some(extension) = dot.filter(|&dot| dot > 0).map(|dot| &name[dot + 1..])
            && !extension.is_empty()
        {
            self.put(names::FILE_EXTENSION, text(extension));
        }
    }
}

/// What callers get from a guard has a name; a number is told as it is.
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

#[expect(clippy::cast_precision_loss, reason = "exact up to 104 days")]
fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

/// No decision has more.
const CAPACITY: usize = 28;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::denial;
    use std::collections::HashMap;

    fn told(event: &DecisionEvent<'_>) -> HashMap<String, String> {
        let decision = Decision::new(event, [0xab; 16]);
        let told = of(&decision, &decision.event());
        assert!(told.len() <= CAPACITY);
        let count = told.len();
        let map: HashMap<_, _> = told
            .into_iter()
            .map(|told| (told.key.to_string(), told.value.to_string()))
            .collect();
        assert_eq!(map.len(), count, "no name is there twice");
        map
    }

    #[test]
    fn a_denial_is_told_in_the_conventions_words() {
        let told = told(&denial(7));
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
            assert_eq!(told.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert!(!told.contains_key("guard.file.path_bytes"));
    }

    #[test]
    fn a_path_that_is_no_text_is_told_twice() {
        let told = told(&DecisionEvent {
            path: b"/\xff.",
            destination: Some(b"\xfe"),
            ..denial(0)
        });
        assert_eq!(told["file.path"], "/\u{fffd}.");
        assert_eq!(told["guard.file.path_bytes"], "2fff2e");
        assert_eq!(told["guard.file.target_path_bytes"], "fe");
        assert_eq!(told["file.directory"], "/");
        assert!(!told.contains_key("file.extension"));
    }
}
