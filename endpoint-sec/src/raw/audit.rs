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
