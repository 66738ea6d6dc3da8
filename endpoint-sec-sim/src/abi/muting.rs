//! Muting.

use std::ffi::{c_char, c_void};

use endpoint_sec_sys::{
    audit_token_t, es_client_t, es_event_type_t, es_mute_inversion_type_t,
    es_mute_inverted_return_t, es_mute_path_type_t, es_muted_paths_t, es_muted_processes_t,
    es_return_t,
};

use crate::abi::{events_of, machine, null, set_of};
use crate::machine::muting::Change;
use crate::memory::lists::{List, ListKind, bytes_of, for_free};
use crate::report::Defect;

const SUCCESS: es_return_t = es_return_t::ES_RETURN_SUCCESS;
const ERROR: es_return_t = es_return_t::ES_RETURN_ERROR;

/// Defines functions that mute or unmute a process for all event types.
macro_rules! process_functions {
    ($($function:ident: $change:ident;)*) => {
        $(
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $function(
                client: *mut es_client_t,
                audit_token: *const audit_token_t,
            ) -> es_return_t {
                let function = stringify!($function);
                // SAFETY: the caller keeps the C function's contract, which is that of `process`.
                unsafe { process(client, audit_token, None, Change::$change, function) }
            }
        )*
    };
}

process_functions! {
    es_mute_process: Mute;
    es_unmute_process: Unmute;
}

/// Defines functions that mute or unmute a process for some event types.
macro_rules! process_event_functions {
    ($($function:ident: $change:ident;)*) => {
        $(
            #[unsafe(no_mangle)]
            pub(super) unsafe extern "C" fn $function(
                client: *mut es_client_t,
                audit_token: *const audit_token_t,
                events: *const es_event_type_t,
                event_count: usize,
            ) -> es_return_t {
                let function = stringify!($function);
                // SAFETY: the caller keeps the C function's contract, which is that of `events_of`.
                let events = unsafe { events_of(events, event_count) };
                // SAFETY: the caller keeps the C function's contract, which is that of `process`.
                unsafe { process(client, audit_token, Some(&events), Change::$change, function) }
            }
        )*
    };
}

process_event_functions! {
    es_mute_process_events: Mute;
    es_unmute_process_events: Unmute;
}

/// # Safety
///
/// You must first convince yourself that `audit_token` is null or points to a token.
unsafe fn process(
    client: *mut es_client_t,
    audit_token: *const audit_token_t,
    events: Option<&[es_event_type_t]>,
    change: Change,
    function: &'static str,
) -> es_return_t {
    let Some(shared) = machine(function) else {
        return ERROR;
    };
    if audit_token.is_null() {
        null(&shared, function);
        return ERROR;
    }
    // SAFETY: not null, and the caller vouches for the rest.
    let token = unsafe { audit_token.read() };
    shared.change_process(client.addr(), &token, events.map(set_of), change, function)
}

/// Defines functions that mute or unmute a path of a given kind for all event types.
macro_rules! path_functions {
    ($($function:ident: $change:ident;)*) => {
        $(
            #[unsafe(no_mangle)]
            pub(super) unsafe extern "C" fn $function(
                client: *mut es_client_t,
                path: *const c_char,
                type_: es_mute_path_type_t,
            ) -> es_return_t {
                let function = stringify!($function);
                // SAFETY: the caller keeps the C function's contract, which is that of
                // `change_path`.
                unsafe { change_path(client, path, type_, None, Change::$change, function) }
            }
        )*
    };
}

path_functions! {
    es_mute_path: Mute;
    es_unmute_path: Unmute;
}

/// Defines functions that mute or unmute a path of a given kind for some event types.
macro_rules! path_event_functions {
    ($($function:ident: $change:ident;)*) => {
        $(
            #[unsafe(no_mangle)]
            pub(super) unsafe extern "C" fn $function(
                client: *mut es_client_t,
                path: *const c_char,
                type_: es_mute_path_type_t,
                events: *const es_event_type_t,
                event_count: usize,
            ) -> es_return_t {
                let function = stringify!($function);
                // SAFETY: the caller keeps the C function's contract, which is that of `events_of`.
                let events = unsafe { events_of(events, event_count) };
                // SAFETY: the caller keeps the C function's contract, which is that of
                // `change_path`.
                unsafe {
                    change_path(client, path, type_, Some(&events), Change::$change, function)
                }
            }
        )*
    };
}

path_event_functions! {
    es_mute_path_events: Mute;
    es_unmute_path_events: Unmute;
}

/// Defines the deprecated functions, which mute paths of executables.
macro_rules! deprecated_path_functions {
    ($($function:ident: $kind:ident;)*) => {
        $(
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $function(
                client: *mut es_client_t,
                path: *const c_char,
            ) -> es_return_t {
                let kind = es_mute_path_type_t::$kind;
                let function = stringify!($function);
                // SAFETY: the caller keeps the C function's contract, which is that of
                // `change_path`.
                unsafe { change_path(client, path, kind, None, Change::Mute, function) }
            }
        )*
    };
}

deprecated_path_functions! {
    es_mute_path_prefix: ES_MUTE_PATH_TYPE_PREFIX;
    es_mute_path_literal: ES_MUTE_PATH_TYPE_LITERAL;
}

/// # Safety
///
/// You must first convince yourself that `path` is null or a zero-terminated string.
unsafe fn change_path(
    client: *mut es_client_t,
    path: *const c_char,
    kind: es_mute_path_type_t,
    events: Option<&[es_event_type_t]>,
    change: Change,
    function: &'static str,
) -> es_return_t {
    let Some(shared) = machine(function) else {
        return ERROR;
    };
    // SAFETY: the caller vouches for the string.
    let Some(path) = (unsafe { bytes_of(path) }) else {
        null(&shared, function);
        return ERROR;
    };
    shared.change_path(
        client.addr(),
        kind,
        &path,
        events.map(set_of),
        change,
        function,
    )
}

#[unsafe(no_mangle)]
extern "C" fn es_unmute_all_paths(client: *mut es_client_t) -> es_return_t {
    let function = "es_unmute_all_paths";
    machine(function).map_or(ERROR, |shared| {
        shared.unmute_all(client.addr(), false, function)
    })
}

#[unsafe(no_mangle)]
pub(super) extern "C" fn es_unmute_all_target_paths(client: *mut es_client_t) -> es_return_t {
    let function = "es_unmute_all_target_paths";
    machine(function).map_or(ERROR, |shared| {
        shared.unmute_all(client.addr(), true, function)
    })
}

#[unsafe(no_mangle)]
pub(super) extern "C" fn es_invert_muting(
    client: *mut es_client_t,
    mute_type: es_mute_inversion_type_t,
) -> es_return_t {
    let function = "es_invert_muting";
    machine(function).map_or(ERROR, |shared| {
        shared.invert(client.addr(), mute_type, function)
    })
}

#[unsafe(no_mangle)]
pub(super) extern "C" fn es_muting_inverted(
    client: *mut es_client_t,
    mute_type: es_mute_inversion_type_t,
) -> es_mute_inverted_return_t {
    let function = "es_muting_inverted";
    match machine(function) {
        Some(shared) => shared.inverted(client.addr(), mute_type, function),
        None => es_mute_inverted_return_t::ES_MUTE_INVERTED_ERROR,
    }
}

/// Lists the processes that are muted for every event type of the release.
#[unsafe(no_mangle)]
unsafe extern "C" fn es_muted_processes(
    client: *mut es_client_t,
    count: *mut usize,
    audit_tokens: *mut *mut audit_token_t,
) -> es_return_t {
    let function = "es_muted_processes";
    let Some(shared) = machine(function) else {
        return ERROR;
    };
    if count.is_null() || audit_tokens.is_null() {
        null(&shared, function);
        return ERROR;
    }
    let Some(rows) = shared.muted_processes(client.addr(), function) else {
        return ERROR;
    };
    let wholly = rows
        .iter()
        .filter(|(_, events)| *events == shared.all_events());
    let tokens: Vec<audit_token_t> = wholly.map(|(token, _)| *token).collect();
    // SAFETY: not null; the caller keeps the C function's contract: the places may be written.
    unsafe { count.write(tokens.len()) };
    // SAFETY: as above.
    unsafe { audit_tokens.write(for_free(&tokens)) };
    SUCCESS
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn es_muted_processes_events(
    client: *mut es_client_t,
    muted_processes: *mut *mut es_muted_processes_t,
) -> es_return_t {
    let function = "es_muted_processes_events";
    let rows = machine(function).and_then(|shared| shared.muted_processes(client.addr(), function));
    let list = rows.map(|rows| List::processes(&rows));
    // SAFETY: the caller keeps the C function's contract, which is that of `hand_out`.
    unsafe { hand_out(muted_processes.cast(), list, function) }
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn es_muted_paths_events(
    client: *mut es_client_t,
    muted_paths: *mut *mut es_muted_paths_t,
) -> es_return_t {
    let function = "es_muted_paths_events";
    let rows = machine(function).and_then(|shared| shared.muted_paths(client.addr(), function));
    let list = rows.map(|rows| List::paths(&rows));
    // SAFETY: the caller keeps the C function's contract, which is that of `hand_out`.
    unsafe { hand_out(muted_paths.cast(), list, function) }
}

/// Gives a list to the caller and remembers it until it is released.
///
/// # Safety
///
/// You must first convince yourself that `to` is null or may be written.
unsafe fn hand_out(
    to: *mut *mut c_void,
    list: Option<List>,
    function: &'static str,
) -> es_return_t {
    let (Some(shared), Some(list)) = (machine(function), list) else {
        return ERROR;
    };
    if to.is_null() {
        null(&shared, function);
        return ERROR;
    }
    let head = list.head();
    shared.lock().lists.insert(head.addr(), list);
    // SAFETY: not null, and the caller vouches for the rest.
    unsafe { to.write(head) };
    SUCCESS
}

#[unsafe(no_mangle)]
pub(super) extern "C" fn es_release_muted_processes(muted_processes: *mut es_muted_processes_t) {
    take_back(
        muted_processes.addr(),
        ListKind::Processes,
        "es_release_muted_processes",
    );
}

#[unsafe(no_mangle)]
pub(super) extern "C" fn es_release_muted_paths(muted_paths: *mut es_muted_paths_t) {
    take_back(
        muted_paths.addr(),
        ListKind::Paths,
        "es_release_muted_paths",
    );
}

fn take_back(address: usize, kind: ListKind, function: &'static str) {
    let Some(shared) = machine(function) else {
        return;
    };
    let mut state = shared.lock();
    let list = state.lists.remove(&address);
    if list.is_none_or(|list| list.kind != kind) {
        state.defect(Defect::ListRelease { function });
    }
}
