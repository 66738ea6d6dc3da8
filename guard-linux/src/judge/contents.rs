//! Calls that cut or write files.
//!
//! Cutting is judged where the policy says so; writing only for the guard's own files. Both go on
//! in the kernel when allowed: opening gives the caller a descriptor, which is the kernel's to do.
//! A caller that swaps a link between the guard's look and the kernel's is not seen; the README
//! says so.

use super::{Answered, Case, OWN_WRITE, join};
use crate::clock;
use crate::directories::{self, Start, int_argument};
use crate::facts::CallFacts;
use crate::files;
use crate::judge::names::{Name, Resolved, look_error};
use crate::judge::preserve::is_empty;
use crate::procfs;
use crate::sys::notify::Reply;
use guard_core::decision::decide;
use guard_core::{Operation, OperationKind};
use rustix::fs::FileType;
use rustix::io::Errno;
use std::os::fd::{AsFd as _, OwnedFd};

/// What a call would open.
struct Opened {
    /// Its canonical path.
    path: Vec<u8>,
    /// Whether anything stands there now.
    exists: bool,
    /// The name, unless it is a link to the file.
    pin: Option<Name>,
}

// === impl Case ===

impl Case<'_> {
    /// `open`, `openat`, `creat` with write intent.
    pub(super) fn open(&mut self, (dirfd, path): (u64, u64), flags: Option<u64>) -> Answered {
        let flags = flags.map_or(libc::O_TRUNC, int_argument);
        let Some(Opened { path, exists, pin }) = self.opened(dirfd, path, flags)? else {
            return Ok(Reply::Continue);
        };
        let mut reply = self.judge_contents(OWN_WRITE, &path);
        let cuts = flags & libc::O_TRUNC != 0 && exists && !is_empty(pin.as_ref());
        if reply == Reply::Continue && cuts {
            reply = self.judge_contents(OperationKind::Truncate, &path);
        }
        if reply == Reply::Continue && exists {
            self.preserve_contents(&path, pin.as_ref());
        } else if reply == Reply::Continue {
            self.note_creation(&path);
            self.contents_made(&path);
        }
        Ok(reply)
    }

    /// `symlink`, `mknod` and their like: what they make is nothing yet, and its maker's to remove.
    pub(super) fn make(&mut self, (dirfd, path): (u64, u64)) -> Answered {
        let Resolved::Name(name) = self.resolve(dirfd, path)? else {
            return Ok(Reply::Continue);
        };
        if name.special || look_error(&name) != Some(Errno::NOENT) {
            return Ok(Reply::Continue);
        }
        let mut path = Vec::new();
        join(&name.directory.location, name.bare(), &mut path);
        let reply = self.judge_contents(OWN_WRITE, &path);
        if reply == Reply::Continue {
            self.note_creation(&path);
        }
        Ok(reply)
    }

    /// `openat2`: the flags stand in the caller's memory, like the path.
    pub(super) fn open2(&mut self, name: (u64, u64), how: u64, size: u64) -> Answered {
        let mut words = Vec::new();
        if size < 8 || self.caller.read_exactly(how, 8, &mut words).is_err() {
            return Ok(Reply::Continue);
        }
        let flags = words
            .first_chunk::<8>()
            .map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let write_intent = (libc::O_ACCMODE | libc::O_TRUNC).cast_unsigned();
        if flags & u64::from(write_intent) == 0 {
            return Ok(Reply::Continue);
        }
        self.open(name, Some(flags))
    }

    /// `open_by_handle_at`: a handle names no path. Where the guard's own files live on the same
    /// mount, an agent does without (only the privileged may make this call at all).
    pub(super) fn open_by_handle(&mut self, _mount: u64) -> Answered {
        Ok(self.hidden(OWN_WRITE, b"", None))
    }

    /// `truncate`.
    pub(super) fn truncate(&mut self, path: u64) -> Answered {
        let here = libc::AT_FDCWD.cast_unsigned().into();
        let Some(Opened { path, pin, .. }) = self.opened(here, path, libc::O_WRONLY)? else {
            return Ok(Reply::Continue);
        };
        let write = self.judge_contents(OWN_WRITE, &path);
        if write != Reply::Continue {
            return Ok(write);
        }
        let reply = self.judge_contents(OperationKind::Truncate, &path);
        if reply == Reply::Continue {
            self.preserve_contents(&path, pin.as_ref());
        }
        Ok(reply)
    }

    /// `ftruncate`. The guard's own files cannot be open for writing; this is for policies that
    /// judge cutting.
    pub(super) fn ftruncate(&mut self, fd: u64) -> Answered {
        if !self.guard.policy.load().judges(OperationKind::Truncate) {
            return Ok(Reply::Continue);
        }
        let start = Start::Descriptor(int_argument(fd));
        let Ok(found) = directories::pin_object(self.caller, start, b"") else {
            return Ok(Reply::Continue);
        };
        match directories::locate(&found, self.caller, self.world) {
            Ok(found) => Ok(self.judge_contents(OperationKind::Truncate, &found.location)),
            Err(_) => Ok(Reply::Continue),
        }
    }

    /// What a call would open; `None` when it is nothing to be judged: no regular file, or nothing
    /// the caller could open.
    fn opened(
        &mut self,
        dirfd: u64,
        path: u64,
        flags: i32,
    ) -> Result<Option<Opened>, super::CallerGone> {
        let Resolved::Name(name) = self.resolve(dirfd, path)? else {
            return Ok(None);
        };
        if name.special {
            return Ok(None);
        }
        let mut canonical = Vec::new();
        join(&name.directory.location, name.bare(), &mut canonical);
        let base = name.directory.fd.as_fd();
        let found = files::stat_name(base, &name.name);
        let exclusive = libc::O_CREAT | libc::O_EXCL;
        if flags & exclusive == exclusive && found.is_ok() {
            // Whatever it is, the kernel refuses.
            return Ok(None);
        }
        let Ok(found) = found else {
            // Nothing there: it may be made, which is a matter of its name.
            return Ok((flags & libc::O_CREAT != 0).then_some(Opened {
                path: canonical,
                exists: false,
                pin: None,
            }));
        };
        let (path, pin) = match found.file_type {
            FileType::RegularFile => (Some(canonical), Some(name)),
            FileType::Symlink => (self.link_target(&name), None),
            _ => (None, None),
        };
        Ok(path.map(|path| Opened {
            path,
            exists: true,
            pin,
        }))
    }

    /// Where a final symbolic link leads.
    fn link_target(&mut self, name: &Name) -> Option<Vec<u8>> {
        let found = self.follow(name)?;
        let located = directories::locate(&found, self.caller, self.world).ok()?;
        Some(located.location)
    }

    /// The object a name leads to, through a final symbolic link.
    pub(super) fn follow(&mut self, name: &Name) -> Option<OwnedFd> {
        let base = name.directory.fd.as_fd();
        if self.caller.shares_root
            && let Ok(found) = files::pin_without_magic(base, &name.name)
        {
            let own = format!("/proc/{}/", std::process::id());
            let location = directories::locate(&found, self.caller, self.world)
                .ok()?
                .location;
            if !location.starts_with(own.as_bytes()) {
                return Some(found);
            }
        }
        // With the caller's own eyes: `/proc/self/fd/N`, another root, or a target to be made.
        let mut path = Vec::new();
        join(&name.directory.location, name.bare(), &mut path);
        directories::pin_object(self.caller, Start::WorkingDirectory, &path).ok()
    }

    /// Judges cutting or writing the file at `path`.
    fn judge_contents(&mut self, kind: OperationKind, path: &[u8]) -> Reply {
        let of_process = path_of_process(path);
        let path = of_process.as_deref().unwrap_or(path);
        let operation = Operation {
            kind,
            path,
            destination: None,
        };
        let snapshot = self.guard.policy.load();
        if !snapshot.touches(&operation) {
            return Reply::Continue;
        }
        let wall_ns = clock::wall_ns();
        let facts = CallFacts::new(self.guard, self.caller, wall_ns);
        let decision = decide(&snapshot, &operation, wall_ns, &facts);
        self.refuse_or_continue(&operation, &decision, &facts, wall_ns)
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
