//! What is asked of a restore, and what it would do to one name.

use crate::journal::{BytePath, Facts, Method};
use std::path::PathBuf;

/// What a person asks for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Only what is at or below one of these canonical paths; all when there is none.
    pub only: Vec<Vec<u8>>,
    /// The state at this moment, instead of the newest versions that were the person's.
    pub at_ns: Option<u64>,
    /// Put everything below this directory, and touch nothing else.
    pub to: Option<PathBuf>,
    /// Replace even what the person changed since.
    pub force: bool,
}

/// One name that would be put back.
#[derive(Clone, Debug)]
pub struct Item {
    /// Where it stood.
    pub path: BytePath,
    /// Where it would be put: there, beside it, or below [`Request::to`].
    pub target: BytePath,
    /// What would be put there.
    pub action: Action,
    /// Whether that can be done.
    pub effect: Effect,
}

/// What comes to a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// What has another name now.
    Move {
        /// That name.
        from: BytePath,
    },
    /// A regular file from the store.
    File {
        /// Where it is kept.
        object: PathBuf,
        /// How it came there.
        method: Method,
        /// What it was.
        facts: Facts,
        /// Whether what is kept was changed after it was preserved: through another name of the
        /// file, or by a process that had it open.
        altered: bool,
    },
    /// A symbolic link.
    Link {
        /// Where it leads.
        target: BytePath,
        /// What it was.
        facts: Facts,
    },
    /// A directory.
    Directory {
        /// What it was.
        facts: Facts,
    },
}

/// Whether and how one item can be put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing is in its way.
    Clear,
    /// What is in its way is preserved first.
    Replaces,
    /// The person changed what is there: it is put beside.
    Beside,
    /// A step of a swap: it goes aside until its own place is free.
    Parks,
    /// It is there as it was.
    AlreadyThere,
    /// It cannot be done, for this reason.
    Unavailable(String),
}
