//! Events about mounted file systems.

use crate::darwin::statfs;
use crate::enums::es_mount_disposition_t;

/// A file system is mounted.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_mount_t {
    /// The file system; never null.
    pub statfs: *mut statfs,
    /// Where the file system comes from. Message version 8.
    pub disposition: es_mount_disposition_t,
    /// Reserved.
    pub reserved: [u8; 60],
}

/// A file system is unmounted.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_unmount_t {
    /// The file system; never null.
    pub statfs: *mut statfs,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A mounted file system's options are changed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_remount_t {
    /// The file system; never null.
    pub statfs: *mut statfs,
    /// The new flags, `MNT_*`. Message version 8.
    pub remount_flags: u64,
    /// Where the file system comes from. Message version 8.
    pub disposition: es_mount_disposition_t,
    /// Reserved.
    pub reserved: [u8; 52],
}
