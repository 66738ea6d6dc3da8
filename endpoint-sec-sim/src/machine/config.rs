//! What does not change while a machine runs.

use std::time::Duration;

use endpoint_sec_sys::{OsVersion, es_event_type_t, es_mute_path_type_t};

/// What does not change while a machine runs.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) release: OsVersion,
    pub(crate) version: u32,
    pub(crate) entitled: bool,
    pub(crate) root: bool,
    pub(crate) full_disk_access: bool,
    pub(crate) subsystem: bool,
    pub(crate) max_clients: usize,
    pub(crate) max_muted_processes: usize,
    pub(crate) queue: usize,
    pub(crate) deadline: Duration,
    pub(crate) clear_cache_limit: (usize, Duration),
    /// What every new client has muted: kind, path, event types.
    pub(crate) default_mutes: Vec<(es_mute_path_type_t, Vec<u8>, Vec<es_event_type_t>)>,
}
