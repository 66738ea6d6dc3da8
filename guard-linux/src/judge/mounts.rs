//! Calls that change what is at a path without touching what was there.
//!
//! A file system mounted over the policy would be the policy, so an agent may not mount over,
//! unmount, or move away the guard's own files, a zone, or a parent of either. Only the privileged
//! can, and only in the mount namespace that the guard shares: what containers and sandboxes set up
//! in their own does not concern the guard.

use super::pending_call::{Answered, PendingCall};
use super::resolve::{PathArgument, Resolved};
use crate::directories;
use crate::sys::notify::Reply;
use guard_core::{Operation, OperationKind};
use std::os::fd::OwnedFd;

// === impl PendingCall ===

impl PendingCall<'_> {
    /// `mount`. Remounting and changing how mounts propagate move nothing.
    pub(super) fn mount(
        &mut self,
        source: PathArgument,
        target: PathArgument,
        flags: u64,
    ) -> Answered {
        if flags & IN_PLACE != 0 {
            return Ok(self.change_mounts());
        }
        if flags & libc::MS_MOVE != 0 {
            let reply = self.cover(source)?;
            if reply != Reply::Continue {
                return Ok(reply);
            }
        }
        self.cover(target)
    }

    /// `umount2`.
    pub(super) fn unmount(&mut self, target: PathArgument) -> Answered {
        self.cover(target)
    }

    /// `move_mount`. What a descriptor alone names may be a new mount, which is nowhere yet.
    pub(super) fn move_mount(
        &mut self,
        from: PathArgument,
        to: PathArgument,
        flags: u64,
    ) -> Answered {
        let reply = if flags & MOVE_MOUNT_F_EMPTY_PATH == 0 {
            self.cover(from)?
        } else {
            self.cover_object(directories::pin_object(self.caller, from.start, b"").ok())
        };
        if reply != Reply::Continue {
            return Ok(reply);
        }
        self.cover(to)
    }

    /// `mount_setattr`, and whatever else changes mounts where they are.
    pub(super) fn change_mounts(&self) -> Reply {
        self.session.disable_directory_cache();
        Reply::Continue
    }

    /// Decides that something else will be at a path.
    fn cover(&mut self, path: PathArgument) -> Answered {
        let object = match self.resolve(path)? {
            Resolved::Name(name) => self.follow(&name),
            Resolved::Errno(_) | Resolved::Unresolved(_) => None,
        };
        Ok(self.cover_object(object))
    }

    /// Decides that something else will be where `object` is.
    fn cover_object(&self, object: Option<OwnedFd>) -> Reply {
        let reply = self.change_mounts();
        if !self.session.shares_mount_namespace(self.caller.base()) {
            return reply;
        }
        let Some(located) = object.and_then(|object| self.locate(&object)) else {
            return reply;
        };
        let path = located.location.as_slice();
        self.evaluate_or_continue(&Operation {
            kind: OperationKind::Rename,
            path,
            destination: Some(path),
        })
    }
}

/// `include/uapi/linux/mount.h`: the descriptor itself is what moves.
const MOVE_MOUNT_F_EMPTY_PATH: u64 = 0x4;

/// Flags of `mount` that make it a change in place.
const IN_PLACE: u64 =
    libc::MS_REMOUNT | libc::MS_SHARED | libc::MS_PRIVATE | libc::MS_SLAVE | libc::MS_UNBINDABLE;
