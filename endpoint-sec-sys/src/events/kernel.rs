//! Events about the kernel: extensions, drivers, the clock.

use crate::token::es_string_token_t;

/// A kernel extension is loaded.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_kextload_t {
    /// The extension's identifier.
    pub identifier: es_string_token_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A kernel extension is unloaded.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_kextunload_t {
    /// The extension's identifier.
    pub identifier: es_string_token_t,
    /// Reserved.
    pub reserved: [u8; 64],
}

/// A driver's user client is opened.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_iokit_open_t {
    /// The number of the user client.
    pub user_client_type: u32,
    /// Its class.
    pub user_client_class: es_string_token_t,
    /// The driver's number in the I/O registry. Message version 10.
    pub parent_registry_id: u64,
    /// The driver's path in the I/O registry. Message version 10.
    pub parent_path: es_string_token_t,
    /// Reserved.
    pub reserved: [u8; 40],
}

/// The system's time is set; not raised for privately entitled processes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_event_settime_t {
    /// Reserved.
    pub reserved: [u8; 64],
}
