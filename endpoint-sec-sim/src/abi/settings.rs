//! Subscriptions, the cache and deadlines.

use endpoint_sec_sys::{
    es_clear_cache_result_t, es_client_t, es_deadline_miss_mode_t, es_event_type_t, es_return_t,
};

use crate::abi::{events_of, machine, null};
use crate::memory::lists::for_free;

const ERROR: es_return_t = es_return_t::ES_RETURN_ERROR;

#[unsafe(no_mangle)]
unsafe extern "C" fn es_subscribe(
    client: *mut es_client_t,
    events: *const es_event_type_t,
    event_count: u32,
) -> es_return_t {
    // SAFETY: the caller keeps the C function's contract, which is that of `events_of`.
    let events = unsafe { events_of(events, event_count as usize) };
    machine("es_subscribe").map_or(ERROR, |shared| shared.subscribe(client.addr(), &events))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn es_unsubscribe(
    client: *mut es_client_t,
    events: *const es_event_type_t,
    event_count: u32,
) -> es_return_t {
    let function = "es_unsubscribe";
    // SAFETY: the caller keeps the C function's contract, which is that of `events_of`.
    let events = unsafe { events_of(events, event_count as usize) };
    machine(function).map_or(ERROR, |shared| {
        shared.unsubscribe(client.addr(), Some(&events), function)
    })
}

#[unsafe(no_mangle)]
extern "C" fn es_unsubscribe_all(client: *mut es_client_t) -> es_return_t {
    let function = "es_unsubscribe_all";
    machine(function).map_or(ERROR, |shared| {
        shared.unsubscribe(client.addr(), None, function)
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn es_subscriptions(
    client: *mut es_client_t,
    count: *mut usize,
    subscriptions: *mut *mut es_event_type_t,
) -> es_return_t {
    let function = "es_subscriptions";
    let Some(shared) = machine(function) else {
        return ERROR;
    };
    if count.is_null() || subscriptions.is_null() {
        null(&shared, function);
        return ERROR;
    }
    let Some(events) = shared.subscriptions(client.addr()) else {
        return ERROR;
    };
    // SAFETY: not null; the caller keeps the C function's contract: the places may be written.
    unsafe { count.write(events.len()) };
    // SAFETY: as above.
    unsafe { subscriptions.write(for_free(&events)) };
    es_return_t::ES_RETURN_SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn es_clear_cache(client: *mut es_client_t) -> es_clear_cache_result_t {
    match machine("es_clear_cache") {
        Some(shared) => shared.clear_cache(client.addr()),
        None => es_clear_cache_result_t::ES_CLEAR_CACHE_RESULT_ERR_INTERNAL,
    }
}

#[unsafe(no_mangle)]
pub(super) extern "C" fn es_set_deadline_miss_mode(
    client: *mut es_client_t,
    mode: es_deadline_miss_mode_t,
) -> es_return_t {
    machine("es_set_deadline_miss_mode")
        .map_or(ERROR, |shared| shared.set_miss_mode(client.addr(), mode))
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn es_get_deadline_miss_mode(
    client: *mut es_client_t,
    mode: *mut es_deadline_miss_mode_t,
) -> es_return_t {
    let function = "es_get_deadline_miss_mode";
    let found = machine(function).and_then(|shared| shared.miss_mode(client.addr()));
    // SAFETY: the caller keeps the C function's contract, which is that of `put`.
    unsafe { put(mode, found, function) }
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn es_set_deadline_max_milliseconds(
    client: *mut es_client_t,
    events: *const es_event_type_t,
    event_count: u32,
    milliseconds: u32,
) -> es_return_t {
    // SAFETY: the caller keeps the C function's contract, which is that of `events_of`.
    let events = unsafe { events_of(events, event_count as usize) };
    machine("es_set_deadline_max_milliseconds").map_or(ERROR, |shared| {
        shared.set_deadline_max(client.addr(), &events, milliseconds)
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn es_get_deadline_max_milliseconds(
    client: *mut es_client_t,
    event: es_event_type_t,
    milliseconds: *mut u32,
) -> es_return_t {
    let function = "es_get_deadline_max_milliseconds";
    let found = machine(function).and_then(|shared| shared.deadline_max(client.addr(), event));
    // SAFETY: the caller keeps the C function's contract, which is that of `put`.
    unsafe { put(milliseconds, found, function) }
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn es_set_deadline_min_milliseconds(
    client: *mut es_client_t,
    events: *const es_event_type_t,
    event_count: u32,
    milliseconds: u32,
) -> es_return_t {
    // SAFETY: the caller keeps the C function's contract, which is that of `events_of`.
    let events = unsafe { events_of(events, event_count as usize) };
    machine("es_set_deadline_min_milliseconds").map_or(ERROR, |shared| {
        shared.set_deadline_min(client.addr(), &events, milliseconds)
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn es_get_deadline_min_milliseconds(
    client: *mut es_client_t,
    event: es_event_type_t,
    milliseconds: *mut u32,
) -> es_return_t {
    let function = "es_get_deadline_min_milliseconds";
    let found = machine(function).and_then(|shared| shared.deadline_min(client.addr(), event));
    // SAFETY: the caller keeps the C function's contract, which is that of `put`.
    unsafe { put(milliseconds, found, function) }
}

/// Writes what was found, if anything was.
///
/// # Safety
///
/// You must first convince yourself that `to` is null or may be written.
unsafe fn put<T>(to: *mut T, found: Option<T>, function: &'static str) -> es_return_t {
    let Some(found) = found else {
        return ERROR;
    };
    if to.is_null() {
        if let Some(shared) = machine(function) {
            null(&shared, function);
        }
        return ERROR;
    }
    // SAFETY: not null, and the caller vouches for the rest.
    unsafe { to.write(found) };
    es_return_t::ES_RETURN_SUCCESS
}
