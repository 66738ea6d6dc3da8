//! Darwin's scalar types and structs, as far as messages hold them.
//!
//! Defined here, not taken from the host: on Linux `mode_t`, `dev_t` and `struct stat` are others.
//! Widths are those of `sys/_types.h`, `sys/stat.h`, `sys/mount.h`, `sys/attr.h`, `bsm/audit.h` and
//! `mach/machine.h` of macOS 27.0, the same for arm64 and x86_64.

use core::ffi::{c_char, c_void};

/// A process id.
pub type pid_t = i32;
/// A user id.
pub type uid_t = u32;
/// A group id.
pub type gid_t = u32;
/// A device number.
pub type dev_t = i32;
/// A file's mode.
pub type mode_t = u16;
/// A count of hard links.
pub type nlink_t = u16;
/// An inode number.
pub type ino64_t = u64;
/// A position in a file.
pub type off_t = i64;
/// Seconds since 1970.
pub type time_t = i64;
/// Microseconds.
pub type suseconds_t = i32;
/// A count of 512-byte blocks.
pub type blkcnt_t = i64;
/// A size of blocks.
pub type blksize_t = i32;
/// A processor.
pub type cpu_type_t = i32;
/// A variant of a processor.
pub type cpu_subtype_t = i32;
/// An address in a process.
pub type user_addr_t = u64;
/// A size in a process.
pub type user_size_t = u64;
/// A bit map of attributes.
pub type attrgroup_t = u32;
/// A UUID.
pub type uuid_t = [u8; 16];
/// An access control list; opaque.
pub type acl_t = *mut c_void;
/// An XPC object; opaque, counted.
pub type xpc_object_t = *mut c_void;
/// What a Mach call returns: 0 for success.
pub type kern_return_t = i32;

/// Who a process is, and which execution of it. Apple calls the contents opaque; `libbsm` reads
/// them.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct audit_token_t {
    /// Audit user, effective user, effective group, real user, real group, process, audit session,
    /// process version.
    pub val: [u32; 8],
}

/// A point in time, in nanoseconds.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct timespec {
    /// Seconds.
    pub tv_sec: time_t,
    /// Nanoseconds of the second.
    pub tv_nsec: i64,
}

/// A point in time, in microseconds.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct timeval {
    /// Seconds.
    pub tv_sec: time_t,
    /// Microseconds of the second.
    pub tv_usec: suseconds_t,
}

/// A file's status, with 64-bit file numbers.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct stat {
    /// The device that holds the file.
    pub st_dev: dev_t,
    /// The file's mode and type.
    pub st_mode: mode_t,
    /// How many names the file has.
    pub st_nlink: nlink_t,
    /// The file's number.
    pub st_ino: ino64_t,
    /// The owner.
    pub st_uid: uid_t,
    /// The group.
    pub st_gid: gid_t,
    /// The device that the file is.
    pub st_rdev: dev_t,
    /// When it was read.
    pub st_atimespec: timespec,
    /// When its contents were changed.
    pub st_mtimespec: timespec,
    /// When its status was changed.
    pub st_ctimespec: timespec,
    /// When it was made.
    pub st_birthtimespec: timespec,
    /// Its size, in bytes.
    pub st_size: off_t,
    /// Its size on the device, in blocks of 512 bytes.
    pub st_blocks: blkcnt_t,
    /// The best size to read and write, in bytes.
    pub st_blksize: blksize_t,
    /// Its flags, `UF_*` and `SF_*`.
    pub st_flags: u32,
    /// Its generation.
    pub st_gen: u32,
    /// Reserved.
    pub st_lspare: i32,
    /// Reserved.
    pub st_qspare: [i64; 2],
}

/// Names a mounted file system.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct fsid_t {
    /// Opaque.
    pub val: [i32; 2],
}

/// A mounted file system.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct statfs {
    /// The size of a block, in bytes.
    pub f_bsize: u32,
    /// The best size to read and write, in bytes.
    pub f_iosize: i32,
    /// How many blocks there are.
    pub f_blocks: u64,
    /// How many blocks are free.
    pub f_bfree: u64,
    /// How many blocks are free for ordinary users.
    pub f_bavail: u64,
    /// How many files there can be.
    pub f_files: u64,
    /// How many more files there can be.
    pub f_ffree: u64,
    /// Names the file system.
    pub f_fsid: fsid_t,
    /// Who mounted it.
    pub f_owner: uid_t,
    /// The type, as a number.
    pub f_type: u32,
    /// The flags, `MNT_*`.
    pub f_flags: u32,
    /// The variant of the type.
    pub f_fssubtype: u32,
    /// The type's name, a C string.
    pub f_fstypename: [c_char; 16],
    /// Where it is mounted, a C string.
    pub f_mntonname: [c_char; 1024],
    /// What is mounted, a C string.
    pub f_mntfromname: [c_char; 1024],
    /// More flags.
    pub f_flags_ext: u32,
    /// Reserved.
    pub f_reserved: [u32; 7],
}

/// Which attributes a call of `getattrlist(2)` and its kin is about.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct attrlist {
    /// How many bit maps follow: 5.
    pub bitmapcount: u16,
    /// Reserved.
    pub reserved: u16,
    /// Attributes of everything.
    pub commonattr: attrgroup_t,
    /// Attributes of volumes.
    pub volattr: attrgroup_t,
    /// Attributes of directories.
    pub dirattr: attrgroup_t,
    /// Attributes of files.
    pub fileattr: attrgroup_t,
    /// Attributes of forks.
    pub forkattr: attrgroup_t,
}

/// The five bit maps of an [`attrlist`], as `getattrlist(2)` returns them.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct attribute_set_t {
    /// Attributes of everything.
    pub commonattr: attrgroup_t,
    /// Attributes of volumes.
    pub volattr: attrgroup_t,
    /// Attributes of directories.
    pub dirattr: attrgroup_t,
    /// Attributes of files.
    pub fileattr: attrgroup_t,
    /// Attributes of forks.
    pub forkattr: attrgroup_t,
}

/// How ticks of `mach_absolute_time` become nanoseconds: multiplied by `numer`, divided by `denom`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct mach_timebase_info_data_t {
    /// The numerator: 125 on Apple silicon, 1 on Intel.
    pub numer: u32,
    /// The denominator: 3 on Apple silicon, 1 on Intel.
    pub denom: u32,
}
