//! Functions newer than macOS 11.0: looked up at run time, never linked.
//!
//! Each function here has the name of the C function and returns it, or `None` on a system that
//! lacks it. If a missing function were linked, the program would not start.
//!
//! ```no_run
//! use endpoint_sec_sys::{es_client_t, es_return_t, newer};
//!
//! fn unmute(client: *mut es_client_t) -> Option<es_return_t> {
//!     let unmute = newer::es_unmute_all_target_paths()?;
//!     // SAFETY: the caller's client lives.
//!     Some(unsafe { unmute(client) })
//! }
//! ```
//!
//! That a name exists is not enough: `es_sync_client` was exported long before macOS 27.0 made it
//! public, and may have behaved differently. So a function is looked up only on releases whose
//! headers declare it.
//!
//! On macOS the result is cached. Elsewhere the simulator is asked each time, since one program
//! simulates several releases.

use crate::block::{es_handler_block_t, es_sync_block_t};
use crate::client::es_client_t;
use crate::darwin::{audit_token_t, xpc_object_t};
use crate::enums::{
    es_deadline_miss_mode_t, es_mute_inversion_type_t, es_mute_inverted_return_t,
    es_mute_path_type_t, es_new_client_result_t, es_return_t,
};
use crate::event_type::es_event_type_t;
use crate::events::es_event_exec_t;
use crate::metadata::FunctionInfo;
use crate::muting::{es_muted_paths_t, es_muted_processes_t};
use crate::release::{OsVersion, os_version};
use core::ffi::{CStr, c_char, c_void};
use core::mem;
use core::ptr::NonNull;

/// Declares functions that look functions up, and lists them: first the release that has the
/// function first.
macro_rules! newer {
    ($(
        $(#[$doc:meta])*
        [$major:literal, $minor:literal]
        fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $returns:ty)?;
    )*) => {
        $(
            $(#[$doc])*
            ///
            #[doc = concat!("macOS ", $major, ".", $minor, ".")]
            pub fn $name() -> Option<unsafe extern "C" fn($($argument: $type),*) $(-> $returns)?> {
                static SYMBOL: symbol::Symbol =
                    symbol::Symbol::new(name(concat!(stringify!($name), "\0")));
                type Function = unsafe extern "C" fn($($type),*) $(-> $returns)?;
                if os_version() < OsVersion::new($major, $minor, 0) {
                    return None;
                }
                let address = SYMBOL.address()?;
                // SAFETY: the definition of a symbol of this name, in the library or the simulator,
                // has the signature that ESClient.h and ESMessage.h of macOS 27.0 declare, which is
                // `Function`. The address is not null, and code is never unloaded.
                Some(unsafe { mem::transmute::<NonNull<c_void>, Function>(address) })
            }
        )*

        pub(crate) const LOOKED_UP: &[FunctionInfo] = &[$(
            FunctionInfo {
                name: stringify!($name),
                introduced: OsVersion::new($major, $minor, 0),
                deprecated: None,
                parameters: &[$(stringify!($type)),*],
                returns: concat!($(stringify!($returns))?),
                linked: false,
            }
        ),*];
    };
}

newer! {
    /// Mutes a process for some event types. From macOS 27.0 an error if the process has exited.
    [12, 0] fn es_mute_process_events(
        client: *mut es_client_t,
        audit_token: *const audit_token_t,
        events: *const es_event_type_t,
        event_count: usize,
    ) -> es_return_t;
    /// Undoes [`es_mute_process_events`] for some event types.
    [12, 0] fn es_unmute_process_events(
        client: *mut es_client_t,
        audit_token: *const audit_token_t,
        events: *const es_event_type_t,
        event_count: usize,
    ) -> es_return_t;
    /// Lists muted processes and event types. Freed by [`es_release_muted_processes`].
    [12, 0] fn es_muted_processes_events(
        client: *mut es_client_t,
        muted_processes: *mut *mut es_muted_processes_t,
    ) -> es_return_t;
    /// Frees what [`es_muted_processes_events`] returned.
    [12, 0] fn es_release_muted_processes(muted_processes: *mut es_muted_processes_t);
    /// Mutes a path, for all event types.
    [12, 0] fn es_mute_path(
        client: *mut es_client_t,
        path: *const c_char,
        type_: es_mute_path_type_t,
    ) -> es_return_t;
    /// Mutes a path for some event types. For paths operated on, types without one are skipped, and
    /// it is an error if no type is left.
    [12, 0] fn es_mute_path_events(
        client: *mut es_client_t,
        path: *const c_char,
        type_: es_mute_path_type_t,
        events: *const es_event_type_t,
        event_count: usize,
    ) -> es_return_t;
    /// Undoes [`es_mute_path`].
    [12, 0] fn es_unmute_path(
        client: *mut es_client_t,
        path: *const c_char,
        type_: es_mute_path_type_t,
    ) -> es_return_t;
    /// Undoes [`es_mute_path_events`] for some event types.
    [12, 0] fn es_unmute_path_events(
        client: *mut es_client_t,
        path: *const c_char,
        type_: es_mute_path_type_t,
        events: *const es_event_type_t,
        event_count: usize,
    ) -> es_return_t;
    /// Lists muted paths and event types, also those muted by default. Freed by
    /// [`es_release_muted_paths`].
    [12, 0] fn es_muted_paths_events(
        client: *mut es_client_t,
        muted_paths: *mut *mut es_muted_paths_t,
    ) -> es_return_t;
    /// Frees what [`es_muted_paths_events`] returned.
    [12, 0] fn es_release_muted_paths(muted_paths: *mut es_muted_paths_t);
    /// Unmutes all paths operated on.
    [13, 0] fn es_unmute_all_target_paths(client: *mut es_client_t) -> es_return_t;
    /// Inverts one kind of muting: only what is muted is sent. A second call reverts it.
    [13, 0] fn es_invert_muting(
        client: *mut es_client_t,
        mute_type_: es_mute_inversion_type_t,
    ) -> es_return_t;
    /// Whether one kind of muting is inverted.
    [13, 0] fn es_muting_inverted(
        client: *mut es_client_t,
        mute_type_: es_mute_inversion_type_t,
    ) -> es_mute_inverted_return_t;
    /// Runs a block after the messages that were there before it. Never to be called in the
    /// client's handler; when the client is deleted, all blocks run.
    [27, 0] fn es_sync_client(client: *mut es_client_t, block: es_sync_block_t) -> es_return_t;
    /// Creates a client for the caller's own descendants. It needs the entitlement, but neither
    /// root nor the user's consent.
    [27, 0] fn es_new_descendants_client(
        client: *mut *mut es_client_t,
        handler: es_handler_block_t,
    ) -> es_new_client_result_t;
    /// Sets what happens when the client misses a deadline.
    [27, 0] fn es_set_deadline_miss_mode(
        client: *mut es_client_t,
        mode: es_deadline_miss_mode_t,
    ) -> es_return_t;
    /// What happens when the client misses a deadline.
    [27, 0] fn es_get_deadline_miss_mode(
        client: *mut es_client_t,
        mode: *mut es_deadline_miss_mode_t,
    ) -> es_return_t;
    /// Lowers the time to answer for some event types; more than the system's is an error.
    [27, 0] fn es_set_deadline_max_milliseconds(
        client: *mut es_client_t,
        events: *const es_event_type_t,
        event_count: u32,
        milliseconds: u32,
    ) -> es_return_t;
    /// The longest time to answer for an event type.
    [27, 0] fn es_get_deadline_max_milliseconds(
        client: *mut es_client_t,
        event: es_event_type_t,
        milliseconds: *mut u32,
    ) -> es_return_t;
    /// Raises the time to answer for some event types; for clients of descendants, and not for
    /// `AUTH_BOOTSTRAP_*`.
    [27, 0] fn es_set_deadline_min_milliseconds(
        client: *mut es_client_t,
        events: *const es_event_type_t,
        event_count: u32,
        milliseconds: u32,
    ) -> es_return_t;
    /// The shortest time to answer for an event type; for clients of descendants.
    [27, 0] fn es_get_deadline_min_milliseconds(
        client: *mut es_client_t,
        event: es_event_type_t,
        milliseconds: *mut u32,
    ) -> es_return_t;
    /// The program's entitlements, an XPC dictionary that the caller releases; null when it has
    /// none.
    [27, 0] fn es_exec_entitlements(exec: *const es_event_exec_t) -> xpc_object_t;
}

/// A symbol's name as a C string.
const fn name(with_nul: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(with_nul.as_bytes()) {
        Ok(name) => name,
        Err(_) => panic!("a symbol's name ends with its only NUL"),
    }
}

#[cfg(target_vendor = "apple")]
mod symbol {
    use core::ffi::{CStr, c_char, c_void};
    use core::ptr::{self, NonNull};
    use core::sync::atomic::{AtomicPtr, Ordering};

    /// Search all loaded images (`dlfcn.h`: -2).
    const RTLD_DEFAULT: *mut c_void = ptr::without_provenance_mut(usize::MAX - 1);

    /// Marks a symbol that was looked up and does not exist.
    const MISSING: *mut c_void = ptr::without_provenance_mut(1);

    unsafe extern "C" {
        fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    }

    /// A symbol that may be missing.
    pub(super) struct Symbol {
        name: &'static CStr,
        /// Null until looked up, then the address or [`MISSING`]. Written by the first thread that
        /// looks it up; all would write the same. Relaxed: code is not published by this word.
        found: AtomicPtr<c_void>,
    }

    // === impl Symbol ===

    impl Symbol {
        pub(super) const fn new(name: &'static CStr) -> Self {
            Self {
                name,
                found: AtomicPtr::new(ptr::null_mut()),
            }
        }

        pub(super) fn address(&self) -> Option<NonNull<c_void>> {
            let mut found = self.found.load(Ordering::Relaxed);
            if found.is_null() {
                // SAFETY: the name is a C string, and `RTLD_DEFAULT` is a handle that `dlsym`
                // knows.
                found = unsafe { dlsym(RTLD_DEFAULT, self.name.as_ptr()) };
                if found.is_null() {
                    found = MISSING;
                }
                self.found.store(found, Ordering::Relaxed);
            }
            if found == MISSING {
                return None;
            }
            NonNull::new(found)
        }
    }
}

#[cfg(not(target_vendor = "apple"))]
mod symbol {
    use core::ffi::{CStr, c_char, c_void};
    use core::ptr::NonNull;

    unsafe extern "C" {
        /// Defined by the simulator: the function of this name, or null if the simulated release
        /// lacks it.
        fn endpoint_sec_sim_symbol(name: *const c_char) -> *const c_void;
    }

    /// A symbol that may be missing.
    pub(super) struct Symbol {
        name: &'static CStr,
    }

    // === impl Symbol ===

    impl Symbol {
        pub(super) const fn new(name: &'static CStr) -> Self {
            Self { name }
        }

        pub(super) fn address(&self) -> Option<NonNull<c_void>> {
            // SAFETY: the name is a C string; the simulator only reads it.
            let found = unsafe { endpoint_sec_sim_symbol(self.name.as_ptr()) };
            NonNull::new(found.cast_mut())
        }
    }
}
