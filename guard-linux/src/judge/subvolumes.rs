//! Calls that remove whole trees: the end of a btrfs subvolume, which no `unlink` precedes.
//!
//! The arguments are a structure in the caller's memory: a name in the directory that the descriptor
//! is, or a subvolume's number. A number has no path to be judged, so no agent may use one. The kernel
//! executes what is allowed, on a structure that another thread of the caller may have changed
//! meanwhile: a documented limit, as for opening files.

use super::pending_call::{Answered, PendingCall};
use super::resolve::{PathArgument, Resolved, Unresolved};
use crate::arguments::{Start, int_argument};
use crate::calls::DESTROY_SUBVOLUME;
use crate::sys::notify::Reply;
use guard_core::OperationKind;

// === impl PendingCall ===

impl PendingCall<'_> {
    /// `ioctl(fd, BTRFS_IOC_SNAP_DESTROY, arguments)`, and its second version.
    pub(super) fn destroy_subvolume(&mut self, fd: u64, command: u64, arguments: u64) -> Answered {
        let [first, _] = DESTROY_SUBVOLUME;
        let name_offset = if int_argument(command).cast_unsigned() == first {
            NAME_OFFSET
        } else {
            let mut bytes = Vec::new();
            let flags_at = arguments.wrapping_add(FLAGS_OFFSET);
            if self.caller.read_exactly(flags_at, 8, &mut bytes).is_err() {
                // The kernel cannot read it, either.
                return Ok(Reply::Continue);
            }
            let flags = bytes
                .first_chunk::<8>()
                .map_or(0, |bytes| u64::from_le_bytes(*bytes));
            if flags & SPEC_BY_ID != 0 {
                return Ok(self.unresolved(OperationKind::Unlink, &Unresolved::default()));
            }
            NAME_OFFSET_V2
        };
        let name = PathArgument {
            start: Start::Descriptor(int_argument(fd)),
            address: arguments.wrapping_add(name_offset),
        };
        Ok(match self.resolve(name)? {
            Resolved::Name(name) if !name.special => self.evaluate_tree(&name),
            Resolved::Name(_) | Resolved::Errno(_) => Reply::Continue,
            Resolved::Unresolved(path) => self.unresolved(OperationKind::Unlink, &path),
        })
    }
}

/// Where `struct btrfs_ioctl_vol_args` has its name.
const NAME_OFFSET: u64 = 8;

/// Where `struct btrfs_ioctl_vol_args_v2` has its flags and its name.
const FLAGS_OFFSET: u64 = 16;
const NAME_OFFSET_V2: u64 = 56;

/// `BTRFS_SUBVOL_SPEC_BY_ID`
const SPEC_BY_ID: u64 = 1 << 4;
