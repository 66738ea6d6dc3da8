//! What agents make, rename and remove in zones, reported to [`guard_core::ownership`].

use super::pending_call::PendingCall;
use super::resolve::Name;
use crate::clock;
use crate::facts::CallFacts;
use crate::files::FileStat;
use crate::sys::notify::Reply;
use guard_core::OperationKind;
use guard_core::ownership::{
    Completion, NewName, PendingLink, PendingRemoval, PendingRename, Target,
};
use guard_core::policy::Snapshot;
use rustix::io::Errno;

// === impl PendingCall ===

impl PendingCall<'_> {
    /// A call is about to make an object at `path`, where nothing is.
    pub(super) fn note_creation(&self, path: &[u8]) {
        let wall_ns = clock::wall_ns();
        let facts = CallFacts::new(self.guard, self.caller, wall_ns);
        let snapshot = self.guard.policy.load();
        self.guard
            .ownership
            .created(&snapshot, path, wall_ns, &facts);
    }

    /// A name was removed, or may be.
    pub(super) fn note_removal(&self, name: &Name, reply: Reply, pending: PendingRemoval) {
        if completion(reply).is_some() {
            self.guard.ownership.removed(&name.path(), pending);
        }
    }

    /// Examines a rename before it is carried out. `found` is the object at its source.
    pub(super) fn before_rename(
        &self,
        kind: OperationKind,
        (from, to): (&Name, &Name),
        found: Option<&FileStat>,
    ) -> PendingRename {
        if kind == OperationKind::Exchange {
            return PendingRename::SWAP;
        }
        let ownership = &self.guard.ownership;
        self.with_new_name((from, to), found, |snapshot, name, now_ns, facts| {
            ownership.will_rename(snapshot, name, || target(to), now_ns, facts)
        })
    }

    /// A rename was carried out, or the kernel goes on with it.
    pub(super) fn after_rename(
        &self,
        (from, to): (&Name, &Name),
        pending: PendingRename,
        reply: Reply,
    ) {
        if let Some(completion) = completion(reply) {
            let (from, to) = (from.path(), to.path());
            self.guard
                .ownership
                .renamed(&from, &to, pending, completion);
        }
    }

    /// Examines a hard link before it is made.
    pub(super) fn before_link(&self, (from, to): (&Name, &Name)) -> PendingLink {
        let ownership = &self.guard.ownership;
        let found = from.stat().ok();
        self.with_new_name(
            (from, to),
            found.as_ref(),
            |snapshot, name, now_ns, facts| {
                ownership.will_link(snapshot, name, || target(to), now_ns, facts)
            },
        )
    }

    /// A hard link was made, or the kernel goes on with it.
    pub(super) fn after_link(&self, to: &Name, pending: PendingLink, reply: Reply) {
        if completion(reply).is_some() {
            self.guard.ownership.linked(&to.path(), pending);
        }
    }

    fn with_new_name<T>(
        &self,
        (from, to): (&Name, &Name),
        found: Option<&FileStat>,
        examine: impl FnOnce(&Snapshot, &NewName<'_>, u64, &CallFacts<'_>) -> T,
    ) -> T {
        let (from_path, to_path) = (from.path(), to.path());
        let wall_ns = clock::wall_ns();
        let facts = CallFacts::new(self.guard, self.caller, wall_ns).with_object(
            &from.directory,
            &from.name,
            &from_path,
        );
        let name = NewName {
            from: &from_path,
            to: &to_path,
            source: found.map(FileStat::facts),
        };
        examine(&self.guard.policy.load(), &name, wall_ns, &facts)
    }
}

/// Whether the guard saw the end of a call; `None` if nothing came of it.
fn completion(reply: Reply) -> Option<Completion> {
    match reply {
        Reply::Return(_) => Some(Completion::Done),
        Reply::Continue => Some(Completion::Pending),
        Reply::Fail(_) => None,
    }
}

/// What is at the new name of a rename or a link.
fn target(name: &Name) -> Target {
    match name.stat() {
        Ok(found) => Target::Taken(found.facts()),
        Err(Errno::NOENT) => Target::Free,
        Err(_) => Target::Unknown,
    }
}
