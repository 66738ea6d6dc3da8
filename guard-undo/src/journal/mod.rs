//! A session's journal: what happened to which path, in the order in which it happened.
//!
//! One record a line: the CRC-32 of the record in eight hexadecimal digits, a space, the record as
//! JSON ([`line`](mod@line)). A line whose checksum does not hold is skipped, wherever it is: the last one of
//! a guard that was killed, or one that a full disk cut.
//!
//! Paths are strings where they are UTF-8, else `{"hex": "…"}` ([`BytePath`]).
//!
//! ```
//! use guard_undo::journal::{BytePath, Event, Record, line};
//! let record = Record { at_ns: 7, event: Event::Renamed {
//!     from: BytePath::from(&b"/z/a"[..]), to: BytePath::from(&b"/z/b"[..]), exchange: false, inode: 12,
//! }};
//! let mut text = Vec::new();
//! line::append(&record, &mut text).unwrap();
//! assert_eq!(line::read(&text).records, [record]);
//! ```

mod byte_path;
pub mod line;
mod writer;

pub use byte_path::BytePath;
pub(crate) use writer::is_locked as writer_is_alive;
pub use writer::{JournalWriter, WriteJournalError};

use guard_core::event::PreservationMethod;
use serde::{Deserialize, Serialize};

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When, by the wall clock, in nanoseconds.
    pub at_ns: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// The session began.
    Began(Began),
    /// A name was about to be removed for good.
    Removed(Loss),
    /// Another object was about to take this name.
    Replaced(Loss),
    /// The contents were about to change under this name.
    Changed(Loss),
    /// A name was about to be moved. Both names go on, each at the other's place, in an exchange.
    Renamed {
        /// The name before.
        from: BytePath,
        /// The name after.
        to: BytePath,
        /// Whether the two were swapped.
        exchange: bool,
        /// What was moved, by its inode number; 0 when it was gone by then.
        inode: u64,
    },
    /// Something went on that could not be preserved.
    Unpreserved {
        /// The name.
        path: BytePath,
        /// What was done: `removed`, `replaced`, `changed`.
        what: String,
        /// Why it could not be preserved, as [`PreserveError::cause`](crate::store::PreserveError::cause).
        cause: String,
    },
    /// The agent touched this path last at the record's time.
    Touched {
        /// The name.
        path: BytePath,
    },
    /// The operation that this object was preserved for failed, so that nothing was lost.
    Withdrawn {
        /// The object's number.
        object: u64,
    },
    /// The session ended.
    Ended,
}

/// The beginning of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Began {
    /// Whether this is an agent's session or a person's restore.
    pub kind: SessionKind,
    /// The command that was run, or what was restored.
    pub command: String,
    /// The protected zones.
    pub zones: Vec<BytePath>,
    /// Directories of objects beside zones on other file systems.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depots: Vec<BytePath>,
}

/// Who changed the files of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// Agents, under a guard.
    #[default]
    Agent,
    /// A person, by restoring.
    Restore,
}

/// What an operation took from a path, and where it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// The name.
    pub path: BytePath,
    /// Which agent, by its label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Where the object is kept.
    pub kept: Kept,
    /// What it was.
    pub facts: Facts,
    /// Whether the contents were the agent's own by then, so that an earlier record has the
    /// person's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
}

/// Where a preserved object is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// In the store.
    Object {
        /// Its number, which is its name in `objects`.
        id: u64,
        /// How it came there.
        method: Method,
    },
    /// A symbolic link: its target is all there is to keep.
    Link {
        /// What it led to.
        target: BytePath,
    },
    /// An empty directory: its attributes are all there is to keep.
    Directory,
}

/// How an object came into the store. The names are stable values of labels and attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Method {
    /// A second name for the same inode.
    Hardlink,
    /// Moved into the store, in place of its removal.
    Rename,
    /// A clone that shares its blocks.
    Reflink,
    /// A copy of the bytes.
    Copy,
}

/// What an object was when it was preserved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Type and permission bits, as in `st_mode`.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Length in bytes.
    pub size: u64,
    /// Last change of the contents, nanoseconds of the wall clock.
    pub mtime_ns: u64,
    /// Device.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
}

// === impl Event ===

impl Event {
    /// The loss of a record that has one.
    #[must_use]
    pub const fn loss(&self) -> Option<&Loss> {
        match self {
            Self::Removed(loss) | Self::Replaced(loss) | Self::Changed(loss) => Some(loss),
            _ => None,
        }
    }
}

// === impl Method ===

impl Method {
    /// The stable name, in journals as in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.in_events().as_str()
    }

    /// What events call it.
    #[must_use]
    pub const fn in_events(self) -> PreservationMethod {
        match self {
            Self::Hardlink => PreservationMethod::Hardlink,
            Self::Rename => PreservationMethod::Rename,
            Self::Reflink => PreservationMethod::Reflink,
            Self::Copy => PreservationMethod::Copy,
        }
    }

    /// Whether the object is the lost inode itself, not a copy of it.
    #[must_use]
    pub const fn keeps_inode(self) -> bool {
        matches!(self, Self::Hardlink | Self::Rename)
    }
}
