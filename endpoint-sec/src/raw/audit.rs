//! What the system's library reads out of audit tokens.

use endpoint_sec_sys::{self as sys, audit_token_t};

macro_rules! words {
    ($($name:ident: $type:ty = $function:ident;)*) => {$(
        pub(crate) fn $name(token: audit_token_t) -> $type {
            // SAFETY: the function takes eight words by value and returns one of them, whatever
            // they are; it touches no other memory (libbsm's audit_token_to_au32).
            unsafe { sys::$function(token) }
        }
    )*};
}

words! {
    auid: u32 = audit_token_to_auid;
    euid: u32 = audit_token_to_euid;
    egid: u32 = audit_token_to_egid;
    ruid: u32 = audit_token_to_ruid;
    rgid: u32 = audit_token_to_rgid;
    pid: i32 = audit_token_to_pid;
    asid: i32 = audit_token_to_asid;
    pidversion: i32 = audit_token_to_pidversion;
}

/// The token of the calling process.
#[cfg(target_vendor = "apple")]
pub(crate) fn own() -> Option<audit_token_t> {
    let mut token = audit_token_t { val: [0; 8] };
    let mut words = TASK_AUDIT_TOKEN_COUNT;
    // SAFETY: the symbol is a port's number that the C runtime sets before `main` and nothing
    // changes (mach_init.h).
    let this_task = unsafe { mach_task_self_ };
    // SAFETY: for this flavour `task_info` writes at most `words` words, as many as `token` has,
    // and the number of them; both are locals.
    let result = unsafe {
        task_info(
            this_task,
            TASK_AUDIT_TOKEN,
            token.val.as_mut_ptr(),
            &raw mut words,
        )
    };
    (result == 0 && words == TASK_AUDIT_TOKEN_COUNT).then_some(token)
}

/// The same on a simulated machine.
#[cfg(not(target_vendor = "apple"))]
pub(crate) fn own() -> Option<audit_token_t> {
    let mut token = audit_token_t { val: [0; 8] };
    // SAFETY: the simulator writes one token to the local, if it has one.
    let is_known = unsafe { endpoint_sec_sim_own_audit_token(&raw mut token) };
    is_known.then_some(token)
}

#[cfg(not(target_vendor = "apple"))]
unsafe extern "C" {
    fn endpoint_sec_sim_own_audit_token(token: *mut audit_token_t) -> bool;
}

#[cfg(target_vendor = "apple")]
unsafe extern "C" {
    static mach_task_self_: u32;

    fn task_info(task: u32, flavor: u32, info: *mut u32, count: *mut u32) -> i32;
}

/// The flavour of `task_info` that gives the audit token, and how many words that has
/// (mach/task_info.h).
#[cfg(target_vendor = "apple")]
const TASK_AUDIT_TOKEN: u32 = 15;
#[cfg(target_vendor = "apple")]
const TASK_AUDIT_TOKEN_COUNT: u32 = 8;
