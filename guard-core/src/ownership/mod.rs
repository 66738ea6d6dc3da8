//! What an agent made is its own, so that it may remove it again: the rules, for all backends.
//!
//! A backend reports calls that make, remove, rename, link and open names, with facts about the
//! objects. From these [`Ownership`] keeps who made what:
//!
//! | call, in a zone | what becomes of the name |
//! |-----------------|--------------------------|
//! | an agent, or a tool for it, makes it where nothing is | the agent's |
//! | version control makes it (`git checkout`), or a person does | not the agent's |
//! | the same below a directory that the session's agents made, or begin with it (`git clone`) | the agent's |
//! | version control makes again what it removed of the agent's own | the agent's |
//! | version control makes again what an agent removed of its own | the agent's, [doubtful](Proof::Doubtful) |
//! | an object of the agent's is renamed or linked there, where nothing or its own is | the agent's |
//! | an object from outside all zones is, by an agent | the agent's |
//! | anything else is renamed there by an agent, or a tool removes somebody's object to make it again | nobody's, until the name is removed |
//! | it is removed | forgotten |
//! | a directory is renamed | all that is known below moves with it |
//!
//! What an agent made and nobody changed since is its own in later sessions, too: a backend may
//! [attach](Ownership::attach) [`Records`] of earlier sessions, and write down what
//! [`Ownership::claims`] returns. A record counts only if all that it says still holds.
//!
//! Guarantees: a claim alone allows nothing. It counts together with the object's kind and its
//! birth time, or its identity. Without claims no lock is taken.
//!
//! It deliberately does not see edits: who writes into an agent's file does not become its owner
//! while the object stays the same, but what a backend sees somebody write makes it
//! [doubtful](Proof::Doubtful). What replaces it is no longer the agent's.

mod claims;
mod relinked;
mod standing;
mod tree;

pub use standing::Claim;

use crate::actor::{Attribution, FactSource};
use crate::decision::Decision;
use crate::file::FileFacts;
use crate::operation::{Operation, OperationKind};
use crate::path::parent;
use crate::policy::Snapshot;
use crate::standing::{Proof, Records, Standing};
use crate::tools::OutputOwner;
use claims::{Claims, Maker, Note, What};
use std::sync::OnceLock;

/// Who made what, of one guard.
#[derive(Debug, Default)]
pub struct Ownership {
    claims: Claims,
    records: OnceLock<Box<dyn Records>>,
}

/// Whether a backend saw the end of a call that it allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion {
    /// It succeeded.
    Done,
    /// The kernel goes on with it, and may still refuse.
    Pending,
}

/// A new object.
#[derive(Clone, Copy, Debug)]
pub struct Creation<'a> {
    /// Its canonical path.
    pub path: &'a [u8],
    /// Whether it is a directory.
    pub is_directory: bool,
    /// The wall clock now, or the object's birth time if it is known.
    pub call_ns: u64,
}

/// A rename or a hard link, before it is carried out. Paths are canonical.
#[derive(Clone, Copy, Debug)]
pub struct NewName<'a> {
    /// The old name.
    pub from: &'a [u8],
    /// The new name.
    pub to: &'a [u8],
    /// The object at the old name.
    pub source: Option<FileFacts>,
    /// The wall clock now.
    pub now_ns: u64,
}

/// What a removal will mean; see [`Ownership::removed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct PendingRemoval {
    becomes: Removed,
    /// Whether the object is not the agents'.
    foreign: bool,
    /// When an agent's process takes what is not its own out of the directory.
    empties_ns: Option<u64>,
    /// Whether version control keeps somebody's file from here on.
    kept_by_repository: bool,
    /// Whether a compressed copy beside it keeps somebody's file from here on.
    kept_by_copy: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Removed {
    Forgotten,
    /// An agent's own: version control may make it again.
    Left,
    /// The agent's again, if the same tool makes it again.
    Taken,
    Nobodys,
}

/// What a rename will mean; see [`Ownership::renamed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct PendingRename {
    moves: Renaming,
    /// Whether the object is not the agents'.
    foreign: bool,
    /// When an agent's process takes what is not its own out of the directory.
    empties_ns: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Renaming {
    /// Both names lead to one object already, and rename(2) does nothing.
    Nothing,
    /// Both objects change their names.
    Swap,
    /// A directory, with all that is below it.
    Directory,
    /// A directory that an agent brings from outside all zones.
    Tree(Note),
    /// An object that is its agent's.
    Own(Note),
    /// An object that is not, moved by an agent.
    Nobodys,
    /// An object that is not, moved by a person.
    Others,
}

/// What a hard link will mean; see [`Ownership::linked`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct PendingLink(Linking);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Linking {
    /// The kernel refuses a name that exists.
    Nothing,
    /// A second name of an object that is its agent's.
    Own(Note),
    /// A second name of somebody's object, by an agent.
    Nobodys,
    /// A name by a person.
    Others,
}

/// What is at the new name of a rename or a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Nothing.
    Free,
    /// This object.
    Taken(FileFacts),
    /// Something, or it is not known.
    Unknown,
}

// === impl Ownership ===

impl Ownership {
    /// An object is about to be made where nothing is, or has just been made there.
    pub fn created<F: FactSource + ?Sized>(
        &self,
        snapshot: &Snapshot,
        creation: &Creation<'_>,
        facts: &F,
    ) {
        let Creation {
            path,
            is_directory,
            call_ns,
        } = *creation;
        if !is_in_zone(snapshot, path) {
            return;
        }
        let Some(maker) = maker(facts) else {
            if let Some(mut table) = self.claims.read() {
                table.end(path, true);
            }
            return;
        };
        let executable = facts.actor().executable;
        let is_own = !snapshot.may_restore(executable, facts)
            || (is_directory && snapshot.begins_tree(executable, &facts.arguments()))
            || self.is_taken(path)
            || self.is_below_own_directory(path, facts);
        let mut table = self.claims.write();
        let maker = if is_own {
            Some(maker)
        } else {
            table.is_left(path).then_some(Maker::Unknown)
        };
        if let Some(maker) = maker {
            let what = What::Asked { call_ns };
            table.claim(path, Note::claim(what, maker, is_directory, call_ns));
        } else {
            table.end(path, true);
        }
    }

    /// An agent's process opens an existing object for writing. What is its own by a record of an
    /// earlier session would seem changed by somebody else from now on. `found` is asked only if its
    /// answer matters.
    pub fn edited<F: FactSource + ?Sized>(
        &self,
        snapshot: &Snapshot,
        path: &[u8],
        found: impl FnOnce() -> Option<FileFacts>,
        now_ns: u64,
        facts: &F,
    ) {
        let has_any = self.records.get().is_some() || self.claims.is_used();
        if !has_any || !is_in_zone(snapshot, path) {
            return;
        }
        let (Some(maker), Some(found)) = (maker(facts), found()) else {
            return;
        };
        match self.standing(path, &found) {
            Standing::Own(Proof::Seen) => self.claims.write().touch(path, now_ns),
            Standing::Own(Proof::Recorded) => self.claim_object(path, &found, maker, now_ns),
            Standing::Own(Proof::Doubtful) => {
                self.claim_object(path, &found, Maker::Unknown, now_ns);
            }
            _ => {}
        }
    }

    /// An agent's process is about to change the mode of an existing object, or its extended
    /// attributes. `found` is asked only if its answer matters.
    pub fn attributes_change<F: FactSource + ?Sized>(
        &self,
        path: &[u8],
        found: impl FnOnce() -> Option<FileFacts>,
        now_ns: u64,
        facts: &F,
    ) {
        if self.records.get().is_none() || maker(facts).is_none() {
            return;
        }
        if let Some(found) = found() {
            let standing = self.standing(path, &found);
            self.will_relink(Some(found), standing, now_ns);
        }
    }

    /// Somebody else was seen writing into the object at this path. What an agent made of it remains
    /// doubtful.
    pub fn written_by_others(&self, path: &[u8]) {
        if let Some(mut table) = self.claims.read() {
            table.doubt(path);
        }
    }

    /// Prepares a removal that `decision` allowed. Call it before the removal is carried out.
    pub fn will_remove<F: FactSource + ?Sized>(
        &self,
        snapshot: &Snapshot,
        path: &[u8],
        decision: &Decision<'_>,
        now_ns: u64,
        facts: &F,
    ) -> PendingRemoval {
        let is_agents = decision.zone.is_some() && maker(facts).is_some();
        if !is_agents {
            return PendingRemoval {
                becomes: Removed::Forgotten,
                foreign: false,
                empties_ns: None,
                kept_by_repository: false,
                kept_by_copy: false,
            };
        }
        let found = facts.file(path);
        let standing = found.map_or(Standing::Unknown, |found| self.standing(path, &found));
        self.will_relink(found, standing, now_ns);
        let foreign = !matches!(standing, Standing::Own(_));
        let owner = decision.output_owner(snapshot);
        let restores = owner == Some(OutputOwner::Original);
        PendingRemoval {
            becomes: match owner {
                Some(OutputOwner::Original | OutputOwner::AgentIfNew) if foreign => {
                    Removed::Nobodys
                }
                Some(OutputOwner::Original) => Removed::Taken,
                _ if foreign => Removed::Forgotten,
                _ => Removed::Left,
            },
            foreign,
            empties_ns: foreign.then_some(now_ns),
            kept_by_repository: restores && foreign,
            kept_by_copy: owner == Some(OutputOwner::Copy) && foreign,
        }
    }

    /// A name was removed, or the kernel goes on to remove it.
    pub fn removed(&self, path: &[u8], pending: PendingRemoval) {
        if pending.becomes == Removed::Forgotten && !pending.foreign {
            if let Some(mut table) = self.claims.read() {
                table.end(path, false);
            }
            return;
        }
        let mut table = self.claims.write();
        match pending.becomes {
            Removed::Forgotten => table.end(path, true),
            Removed::Left => table.leave(path),
            Removed::Taken => table.take(path),
            Removed::Nobodys => table.disown(path),
        }
        if pending.kept_by_repository {
            table.disown_repositories(path);
        }
        if pending.kept_by_copy {
            table.disown_copies(path);
        }
        if let Some(at_ns) = pending.empties_ns {
            table.empty(parent(path), at_ns);
        }
    }

    /// Prepares a rename that replaces what is at the new name. Call it before the rename is
    /// carried out. `target` is asked only if its answer matters.
    pub fn will_rename<F: FactSource + ?Sized>(
        &self,
        snapshot: &Snapshot,
        name: &NewName<'_>,
        target: impl FnOnce() -> Target,
        facts: &F,
    ) -> PendingRename {
        let (Some(source), Some(maker)) = (name.source, maker(facts)) else {
            return PendingRename::by_others(name.source);
        };
        let from_zone = is_in_zone(snapshot, name.from);
        let to_zone = is_in_zone(snapshot, name.to);
        if !from_zone && !to_zone {
            return PendingRename::by_others(name.source);
        }
        let standing = self.standing(name.from, &source);
        self.will_relink(Some(source), standing, name.now_ns);
        let own = matches!(standing, Standing::Own(_)) || !from_zone;
        let maker = maker_of_moved(maker, standing);
        let claim = || {
            let what = What::object(&source)?;
            Some(Note::claim(what, maker, source.is_directory(), name.now_ns))
        };
        let moves = if source.is_directory() {
            match claim() {
                Some(claim) if !from_zone => Renaming::Tree(claim),
                _ => Renaming::Directory,
            }
        } else {
            match target() {
                Target::Taken(taken) if taken.identity == source.identity => Renaming::Nothing,
                Target::Free if own => claim().map_or(Renaming::Nobodys, Renaming::Own),
                Target::Taken(taken) if own && self.is_own_object(name.to, &taken) => {
                    claim().map_or(Renaming::Nobodys, Renaming::Own)
                }
                _ => Renaming::Nobodys,
            }
        };
        PendingRename {
            moves,
            foreign: !own,
            empties_ns: (from_zone && !own).then_some(name.now_ns),
        }
    }

    /// A rename was carried out, or the kernel goes on with it.
    pub fn renamed(&self, from: &[u8], to: &[u8], pending: PendingRename, completion: Completion) {
        let is_known = match pending.moves {
            Renaming::Nothing => return,
            Renaming::Swap | Renaming::Others => false,
            Renaming::Directory | Renaming::Tree(_) | Renaming::Own(_) | Renaming::Nobodys => true,
        };
        let table = if is_known {
            Some(self.claims.write())
        } else {
            self.claims.read()
        };
        let Some(mut table) = table else {
            return;
        };
        // If the kernel may still refuse, the object may keep its old name, and with it its claim.
        let is_done = completion == Completion::Done;
        match pending.moves {
            Renaming::Nothing => {}
            Renaming::Swap => {
                table.end(from, true);
                table.end(to, true);
            }
            Renaming::Directory | Renaming::Tree(_) => {
                table.move_directory(from, to, !is_done);
                if let Renaming::Tree(claim) = pending.moves {
                    table.claim(to, claim);
                }
            }
            Renaming::Own(claim) => {
                if is_done {
                    table.end(from, false);
                }
                table.claim(to, claim);
            }
            Renaming::Nobodys => {
                if is_done {
                    table.end(from, pending.foreign);
                }
                table.disown_moved(to, from);
            }
            Renaming::Others => {
                if is_done {
                    table.end(from, false);
                }
                table.end(to, true);
            }
        }
        if let Some(at_ns) = pending.empties_ns {
            table.empty(parent(from), at_ns);
        }
    }

    /// One of the objects in a directory that an agent brought from outside all zones, at its new
    /// path. See [`PendingRename::brings_tree`].
    pub fn brought(&self, path: &[u8], found: &FileFacts, now_ns: u64) {
        self.claim_object(path, found, Maker::Agent, now_ns);
    }

    /// Prepares a hard link. Call it before the link is made. `target` is asked only if its answer
    /// matters. A source without any name yet (`O_TMPFILE`) is reported as being outside all zones.
    pub fn will_link<F: FactSource + ?Sized>(
        &self,
        snapshot: &Snapshot,
        name: &NewName<'_>,
        target: impl FnOnce() -> Target,
        facts: &F,
    ) -> PendingLink {
        let maker = maker(facts);
        let standing = name.source.map_or(Standing::Unknown, |source| {
            self.standing(name.from, &source)
        });
        if maker.is_some() {
            self.will_relink(name.source, standing, name.now_ns);
        }
        if !is_in_zone(snapshot, name.to) {
            return PendingLink(Linking::Nothing);
        }
        let own = matches!(standing, Standing::Own(_)) || !is_in_zone(snapshot, name.from);
        let what = name.source.filter(|_| own);
        let what = what.and_then(|source| What::object(&source));
        let maker = maker.map(|maker| maker_of_moved(maker, standing));
        let target = target();
        if let (Some(source), Some(maker), Target::Free) = (name.source, maker, target)
            && let Standing::Own(Proof::Recorded | Proof::Doubtful) = standing
        {
            self.claim_object(name.from, &source, maker, name.now_ns);
        }
        PendingLink(match (target, maker, what) {
            (Target::Taken(_), ..) => Linking::Nothing,
            (_, None, _) => Linking::Others,
            (Target::Free, Some(maker), Some(what)) => {
                Linking::Own(Note::claim(what, maker, false, name.now_ns))
            }
            _ => Linking::Nobodys,
        })
    }

    /// A hard link was made, or the kernel goes on with it.
    pub fn linked(&self, from: &[u8], to: &[u8], pending: PendingLink) {
        match pending.0 {
            Linking::Nothing => {}
            Linking::Own(claim) => self.claims.write().claim(to, claim),
            Linking::Nobodys => self.claims.write().disown_moved(to, from),
            Linking::Others => {
                if let Some(mut table) = self.claims.read() {
                    table.end(to, true);
                }
            }
        }
    }

    /// An agent's process is about to change the names or the mode of an object. Records compare the
    /// time of its last change.
    fn will_relink(&self, found: Option<FileFacts>, standing: Standing, now_ns: u64) {
        let found = found.filter(|found| !found.is_directory());
        if let (Some(found), Standing::Own(proof)) = (found, standing)
            && self.records.get().is_some()
        {
            let is_recorded = matches!(proof, Proof::Recorded | Proof::Doubtful);
            let mut table = self.claims.write();
            table.relinked.note(&found, is_recorded, now_ns);
        }
    }

    fn claim_object(&self, path: &[u8], found: &FileFacts, maker: Maker, now_ns: u64) {
        if let Some(what) = What::object(found) {
            let claim = Note::claim(what, maker, found.is_directory(), now_ns);
            self.claims.write().claim(path, claim);
        }
    }

    fn is_taken(&self, path: &[u8]) -> bool {
        let note = self.claims.read().and_then(|table| table.get(path));
        note.is_some_and(|note| note.what == What::Taken)
    }

    /// Whether the nearest known directory above a path is one that an agent made: nothing in it is
    /// anybody's but what others put there, which was not seen here.
    fn is_below_own_directory<F: FactSource + ?Sized>(&self, path: &[u8], facts: &F) -> bool {
        let found = self
            .claims
            .read()
            .and_then(|table| table.directory_above(path));
        found.is_some_and(|(length, note)| {
            let directory = path.get(..length).unwrap_or_default();
            facts
                .file(directory)
                .is_some_and(|found| note.claims(&found))
        })
    }

    fn is_own_object(&self, path: &[u8], found: &FileFacts) -> bool {
        matches!(self.standing(path, found), Standing::Own(_))
    }
}

// === impl PendingRename ===

impl PendingRename {
    /// Two objects exchange their names.
    pub const SWAP: Self = Self {
        moves: Renaming::Swap,
        foreign: true,
        empties_ns: None,
    };

    /// Whether an agent brings a directory from outside all zones, so that what is in it is to be
    /// reported by [`Ownership::brought`] after the rename.
    #[must_use]
    pub const fn brings_tree(&self) -> bool {
        matches!(self.moves, Renaming::Tree(_))
    }

    fn by_others(source: Option<FileFacts>) -> Self {
        let is_directory = source.is_some_and(|source| source.is_directory());
        Self {
            moves: if is_directory {
                Renaming::Directory
            } else {
                Renaming::Others
            },
            foreign: true,
            empties_ns: None,
        }
    }
}

/// As whom the acting process makes objects; `None` for a person.
fn maker<F: FactSource + ?Sized>(facts: &F) -> Option<Maker> {
    match facts.actor().attribution {
        Attribution::Agent(_) => Some(Maker::Agent),
        Attribution::Unknown { agent_seen: true } => Some(Maker::Unknown),
        Attribution::Human | Attribution::Unknown { agent_seen: false } => None,
    }
}

/// As whose an object counts that gets a new name: that only changes when it was last changed.
fn maker_of_moved(mover: Maker, standing: Standing) -> Maker {
    match standing {
        Standing::Own(Proof::Changed | Proof::Doubtful) => Maker::Unknown,
        _ => mover,
    }
}

fn is_in_zone(snapshot: &Snapshot, path: &[u8]) -> bool {
    snapshot.touches(&Operation {
        kind: OperationKind::Unlink,
        path,
        destination: None,
    })
}
