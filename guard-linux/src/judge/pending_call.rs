//! One notification on its way to its answer.

use crate::callers::{Caller, ReadPathError};
use crate::directories::Directories;
use crate::notice::PendingNotice;
use crate::session_caches::SessionCaches;
use crate::sys::notify::{Notification, Reply};
use guard_core::guard::Guard;
use guard_core::ring::Counter;
use rustix::io::Errno;
use std::cell::RefCell;
use std::os::fd::BorrowedFd;

/// One notification on its way to its answer.
pub(super) struct PendingCall<'a> {
    pub(super) guard: &'a Guard,
    pub(super) session: &'a SessionCaches,
    /// Where the notification came from.
    pub(super) listener: Option<BorrowedFd<'a>>,
    pub(super) notification: &'a Notification,
    pub(super) caller: &'a Caller,
    pub(super) directories: &'a mut Directories,
    pub(super) buffers: &'a mut PathBuffers,
    /// Where a denial leaves its notice.
    pub(super) notice: &'a RefCell<Option<PendingNotice>>,
    /// Monotonic clock when the notification was received.
    pub(super) received_ns: u64,
}

/// Buffers for paths, kept for their capacity.
#[derive(Debug, Default)]
pub(super) struct PathBuffers {
    /// An argument as it was read, and any path for a moment.
    pub(super) text: Vec<u8>,
    /// The operation's path.
    pub(super) path: Vec<u8>,
    /// Its destination.
    pub(super) destination: Vec<u8>,
}

/// The caller that was remembered is not the one that waits.
pub(super) struct CallerGone;

/// The answer of a call whose arguments are read from its caller's memory.
pub(super) type Answered = Result<Reply, CallerGone>;

// === impl PendingCall ===

impl PendingCall<'_> {
    /// Reads a path argument, and makes sure that it was this caller's. The inner error is what the
    /// kernel would answer; `EPERM` where the guard may not read the caller's memory.
    pub(super) fn read_path(
        &self,
        address: u64,
        into: &mut Vec<u8>,
    ) -> Result<Result<(), Errno>, CallerGone> {
        let read = self.caller.read_path(address, into);
        if read == Err(ReadPathError::Gone)
            || !self.caller.is_asking(self.listener, self.notification.id)
        {
            return Err(CallerGone);
        }
        Ok(match read {
            Ok(()) if into.is_empty() => Err(Errno::NOENT),
            Ok(()) => Ok(()),
            Err(ReadPathError::TooLong) => Err(Errno::NAMETOOLONG),
            Err(ReadPathError::Unreadable) => {
                self.guard.ring.add(Counter::PathsUnresolved, 1);
                Err(Errno::PERM)
            }
            Err(ReadPathError::Fault | ReadPathError::Gone) => Err(Errno::FAULT),
        })
    }
}
