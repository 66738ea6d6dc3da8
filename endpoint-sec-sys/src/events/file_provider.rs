//! Events about files that providers such as iCloud keep elsewhere.

use crate::darwin::audit_token_t;
use crate::process::{es_file_t, es_process_t};
use crate::token::es_string_token_t;

/// A provider brings a file's contents to this machine.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_file_provider_materialize_t {
    /// The instigating process; may be null.
    pub instigator: *mut es_process_t,
    /// The contents; never null.
    pub source: *mut es_file_t,
    /// The file that gets them; never null.
    pub target: *mut es_file_t,
    /// The audit token of the instigating process. Message version 8.
    pub instigator_token: audit_token_t,
    /// Reserved.
    pub reserved: [u8; 32],
}

/// A provider takes up a file's new contents.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_file_provider_update_t {
    /// The new contents; never null.
    pub source: *mut es_file_t,
    /// Where they go.
    pub target_path: es_string_token_t,
    /// Reserved.
    pub reserved: [u8; 64],
}
