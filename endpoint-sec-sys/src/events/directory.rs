//! Events about looking: directories, links and searches.

use crate::darwin::attrlist;
use crate::process::es_file_t;
use crate::token::es_string_token_t;

/// A file's accessibility is asked, as `access(2)` does.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_access_t {
    /// What is asked for, `R_OK`, `W_OK`, `X_OK`.
    pub mode: i32,
    /// The file concerned; never null.
    pub target: *mut es_file_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A file's status is read.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_stat_t {
    /// The file concerned; never null.
    pub target: *mut es_file_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A path is looked up.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_lookup_t {
    /// The directory where it begins; never null.
    pub source_dir: *mut es_file_t,
    /// The path from there.
    pub relative_target: es_string_token_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A symbolic link is read; raised by path look-ups, too.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_readlink_t {
    /// The link; never null.
    pub source: *mut es_file_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A directory is listed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_readdir_t {
    /// The directory; never null.
    pub target: *mut es_file_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A volume is searched by `searchfs(2)`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_searchfs_t {
    /// Which attributes.
    pub attrlist: attrlist,
    /// The volume; never null.
    pub target: *mut es_file_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A path is asked for by file system and file number. May come more than once for one call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_fsgetpath_t {
    /// The file concerned; never null.
    pub target: *mut es_file_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A process changes its working directory.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_chdir_t {
    /// The directory; never null.
    pub target: *mut es_file_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A process changes its root directory.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_chroot_t {
    /// The directory; never null.
    pub target: *mut es_file_t,
    /// Reserved.
    pub reserved: [u8; 64],
}
