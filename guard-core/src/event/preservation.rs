//! What became of an object that an operation takes from its name: preserved, or not.
//!
//! A [`Preservation`] is on an event only if an agent's operation was about to remove, replace or
//! change something that must be preserved. It says how that was done, or why it could not be, with
//! the size before and, where the operation itself gives it, after.

use crate::operation::OperationKind;

/// The preservation of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preservation {
    /// What became of it.
    pub outcome: PreservationOutcome,
    /// The length of the object before the operation, bytes; 0 for what has no contents. At most
    /// [`MAX_PRESERVATION_NUMBER`], as are the two numbers below.
    pub bytes: u64,
    /// The length that the operation leaves, where the operation gives it: 0 for `O_TRUNC`, the length
    /// of the file that is renamed over. What is written afterwards is not in it.
    pub bytes_after: Option<u64>,
    /// How long preserving took, nanoseconds.
    pub duration_ns: u64,
}

/// Whether an object was preserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreservationOutcome {
    /// It can be restored.
    Preserved(PreservationMethod),
    /// It cannot.
    Unpreserved(UnpreservedCause),
}

/// How an object was preserved. The names are the stable values of the `method` label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PreservationMethod {
    /// A second name for its inode.
    Hardlink = 0,
    /// It was moved into the store, in place of its removal.
    Rename = 1,
    /// A clone that shares its blocks.
    Reflink = 2,
    /// A copy of its bytes.
    Copy = 3,
    /// It has no contents, and is made again from its record: a symbolic link, a directory.
    Record = 4,
}

/// Why an object was not preserved. The names are the stable values of the `cause` label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum UnpreservedCause {
    /// The store's bound is reached.
    Full = 0,
    /// It would have to be copied, and is larger than the policy's `max_copy`.
    TooLarge = 1,
    /// A copy would leave less of the disk free than the policy's `min_free`.
    LowDisk = 2,
    /// The file system refused.
    FileSystem = 3,
    /// The record could not be written.
    Journal = 4,
    /// The session has no store, because it could not be made.
    Unavailable = 5,
    /// A cause that this version has no name for.
    Other = 6,
    /// A copy would have taken longer than the kernel waits for an answer.
    NoTime = 7,
}

/// What an operation did to the object that was, or was to be, preserved. The names are the stable
/// values of the `change` label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// Its name was removed.
    Removed,
    /// Another object took its name.
    Replaced,
    /// It was opened for writing, or its length was changed.
    Changed,
    /// It was left empty, or with less than a tenth of its length, by a cut or by another file's
    /// taking its name. Programs that save in place cut a file before they write it.
    Shrunk,
}

/// The largest size and duration that an encoded [`Preservation`] holds; larger ones are encoded as
/// this.
pub const MAX_PRESERVATION_NUMBER: u64 = (1 << 56) - 1;

// === impl Preservation ===

impl Preservation {
    /// How the object was preserved, if it was.
    #[must_use]
    pub const fn method(&self) -> Option<PreservationMethod> {
        match self.outcome {
            PreservationOutcome::Preserved(method) => Some(method),
            PreservationOutcome::Unpreserved(_) => None,
        }
    }

    /// Why the object was not preserved, if it was not.
    #[must_use]
    pub const fn cause(&self) -> Option<UnpreservedCause> {
        match self.outcome {
            PreservationOutcome::Preserved(_) => None,
            PreservationOutcome::Unpreserved(cause) => Some(cause),
        }
    }

    /// Whether the operation leaves nothing, or less than a tenth.
    #[must_use]
    pub const fn shrinks(&self) -> bool {
        match self.bytes_after {
            Some(after) => self.bytes > 0 && after < self.bytes.div_ceil(SMALL_PART),
            None => false,
        }
    }
}

// === impl PreservationMethod ===

impl PreservationMethod {
    /// All methods, in the order of their numbers.
    pub const ALL: [Self; 5] = [
        Self::Hardlink,
        Self::Rename,
        Self::Reflink,
        Self::Copy,
        Self::Record,
    ];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hardlink => "hardlink",
            Self::Rename => "rename",
            Self::Reflink => "reflink",
            Self::Copy => "copy",
            Self::Record => "record",
        }
    }

    /// The method with this stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }

    /// The method with this number, as stored in a ring.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

// === impl UnpreservedCause ===

impl UnpreservedCause {
    /// All causes, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::Full,
        Self::TooLarge,
        Self::LowDisk,
        Self::FileSystem,
        Self::Journal,
        Self::Unavailable,
        Self::Other,
        Self::NoTime,
    ];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::TooLarge => "too_large",
            Self::LowDisk => "low_disk",
            Self::FileSystem => "file_system",
            Self::Journal => "journal",
            Self::Unavailable => "unavailable",
            Self::Other => "other",
            Self::NoTime => "no_time",
        }
    }

    /// For people: what it was, and what helps the next time.
    #[must_use]
    pub const fn explain(self) -> &'static str {
        match self {
            Self::Full => {
                "the undo store is full; `codex-es-guard undo prune` or `undo forget` makes room"
            }
            Self::TooLarge => "larger than the policy's undo.max_copy, and not to be cloned there",
            Self::LowDisk => {
                "the disk has less free than the policy's undo.min_free; `codex-es-guard undo \
                 prune` or `undo forget` makes room"
            }
            Self::FileSystem => "the file system refused to link or copy it",
            Self::Journal => "the undo store could not be written to; is its disk full?",
            Self::Unavailable => "there is no undo store; the guard's log says why",
            Self::Other => "for another reason",
            Self::NoTime => "copying it takes longer than the kernel waits for an answer",
        }
    }

    /// The cause with this stable name, else [`Other`](Self::Other).
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        let mut causes = Self::ALL.into_iter();
        causes
            .find(|cause| cause.as_str() == name)
            .unwrap_or(Self::Other)
    }

    /// The cause with this number, as stored in a ring.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

// === impl ChangeKind ===

impl ChangeKind {
    /// What an operation that was not denied did to the object that it took.
    #[must_use]
    pub const fn of(operation: OperationKind, preservation: &Preservation) -> Self {
        match operation {
            OperationKind::Unlink => Self::Removed,
            _ if preservation.shrinks() => Self::Shrunk,
            OperationKind::Rename
            | OperationKind::Exchange
            | OperationKind::Clone
            | OperationKind::Link => Self::Replaced,
            OperationKind::Truncate | OperationKind::Write | OperationKind::Control => {
                Self::Changed
            }
        }
    }

    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Removed, Self::Replaced, Self::Changed, Self::Shrunk];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Replaced => "replaced",
            Self::Changed => "changed",
            Self::Shrunk => "shrunk",
        }
    }
}

/// A file that is left with less than one part in this many has shrunk.
const SMALL_PART: u64 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_round_trip() {
        for (number, method) in (0u8..).zip(PreservationMethod::ALL) {
            assert_eq!(method as u8, number);
            assert_eq!(PreservationMethod::from_number(number), Some(method));
            assert_eq!(PreservationMethod::from_name(method.as_str()), Some(method));
        }
        for (number, cause) in (0u8..).zip(UnpreservedCause::ALL) {
            assert_eq!(cause as u8, number);
            assert_eq!(UnpreservedCause::from_number(number), Some(cause));
            assert_eq!(UnpreservedCause::from_name(cause.as_str()), cause);
        }
        assert_eq!(PreservationMethod::from_number(5), None);
        assert_eq!(UnpreservedCause::from_number(8), None);
        assert_eq!(
            UnpreservedCause::from_name("of_a_later_version"),
            UnpreservedCause::Other
        );
    }

    #[test]
    fn a_file_shrinks_when_less_than_a_tenth_is_left() {
        for (bytes, bytes_after, shrinks) in [
            (0, Some(0), false),
            (1, Some(0), true),
            (1, Some(1), false),
            (100, Some(9), true),
            (100, Some(10), false),
            (101, Some(10), true),
            (u64::MAX, Some(1), true),
            (100, Some(200), false),
            (100, None, false),
        ] {
            let preservation = Preservation {
                outcome: PreservationOutcome::Preserved(PreservationMethod::Copy),
                bytes,
                bytes_after,
                duration_ns: 0,
            };
            assert_eq!(preservation.shrinks(), shrinks, "{bytes} {bytes_after:?}");
        }
    }
}
