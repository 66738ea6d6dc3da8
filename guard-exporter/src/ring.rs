//! One attached ring: its file, how far it was read, and what of it was counted.

use crate::cursors::Mark;
use crate::denial_log::DecisionLog;
use crate::denial_log::recover::NextNumbers;
use crate::denial_log::repeats::{Repeats, Treatment};
use crate::metrics::RingMetrics;
use crate::observe::Batch;
use crate::otlp::RingId;
use guard_core::ring::{AttachRingError, Cursor, Lane, Reader};
use guard_report::hex;
use guard_report::protection::{Protection, path_beside};
use guard_report::record::DecisionRecord;
use guard_report::request_record::RequestRecord;
use guard_report::rings::{FileId, RingFile};
use guard_report::status::GuardStatus;
use std::path::PathBuf;
use std::time::SystemTime;
use std::{fs, io};

/// A ring being read.
#[derive(Debug)]
pub struct Ring {
    /// Its id in hex.
    pub id: String,
    pub file: FileId,
    pub reader: Reader,
    /// Whether its writer was alive when last checked.
    pub is_live: bool,
    /// The capacity of its lanes, bytes.
    pub capacity: [u64; Lane::ALL.len()],
    /// Its writer's version.
    pub version: String,
    raw_id: RingId,
    pub candidate: RingFile,
    counted_lost: [u64; Lane::ALL.len()],
    counted: Vec<u64>,
    /// The guard session's name.
    session: Vec<u8>,
    /// Decisions of the deny lane before this number are in the change log, as far as they belong
    /// there.
    logged_changes: u64,
    protection: ProtectionFile,
}

/// The file beside a ring that has what its guard protects.
#[derive(Debug)]
struct ProtectionFile {
    path: PathBuf,
    read: Option<Box<Protection>>,
    /// Which file that was, and when it was written.
    version: Option<(FileId, Option<SystemTime>)>,
}

/// Whether a lane was read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// To the end.
    All,
    /// There may be more records.
    Part,
}

// === impl Ring ===

impl Ring {
    /// Opens the ring of `candidate` at its oldest record.
    ///
    /// # Errors
    ///
    /// When it is not a ring.
    pub fn attach(candidate: RingFile) -> Result<Self, AttachRingError> {
        let reader = Reader::attach(&candidate.path)?;
        let header = reader.header();
        let bytes = |words| (words as u64).saturating_mul(size_of::<u64>() as u64);
        let id = hex(&header.id);
        Ok(Self {
            protection: ProtectionFile::new(path_beside(&candidate.path, &id)),
            id,
            raw_id: header.id,
            capacity: Lane::ALL.map(|lane| bytes(header.words_of(lane))),
            version: header.version,
            file: candidate.id,
            is_live: reader.is_writer_alive(),
            reader,
            candidate,
            counted_lost: [0; Lane::ALL.len()],
            counted: Vec::new(),
            session: header.session,
            logged_changes: 0,
        })
    }

    /// Continues where an earlier exporter ended: at `mark`, and not before what is in the denial log
    /// and the log of requests, which continue at `next`, and in the change log, which continues at
    /// `changes`.
    pub fn resume(&mut self, mark: Option<Mark>, next: NextNumbers, changes: NextNumbers) {
        let (deny, allow, change, request, counted) = mark.map_or_else(Default::default, |mark| {
            (
                Cursor::from(mark.deny),
                Cursor::from(mark.allow),
                Cursor::from(mark.change),
                Cursor::from(mark.request),
                mark.counters,
            )
        });
        let deny = Cursor {
            delivered: deny.delivered.max(next.deny),
            ..deny
        };
        let change = Cursor {
            delivered: change.delivered.max(changes.change),
            ..change
        };
        let request = Cursor {
            delivered: request.delivered.max(next.request),
            ..request
        };
        self.logged_changes = changes.deny;
        self.reader.resume(Lane::Deny, deny);
        self.reader.resume(Lane::Allow, allow);
        self.reader.resume(Lane::Change, change);
        self.reader.resume(Lane::Request, request);
        self.counted = counted;
    }

    /// How far it was read and counted.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark {
            deny: self.reader.cursor(Lane::Deny).into(),
            allow: self.reader.cursor(Lane::Allow).into(),
            change: self.reader.cursor(Lane::Change).into(),
            request: self.reader.cursor(Lane::Request).into(),
            counters: self.counted.clone(),
        }
    }

    /// Reads denials into the denial log while it has room, and of those that went on in audit mode
    /// what was, or was to be, preserved into the change log. What `repeats` counts is only counted.
    /// Returns how many it read.
    pub fn drain_denials(
        &mut self,
        denials: &mut DecisionLog,
        repeats: &mut Repeats,
        changes: &mut DecisionLog,
        batch: &mut Batch<'_>,
    ) -> (u64, Extent) {
        let mut records = 0;
        while denials.has_room() && changes.has_room() {
            let Some(event) = self.reader.next(Lane::Deny) else {
                return (records, Extent::All);
            };
            let record = || DecisionRecord::new(&event, &self.id).in_session(&self.session);
            match repeats.take(self.raw_id, &event, record, batch.now()) {
                Treatment::Line => {
                    let line = denials.encode(|into| record().append_to(into));
                    batch.denial(&event, self.raw_id, line);
                }
                Treatment::Counted => batch.repeated_denial(&event, self.raw_id),
            }
            if event.change().is_some() && event.sequence >= self.logged_changes {
                let line = changes.encode(|into| record().append_to(into));
                batch.change(&event, line);
            }
            records += 1;
        }
        (records, Extent::Part)
    }

    /// Reads changes into the change log while it has room. Returns how many it read.
    pub fn drain_changes(
        &mut self,
        changes: &mut DecisionLog,
        batch: &mut Batch<'_>,
    ) -> (u64, Extent) {
        let mut records = 0;
        while changes.has_room() {
            let Some(event) = self.reader.next(Lane::Change) else {
                return (records, Extent::All);
            };
            let record = DecisionRecord::new(&event, &self.id).in_session(&self.session);
            let line = changes.encode(|into| record.append_to(into));
            batch.changed(&event, self.raw_id, line);
            records += 1;
        }
        (records, Extent::Part)
    }

    /// Reads steps of requests into their log while it has room. Returns how many it read.
    pub fn drain_requests(
        &mut self,
        overrides: &mut DecisionLog,
        batch: &mut Batch<'_>,
    ) -> (u64, Extent) {
        let mut records = 0;
        while overrides.has_room() {
            let Some(event) = self.reader.next_request() else {
                return (records, Extent::All);
            };
            let record = RequestRecord::new(&event, &self.id);
            let line = overrides.encode(|into| record.append_to(into));
            batch.request(&event, self.raw_id, line);
            records += 1;
        }
        (records, Extent::Part)
    }

    /// Reads at most `limit` allowed operations. Returns how many it read.
    pub fn drain_allowed(&mut self, limit: u64, batch: &mut Batch<'_>) -> (u64, Extent) {
        for records in 0..limit {
            let Some(event) = self.reader.next(Lane::Allow) else {
                return (records, Extent::All);
            };
            batch.allowed(&event, self.raw_id);
        }
        (limit, Extent::Part)
    }

    /// Counts lost records and the increases of the ring's own counters since the last call.
    pub fn count(&mut self, metrics: &RingMetrics) {
        for (lane, counted) in Lane::ALL.into_iter().zip(&mut self.counted_lost) {
            let lost = self.reader.lost(lane);
            metrics.lost(lane, lost.saturating_sub(*counted));
            *counted = lost;
        }
        metrics.add_increases(&self.reader, &mut self.counted);
    }

    /// The status of its guard.
    #[must_use]
    pub fn status(&mut self) -> GuardStatus {
        self.protection.refresh();
        GuardStatus {
            protection: self.protection.read.clone(),
            ..GuardStatus::of(&self.reader, self.is_live)
        }
    }

    /// Removes the file, unless it is owned by root, who removes it later, or another has its name.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn remove(&self) -> io::Result<()> {
        let path = &self.candidate.path;
        if self.candidate.is_own && FileId::at(path) == Some(self.file) {
            fs::remove_file(path)?;
            // There may be none.
            let _none = fs::remove_file(&self.protection.path);
        }
        Ok(())
    }
}

// === impl ProtectionFile ===

impl ProtectionFile {
    const fn new(path: PathBuf) -> Self {
        Self {
            path,
            read: None,
            version: None,
        }
    }

    /// Reads the file if it is another than before.
    fn refresh(&mut self) {
        let modified = || self.path.symlink_metadata().ok()?.modified().ok();
        let version = FileId::at(&self.path).map(|id| (id, modified()));
        if version != self.version {
            self.version = version;
            self.read = Protection::read(&self.path).map(Box::new);
        }
    }
}
