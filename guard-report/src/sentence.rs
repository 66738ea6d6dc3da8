//! A denial or a change in plain language.
//!
//! Paths and names come from whoever was denied or allowed. Characters that would turn a text around or hide
//! part of it are shown by their numbers, so that a file's name cannot rewrite the sentence it
//! is in.

use crate::record::DecisionRecord;
use crate::shell::word;
use crate::size;
pub use crate::visible::visible;
use guard_core::event::{ChangeKind, PreservationMethod};
use guard_core::verdict::Verdict;
use guard_core::{OperationKind, Reason};
use std::borrow::Cow;
use std::fmt;

/// What happened, in one sentence without its full stop; its parts can be seen as they are.
///
/// ```
/// use guard_report::{record::DecisionRecord, sentence::Sentence};
///
/// let line = r#"{"op":"unlink","path":"/p/main.rs","dest":null,"process":"rm","time":"",
///   "ring":"00","seq":0,"verdict":"deny","reason":"agent_in_zone","agent":"codex","pid":7,
///   "zone_name":"p"}"#;
/// assert_eq!(
///     Sentence::of(&DecisionRecord::parse(line).unwrap()).to_string(),
///     "codex was stopped from removing /p/main.rs with rm: an AI agent's process would destroy \
///      something in a zone (zone p)"
/// );
/// ```
#[derive(Debug)]
pub struct Sentence<'a> {
    /// The agent.
    pub who: Cow<'a, str>,
    /// What became of it.
    pub was: &'static str,
    /// What it was about to do.
    pub doing: &'static str,
    /// To what.
    pub path: Cow<'a, str>,
    /// Where to.
    pub destination: Option<Cow<'a, str>>,
    /// The program it did it with.
    pub program: Cow<'a, str>,
    /// Why it was stopped.
    pub because: Cow<'a, str>,
    /// The zone's name.
    pub zone: Option<Cow<'a, str>>,
    /// How many denials share the line; 1 for most.
    pub times: u64,
}

/// What an agent took from a file, in one sentence without its full stop; its parts can be seen as
/// they are.
///
/// ```
/// use guard_report::{record::DecisionRecord, sentence::ChangeSentence};
///
/// let line = r#"{"op":"rename","path":"/tmp/new","dest":"/p/main.rs","process":"mv","time":"",
///   "ring":"00","seq":0,"verdict":"allow","reason":"replaced","agent":"codex","pid":7,
///   "zone_name":"p","change":"replaced","preserved":"hardlink","bytes":2048,
///   "undo_session":"calm-heron-7"}"#;
/// let record = DecisionRecord::parse(line).unwrap();
/// let sentence = ChangeSentence::of(&record);
/// assert_eq!(
///     sentence.to_string(),
///     "codex replaced /p/main.rs by /tmp/new with mv: 2.0 KiB preserved by a hard link (zone p)"
/// );
/// assert_eq!(
///     sentence.restore.unwrap(),
///     "codex-es-guard undo restore calm-heron-7 /p/main.rs"
/// );
/// ```
#[derive(Debug)]
pub struct ChangeSentence<'a> {
    /// The agent.
    pub who: Cow<'a, str>,
    /// What it did.
    pub did: &'static str,
    /// To what.
    pub path: Cow<'a, str>,
    /// What took its place.
    pub by: Option<Cow<'a, str>>,
    /// The program it did it with.
    pub program: Cow<'a, str>,
    /// What became of what was there.
    pub outcome: String,
    /// The zone's name.
    pub zone: Option<Cow<'a, str>>,
    /// The command that has it back, if it was preserved.
    pub restore: Option<String>,
}

/// "once", "2 times".
#[must_use]
pub fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    }
}

/// The sentence of a line of either log.
#[must_use]
pub fn of(record: &DecisionRecord<'_>) -> String {
    if is_change(record) {
        ChangeSentence::of(record).to_string()
    } else {
        Sentence::of(record).to_string()
    }
}

/// Whether it is a change that was allowed, and not a denial.
#[must_use]
pub fn is_change(record: &DecisionRecord<'_>) -> bool {
    record.verdict() == Some(Verdict::Allow) && record.change.is_some()
}

// === impl Sentence ===

impl<'a> Sentence<'a> {
    /// The sentence about a denial.
    #[must_use]
    pub fn of(record: &'a DecisionRecord<'_>) -> Self {
        Self {
            who: visible(record.agent.as_deref().unwrap_or("a process")),
            was: match record.verdict() {
                Some(Verdict::Allow) => "was allowed",
                // What a later version's verdict is called, its log has it because it was no plain
                // permission.
                Some(Verdict::Deny) | None => "was stopped from",
                Some(Verdict::Audit) => "would have been stopped from",
            },
            doing: doing(record.operation()),
            path: visible(&record.path),
            destination: record.dest.as_deref().map(visible),
            program: visible(&record.process),
            because: match record.reason() {
                Some(Reason::Unpreservable) => unpreservable(record),
                Some(reason) => reason.explain().into(),
                None => visible(&record.reason),
            },
            zone: record.zone_name.as_deref().map(visible),
            times: record.count.unwrap_or(1),
        }
    }
}

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            who,
            was,
            doing,
            path,
            ..
        } = self;
        write!(to, "{who} {was} {doing} {path}")?;
        if let Some(destination) = &self.destination {
            write!(to, " to {destination}")?;
        }
        write!(to, " with {}: {}", self.program, self.because)?;
        if let Some(zone) = &self.zone {
            write!(to, " (zone {zone})")?;
        }
        match self.times {
            0 | 1 => Ok(()),
            times => write!(to, "; {times} such denials"),
        }
    }
}

// === impl ChangeSentence ===

impl<'a> ChangeSentence<'a> {
    /// The sentence about a change.
    #[must_use]
    pub fn of(record: &'a DecisionRecord<'_>) -> Self {
        // Of a rename the destination is lost; its source takes the place.
        let (lost, by) = match record.dest.as_deref() {
            Some(destination) => (destination, Some(&*record.path)),
            None => (&*record.path, None),
        };
        Self {
            who: visible(record.agent.as_deref().unwrap_or("a process")),
            did: did(record),
            path: visible(lost),
            by: by.map(visible),
            program: visible(&record.process),
            outcome: outcome(record),
            zone: record.zone_name.as_deref().map(visible),
            restore: restore(record),
        }
    }
}

impl fmt::Display for ChangeSentence<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} {} {}", self.who, self.did, self.path)?;
        if let Some(by) = &self.by {
            write!(to, " by {by}")?;
        }
        write!(to, " with {}: {}", self.program, self.outcome)?;
        match &self.zone {
            Some(zone) => write!(to, " (zone {zone})"),
            None => Ok(()),
        }
    }
}

/// Why something could not be preserved, and what helps.
fn unpreservable(record: &DecisionRecord<'_>) -> Cow<'static, str> {
    let why = Reason::Unpreservable.explain();
    match record.cause() {
        Some(cause) => format!("{why}: {}", cause.explain()).into(),
        None => why.into(),
    }
}

fn outcome(record: &DecisionRecord<'_>) -> String {
    let bytes = size(record.bytes.unwrap_or_default());
    match (&record.preserved, record.method()) {
        (_, Some(PreservationMethod::Hardlink)) => format!("{bytes} preserved by a hard link"),
        (_, Some(PreservationMethod::Rename)) => format!("{bytes} moved into the undo store"),
        (_, Some(PreservationMethod::Reflink)) => format!("{bytes} preserved by a reflink"),
        (_, Some(PreservationMethod::Copy)) => format!("{bytes} preserved by a copy"),
        (_, Some(PreservationMethod::Record)) => "preserved by its record".to_owned(),
        (Some(method), None) => format!("{bytes} preserved ({})", visible(method)),
        (None, None) => {
            let cause = record.unpreserved.as_deref().unwrap_or("unknown");
            format!("{bytes} not preserved ({})", visible(cause))
        }
    }
}

/// The command that restores what was lost.
fn restore(record: &DecisionRecord<'_>) -> Option<String> {
    record.preserved.as_ref()?;
    let session = word(record.undo_session.as_deref()?.as_bytes());
    let lost = word(&record.lost());
    Some(format!("codex-es-guard undo restore {session} {lost}"))
}

/// What was done, or would have been, in the words of its sentence.
pub(crate) fn deed(record: &DecisionRecord<'_>) -> &'static str {
    if is_change(record) {
        did(record)
    } else {
        doing(record.operation())
    }
}

fn did(record: &DecisionRecord<'_>) -> &'static str {
    match record.change() {
        Some(ChangeKind::Removed) => "removed",
        Some(ChangeKind::Replaced) => "replaced",
        Some(ChangeKind::Changed) | None => "changed",
        Some(ChangeKind::Shrunk) if record.dest.is_some() => "replaced nearly all of",
        Some(ChangeKind::Shrunk) => "cut",
    }
}

const fn doing(operation: Option<OperationKind>) -> &'static str {
    match operation {
        Some(OperationKind::Unlink) => "removing",
        Some(OperationKind::Rename) => "moving",
        Some(OperationKind::Exchange) => "swapping",
        Some(OperationKind::Truncate) => "emptying",
        Some(OperationKind::Clone) => "overwriting",
        Some(OperationKind::Link) => "linking",
        Some(OperationKind::Write) => "writing to",
        Some(OperationKind::Control) => "reaching into",
        // Of a later version.
        None => "changing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_and_verdict_makes_a_sentence() {
        for operation in OperationKind::ALL {
            assert_ne!(doing(Some(operation)), "changing", "{operation:?}");
        }
        let line = |verdict| {
            format!(
                r#"{{"op":"rename","path":"/p/a","dest":"/q","process":"mv","time":"","ring":"0",
                "seq":0,"verdict":"{verdict}","reason":"audit_only","agent":null,"pid":1,
                "zone_name":null}}"#
            )
        };
        assert_eq!(
            Sentence::of(&DecisionRecord::parse(&line("audit")).unwrap()).to_string(),
            "a process would have been stopped from moving /p/a to /q with mv: it would be denied, \
             but the policy's mode is audit"
        );
    }

    #[test]
    fn every_change_makes_a_sentence_and_a_command() {
        let sentence = |fields: &str| {
            let line = format!(
                r#"{{"op":"write","process":"sh","time":"","ring":"0","seq":0,"verdict":"allow",
                "reason":"not_judged","agent":"codex","pid":1,"zone_name":null,
                "undo_session":"s 1",{fields}}}"#
            );
            let record = DecisionRecord::parse(&line).unwrap();
            let sentence = ChangeSentence::of(&record);
            assert_eq!(of(&record), sentence.to_string());
            (sentence.to_string(), sentence.restore)
        };
        let (text, restore) = sentence(
            r#""path":"/p/it's","dest":null,"change":"shrunk","preserved":"reflink","bytes":7"#,
        );
        assert_eq!(
            text,
            "codex cut /p/it's with sh: 7 B preserved by a reflink"
        );
        assert_eq!(
            restore.unwrap(),
            r"codex-es-guard undo restore 's 1' '/p/it'\''s'"
        );
        let (text, restore) = sentence(
            r#""path":"/p/\u202ea","dest":null,"change":"removed","preserved":"rename","bytes":7"#,
        );
        assert_eq!(
            text,
            r"codex removed /p/\u{202e}a with sh: 7 B moved into the undo store"
        );
        assert_eq!(
            restore.unwrap(),
            r"codex-es-guard undo restore 's 1' $'/p/\xe2\x80\xaea'"
        );
        let (text, restore) = sentence(
            r#""path":"/p/a","dest":"/p/b","change":"changed","unpreserved":"full","bytes":2048"#,
        );
        assert_eq!(
            text,
            "codex changed /p/b by /p/a with sh: 2.0 KiB not preserved (full)"
        );
        assert_eq!(restore, None);
        for method in PreservationMethod::ALL {
            let (text, restore) = sentence(&format!(
                r#""path":"/p/a","dest":null,"change":"later","preserved":"{}""#,
                method.as_str()
            ));
            assert!(
                restore.is_some() && !text.contains("not preserved"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_name_cannot_rewrite_its_sentence() {
        assert_eq!(visible("/a/\u{202e}txt.exe\n"), "/a/\\u{202e}txt.exe\\u{a}");
        for hidden in [
            '\u{9b}',
            '\u{ad}',
            '\u{115f}',
            '\u{200b}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{e0041}',
            '\u{e0100}',
        ] {
            let shown = format!("a\\u{{{:x}}}b", u32::from(hidden));
            assert_eq!(visible(&format!("a{hidden}b")), shown);
        }
        assert_eq!(visible("/日本/é b"), "/日本/é b");
    }
}
