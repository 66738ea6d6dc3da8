//! A denial in plain language.
//!
//! Paths and names come from whoever was denied. Characters that would turn a text around or hide
//! part of it are shown by their numbers, so that a file's name cannot rewrite the sentence it
//! is in.

use crate::record::DenialRecord;
use guard_core::OperationKind;
use guard_core::verdict::Verdict;
use std::borrow::Cow;
use std::fmt;

/// What happened, in one sentence without its full stop; its parts can be seen as they are.
///
/// ```
/// use guard_report::{record::DenialRecord, sentence::Sentence};
///
/// let line = r#"{"op":"unlink","path":"/p/main.rs","dest":null,"process":"rm","time":"",
///   "ring":"00","seq":0,"verdict":"deny","reason":"agent_in_zone","agent":"codex","pid":7,
///   "zone_name":"p"}"#;
/// assert_eq!(
///     Sentence::of(&DenialRecord::parse(line).unwrap()).to_string(),
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
}

// === impl Sentence ===

impl<'a> Sentence<'a> {
    /// The sentence about a denial.
    #[must_use]
    pub fn of(record: &'a DenialRecord<'_>) -> Self {
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
                Some(reason) => reason.explain().into(),
                None => visible(&record.reason),
            },
            zone: record.zone_name.as_deref().map(visible),
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
        match &self.zone {
            Some(zone) => write!(to, " (zone {zone})"),
            None => Ok(()),
        }
    }
}

/// The text with everything shown that would not be seen, or would change how the rest is seen.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(misleads) {
        return text.into();
    }
    let shown = text.chars().fold(String::new(), |mut shown, c| {
        if misleads(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
        shown
    });
    shown.into()
}

/// Control characters, and those that are not seen themselves but order, join or hide others:
/// Unicode's property `Default_Ignorable_Code_Point`, separators of lines and marks of annotations.
pub(crate) fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
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
            Sentence::of(&DenialRecord::parse(&line("audit")).unwrap()).to_string(),
            "a process would have been stopped from moving /p/a to /q with mv: it would be denied, \
             but the policy's mode is audit"
        );
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
