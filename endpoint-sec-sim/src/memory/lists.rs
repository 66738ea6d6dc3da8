//! Lists that the library hands out: some freed with `free`, some with functions of their own.

use std::ffi::{c_char, c_void};

use endpoint_sec_sys::{
    audit_token_t, es_event_type_t, es_mute_path_type_t, es_muted_path_t, es_muted_paths_t,
    es_muted_process_t, es_muted_processes_t,
};

use crate::events::EventSet;
use crate::memory::Arena;

unsafe extern "C" {
    /// The host's: what it returns, the caller frees with the host's `free`.
    fn malloc(size: usize) -> *mut c_void;
}

/// A list that was handed out.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) kind: ListKind,
    head: *mut c_void,
    _arena: Arena,
}

/// Which function releases a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListKind {
    Paths,
    Processes,
}

// SAFETY: the pointer leads into the arena, which moves along and is not written any more.
unsafe impl Send for List {}

// === impl List ===

impl List {
    pub(crate) fn paths(rows: &[(es_mute_path_type_t, Vec<u8>, EventSet)]) -> Self {
        let mut arena = Arena::new(u32::MAX);
        let mut entries = Vec::with_capacity(rows.len());
        for (kind, path, events) in rows {
            let events = types(*events);
            entries.push(es_muted_path_t {
                type_: *kind,
                event_count: events.len(),
                events: arena.place_all(&events),
                path: arena.string(path),
            });
        }
        let paths = arena.place_all(&entries);
        let head = arena.place(es_muted_paths_t {
            count: entries.len(),
            paths,
        });
        Self {
            kind: ListKind::Paths,
            head: head.cast(),
            _arena: arena,
        }
    }

    pub(crate) fn processes(rows: &[(audit_token_t, EventSet)]) -> Self {
        let mut arena = Arena::new(u32::MAX);
        let mut entries = Vec::with_capacity(rows.len());
        for (audit_token, events) in rows {
            let events = types(*events);
            entries.push(es_muted_process_t {
                audit_token: *audit_token,
                event_count: events.len(),
                events: arena.place_all(&events),
            });
        }
        let processes = arena.place_all(&entries);
        let head = arena.place(es_muted_processes_t {
            count: entries.len(),
            processes,
        });
        Self {
            kind: ListKind::Processes,
            head: head.cast(),
            _arena: arena,
        }
    }

    /// What the caller gets.
    pub(crate) fn head(&self) -> *mut c_void {
        self.head
    }
}

/// A copy of the values that the caller frees with `free`; null when there are none.
pub(crate) fn for_free<T: Copy>(values: &[T]) -> *mut T {
    if values.is_empty() {
        return std::ptr::null_mut();
    }
    // SAFETY: the size is not zero.
    let to = unsafe { malloc(size_of_val(values)) }.cast::<T>();
    if !to.is_null() {
        // SAFETY: `malloc` gave that many bytes, aligned for every type of the C API, to nobody
        // else.
        unsafe { to.copy_from_nonoverlapping(values.as_ptr(), values.len()) };
    }
    to
}

/// The bytes of a C string, without the zero.
///
/// # Safety
///
/// You must first convince yourself that `text` is null or a zero-terminated string that stays as
/// it is during the call.
pub(crate) unsafe fn bytes_of(text: *const c_char) -> Option<Vec<u8>> {
    if text.is_null() {
        return None;
    }
    // SAFETY: not null, and the caller vouches for the rest.
    let text = unsafe { std::ffi::CStr::from_ptr(text) };
    Some(text.to_bytes().to_vec())
}

fn types(events: EventSet) -> Vec<es_event_type_t> {
    events.iter().map(es_event_type_t).collect()
}
