//! Verifies a denial log by its [hash chain](super::chain).
//!
//! [`examine`] reads files as one log, oldest line first, and reports the first line that does not
//! belong where it is. Lines without a seal are only counted. A chain that was recomputed from some
//! line on is detected only with a head that was copied earlier.

use super::chain::{Digest, Seal, link};
use guard_report::log_files::{KEPT, numbered};
use guard_report::rings::FileId;
use serde::Serialize;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

/// The result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The files, oldest first.
    pub files: Vec<PathBuf>,
    /// Whole lines in them.
    pub lines: usize,
    /// How many of these are sealed.
    pub chained: usize,
    /// The predecessor of the first sealed line.
    #[serde(serialize_with = "as_text")]
    pub from: Option<Digest>,
    /// The hash of the last sealed line: the head, to be copied elsewhere.
    #[serde(serialize_with = "as_text")]
    pub to: Option<Digest>,
    /// The first faulty line.
    pub fault: Option<Fault>,
    /// The position of the head that was copied earlier.
    pub noted: Option<Noted>,
    /// Whether the last file ends within a line: it is being written, or its writer was killed.
    pub unfinished: bool,
}

/// A line that does not belong where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    pub kind: FaultKind,
    #[serde(flatten)]
    pub position: LinePosition,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Its hash is not the one written in it.
    Changed,
    /// The line before it is missing or was rewritten.
    Removed,
    /// It is between two consecutive lines.
    Inserted,
    /// The line before it comes later.
    Reordered,
    /// It is cut off at the end of its file.
    Cut,
}

/// The position of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LinePosition {
    pub file: PathBuf,
    /// Its number in the file, from 1.
    pub line: usize,
}

/// The position of a head that was copied earlier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Noted {
    /// It is the hash of the last line.
    Last,
    /// It is the hash of an earlier line.
    Earlier {
        /// Lines after that line.
        behind: usize,
    },
    /// It is the hash of the line before the first, which has left the kept files.
    BeforeFirst,
    /// No line has it.
    Missing,
}

/// One file of a log.
#[derive(Clone, Debug)]
pub struct Text {
    pub path: PathBuf,
    pub bytes: Vec<u8>,
}

struct LogLine {
    file: usize,
    line: usize,
    seal: Option<Seal>,
    link: Digest,
}

/// A file of a log that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}", path.display())]
pub struct ReadLogError {
    pub path: PathBuf,
    pub source: io::Error,
}

/// Reads the files.
///
/// # Errors
///
/// [`ReadLogError`]
pub fn read(paths: &[PathBuf]) -> Result<Vec<Text>, ReadLogError> {
    let read = |path: &PathBuf| match fs::read(path) {
        Ok(bytes) => Ok(Text {
            path: path.clone(),
            bytes,
        }),
        Err(source) => Err(ReadLogError {
            path: path.clone(),
            source,
        }),
    };
    paths.iter().map(read).collect()
}

/// Reads a log and its numbered files, oldest first. It starts again when the log is rotated meanwhile.
///
/// # Errors
///
/// [`ReadLogError`]
pub fn read_log(log: &Path) -> Result<Vec<Text>, ReadLogError> {
    let mut left = TRIES;
    loop {
        let before = files_of(log);
        let paths: Vec<PathBuf> = before.iter().map(|(path, _)| path.clone()).collect();
        let texts = read(&paths);
        left -= 1;
        if left == 0 || before == files_of(log) {
            return texts;
        }
    }
}

/// The existing files of a log, oldest first, each with its identity.
fn files_of(log: &Path) -> Vec<(PathBuf, FileId)> {
    let all = (0..=KEPT).rev().map(|number| numbered(log, number));
    all.filter_map(|path| FileId::at(&path).map(|id| (path, id)))
        .collect()
}

/// Verifies the files of a log, oldest first.
#[must_use]
pub fn examine(texts: &[Text], noted: Option<Digest>) -> Report {
    let mut records = Vec::new();
    let mut cut = None;
    let mut unfinished = false;
    for (file, text) in texts.iter().enumerate() {
        for (index, line) in text
            .bytes
            .split_inclusive(|&byte| byte == b'\n')
            .enumerate()
        {
            let Some(whole) = line.strip_suffix(b"\n") else {
                if file + 1 == texts.len() {
                    unfinished = true;
                } else {
                    cut = cut.or(Some(records.len()));
                    records.push(LogLine::new(file, index + 1, line));
                }
                continue;
            };
            records.push(LogLine::new(file, index + 1, whole));
        }
    }
    let position = |index: usize| {
        let record = &records[index];
        LinePosition {
            file: texts[record.file].path.clone(),
            line: record.line,
        }
    };
    let broken = first_fault(&records);
    let broken = match (broken, cut) {
        (Some((_, at)), Some(cut)) if cut <= at => Some((FaultKind::Cut, cut)),
        (None, Some(cut)) => Some((FaultKind::Cut, cut)),
        (broken, _) => broken,
    };
    let seals: Vec<Seal> = records.iter().filter_map(|record| record.seal).collect();
    Report {
        files: texts.iter().map(|text| text.path.clone()).collect(),
        lines: records.len(),
        chained: seals.len(),
        from: seals.first().map(|seal| seal.prev),
        to: seals.last().map(|seal| seal.hash),
        fault: broken.map(|(kind, at)| Fault {
            kind,
            position: position(at),
        }),
        noted: noted.map(|noted| find(&records, noted)),
        unfinished,
    }
}

/// The first faulty record.
fn first_fault(records: &[LogLine]) -> Option<(FaultKind, usize)> {
    let mut first = HashMap::with_capacity(records.len());
    for (index, record) in records.iter().enumerate() {
        first.entry(record.link).or_insert(index);
    }
    let mut earlier: Option<&LogLine> = None;
    for (index, record) in records.iter().enumerate() {
        let before = earlier.replace(record);
        let Some(seal) = record.seal else { continue };
        if !seal.is_intact {
            return Some((FaultKind::Changed, index));
        }
        if first[&record.link] < index {
            return Some((FaultKind::Inserted, index));
        }
        if before.is_some_and(|before| before.link == seal.prev) {
            continue;
        }
        match first.get(&seal.prev) {
            Some(&at) if at > index => return Some((FaultKind::Reordered, index)),
            Some(&at) => return Some((FaultKind::Inserted, at + 1)),
            None if index > 0 => return Some((FaultKind::Removed, index)),
            // Older lines have left the kept files.
            None => {}
        }
    }
    None
}

fn find(records: &[LogLine], noted: Digest) -> Noted {
    let has_it = |record: &LogLine| record.seal.is_some_and(|seal| seal.hash == noted);
    match records.iter().position(has_it) {
        Some(at) if at + 1 == records.len() => Noted::Last,
        Some(at) => Noted::Earlier {
            behind: records.len() - at - 1,
        },
        None => {
            let first = records.first().and_then(|record| record.seal);
            if first.is_some_and(|seal| seal.prev == noted) {
                Noted::BeforeFirst
            } else {
                Noted::Missing
            }
        }
    }
}

fn as_text<S: serde::Serializer>(digest: &Option<Digest>, to: S) -> Result<S::Ok, S::Error> {
    digest.map(|digest| digest.to_string()).serialize(to)
}

// === impl Report ===

impl Report {
    /// Whether the chain is intact and contains the head that was copied earlier.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.fault.is_none() && self.noted != Some(Noted::Missing)
    }
}

// === impl FaultKind ===

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Changed => "this line was changed: its hash is not the one written in it",
            Self::Removed => {
                "lines before this one were removed or rewritten: its predecessor is missing"
            }
            Self::Inserted => "this line was inserted: its neighbours are consecutive",
            Self::Reordered => "this line was moved: its predecessor comes later",
            Self::Cut => "this line is cut off: its file ends within it",
        })
    }
}

// === impl LogLine ===

impl LogLine {
    fn new(file: usize, line: usize, text: &[u8]) -> Self {
        Self {
            file,
            line,
            seal: Seal::of(text),
            link: link(text),
        }
    }
}

/// A log that is rotated this often while it is read is in a storm.
const TRIES: u32 = 20;

#[cfg(test)]
mod tests {
    use super::super::chain::Chain;
    use super::*;

    /// Four sealed lines `a` to `d`.
    fn sealed() -> Vec<String> {
        let mut chain = Chain::after(None);
        let seal = |name| {
            let mut line = format!("{{\"path\":\"{name}\"}}\n").into_bytes();
            chain.seal(&mut line, 0);
            String::from_utf8(line).unwrap()
        };
        ["a", "b", "c", "d"].map(seal).into()
    }

    /// Seals a line after another, as a forger can.
    fn forged(after: &str, text: &str) -> String {
        let mut chain = Chain::after(Some(after.trim_end().as_bytes()));
        let mut line = text.as_bytes().to_vec();
        chain.seal(&mut line, 0);
        String::from_utf8(line).unwrap()
    }

    fn report(files: &[&[String]], noted: Option<Digest>) -> Report {
        let text = |(number, lines): (usize, &&[String])| Text {
            path: number.to_string().into(),
            bytes: lines.concat().into(),
        };
        examine(
            &files.iter().enumerate().map(text).collect::<Vec<_>>(),
            noted,
        )
    }

    #[test]
    fn an_intact_log_is_intact_however_it_is_split_into_files() {
        let lines = sealed();
        for at in 0..=4 {
            let found = report(&[&lines[..at], &[], &lines[at..]], None);
            assert!(found.is_whole(), "{found:?}");
            assert_eq!((found.lines, found.chained), (4, 4));
            assert_eq!(found.from, Some(Digest::NONE));
            assert_eq!(found.to, Some(link(lines[3].trim_end().as_bytes())));
        }
        // Older lines have left.
        let found = report(&[&lines[2..]], None);
        assert!(found.is_whole() && found.from != Some(Digest::NONE));
    }

    #[test]
    fn each_manipulation_is_reported_with_its_first_line() {
        use FaultKind::{Changed, Cut, Inserted, Removed, Reordered};
        type Manipulation = fn(&mut Vec<String>);
        type Row = (&'static str, Manipulation, Option<(FaultKind, usize)>);
        let rows: [Row; 17] = [
            ("nothing", |_| {}, None),
            (
                "a path changed",
                |all| all[1] = all[1].replace(":\"b\"", ":\"x\""),
                Some((Changed, 2)),
            ),
            (
                "a byte of the last",
                |all| all[3] = all[3].replace(":\"d\"", ":\"e\""),
                Some((Changed, 4)),
            ),
            (
                "a space added",
                |all| all[0] = all[0].replacen(':', ": ", 1),
                Some((Changed, 1)),
            ),
            (
                "a hash changed",
                |all| all[2] = format!("{}0\"}}\n", &all[2][..all[2].len() - 4]),
                Some((Changed, 3)),
            ),
            (
                "changed and sealed again",
                |all| all[1] = forged(&all[0], "{\"path\":\"x\"}\n"),
                Some((Removed, 3)),
            ),
            ("one removed", |all| drop(all.remove(1)), Some((Removed, 2))),
            (
                "two removed",
                |all| drop(all.drain(1..3)),
                Some((Removed, 2)),
            ),
            (
                "stripped of its seal",
                |all| all[1] = "{\"path\":\"b\"}\n".to_owned(),
                Some((Removed, 3)),
            ),
            (
                "a plain line inserted",
                |all| all.insert(2, "{}\n".to_owned()),
                Some((Inserted, 3)),
            ),
            (
                "a sealed line inserted",
                |all| all.insert(2, forged(&all[1], "{}\n")),
                Some((Inserted, 3)),
            ),
            (
                "a copy inserted",
                |all| all.insert(3, all[1].clone()),
                Some((Inserted, 4)),
            ),
            (
                "a copy appended",
                |all| all.push(all[0].clone()),
                Some((Inserted, 5)),
            ),
            ("two swapped", |all| all.swap(1, 2), Some((Reordered, 2))),
            (
                "the last put first",
                |all| all.rotate_right(1),
                Some((Reordered, 1)),
            ),
            (
                "the first put last",
                |all| all.rotate_left(1),
                Some((Reordered, 1)),
            ),
            (
                "cut off amid",
                |all| all[1] = all[1][..20].to_owned(),
                Some((Cut, 2)),
            ),
        ];
        for (name, manipulate, expected) in rows {
            let mut lines = sealed();
            manipulate(&mut lines);
            // A line that is cut off is the last of its file.
            let (first, second) = lines.split_at(2);
            let found = report(&[first, second], None).fault;
            let found = found.map(|fault| {
                let before = if fault.position.file.as_os_str() == "1" {
                    2
                } else {
                    0
                };
                (fault.kind, before + fault.position.line)
            });
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn a_copied_head_reveals_a_cut_end_and_a_recomputed_chain() {
        let lines = sealed();
        let hash = |line: &String| Some(link(line.trim_end().as_bytes()));
        let noted = |files: &[String], head| report(&[files], head).noted.unwrap();
        assert_eq!(noted(&lines, hash(&lines[3])), Noted::Last);
        assert_eq!(noted(&lines, hash(&lines[1])), Noted::Earlier { behind: 2 });
        assert_eq!(noted(&lines[2..], hash(&lines[1])), Noted::BeforeFirst);

        let cut = report(&[&lines[..3]], hash(&lines[3]));
        assert_eq!(
            (cut.fault.clone(), cut.noted.clone()),
            (None, Some(Noted::Missing))
        );
        assert!(!cut.is_whole());
        let first = forged("", "{\"path\":\"x\"}\n");
        let recomputed = [first.clone(), forged(&first, "{\"path\":\"y\"}\n")];
        assert_eq!(
            report(&[&recomputed], hash(&lines[3])).noted,
            Some(Noted::Missing)
        );
    }

    #[test]
    fn the_chain_may_have_been_off() {
        let lines = sealed();
        let plain = "{\"path\":\"plain\"}\n".to_owned();
        let after = forged(&plain, "{\"path\":\"e\"}\n");
        let mut all = vec!["{}\n".to_owned(), plain.clone()];
        let begun = forged(&plain, "{\"path\":\"a\"}\n");
        all.extend([begun, plain, after]);
        let found = report(&[&all], None);
        assert_eq!((found.fault, found.lines, found.chained), (None, 5, 2));

        let unfinished = report(&[&lines, &["{\"pa".to_owned()]], None);
        assert!(unfinished.is_whole() && unfinished.unfinished);
        assert_eq!(unfinished.lines, 4);
        assert_eq!(report(&[], None).to, None);
    }
}
