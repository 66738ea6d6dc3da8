//! Retaining and releasing messages, and the accessors of exec events.

use std::ffi::c_void;
use std::ptr::{null, null_mut};

use endpoint_sec_sys::{es_event_exec_t, es_fd_t, es_message_t, es_string_token_t};

use crate::abi::machine;
use crate::abi::system::dictionary;
use crate::memory::message::{Memory, fixed_part};
use crate::memory::no_string;

#[unsafe(no_mangle)]
extern "C" fn es_retain_message(msg: *const es_message_t) {
    let function = "es_retain_message";
    if let Some(shared) = machine(function) {
        shared.retain(msg.addr(), function);
    }
}

#[unsafe(no_mangle)]
extern "C" fn es_release_message(msg: *const es_message_t) {
    let function = "es_release_message";
    if let Some(shared) = machine(function) {
        shared.release(msg.addr(), function);
    }
}

#[unsafe(no_mangle)]
extern "C" fn es_copy_message(msg: *const es_message_t) -> *mut es_message_t {
    let function = "es_copy_message";
    let copy = machine(function).and_then(|shared| shared.copy(msg.addr(), function));
    copy.map_or(null_mut(), <*const es_message_t>::cast_mut)
}

#[unsafe(no_mangle)]
extern "C" fn es_free_message(msg: *mut es_message_t) {
    let function = "es_free_message";
    if let Some(shared) = machine(function) {
        shared.release(msg.addr(), function);
    }
}

/// The size of the fixed part: what the message points to is elsewhere, and copying bytes never
/// makes a message.
#[unsafe(no_mangle)]
extern "C" fn es_message_size(_msg: *const es_message_t) -> usize {
    machine("es_message_size").map_or(0, |shared| fixed_part(shared.config.version))
}

#[unsafe(no_mangle)]
extern "C" fn es_exec_arg_count(event: *const es_event_exec_t) -> u32 {
    count(event, "es_exec_arg_count", |memory| {
        Some(memory.args()?.len())
    })
}

#[unsafe(no_mangle)]
extern "C" fn es_exec_env_count(event: *const es_event_exec_t) -> u32 {
    count(event, "es_exec_env_count", |memory| {
        Some(memory.env()?.len())
    })
}

#[unsafe(no_mangle)]
extern "C" fn es_exec_fd_count(event: *const es_event_exec_t) -> u32 {
    count(event, "es_exec_fd_count", |memory| {
        Some(memory.fds()?.len())
    })
}

#[unsafe(no_mangle)]
extern "C" fn es_exec_arg(event: *const es_event_exec_t, index: u32) -> es_string_token_t {
    let arg = item(event, "es_exec_arg", |memory| {
        memory.args()?.get(index as usize).copied()
    });
    arg.unwrap_or_else(no_string)
}

#[unsafe(no_mangle)]
extern "C" fn es_exec_env(event: *const es_event_exec_t, index: u32) -> es_string_token_t {
    let entry = item(event, "es_exec_env", |memory| {
        memory.env()?.get(index as usize).copied()
    });
    entry.unwrap_or_else(no_string)
}

#[unsafe(no_mangle)]
extern "C" fn es_exec_fd(event: *const es_event_exec_t, index: u32) -> *const es_fd_t {
    let fd = item(event, "es_exec_fd", |memory| {
        memory.fds()?.get(index as usize).copied()
    });
    fd.unwrap_or(null())
}

#[unsafe(no_mangle)]
pub(super) extern "C" fn es_exec_entitlements(exec: *const es_event_exec_t) -> *mut c_void {
    let held = item(exec, "es_exec_entitlements", |memory| {
        memory.entitlements().map(<[_]>::to_vec)
    });
    let held = held.filter(|held| !held.is_empty());
    held.map_or(null_mut(), dictionary)
}

fn item<T>(
    event: *const es_event_exec_t,
    function: &'static str,
    read: impl FnOnce(&Memory) -> Option<T>,
) -> Option<T> {
    machine(function)?.exec(event.addr(), function, read)
}

fn count(
    event: *const es_event_exec_t,
    function: &'static str,
    read: impl FnOnce(&Memory) -> Option<usize>,
) -> u32 {
    let count = item(event, function, read).unwrap_or(0);
    count.try_into().unwrap_or(u32::MAX)
}
