//! Lengths with bytes: how every text and blob is passed.

use core::ffi::c_char;

/// A length and bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_token_t {
    /// How many bytes.
    pub size: usize,
    /// The bytes; may be null.
    pub data: *const u8,
}

/// A length and text: not always UTF-8, not to be used as a C string.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct es_string_token_t {
    /// How many bytes, without a terminator.
    pub length: usize,
    /// The text; may be null.
    pub data: *const c_char,
}
