//! Where messages come from: a pointer given to a handler, and a message that is kept.

use super::Raw;
use crate::message::MessageView;
use endpoint_sec_sys as sys;
use std::ptr::NonNull;

/// A message that was retained, and is released when this is dropped.
pub(crate) struct Retained(NonNull<sys::es_message_t>);

// === impl MessageView ===

impl<'a> MessageView<'a> {
    /// The view of the message at `at`.
    ///
    /// # Safety
    ///
    /// You must first convince yourself that `at` points to a message that Endpoint Security
    /// delivered, and that it is there for `'a`: until the handler returns, or as long as it is
    /// retained.
    pub(crate) unsafe fn from_ptr(at: NonNull<sys::es_message_t>) -> Self {
        let at = at.as_ptr().cast_const();
        // SAFETY: the caller vouches for the message; its first word is its version, whatever that.
        let version = unsafe { (*at).version };
        // SAFETY: the message stays as it is for `'a`, and was just asked for its version.
        Self::from_raw(unsafe { Raw::new(at, version) })
    }
}

// === impl Retained ===

impl Retained {
    /// Keeps a message beyond the handler's return (`es_retain_message`).
    pub(crate) fn new(view: MessageView<'_>) -> Self {
        let at = view.as_ptr();
        // SAFETY: the view is of a message that is there now.
        unsafe { sys::es_retain_message(at.as_ptr()) };
        Self(at)
    }

    /// What it says.
    pub(crate) fn view(&self) -> MessageView<'_> {
        // SAFETY: the message is retained until `self` is dropped, which the view cannot outlive.
        unsafe { MessageView::from_ptr(self.0) }
    }
}

impl Clone for Retained {
    fn clone(&self) -> Self {
        Self::new(self.view())
    }
}

impl Drop for Retained {
    fn drop(&mut self) {
        // SAFETY: `new` retained the message once for this value, which is the last to use it.
        unsafe { sys::es_release_message(self.0.as_ptr()) };
    }
}

// SAFETY: Endpoint Security's documentation allows a retained message to be used, answered and
// released on any thread.
unsafe impl Send for Retained {}

// SAFETY: a shared `Retained` only gives views, which read unchanging memory.
unsafe impl Sync for Retained {}
