//! Fields that are neither numbers nor views: tokens, times, lists of attributes.

use super::Field;
use crate::audit_token::AuditToken;
use crate::event_type::EventType;
use crate::file::AttributeList;
use crate::time::TimeSpec;
use endpoint_sec_sys as sys;
use std::ffi::c_char;

/// Declares how a C value that any bytes are valid for becomes a Rust value.
macro_rules! converted {
    ($($type:ty, $C:ty: |$value:ident| $convert:expr;)*) => {$(
        impl<'a> Field<'a, $C> for $type {
            unsafe fn read(at: *const $C, _version: u32) -> Self {
                // SAFETY: the caller vouches for `at`; any bytes are a value of the C type.
                let $value = unsafe { at.read() };
                $convert
            }
        }
    )*};
}

converted! {
    AuditToken, sys::audit_token_t: |token| Self::from_c(token);
    TimeSpec, sys::timespec: |time| Self {
        seconds: time.tv_sec,
        nanoseconds: time.tv_nsec,
    };
    TimeSpec, sys::timeval: |time| Self {
        seconds: time.tv_sec,
        nanoseconds: i64::from(time.tv_usec) * 1000,
    };
    AttributeList, sys::attrlist: |list| Self {
        common: list.commonattr,
        volume: list.volattr,
        directory: list.dirattr,
        file: list.fileattr,
        fork: list.forkattr,
    };
    [i32; 2], sys::fsid_t: |id| id.val;
    EventType, sys::es_event_type_t: |event| Self::from_c(event);
}

/// Declares how a pointer to a value in the message becomes an optional Rust value.
macro_rules! pointed_to {
    ($($type:ty, $C:ty;)*) => {$(
        impl<'a> Field<'a, *mut $C> for Option<$type> {
            unsafe fn read(at: *const *mut $C, version: u32) -> Self {
                // SAFETY: the caller vouches for `at`, and any bytes are a value of a raw pointer.
                let target = unsafe { at.read() };
                // SAFETY: a pointer in a message is null or points to a value of the message.
                (!target.is_null()).then(|| unsafe { Field::read(target.cast_const(), version) })
            }
        }
    )*};
}

pointed_to! {
    AuditToken, sys::audit_token_t;
    [u8; 32], sys::es_sha256_t;
}

/// A name in a fixed field, up to its terminator.
impl<'a, const N: usize> Field<'a, [c_char; N]> for &'a [u8] {
    unsafe fn read(at: *const [c_char; N], _version: u32) -> Self {
        // SAFETY: the caller vouches for `N` bytes that stay as they are for `'a`; a `c_char` is a
        // byte, whatever its sign.
        let whole: &'a [u8] = unsafe { std::slice::from_raw_parts(at.cast::<u8>(), N) };
        whole.split(|byte| *byte == 0).next().unwrap_or_default()
    }
}
