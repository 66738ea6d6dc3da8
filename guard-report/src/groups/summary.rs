//! What a group comes to: how many there were, of what, where, and a sentence about it.

use crate::record::DecisionRecord;
use crate::sentence::{ChangeSentence, Sentence, deed, is_change, visible};
use crate::{size, time};
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// A group of denials, or of changes.
#[derive(Debug)]
pub struct Summary<'a> {
    /// The newest of them.
    pub newest: DecisionRecord<'a>,
    /// The id of the oldest, which is also the group's: a group that grows keeps it.
    pub id: String,
    /// When the oldest was.
    pub first: String,
    /// When the newest was.
    pub last: String,
    /// How many there were.
    pub count: u64,
    /// Of how many paths.
    pub paths: usize,
    /// The directory that has all of them.
    pub directory: String,
    /// What was done, in the words of a sentence.
    pub doing: String,
    /// The zones that it touches, by their names.
    pub zones: Vec<String>,
    /// The bytes that were preserved, or were not and should have been.
    pub bytes: u64,
    /// How many were not preserved and should have been.
    pub unpreserved: u64,
}

// === impl Summary ===

impl<'a> Summary<'a> {
    /// Of these records, the newest first; `None` of none.
    #[must_use]
    pub fn of(records: impl IntoIterator<Item = DecisionRecord<'a>>) -> Option<Self> {
        let mut records = records.into_iter();
        let newest = records.next()?;
        let mut paths = HashSet::from([object(&newest).into_owned()]);
        let mut summary = Self {
            id: newest.id(),
            first: newest.first.as_ref().unwrap_or(&newest.time).to_string(),
            last: newest.time.to_string(),
            count: 0,
            paths: 1,
            directory: parent(&object(&newest)).to_owned(),
            doing: String::new(),
            zones: Vec::new(),
            bytes: 0,
            unpreserved: 0,
            newest,
        };
        let mut doing = Vec::new();
        summary.add(&summary.newest.clone(), &mut doing);
        for record in records {
            let object = object(&record);
            let common = common(&summary.directory, parent(&object)).len();
            summary.directory.truncate(common);
            paths.insert(object.into_owned());
            summary.id = record.id();
            summary.first = record.first.as_ref().unwrap_or(&record.time).to_string();
            summary.add(&record, &mut doing);
        }
        summary.paths = paths.len();
        if summary.directory.is_empty() {
            "/".clone_into(&mut summary.directory);
        }
        doing.reverse();
        summary.doing = doing.join(" and ");
        Some(summary)
    }

    fn add(&mut self, record: &DecisionRecord<'_>, doing: &mut Vec<&'static str>) {
        // Repeats share a line.
        self.count += record.count.unwrap_or(1);
        self.bytes += record.bytes.unwrap_or_default();
        self.unpreserved += u64::from(record.unpreserved.is_some());
        let does = deed(record);
        if !doing.contains(&does) {
            doing.push(does);
        }
        if let Some(zone) = record.zone_name.as_deref()
            && !self.zones.iter().any(|known| known == zone)
        {
            self.zones.push(zone.to_owned());
        }
    }

    /// Whether it is a group of changes.
    #[must_use]
    pub fn is_change(&self) -> bool {
        is_change(&self.newest)
    }

    /// Who it was, and what became of it: `codex was stopped from`; of changes `codex`.
    #[must_use]
    pub fn who(&self) -> String {
        if self.is_change() {
            return ChangeSentence::of(&self.newest).who.into_owned();
        }
        let sentence = Sentence::of(&self.newest);
        format!("{} {}", sentence.who, sentence.was)
    }

    /// How often one path was tried, if it was more than once.
    #[must_use]
    pub fn attempts(&self) -> Option<u64> {
        (self.paths == 1 && self.count > 1).then_some(self.count)
    }

    /// Why, or what became of what was there.
    #[must_use]
    pub fn because(&self) -> Cow<'_, str> {
        if !self.is_change() {
            return Sentence::of(&self.newest).because.into_owned().into();
        }
        if self.count == 1 {
            return ChangeSentence::of(&self.newest).outcome.into();
        }
        let bytes = size(self.bytes);
        match self.unpreserved {
            0 => format!("{bytes} preserved").into(),
            lost if lost == self.count => format!("{bytes} not preserved").into(),
            lost => format!("{bytes}, {lost} of {} not preserved", self.count).into(),
        }
    }

    /// How long it took, seconds.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        let at = |text: &str| time::parse(text).unwrap_or_default();
        at(&self.last).saturating_sub(at(&self.first)) / 1_000_000_000
    }
}

/// The sentence, without its full stop; of a group of one the sentence of that one.
impl fmt::Display for Summary<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.count == 1 {
            return to.write_str(&crate::sentence::of(&self.newest));
        }
        write!(to, "{} {} ", self.who(), self.doing)?;
        match self.attempts() {
            Some(_) => to.write_str(&visible(&object(&self.newest)))?,
            None => write!(to, "{} paths in {}", self.paths, visible(&self.directory))?,
        }
        write!(to, " with {}", visible(&self.newest.process))?;
        if self.count > self.paths as u64 {
            write!(to, ", {} times", self.count)?;
        }
        write!(to, ": {}", self.because())?;
        match &self.zones[..] {
            [] => Ok(()),
            [zone] => write!(to, " (zone {})", visible(zone)),
            zones => write!(to, " (zones {})", visible(&zones.join(", "))),
        }
    }
}

/// The path that is lost, or would have been.
fn object<'r>(record: &'r DecisionRecord<'_>) -> Cow<'r, str> {
    match record.dest.as_deref() {
        Some(destination) if is_change(record) => destination.into(),
        _ => (&*record.path).into(),
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// What is above both of these directories, in whole components.
fn common<'a>(a: &'a str, b: &str) -> &'a str {
    let mut end = 0;
    let mut others = b.split('/');
    for part in a.split('/') {
        if others.next() != Some(part) {
            break;
        }
        end += part.len() + 1;
    }
    a.get(..end.saturating_sub(1)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::DecisionEvent;
    use guard_core::OperationKind;
    use guard_testing::events::{CHANGE, DENIAL};

    fn of(events: &[DecisionEvent<'_>]) -> (String, String) {
        let records = events
            .iter()
            .rev()
            .map(|event| DecisionRecord::new(event, "00"));
        let summary = Summary::of(records).unwrap();
        assert_eq!(summary.count, events.len() as u64);
        (summary.id.clone(), summary.to_string())
    }

    fn denied<'a>(sequence: u64, path: &'a str) -> DecisionEvent<'a> {
        DecisionEvent {
            sequence,
            operation: OperationKind::Unlink,
            path: path.as_bytes(),
            destination: None,
            ..DENIAL
        }
    }

    #[test]
    fn one_is_its_own_sentence() {
        let (id, text) = of(&[DENIAL]);
        assert_eq!(id, "00-0");
        assert!(
            text.starts_with("claude_code was stopped from moving /home/u/project/main.rs to"),
            "{text}"
        );
        assert!(Summary::of([]).is_none());
    }

    #[test]
    fn many_are_counted_in_their_common_directory() {
        let (id, text) = of(&[
            denied(3, "/p/src/a/x"),
            denied(4, "/p/src/ab"),
            denied(5, "/p/src/a/y\u{202e}"),
        ]);
        assert_eq!(id, "00-3", "the oldest names the group");
        assert_eq!(
            text,
            "claude_code was stopped from removing 3 paths in /p/src with mv: an AI agent's \
             process would destroy something in a zone (zone project)"
        );
        let (_, text) = of(&[denied(0, "/a"), denied(1, "/p/b"), denied(2, "/p/b")]);
        assert!(text.contains("2 paths in / with mv, 3 times: "), "{text}");
    }

    #[test]
    fn one_path_again_and_again_is_named() {
        let (_, text) = of(&[denied(0, "/p/a"), denied(1, "/p/a"), denied(2, "/p/a")]);
        assert!(
            text.starts_with("claude_code was stopped from removing /p/a with mv, 3 times: an"),
            "{text}"
        );
    }

    #[test]
    fn a_line_of_repeats_counts_as_what_it_says() {
        let events = [denied(0, "/p/a"), denied(1, "/p/a")];
        let [first, second] = events
            .each_ref()
            .map(|event| DecisionRecord::new(event, "00"));
        let repeats = DecisionRecord {
            count: Some(40),
            first: Some("2024-06-10T06:13:20Z".into()),
            ..second
        };
        let summary = Summary::of([repeats.clone(), first]).unwrap();
        assert_eq!((summary.count, summary.attempts()), (41, Some(41)));
        let alone = Summary::of([repeats]).unwrap();
        assert_eq!(alone.first, "2024-06-10T06:13:20Z");
        assert!(alone.to_string().contains("/p/a with mv, 40 times: "));
    }

    #[test]
    fn different_deeds_of_a_command_are_all_named() {
        let moved = DecisionEvent {
            sequence: 1,
            path: b"/p/b",
            ..DENIAL
        };
        let (_, text) = of(&[denied(0, "/p/a"), moved, denied(2, "/p/c")]);
        assert!(
            text.starts_with("claude_code was stopped from moving and removing 3 paths in /p with"),
            "{text}"
        );
    }

    #[test]
    fn changes_are_added_up() {
        let change = |sequence, path: &'static [u8]| DecisionEvent {
            sequence,
            path,
            ..CHANGE
        };
        let (id, text) = of(&[change(0, b"/p/a"), change(1, b"/p/b")]);
        assert_eq!(id, "00-c0");
        assert_eq!(
            text,
            "claude_code removed 2 paths in /p with git: 8.0 KiB preserved (zone project)"
        );
    }

    #[test]
    fn directories_are_compared_by_components() {
        for (a, b, expected) in [
            ("/p/a", "/p/ab", "/p"),
            ("/p/a", "/p/a/b", "/p/a"),
            ("/p", "/q", ""),
            ("", "/q", ""),
            ("/p/a", "/p/a", "/p/a"),
        ] {
            assert_eq!(common(a, b), expected, "{a} {b}");
        }
    }
}
