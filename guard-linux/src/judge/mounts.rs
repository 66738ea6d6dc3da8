//! Calls that change what stands at a path without touching what stood there.
//!
//! A file system mounted over the policy would be the policy, so an agent may not mount over,
//! unmount, or move away the guard's own files, a zone, or a parent of either. Only the privileged can, and only
//! in the mount namespace that the guard shares: what containers and sandboxes set up in one of
//! their own does not concern the guard.

use super::{Answered, Case, here};
use crate::clock;
use crate::directories::{self, Start, int_argument};
use crate::facts::CallFacts;
use crate::judge::names::Resolved;
use crate::sys::notify::Reply;
use guard_core::decision::decide;
use guard_core::{Operation, OperationKind};
use std::os::fd::OwnedFd;

impl Case<'_> {
    /// `mount`. Remounting and changing how mounts spread put nothing elsewhere.
    pub(super) fn mount(&mut self, source: u64, target: u64, flags: u64) -> Answered {
        if flags & IN_PLACE != 0 {
            return self.mount_changes();
        }
        if flags & libc::MS_MOVE != 0 {
            let moved = self.cover(here(source))?;
            if moved != Reply::Continue {
                return Ok(moved);
            }
        }
        self.cover(here(target))
    }

    /// `umount2`.
    pub(super) fn unmount(&mut self, target: u64) -> Answered {
        self.cover(here(target))
    }

    /// `move_mount`. What a descriptor alone names may be a new mount, which stands nowhere yet.
    pub(super) fn move_mount(&mut self, from: (u64, u64), to: (u64, u64), flags: u64) -> Answered {
        let from = if flags & MOVE_MOUNT_F_EMPTY_PATH == 0 {
            self.cover(from)?
        } else {
            let start = Start::from_argument(from.0);
            let found = directories::pin_object(self.caller, start, b"").ok();
            self.change(found)?
        };
        if from != Reply::Continue {
            return Ok(from);
        }
        self.cover(to)
    }

    /// `mount_setattr`, and whatever else changes mounts where they are.
    pub(super) fn mount_changes(&self) -> Answered {
        self.world.directory_will_move();
        Ok(Reply::Continue)
    }

    /// Judges that something else will stand at a path.
    fn cover(&mut self, (dirfd, target): (u64, u64)) -> Answered {
        let dirfd = int_argument(dirfd).cast_unsigned().into();
        let Resolved::Name(name) = self.resolve(dirfd, target)? else {
            return self.mount_changes();
        };
        let found = self.follow(&name);
        self.change(found)
    }

    /// Judges that something else will stand where `found` stands.
    fn change(&self, found: Option<OwnedFd>) -> Answered {
        let goes_on = self.mount_changes()?;
        if !self.world.shares_mount_namespace(self.caller.base()) {
            return Ok(goes_on);
        }
        let located =
            found.and_then(|found| directories::locate(&found, self.caller, self.world).ok());
        let Some(located) = located else {
            return Ok(goes_on);
        };
        let path = located.location.as_slice();
        let operation = Operation {
            kind: OperationKind::Rename,
            path,
            destination: Some(path),
        };
        let snapshot = self.guard.policy.load();
        if !snapshot.touches(&operation) {
            return Ok(goes_on);
        }
        let wall_ns = clock::wall_ns();
        let facts = CallFacts::new(self.guard, self.caller, wall_ns);
        let decision = decide(&snapshot, &operation, wall_ns, &facts);
        Ok(self.refuse_or_continue(&operation, &decision, &facts, wall_ns))
    }
}

/// `include/uapi/linux/mount.h`: the descriptor itself is what moves.
const MOVE_MOUNT_F_EMPTY_PATH: u64 = 0x4;

/// Flags of `mount` that make it a change in place.
const IN_PLACE: u64 =
    libc::MS_REMOUNT | libc::MS_SHARED | libc::MS_PRIVATE | libc::MS_SLAVE | libc::MS_UNBINDABLE;
