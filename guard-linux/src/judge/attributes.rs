//! Calls that change modes or extended attributes.
//!
//! What they do to a person's files is not judged. They are here because of the guard's own: the undo
//! store is kept from being read by its mode, which an agent of the same user could change. A
//! descriptor needs no judging, since none can be opened there to change a mode through it. That an
//! agent changes what agents made is reported to [`guard_core::ownership`].

use super::pending_call::{Answered, PendingCall};
use super::resolve::{PathArgument, Resolved};
use crate::directories;
use crate::sys::notify::Reply;
use guard_core::OperationKind;
use rustix::fs::{AtFlags, FileType};

// === impl PendingCall ===

impl PendingCall<'_> {
    /// `chmod`, `setxattr` and their like: denied on the guard's own files.
    pub(super) fn change_attributes(&mut self, path: PathArgument, flags: AtFlags) -> Answered {
        if flags.contains(AtFlags::EMPTY_PATH)
            && let Ok(object) = directories::pin_object(self.caller, path.start, b"")
            && let Some(located) = self.locate(&object)
        {
            let reply = self.evaluate_contents(OperationKind::Write, &located.location);
            if reply != Reply::Continue {
                return Ok(reply);
            }
        }
        let Resolved::Name(name) = self.resolve(path)? else {
            return Ok(Reply::Continue);
        };
        let follows = !flags.contains(AtFlags::SYMLINK_NOFOLLOW);
        let is_link = name
            .stat()
            .is_ok_and(|found| found.file_type == FileType::Symlink);
        // `.`, `..` and `/` are found as the end of a link is.
        let target = if name.special || (follows && is_link) {
            self.link_target(&name)
        } else {
            Some(name.path())
        };
        Ok(target.map_or(Reply::Continue, |path| {
            let reply = self.evaluate_contents(OperationKind::Write, &path);
            if reply == Reply::Continue {
                self.note_attributes(&path);
            }
            reply
        }))
    }
}
