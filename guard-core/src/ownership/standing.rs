//! Whose an object is: claims of this session, and records of earlier ones.

use super::Ownership;
use super::claims::{Maker, Note, What};
use super::relinked::TOUCH_NS;
use crate::file::FileFacts;
use crate::standing::{Proof, Record, Records, Standing};

/// An object that may be an agent's, to be written down; see [`Ownership::claims`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Its canonical path.
    pub path: Vec<u8>,
    note: Note,
}

// === impl Ownership ===

impl Ownership {
    /// Uses what earlier sessions wrote down. Only the first call has an effect.
    pub fn attach(&self, records: Box<dyn Records>) {
        // A second set would be another store's: one guard has one.
        let _ignored = self.records.set(records);
    }

    /// Whose the object at this canonical path is.
    #[must_use]
    pub fn standing(&self, path: &[u8], found: &FileFacts) -> Standing {
        let known = self.claims.read().map(|table| {
            let origin = self.records.get().map(|_| table.origin(path));
            (table.get(path), origin)
        });
        let (note, origin) = known.unwrap_or_default();
        if let Some(note) = note {
            match note.what {
                _ if note.claims(found) => return Standing::Own(note.proof(found)),
                What::Nobodys => return Standing::Nobodys,
                What::Emptied { at_ns }
                    if found.is_directory() && !found.is_younger_than(at_ns) =>
                {
                    return Standing::Emptied;
                }
                _ => {}
            }
        }
        match self.record(origin.as_deref().unwrap_or(path), found) {
            Some(Record { is_doubtful: true }) => Standing::Own(Proof::Doubtful),
            Some(Record { is_doubtful: false }) => Standing::Own(Proof::Recorded),
            None => Standing::Unknown,
        }
    }

    /// The record of this object at this path, now or before agents changed its other names.
    fn record(&self, path: &[u8], found: &FileFacts) -> Option<Record> {
        let records = self.records.get()?;
        let record = records.find(path, found);
        if record.is_some_and(|record| !record.is_doubtful) {
            return record;
        }
        // What only agents changed since is not doubtful for that.
        let before = self
            .claims
            .read()
            .and_then(|table| table.relinked.before(found));
        let earlier = before.and_then(|before| records.find(path, &before));
        earlier.or(record)
    }

    /// The name from which an agent moved or linked somebody's object to this one.
    #[must_use]
    pub fn moved_from(&self, path: &[u8]) -> Option<Vec<u8>> {
        self.claims.read()?.moved_from(path)
    }

    /// Where the object at this path was before agents moved it, or a directory above it, in this
    /// session; `None` if it was not moved.
    #[must_use]
    pub fn came_from(&self, path: &[u8]) -> Option<Vec<u8>> {
        let table = self.claims.read()?;
        let origin = || {
            let origin = table.origin(path);
            (origin.as_ref() != path).then(|| origin.into_owned())
        };
        table.moved_from(path).or_else(origin)
    }

    /// Some of the claims of this session, from the one with this number on, and the number to go on
    /// with; `None` at the end. Start with 0.
    #[must_use]
    pub fn claims(&self, from: u32) -> (Vec<Claim>, Option<u32>) {
        let Some(table) = self.claims.read() else {
            return (Vec::new(), None);
        };
        let (notes, next) = table.chunk(from, CHUNK);
        let claims = notes.into_iter().filter_map(|(path, note)| {
            let is_claim = matches!(note.what, What::Asked { .. } | What::Object { .. });
            is_claim.then_some(Claim { path, note })
        });
        (claims.collect(), next)
    }
}

// === impl Claim ===

impl Claim {
    /// The record to be written of the object that is at the path now; `None` if it is not the
    /// agent's.
    #[must_use]
    pub fn record(&self, found: &FileFacts) -> Option<Record> {
        self.note.claims(found).then_some(Record {
            is_doubtful: self.note.proof(found) != Proof::Seen,
        })
    }
}

// === impl Note ===

impl Note {
    fn proof(&self, found: &FileFacts) -> Proof {
        let changed_late = found.changed_ns > self.touched_ns.saturating_add(TOUCH_NS);
        match self.maker {
            Maker::Unknown => Proof::Doubtful,
            // Entries that come and go change a directory.
            Maker::Agent if changed_late && !found.is_directory() => Proof::Changed,
            Maker::Agent => Proof::Seen,
        }
    }
}

/// How many claims are read while the table is locked.
const CHUNK: usize = 1024;
