//! Functions that clients look up by name, because not every release has them.

use std::ffi::{CStr, c_char, c_void};
use std::ptr::null;

use endpoint_sec_sys::functions;

use crate::abi::clients::{es_new_descendants_client, es_sync_client};
use crate::abi::messages::es_exec_entitlements;
use crate::abi::{muting, settings};
use crate::machine::current;

/// Finds a function of the simulated release by its name; null if it has none of that name.
///
/// # Safety
///
/// You must first convince yourself that `name` is a zero-terminated string.
#[unsafe(no_mangle)]
unsafe extern "C" fn endpoint_sec_sim_symbol(name: *const c_char) -> *const c_void {
    // SAFETY: the caller, `endpoint_sec_sys::newer`, hands over a string constant.
    let name = unsafe { CStr::from_ptr(name) };
    let Some((shared, name)) = current().zip(name.to_str().ok()) else {
        return null();
    };
    let info = functions().find(|info| info.name == name);
    if info.is_none_or(|info| info.introduced > shared.config.release) {
        return null();
    }
    address(name).unwrap_or(null())
}

/// Makes a table from names to functions.
macro_rules! table {
    ($name:ident: $($path:ident::$function:ident,)* ; $($direct:ident,)*) => {
        match $name {
            $(stringify!($function) => Some($path::$function as *const c_void),)*
            $(stringify!($direct) => Some($direct as *const c_void),)*
            _ => None,
        }
    };
}

fn address(name: &str) -> Option<*const c_void> {
    table!(name:
        muting::es_mute_process_events,
        muting::es_unmute_process_events,
        muting::es_muted_processes_events,
        muting::es_release_muted_processes,
        muting::es_mute_path,
        muting::es_mute_path_events,
        muting::es_unmute_path,
        muting::es_unmute_path_events,
        muting::es_muted_paths_events,
        muting::es_release_muted_paths,
        muting::es_unmute_all_target_paths,
        muting::es_invert_muting,
        muting::es_muting_inverted,
        settings::es_set_deadline_miss_mode,
        settings::es_get_deadline_miss_mode,
        settings::es_set_deadline_max_milliseconds,
        settings::es_get_deadline_max_milliseconds,
        settings::es_set_deadline_min_milliseconds,
        settings::es_get_deadline_min_milliseconds,
        ;
        es_sync_client,
        es_new_descendants_client,
        es_exec_entitlements,
    )
}
