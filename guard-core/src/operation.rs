//! The operations that decisions are about.

/// The kind of an [`Operation`]. The names are the stable values of the `operation` label.
///
/// Which kinds are judged is the policy's choice (`operations`); [`Unlink`](Self::Unlink) and
/// [`Rename`](Self::Rename) are judged by default, [`Write`](Self::Write) and
/// [`Control`](Self::Control) concern the guard's own files and processes and are always judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum OperationKind {
    /// Removing a name: `unlink`, `unlinkat`, `rmdir`.
    Unlink = 0,
    /// Moving a name, perhaps over another.
    Rename = 1,
    /// Swapping two names (`RENAME_EXCHANGE`, `RENAME_SWAP`): moves an object in each direction.
    Exchange = 2,
    /// Truncating a file: `truncate`, `ftruncate`, `O_TRUNC`.
    Truncate = 3,
    /// Cloning or copying a file over another (`clonefile`, `copyfile`).
    Clone = 4,
    /// Making a second name for a file.
    Link = 5,
    /// Opening a file for writing. Judged for the guard's own files only; of others it is recorded if
    /// their contents were, or were to be, preserved.
    Write = 6,
    /// Acting on one of the guard's own processes (`ptrace`, `process_vm_writev`, …).
    Control = 7,
}

/// One destructive file operation, before it happens.
///
/// Paths are absolute and canonical bytes: no `.`, no `..`, no doubled or trailing slash, symbolic
/// links resolved in all but the last component. They need not be UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation<'a> {
    /// Its kind.
    pub kind: OperationKind,
    /// The name that is removed, moved, truncated or linked.
    pub path: &'a [u8],
    /// The second name, for operations on two.
    pub destination: Option<&'a [u8]>,
}

// === impl OperationKind ===

impl OperationKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::Unlink,
        Self::Rename,
        Self::Exchange,
        Self::Truncate,
        Self::Clone,
        Self::Link,
        Self::Write,
        Self::Control,
    ];

    /// The stable name, as in the denial log's `op` and the `operation` label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unlink => "unlink",
            Self::Rename => "rename",
            Self::Exchange => "exchange",
            Self::Truncate => "truncate",
            Self::Clone => "clone",
            Self::Link => "link",
            Self::Write => "write",
            Self::Control => "control",
        }
    }

    /// The kind with this stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The kind with this number, as stored in a ring.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_round_trip() {
        for (number, kind) in (0u8..).zip(OperationKind::ALL) {
            assert_eq!(kind as u8, number);
            assert_eq!(OperationKind::from_number(number), Some(kind));
            assert_eq!(OperationKind::from_name(kind.as_str()), Some(kind));
        }
        assert_eq!(OperationKind::from_number(8), None);
        assert_eq!(OperationKind::from_name("delete"), None);
    }
}
