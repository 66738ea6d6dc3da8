//! What the image of an exec is entitled to, an XPC dictionary that its asker owns.

use super::Raw;
use endpoint_sec_sys as sys;
use std::ffi::{CString, c_void};
use std::ptr::NonNull;

/// The entitlements of a program: an XPC dictionary, given back when this is dropped. It does not
/// end with its message.
#[derive(Debug)]
pub struct Entitlements {
    dictionary: NonNull<c_void>,
}

// === impl Entitlements ===

impl Entitlements {
    /// Those of an exec's image; `None` when it has none, or before macOS 27.0.
    pub(crate) fn of(event: Raw<'_, sys::es_event_exec_t>) -> Option<Self> {
        let function = sys::newer::es_exec_entitlements()?;
        // SAFETY: `event` is the exec member of a message that is there while this call lasts, as
        // the function asks.
        let dictionary = unsafe { function(event.as_ptr()) };
        NonNull::new(dictionary).map(|dictionary| Self { dictionary })
    }

    /// Whether an entitlement is there and true.
    #[must_use]
    pub fn is_true(&self, name: &str) -> bool {
        let Ok(name) = CString::new(name) else {
            // No entitlement has such a name.
            return false;
        };
        // SAFETY: the dictionary was given to this value, which has not given it back; the name
        // ends with NUL. What is not there, or is no boolean, counts as false.
        unsafe { sys::xpc_dictionary_get_bool(self.dictionary.as_ptr(), name.as_ptr()) }
    }

    /// The `xpc_object_t`, a dictionary, for other XPC calls. Valid as long as this
    /// is not dropped.
    #[must_use]
    pub fn as_ptr(&self) -> *mut c_void {
        self.dictionary.as_ptr()
    }
}

impl Drop for Entitlements {
    fn drop(&mut self) {
        // SAFETY: the dictionary's one count is this value's, which ends here.
        unsafe { sys::xpc_release(self.dictionary.as_ptr()) };
    }
}
