//! Calls that remove, move or link names.
//!
//! Each resolves its arguments to names in pinned directories; the decision is made on canonical
//! paths, and the guard performs an allowed call on the pins where it may.

use super::execute::{self, Execution};
use super::pending_call::{Answered, PendingCall};
use super::refusal;
use super::resolve::{PathArgument, Resolved};
use crate::arguments::int_argument;
use crate::sys::notify::Reply;
use crate::{directories, files};
use guard_core::OperationKind;
use rustix::fs::{AtFlags, RenameFlags};
use rustix::io::Errno;
use std::os::fd::{AsFd as _, OwnedFd};

// === impl PendingCall ===

impl PendingCall<'_> {
    /// `unlink`, `unlinkat`, `rmdir`.
    pub(super) fn remove(&mut self, path: PathArgument, flags: u64) -> Answered {
        let flags = AtFlags::from_bits_retain(int_argument(flags).cast_unsigned());
        if !AtFlags::REMOVEDIR.contains(flags) {
            return Ok(Reply::Continue);
        }
        let kind = OperationKind::Unlink;
        let name = match self.resolve(path)? {
            Resolved::Name(name) => name,
            Resolved::Errno(errno) => return Ok(Reply::Fail(errno)),
            Resolved::Unresolved(path) => return Ok(self.unresolved(kind, &path)),
        };
        let execution = Execution::Perform(|| execute::unlink(&name, flags));
        let refusal = |rights| refusal::of_removal(&name, flags, rights);
        Ok(self.decide_and_execute(kind, (&name, None), &refusal, execution))
    }

    /// `rename`, `renameat`, `renameat2`.
    pub(super) fn rename(&mut self, from: PathArgument, to: PathArgument, flags: u64) -> Answered {
        let flags = RenameFlags::from_bits_retain(int_argument(flags).cast_unsigned());
        let exchange = flags.contains(RenameFlags::EXCHANGE);
        let known = RenameFlags::EXCHANGE | RenameFlags::NOREPLACE | RenameFlags::WHITEOUT;
        if !known.contains(flags) || (exchange && flags != RenameFlags::EXCHANGE) {
            return Ok(Reply::Continue);
        }
        let kind = if exchange {
            OperationKind::Exchange
        } else {
            OperationKind::Rename
        };
        let (from, to) = match (self.resolve(from)?, self.resolve(to)?) {
            (Resolved::Name(from), Resolved::Name(to)) => (from, to),
            (Resolved::Errno(errno), _) => return Ok(Reply::Fail(errno)),
            (Resolved::Name(from), Resolved::Errno(errno)) => {
                // The kernel comes to the source's directory first, and may not search it.
                let closed = from.stat().err().filter(|&error| error == Errno::ACCESS);
                return Ok(Reply::Fail(closed.unwrap_or(errno)));
            }
            (Resolved::Unresolved(from), to) => {
                let missing = from.missing;
                let to = to.path();
                return Ok(self.unresolved_pair(kind, (&from.text, to.as_deref()), missing));
            }
            (Resolved::Name(from), Resolved::Unresolved(to)) => {
                let names = (&*from.path(), Some(&*to.text));
                return Ok(self.unresolved_pair(kind, names, to.missing));
            }
        };
        let found = from.stat().ok();
        // Whatever is there, the kernel refuses to replace it: nothing to decide or to preserve.
        // Between two mounts it refuses for that, and first.
        let keeps = flags.contains(RenameFlags::NOREPLACE) && !from.special && !to.special;
        let on_one_mount = from.directory.is_on_mount_of(&to.directory);
        if keeps && on_one_mount && self.caller.equals_guard && found.is_some() && to.stat().is_ok()
        {
            return Ok(Reply::Fail(Errno::EXIST));
        }
        let moves_directory =
            found.is_some_and(|found| found.is_directory()) || (exchange && to.is_directory());
        let pending = self.before_rename(kind, (&from, &to), found.as_ref());
        let execution = Execution::Perform(|| execute::rename(&from, &to, flags));
        let refusal = |rights| refusal::of_rename((&from, &to), flags, rights);
        let reply = self.decide_and_execute(kind, (&from, Some(&to)), &refusal, execution);
        self.after_rename((&from, &to), pending, reply);
        if moves_directory {
            match reply {
                Reply::Continue => self.session.disable_directory_cache(),
                Reply::Return(_) => self.session.invalidate_directories(),
                Reply::Fail(_) => {}
            }
        }
        Ok(reply)
    }

    /// `link`, `linkat`.
    pub(super) fn link(&mut self, from: PathArgument, to: PathArgument, flags: u64) -> Answered {
        let flags = AtFlags::from_bits_retain(int_argument(flags).cast_unsigned());
        if flags.contains(AtFlags::EMPTY_PATH) {
            return self.link_nameless(directories::pin_object(self.caller, from.start, b""), to);
        }
        // The refusal of other flags is left to the kernel.
        if !AtFlags::SYMLINK_FOLLOW.contains(flags) {
            return Ok(Reply::Continue);
        }
        // So is following a final link, which depends on who follows.
        let follows = !flags.is_empty();
        let kind = OperationKind::Link;
        let from = match self.resolve(from)? {
            Resolved::Name(name) => name,
            Resolved::Errno(errno) => return Ok(Reply::Fail(errno)),
            Resolved::Unresolved(path) => return Ok(self.unresolved(kind, &path)),
        };
        let to = match self.resolve(to)? {
            Resolved::Name(name) => name,
            // The kernel resolves the source first.
            Resolved::Errno(_) if follows => return Ok(Reply::Continue),
            Resolved::Errno(errno) => return Ok(Reply::Fail(from.stat().err().unwrap_or(errno))),
            Resolved::Unresolved(path) => return Ok(self.unresolved(kind, &path)),
        };
        if follows
            && from.is_in_procfs()
            && let Some(object) = self.follow(&from)
            && is_nameless(&object)
        {
            self.note_nameless(&object, &to);
            return Ok(Reply::Continue);
        }
        let execution = Execution::Perform(|| execute::link(&from, &to)).only_if(!follows);
        let pending = self.before_link((&from, &to));
        // What a final link leads to is the kernel's to find.
        let refusal = |rights| refusal::of_link(&from, &to, rights).filter(|_| !follows);
        let reply = self.decide_and_execute(kind, (&from, Some(&to)), &refusal, execution);
        self.after_link((&from, &to), pending, reply);
        Ok(reply)
    }

    /// `linkat` of a descriptor: gives a file of `O_TMPFILE` its name.
    fn link_nameless(&mut self, object: Result<OwnedFd, Errno>, to: PathArgument) -> Answered {
        if let Ok(object) = object
            && is_nameless(&object)
            && let Resolved::Name(to) = self.resolve(to)?
        {
            self.note_nameless(&object, &to);
        }
        Ok(Reply::Continue)
    }
}

/// Whether a file has no name: the kernel gives it one only if it never had any.
fn is_nameless(object: &OwnedFd) -> bool {
    files::stat_pin(object.as_fd()).is_ok_and(|found| found.links == 0)
}
