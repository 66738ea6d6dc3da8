//! What agents make in zones, as their calls tell: see [`guard_core::guard::Creations`].
//!
//! A name that an agent asks for while nothing stands there is remembered. So is the new name of
//! what the agent could have removed under its old one: an atomic save ends there, and a hard link
//! of its own. What replaces something is nobody's own making, and neither is what moved away, nor
//! what version control brings back.

use super::names::{Name, look, look_error};
use super::{Case, join};
use crate::facts::CallFacts;
use crate::sys::files::Look;
use crate::sys::notify::Reply;
use crate::sys::process::clock_ns;
use guard_core::actor::{Attribution, FactSource as _};
use guard_core::decision::{Decision, decide};
use guard_core::policy::Snapshot;
use guard_core::tools::Making;
use guard_core::{Operation, OperationKind, Reason};

/// A rename, before it happens.
pub(super) struct Move {
    from: Vec<u8>,
    to: Vec<u8>,
    directory: bool,
    exchange: bool,
    /// When the file was made that will be its mover's own under the new name, too.
    made_ns: Option<u64>,
}

// === impl Case ===

impl Case<'_> {
    /// A call is about to make a file at `path`, where nothing stands. What a trusted tool makes is
    /// its agent's own, too, unless the tool may be bringing a document back.
    pub(super) fn note_creation(&self, path: &[u8]) {
        let snapshot = self.guard.policy.load();
        if !in_zone(&snapshot, path) {
            return;
        }
        let wall_ns = clock_ns(libc::CLOCK_REALTIME);
        let facts = CallFacts::new(self.guard, self.caller, wall_ns);
        if !matches!(facts.actor().attribution, Attribution::Agent(_)) {
            return;
        }
        if !snapshot.may_bring_back(&self.caller.executable) {
            self.guard.creations.remember(path, wall_ns);
        }
    }

    /// A name is about to be removed: whether somebody else's file goes, to be made again.
    pub(super) fn makes_room(
        &self,
        snapshot: &Snapshot,
        path: &[u8],
        decision: &Decision<'_>,
        facts: &CallFacts<'_>,
    ) -> bool {
        decision.making(snapshot) == Some(Making::InPlace) && !facts.made_here(path)
    }

    /// A name was removed, or may be. `makes_room` is what was said of it before.
    pub(super) fn note_removal(&self, name: &Name, answered: Reply, makes_room: bool) {
        if matches!(answered, Reply::Fail(_)) {
            return;
        }
        let path = path_of(name);
        if makes_room {
            self.guard.creations.replace(&path);
        } else {
            self.guard.creations.forget(&path);
        }
    }

    /// Looks at a hard link before it is made: when the file was made that is its maker's own under
    /// the second name, too.
    pub(super) fn before_link(&self, from: &Name, to: &Name) -> Option<u64> {
        let coming = self.before_move(OperationKind::Rename, (from, to), look(from).as_ref());
        coming.made_ns
    }

    /// A hard link was made, or goes on in the kernel.
    pub(super) fn after_link(&self, to: &Name, made_ns: Option<u64>, answered: Reply) {
        if let Some(made_ns) = made_ns
            && !matches!(answered, Reply::Fail(_))
        {
            self.guard.creations.remember(&path_of(to), made_ns);
        }
    }

    /// Looks at a rename before it is carried out. `found` is what stands at its source.
    pub(super) fn before_move(
        &self,
        kind: OperationKind,
        (from, to): (&Name, &Name),
        found: Option<&Look>,
    ) -> Move {
        let mut coming = Move {
            from: path_of(from),
            to: path_of(to),
            directory: found.is_some_and(|found| found.file_type == libc::S_IFDIR),
            exchange: kind == OperationKind::Exchange,
            made_ns: None,
        };
        if !coming.exchange {
            coming.made_ns = self.made_and_kept(from, to, &coming, found);
        }
        coming
    }

    fn made_and_kept(
        &self,
        from: &Name,
        to: &Name,
        coming: &Move,
        found: Option<&Look>,
    ) -> Option<u64> {
        let born_ns = found.filter(|found| is_own_kind(found))?.born_ns?;
        let snapshot = self.guard.policy.load();
        if !in_zone(&snapshot, &coming.from) || !in_zone(&snapshot, &coming.to) {
            return None;
        }
        // What stands there would be replaced, and with it perhaps a document.
        if look_error(to) != Some(libc::ENOENT) {
            return None;
        }
        let wall_ns = clock_ns(libc::CLOCK_REALTIME);
        let facts = CallFacts::new(self.guard, self.caller, wall_ns).with_object(
            &from.directory,
            &from.name,
            &coming.from,
        );
        let is_own = || {
            let removal = unlink(&coming.from);
            decide(&snapshot, &removal, wall_ns, &facts).reason == Reason::Scratch
        };
        (facts.made_here(&coming.from) || is_own()).then_some(born_ns)
    }

    /// A rename was carried out, or goes on in the kernel.
    pub(super) fn after_move(&self, done: &Move, answered: Reply) {
        let creations = &self.guard.creations;
        if matches!(answered, Reply::Fail(_)) {
            return;
        }
        creations.forget(&done.to);
        // A call that goes on may fail: then the file keeps its name.
        if done.exchange || answered != Reply::Continue {
            creations.forget(&done.from);
        }
        if let Some(made_ns) = done.made_ns {
            creations.remember(&done.to, made_ns);
        } else if done.directory && !done.exchange && answered != Reply::Continue {
            creations.carry(&done.from, &done.to);
        }
    }
}

/// Whether what stands there is of a kind that calls are seen making.
pub(crate) fn is_own_kind(found: &Look) -> bool {
    [libc::S_IFREG, libc::S_IFLNK, libc::S_IFIFO].contains(&found.file_type)
}

fn in_zone(snapshot: &Snapshot, path: &[u8]) -> bool {
    snapshot.touches(&unlink(path))
}

fn unlink(path: &[u8]) -> Operation<'_> {
    Operation {
        kind: OperationKind::Unlink,
        path,
        destination: None,
    }
}

fn path_of(name: &Name) -> Vec<u8> {
    let mut path = Vec::new();
    join(&name.directory.location, name.bare(), &mut path);
    path
}
