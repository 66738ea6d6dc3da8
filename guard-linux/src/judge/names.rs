//! Calls that remove, move or link names.
//!
//! All follow one course: read the words, pin the directories, name the operation by canonical
//! paths, decide, and then either refuse, perform the call on the pins, or let the kernel go on.

use super::preserve::Preserving;
use super::{Answered, CallerGone, Case, Outcome, join};
use crate::clock;
use crate::directories::{Cut, Directory, Start, int_argument, without_slashes};
use crate::facts::CallFacts;
use crate::files::{self, FileStat};
use crate::sys::notify::Reply;
use guard_core::actor::FactSource as _;
use guard_core::decision::{Decision, decide};
use guard_core::policy::Snapshot;
use guard_core::verdict::Answer;
use guard_core::{Operation, OperationKind, Verdict};
use rustix::fs::{AtFlags, RenameFlags};
use rustix::io::Errno;
use std::ffi::CString;
use std::os::fd::AsFd as _;
use std::sync::Arc;

/// One name of a call: the directory it stands in, and how the kernel wants to see it.
pub(super) struct Name {
    pub(super) directory: Arc<Directory>,
    pub(super) name: CString,
    /// Whether it is `.`, `..`, `/` or nothing, which the kernel refuses by itself.
    pub(super) special: bool,
}

/// What came of resolving a name.
pub(super) enum Resolved {
    Name(Name),
    /// The caller gets this errno: the kernel would say the same.
    Errno(Errno),
    /// The guard could not see what the caller may: its memory, or a directory on the way. Holds
    /// the caller's own words as far as they could be read.
    Hidden(Vec<u8>),
}

// === impl Name ===

impl Name {
    /// The name without slashes at its end.
    pub(super) fn bare(&self) -> &[u8] {
        without_slashes(self.name.as_bytes())
    }

    fn is_in_procfs(&self) -> bool {
        let location = &self.directory.location;
        location == b"/proc" || location.starts_with(b"/proc/")
    }
}

// === impl Case ===

impl Case<'_> {
    /// `unlink`, `unlinkat`, `rmdir`.
    pub(super) fn remove(&mut self, dirfd: u64, path: u64, flags: u64) -> Answered {
        let flags = int_argument(flags);
        if flags & !libc::AT_REMOVEDIR != 0 {
            return Ok(Reply::Continue);
        }
        let name = match self.resolve(dirfd, path)? {
            Resolved::Name(name) => name,
            Resolved::Errno(errno) => return Ok(Reply::Fail(errno)),
            Resolved::Hidden(text) => return Ok(self.hidden(OperationKind::Unlink, &text, None)),
        };
        let flags = AtFlags::from_bits_retain(flags.cast_unsigned());
        let perform = || rustix::fs::unlinkat(&name.directory.fd, &name.name, flags);
        self.settle(OperationKind::Unlink, &name, None, perform)
    }

    /// `rename`, `renameat`, `renameat2`.
    pub(super) fn rename(&mut self, from: (u64, u64), to: (u64, u64), flags: u64) -> Answered {
        let flags = int_argument(flags).cast_unsigned();
        let exchange = flags & libc::RENAME_EXCHANGE != 0;
        let known = libc::RENAME_EXCHANGE | libc::RENAME_NOREPLACE | libc::RENAME_WHITEOUT;
        if flags & !known != 0 || (exchange && flags != libc::RENAME_EXCHANGE) {
            return Ok(Reply::Continue);
        }
        let kind = if exchange {
            OperationKind::Exchange
        } else {
            OperationKind::Rename
        };
        let (from, to) = match (self.resolve(from.0, from.1)?, self.resolve(to.0, to.1)?) {
            (Resolved::Name(from), Resolved::Name(to)) => (from, to),
            (Resolved::Errno(errno), _) => return Ok(Reply::Fail(errno)),
            (Resolved::Name(from), Resolved::Errno(errno)) => {
                // The kernel comes to the source's directory first, and may not search it.
                let closed = look_error(&from).filter(|&error| error == Errno::ACCESS);
                return Ok(Reply::Fail(closed.unwrap_or(errno)));
            }
            (Resolved::Hidden(text), Resolved::Hidden(other)) => {
                return Ok(self.hidden(kind, &text, Some(&other)));
            }
            (Resolved::Hidden(text), Resolved::Errno(_)) => {
                return Ok(self.hidden(kind, &text, None));
            }
            (Resolved::Hidden(text), Resolved::Name(to)) => {
                let mut path = Vec::new();
                join(&to.directory.location, to.bare(), &mut path);
                return Ok(self.hidden(kind, &text, Some(&path)));
            }
            (Resolved::Name(from), Resolved::Hidden(other)) => {
                let mut path = Vec::new();
                join(&from.directory.location, from.bare(), &mut path);
                return Ok(self.hidden(kind, &path, Some(&other)));
            }
        };
        let found = look(&from);
        // Whatever stands there, the kernel refuses to replace it.
        let keeps = flags & libc::RENAME_NOREPLACE != 0 && !from.special && !to.special;
        if keeps && self.caller.equals_guard && found.is_some() && look(&to).is_some() {
            return Ok(Reply::Fail(Errno::EXIST));
        }
        let moves_directory = is_directory(found) || (exchange && is_directory(look(&to)));
        let pending = self.before_rename(kind, (&from, &to), found.as_ref());
        let world = self.world;
        let answered = self.settle(kind, &from, Some(&to), || {
            rustix::fs::renameat_with(
                &from.directory.fd,
                &from.name,
                &to.directory.fd,
                &to.name,
                RenameFlags::from_bits_retain(flags),
            )
        })?;
        self.after_rename((&from, &to), pending, answered);
        if moves_directory {
            match answered {
                Reply::Continue => world.directory_will_move(),
                Reply::Return(_) => world.directory_moved(),
                Reply::Fail(_) => {}
            }
        }
        Ok(answered)
    }

    /// `link`, `linkat`.
    pub(super) fn link(&mut self, from: (u64, u64), to: (u64, u64), flags: u64) -> Answered {
        let flags = int_argument(flags);
        // A source without a name, and the kernel's refusal of other flags, are the kernel's own.
        if flags & !(libc::AT_SYMLINK_FOLLOW) != 0 {
            return Ok(Reply::Continue);
        }
        // Following a final link is left to the kernel, with the eyes of the caller.
        let follows = flags != 0;
        let from = match self.resolve(from.0, from.1)? {
            Resolved::Name(name) => name,
            Resolved::Errno(errno) => return Ok(Reply::Fail(errno)),
            Resolved::Hidden(text) => return Ok(self.hidden(OperationKind::Link, &text, None)),
        };
        let to = match self.resolve(to.0, to.1)? {
            Resolved::Name(name) => name,
            // The kernel looks for the source first.
            Resolved::Errno(_) if follows => return Ok(Reply::Continue),
            Resolved::Errno(errno) => return Ok(Reply::Fail(look_error(&from).unwrap_or(errno))),
            Resolved::Hidden(text) => return Ok(self.hidden(OperationKind::Link, &text, None)),
        };
        let perform = || {
            if follows {
                return Err(Errno::NOTSUP);
            }
            rustix::fs::linkat(
                &from.directory.fd,
                &from.name,
                &to.directory.fd,
                &to.name,
                AtFlags::empty(),
            )
        };
        let pending = self.before_link((&from, &to));
        let answered =
            self.settle_or_continue(OperationKind::Link, &from, Some(&to), !follows, perform)?;
        self.after_link(&to, pending, answered);
        Ok(answered)
    }

    fn settle(
        &mut self,
        kind: OperationKind,
        name: &Name,
        other: Option<&Name>,
        perform: impl FnOnce() -> rustix::io::Result<()>,
    ) -> Answered {
        self.settle_or_continue(kind, name, other, true, perform)
    }

    /// Decides and carries out.
    fn settle_or_continue(
        &mut self,
        kind: OperationKind,
        name: &Name,
        other: Option<&Name>,
        may_perform: bool,
        perform: impl FnOnce() -> rustix::io::Result<()>,
    ) -> Answered {
        // What stands in a procfs depends on who asks, and nothing there can be removed.
        let in_procfs = [Some(name), other]
            .into_iter()
            .flatten()
            .any(Name::is_in_procfs);
        let performs = may_perform && self.caller.equals_guard && !in_procfs;
        if name.special || other.is_some_and(|other| other.special) {
            // Nothing can come of it but the kernel's refusal.
            return Ok(if performs {
                reply_of(perform())
            } else {
                Reply::Continue
            });
        }
        let mut words = std::mem::take(self.words);
        let answered = self.settle_words(&mut words, kind, (name, other), performs, perform);
        *self.words = words;
        answered
    }

    fn settle_words(
        &self,
        words: &mut super::Words,
        kind: OperationKind,
        (name, other): (&Name, Option<&Name>),
        performs: bool,
        perform: impl FnOnce() -> rustix::io::Result<()>,
    ) -> Answered {
        let wall_ns = clock::wall_ns();
        let snapshot = self.guard.policy.load();
        join(&name.directory.location, name.bare(), &mut words.operation);
        words.destination.clear();
        if let Some(other) = other {
            join(
                &other.directory.location,
                other.bare(),
                &mut words.destination,
            );
        }
        self.choose_locations(&snapshot, words, kind, (name, other));
        let operation = Operation {
            kind,
            path: &words.operation,
            destination: other.map(|_| words.destination.as_slice()),
        };
        let facts = CallFacts::new(self.guard, self.caller, wall_ns).with_object(
            &name.directory,
            &name.name,
            &words.operation,
        );
        let decision = decide(&snapshot, &operation, wall_ns, &facts);
        // `rm -f` of what is not there is no destruction. It is answered here, not performed: by
        // then something could be there.
        if decision.verdict != Verdict::Allow
            && self.caller.equals_guard
            && look_error(name) == Some(Errno::NOENT)
        {
            return Ok(Reply::Fail(Errno::NOENT));
        }
        let removes = kind == OperationKind::Unlink;
        let ownership = &self.guard.ownership;
        let removal =
            removes.then(|| ownership.will_remove(&snapshot, operation.path, &decision, &facts));
        let note = |reply| {
            if let Some(removal) = removal {
                self.note_removal(name, reply, removal);
            }
        };
        let names = (name, other);
        let (decision, preserving) =
            match self.preserve(&decision, &operation, names, &facts, performs) {
                Ok(preserving) => (decision, preserving),
                Err(denial) => (denial, None),
            };
        let settle = |reply| {
            if let Some(preserving) = &preserving {
                preserving.settle(&snapshot, &operation, decision.reason, reply);
            }
        };
        if decision.verdict == Verdict::Deny || !performs {
            let reply = self.refuse_or_continue(&operation, &decision, &facts, wall_ns);
            settle(reply);
            note(reply);
            return Ok(reply);
        }
        let decided_ns = clock::monotonic_ns();
        let is_done = preserving.as_ref().is_some_and(Preserving::is_removal_done);
        let reply = if is_done {
            Reply::Return(0)
        } else {
            reply_of(perform())
        };
        settle(reply);
        let errno = if let Reply::Fail(errno) = reply {
            errno.raw_os_error()
        } else {
            0
        };
        let outcome = Outcome {
            answer: Answer::Performed,
            errno,
            decided_ns,
        };
        self.record(&operation, &decision, &facts, wall_ns, outcome);
        note(reply);
        Ok(reply)
    }

    /// A directory may stand at several places (bind mounts). Each path is judged at the first of
    /// them that touches a zone, by itself: a rename inside a zone stays one at every mount of it.
    /// Where none does, it is judged where the kernel names it.
    fn choose_locations(
        &self,
        snapshot: &Snapshot,
        words: &mut super::Words,
        kind: OperationKind,
        (name, other): (&Name, Option<&Name>),
    ) {
        let touches = |path: &[u8]| {
            let destination = None;
            snapshot.touches(&Operation {
                kind,
                path,
                destination,
            })
        };
        let place = |name: &Name, path: &mut Vec<u8>, spare: &mut Vec<u8>| {
            if name.directory.aliases.is_empty() || touches(path) {
                return;
            }
            for location in &name.directory.aliases {
                join(location, name.bare(), spare);
                if touches(spare) {
                    std::mem::swap(spare, path);
                    return;
                }
            }
        };
        place(name, &mut words.operation, &mut words.first);
        if let Some(other) = other {
            place(other, &mut words.destination, &mut words.first);
        }
    }

    /// What the guard could not see. An agent's call that by its words may touch a zone fails; all
    /// others go on in the kernel, which will refuse what it refuses.
    pub(super) fn hidden(
        &self,
        kind: OperationKind,
        path: &[u8],
        destination: Option<&[u8]>,
    ) -> Reply {
        let wall_ns = clock::wall_ns();
        let snapshot = self.guard.policy.load();
        let operation = Operation {
            kind,
            path,
            destination,
        };
        let facts = CallFacts::new(self.guard, self.caller, wall_ns);
        let unreadable = path.is_empty();
        let denied = (unreadable || snapshot.touches(&operation))
            && facts.actor().attribution.may_be_agents();
        let decision = Decision::unresolved(denied);
        self.refuse_or_continue(&operation, &decision, &facts, wall_ns)
    }

    /// Reads a path argument and pins the directory of its last component.
    pub(super) fn resolve(&mut self, dirfd: u64, path: u64) -> Result<Resolved, CallerGone> {
        let mut text = std::mem::take(&mut self.words.first);
        let read = self.read_path(path, &mut text);
        let resolved = read.map(|read| match read {
            Ok(()) => self.resolve_text(Start::from_argument(dirfd), &text),
            Err(Errno::PERM) => Resolved::Hidden(Vec::new()),
            Err(errno) => Resolved::Errno(errno),
        });
        self.words.first = text;
        resolved
    }

    pub(super) fn resolve_text(&mut self, start: Start, text: &[u8]) -> Resolved {
        let cut = Cut::new(text);
        let directory =
            self.directories
                .resolve(self.caller, start, cut.parent, self.world, self.received_ns);
        let name = CString::new(cut.name);
        match (directory, name) {
            (Ok(directory), Ok(name)) => Resolved::Name(Name {
                directory,
                name,
                special: cut.is_special(),
            }),
            (Err(errno), _) if self.caller.equals_guard => Resolved::Errno(errno),
            (Err(_), _) | (_, Err(_)) => Resolved::Hidden(text.to_vec()),
        }
    }
}

fn reply_of(result: rustix::io::Result<()>) -> Reply {
    match result {
        Ok(()) => Reply::Return(0),
        Err(errno) => Reply::Fail(errno),
    }
}

/// Why a name cannot be looked at; `None` when it can.
pub(super) fn look_error(name: &Name) -> Option<Errno> {
    let found = files::stat_name(name.directory.fd.as_fd(), &name.name);
    found.err()
}

/// What stands at a name now.
pub(super) fn look(name: &Name) -> Option<FileStat> {
    files::stat_name(name.directory.fd.as_fd(), &name.name).ok()
}

fn is_directory(found: Option<FileStat>) -> bool {
    found.is_some_and(|found| found.is_directory())
}

/// The canonical path of a name.
pub(super) fn path_of(name: &Name) -> Vec<u8> {
    let mut path = Vec::new();
    join(&name.directory.location, name.bare(), &mut path);
    path
}
