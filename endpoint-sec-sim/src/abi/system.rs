//! What else a client asks the system: audit tokens, the clock, the release.

use std::ffi::c_void;

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

/// Nothing on a simulated machine is an XPC object, so there is nothing to release.
#[unsafe(no_mangle)]
extern "C" fn xpc_release(_object: *mut c_void) {}

#[unsafe(no_mangle)]
unsafe extern "C" fn endpoint_sec_sim_os_version(version: *mut OsVersion) {
    let release = current().map_or(OsVersion::new(11, 0, 0), |shared| shared.config.release);
    // SAFETY: the caller, `endpoint_sec_sys::os_version`, hands over a value of its own.
    unsafe { version.write(release) };
}

/// What `task_info` tells a process of itself on a Mac.
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
    // SAFETY: the caller, `endpoint_sec::AuditToken::of_this_process`, hands over a value of its own.
    unsafe { token.write(own) };
    true
}
