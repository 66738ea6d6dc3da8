//! Where a pinned object is: the kernel's name of it, and its other paths by bind mounts.

use super::callers::Caller;
use super::files::{self, Identity};
use super::mounts::Mounts;
use super::session_caches::SessionCaches;
use rustix::fs::{CWD, FileType};
use rustix::io::{Errno, Result};
use std::ffi::{CString, OsStr};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::DirEntryExt as _;

/// The canonical paths of a pinned object.
#[derive(Debug)]
pub(crate) struct Located {
    pub(crate) identity: Identity,
    pub(crate) file_type: FileType,
    pub(crate) location: Vec<u8>,
    pub(crate) aliases: Vec<Vec<u8>>,
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

/// Levels named one by one before a directory counts as unnameable: with names of one byte, twice
/// the kernel's longest path.
const MAX_UNNAMED: usize = 4096;
