//! From a caller's path to a pinned directory, and to the canonical paths of that directory.
//!
//! A path is split into its directory and its last component. The directory is resolved as the
//! caller would resolve it, and pinned (`O_PATH`), so what is judged is what is acted on; its
//! canonical location is the kernel's name of the pinned object, not the caller's text. Other locations of
//! the same directory (bind mounts) come from the mount table.
//!
//! Directories are cached by the caller's text for at most a second, and an entry counts only if the
//! text still leads to the pinned object (device, inode and mount).

use super::callers::Caller;
use super::files::{self, Identity};
use super::mounts::Mounts;
use super::session_caches::SessionCaches;
use super::walk::{self, ResolveContext};
use fnv::FnvHasher;
use rustix::fs::{CWD, FileType};
use rustix::io::{Errno, Result};
use std::ffi::{CStr, CString, OsStr};
use std::hash::Hasher as _;
use std::io::Write as _;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::DirEntryExt;
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

/// Where a caller's relative path starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Start {
    /// The caller's working directory.
    WorkingDirectory,
    /// A descriptor of the caller's.
    Descriptor(i32),
}

/// A caller's path, split before its last component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SplitPath<'p> {
    /// Everything before the last component; empty when that is all there is.
    pub(crate) parent: &'p [u8],
    /// The last component with the slashes after it, as the kernel wants to see it.
    pub(crate) name: &'p [u8],
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
        self.identity.mount == other.identity.mount
    }
}

// === impl Start ===

impl Start {
    /// From a `dirfd` argument.
    pub(crate) fn from_argument(argument: u64) -> Self {
        match int_argument(argument) {
            libc::AT_FDCWD => Self::WorkingDirectory,
            fd => Self::Descriptor(fd),
        }
    }
}

/// An `int` argument of a system call: the low half of the register.
pub(crate) fn int_argument(argument: u64) -> i32 {
    let [a, b, c, d, ..] = argument.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

// === impl SplitPath ===

impl<'p> SplitPath<'p> {
    /// Splits a path. Slashes at the end stay with the name: the kernel treats `b/` unlike `b`.
    pub(crate) fn new(path: &'p [u8]) -> Self {
        let trimmed = without_slashes(path);
        let start = trimmed
            .iter()
            .rposition(|&byte| byte == b'/')
            .map_or(0, |at| at + 1);
        if trimmed.is_empty() && !path.is_empty() {
            // Only slashes: the root, which is its own name.
            return Self {
                parent: b"/",
                name: b"/",
            };
        }
        Self {
            parent: path.get(..start).unwrap_or_default(),
            name: path.get(start..).unwrap_or_default(),
        }
    }

    /// The name without slashes.
    pub(crate) fn bare_name(&self) -> &'p [u8] {
        without_slashes(self.name)
    }

    /// Whether the last component is one that no call removes or moves: `.`, `..`, `/`, nothing.
    /// The kernel refuses those by itself.
    pub(crate) fn is_special(&self) -> bool {
        matches!(self.bare_name(), b"" | b"." | b"..")
    }
}

/// `path` without the slashes at its end.
pub(crate) fn without_slashes(path: &[u8]) -> &[u8] {
    let end = path
        .iter()
        .rposition(|&byte| byte != b'/')
        .map_or(0, |at| at + 1);
    path.get(..end).unwrap_or_default()
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

/// The canonical location of a pinned object and its other locations.
pub(crate) fn locate(fd: &OwnedFd, caller: &Caller, caches: &SessionCaches) -> Result<Located> {
    let found = files::stat_pin(fd.as_fd())?;
    let location = location_of(fd, found.is_directory())?;
    let mounts = caches.mounts();
    let mount = found.identity.mount;
    let aliases = if mounts.has(mount) {
        mounts.aliases(mount, &location)
    } else {
        // A mount of another namespace: what it shows, and where the guard sees the same.
        let theirs = Mounts::read(&caller.tid.to_string()).unwrap_or_default();
        theirs
            .inside(mount, &location)
            .map(|(device, path)| mounts.locations(&device, &path))
            .unwrap_or_default()
    };
    Ok(Located {
        identity: found.identity,
        file_type: found.file_type,
        location,
        aliases,
    })
}

/// The canonical paths of a pinned object.
#[derive(Debug)]
pub(crate) struct Located {
    pub(crate) identity: Identity,
    pub(crate) file_type: FileType,
    pub(crate) location: Vec<u8>,
    pub(crate) aliases: Vec<Vec<u8>>,
}

/// The kernel's name of a pinned object. The name of a deep directory may be longer than the kernel
/// returns (`PATH_MAX`); then it is composed from the nearest ancestor whose name is not.
fn location_of(fd: &OwnedFd, is_directory: bool) -> Result<Vec<u8>> {
    let mut location = Vec::new();
    let mut below: Vec<Vec<u8>> = Vec::new();
    let mut above: Option<OwnedFd> = None;
    loop {
        let here = above.as_ref().unwrap_or(fd);
        let too_long = match files::read_link(CWD, &own_link(here), &mut location) {
            Ok(()) => break,
            Err(error) => error,
        };
        let deep = is_directory && too_long == Errno::NAMETOOLONG;
        if !deep || below.len() >= MAX_UNNAMED {
            return Err(too_long);
        }
        let parent = files::pin_component(here.as_fd(), c"..")?;
        below.push(name_in(&parent, here)?);
        above = Some(parent);
    }
    for name in below.iter().rev() {
        location.push(b'/');
        location.extend_from_slice(name);
    }
    Ok(location)
}

/// The name of `directory` in its parent; `?` when the parent cannot be read. The zone follows from
/// the ancestors anyway.
fn name_in(parent: &OwnedFd, directory: &OwnedFd) -> Result<Vec<u8>> {
    let inode = files::stat_pin(directory.as_fd())?.identity.inode;
    let link = own_link(parent);
    let entries = std::fs::read_dir(OsStr::from_bytes(link.to_bytes()));
    let mut entries = entries.into_iter().flatten().flatten();
    let found = entries.find(|entry| entry.ino() == inode);
    Ok(found.map_or_else(|| b"?".to_vec(), |entry| entry.file_name().into_vec()))
}

/// The guard's own link to a descriptor.
fn own_link(fd: &OwnedFd) -> CString {
    let number = fd.as_raw_fd();
    CString::new(format!("/proc/self/fd/{number}")).expect("a number holds no NUL")
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

/// Levels named one by one before a directory counts as unnameable: with names of one byte, twice
/// the kernel's longest path.
const MAX_UNNAMED: usize = 4096;

/// How long a directory's location is cached while the session does not change it: somebody outside
/// may move it.
const CACHE_NS: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_split_before_its_last_component() {
        for (path, parent, name) in [
            ("a", "", "a"),
            ("a/b", "a/", "b"),
            ("/a", "/", "a"),
            ("/a/b///", "/a/", "b///"),
            ("///", "/", "/"),
            ("", "", ""),
            ("a/..", "a/", ".."),
            ("./", "", "./"),
        ] {
            let split = SplitPath::new(path.as_bytes());
            assert_eq!(
                (split.parent, split.name),
                (parent.as_bytes(), name.as_bytes()),
                "{path:?}"
            );
        }
        assert!(SplitPath::new(b"a/./").is_special());
        assert!(SplitPath::new(b"/").is_special());
        assert!(!SplitPath::new(b"a/.b").is_special());
        assert_eq!(SplitPath::new(b"a/b//").bare_name(), b"b");
    }

    #[test]
    fn a_dirfd_is_an_int() {
        assert_eq!(Start::from_argument(0xFFFF_FF9C), Start::WorkingDirectory);
        assert_eq!(
            Start::from_argument(0xFFFF_FFFF_FFFF_FF9C),
            Start::WorkingDirectory
        );
        assert_eq!(Start::from_argument(7), Start::Descriptor(7));
        assert_eq!(Start::from_argument(0xFFFF_FFFF), Start::Descriptor(-1));
    }
}
