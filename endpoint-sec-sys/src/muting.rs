//! What a client has muted, as the library lists it.

use crate::darwin::audit_token_t;
use crate::enums::es_mute_path_type_t;
use crate::event_type::es_event_type_t;
use crate::token::es_string_token_t;

/// One muted path.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_muted_path_t {
    /// Whose path, and how it is compared.
    pub type_: es_mute_path_type_t,
    /// How many event types.
    pub event_count: usize,
    /// The event types for which the path is muted.
    pub events: *const es_event_type_t,
    /// The path.
    pub path: es_string_token_t,
}

/// All muted paths; freed by `es_release_muted_paths`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_muted_paths_t {
    /// How many.
    pub count: usize,
    /// The paths.
    pub paths: *const es_muted_path_t,
}

/// One muted process.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_muted_process_t {
    /// The process.
    pub audit_token: audit_token_t,
    /// How many event types.
    pub event_count: usize,
    /// The event types for which the process is muted.
    pub events: *const es_event_type_t,
}

/// All muted processes; freed by `es_release_muted_processes`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_muted_processes_t {
    /// How many.
    pub count: usize,
    /// The processes.
    pub processes: *const es_muted_process_t,
}
