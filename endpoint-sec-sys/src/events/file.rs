//! Events about files and names: opened, made, moved, removed.

use crate::darwin::{acl_t, mode_t};
use crate::enums::es_destination_type_t;
use crate::opaque_debug;
use crate::process::es_file_t;
use crate::token::es_string_token_t;

/// A process opens a file. Answered with flags.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_open_t {
    /// The kernel's flags: `FREAD` and `FWRITE`, not `O_RDWR`; others equal `O_*`.
    pub fflag: i32,
    /// The file; never null.
    pub file: *mut es_file_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A file is closed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct es_event_close_t {
    /// Whether it was changed by system calls; writes to mapped memory do not count.
    pub modified: bool,
    /// The file; never null.
    pub target: *mut es_file_t,
    /// The bytes either way
    pub anonymous: es_event_close_t_anonymous,
}

/// Bytes that became fields.
#[repr(C)]
#[derive(Clone, Copy)]
pub union es_event_close_t_anonymous {
    /// Reserved.
    pub reserved: [u8; 64],
    /// As newer systems fill it
    pub fields: es_event_close_t_anonymous_fields,
}

/// The field that message version 6 added.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_close_t_anonymous_fields {
    /// Whether it was ever mapped writable, by anyone, while the kernel knew it. Message version 6.
    pub was_mapped_writable: bool,
}

/// A file is created. May come more than once for one call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct es_event_create_t {
    /// Which member of [`destination`](Self::destination) holds.
    pub destination_type: es_destination_type_t,
    /// What is created.
    pub destination: es_event_create_t_destination,
    /// Reserved.
    pub reserved2: [u8; 16],
    /// The bytes either way
    pub anonymous: es_event_create_t_anonymous,
}

/// What is created.
#[repr(C)]
#[derive(Clone, Copy)]
pub union es_event_create_t_destination {
    /// The file that was created; never null.
    pub existing_file: *mut es_file_t,
    /// The name that is free so far.
    pub new_path: es_event_create_t_destination_new_path,
}

/// A name that is free so far.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_create_t_destination_new_path {
    /// The directory; never null.
    pub dir: *mut es_file_t,
    /// The name in it.
    pub filename: es_string_token_t,
    /// The mode it will have.
    pub mode: mode_t,
}

/// Bytes that became fields.
#[repr(C)]
#[derive(Clone, Copy)]
pub union es_event_create_t_anonymous {
    /// Reserved.
    pub reserved: [u8; 48],
    /// As newer systems fill it
    pub fields: es_event_create_t_anonymous_fields,
}

/// The field that message version 2 added.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_create_t_anonymous_fields {
    /// The access control list; only `acl_copy_ext` may be used on it; may be null. Message version
    /// 2.
    pub acl: acl_t,
}

/// A name of a file is removed. May come more than once for one call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_unlink_t {
    /// The file whose name goes; never null.
    pub target: *mut es_file_t,
    /// The directory that holds the name; never null.
    pub parent_dir: *mut es_file_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A hard link is made.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_link_t {
    /// The file; never null.
    pub source: *mut es_file_t,
    /// The directory of the new name; never null.
    pub target_dir: *mut es_file_t,
    /// The new name in that directory.
    pub target_filename: es_string_token_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A file is moved. May come more than once for one call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct es_event_rename_t {
    /// The file that is moved; never null.
    pub source: *mut es_file_t,
    /// Which member of [`destination`](Self::destination) holds.
    pub destination_type: es_destination_type_t,
    /// Where to.
    pub destination: es_event_rename_t_destination,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// Where a file is moved to.
#[repr(C)]
#[derive(Clone, Copy)]
pub union es_event_rename_t_destination {
    /// The file that will be replaced; never null.
    pub existing_file: *mut es_file_t,
    /// A name that is free.
    pub new_path: es_event_rename_t_destination_new_path,
}

/// A name that is free.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_rename_t_destination_new_path {
    /// The directory; never null.
    pub dir: *mut es_file_t,
    /// The name in it.
    pub filename: es_string_token_t,
}

/// A file is cloned.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_clone_t {
    /// The file; never null.
    pub source: *mut es_file_t,
    /// The directory of the new name; never null.
    pub target_dir: *mut es_file_t,
    /// The new name in that directory.
    pub target_name: es_string_token_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A file is copied by the kernel's `copyfile`; not what `copyfile(3)` does.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_copyfile_t {
    /// The file; never null.
    pub source: *mut es_file_t,
    /// The file that will be replaced; may be null.
    pub target_file: *mut es_file_t,
    /// The directory of the new name; never null.
    pub target_dir: *mut es_file_t,
    /// The new name in that directory.
    pub target_name: es_string_token_t,
    /// The mode argument of the call.
    pub mode: mode_t,
    /// The flags argument of the call.
    pub flags: i32,
    /// Reserved.
    pub reserved: [u8; 56],
}

/// Two files exchange their contents.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_exchangedata_t {
    /// One file; never null.
    pub file1: *mut es_file_t,
    /// The other file; never null.
    pub file2: *mut es_file_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A file is written to.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_write_t {
    /// The file concerned; never null.
    pub target: *mut es_file_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A file is truncated by `truncate(2)` or `ftruncate(2)`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_truncate_t {
    /// The file concerned; never null.
    pub target: *mut es_file_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A descriptor is duplicated.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_dup_t {
    /// The file concerned; never null.
    pub target: *mut es_file_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A descriptor is controlled by `fcntl(2)`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_fcntl_t {
    /// The file concerned; never null.
    pub target: *mut es_file_t,
    /// The command, `F_*`.
    pub cmd: i32,
    /// Reserved.
    pub reserved: [u8; 64],
}

opaque_debug!(
    es_event_close_t,
    es_event_close_t_anonymous,
    es_event_create_t,
    es_event_create_t_destination,
    es_event_create_t_anonymous,
    es_event_rename_t,
    es_event_rename_t_destination
);
