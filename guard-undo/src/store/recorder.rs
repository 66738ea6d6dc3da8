//! Preserving, while a session runs: what a backend calls before it lets an operation go on.
//!
//! | what is about to happen | call | how it is kept |
//! |---|---|---|
//! | a name is removed or replaced | [`Recorder::discard`] | a hard link; where that is forbidden, a rename into the store in place of the removal, else a clone or a copy |
//! | contents change in place | [`Recorder::change`] | a clone, else a copy up to `max_copy` |
//! | a name moves | [`Recorder::renamed`] | a record |
//!
//! An object is complete before its record is written. Nothing here waits for the disk or for the
//! sweeper.
//!
//! A kept inode is the file itself. Whoever holds it open for writing, or has another hard link to
//! it, goes on changing what is kept.

use super::keep::Keep;
pub use super::keep::Preserved;
use super::layout::{JOURNAL, OBJECTS};
use super::own::{Touches, Whose};
use super::{Bounds, OpenStoreError, PreserveError, Store};
pub use crate::files::{Kind, Name, ObjectStat, OwnedName};
use crate::journal::{
    Began, BytePath, Event, JournalWriter, Kept, Loss, Record, WriteJournalError, line,
};
use crate::sweep;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// One session's way into the store. Shared by the threads that answer.
#[derive(Debug)]
pub struct Recorder {
    store: Store,
    name: String,
    dir: PathBuf,
    depots: Vec<PathBuf>,
    keep: Keep,
    bounds: Mutex<Bounds>,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    journal: JournalWriter,
    pub(super) touches: Touches,
    tally: Tally,
}

/// What a session preserved so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Names removed.
    pub removed: u64,
    /// Names replaced by another object.
    pub replaced: u64,
    /// Contents changed.
    pub changed: u64,
    /// Names moved.
    pub renamed: u64,
    /// What could not be preserved.
    pub unpreserved: u64,
    /// The agent that did the last of it.
    pub agent: Option<String>,
}

/// An object that an operation is about to take.
#[derive(Clone, Copy, Debug)]
pub struct Lost<'a> {
    /// Its name, pinned.
    pub name: Name<'a>,
    /// Its canonical path.
    pub path: &'a [u8],
    /// What is there, if the caller has just asked.
    pub found: Option<ObjectStat>,
    /// Which agent does it, by its label.
    pub agent: Option<&'a str>,
    /// When copying bytes has to end, if at all.
    pub until: Option<Instant>,
    /// The wall clock.
    pub at_ns: u64,
}

/// How a name is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discard {
    /// It is removed.
    Removed,
    /// Something else takes it.
    Replaced,
}

/// When a discarded object is worth keeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// Whoever's it is, unless an agent made it in this session, where nothing was before.
    Always,
    /// An agent made it: only when somebody else changed it since.
    IfChanged,
}

// === impl Discard ===

impl Discard {
    /// The word for it in the journal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Replaced => "replaced",
        }
    }
}

// === impl Recorder ===

impl Recorder {
    /// Begins a session of this name, which must be new.
    ///
    /// # Errors
    ///
    /// When its directory or its journal cannot be made.
    pub fn begin(
        store: &Store,
        name: &str,
        began: Began,
        bounds: Bounds,
        at_ns: u64,
    ) -> Result<Self, OpenStoreError> {
        let made = store.make_session(name, &began.zones)?;
        let (dir, depots) = (made.dir, made.depots);
        let failed = |what: &str| {
            let path = dir.join(what);
            move |source: io::Error| OpenStoreError::Make { path, source }
        };
        let mut journal = JournalWriter::create(&dir.join(JOURNAL)).map_err(failed(JOURNAL))?;
        let keep = Keep::open(&dir.join(OBJECTS), &depots).map_err(failed(OBJECTS))?;
        let bytes = |dir: &PathBuf| BytePath::from(dir.as_os_str().as_bytes());
        let began = Began {
            depots: depots.iter().map(bytes).collect(),
            ..began
        };
        journal
            .append(&Record {
                at_ns,
                event: Event::Began(began),
            })
            .map_err(OpenStoreError::Record)?;
        store.give_to_owner(&dir)?;
        // The journal is locked by now, so that an ending session leaves it closed.
        let store = store.close(&depots).map_err(failed(""))?;
        Ok(Self {
            store,
            name: name.to_owned(),
            dir,
            depots,
            keep,
            bounds: Mutex::new(bounds),
            state: Mutex::new(State {
                journal,
                touches: Touches::default(),
                tally: Tally::default(),
            }),
        })
    }

    /// The session's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The store that it is in.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// What is kept in the whole store, in bytes, as far as this guard knows.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        self.keep.usage().bytes()
    }

    /// What this session preserved so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.state().tally.clone()
    }

    /// Puts other bounds in force.
    pub fn set_bounds(&self, bounds: Bounds) {
        *self.bounds.lock().unwrap_or_else(PoisonError::into_inner) = bounds;
    }

    /// Preserves what is at a name that is about to be lost. With `may_take` the caller would
    /// remove the name itself right after, so that the object may be moved away; then the removal
    /// is done when this returns [`Method::Rename`](crate::journal::Method::Rename).
    ///
    /// # Errors
    ///
    /// When it is not preserved. Nothing has changed then.
    pub fn discard(
        &self,
        lost: &Lost<'_>,
        how: Discard,
        worth: Worth,
        may_take: bool,
    ) -> Result<Preserved, PreserveError> {
        let Some(found) = lost.stat_if_any()? else {
            return Ok(Preserved::NotNeeded);
        };
        let whose = self.state().touches.whose(lost.path, &found);
        let skips = match worth {
            Worth::IfChanged => !matches!(whose, Whose::Written | Whose::Changed),
            Worth::Always => whose == Whose::Agents && self.state().touches.is_made(lost.path),
        };
        if skips {
            self.state().touches.forget(lost.path);
            return Ok(Preserved::NotNeeded);
        }
        let object = match found.kind {
            Kind::File => {
                let bounds = self.bounds();
                Some(
                    self.keep
                        .keep(lost.name, &found, may_take, lost.until, &bounds)?,
                )
            }
            Kind::Link | Kind::Directory => None,
            Kind::Other => return Ok(Preserved::NotNeeded),
        };
        let kept = match &object {
            Some(object) => object.kept(),
            None if found.kind == Kind::Link => Kept::Link {
                target: BytePath(lost.name.read_link()?),
            },
            None => Kept::Directory,
        };
        let loss = lost.loss(kept, &found, whose.is_agents());
        let event = match how {
            Discard::Removed => Event::Removed(loss),
            Discard::Replaced => Event::Replaced(loss),
        };
        if let Err(error) = self.record(lost.at_ns, event) {
            if let Some(object) = object {
                self.keep.put_back(lost.name, &object);
            }
            return Err(PreserveError::Record(error));
        }
        let mut state = self.state();
        state.touches.lose(lost.path, lost.at_ns);
        match how {
            Discard::Removed => state.tally.removed += 1,
            Discard::Replaced => state.tally.replaced += 1,
        }
        state.tally.agent = lost.agent.map(ToOwned::to_owned);
        Ok(object.map_or(Preserved::Recorded, |object| {
            object.preserved(found.facts.size)
        }))
    }

    /// Preserves the contents of a regular file that is about to be changed in place, unless they
    /// are the agent's own; and remembers the touch.
    ///
    /// # Errors
    ///
    /// When they are not preserved. The touch is remembered all the same: the caller lets edits go
    /// on.
    pub fn change(&self, lost: &Lost<'_>) -> Result<Preserved, PreserveError> {
        let found = match lost.stat_if_any()? {
            Some(found) if found.kind == Kind::File => found,
            _ => return Ok(Preserved::NotNeeded),
        };
        let mut state = self.state();
        let whose = state.touches.whose(lost.path, &found);
        state.touches.open(lost.path, found.facts.inode, lost.at_ns);
        drop(state);
        // An empty file is remembered by its record, with nothing to copy.
        if whose == Whose::Agents {
            return Ok(Preserved::NotNeeded);
        }
        let object = self
            .keep
            .copy(lost.name, &found, lost.until, &self.bounds())?;
        let loss = lost.loss(object.kept(), &found, whose.is_agents());
        if let Err(error) = self.record(lost.at_ns, Event::Changed(loss)) {
            self.keep.remove(&object);
            return Err(PreserveError::Record(error));
        }
        let mut state = self.state();
        state.tally.changed += 1;
        state.tally.agent = lost.agent.map(ToOwned::to_owned);
        Ok(object.preserved(found.facts.size))
    }

    /// An agent is about to make a file where nothing is.
    pub fn made(&self, path: &[u8], at_ns: u64) {
        self.state().touches.make(path, at_ns);
    }

    /// The operation that something was preserved for failed: nothing was lost.
    pub fn withdraw(&self, preserved: Preserved, at_ns: u64) {
        let Preserved::Kept { id, .. } = preserved else {
            return;
        };
        let event = Event::Withdrawn { object: id };
        if self.record(at_ns, event).is_ok() {
            self.keep.remove_numbered(id);
        }
    }

    /// Writes down a directory that was removed. It is asked about after the removal, since most
    /// tools try to remove directories that are not empty.
    ///
    /// # Errors
    ///
    /// When the record cannot be written.
    pub fn directory_removed(
        &self,
        path: &[u8],
        agent: Option<&str>,
        found: &ObjectStat,
        at_ns: u64,
    ) -> Result<(), WriteJournalError> {
        let loss = Loss {
            path: path.into(),
            agent: agent.map(ToOwned::to_owned),
            kept: Kept::Directory,
            facts: found.facts,
            own: false,
        };
        self.record(at_ns, Event::Removed(loss))?;
        self.state().tally.removed += 1;
        Ok(())
    }

    /// Names were moved. What an agent made in this session is not written down: it had no place
    /// before.
    ///
    /// # Errors
    ///
    /// When the record cannot be written.
    pub fn renamed(&self, moved: &Moved<'_>, at_ns: u64) -> Result<(), WriteJournalError> {
        let mut state = self.state();
        let whose = state.touches.whose(moved.from, &moved.found);
        let made = whose.is_agents() && state.touches.is_made(moved.from);
        let inode = moved.found.facts.inode;
        if moved.exchange {
            state.touches.swap(moved.from, moved.to);
        } else {
            let directory = moved.found.kind == Kind::Directory;
            state.touches.carry(moved.from, moved.to, directory);
            if !made {
                // What an agent makes there now is in the way of what was there.
                state.touches.lose(moved.from, at_ns);
            }
            if whose.is_agents() {
                // A rename changes the inode's time.
                state.touches.touch(moved.to, Some(inode), at_ns);
            } else {
                state.touches.forget(moved.to);
            }
        }
        if made && !moved.exchange {
            return Ok(());
        }
        state.tally.renamed += 1;
        state.tally.agent = moved.agent.map(ToOwned::to_owned);
        state.journal.append(&Record {
            at_ns,
            event: Event::Renamed {
                from: moved.from.into(),
                to: moved.to.into(),
                exchange: moved.exchange,
                inode,
            },
        })
    }

    /// What was there before the agent, outside the zones, took this name: nobody else has it.
    pub fn brought_from_elsewhere(&self, path: &[u8], at_ns: u64) {
        self.state().touches.lose(path, at_ns);
    }

    /// What an agent made outside the zones took this name.
    pub fn brought(&self, path: &[u8], found: &ObjectStat, at_ns: u64) {
        let inode = Some(found.facts.inode);
        self.state().touches.touch(path, inode, at_ns);
    }

    /// An operation went on without being preserved.
    pub fn unpreserved(&self, path: &[u8], what: &str, cause: &PreserveError, at_ns: u64) {
        let mut state = self.state();
        state.tally.unpreserved += 1;
        let event = Event::Unpreserved {
            path: path.into(),
            what: what.to_owned(),
            cause: cause.cause().to_owned(),
        };
        // A full disk may be the very cause.
        let _full = state.journal.append(&Record { at_ns, event });
    }

    /// Writes down the touches since the last time, as one write. For a housekeeper, once a second or
    /// so; calls wait for it only as long as for one of their own.
    pub fn flush(&self) {
        let touches = self.state().touches.take_unwritten();
        if touches.is_empty() {
            return;
        }
        let mut lines = Vec::new();
        for (path, at_ns) in touches {
            let path = BytePath(path.to_vec());
            let event = Event::Touched { path };
            // Any path can be written as JSON.
            let _never = line::append(&Record { at_ns, event }, &mut lines);
        }
        let _full = self.state().journal.append_lines(&lines);
    }

    /// Evicts what is too old or too much, and learns what other sessions keep. For a housekeeper.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn sweep(&self, now_ns: u64) -> io::Result<sweep::Swept> {
        let bounds = self.bounds();
        let swept = sweep::sweep(&self.store, &bounds, now_ns)?;
        self.note_swept(&swept);
        Ok(swept)
    }

    /// The store was swept: learns what other sessions keep.
    pub(crate) fn note_swept(&self, swept: &sweep::Swept) {
        let own_objects = self.dir.join(OBJECTS);
        let places = std::iter::once(&own_objects).chain(&self.depots);
        let own: u64 = places.map(|dir| sweep::directory_bytes(dir)).sum();
        let others = swept.kept_bytes.saturating_sub(own);
        self.keep.usage().set_others(others);
    }

    /// Ends the session. It is the kernel's when this returns; the disk has it a little later.
    ///
    /// # Errors
    ///
    /// When the record cannot be written.
    pub fn end(&self, at_ns: u64) -> Result<(), WriteJournalError> {
        self.flush();
        let mut state = self.state();
        let event = Event::Ended;
        state.journal.append(&Record { at_ns, event })?;
        drop(state);
        // The next session's end, or `undo`, opens it else.
        let _stays_closed = self.store.reopen(&self.dir, &self.depots);
        Ok(())
    }

    fn record(&self, at_ns: u64, event: Event) -> Result<(), WriteJournalError> {
        self.state().journal.append(&Record { at_ns, event })
    }

    fn bounds(&self) -> Bounds {
        *self.bounds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread that died between two steps left a table that lacks a touch, or a torn line, both
    /// of which are safe.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A name that moved.
#[derive(Clone, Copy, Debug)]
pub struct Moved<'a> {
    /// The canonical path before.
    pub from: &'a [u8],
    /// The canonical path after.
    pub to: &'a [u8],
    /// Whether the two were swapped.
    pub exchange: bool,
    /// What was moved, as it was before.
    pub found: ObjectStat,
    /// Which agent does it, by its label.
    pub agent: Option<&'a str>,
}

// === impl Lost ===

impl Lost<'_> {
    fn stat_if_any(&self) -> io::Result<Option<ObjectStat>> {
        match self.found {
            Some(found) => Ok(Some(found)),
            None => self.name.stat_if_any(),
        }
    }

    fn loss(&self, kept: Kept, found: &ObjectStat, own: bool) -> Loss {
        Loss {
            path: self.path.into(),
            agent: self.agent.map(ToOwned::to_owned),
            kept,
            facts: found.facts,
            own,
        }
    }
}
