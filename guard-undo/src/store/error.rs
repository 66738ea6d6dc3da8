//! What can go wrong with a store.

use crate::journal::WriteJournalError;
use std::io;
use std::path::PathBuf;

/// Why a session's directory could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenStoreError {
    /// A directory or the journal.
    #[error("making {}", path.display())]
    Make {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The first record.
    #[error("writing the first record")]
    Record(#[source] WriteJournalError),
}

/// Why a session could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadSessionError {
    /// The store's directory, or the session's.
    #[error("reading the store")]
    Read(#[source] io::Error),
    /// No session has this name.
    #[error("no session {0}; `codex-es-guard undo` lists them")]
    Missing(String),
    /// Several have.
    #[error("several sessions begin with {0}; write more of the name")]
    Ambiguous(String),
    /// `last`, and no session has anything.
    #[error("no session has anything to undo")]
    Nothing,
}

/// Why something could not be preserved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PreserveError {
    /// The store's bound is reached, with nothing old enough to be evicted.
    #[error("the undo store is full: {used} of {limit} bytes, and {needed} more are needed")]
    Full {
        /// What is kept now, in bytes.
        used: u64,
        /// The bound for files of this size.
        limit: u64,
        /// What would be added.
        needed: u64,
    },
    /// A copy would be larger than the policy's `max_copy`.
    #[error("copying {size} bytes, more than max_copy ({limit})")]
    TooLarge {
        /// Bytes on the disk.
        size: u64,
        /// The bound.
        limit: u64,
    },
    /// A copy would leave less of the disk free than the policy's `min_free`.
    #[error("the disk is nearly full: {free} bytes are free")]
    LowDisk {
        /// Free bytes.
        free: u64,
    },
    /// Copying the bytes would have taken longer than the caller may wait.
    #[error("copying takes too long: the kernel waits for an answer")]
    NoTime,
    /// The file system refused.
    #[error("keeping the object")]
    Keep(#[from] io::Error),
    /// The record could not be written, so that the object is not kept.
    #[error("writing the record")]
    Record(#[source] WriteJournalError),
}

// === impl PreserveError ===

impl PreserveError {
    /// What a copy failed of.
    pub(super) fn of_copy(error: Self) -> Self {
        match error {
            Self::Keep(error) if error.kind() == io::ErrorKind::TimedOut => Self::NoTime,
            other => other,
        }
    }

    /// The stable name of the cause.
    #[must_use]
    pub const fn cause(&self) -> &'static str {
        match self {
            Self::Full { .. } => "full",
            Self::TooLarge { .. } => "too_large",
            Self::LowDisk { .. } => "low_disk",
            Self::NoTime => "no_time",
            Self::Keep(_) => "file_system",
            Self::Record(_) => "journal",
        }
    }
}
