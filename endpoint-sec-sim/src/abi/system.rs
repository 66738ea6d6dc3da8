//! Functions of the system: audit tokens, the clock, the release, XPC objects.

use std::ffi::{CStr, c_char, c_void};

use endpoint_sec_sys::{OsVersion, audit_token_t, mach_timebase_info_data_t};

use crate::clock::Timebase;
use crate::machine::current;
use crate::process::word;

/// Defines an accessor of one word of an audit token.
macro_rules! word_of_token {
    ($($function:ident: $type:ty = $word:ident;)*) => {
        $(
            #[unsafe(no_mangle)]
            extern "C" fn $function(token: audit_token_t) -> $type {
                <$type>::from_ne_bytes(token.val[word::$word].to_ne_bytes())
            }
        )*
    };
}

word_of_token! {
    audit_token_to_auid: u32 = AUID;
    audit_token_to_euid: u32 = EUID;
    audit_token_to_egid: u32 = EGID;
    audit_token_to_ruid: u32 = RUID;
    audit_token_to_rgid: u32 = RGID;
    audit_token_to_pid: i32 = PID;
    audit_token_to_asid: i32 = ASID;
    audit_token_to_pidversion: i32 = PIDVERSION;
}

#[unsafe(no_mangle)]
extern "C" fn mach_absolute_time() -> u64 {
    current().map_or(0, |shared| shared.clock.ticks())
}

#[unsafe(no_mangle)]
unsafe extern "C" fn mach_timebase_info(info: *mut mach_timebase_info_data_t) -> i32 {
    let timebase = current().map_or(Timebase::INTEL, |shared| shared.clock.timebase());
    let (numer, denom) = (timebase.numer, timebase.denom);
    // SAFETY: the caller keeps the C function's contract: `info` may be written.
    unsafe { info.write(mach_timebase_info_data_t { numer, denom }) };
    0
}

/// A list is in its external form in a message, after its length.
#[unsafe(no_mangle)]
unsafe extern "C" fn acl_copy_ext(buffer: *mut c_void, acl: *mut c_void, size: isize) -> isize {
    // SAFETY: the caller keeps the C function's contract: `acl` is a list of this machine, which
    // begins with its length.
    let length = unsafe { acl.cast::<u32>().read() };
    let (Ok(length), Ok(bytes)) = (isize::try_from(length), usize::try_from(length)) else {
        return -1;
    };
    if size < length {
        return -1;
    }
    // SAFETY: as many bytes as the length says follow it.
    let form = unsafe { acl.cast::<u8>().add(size_of::<u32>()) };
    // SAFETY: the buffer has room for `size` bytes, which is enough, and is not part of a message.
    unsafe { buffer.cast::<u8>().copy_from_nonoverlapping(form, bytes) };
    length
}

/// What a program is entitled to: the only XPC object of a simulated machine.
type Dictionary = Vec<Vec<u8>>;

/// A dictionary in which these keys are true; to be released.
pub(super) fn dictionary(keys: Dictionary) -> *mut c_void {
    Box::into_raw(Box::new(keys)).cast()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn xpc_release(object: *mut c_void) {
    // SAFETY: the caller keeps the C function's contract: the object is one that `dictionary` made,
    // and nothing uses it any more.
    drop(unsafe { Box::from_raw(object.cast::<Dictionary>()) });
}

#[unsafe(no_mangle)]
unsafe extern "C" fn xpc_dictionary_get_bool(object: *mut c_void, key: *const c_char) -> bool {
    // SAFETY: the caller keeps the C function's contract: the object is one that `dictionary` made
    // and was not released.
    let keys = unsafe { &*object.cast::<Dictionary>() };
    // SAFETY: the key is a C string.
    let key = unsafe { CStr::from_ptr(key) };
    keys.iter().any(|known| known == key.to_bytes())
}

#[unsafe(no_mangle)]
unsafe extern "C" fn endpoint_sec_sim_os_version(version: *mut OsVersion) {
    let release = current().map_or(OsVersion::new(11, 0, 0), |shared| shared.config.release);
    // SAFETY: the caller, `endpoint_sec_sys::os_version`, hands over a value of its own.
    unsafe { version.write(release) };
}

/// What `task_info` returns to a process about itself on a Mac.
#[unsafe(no_mangle)]
unsafe extern "C" fn endpoint_sec_sim_own_audit_token(token: *mut audit_token_t) -> bool {
    let own = current().and_then(|shared| {
        let state = shared.lock();
        let mut processes = state.processes.values();
        let me = processes.find(|process| process.execution().0 == shared.me);
        me.map(|me| me.audit_token())
    });
    let Some(own) = own else {
        return false;
    };
    // SAFETY: the caller, `endpoint_sec::AuditToken::of_this_process`, hands over a value of its
    // own.
    unsafe { token.write(own) };
    true
}
