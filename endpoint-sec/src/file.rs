//! Files, as messages describe them.

use crate::raw::{shown_as_debug, view};
use crate::time::TimeSpec;

view! {
    /// A file, as it was when the message was made.
    pub struct File<'a>(es_file_t) {
        /// Its path, symbolic links resolved, on the volume that it is on (`/private/tmp`, not
        /// `/tmp`). Any bytes but NUL; not always UTF-8.
        path: &'a [u8],
        /// Whether the path was too long for a message (16 KiB) and lost its end.
        path_truncated: bool,
        /// Its metadata.
        stat: Stat<'a>,
    }
}

view! {
    /// A file's metadata (`struct stat`).
    pub struct Stat<'a>(stat) {
        /// The device it is on.
        dev: i32 = st_dev,
        /// Its type and permissions.
        mode: u16 = st_mode,
        /// How many names it has.
        nlink: u16 = st_nlink,
        /// Its number on the volume. On FAT, empty files all have 999999999.
        ino: u64 = st_ino,
        /// Its owner.
        uid: u32 = st_uid,
        /// Its group.
        gid: u32 = st_gid,
        /// The device it is, if it is one.
        rdev: i32 = st_rdev,
        /// When it was last read.
        accessed: TimeSpec = st_atimespec,
        /// When its contents last changed.
        modified: TimeSpec = st_mtimespec,
        /// When its metadata last changed.
        changed: TimeSpec = st_ctimespec,
        /// When it was made.
        born: TimeSpec = st_birthtimespec,
        /// Its length in bytes.
        size: i64 = st_size,
        /// How many blocks of 512 bytes it takes.
        blocks: i64 = st_blocks,
        /// The best block size for reading, in bytes.
        block_size: i32 = st_blksize,
        /// Its flags (`UF_IMMUTABLE`, …).
        flags: u32 = st_flags,
        /// Its generation.
        generation: u32 = st_gen,
    }
}

impl Stat<'_> {
    /// Whether it is a directory.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        self.mode() & S_IFMT == S_IFDIR
    }

    /// Whether it is a regular file.
    #[must_use]
    pub fn is_regular(&self) -> bool {
        self.mode() & S_IFMT == S_IFREG
    }

    /// Whether it is a symbolic link.
    #[must_use]
    pub fn is_symlink(&self) -> bool {
        self.mode() & S_IFMT == S_IFLNK
    }
}

view! {
    /// A mounted file system (`struct statfs`).
    pub struct StatFs<'a>(statfs) {
        /// The size of a block, in bytes.
        block_size: u32 = f_bsize,
        /// The best size for a transfer, in bytes.
        io_size: i32 = f_iosize,
        /// How many blocks it has.
        blocks: u64 = f_blocks,
        /// How many of them are free.
        blocks_free: u64 = f_bfree,
        /// How many of them are free for everyone.
        blocks_available: u64 = f_bavail,
        /// How many files it can have.
        files: u64 = f_files,
        /// How many more it can have.
        files_free: u64 = f_ffree,
        /// Its identifier.
        id: [i32; 2] = f_fsid,
        /// The user that mounted it.
        owner: u32 = f_owner,
        /// The number of its type.
        type_number: u32 = f_type,
        /// Its flags (`MNT_RDONLY`, …).
        flags: u32 = f_flags,
        /// The number of its subtype.
        subtype: u32 = f_fssubtype,
        /// The name of its type, such as `apfs`.
        type_name: &'a [u8] = f_fstypename,
        /// The directory it is mounted on.
        mounted_on: &'a [u8] = f_mntonname,
        /// What is mounted there.
        mounted_from: &'a [u8] = f_mntfromname,
        /// More flags.
        extended_flags: u32 = f_flags_ext,
    }
}

/// Which attributes a call is about (`struct attrlist`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct AttributeList {
    /// Attributes of all objects (`ATTR_CMN_*`).
    pub common: u32,
    /// Attributes of volumes (`ATTR_VOL_*`).
    pub volume: u32,
    /// Attributes of directories (`ATTR_DIR_*`).
    pub directory: u32,
    /// Attributes of files (`ATTR_FILE_*`).
    pub file: u32,
    /// Attributes of forks (`ATTR_FORK_*`), or extended common ones (`ATTR_CMNEXT_*`).
    pub fork: u32,
}

shown_as_debug!(AttributeList, i64, [i32; 2], TimeSpec);

/// The bits of a mode that hold the type of a file, and three types (sys/stat.h).
const S_IFMT: u16 = 0o170_000;
const S_IFDIR: u16 = 0o040_000;
const S_IFREG: u16 = 0o100_000;
const S_IFLNK: u16 = 0o120_000;
