//! What the kernel refuses, whatever the guard decides.
//!
//! A call that cannot succeed destroys nothing: its caller gets the kernel's errno, and it is no
//! denial. This is asked only of calls that would be denied, so allowed calls pay nothing, and
//! nothing is tried: every answer comes from reading, in the kernel's order (`fs/namei.c`).
//!
//! It deliberately answers only what is sure. Where the guard cannot see what the kernel would, there
//! is no refusal, and the call is denied.

use super::resolve::Name;
use crate::arguments::without_slashes;
use crate::files::{self, FileStat};
use guard_core::path::is_at_or_below;
use rustix::fs::{Access, AtFlags, Dir, RenameFlags, StatVfsMountFlags};
use rustix::io::Errno;
use std::ffi::CString;
use std::os::fd::AsFd as _;

/// Whose rights count: the guard's are the caller's, or are not known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rights {
    /// The caller may do exactly what the guard may do.
    Equal,
    /// Nothing is known of what the caller may do.
    Unknown,
}

/// Why the kernel would refuse `unlink`, or `rmdir` with [`AtFlags::REMOVEDIR`].
pub(super) fn of_removal(name: &Name, flags: AtFlags, rights: Rights) -> Option<Errno> {
    let removes_directory = flags.contains(AtFlags::REMOVEDIR);
    check(|| {
        writable(name)?;
        let found = Found::at(name)?;
        let is_directory = found.stat.is_directory();
        if found.has_slash && !removes_directory {
            return Err(kind_error(is_directory));
        }
        may_change_names(name, rights)?;
        match (removes_directory, is_directory) {
            (true, false) | (false, true) => Err(kind_error(is_directory)),
            (true, true) if found.is_mount_point => Err(Errno::BUSY),
            (true, true) if has_entries(name) => Err(Errno::NOTEMPTY),
            _ => Ok(()),
        }
    })
}

/// Why the kernel would refuse `rename`.
pub(super) fn of_rename(
    (from, to): (&Name, &Name),
    flags: RenameFlags,
    rights: Rights,
) -> Option<Errno> {
    let exchange = flags.contains(RenameFlags::EXCHANGE);
    check(|| {
        on_one_mount(from, to)?;
        writable(from)?;
        let source = Found::at(from)?;
        let target = match Found::at(to) {
            Err(Errno::NOENT) if !exchange => None,
            found => Some(found?),
        };
        if target.is_some() && flags.contains(RenameFlags::NOREPLACE) {
            return Err(Errno::EXIST);
        }
        let is_directory = source.stat.is_directory();
        if !is_directory && (source.has_slash || (!exchange && ends_in_slash(to))) {
            return Err(Errno::NOTDIR);
        }
        if is_at_or_below(&to.directory.location, &from.path()) {
            return Err(Errno::INVAL);
        }
        let Some(target) = target else {
            may_change_names(from, rights)?;
            may_change_names(to, rights)?;
            return busy(&source);
        };
        if is_at_or_below(&from.directory.location, &to.path()) {
            return Err(if exchange {
                Errno::INVAL
            } else {
                Errno::NOTEMPTY
            });
        }
        may_change_names(from, rights)?;
        may_change_names(to, rights)?;
        if !exchange && is_directory != target.stat.is_directory() {
            return Err(kind_error(target.stat.is_directory()));
        }
        busy(&source)?;
        busy(&target)?;
        if !exchange && is_directory && has_entries(to) {
            return Err(Errno::NOTEMPTY);
        }
        Ok(())
    })
}

/// Why the kernel would refuse `link`.
pub(super) fn of_link(from: &Name, to: &Name, rights: Rights) -> Option<Errno> {
    check(|| {
        let source = Found::at(from)?;
        writable(to)?;
        if Found::at(to).is_ok() {
            return Err(Errno::EXIST);
        }
        on_one_mount(from, to)?;
        may_change_names(to, rights)?;
        if source.stat.is_directory() {
            return Err(Errno::PERM);
        }
        Ok(())
    })
}

/// Why the kernel would refuse to open this file for writing, or to truncate it.
pub(super) fn of_writing(name: &Name, rights: Rights) -> Option<Errno> {
    check(|| {
        let found = Found::at(name)?;
        if found.stat.is_directory() {
            return Err(Errno::ISDIR);
        }
        if rights == Rights::Equal {
            may(name, &found.name, Access::WRITE_OK)?;
        }
        Ok(())
    })
}

/// What is at a name.
struct Found {
    name: CString,
    stat: FileStat,
    has_slash: bool,
    is_mount_point: bool,
}

// === impl Found ===

impl Found {
    fn at(name: &Name) -> Result<Self, Errno> {
        let bare = CString::new(name.bare()).map_err(|_| Errno::NOENT)?;
        let stat = files::stat_name(name.directory.fd.as_fd(), &bare)?;
        Ok(Self {
            stat,
            has_slash: ends_in_slash(name),
            is_mount_point: !name.directory.is_on_mount(stat.identity.mount),
            name: bare,
        })
    }
}

/// Only these errors are sure: any other is the guard's own.
fn check(examine: impl FnOnce() -> Result<(), Errno>) -> Option<Errno> {
    examine().err().filter(|errno| {
        [
            Errno::ACCESS,
            Errno::BUSY,
            Errno::EXIST,
            Errno::INVAL,
            Errno::ISDIR,
            Errno::NOENT,
            Errno::NOTDIR,
            Errno::NOTEMPTY,
            Errno::PERM,
            Errno::ROFS,
            Errno::XDEV,
        ]
        .contains(errno)
    })
}

const fn kind_error(is_directory: bool) -> Errno {
    if is_directory {
        Errno::ISDIR
    } else {
        Errno::NOTDIR
    }
}

fn busy(found: &Found) -> Result<(), Errno> {
    if found.is_mount_point {
        Err(Errno::BUSY)
    } else {
        Ok(())
    }
}

/// Whether names can be changed on this mount at all.
fn writable(name: &Name) -> Result<(), Errno> {
    let found = rustix::fs::fstatvfs(&name.directory.fd)?;
    if found.f_flag.contains(StatVfsMountFlags::RDONLY) {
        Err(Errno::ROFS)
    } else {
        Ok(())
    }
}

fn on_one_mount(from: &Name, to: &Name) -> Result<(), Errno> {
    if from.directory.is_on_mount_of(&to.directory) {
        Ok(())
    } else {
        Err(Errno::XDEV)
    }
}

/// Whether the caller may change names in this name's directory.
fn may_change_names(name: &Name, rights: Rights) -> Result<(), Errno> {
    match rights {
        Rights::Equal => may(name, c".", Access::WRITE_OK | Access::EXEC_OK),
        Rights::Unknown => Ok(()),
    }
}

fn may(name: &Name, object: &std::ffi::CStr, access: Access) -> Result<(), Errno> {
    rustix::fs::accessat(&name.directory.fd, object, access, AtFlags::EACCESS)
}

/// Whether the directory at this name is known to have entries.
fn has_entries(name: &Name) -> bool {
    let Ok(bare) = CString::new(name.bare()) else {
        return false;
    };
    let Ok(directory) = files::open_directory(name.directory.fd.as_fd(), &bare) else {
        return false;
    };
    let Ok(entries) = Dir::new(directory) else {
        return false;
    };
    let is_other = |name: &[u8]| name != b"." && name != b"..";
    entries
        .flatten()
        .any(|entry| is_other(entry.file_name().to_bytes()))
}

fn ends_in_slash(name: &Name) -> bool {
    let text = name.name.as_bytes();
    without_slashes(text).len() < text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_guard_s_own_refuses_nothing() {
        assert_eq!(check(|| Err(Errno::MFILE)), None);
        assert_eq!(check(|| Err(Errno::NOTEMPTY)), Some(Errno::NOTEMPTY));
        assert_eq!(check(|| Ok(())), None);
    }
}
