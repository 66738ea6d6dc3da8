//! A change of names, preserved before it happens and settled after it: what every backend does
//! alike.
//!
//! | change | before it | after it |
//! |--------|-----------|----------|
//! | a name is removed | its object is kept | a directory is written down: most tools try to remove directories that are not empty |
//! | a name moves | the object at the new name is kept | the move is written down, unless the name came from outside the zones |
//!
//! Which objects are worth keeping, and what becomes of the operation when one cannot be kept, is
//! the caller's decision.

use super::PreserveError;
use super::outcome::event_of;
use super::recorder::{Discard, Kind, Lost, Moved, Name, ObjectStat, Preserved, Recorder, Worth};
use crate::journal::Method;
use guard_core::decision::Preserve;
use guard_core::{OperationKind, event};
use std::time::Instant;

/// What happens to the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameChangeKind {
    /// The name is removed.
    Remove,
    /// The name moves, perhaps over another.
    Rename,
    /// Two names are swapped.
    Exchange,
}

/// A name in its pinned directory, and its canonical path.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The name.
    pub name: Name<'a>,
    /// The canonical path.
    pub path: &'a [u8],
    /// What is there, if the caller has just asked.
    pub found: Option<ObjectStat>,
}

/// A change that an agent is about to make.
#[derive(Clone, Copy, Debug)]
pub struct NameChange<'a> {
    /// What happens.
    pub kind: NameChangeKind,
    /// The name that is removed or moved.
    pub source: Place<'a>,
    /// Where it moves.
    pub destination: Option<Place<'a>>,
    /// When the object that loses its name is worth keeping; `None` if it never is.
    pub worth: Option<Worth>,
    /// Whether the kernel would take nothing but a directory at the name that is lost: a slash at
    /// its end says so.
    pub directory_only: bool,
    /// Whether the caller would remove the name itself right after, so that the object may be moved
    /// into the store instead.
    pub may_take: bool,
    /// Which agent does it, by its label.
    pub agent: Option<&'a str>,
    /// When copying bytes has to end, if at all.
    pub until: Option<Instant>,
    /// The wall clock.
    pub at_ns: u64,
}

/// A change that was prepared.
#[derive(Debug)]
pub struct PendingChange {
    /// What was kept of the object that loses its name.
    preserved: Preserved,
    /// Why it was not.
    error: Option<PreserveError>,
    /// The length of the object that loses its name.
    lost_bytes: u64,
    /// The directory that loses its name.
    directory: Option<ObjectStat>,
    /// What moves, as it was before.
    moved: Option<ObjectStat>,
}

/// A change that happened.
#[derive(Clone, Copy, Debug)]
pub struct DoneChange<'a> {
    /// What happened.
    pub kind: NameChangeKind,
    /// The name that was removed or moved.
    pub path: &'a [u8],
    /// Where it moved.
    pub destination: Option<&'a [u8]>,
    /// Which agent did it, by its label.
    pub agent: Option<&'a str>,
    /// When the agent started. What changed before is not its own.
    pub agent_started_ns: u64,
    /// Whether the name that it had before is in a zone, so that the move can be taken back.
    pub from_zone: bool,
    /// The wall clock.
    pub at_ns: u64,
}

// === impl NameChangeKind ===

impl NameChangeKind {
    /// What an operation does to names; `None` if it neither removes nor moves one.
    #[must_use]
    pub const fn of(kind: OperationKind) -> Option<Self> {
        match kind {
            OperationKind::Unlink => Some(Self::Remove),
            OperationKind::Rename => Some(Self::Rename),
            OperationKind::Exchange => Some(Self::Exchange),
            _ => None,
        }
    }

    /// How the object that it takes loses its name.
    #[must_use]
    pub const fn how(self) -> Discard {
        match self {
            Self::Remove => Discard::Removed,
            Self::Rename | Self::Exchange => Discard::Replaced,
        }
    }
}

// === impl Worth ===

impl Worth {
    /// When an object is worth keeping by a decision; `None` if it never is.
    #[must_use]
    pub const fn of(preserve: Preserve) -> Option<Self> {
        match preserve {
            Preserve::Nothing => None,
            Preserve::IfChanged => Some(Self::IfChanged),
            Preserve::IfPossible | Preserve::Required => Some(Self::Always),
        }
    }
}

// === impl NameChange ===

impl<'a> NameChange<'a> {
    /// The name that is lost.
    fn lost(&self) -> Option<Place<'a>> {
        match self.kind {
            NameChangeKind::Remove => Some(self.source),
            NameChangeKind::Rename | NameChangeKind::Exchange => self.destination,
        }
    }
}

// === impl Place ===

impl Place<'_> {
    /// What is there.
    fn stat(&self) -> Option<ObjectStat> {
        self.found.or_else(|| self.name.stat().ok())
    }
}

// === impl Recorder ===

impl Recorder {
    /// Preserves what a change takes. `None` if it changes nothing: there is nothing to be moved, or
    /// both are names of one file.
    pub fn prepare(&self, change: &NameChange<'_>) -> Option<PendingChange> {
        let lost = change.lost()?;
        let found = lost.stat();
        let mut pending = PendingChange {
            preserved: Preserved::NotNeeded,
            error: None,
            lost_bytes: found.map_or(0, |found| found.facts.size),
            directory: None,
            moved: None,
        };
        if change.kind != NameChangeKind::Remove {
            let moved = change.source.stat()?;
            if found.is_some_and(|found| found.facts.inode == moved.facts.inode) {
                return None;
            }
            pending.moved = Some(moved);
        }
        let (Some(found), Some(worth)) = (found, change.worth) else {
            return Some(pending);
        };
        if found.kind == Kind::Directory {
            // An agent's own would be made again by a restore for nothing.
            pending.directory = (worth == Worth::Always).then_some(found);
            return Some(pending);
        }
        if change.directory_only {
            return None;
        }
        let lost = Lost {
            name: lost.name,
            path: lost.path,
            found: Some(found),
            agent: change.agent,
            until: change.until,
            at_ns: change.at_ns,
        };
        let may_take = change.may_take && change.kind == NameChangeKind::Remove;
        match self.discard(&lost, change.kind.how(), worth, may_take) {
            Ok(preserved) => pending.preserved = preserved,
            Err(error) => pending.error = Some(error),
        }
        Some(pending)
    }
}

// === impl PendingChange ===

impl PendingChange {
    /// What was kept.
    #[must_use]
    pub const fn preserved(&self) -> Preserved {
        self.preserved
    }

    /// Why the object that loses its name was not preserved.
    #[must_use]
    pub const fn error(&self) -> Option<&PreserveError> {
        self.error.as_ref()
    }

    /// What the event says of it, if preserving took this long; `None` if nothing had to be preserved.
    #[must_use]
    pub fn event(&self, duration_ns: u64) -> Option<event::Preservation> {
        let bytes_after = self.moved.map(|moved| moved.facts.size);
        let preserved = match &self.error {
            Some(error) => Err(error),
            None if self.directory.is_some() && self.moved.is_none() => Ok(Preserved::Recorded),
            None => Ok(self.preserved),
        };
        event_of(preserved, self.lost_bytes, bytes_after, duration_ns)
    }

    /// Whether the removal is done already: the object was moved into the store.
    #[must_use]
    pub const fn is_removal_done(&self) -> bool {
        matches!(
            self.preserved,
            Preserved::Kept {
                method: Method::Rename,
                ..
            }
        )
    }

    /// The change goes on although something was not preserved: writes that down.
    pub fn note_unpreserved(&self, recorder: &Recorder, change: &NameChange<'_>) {
        if let (Some(error), Some(lost)) = (&self.error, change.lost()) {
            let what = change.kind.how().as_str();
            recorder.unpreserved(lost.path, what, error, change.at_ns);
        }
    }

    /// The change did not happen: withdraws what was kept.
    pub fn withdraw(&self, recorder: &Recorder, at_ns: u64) {
        recorder.withdraw(self.preserved, at_ns);
    }

    /// The change happened: writes down what is to be taken back.
    pub fn settle(&self, recorder: &Recorder, done: &DoneChange<'_>) {
        if let (Some(found), NameChangeKind::Remove) = (&self.directory, done.kind) {
            // Without its record the directory is made again with usual modes.
            let _full = recorder.directory_removed(done.path, done.agent, found, done.at_ns);
        }
        let (Some(found), Some(to)) = (self.moved, done.destination) else {
            return;
        };
        if done.from_zone {
            let moved = Moved {
                from: done.path,
                to,
                exchange: done.kind == NameChangeKind::Exchange,
                found,
                agent: done.agent,
            };
            let _full = recorder.renamed(&moved, done.at_ns);
        } else if found.changed_ns >= done.agent_started_ns {
            recorder.brought(to, &found, done.at_ns);
        } else {
            recorder.brought_from_elsewhere(to, done.at_ns);
        }
    }
}
