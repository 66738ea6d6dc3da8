//! Which answers to opens the kernel may cache.
//!
//! The kernel caches answers to opens by program and file, for all processes that run the program, and
//! a later open with other flags than the cached ones is denied without a message. So a cached answer
//! for reading a document would either allow the next write without a message or deny it without one.
//! An answer is cached only where no process could ever be denied and nothing is ever preserved: of
//! directories, and of files in zones that tools make again. All flags are cached then.
//!
//! Another policy may give another answer, and so may another name: after either, the whole cache is
//! cleared. It is cleared by the thread of the backend, since the call waits for the handler.

use crate::preserving::may_matter;
use crate::reading::{object, path_of};
use endpoint_sec::File;
use guard_core::file::FileKind;
use guard_core::policy::Snapshot;
use guard_core::{Operation, OperationKind};
use guard_undo::Preservation;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the kernel may have cached answers, and whether they are stale. Shared by the handler,
/// which causes both, and the thread of the backend, which clears the cache.
#[derive(Debug, Default)]
pub(crate) struct OpenCache {
    /// SYNC: set before the policy is loaded, and taken after another policy is in force: if it is
    /// not set then, all later answers are by the new policy.
    is_used: AtomicBool,
    /// SYNC: a flag that orders nothing else.
    is_stale: AtomicBool,
}

// === impl OpenCache ===

impl OpenCache {
    /// An answer may be cached from now on.
    pub(crate) fn note_use(&self) {
        self.is_used.store(true, Ordering::SeqCst);
    }

    /// Whether an answer may have been cached since the last call.
    pub(crate) fn take_use(&self) -> bool {
        self.is_used.swap(false, Ordering::SeqCst)
    }

    /// A file moves. Cached answers for it may be wrong under its new name.
    pub(crate) fn note_move(
        &self,
        snapshot: &Snapshot,
        preservation: &Preservation,
        from: &[u8],
        to: &[u8],
    ) {
        let matters = |path| may_matter(preservation, snapshot, path);
        if self.is_used.load(Ordering::Relaxed) && matters(to) && !matters(from) {
            self.is_stale.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a file moved since the last call.
    pub(crate) fn take_stale(&self) -> bool {
        self.is_stale.swap(false, Ordering::Relaxed)
    }
}

/// Whether the answer to an open of this file may be cached.
pub(crate) fn is_open_to_all(
    snapshot: &Snapshot,
    preservation: &Preservation,
    file: &File<'_>,
) -> bool {
    let path = path_of(file);
    let touches = |kind| {
        snapshot.touches(&Operation {
            kind,
            path,
            destination: None,
        })
    };
    if file.path_truncated() || touches(OperationKind::Write) || snapshot.zone_of(path).is_none() {
        return false;
    }
    object(file).kind == FileKind::Directory
        || !(touches(OperationKind::Truncate) || may_matter(preservation, snapshot, path))
}
