//! Access control lists, and the one call on them that the headers allow.

use super::{Field, shown_as_debug};
use crate::acl::{AclEntry, entries_of};
use endpoint_sec_sys as sys;
use std::ffi::c_void;
use std::fmt;
use std::marker::PhantomData;

/// An access control list of a message.
///
/// The headers allow a single use of it: `acl_copy_ext` into a buffer, and reading from there, as
/// [`entries`](Self::entries) does. `acl_dup` and the functions that read entries of the list
/// itself would write to the message.
#[derive(Clone, Copy)]
pub struct Acl<'a> {
    list: sys::acl_t,
    message: PhantomData<&'a ()>,
}

// === impl Acl ===

impl Acl<'_> {
    /// The entries in order; `None` when the system does not give them, or in a form that is not
    /// known.
    #[must_use]
    pub fn entries(&self) -> Option<Vec<AclEntry>> {
        if self.list.is_null() {
            return None;
        }
        let mut form = vec![0; LONGEST];
        let room = isize::try_from(form.len()).ok()?;
        // SAFETY: an `Acl` is made only of the pointer in a message that is there for its lifetime;
        // it is not null, so it is a list, and `form` has room for the number of bytes passed.
        let length = unsafe { sys::acl_copy_ext(form.as_mut_ptr().cast(), self.list, room) };
        entries_of(form.get(..usize::try_from(length).ok()?)?)
    }

    /// The `acl_t`, for `acl_copy_ext`. Good as long as the message is.
    #[must_use]
    pub fn as_ptr(&self) -> *mut c_void {
        self.list
    }
}

impl fmt::Debug for Acl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Acl").field(&self.entries()).finish()
    }
}

shown_as_debug!(Acl<'_>);

impl<'a> Field<'a, sys::acl_t> for Acl<'a> {
    unsafe fn read(at: *const sys::acl_t, _version: u32) -> Self {
        Acl {
            // SAFETY: the caller vouches for `at`, and any bytes are a value of a raw pointer.
            list: unsafe { at.read() },
            message: PhantomData,
        }
    }
}

impl<'a> Field<'a, sys::acl_t> for Option<Acl<'a>> {
    unsafe fn read(at: *const sys::acl_t, version: u32) -> Self {
        // SAFETY: the same promises.
        let acl: Acl<'a> = unsafe { Field::read(at, version) };
        (!acl.list.is_null()).then_some(acl)
    }
}

/// A list has at most 128 entries (`ACL_MAX_ENTRIES`, sys/acl.h) of 24 bytes each, after 44.
const LONGEST: usize = 44 + 128 * 24;
