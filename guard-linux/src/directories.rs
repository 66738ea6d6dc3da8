//! From a caller's path to the pinned directory it leads to.
//!
//! A directory is resolved as the caller would resolve it, and pinned (`O_PATH`), so what is judged
//! is what is acted on; its canonical path is the kernel's name of the pinned object, not the
//! caller's text.
//!
//! Directories are cached by the caller's text for a few milliseconds, and an entry counts only if the
//! text still leads to the pinned object (device, inode and mount).

use super::arguments::Start;
use super::callers::Caller;
use super::files::{self, Identity};
use super::location::locate;
use super::session_caches::SessionCaches;
use super::walk::{self, ResolveContext};
use fnv::FnvHasher;
use rustix::fs::{CWD, FileType};
use rustix::io::{Errno, Result};
use std::ffi::{CStr, CString};
use std::hash::Hasher as _;
use std::io::Write as _;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::Arc;

/// A pinned directory.
#[derive(Debug)]
pub(crate) struct Directory {
    /// The pin.
    pub(crate) fd: OwnedFd,
    /// Its canonical path.
    pub(crate) location: Vec<u8>,
    /// Other canonical paths of the same directory.
    pub(crate) aliases: Vec<Vec<u8>>,
    identity: Identity,
}

/// The directories that a worker caches.
#[derive(Debug)]
pub(crate) struct Directories {
    slots: Vec<Option<Slot>>,
    text: Vec<u8>,
}

#[derive(Debug)]
struct Slot {
    tid: u32,
    text: Vec<u8>,
    directory: Arc<Directory>,
    count: u64,
    filled_ns: u64,
}

// === impl Directory ===

impl Directory {
    /// Whether two directories were reached through one mount. Names do not move between two.
    pub(crate) fn is_on_mount_of(&self, other: &Self) -> bool {
        self.is_on_mount(other.identity.mount)
    }

    /// Whether it was reached through mount `id`.
    pub(crate) fn is_on_mount(&self, id: u64) -> bool {
        self.identity.mount == id
    }
}

// === impl Directories ===

impl Default for Directories {
    fn default() -> Self {
        Self {
            slots: (0..SLOTS).map(|_| None).collect(),
            text: Vec::new(),
        }
    }
}

impl Directories {
    /// Pins the directory that `parent` leads this caller to.
    ///
    /// # Errors
    ///
    /// The errno the caller would get from the kernel.
    pub(crate) fn resolve(
        &mut self,
        caller: &Caller,
        start: Start,
        parent: &[u8],
        caches: &SessionCaches,
        now_ns: u64,
    ) -> Result<Arc<Directory>> {
        if !caller.shares_root {
            return pin_by_walk(caller, start, parent, caches).map(Arc::new);
        }
        let mut text = std::mem::take(&mut self.text);
        spell(&mut text, start, parent);
        let found = self.resolve_text(caller, start, parent, &text, caches, now_ns);
        self.text = text;
        found
    }

    /// `text` is the same path for a single `statx`: from the caller's `/proc/TID` directory when it
    /// is relative, with a NUL at the end.
    fn resolve_text(
        &mut self,
        caller: &Caller,
        start: Start,
        parent: &[u8],
        text: &[u8],
        caches: &SessionCaches,
        now_ns: u64,
    ) -> Result<Arc<Directory>> {
        let absolute = parent.starts_with(b"/");
        let tid = if absolute { 0 } else { caller.tid };
        let count = caches.directory_generation(now_ns);
        let index = slot_of(tid, text);
        let slot = self
            .slots
            .get_mut(index)
            .expect("slot_of stays below SLOTS");
        if let Some(known) = slot
            && known.tid == tid
            && Some(known.count) == count
            && now_ns.saturating_sub(known.filled_ns) < CACHE_NS
            && known.text == text
            && let Ok(spelled) = CStr::from_bytes_with_nul(text)
        {
            let base = if absolute { CWD } else { caller.base() };
            if files::stat_path(base, spelled).is_ok_and(|l| l.identity == known.directory.identity)
            {
                return Ok(known.directory.clone());
            }
        }
        let directory = Arc::new(pin(caller, start, parent, caches)?);
        // Names in a procfs depend on who resolves them, so they are not cached.
        *slot = count
            .filter(|_| !directory.location.starts_with(b"/proc/"))
            .map(|count| Slot {
                tid,
                text: text.to_vec(),
                directory: directory.clone(),
                count,
                filled_ns: now_ns,
            });
        Ok(directory)
    }

    /// Releases what is not fresh, so that no pin keeps a file system busy.
    pub(crate) fn forget_old(&mut self, now_ns: u64) {
        for slot in &mut self.slots {
            if slot
                .as_ref()
                .is_some_and(|s| now_ns.saturating_sub(s.filled_ns) >= CACHE_NS)
            {
                *slot = None;
            }
        }
    }
}

/// Resolves a whole path, following a final symbolic link, and pins what it leads to.
///
/// # Errors
///
/// The errno the caller would get from the kernel.
pub(crate) fn pin_object(caller: &Caller, start: Start, path: &[u8]) -> Result<OwnedFd> {
    resolve_as_caller(caller, start, path, |context| walk::object(context, path))
}

fn pin(caller: &Caller, start: Start, parent: &[u8], caches: &SessionCaches) -> Result<Directory> {
    let direct = if parent.starts_with(b"/") {
        pin_from(CWD, parent)
    } else {
        let start = pin_start(caller, start)?;
        if parent.is_empty() {
            Ok(start)
        } else {
            pin_from(start.as_fd(), parent)
        }
    };
    match direct {
        Ok(fd) => {
            let found = directory(fd, caller, caches)?;
            // Through `/proc/self` the guard came to its own directory, not to the caller's.
            let own = format!("/proc/{}/", std::process::id());
            let is_own = found.location.starts_with(own.as_bytes())
                || found.location == own.trim_end_matches('/').as_bytes();
            if is_own {
                pin_by_walk(caller, start, parent, caches)
            } else {
                Ok(found)
            }
        }
        // A magic link, or an error that may be of the guard's own `/proc/self`.
        Err(_) => pin_by_walk(caller, start, parent, caches),
    }
}

fn pin_from(base: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd> {
    let path = CString::new(path).map_err(|_| Errno::NOENT)?;
    files::pin_directory(base, &path)
}

fn pin_by_walk(
    caller: &Caller,
    start: Start,
    parent: &[u8],
    caches: &SessionCaches,
) -> Result<Directory> {
    let fd = resolve_as_caller(caller, start, parent, |context| {
        walk::directory(context, parent)
    })?;
    directory(fd, caller, caches)
}

fn resolve_as_caller(
    caller: &Caller,
    start: Start,
    path: &[u8],
    walk: impl FnOnce(ResolveContext<'_>) -> Result<OwnedFd>,
) -> Result<OwnedFd> {
    let root = files::pin_following(caller.base(), c"root")?;
    let start = if path.starts_with(b"/") {
        files::duplicate(root.as_fd())?
    } else {
        pin_start(caller, start)?
    };
    walk(ResolveContext {
        root: root.as_fd(),
        start: start.as_fd(),
        pid: caller.process.pid,
        tid: caller.tid,
        uid: caller.uid,
    })
}

fn pin_start(caller: &Caller, start: Start) -> Result<OwnedFd> {
    match start {
        Start::WorkingDirectory => files::pin_following(caller.base(), c"cwd"),
        Start::Descriptor(number) => {
            let name = CString::new(format!("fd/{number}")).map_err(|_| Errno::BADF)?;
            files::pin_following(caller.base(), &name).map_err(|error| {
                if error == Errno::NOENT {
                    Errno::BADF
                } else {
                    error
                }
            })
        }
    }
}

fn directory(fd: OwnedFd, caller: &Caller, caches: &SessionCaches) -> Result<Directory> {
    let found = locate(&fd, caller, caches)?;
    if found.file_type != FileType::Directory {
        return Err(Errno::NOTDIR);
    }
    Ok(Directory {
        fd,
        location: found.location,
        aliases: found.aliases,
        identity: found.identity,
    })
}

/// Writes the path for a single `statx` from the caller's `/proc/TID` directory, with its NUL.
fn spell(text: &mut Vec<u8>, start: Start, parent: &[u8]) {
    text.clear();
    if !parent.starts_with(b"/") {
        match start {
            Start::WorkingDirectory => text.extend_from_slice(b"cwd/"),
            Start::Descriptor(number) => {
                write!(text, "fd/{number}/").expect("a Vec takes every write");
            }
        }
    }
    text.extend_from_slice(parent);
    text.push(0);
}

fn slot_of(tid: u32, text: &[u8]) -> usize {
    // A collision costs one resolution, no more.
    let mut hasher = FnvHasher::default();
    hasher.write_u32(tid);
    hasher.write(text);
    usize::try_from((hasher.finish() >> 32) % SLOTS as u64).unwrap_or(0)
}

/// Directories that a worker caches.
const SLOTS: usize = 128;

/// How long a directory's location is cached while the session does not change it: somebody outside
/// may move it, into a zone or out of one. Finding it again costs a few microseconds, once in this
/// time.
const CACHE_NS: u64 = 5_000_000;
