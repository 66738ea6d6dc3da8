//! Events about what files carry: modes, owners, flags, times, attributes.

use crate::darwin::{acl_t, attrlist, gid_t, mode_t, timespec, uid_t};
use crate::enums::es_set_or_clear_t;
use crate::opaque_debug;
use crate::process::es_file_t;
use crate::token::es_string_token_t;

/// A file's mode is set.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_setmode_t {
    /// The new mode.
    pub mode: mode_t,
    /// The file concerned; never null.
    pub target: *mut es_file_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A file's flags are set, as `chflags(2)` does.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_setflags_t {
    /// The new flags.
    pub flags: u32,
    /// The file concerned; never null.
    pub target: *mut es_file_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A file's owner and group are set.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_setowner_t {
    /// The new owner.
    pub uid: uid_t,
    /// The new group.
    pub gid: gid_t,
    /// The file concerned; never null.
    pub target: *mut es_file_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A file's times are set.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_utimes_t {
    /// The file concerned; never null.
    pub target: *mut es_file_t,
    /// The new access time.
    pub atime: timespec,
    /// The new modification time.
    pub mtime: timespec,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A file's access control list is set or removed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct es_event_setacl_t {
    /// The file concerned; never null.
    pub target: *mut es_file_t,
    /// Whether [`acl`](Self::acl) holds.
    pub set_or_clear: es_set_or_clear_t,
    /// The new list.
    pub acl: es_event_setacl_t_acl,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// The new access control list.
#[repr(C)]
#[derive(Clone, Copy)]
pub union es_event_setacl_t_acl {
    /// The new list, for `ES_SET`; only `acl_copy_ext` may be used on it; never null.
    pub set: acl_t,
}

/// Attributes are read by `getattrlist(2)`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_getattrlist_t {
    /// Which attributes.
    pub attrlist: attrlist,
    /// The file concerned; never null.
    pub target: *mut es_file_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// Attributes are set by `setattrlist(2)`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_setattrlist_t {
    /// Which attributes.
    pub attrlist: attrlist,
    /// The file concerned; never null.
    pub target: *mut es_file_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// An extended attribute is read.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_getextattr_t {
    /// The file concerned; never null.
    pub target: *mut es_file_t,
    /// The attribute's name.
    pub extattr: es_string_token_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// An extended attribute is set.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_setextattr_t {
    /// The file concerned; never null.
    pub target: *mut es_file_t,
    /// The attribute's name.
    pub extattr: es_string_token_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// The names of a file's extended attributes are read.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_listextattr_t {
    /// The file concerned; never null.
    pub target: *mut es_file_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// An extended attribute is removed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_deleteextattr_t {
    /// The file concerned; never null.
    pub target: *mut es_file_t,
    /// The attribute's name.
    pub extattr: es_string_token_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

opaque_debug!(es_event_setacl_t, es_event_setacl_t_acl);
