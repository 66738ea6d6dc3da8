//! Calls that truncate or write files.
//!
//! Truncating is judged if the policy lists it; writing only for the guard's own files. Both are
//! left to the kernel when allowed: opening gives the caller a descriptor, which only the kernel
//! can. A caller that swaps a symbolic link between the guard's resolution and the kernel's is not
//! seen: a documented limit.

use super::pending_call::{Answered, CallerGone, PendingCall};
use super::refusal;
use super::resolve::{Name, PathArgument, Resolved, Unresolved};
use crate::arguments::{Start, int_argument};
use crate::directories;
use crate::files::FileStat;
use crate::procfs;
use crate::sys::notify::Reply;
use guard_core::{Operation, OperationKind};
use rustix::fs::{FileType, OFlags};

/// What a call would open.
struct OpenTarget {
    /// Its canonical path.
    path: Vec<u8>,
    /// Whether anything is there now.
    exists: bool,
    /// The name and what is there, unless it is a link to the file.
    pin: Option<(Name, FileStat)>,
}

// === impl OpenTarget ===

impl OpenTarget {
    fn pin(&self) -> Option<(&Name, &FileStat)> {
        self.pin.as_ref().map(|(name, found)| (name, found))
    }

    /// Whether it has nothing to be cut.
    fn is_empty(&self) -> bool {
        self.pin().is_some_and(|(_, found)| found.size == 0)
    }
}

// === impl PendingCall ===

impl PendingCall<'_> {
    /// `open`, `openat`, `creat` with write intent.
    pub(super) fn open(&mut self, path: PathArgument, flags: u64) -> Answered {
        let flags = OFlags::from_bits_retain(int_argument(flags).cast_unsigned());
        let Some(target) = self.open_target(path, flags)? else {
            return Ok(Reply::Continue);
        };
        if target.exists && !flags.intersects(OFlags::ACCMODE | OFlags::TRUNC) {
            // It was to be made, and is only read.
            return Ok(Reply::Continue);
        }
        let mut reply = self.evaluate_contents(OperationKind::Write, &target.path);
        let truncates = flags.contains(OFlags::TRUNC) && target.exists;
        if reply == Reply::Continue && truncates && !target.is_empty() {
            reply = self.evaluate_truncation(&target);
        }
        if reply == Reply::Continue && target.exists {
            let bytes_after = flags.contains(OFlags::TRUNC).then_some(0);
            self.preserve_contents(&target.path, target.pin(), bytes_after);
            self.note_edit(&target.path, target.pin());
        } else if reply == Reply::Continue {
            self.note_creation(&target.path, false);
            self.contents_made(&target.path);
        }
        Ok(reply)
    }

    /// `openat2`: the flags are in the caller's memory, like the path.
    pub(super) fn open2(&mut self, path: PathArgument, how: u64, size: u64) -> Answered {
        let mut bytes = Vec::new();
        if size < 8 || self.caller.read_exactly(how, 8, &mut bytes).is_err() {
            return Ok(Reply::Continue);
        }
        let flags = bytes
            .first_chunk::<8>()
            .map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let write_intent = (libc::O_ACCMODE | libc::O_TRUNC | libc::O_CREAT).cast_unsigned();
        if flags & u64::from(write_intent) == 0 {
            return Ok(Reply::Continue);
        }
        self.open(path, flags)
    }

    /// `open_by_handle_at` with write intent. A handle has no path to be judged, so no agent may;
    /// only the privileged may at all.
    pub(super) fn open_by_handle(&self) -> Reply {
        self.unresolved(OperationKind::Write, &Unresolved::default())
    }

    /// `symlink`, `mknod`, `mkdir` and their like: what they make is its maker's to remove.
    pub(super) fn make(&mut self, path: PathArgument, is_directory: bool) -> Answered {
        let Resolved::Name(name) = self.resolve(path)? else {
            return Ok(Reply::Continue);
        };
        if name.special || !name.is_free() {
            return Ok(Reply::Continue);
        }
        let path = name.path();
        let reply = self.evaluate_contents(OperationKind::Write, &path);
        if reply == Reply::Continue {
            self.note_creation(&path, is_directory);
        }
        Ok(reply)
    }

    /// `truncate`.
    pub(super) fn truncate(&mut self, path: PathArgument, length: u64) -> Answered {
        let Some(target) = self.open_target(path, OFlags::WRONLY)? else {
            return Ok(Reply::Continue);
        };
        let reply = self.evaluate_contents(OperationKind::Write, &target.path);
        if reply != Reply::Continue {
            return Ok(reply);
        }
        let reply = self.evaluate_truncation(&target);
        if reply == Reply::Continue {
            self.preserve_contents(&target.path, target.pin(), Some(length));
            self.note_edit(&target.path, target.pin());
        }
        Ok(reply)
    }

    /// `ftruncate`, and `fallocate` that discards contents, for policies that judge truncating: the
    /// guard's own files cannot be open for writing.
    pub(super) fn ftruncate(&mut self, fd: u64) -> Answered {
        if !self.guard.policy.load().judges(OperationKind::Truncate) {
            return Ok(Reply::Continue);
        }
        let start = Start::Descriptor(int_argument(fd));
        let found = directories::pin_object(self.caller, start, b"").ok();
        let located = found.and_then(|found| self.locate(&found));
        Ok(located.map_or(Reply::Continue, |located| {
            self.evaluate_contents(OperationKind::Truncate, &located.location)
        }))
    }

    /// What a call would open; `None` when there is nothing to be judged: no regular file, or nothing
    /// that the caller could open.
    fn open_target(
        &mut self,
        path: PathArgument,
        flags: OFlags,
    ) -> Result<Option<OpenTarget>, CallerGone> {
        let Resolved::Name(name) = self.resolve(path)? else {
            return Ok(None);
        };
        if name.special {
            return Ok(None);
        }
        let Ok(found) = name.stat() else {
            // Nothing is there: it may be made, which depends on its name.
            return Ok(flags.contains(OFlags::CREATE).then(|| OpenTarget {
                path: name.path(),
                exists: false,
                pin: None,
            }));
        };
        if flags.contains(OFlags::CREATE | OFlags::EXCL) {
            // Whatever it is, the kernel refuses.
            return Ok(None);
        }
        let (path, pin) = match found.file_type {
            FileType::RegularFile => (Some(name.path()), Some((name, found))),
            FileType::Symlink => (self.link_target(&name), None),
            _ => (None, None),
        };
        Ok(path.map(|path| OpenTarget {
            path,
            exists: true,
            pin,
        }))
    }

    /// Where a final symbolic link leads.
    pub(super) fn link_target(&self, name: &Name) -> Option<Vec<u8>> {
        let found = self.follow(name)?;
        Some(self.locate(&found)?.location)
    }

    /// Decides truncating a file, unless the kernel refuses that by itself.
    fn evaluate_truncation(&self, target: &OpenTarget) -> Reply {
        let rights = self.rights();
        let is_judged = self.guard.policy.load().judges(OperationKind::Truncate);
        let pin = target.pin().filter(|_| is_judged);
        match pin.and_then(|(name, _)| refusal::of_writing(name, rights)) {
            Some(errno) => Reply::Fail(errno),
            None => self.evaluate_contents(OperationKind::Truncate, &target.path),
        }
    }

    /// Decides truncating or writing the file at `path`.
    pub(super) fn evaluate_contents(&self, kind: OperationKind, path: &[u8]) -> Reply {
        let of_process = path_of_process(path);
        self.evaluate_or_continue(&Operation {
            kind,
            path: of_process.as_deref().unwrap_or(path),
            destination: None,
        })
    }
}

/// `/proc/TID/mem` as `/proc/PID/mem`: a thread's files are its process's. `None` for all others.
fn path_of_process(path: &[u8]) -> Option<Vec<u8>> {
    let rest = path.strip_prefix(b"/proc/")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (thread, below) = rest.split_at_checked(digits)?;
    let thread = std::str::from_utf8(thread).ok()?.parse().ok()?;
    let process = procfs::process_of_thread(thread).ok()?;
    Some([format!("/proc/{process}").as_bytes(), below].concat())
}
