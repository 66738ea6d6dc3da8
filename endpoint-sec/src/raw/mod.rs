//! Reading the structs of a message.
//!
//! Everything a message holds is read here, and only here. A struct is never turned into a Rust
//! reference: an older system allocates less of it than this crate's type is long (`es_process_t`
//! is 120 bytes on macOS 10.15 and 248 on macOS 27), and a reference to memory that is not there is
//! undefined behaviour even if its end is never read. Instead a [`Raw`] is a pointer, the
//! version of the message it came with, and the lifetime of that message; single fields are read
//! through it once their version is known to be there.
//!
//! The views of the other modules are declared with [`view!`](crate::raw::view). The macro writes
//! the reads and their gates; a declaration says the name, the version and the type of each field,
//! and holds no unsafe code.

use endpoint_sec_sys as sys;
use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;

pub(crate) mod acl;
pub(crate) mod audit;
pub(crate) mod block;
pub(crate) mod clock;
pub(crate) mod connection;
pub(crate) mod declare;
pub(crate) mod entitlements;
pub(crate) mod exec;
mod fields;
#[cfg(test)]
mod gates;
pub(crate) mod list;
pub(crate) mod message;
pub(crate) mod slot;

pub(crate) use declare::{enum_field, events, view};

/// A struct of the C type `C` inside a message of a known version.
///
/// Whoever makes one has argued (see [`Raw::new`]) that for `'a` the memory behind it stays
/// allocated and unchanged.
pub(crate) struct Raw<'a, C> {
    at: NonNull<C>,
    version: u32,
    message: PhantomData<&'a C>,
}

/// A type that represents a value of the C type `R` in a message.
pub(crate) trait Field<'a, R>: Sized {
    /// Reads the value.
    ///
    /// # Safety
    ///
    /// You must first convince yourself that `at` points to an `R` inside a message of version
    /// `version`, that this version of the message has it, and that the message, with all it points
    /// to, stays as it is for `'a`.
    unsafe fn read(at: *const R, version: u32) -> Self;
}

/// A value in a view's `Debug` output: byte strings are shown as text.
pub(crate) trait Show {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

/// Lends [`Show`] to `Debug`.
pub(crate) struct Shown<'s, T>(pub(crate) &'s T);

// === impl Raw ===

impl<'a, C> Raw<'a, C> {
    /// A view of the struct at `at`; of an empty one if the pointer is null.
    ///
    /// The headers promise that most pointers are not null (those of macOS 10.15 did not yet). A
    /// system that breaks the promise must not crash its guardian: such a struct reads as zeros,
    /// that is empty strings and no files.
    ///
    /// # Safety
    ///
    /// You must first convince yourself that `at` is null, or points to a `C` (or to as much of one
    /// as a system that writes messages of `version` allocates) inside a message that stays
    /// allocated and unchanged for `'a`.
    pub(crate) unsafe fn new(at: *const C, version: u32) -> Self {
        Self {
            at: NonNull::new(at.cast_mut()).unwrap_or_else(empty::<C>),
            version,
            message: PhantomData,
        }
    }

    /// Where the struct is. Reading it is for this module; C functions may be given it.
    pub(crate) fn as_ptr(self) -> *const C {
        self.at.as_ptr().cast_const()
    }

    /// The same; never null.
    pub(crate) fn as_non_null(self) -> NonNull<C> {
        self.at
    }

    /// The version of the message it is part of.
    pub(crate) fn version(self) -> u32 {
        self.version
    }
}

impl<C> Clone for Raw<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Raw<'_, C> {}

// SAFETY: a `Raw` gives read access to memory that is not changed while it lives (`Raw::new`), as a
// shared reference would; which thread reads it makes no difference, since Endpoint Security
// documents that retained messages may be used on any thread and the structs have no interior
// mutability.
unsafe impl<C> Send for Raw<'_, C> {}

// SAFETY: as for `Send`: all access through a `Raw` is reading of unchanging memory.
unsafe impl<C> Sync for Raw<'_, C> {}

/// A struct of zeros.
fn empty<C>() -> NonNull<C> {
    const { assert!(size_of::<C>() <= size_of::<Zeros>() && align_of::<C>() <= align_of::<Zeros>()) };
    NonNull::from(&ZEROS).cast()
}

/// As much zeroed memory as the longest struct that is reached by a pointer takes (`struct statfs`,
/// 2168 bytes).
///
/// All-zero bytes are a valid value of every C struct of the API: integers and enumerations are
/// zero, pointers null.
#[repr(align(16))]
struct Zeros(#[expect(dead_code, reason = "read through pointers of other types")] [u8; 2304]);

static ZEROS: Zeros = Zeros([0; 2304]);

// === Fields ===

/// Fields that are read as they are: every bit pattern is a value.
macro_rules! plain {
    ($($type:ty),* $(,)?) => {$(
        impl<'a> Field<'a, Self> for $type {
            unsafe fn read(at: *const Self, _version: u32) -> Self {
                // SAFETY: the caller vouches for `at`, and any bytes are a value of this type.
                unsafe { at.read() }
            }
        }
    )*};
}

plain!(u16, u32, i32, u64, i64, usize, [u8; 16], [u8; 20], [u8; 32]);

impl<'a> Field<'a, Self> for bool {
    unsafe fn read(at: *const Self, _version: u32) -> Self {
        // SAFETY: the caller vouches for `at`. It is read as a byte, since a C `_Bool` that was
        // never written properly may be neither 0 nor 1, which a Rust `bool` must not be.
        unsafe { at.cast::<u8>().read() != 0 }
    }
}

impl<'a> Field<'a, sys::es_string_token_t> for Option<&'a [u8]> {
    unsafe fn read(at: *const sys::es_string_token_t, _version: u32) -> Self {
        // SAFETY: the caller vouches for `at`; the struct is three words of which any bytes are a
        // value.
        let token = unsafe { at.read() };
        // SAFETY: a token that Endpoint Security wrote has `length` bytes at `data`, or a null
        // `data`; they belong to the message, which the caller promises to stay unchanged for `'a`.
        unsafe { bytes(token.data.cast(), token.length) }
    }
}

impl<'a> Field<'a, sys::es_string_token_t> for &'a [u8] {
    unsafe fn read(at: *const sys::es_string_token_t, version: u32) -> Self {
        // SAFETY: the promises are the same.
        let token: Option<&[u8]> = unsafe { Field::read(at, version) };
        token.unwrap_or_default()
    }
}

impl<'a> Field<'a, sys::es_token_t> for &'a [u8] {
    unsafe fn read(at: *const sys::es_token_t, _version: u32) -> Self {
        // SAFETY: the caller vouches for `at`; any bytes are a value of this struct.
        let token = unsafe { at.read() };
        // SAFETY: as for string tokens: `size` bytes at `data`, for as long as the message lives.
        unsafe { bytes(token.data, token.size) }.unwrap_or_default()
    }
}

/// The bytes of a token; `None` if it has no data.
///
/// # Safety
///
/// You must first convince yourself that `data` is null or points to `length` bytes that stay
/// unchanged for `'a`.
pub(crate) unsafe fn bytes<'a>(data: *const u8, length: usize) -> Option<&'a [u8]> {
    // A longer slice cannot exist in Rust, nor in the message of a sane system.
    if data.is_null() || length > isize::MAX.unsigned_abs() {
        return None;
    }
    // SAFETY: the caller vouches for the bytes; the pointer is not null and the length fits a
    // slice.
    Some(unsafe { std::slice::from_raw_parts(data, length) })
}

// === Showing ===

impl<T: Show> fmt::Debug for Shown<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.show(f)
    }
}

impl Show for &[u8] {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names are plain text nearly always: runs of it are written whole.
        f.write_str("\"")?;
        let mut rest = *self;
        while !rest.is_empty() {
            let plain = rest.iter().position(|&byte| !is_plain(byte));
            let (text, odd) = rest.split_at(plain.unwrap_or(rest.len()));
            f.write_str(std::str::from_utf8(text).unwrap_or_default())?;
            let (odd, after) = odd.split_at(odd.len().min(1));
            write!(f, "{}", odd.escape_ascii())?;
            rest = after;
        }
        f.write_str("\"")
    }
}

/// Whether a byte is shown as it is in a text.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\'' | b'\\')
}

/// Hashes and identifiers, in hexadecimal.
impl<const N: usize> Show for [u8; N] {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [[0; 2]; N];
        for (byte, digits) in self.iter().zip(&mut text) {
            let digit = |number: u8| DIGITS[usize::from(number & 0xf)];
            *digits = [digit(byte >> 4), digit(*byte)];
        }
        f.write_str(std::str::from_utf8(text.as_flattened()).unwrap_or_default())
    }
}

impl<T: Show> Show for Option<T> {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Some(value) => value.show(f),
            None => f.write_str("None"),
        }
    }
}

/// Types whose `Debug` is what a view shows.
macro_rules! shown_as_debug {
    ($($type:ty),* $(,)?) => {$(
        impl $crate::raw::Show for $type {
            fn show(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(self, f)
            }
        }
    )*};
}
pub(crate) use shown_as_debug;

shown_as_debug!(bool, u16, u32, i32, u64, usize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_show_what_is_odd_in_them_and_hashes_are_hexadecimal() {
        let shown = |text: &[u8]| format!("{:?}", Shown(&text));
        assert_eq!(shown(b""), r#""""#);
        assert_eq!(shown(b"/Users/ann/a b"), r#""/Users/ann/a b""#);
        assert_eq!(shown(b"\x00a\"b\\\xff\n~"), r#""\x00a\"b\\\xff\n~""#);
        assert_eq!(format!("{:?}", Shown(&[0x0au8, 0x10, 0xff])), "0a10ff");
        assert_eq!(format!("{:?}", Shown(&[0u8; 0])), "");
    }
}
