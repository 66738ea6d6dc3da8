//! Calls that return lists, which are copied and given back to the library.

use super::{Called, Connection, available};
use crate::audit_token::AuditToken;
use crate::event_type::EventType;
use crate::mute::{MutedPath, MutedPathKind, MutedProcess};
use endpoint_sec_sys::{self as sys, es_event_type_t};
use std::ptr;

impl Connection {
    /// The event types that the client is subscribed to.
    pub(crate) fn subscriptions(&self) -> Called<Vec<EventType>> {
        let mut count = 0;
        let mut list: *mut es_event_type_t = ptr::null_mut();
        self.call("es_subscriptions", |client| {
            // SAFETY: the client is there, and so are the locals it writes to.
            unsafe { sys::es_subscriptions(client, &raw mut count, &raw mut list) }
        })?;
        // SAFETY: on success `count` event types are at `list`, or it is null.
        let events = unsafe { copied(list, count, EventType::from_c) };
        // SAFETY: the list is the caller's to free, by `free`; null is allowed.
        unsafe { sys::free(list.cast()) };
        Ok(events)
    }

    /// The muted processes and the event types that they are muted for.
    pub(crate) fn muted_processes(&self) -> Called<Vec<MutedProcess>> {
        const CALL: &str = "es_muted_processes_events";
        let Some(function) = sys::newer::es_muted_processes_events() else {
            return self.muted_processes_by_token();
        };
        let release = available(CALL, sys::newer::es_release_muted_processes())?;
        let mut list: *mut sys::es_muted_processes_t = ptr::null_mut();
        // SAFETY: the client is there, and so is the local it writes to.
        self.call(CALL, |client| unsafe { function(client, &raw mut list) })?;
        if list.is_null() {
            return Ok(Vec::new());
        }
        // SAFETY: on success the list exists until it is released.
        let whole = unsafe { list.read() };
        let process = |process: sys::es_muted_process_t| MutedProcess {
            process: AuditToken::from_c(process.audit_token),
            // SAFETY: `event_count` event types are at `events` until the list is released.
            events: unsafe { copied(process.events, process.event_count, EventType::from_c) },
        };
        // SAFETY: `count` processes are at `processes` until the list is released.
        let processes = unsafe { copied(whole.processes, whole.count, process) };
        // SAFETY: the list came from the function that this one belongs to; it is released once.
        unsafe { release(list) };
        Ok(processes)
    }

    /// The same on macOS 11, which mutes processes for all events or not at all.
    fn muted_processes_by_token(&self) -> Called<Vec<MutedProcess>> {
        let mut count = 0;
        let mut list: *mut sys::audit_token_t = ptr::null_mut();
        self.call("es_muted_processes", |client| {
            // SAFETY: the client is there, and so are the locals it writes to.
            unsafe { sys::es_muted_processes(client, &raw mut count, &raw mut list) }
        })?;
        let process = |token| MutedProcess {
            process: AuditToken::from_c(token),
            events: Vec::new(),
        };
        // SAFETY: on success `count` tokens are at `list`, or it is null.
        let processes = unsafe { copied(list, count, process) };
        // SAFETY: the list is the caller's to free, by `free`; null is allowed.
        unsafe { sys::free(list.cast()) };
        Ok(processes)
    }

    /// The muted paths and the event types that they are muted for.
    pub(crate) fn muted_paths(&self) -> Called<Vec<MutedPath>> {
        const CALL: &str = "es_muted_paths_events";
        let function = available(CALL, sys::newer::es_muted_paths_events())?;
        let release = available(CALL, sys::newer::es_release_muted_paths())?;
        let mut list: *mut sys::es_muted_paths_t = ptr::null_mut();
        // SAFETY: the client is there, and so is the local it writes to.
        self.call(CALL, |client| unsafe { function(client, &raw mut list) })?;
        if list.is_null() {
            return Ok(Vec::new());
        }
        // SAFETY: on success the list exists until it is released.
        let whole = unsafe { list.read() };
        let path = |path: sys::es_muted_path_t| {
            // SAFETY: the path's bytes are valid until the list is released; they are copied.
            let bytes = unsafe { crate::raw::bytes(path.path.data.cast(), path.path.length) };
            MutedPath {
                kind: MutedPathKind::from_c(path.type_),
                path: bytes.unwrap_or_default().to_vec(),
                // SAFETY: `event_count` event types are at `events` until the list is released.
                events: unsafe { copied(path.events, path.event_count, EventType::from_c) },
            }
        };
        // SAFETY: `count` paths are at `paths` until the list is released.
        let paths = unsafe { copied(whole.paths, whole.count, path) };
        // SAFETY: the list came from the function that this one belongs to; it is released once.
        unsafe { release(list) };
        Ok(paths)
    }
}

/// What `make` makes of the `count` elements at `first`; nothing if that is null.
///
/// # Safety
///
/// You must first convince yourself that `first` is null or points to `count` elements, and that
/// each of them keeps its own promises as long as `make` uses it.
unsafe fn copied<C: Copy, T>(first: *const C, count: usize, make: impl Fn(C) -> T) -> Vec<T> {
    if first.is_null() {
        return Vec::new();
    }
    let read = |index| {
        // SAFETY: the index is below the count, as the caller found.
        let element = unsafe { first.add(index) };
        // SAFETY: the element is there; any bytes are a value of the C structs that are listed.
        make(unsafe { element.read() })
    };
    (0..count).map(read).collect()
}
