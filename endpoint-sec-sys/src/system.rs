//! Functions of macOS itself that every Endpoint Security client needs: audit tokens, time, memory.
//!
//! Off Apple's targets the simulator defines them, except `free`, which is the host's.

use crate::darwin::{
    acl_t, audit_token_t, gid_t, kern_return_t, mach_timebase_info_data_t, pid_t, uid_t,
    xpc_object_t,
};
use core::ffi::{c_char, c_int, c_void};

#[cfg_attr(target_vendor = "apple", link(name = "bsm"))]
unsafe extern "C" {
    /// The audit user, who logged in.
    pub fn audit_token_to_auid(token: audit_token_t) -> uid_t;
    /// The effective user.
    pub fn audit_token_to_euid(token: audit_token_t) -> uid_t;
    /// The effective group.
    pub fn audit_token_to_egid(token: audit_token_t) -> gid_t;
    /// The real user.
    pub fn audit_token_to_ruid(token: audit_token_t) -> uid_t;
    /// The real group.
    pub fn audit_token_to_rgid(token: audit_token_t) -> gid_t;
    /// The process id.
    pub fn audit_token_to_pid(token: audit_token_t) -> pid_t;
    /// The audit session.
    pub fn audit_token_to_asid(token: audit_token_t) -> c_int;
    /// Which execution of the process id it is; unique since boot, together with the number.
    pub fn audit_token_to_pidversion(token: audit_token_t) -> c_int;
}

unsafe extern "C" {
    /// The clock of messages and deadlines, in ticks; does not advance while the machine sleeps.
    pub fn mach_absolute_time() -> u64;
    /// How ticks become nanoseconds. Returns 0 for success.
    pub fn mach_timebase_info(info: *mut mach_timebase_info_data_t) -> kern_return_t;
    /// Writes a list in its external form; returns its length, or -1 if the buffer is too small.
    pub fn acl_copy_ext(buffer: *mut c_void, acl: acl_t, size: isize) -> isize;
    /// Releases an XPC object.
    pub fn xpc_release(object: xpc_object_t);
    /// The boolean of an XPC dictionary under this key; false when there is none.
    pub fn xpc_dictionary_get_bool(dictionary: xpc_object_t, key: *const c_char) -> bool;
    /// Frees what `es_subscriptions` and `es_muted_processes` return.
    pub fn free(memory: *mut c_void);
}
