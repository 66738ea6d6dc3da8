//! File system objects: pinned by a descriptor, and described by `statx`.
//!
//! A pin (`O_PATH`) keeps naming its object whatever happens to the path that led there. Every
//! function is one system call on borrowed arguments, so nothing is allocated, and fails with the
//! kernel's own errno.

use guard_core::file::{FileFacts, FileIdentity, FileKind};
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, PROC_SUPER_MAGIC, ResolveFlags, StatxFlags, StatxTimestamp,
};
use rustix::io::{Errno, Result};
use std::ffi::CStr;
use std::os::fd::{BorrowedFd, OwnedFd};

/// What identifies an object: its device, inode and mount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    /// Device number (`makedev`).
    pub(crate) device: u64,
    /// Inode number.
    pub(crate) inode: u64,
    /// Mount id (`STATX_MNT_ID`, Linux 5.8).
    pub(crate) mount: u64,
}

/// An object as `statx` describes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileStat {
    /// Its identity.
    pub(crate) identity: Identity,
    /// Its type.
    pub(crate) file_type: FileType,
    /// Its permission bits.
    pub(crate) mode: Mode,
    /// Its owner.
    pub(crate) uid: u32,
    /// Its group.
    pub(crate) gid: u32,
    /// Its birth time in nanoseconds, where the file system keeps one.
    pub(crate) born_ns: Option<u64>,
    /// Its inode change time in nanoseconds.
    pub(crate) changed_ns: u64,
    /// Its modification time in nanoseconds.
    pub(crate) modified_ns: u64,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// What it takes on the disk, in units of 512 bytes.
    pub(crate) blocks: u64,
    /// How many names it has.
    pub(crate) links: u32,
}

// === impl FileStat ===

impl FileStat {
    /// What a decision asks of it.
    pub(crate) fn facts(&self) -> FileFacts {
        FileFacts {
            kind: FileKind::from_mode(self.file_type.as_raw_mode()),
            born_ns: self.born_ns,
            identity: FileIdentity {
                device: self.identity.device,
                inode: self.identity.inode,
            },
            changed_ns: self.changed_ns,
            modified_ns: self.modified_ns,
            size: self.size,
        }
    }

    /// Whether it is a directory.
    pub(crate) fn is_directory(&self) -> bool {
        self.file_type == FileType::Directory
    }
}

/// Pins a directory without passing through magic links: those of `/proc/self` mean another process
/// when the guard follows them.
pub(crate) fn pin_directory(base: BorrowedFd<'_>, path: &CStr) -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY;
    open(base, path, flags, ResolveFlags::NO_MAGICLINKS)
}

/// Pins what a single component names, without following it if it is a symbolic link.
pub(crate) fn pin_component(base: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW;
    open(base, name, flags, ResolveFlags::NO_MAGICLINKS)
}

/// Pins what a path leads to, following symbolic links but no magic ones: `ELOOP` for those.
pub(crate) fn pin_without_magic(base: BorrowedFd<'_>, path: &CStr) -> Result<OwnedFd> {
    open(base, path, OFlags::PATH, ResolveFlags::NO_MAGICLINKS)
}

/// Pins what a path leads to, following magic links too: for `/proc/PID/…` itself.
pub(crate) fn pin_following(base: BorrowedFd<'_>, path: &CStr) -> Result<OwnedFd> {
    open(base, path, OFlags::PATH, ResolveFlags::empty())
}

/// Opens an existing file for reading: files of `/proc`.
pub(crate) fn open_for_reading(base: BorrowedFd<'_>, path: &CStr) -> Result<OwnedFd> {
    open(base, path, OFlags::RDONLY, ResolveFlags::empty())
}

/// Opens a directory to list it, without following a symbolic link.
pub(crate) fn open_directory(base: BorrowedFd<'_>, path: &CStr) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    open(base, path, flags, ResolveFlags::empty())
}

fn open(
    base: BorrowedFd<'_>,
    path: &CStr,
    flags: OFlags,
    resolve: ResolveFlags,
) -> Result<OwnedFd> {
    rustix::fs::openat2(base, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve)
}

/// A second descriptor of a pin.
pub(crate) fn duplicate(pin: BorrowedFd<'_>) -> Result<OwnedFd> {
    rustix::io::fcntl_dupfd_cloexec(pin, 0)
}

/// Describes what a path leads to, following symbolic links.
pub(crate) fn stat_path(base: BorrowedFd<'_>, path: &CStr) -> Result<FileStat> {
    stat(base, path, AtFlags::empty())
}

/// Describes what a path names, without following a final symbolic link.
pub(crate) fn stat_name(base: BorrowedFd<'_>, path: &CStr) -> Result<FileStat> {
    stat(base, path, AtFlags::SYMLINK_NOFOLLOW)
}

/// Describes a pinned object.
pub(crate) fn stat_pin(pin: BorrowedFd<'_>) -> Result<FileStat> {
    stat(pin, c"", AtFlags::EMPTY_PATH)
}

fn stat(base: BorrowedFd<'_>, path: &CStr, flags: AtFlags) -> Result<FileStat> {
    let wanted = StatxFlags::TYPE
        | StatxFlags::MODE
        | StatxFlags::UID
        | StatxFlags::GID
        | StatxFlags::INO
        | StatxFlags::CTIME
        | StatxFlags::MTIME
        | StatxFlags::BLOCKS
        | StatxFlags::BTIME
        | StatxFlags::SIZE
        | StatxFlags::NLINK
        | StatxFlags::MNT_ID;
    let found = rustix::fs::statx(base, path, flags | AtFlags::NO_AUTOMOUNT, wanted)?;
    let has_birth = found.stx_mask & StatxFlags::BTIME.bits() != 0;
    let mode = u32::from(found.stx_mode);
    Ok(FileStat {
        identity: Identity {
            device: rustix::fs::makedev(found.stx_dev_major, found.stx_dev_minor),
            inode: found.stx_ino,
            mount: found.stx_mnt_id,
        },
        file_type: FileType::from_raw_mode(mode),
        mode: Mode::from_raw_mode(mode),
        uid: found.stx_uid,
        gid: found.stx_gid,
        born_ns: has_birth.then(|| nanoseconds(found.stx_btime)),
        changed_ns: nanoseconds(found.stx_ctime),
        modified_ns: nanoseconds(found.stx_mtime),
        size: found.stx_size,
        blocks: found.stx_blocks,
        links: found.stx_nlink,
    })
}

fn nanoseconds(time: StatxTimestamp) -> u64 {
    u64::try_from(time.tv_sec)
        .unwrap_or(0)
        .saturating_mul(1_000_000_000)
        .saturating_add(u64::from(time.tv_nsec))
}

/// Whether a pinned object is part of a procfs.
pub(crate) fn is_procfs(pin: BorrowedFd<'_>) -> bool {
    rustix::fs::fstatfs(pin).is_ok_and(|found| found.f_type == PROC_SUPER_MAGIC)
}

/// Reads a symbolic link into `into`, whose capacity is kept; an empty `path` reads the pinned link
/// itself.
///
/// # Errors
///
/// `ENAMETOOLONG` for a target of [`PATH_MAX`] bytes or more, besides the kernel's own.
pub(crate) fn read_link(base: BorrowedFd<'_>, path: &CStr, into: &mut Vec<u8>) -> Result<()> {
    into.clear();
    into.reserve(PATH_MAX);
    let room = rustix::buffer::spare_capacity(into);
    let length = rustix::fs::readlinkat_raw(base, path, room)?;
    if length < PATH_MAX {
        Ok(())
    } else {
        Err(Errno::NAMETOOLONG)
    }
}

/// The kernel's bound on a path, its NUL included (`include/uapi/linux/limits.h`).
pub(crate) const PATH_MAX: usize = 4096;
