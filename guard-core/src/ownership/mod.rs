//! What an agent made is its own, so that it may remove it again: the rules, for all backends.
//!
//! A backend reports calls that make, remove, rename and link names, with facts about the objects.
//! From these [`Ownership`] keeps the names that agents claim:
//!
//! | call, in a zone | what happens to the claim |
//! |-----------------|---------------------------|
//! | an agent, or a tool for it, makes a name where nothing is | the agent claims it |
//! | a tool that may restore a document makes it (`git checkout`), or a person does | there is none |
//! | a name is removed | it ends |
//! | a tool removes another's object to make it again (`tar`) | what is made there next has none |
//! | an agent renames or links an object it may remove, to a free name | the new name is claimed |
//! | a rename over an existing object, a swap, a person's rename | the new name has none |
//! | a directory is renamed | the claims below move with it |
//!
//! Guarantees: a claim alone allows nothing. [`decide`] lets an agent remove an object only if its
//! kind has a maker ([`FileKind::has_maker`](crate::file::FileKind::has_maker)) and its birth time
//! is that of the claiming call. Without claims no lock is taken.
//!
//! It deliberately does not see edits: who writes into an agent's file does not become its owner
//! while the object stays the same, and what replaces it is no longer the agent's.

mod claims;

use crate::actor::{Attribution, FactSource};
use crate::decision::{Decision, decide, is_claimed_object};
use crate::file::{FileFacts, FileKind};
use crate::operation::{Operation, OperationKind};
use crate::policy::Snapshot;
use crate::tools::OutputOwner;
use crate::verdict::Reason;
use claims::Claims;

/// The names that agents claim, of one guard.
#[derive(Debug, Default)]
pub struct Ownership {
    claims: Claims,
}

/// Whether a backend saw the end of a call that it allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion {
    /// It succeeded.
    Done,
    /// The kernel goes on with it, and may still refuse.
    Pending,
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
}

/// What a removal will mean; see [`Ownership::removed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct PendingRemoval {
    replaces: bool,
}

/// What a rename will mean; see [`Ownership::renamed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct PendingRename(Renaming);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Renaming {
    /// Both names lead to one object already, and rename(2) does nothing.
    Nothing,
    /// Both objects change their names.
    Swap,
    Directory,
    /// An object that stays its agent's, made at this time.
    Own {
        born_ns: u64,
    },
    Other,
}

/// What a hard link will mean; see [`Ownership::linked`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct PendingLink(Linking);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Linking {
    /// The kernel refuses a name that exists.
    Nothing,
    /// A second name of an object that is its agent's, made at this time.
    Own {
        born_ns: u64,
    },
    Other,
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
    /// When an agent asked for this name, for [`FactSource::claimed_ns`].
    #[must_use]
    pub fn claimed_ns(&self, path: &[u8]) -> Option<u64> {
        self.claims.call_ns(path)
    }

    /// An object is about to be made at `path`, where nothing is, or has just been made there.
    /// `call_ns` is the wall clock now, or the object's birth time if it is known.
    pub fn created<F: FactSource + ?Sized>(
        &self,
        snapshot: &Snapshot,
        path: &[u8],
        call_ns: u64,
        facts: &F,
    ) {
        if !is_in_zone(snapshot, path) {
            return;
        }
        let actor = facts.actor();
        let is_agents = matches!(actor.attribution, Attribution::Agent(_));
        if is_agents && !snapshot.may_restore(actor.executable) {
            self.claims.make(path, call_ns);
        } else {
            self.claims.end(path);
        }
    }

    /// Prepares a removal that `decision` allowed. Call it before the removal is carried out.
    pub fn will_remove<F: FactSource + ?Sized>(
        &self,
        snapshot: &Snapshot,
        path: &[u8],
        decision: &Decision<'_>,
        facts: &F,
    ) -> PendingRemoval {
        let may_be_made_again = decision.output_owner(snapshot) == Some(OutputOwner::AgentIfNew);
        PendingRemoval {
            replaces: may_be_made_again && !is_claimed_object(path, facts),
        }
    }

    /// A name was removed, or the kernel goes on to remove it.
    pub fn removed(&self, path: &[u8], pending: PendingRemoval) {
        if pending.replaces {
            self.claims.replace(path);
        } else {
            self.claims.end(path);
        }
    }

    /// Prepares a rename that replaces what is at the new name. Call it before the rename is
    /// carried out. `target` is asked only if its answer matters.
    pub fn will_rename<F: FactSource + ?Sized>(
        &self,
        snapshot: &Snapshot,
        name: &NewName<'_>,
        target: impl FnOnce() -> Target,
        now_ns: u64,
        facts: &F,
    ) -> PendingRename {
        let Some(source) = name.source else {
            return PendingRename(Renaming::Other);
        };
        if source.kind == FileKind::Directory {
            return PendingRename(Renaming::Directory);
        }
        let Some(born_ns) = maker_birth(snapshot, name) else {
            return PendingRename(Renaming::Other);
        };
        PendingRename(match target() {
            Target::Free if is_agents_own(snapshot, name.from, now_ns, facts) => {
                Renaming::Own { born_ns }
            }
            Target::Taken(taken) if taken.identity == source.identity => Renaming::Nothing,
            _ => Renaming::Other,
        })
    }

    /// A rename was carried out, or the kernel goes on with it.
    pub fn renamed(&self, from: &[u8], to: &[u8], pending: PendingRename, completion: Completion) {
        // If the kernel may still refuse, the object may keep its old name, and with it its claim.
        let is_done = completion == Completion::Done;
        match pending.0 {
            Renaming::Nothing => {}
            Renaming::Swap => {
                self.claims.end(from);
                self.claims.end(to);
            }
            Renaming::Directory => {
                if is_done {
                    self.claims.end(from);
                }
                self.claims.end(to);
                self.claims.move_below(from, to, !is_done);
            }
            Renaming::Own { born_ns } => {
                if is_done {
                    self.claims.end(from);
                }
                self.claims.make(to, born_ns);
            }
            Renaming::Other => {
                if is_done {
                    self.claims.end(from);
                }
                self.claims.end(to);
            }
        }
    }

    /// Prepares a hard link. Call it before the link is made. `target` is asked only if its answer
    /// matters.
    pub fn will_link<F: FactSource + ?Sized>(
        &self,
        snapshot: &Snapshot,
        name: &NewName<'_>,
        target: impl FnOnce() -> Target,
        now_ns: u64,
        facts: &F,
    ) -> PendingLink {
        if !is_in_zone(snapshot, name.to) {
            return PendingLink(Linking::Nothing);
        }
        PendingLink(match (target(), maker_birth(snapshot, name)) {
            (Target::Free, Some(born_ns)) if is_agents_own(snapshot, name.from, now_ns, facts) => {
                Linking::Own { born_ns }
            }
            (Target::Taken(_), _) => Linking::Nothing,
            _ => Linking::Other,
        })
    }

    /// A hard link was made, or the kernel goes on with it.
    pub fn linked(&self, to: &[u8], pending: PendingLink) {
        match pending.0 {
            Linking::Nothing => {}
            Linking::Own { born_ns } => self.claims.make(to, born_ns),
            Linking::Other => self.claims.end(to),
        }
    }
}

// === impl PendingRename ===

impl PendingRename {
    /// Two objects exchange their names.
    pub const SWAP: Self = Self(Renaming::Swap);
}

/// When the object was born, if claims on it count under both names.
fn maker_birth(snapshot: &Snapshot, name: &NewName<'_>) -> Option<u64> {
    let source = name.source.filter(|source| source.kind.has_maker())?;
    let in_zones = is_in_zone(snapshot, name.from) && is_in_zone(snapshot, name.to);
    source.born_ns.filter(|_| in_zones)
}

/// Whether the acting agent may remove the object at `path` as its own.
fn is_agents_own<F: FactSource + ?Sized>(
    snapshot: &Snapshot,
    path: &[u8],
    now_ns: u64,
    facts: &F,
) -> bool {
    matches!(facts.actor().attribution, Attribution::Agent(_))
        && (is_claimed_object(path, facts)
            || decide(snapshot, &removal(path), now_ns, facts).reason == Reason::Scratch)
}

fn is_in_zone(snapshot: &Snapshot, path: &[u8]) -> bool {
    snapshot.touches(&removal(path))
}

fn removal(path: &[u8]) -> Operation<'_> {
    Operation {
        kind: OperationKind::Unlink,
        path,
        destination: None,
    }
}
