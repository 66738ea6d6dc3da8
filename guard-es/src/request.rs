//! The operation of one message, in the terms of guard-core.
//!
//! Everything is borrowed from the message, or from a [`PathBuffer`] where a path comes in two
//! parts. Nothing is looked up.

use guard_core::file::FileFacts;
use guard_core::ownership::Target;
use guard_core::policy::Snapshot;
use guard_core::process::ProcessKey;
use guard_core::{Operation, OperationKind};

/// The operation that a message asks about, and the acting process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'m> {
    /// The operation.
    pub(crate) operation: Operation<'m>,
    /// The object at the operation's path, if the message has one.
    pub(crate) object: Option<FileFacts>,
    /// The length of that object, bytes; 0 if the message has none.
    pub(crate) object_bytes: u64,
    /// Whether the kernel truncated a path, because it exceeds the longest that messages carry.
    pub(crate) is_truncated: bool,
    /// What is at the destination now.
    pub(crate) target: Target,
    /// Whether opening the file truncates it.
    pub(crate) truncates_content: bool,
    /// The acting process.
    pub(crate) acting: Acting<'m>,
}

/// The acting process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Acting<'m> {
    /// Its identity: process id and `pidversion`.
    pub(crate) key: ProcessKey,
    /// Its parent's process id now.
    pub(crate) ppid: u32,
    /// The id of the process that started it.
    pub(crate) original_ppid: u32,
    /// When it started, wall clock nanoseconds.
    pub(crate) started_ns: u64,
    /// Its real user id.
    pub(crate) uid: u32,
    /// Path of its program.
    pub(crate) executable: &'m [u8],
    /// When the program's inode last changed, wall clock nanoseconds.
    pub(crate) executable_changed_ns: u64,
    /// Who owns the program.
    pub(crate) executable_owner: u32,
}

/// A reusable buffer for paths that messages carry in two parts.
#[derive(Debug, Default)]
pub(crate) struct PathBuffer {
    destination: Vec<u8>,
}

// === impl Request ===

impl Request<'_> {
    /// The request as this policy judges it. `None` if it can destroy nothing and touches none of
    /// the guard's own files: then it needs no decision and is not recorded.
    pub(crate) fn relevant_under(self, snapshot: &Snapshot) -> Option<Self> {
        let operation = self.operation;
        match operation.kind {
            OperationKind::Write => {
                let cut = Operation {
                    kind: OperationKind::Truncate,
                    ..operation
                };
                if snapshot.touches(&operation) {
                    Some(self)
                } else if self.truncates_content && snapshot.touches(&cut) {
                    Some(Self {
                        operation: cut,
                        ..self
                    })
                } else {
                    None
                }
            }
            // A new name overwrites nothing, unless it is that of one of the guard's own files.
            OperationKind::Clone if self.target == Target::Free => {
                let path = operation.destination.unwrap_or(operation.path);
                let write = Operation {
                    kind: OperationKind::Write,
                    path,
                    destination: None,
                };
                snapshot.touches(&write).then_some(self)
            }
            OperationKind::Clone | OperationKind::Truncate | OperationKind::Link => {
                snapshot.touches(&operation).then_some(self)
            }
            _ => Some(self),
        }
    }
}

// === impl Acting ===

impl Acting<'_> {
    /// Whether its parent has exited, so that launchd is its parent now.
    pub(crate) fn is_orphan(&self) -> bool {
        self.ppid == 1 && self.original_ppid > 1
    }
}

// === impl PathBuffer ===

impl PathBuffer {
    /// Joins a directory and a name.
    pub(crate) fn join(&mut self, directory: &[u8], name: &[u8]) -> &[u8] {
        self.destination.clear();
        self.destination.extend_from_slice(directory);
        if !directory.ends_with(b"/") {
            self.destination.push(b'/');
        }
        self.destination.extend_from_slice(name);
        &self.destination
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_and_names_are_joined_by_one_slash() {
        let mut buffer = PathBuffer::default();
        assert_eq!(buffer.join(b"/a/b", b"c"), b"/a/b/c");
        assert_eq!(buffer.join(b"/", b"c"), b"/c");
        assert_eq!(buffer.join(b"", b"c"), b"/c");
    }
}
