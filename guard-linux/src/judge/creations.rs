//! What agents make, rename and remove in zones, reported to [`guard_core::ownership`].

use super::pending_call::PendingCall;
use super::resolve::Name;
use crate::clock;
use crate::facts::CallFacts;
use crate::files::{self, FileStat};
use crate::sys::notify::Reply;
use guard_core::OperationKind;
use guard_core::actor::FactSource as _;
use guard_core::ownership::{
    Completion, Creation, NewName, PendingLink, PendingRemoval, PendingRename, Target,
};
use guard_core::policy::Snapshot;
use rustix::io::Errno;
use std::os::fd::{AsFd as _, OwnedFd};

// === impl PendingCall ===

impl PendingCall<'_> {
    /// A call is about to make an object at `path`, where nothing is.
    pub(super) fn note_creation(&self, path: &[u8], is_directory: bool) {
        let call_ns = clock::wall_ns();
        let facts = CallFacts::new(self.guard, self.caller, call_ns);
        let creation = Creation {
            path,
            is_directory,
            call_ns,
        };
        let snapshot = self.guard.policy.load();
        self.guard.ownership.created(&snapshot, &creation, &facts);
    }

    /// A call is about to open the file at this name for writing.
    pub(super) fn note_edit(&self, path: &[u8], pin: Option<(&Name, &FileStat)>) {
        let now_ns = clock::wall_ns();
        let facts = CallFacts::new(self.guard, self.caller, now_ns);
        let snapshot = self.guard.policy.load();
        let found = || match pin {
            Some((_, found)) => Some(found.facts()),
            None => facts.file(path),
        };
        self.guard
            .ownership
            .edited(&snapshot, path, found, now_ns, &facts);
    }

    /// A call is about to change the mode or the attributes of the object at this path.
    pub(super) fn note_attributes(&self, path: &[u8]) {
        let now_ns = clock::wall_ns();
        let facts = CallFacts::new(self.guard, self.caller, now_ns);
        let ownership = &self.guard.ownership;
        ownership.attributes_change(path, || facts.file(path), now_ns, &facts);
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
        self.session.note_writes(self.guard);
        if kind == OperationKind::Exchange {
            return PendingRename::SWAP;
        }
        let ownership = &self.guard.ownership;
        self.with_new_name((from, to), found, |snapshot, name, facts| {
            ownership.will_rename(snapshot, name, || target(to), facts)
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
            let (from_path, to_path) = (from.path(), to.path());
            let ownership = &self.guard.ownership;
            ownership.renamed(&from_path, &to_path, pending, completion);
            if pending.brings_tree() {
                let here = match completion {
                    Completion::Done => &to_path,
                    Completion::Pending => &from_path,
                };
                self.note_brought_tree(here, &to_path);
            }
        }
    }

    /// Claims what is in a directory that came from outside all zones, as far as it is not too much.
    /// It is at `here` now, and goes to `to`.
    fn note_brought_tree(&self, here: &[u8], to: &[u8]) {
        let now_ns = clock::wall_ns();
        let facts = CallFacts::new(self.guard, self.caller, now_ns);
        let mut left = MAX_BROUGHT;
        let mut open = vec![Vec::new()];
        while let Some(below) = open.pop() {
            let directory = [here, &below].concat();
            for name in facts.entries(&directory, left).unwrap_or_default() {
                left -= 1;
                let below = [&below, &b"/"[..], &name].concat();
                let Some(found) = facts.file(&[here, &below].concat()) else {
                    continue;
                };
                let path = [to, &below].concat();
                self.guard.ownership.brought(&path, &found, now_ns);
                if found.is_directory() {
                    open.push(below);
                }
            }
        }
    }

    /// Examines a hard link before it is made.
    pub(super) fn before_link(&self, (from, to): (&Name, &Name)) -> PendingLink {
        self.session.note_writes(self.guard);
        let ownership = &self.guard.ownership;
        let found = from.stat().ok();
        self.with_new_name((from, to), found.as_ref(), |snapshot, name, facts| {
            ownership.will_link(snapshot, name, || target(to), facts)
        })
    }

    /// A hard link was made, or the kernel goes on with it.
    pub(super) fn after_link(
        &self,
        (from, to): (&Name, &Name),
        pending: PendingLink,
        reply: Reply,
    ) {
        if completion(reply).is_some() {
            let (from, to) = (from.path(), to.path());
            self.guard.ownership.linked(&from, &to, pending);
        }
    }

    /// A file that never had a name is about to get this one. Nobody's loss is in it.
    pub(super) fn note_nameless(&self, object: &OwnedFd, to: &Name) {
        let now_ns = clock::wall_ns();
        let facts = CallFacts::new(self.guard, self.caller, now_ns);
        let path = to.path();
        let found = files::stat_pin(object.as_fd()).ok();
        let name = NewName {
            from: NOWHERE,
            to: &path,
            source: found.as_ref().map(FileStat::facts),
            now_ns,
        };
        let snapshot = self.guard.policy.load();
        let ownership = &self.guard.ownership;
        let link = ownership.will_link(&snapshot, &name, || target(to), &facts);
        ownership.linked(NOWHERE, &path, link);
    }

    fn with_new_name<T>(
        &self,
        (from, to): (&Name, &Name),
        found: Option<&FileStat>,
        examine: impl FnOnce(&Snapshot, &NewName<'_>, &CallFacts<'_>) -> T,
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
            now_ns: wall_ns,
        };
        examine(&self.guard.policy.load(), &name, &facts)
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

/// How many objects of a directory from outside are claimed: a rename waits for it.
const MAX_BROUGHT: usize = 16_384;

/// In no zone: where a file without a name is.
const NOWHERE: &[u8] = b"/proc/self/fd/";
