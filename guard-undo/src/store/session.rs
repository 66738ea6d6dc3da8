//! A session's directory as its readers see it.

use super::layout::{JOURNAL, OBJECTS};
use super::{depot, private};
use crate::journal::{Began, BytePath, Event, Kept, Record, SessionKind, line, writer_is_alive};
use crate::regular_file::read_regular;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

/// What a session's journal says, read once.
#[derive(Debug)]
pub struct Session {
    dir: PathBuf,
    name: String,
    /// Where its objects are: in its own directory, and beside zones on other file systems.
    objects: Vec<PathBuf>,
    /// Its records in their order.
    pub records: Vec<Record>,
    /// Lines that could not be read.
    pub skipped: usize,
    /// Whether it runs, ended, or was cut off.
    pub state: SessionState,
}

/// How far a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// Its guard lives.
    Running,
    /// Its guard wrote its end.
    Ended,
    /// Its guard is gone without a word.
    Interrupted,
}

// === impl Session ===

impl Session {
    /// Reads a session's directory.
    ///
    /// # Errors
    ///
    /// When it has no journal that can be read.
    pub fn read(dir: &Path) -> io::Result<Self> {
        let name = dir
            .file_name()
            .and_then(OsStr::to_str)
            .map(private::known_part)
            .ok_or(io::ErrorKind::InvalidInput)?
            .to_owned();
        let journal = dir.join(JOURNAL);
        // Before the bytes: who ends in between is running for this reader.
        let running = writer_is_alive(&journal);
        let mut reading = line::read(&read_regular(&journal)?);
        Self::drop_withdrawn(&mut reading.records);
        let ended = reading
            .records
            .iter()
            .any(|record| record.event == Event::Ended);
        Ok(Self {
            dir: dir.to_owned(),
            name,
            objects: object_directories(dir, &reading.records),
            records: reading.records,
            skipped: reading.skipped,
            state: match (running, ended) {
                (true, _) => SessionState::Running,
                (false, true) => SessionState::Ended,
                (false, false) => SessionState::Interrupted,
            },
        })
    }

    /// Its name, with which its directory's begins.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where the object of this number is kept.
    #[must_use]
    pub fn object(&self, id: u64) -> PathBuf {
        let name = id.to_string();
        let mut places = self.objects.iter().map(|dir| dir.join(&name));
        let usual = places.next().unwrap_or_default();
        if self.objects.len() == 1 || usual.exists() {
            return usual;
        }
        places.find(|place| place.exists()).unwrap_or(usual)
    }

    /// Where its objects are: in its own directory, and beside zones on other file systems.
    pub(crate) fn object_directories(&self) -> &[PathBuf] {
        &self.objects
    }

    /// How it began; a default when that line is lost.
    #[must_use]
    pub fn began(&self) -> Began {
        let began = self.records.iter().find_map(|record| match &record.event {
            Event::Began(began) => Some(began.clone()),
            _ => None,
        });
        began.unwrap_or_default()
    }

    /// When it began.
    #[must_use]
    pub fn began_ns(&self) -> u64 {
        self.records.first().map_or(0, |record| record.at_ns)
    }

    /// When something was written last.
    #[must_use]
    pub fn last_ns(&self) -> u64 {
        self.records
            .iter()
            .map(|record| record.at_ns)
            .max()
            .unwrap_or(0)
    }

    /// Drops the records whose operations the kernel refused after all.
    fn drop_withdrawn(records: &mut Vec<Record>) {
        let withdrawn: HashSet<u64> = records
            .iter()
            .filter_map(|record| match record.event {
                Event::Withdrawn { object } => Some(object),
                _ => None,
            })
            .collect();
        if withdrawn.is_empty() {
            return;
        }
        records.retain(|record| {
            let object = record.event.loss().and_then(|loss| match loss.kept {
                Kept::Object { id, .. } => Some(id),
                _ => None,
            });
            !object.is_some_and(|id| withdrawn.contains(&id))
        });
    }

    /// Whether an agent's deeds are in it, also such as could not be preserved.
    pub(crate) fn has_anything_of_agents(&self) -> bool {
        let undoable = |record: &Record| {
            let moved = matches!(record.event, Event::Renamed { .. });
            let unpreserved = matches!(record.event, Event::Unpreserved { .. });
            moved || unpreserved || record.event.loss().is_some()
        };
        self.began().kind == SessionKind::Agent && self.records.iter().any(undoable)
    }
}

fn object_directories(dir: &Path, records: &[Record]) -> Vec<PathBuf> {
    let began = records.iter().find_map(|record| match &record.event {
        Event::Began(began) => Some(began),
        _ => None,
    });
    let depots = began.map_or(&[][..], |began| began.depots.as_slice());
    // Nothing but what a session made is ever read, or removed, as a directory of objects.
    let is_depot = |place: &&Path| {
        place.file_name() == dir.file_name()
            && place.parent().and_then(Path::file_name) == Some(OsStr::new(depot::NAME))
    };
    let elsewhere = depots.iter().map(BytePath::as_path).filter(is_depot);
    std::iter::once(dir.join(OBJECTS))
        .chain(elsewhere.map(Path::to_owned))
        .collect()
}
