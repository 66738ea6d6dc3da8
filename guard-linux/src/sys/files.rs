//! Directories pinned by descriptor, and the calls made on them.

use super::{PATH_MAX, check};
use guard_core::file::{FileFacts, FileIdentity, FileKind};
use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// What identifies a file system object: its device, inode and mount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Identity {
    /// Device number (`makedev`).
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// Mount id (`STATX_MNT_ID`, Linux 5.8).
    pub mount: u64,
}

/// A look at a file: its identity and what else the guard asks of it.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Its identity.
    pub identity: Identity,
    /// `S_IFMT` part of the mode.
    pub file_type: u32,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Birth time in nanoseconds, where the file system keeps one.
    pub born_ns: Option<u64>,
    /// Inode change time in nanoseconds.
    pub changed_ns: u64,
}

impl Look {
    /// What the decision asks of it.
    pub fn facts(&self) -> FileFacts {
        FileFacts {
            kind: FileKind::from_mode(self.file_type),
            born_ns: self.born_ns,
            identity: FileIdentity {
                device: self.identity.device,
                inode: self.identity.inode,
            },
        }
    }
}

/// Where a relative path starts.
#[derive(Clone, Copy, Debug)]
pub enum Base<'a> {
    /// The guard's own working directory; for absolute paths.
    Here,
    /// A pinned directory.
    Dir(BorrowedFd<'a>),
}

impl Base<'_> {
    fn raw(self) -> RawFd {
        match self {
            Self::Here => libc::AT_FDCWD,
            Base::Dir(fd) => fd.as_raw_fd(),
        }
    }
}

/// Opens a directory as a pin (`O_PATH`), refusing to pass through magic links: those of
/// `/proc/self` mean another process when the guard follows them.
pub fn pin_directory(base: Base<'_>, path: &CStr) -> io::Result<OwnedFd> {
    open_how(
        base,
        path,
        libc::O_PATH | libc::O_DIRECTORY,
        libc::RESOLVE_NO_MAGICLINKS,
    )
}

/// Opens anything as a pin without following a final symbolic link.
pub fn pin_component(base: Base<'_>, name: &CStr) -> io::Result<OwnedFd> {
    open_how(
        base,
        name,
        libc::O_PATH | libc::O_NOFOLLOW,
        libc::RESOLVE_NO_MAGICLINKS,
    )
}

/// Opens anything as a pin, following symbolic links but no magic ones: `ELOOP` for those.
pub fn pin_without_magic(base: Base<'_>, path: &CStr) -> io::Result<OwnedFd> {
    open_how(base, path, libc::O_PATH, libc::RESOLVE_NO_MAGICLINKS)
}

/// Opens anything as a pin, following everything, magic links too: for `/proc/PID/…` itself.
pub fn pin_following(base: Base<'_>, path: &CStr) -> io::Result<OwnedFd> {
    open_how(base, path, libc::O_PATH, 0)
}

fn open_how(base: Base<'_>, path: &CStr, flags: i32, resolve: u64) -> io::Result<OwnedFd> {
    // SAFETY: an all-zero `open_how` is the documented way to ask for defaults.
    let mut how: libc::open_how = unsafe { std::mem::zeroed() };
    how.flags = u64::from((flags | libc::O_CLOEXEC).cast_unsigned());
    how.resolve = resolve;
    // SAFETY: `path` is NUL-terminated and `how` lives across the call, its size given with it.
    let fd = check(unsafe {
        libc::syscall(
            libc::SYS_openat2,
            base.raw(),
            path.as_ptr(),
            &raw const how,
            size_of::<libc::open_how>(),
        )
    })?;
    let fd = i32::try_from(fd).map_err(|_| io::ErrorKind::InvalidData)?;
    // SAFETY: the kernel just gave us this descriptor, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Looks at what `path` leads to, following symbolic links.
pub fn look(base: Base<'_>, path: &CStr) -> io::Result<Look> {
    statx(base, path, 0)
}

/// Looks at the name itself, not at what a final symbolic link leads to.
pub fn look_at_name(base: Base<'_>, path: &CStr) -> io::Result<Look> {
    statx(base, path, libc::AT_SYMLINK_NOFOLLOW)
}

/// Looks at a pinned object.
pub fn look_at(fd: BorrowedFd<'_>) -> io::Result<Look> {
    statx(Base::Dir(fd), c"", libc::AT_EMPTY_PATH)
}

fn statx(base: Base<'_>, path: &CStr, flags: i32) -> io::Result<Look> {
    let mut buffer = MaybeUninit::<libc::statx>::zeroed();
    let mask = libc::STATX_TYPE
        | libc::STATX_MODE
        | libc::STATX_UID
        | libc::STATX_NLINK
        | libc::STATX_INO
        | libc::STATX_CTIME
        | libc::STATX_BTIME
        | libc::STATX_MNT_ID;
    // SAFETY: `path` is NUL-terminated; `buffer` is writable and of the size the kernel fills.
    let result = unsafe {
        libc::statx(
            base.raw(),
            path.as_ptr(),
            flags | libc::AT_NO_AUTOMOUNT,
            mask,
            buffer.as_mut_ptr(),
        )
    };
    check(libc::c_long::from(result))?;
    // SAFETY: zeroed before the call and filled by it; every bit pattern is a valid `statx`.
    let found = unsafe { buffer.assume_init() };
    Ok(Look {
        identity: Identity {
            device: libc::makedev(found.stx_dev_major, found.stx_dev_minor),
            inode: found.stx_ino,
            mount: found.stx_mnt_id,
        },
        file_type: u32::from(found.stx_mode) & libc::S_IFMT,
        mode: u32::from(found.stx_mode) & !libc::S_IFMT,
        uid: found.stx_uid,
        born_ns: (found.stx_mask & libc::STATX_BTIME != 0).then(|| nanoseconds(&found.stx_btime)),
        changed_ns: nanoseconds(&found.stx_ctime),
    })
}

/// Whether a pinned object is part of a procfs.
pub fn is_procfs(fd: BorrowedFd<'_>) -> bool {
    let mut buffer = MaybeUninit::<libc::statfs>::zeroed();
    // SAFETY: `buffer` is writable and of the size the kernel fills.
    let result = unsafe { libc::fstatfs(fd.as_raw_fd(), buffer.as_mut_ptr()) };
    // SAFETY: zeroed before the call; every bit pattern is a valid `statfs`.
    result == 0 && unsafe { buffer.assume_init() }.f_type == libc::PROC_SUPER_MAGIC
}

fn nanoseconds(time: &libc::statx_timestamp) -> u64 {
    u64::try_from(time.tv_sec)
        .unwrap_or(0)
        .saturating_mul(1_000_000_000)
        .saturating_add(u64::from(time.tv_nsec))
}

/// Reads a symbolic link into `into`, relative to `base`; an empty `path` reads the pinned link
/// itself. The target may be as long as `PATH_MAX`.
pub fn read_link(base: Base<'_>, path: &CStr, into: &mut Vec<u8>) -> io::Result<()> {
    let room = PATH_MAX;
    into.clear();
    into.reserve(room);
    // SAFETY: `into` has `room` bytes of capacity, and `path` is NUL-terminated.
    let result =
        unsafe { libc::readlinkat(base.raw(), path.as_ptr(), into.as_mut_ptr().cast(), room) };
    let length = usize::try_from(check(i64_of(result))?).unwrap_or(0);
    if length == room {
        return Err(io::Error::from_raw_os_error(libc::ENAMETOOLONG));
    }
    // SAFETY: the kernel wrote `length` bytes, and `length < room <= capacity`.
    unsafe { into.set_len(length) };
    Ok(())
}

/// `linkat` between pinned directories. `flags` may be `AT_SYMLINK_FOLLOW` or `AT_EMPTY_PATH`.
pub fn link(
    from: (BorrowedFd<'_>, &CStr),
    to: (BorrowedFd<'_>, &CStr),
    flags: i32,
) -> io::Result<()> {
    // SAFETY: both names are NUL-terminated and both directories are open.
    let result = unsafe {
        libc::linkat(
            from.0.as_raw_fd(),
            from.1.as_ptr(),
            to.0.as_raw_fd(),
            to.1.as_ptr(),
            flags,
        )
    };
    check(libc::c_long::from(result)).map(drop)
}

/// `unlinkat` on a pinned directory. `flags` may be `AT_REMOVEDIR`.
pub fn unlink(dir: BorrowedFd<'_>, name: &CStr, flags: i32) -> io::Result<()> {
    // SAFETY: `name` is NUL-terminated and `dir` is open.
    let result = unsafe { libc::unlinkat(dir.as_raw_fd(), name.as_ptr(), flags) };
    check(libc::c_long::from(result)).map(drop)
}

/// `renameat2` between pinned directories.
pub fn rename(
    from: (BorrowedFd<'_>, &CStr),
    to: (BorrowedFd<'_>, &CStr),
    flags: u32,
) -> io::Result<()> {
    // SAFETY: both names are NUL-terminated and both directories are open.
    let result = unsafe {
        libc::syscall(
            libc::SYS_renameat2,
            from.0.as_raw_fd(),
            from.1.as_ptr(),
            to.0.as_raw_fd(),
            to.1.as_ptr(),
            flags,
        )
    };
    check(result).map(drop)
}

/// Opens an existing file for reading, for `/proc` files kept open.
pub fn open_for_reading(base: Base<'_>, path: &CStr) -> io::Result<OwnedFd> {
    open_how(base, path, libc::O_RDONLY, 0)
}

/// Waits until one of the descriptors has one of its events, or the time is over.
pub fn poll(fds: &mut [(BorrowedFd<'_>, i16, i16)], timeout_ms: i32) -> io::Result<usize> {
    let mut entries: Vec<libc::pollfd> = fds
        .iter()
        .map(|(fd, events, _)| libc::pollfd {
            fd: fd.as_fd().as_raw_fd(),
            events: *events,
            revents: 0,
        })
        .collect();
    let count = libc::nfds_t::try_from(entries.len()).unwrap_or(0);
    // SAFETY: `entries` has exactly `count` elements and lives across the call.
    let result = unsafe { libc::poll(entries.as_mut_ptr(), count, timeout_ms) };
    let ready = check(libc::c_long::from(result))?;
    for (entry, (_, _, returned)) in entries.iter().zip(fds) {
        *returned = entry.revents;
    }
    Ok(usize::try_from(ready).unwrap_or(0))
}

fn i64_of(value: libc::ssize_t) -> libc::c_long {
    libc::c_long::try_from(value).unwrap_or(-1)
}
