//! Directories that are one user's alone, and that agents of the same user cannot list.
//!
//! An agent's processes run as the person does, so that modes alone do not stop them. While a
//! session runs, the store can be entered but not listed ([`CLOSED`]), and the directories in it
//! have names that cannot be guessed; the guard denies agents the change of a mode. Together these
//! keep agents from reading what is in it. The guard lists through a descriptor from before its
//! session; others open the directory for a moment.

use rustix::fs::{Mode, OFlags};
use std::fs::{self, DirBuilder, Permissions};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

/// The mode of a directory that its owner can list.
pub(crate) const OPEN: u32 = 0o700;

/// The mode of a directory that everybody can pass.
const PASSABLE: u32 = 0o755;

/// The mode of a directory that its owner can enter, but not list.
pub(crate) const CLOSED: u32 = 0o300;

/// Makes a directory that is this user's alone, and makes sure that it is.
pub(crate) fn make(dir: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(OPEN).create(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made?,
    }
    check(dir)
}

/// Makes a directory that everybody may pass and only this user may write, and makes sure that it
/// is.
pub(crate) fn make_passable(dir: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(PASSABLE).create(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
        // Whatever the umask is.
        Ok(()) => set_mode(dir, PASSABLE)?,
    }
    check_denied(dir, 0o022, "only this user can write")
}

/// Makes sure that a directory is this user's alone.
pub(crate) fn check(dir: &Path) -> io::Result<()> {
    check_denied(dir, 0o077, "only this user can enter")
}

fn check_denied(dir: &Path, denied: u32, what: &str) -> io::Result<()> {
    let found = fs::symlink_metadata(dir)?;
    let own = found.is_dir() && found.uid() == rustix::process::geteuid().as_raw();
    if own && found.mode() & denied == 0 {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        format!("it must be a directory that {what}"),
    ))
}

/// Opens a directory for listing, also a closed one. The descriptor lists it later, too.
pub(crate) fn open_for_listing(dir: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = || rustix::fs::open(dir, flags, Mode::empty());
    let mut opened = open();
    for _ in 0..ATTEMPTS {
        if !matches!(opened, Err(rustix::io::Errno::ACCESS)) {
            break;
        }
        // Another process may close it in between.
        check(dir)?;
        set_mode(dir, OPEN)?;
        opened = open();
        set_mode(dir, CLOSED)?;
    }
    Ok(opened?)
}

/// Lets nobody list a directory, or its owner again.
pub(crate) fn set_mode(dir: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(dir, Permissions::from_mode(mode))
}

/// A name that begins with `name` and cannot be guessed.
pub(crate) fn unguessable(name: &str) -> String {
    // Its keys are random, and it reveals nothing of them.
    let secret = RandomState::new().build_hasher().finish();
    format!("{name}{SEPARATOR}{secret:016x}")
}

/// What an unguessable name begins with.
pub(crate) fn known_part(name: &str) -> &str {
    let is_secret =
        |part: &str| part.len() == 16 && part.bytes().all(|digit| digit.is_ascii_hexdigit());
    match name.rsplit_once(SEPARATOR) {
        Some((known, secret)) if is_secret(secret) => known,
        _ => name,
    }
}

const SEPARATOR: char = '-';

/// How often a closed directory is opened.
const ATTEMPTS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_again_and_never_the_same() {
        let name = unguessable("5e55-1");
        assert_eq!(known_part(&name), "5e55-1");
        assert_ne!(name, unguessable("5e55-1"));
        assert_eq!(known_part("5e55-1"), "5e55-1");
    }

    #[test]
    fn a_closed_directory_is_listed_and_stays_closed() {
        let base = tempfile::tempdir().unwrap();
        let dir = base.path().join("store");
        make(&dir).unwrap();
        set_mode(&dir, CLOSED).unwrap();
        open_for_listing(&dir).unwrap();
        let mode = fs::metadata(&dir).unwrap().mode() & 0o777;
        assert_eq!(mode, CLOSED);
        set_mode(&dir, 0o755).unwrap();
        assert!(check(&dir).is_err());
    }
}
