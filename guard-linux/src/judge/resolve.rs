//! From a call's path arguments to the names and objects they mean to its caller.

use super::pending_call::{CallerGone, PendingCall};
use crate::arguments::{SplitPath, Start, without_slashes};
use crate::directories::{self, Directory};
use crate::files::{self, FileStat};
use crate::location::{Located, locate};
use rustix::io::Errno;
use std::ffi::CString;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

/// A path argument of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct PathArgument {
    /// Where it starts if it is relative.
    pub(super) start: Start,
    /// Its address in the caller's memory.
    pub(super) address: u64,
}

/// One name of a call: the directory it is in, and its last component as the kernel takes it.
pub(super) struct Name {
    pub(super) directory: Arc<Directory>,
    pub(super) name: CString,
    /// Whether it is `.`, `..`, `/` or nothing, which the kernel refuses by itself.
    pub(super) special: bool,
}

/// What a path argument means.
pub(super) enum Resolved {
    /// This name.
    Name(Name),
    /// The caller gets this errno: the kernel would answer the same.
    Errno(Errno),
    /// The guard may not see what the caller may: its memory, or a directory on the way.
    Unresolved(Unresolved),
}

/// A path argument that the guard cannot resolve.
#[derive(Debug, Default)]
pub(super) struct Unresolved {
    /// The argument as far as it could be read.
    pub(super) text: Vec<u8>,
    /// What is missing on the way, for the guard: then the kernel finds nothing, either.
    pub(super) missing: Option<Errno>,
}

// === impl Name ===

impl Name {
    /// The name without slashes at its end.
    pub(super) fn bare(&self) -> &[u8] {
        without_slashes(self.name.as_bytes())
    }

    /// Its canonical path.
    pub(super) fn path(&self) -> Vec<u8> {
        let mut path = Vec::new();
        join(&self.directory.location, self.bare(), &mut path);
        path
    }

    /// The object at this name now, or why the kernel would not find it.
    pub(super) fn stat(&self) -> Result<FileStat, Errno> {
        files::stat_name(self.directory.fd.as_fd(), &self.name)
    }

    /// Whether nothing is at this name.
    pub(super) fn is_free(&self) -> bool {
        self.stat().err() == Some(Errno::NOENT)
    }

    /// Whether a directory is at this name.
    pub(super) fn is_directory(&self) -> bool {
        self.stat().is_ok_and(|found| found.is_directory())
    }

    /// Whether it is in a procfs, where names depend on who asks and none can be removed.
    pub(super) fn is_in_procfs(&self) -> bool {
        let location = &self.directory.location;
        location == b"/proc" || location.starts_with(b"/proc/")
    }
}

// === impl Resolved ===

impl Resolved {
    /// The path as far as it is known; `None` for an error.
    pub(super) fn path(&self) -> Option<Vec<u8>> {
        match self {
            Self::Name(name) => Some(name.path()),
            Self::Unresolved(unresolved) => Some(unresolved.text.clone()),
            Self::Errno(_) => None,
        }
    }
}

// === impl PendingCall ===

impl PendingCall<'_> {
    /// Reads a path argument and pins the directory of its last component.
    pub(super) fn resolve(&mut self, argument: PathArgument) -> Result<Resolved, CallerGone> {
        let mut text = std::mem::take(&mut self.buffers.text);
        let read = self.read_path(argument.address, &mut text);
        let resolved = read.map(|read| match read {
            Ok(()) => self.resolve_text(argument.start, &text),
            Err(Errno::PERM) => Resolved::Unresolved(Unresolved::default()),
            Err(errno) => Resolved::Errno(errno),
        });
        self.buffers.text = text;
        resolved
    }

    fn resolve_text(&mut self, start: Start, text: &[u8]) -> Resolved {
        let split = SplitPath::new(text);
        let directory = self.directories.resolve(
            self.caller,
            start,
            split.parent,
            self.session,
            self.received_ns,
        );
        let name = CString::new(split.name);
        match (directory, name) {
            (Ok(directory), Ok(name)) => Resolved::Name(Name {
                directory,
                name,
                special: split.is_special(),
            }),
            (Err(errno), _) if self.caller.equals_guard => Resolved::Errno(errno),
            (directory, _) => Resolved::Unresolved(Unresolved {
                text: text.to_vec(),
                missing: directory
                    .err()
                    .filter(|errno| [Errno::NOENT, Errno::NOTDIR].contains(errno)),
            }),
        }
    }

    /// The object that a name leads the caller to, through a final symbolic link.
    pub(super) fn follow(&self, name: &Name) -> Option<OwnedFd> {
        if self.caller.shares_root
            && let Ok(found) = files::pin_without_magic(name.directory.fd.as_fd(), &name.name)
        {
            let own = format!("/proc/{}/", std::process::id());
            if !self.locate(&found)?.location.starts_with(own.as_bytes()) {
                return Some(found);
            }
        }
        // As the caller resolves it: `/proc/self/fd/N`, another root, or a target to be made.
        directories::pin_object(self.caller, Start::WorkingDirectory, &name.path()).ok()
    }

    /// Where a pinned object is.
    pub(super) fn locate(&self, object: &OwnedFd) -> Option<Located> {
        locate(object, self.caller, self.session).ok()
    }
}

/// Joins a directory and a name.
pub(super) fn join(location: &[u8], name: &[u8], into: &mut Vec<u8>) {
    into.clear();
    into.extend_from_slice(location);
    if location != b"/" {
        into.push(b'/');
    }
    into.extend_from_slice(name);
}
