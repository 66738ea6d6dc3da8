//! Events about mapped memory.

use crate::darwin::{user_addr_t, user_size_t};
use crate::process::es_file_t;

/// A file is mapped into memory.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_mmap_t {
    /// The protection, `PROT_*`.
    pub protection: i32,
    /// The most that may be set later, `PROT_*`.
    pub max_protection: i32,
    /// The flags, `MAP_*`.
    pub flags: i32,
    /// Where in the file, in bytes.
    pub file_pos: u64,
    /// The file; never null.
    pub source: *mut es_file_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A mapping's protection is changed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_mprotect_t {
    /// The new protection, `PROT_*`.
    pub protection: i32,
    /// Where.
    pub address: user_addr_t,
    /// How much, in bytes.
    pub size: user_size_t,
    /// Reserved.
    pub reserved: [u8; 64],
}
