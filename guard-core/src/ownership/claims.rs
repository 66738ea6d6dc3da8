//! What is known of names: who made what is there, and whether somebody else's object was.
//!
//! A note is kept for a canonical path. That an agent asked for a name is not yet a proof: when a
//! call is seen the kernel may still refuse it, and later another object may take the place. A claim
//! therefore counts only together with the object's identity or birth time, see [`What::is`].
//!
//! The table is bounded; the oldest notes are dropped first, which leaves their files protected.

use super::relinked::Relinked;
use super::tree::NameTree;
use crate::file::{FileFacts, FileIdentity};
use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The notes on names, shared by the threads that answer.
#[derive(Debug)]
pub(super) struct Claims {
    /// Whether a note was ever made: sessions without agents take no lock. Written by the thread
    /// that makes the first note, before it answers; never unset.
    used: AtomicBool,
    table: Mutex<Table>,
}

/// The notes themselves.
#[derive(Debug)]
pub(super) struct Table {
    notes: NameTree<Note>,
    /// Where directories that were moved in this session were before it.
    origins: NameTree<Arc<[u8]>>,
    /// Somebody's objects that agents moved or linked, by their new names: the old ones.
    moved: NameTree<Arc<[u8]>>,
    /// Names at which agents removed what was their own: version control may make it again.
    left: NameTree<()>,
    /// What objects of earlier sessions were before agents changed their names.
    pub(super) relinked: Relinked,
}

/// What is known of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) what: What,
    pub(super) maker: Maker,
    /// Whether the claim is on a directory.
    pub(super) is_directory: bool,
    /// Whether an object that was not the agents' was seen here in this session.
    pub(super) foreign: bool,
    /// When an agent's process was last seen making, opening or moving it (wall clock).
    pub(super) touched_ns: u64,
}

/// What a note says of the object at its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Nothing.
    Nothing,
    /// An agent's process asked for the name at this time (wall clock) while nothing was there.
    Asked { call_ns: u64 },
    /// This object is an agent's.
    Object {
        identity: FileIdentity,
        born_ns: u64,
    },
    /// A version control tool removed the agent's own object. If it makes one here, that is the
    /// agent's again.
    Taken,
    /// Somebody else's object was replaced, or removed to be made again. Whatever is here, or is
    /// made here before the name is removed, is nobody's.
    Nobodys,
    /// A directory of somebody's, out of which an agent's process took something at this time.
    Emptied { at_ns: u64 },
}

/// Who made an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Maker {
    /// An agent's process.
    Agent,
    /// A process of unknown ancestry in a session with an agent.
    Unknown,
}

// === impl Claims ===

impl Default for Claims {
    fn default() -> Self {
        Self {
            used: AtomicBool::new(false),
            table: Mutex::new(Table {
                notes: NameTree::bounded(MAX_NAMES),
                origins: NameTree::bounded(MAX_MOVED),
                moved: NameTree::bounded(MAX_MOVED),
                left: NameTree::bounded(MAX_LEFT),
                relinked: Relinked::default(),
            }),
        }
    }
}

impl Claims {
    /// The table, to be written.
    pub(super) fn write(&self) -> MutexGuard<'_, Table> {
        // SYNC POINT: pairs with the load in `is_used`.
        self.used.store(true, Ordering::Release);
        self.lock()
    }

    /// The table, unless nothing was ever written.
    pub(super) fn read(&self) -> Option<MutexGuard<'_, Table>> {
        self.is_used().then(|| self.lock())
    }

    /// Whether anything was ever written. Takes no lock.
    pub(super) fn is_used(&self) -> bool {
        self.used.load(Ordering::Acquire)
    }

    /// A thread that panicked between two steps left a table that lacks a note, which is safe.
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Table ===

impl Table {
    /// The note of a name.
    pub(super) fn get(&self, path: &[u8]) -> Option<Note> {
        self.notes.get(path).copied()
    }

    /// Claims a name for an agent's process, unless the name is nobody's.
    pub(super) fn claim(&mut self, path: &[u8], claim: Note) {
        let known = self.get(path);
        if known.is_some_and(|known| known.what == What::Nobodys) {
            return;
        }
        let foreign = known.is_some_and(|known| known.foreign);
        self.left.remove(path);
        self.notes.insert(path, Note { foreign, ..claim });
    }

    /// Whatever is at this name is nobody's, until the name is removed.
    pub(super) fn disown(&mut self, path: &[u8]) {
        self.moved.remove(path);
        self.left.remove(path);
        self.notes
            .insert(path, Note::without_claim(What::Nobodys, true));
    }

    /// The agent's own object is removed, and may be made again by the same tool.
    pub(super) fn take(&mut self, path: &[u8]) {
        match self.notes.get_mut(path) {
            Some(note) if !note.foreign => note.what = What::Taken,
            Some(_) => self.disown(path),
            // It is known from an earlier session.
            None => self
                .notes
                .insert(path, Note::without_claim(What::Taken, false)),
        }
    }

    /// Ends what is known of a name, but that a foreign object was here. With `foreign` it was one.
    pub(super) fn end(&mut self, path: &[u8], foreign: bool) {
        self.left.remove(path);
        let known = self.notes.remove(path);
        if foreign || known.is_some_and(|known| known.foreign) {
            self.notes
                .insert(path, Note::without_claim(What::Nothing, true));
        }
    }

    /// An agent removes its own object.
    pub(super) fn leave(&mut self, path: &[u8]) {
        let was_foreign = self.get(path).is_some_and(|known| known.foreign);
        self.end(path, false);
        if !was_foreign {
            self.left.insert(path, ());
        }
    }

    /// Whether an agent removed its own object from this name, and nothing was made there since.
    pub(super) fn is_left(&self, path: &[u8]) -> bool {
        self.left.get(path).is_some()
    }

    /// An agent gives somebody's object a new name, which is nobody's.
    pub(super) fn disown_moved(&mut self, to: &[u8], from: &[u8]) {
        self.disown(to);
        self.moved.insert(to, from.into());
    }

    /// The name from which an agent moved or linked somebody's object to this one.
    pub(super) fn moved_from(&self, path: &[u8]) -> Option<Vec<u8>> {
        let is_nobodys = self.get(path)?.what == What::Nobodys;
        self.moved
            .get(path)
            .filter(|_| is_nobodys)
            .map(|from| from.to_vec())
    }

    /// Something that was not the agents' left this directory at `at_ns`.
    pub(super) fn empty(&mut self, directory: &[u8], at_ns: u64) {
        match self.notes.get_mut(directory) {
            Some(note) => match note.what {
                What::Nothing | What::Emptied { .. } => note.what = What::Emptied { at_ns },
                What::Asked { .. } | What::Object { .. } | What::Taken | What::Nobodys => {}
            },
            None => {
                let note = Note::without_claim(What::Emptied { at_ns }, false);
                self.notes.insert(directory, note);
            }
        }
    }

    /// An agent's process touched its own object.
    pub(super) fn touch(&mut self, path: &[u8], now_ns: u64) {
        if let Some(note) = self.notes.get_mut(path) {
            note.touched_ns = now_ns;
        }
    }

    /// Somebody else wrote into an agent's object.
    pub(super) fn doubt(&mut self, path: &[u8]) {
        if let Some(note) = self.notes.get_mut(path)
            && note.is_claim()
        {
            note.maker = Maker::Unknown;
        }
    }

    /// A directory moves, with all that is known of it and below it. If it may stay, it is known at
    /// both places.
    pub(super) fn move_directory(&mut self, from: &[u8], to: &[u8], may_stay: bool) {
        let origin: Arc<[u8]> = self.origin(from).as_ref().into();
        if may_stay {
            self.notes.copy_below(from, to);
            self.notes.remove(to);
            if let Some(note) = self.get(from) {
                self.notes.insert(to, note);
            }
            self.origins.copy_below(from, to);
        } else {
            self.notes.rename(from, to);
            self.origins.rename(from, to);
        }
        self.origins.insert(to, origin);
    }

    /// Where the object at this path was before directories above it moved in this session.
    pub(super) fn origin<'p>(&self, path: &'p [u8]) -> Cow<'p, [u8]> {
        if let Some(own) = self.origins.get(path) {
            return Cow::Owned(own.to_vec());
        }
        let above = self.origins.above(path).last();
        above.map_or(Cow::Borrowed(path), |(length, origin)| {
            Cow::Owned([origin, path.get(length..).unwrap_or_default()].concat())
        })
    }

    /// The deepest directory above a path that an agent made, by its path and claim; `None` when a
    /// nearer one is nobody's.
    pub(super) fn directory_above(&self, path: &[u8]) -> Option<(usize, Note)> {
        let decides = |note: &Note| note.is_directory || note.what == What::Nobodys;
        let (length, note) = self
            .notes
            .above(path)
            .filter(|(_, note)| decides(note))
            .last()?;
        note.is_claim().then_some((length, *note))
    }

    /// Repositories beside which somebody's file is removed hold it now: those that an agent made
    /// above this path are nobody's from here on.
    pub(super) fn disown_repositories(&mut self, path: &[u8]) {
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let repositories: Vec<Vec<u8>> = ends
            .filter_map(|(end, _)| Some([path.get(..end)?, b"/.git"].concat()))
            .filter(|repository| self.get(repository).is_some_and(|note| note.is_claim()))
            .collect();
        for repository in repositories {
            self.notes.remove_below(&repository);
            self.disown(&repository);
        }
    }

    /// A compressor removed somebody's file: the copy that it made of it beside it is nobody's.
    pub(super) fn disown_copies(&mut self, path: &[u8]) {
        for suffix in COMPRESSED {
            let packed = Some([path, suffix].concat());
            let unpacked = path.strip_suffix(*suffix).map(<[u8]>::to_vec);
            let archive = path
                .strip_suffix(b"gz")
                .and_then(|path| path.strip_suffix(b".t"));
            let archive = archive.map(|stem| [stem, &b".tar"[..]].concat());
            for copy in [packed, unpacked, archive].into_iter().flatten() {
                if self.get(&copy).is_some_and(|note| note.is_claim()) {
                    self.disown(&copy);
                }
            }
        }
    }

    /// Up to `count` notes with their paths; see [`NameTree::chunk`].
    pub(super) fn chunk(&self, from: u32, count: usize) -> (Vec<(Vec<u8>, Note)>, Option<u32>) {
        self.notes.chunk(from, count)
    }
}

// === impl Note ===

impl Note {
    /// A claim of an agent's process.
    pub(super) const fn claim(what: What, maker: Maker, is_directory: bool, now_ns: u64) -> Self {
        Self {
            what,
            maker,
            is_directory,
            foreign: false,
            touched_ns: now_ns,
        }
    }

    const fn without_claim(what: What, foreign: bool) -> Self {
        Self {
            what,
            maker: Maker::Agent,
            is_directory: false,
            foreign,
            touched_ns: 0,
        }
    }

    const fn is_claim(&self) -> bool {
        matches!(self.what, What::Asked { .. } | What::Object { .. })
    }

    /// Whether this is the object that is claimed.
    pub(super) fn claims(&self, found: &FileFacts) -> bool {
        self.is_directory == found.is_directory() && self.what.is(found)
    }
}

// === impl What ===

impl What {
    /// Claims this object; `None` where the file system keeps no birth times.
    pub(super) fn object(found: &FileFacts) -> Option<Self> {
        Some(Self::Object {
            identity: found.identity,
            born_ns: found.born_ns?,
        })
    }

    fn is(self, found: &FileFacts) -> bool {
        match self {
            Self::Asked { call_ns } => found.is_made_by_call_at(call_ns),
            Self::Object { identity, born_ns } => {
                found.identity == identity && found.born_ns == Some(born_ns)
            }
            Self::Nothing | Self::Taken | Self::Nobodys | Self::Emptied { .. } => false,
        }
    }
}

/// How many names are kept.
const MAX_NAMES: usize = 1_000_000;

/// How many moved directories, and how many moved objects of somebody's, are kept.
const MAX_MOVED: usize = 65_536;

/// How many names are kept at which agents removed what was their own.
const MAX_LEFT: usize = 65_536;

/// What compressors append to names.
const COMPRESSED: &[&[u8]] = &[
    b".gz", b".bz2", b".xz", b".zst", b".lz4", b".lz", b".lzma", b".lzo", b".br", b".Z",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(call_ns: u64) -> Note {
        Note::claim(What::Asked { call_ns }, Maker::Agent, false, call_ns)
    }

    fn what(table: &Table, path: &str) -> Option<What> {
        table.get(path.as_bytes()).map(|note| note.what)
    }

    #[test]
    fn a_claim_lasts_until_it_ends() {
        let claims = Claims::default();
        assert!(claims.read().is_none(), "nothing was written");
        let mut table = claims.write();
        table.end(b"/z/a", false);
        table.claim(b"/z/a", asked(7));
        table.claim(b"/z/a", asked(8));
        assert_eq!(what(&table, "/z/a"), Some(What::Asked { call_ns: 8 }));
        assert_eq!(what(&table, "/z/a/b"), None);
        table.end(b"/z/a", false);
        assert_eq!(what(&table, "/z/a"), None);
    }

    #[test]
    fn a_name_is_nobody_s_until_it_is_removed() {
        let claims = Claims::default();
        let mut table = claims.write();
        table.disown(b"/z/a");
        table.claim(b"/z/a", asked(7));
        assert_eq!(what(&table, "/z/a"), Some(What::Nobodys));
        table.move_directory(b"/z", b"/y", false);
        table.claim(b"/y/a", asked(8));
        assert_eq!(what(&table, "/y/a"), Some(What::Nobodys));
        table.end(b"/y/a", false);
        table.claim(b"/y/a", asked(9));
        assert_eq!(what(&table, "/y/a"), Some(What::Asked { call_ns: 9 }));
        table.take(b"/y/a");
        assert_eq!(
            what(&table, "/y/a"),
            Some(What::Nobodys),
            "another's was here"
        );
    }

    #[test]
    fn what_somebody_else_wrote_into_is_no_agent_s_for_certain() {
        let claims = Claims::default();
        let mut table = claims.write();
        table.doubt(b"/z/a");
        table.claim(b"/z/a", asked(7));
        table.disown(b"/z/b");
        for path in [b"/z/a", b"/z/b"] {
            table.doubt(path);
        }
        let known = |path: &str| {
            let note = table.get(path.as_bytes()).unwrap();
            (note.what, note.maker)
        };
        assert_eq!(known("/z/a"), (What::Asked { call_ns: 7 }, Maker::Unknown));
        assert_eq!(known("/z/b"), (What::Nobodys, Maker::Agent));
    }

    #[test]
    fn what_is_below_a_directory_moves_with_it() {
        for may_stay in [false, true] {
            let claims = Claims::default();
            let mut table = claims.write();
            table.claim(b"/z/d/a", asked(1));
            table.claim(b"/z/d/e/b", asked(2));
            table.claim(b"/z/dd/c", asked(3));
            table.claim(b"/z/new/old", asked(9));
            table.move_directory(b"/z/d", b"/z/new", may_stay);
            let call_ns = |path| match what(&table, path) {
                Some(What::Asked { call_ns }) => call_ns,
                _ => 0,
            };
            let paths = ["/z/new/a", "/z/new/e/b", "/z/dd/c", "/z/new/old"];
            assert_eq!(paths.map(call_ns), [1, 2, 3, 0]);
            let kept = u64::from(may_stay);
            assert_eq!(["/z/d/a", "/z/d/e/b"].map(call_ns), [kept, 2 * kept]);
        }
    }

    #[test]
    fn the_origin_of_a_path_is_where_it_was_before_all_moves() {
        let claims = Claims::default();
        let mut table = claims.write();
        table.move_directory(b"/z/d", b"/z/e", false);
        table.move_directory(b"/z/e/sub", b"/z/e/other", false);
        table.move_directory(b"/z/e", b"/z/f", false);
        for (now, before) in [
            ("/z/f/a", "/z/d/a"),
            ("/z/f/other/a", "/z/d/sub/a"),
            ("/z/f", "/z/d"),
            ("/z/g/a", "/z/g/a"),
        ] {
            assert_eq!(table.origin(now.as_bytes()), before.as_bytes(), "{now}");
        }
    }

    #[test]
    fn a_repository_that_holds_somebody_s_file_is_nobody_s() {
        let claims = Claims::default();
        let mut table = claims.write();
        let directory = Note {
            is_directory: true,
            ..asked(1)
        };
        table.claim(b"/z/p/.git", directory);
        table.claim(b"/z/p/.git/index", asked(1));
        table.claim(b"/z/q/.git", directory);
        assert!(table.directory_above(b"/z/p/.git/HEAD").is_some());
        table.disown_repositories(b"/z/p/src/main.rs");
        assert_eq!(table.directory_above(b"/z/p/.git/HEAD"), None);
        assert_eq!(what(&table, "/z/p/.git/index"), None);
        assert_eq!(what(&table, "/z/q/.git"), Some(What::Asked { call_ns: 1 }));
    }
}
