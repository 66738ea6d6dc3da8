//! Names in pinned directories, and what is done with them.
//!
//! Every name is one component below an open directory, so that nobody can put a link in the way.

mod attributes;
mod copy;

pub(crate) use attributes::{copy_extended, mode, set_attributes, set_owner, timespec};
pub(crate) use copy::{clone_file, copy_bytes, copy_file, is_same_contents, share_blocks};

use crate::journal::Facts;
use rustix::fs::{AtFlags, Mode, OFlags, openat, statat};
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A name in an open directory.
#[derive(Clone, Copy, Debug)]
pub struct Name<'a> {
    /// The directory.
    pub dir: BorrowedFd<'a>,
    /// One component.
    pub name: &'a CStr,
}

/// A [`Name`] that owns its directory.
#[derive(Debug)]
pub struct OwnedName {
    pub(crate) dir: OwnedFd,
    pub(crate) name: CString,
}

/// What a name leads to, without following a symbolic link.
#[derive(Clone, Copy, Debug)]
pub struct ObjectStat {
    /// What is preserved of it.
    pub facts: Facts,
    /// What it is.
    pub kind: Kind,
    /// How many names it has.
    pub links: u64,
    /// What it takes on the disk, in bytes.
    pub disk_bytes: u64,
    /// Last change of the inode, nanoseconds of the wall clock.
    pub changed_ns: u64,
}

/// The kinds of objects that are distinguished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A socket, a pipe or a device, which hold nothing to preserve.
    Other,
}

// === impl Name ===

impl Name<'_> {
    /// What is here now.
    ///
    /// # Errors
    ///
    /// As `fstatat`.
    pub fn stat(self) -> io::Result<ObjectStat> {
        let found = statat(self.dir, self.name, AtFlags::SYMLINK_NOFOLLOW)?;
        #[allow(clippy::useless_conversion, reason = "a mode has 16 bits on macOS")]
        let mode = u32::from(found.st_mode);
        Ok(ObjectStat {
            facts: Facts {
                mode,
                uid: found.st_uid,
                gid: found.st_gid,
                size: number(found.st_size),
                mtime_ns: nanoseconds(found.st_mtime, found.st_mtime_nsec),
                device: number(found.st_dev),
                inode: number(found.st_ino),
            },
            kind: Kind::of_mode(mode),
            links: number(found.st_nlink),
            disk_bytes: number(found.st_blocks).saturating_mul(512),
            changed_ns: nanoseconds(found.st_ctime, found.st_ctime_nsec),
        })
    }

    /// What is here now; `None` when nothing is.
    pub(crate) fn stat_if_any(self) -> io::Result<Option<ObjectStat>> {
        match self.stat() {
            Ok(found) => Ok(Some(found)),
            Err(error) if is_absence(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens a regular file for reading, and leaves its access time alone where that is allowed. On
    /// macOS a file whose contents are elsewhere is not opened: that would fetch them.
    pub(crate) fn open_for_reading(self) -> io::Result<File> {
        #[cfg(target_vendor = "apple")]
        if statat(self.dir, self.name, AtFlags::SYMLINK_NOFOLLOW)?.st_flags & DATALESS != 0 {
            return Err(io::Error::other("its contents are not on this machine"));
        }
        let usual = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        #[cfg(target_os = "linux")]
        if let Ok(opened) = openat(self.dir, self.name, usual | OFlags::NOATIME, Mode::empty()) {
            return Ok(File::from(opened));
        }
        Ok(File::from(openat(
            self.dir,
            self.name,
            usual,
            Mode::empty(),
        )?))
    }

    /// Makes a new file with these permissions, less what the process's mask takes away.
    pub(crate) fn create(self, permissions: Mode) -> io::Result<File> {
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(openat(self.dir, self.name, flags, permissions)?))
    }

    pub(crate) fn read_link(self) -> io::Result<Vec<u8>> {
        Ok(rustix::fs::readlinkat(self.dir, self.name, Vec::new())?.into_bytes())
    }
}

// === impl OwnedName ===

impl OwnedName {
    /// Walks an absolute canonical path, however long, and follows no link on the way. With `make`,
    /// missing directories are made.
    ///
    /// # Errors
    ///
    /// When a directory on the way is not there, or not a directory.
    pub fn of_path(path: &[u8], make: bool) -> io::Result<Self> {
        let mut components = path
            .split(|&byte| byte == b'/')
            .filter(|part| !part.is_empty());
        let last = components
            .next_back()
            .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        let mut dir = openat(rustix::fs::CWD, c"/", DIRECTORY, Mode::empty())?;
        for component in components {
            let name = CString::new(component)?;
            let mut next = openat(&dir, &name, DIRECTORY, Mode::empty());
            if make && matches!(next, Err(rustix::io::Errno::NOENT)) {
                rustix::fs::mkdirat(&dir, &name, Mode::from_raw_mode(0o777))?;
                next = openat(&dir, &name, DIRECTORY, Mode::empty());
            }
            dir = next?;
        }
        Ok(Self {
            dir,
            name: CString::new(last)?,
        })
    }

    /// The name, for as long as its directory is open.
    #[must_use]
    pub fn as_name(&self) -> Name<'_> {
        Name {
            dir: self.dir.as_fd(),
            name: &self.name,
        }
    }
}

// === impl Kind ===

impl Kind {
    /// What an `st_mode` says.
    #[must_use]
    pub const fn of_mode(mode: u32) -> Self {
        match mode & 0o170_000 {
            0o100_000 => Self::File,
            0o040_000 => Self::Directory,
            0o120_000 => Self::Link,
            _ => Self::Other,
        }
    }
}

/// Whether an error says that nothing is there.
pub(crate) fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// A field of `stat`, whatever its type on this system.
fn number<N: TryInto<u64>>(field: N) -> u64 {
    field.try_into().unwrap_or(0)
}

fn nanoseconds<S: TryInto<u64>, N: TryInto<u64>>(seconds: S, nanoseconds: N) -> u64 {
    number(seconds)
        .saturating_mul(1_000_000_000)
        .saturating_add(number(nanoseconds))
}

/// The permissions of a file that is its owner's alone.
pub(crate) const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);

/// `SF_DATALESS` of `<sys/stat.h>`: the file's contents are in a cloud.
#[cfg(target_vendor = "apple")]
const DATALESS: u32 = 0x4000_0000;

#[cfg(target_os = "linux")]
const DIRECTORY: OFlags = OFlags::PATH
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const DIRECTORY: OFlags = OFlags::DIRECTORY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt as _;

    #[test]
    fn a_path_longer_than_the_kernel_takes_is_walked() {
        let dir = tempfile::tempdir().unwrap();
        let mut path = dir
            .path()
            .canonicalize()
            .unwrap()
            .as_os_str()
            .as_bytes()
            .to_vec();
        for _ in 0..30 {
            path.push(b'/');
            path.extend_from_slice(&[b'd'; 200]);
        }
        path.extend_from_slice(b"/\xfffile");
        assert!(path.len() > 4_096);
        assert!(is_absence(&OwnedName::of_path(&path, false).unwrap_err()));
        let made = OwnedName::of_path(&path, true).unwrap();
        made.as_name().create(PRIVATE).unwrap();
        let found = OwnedName::of_path(&path, false).unwrap();
        assert_eq!(found.as_name().stat().unwrap().kind, Kind::File);
    }

    #[test]
    fn no_link_on_the_way_is_followed() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        std::os::unix::fs::symlink("/", base.join("link")).unwrap();
        let path = [base.as_os_str().as_bytes(), b"/link/etc/passwd"].concat();
        assert!(OwnedName::of_path(&path, true).is_err());
    }
}
