//! The memory of messages: every object in an allocation of its own, exactly as long as the release
//! makes it.
//!
//! An older release allocates shorter objects, so reading a field that the message version does
//! not have reads past an allocation, which Miri and sanitizers notice. Where the union of a
//! message has room for a field that the version does not have, its bytes are undefined to Miri and
//! a conspicuous pattern elsewhere.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

use endpoint_sec_sys::{es_string_token_t, es_token_t};

pub(crate) mod handler;
pub(crate) mod lists;
pub(crate) mod message;
pub(crate) mod objects;
pub(crate) mod reader;

/// Allocations that live and die together: one message with everything it points to.
#[derive(Debug)]
pub struct Arena {
    version: u32,
    blocks: Vec<(NonNull<u8>, Layout)>,
}

// SAFETY: an arena owns its allocations; nothing in it is tied to a thread, and `&Arena` gives no
// access to the bytes.
unsafe impl Send for Arena {}

// === impl Arena ===

impl Arena {
    /// An empty arena for a message of this version.
    pub(crate) fn new(version: u32) -> Self {
        Self {
            version,
            blocks: Vec::with_capacity(16),
        }
    }

    /// The version of the message that is being built.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Copies a value into the arena.
    pub fn place<T: Copy>(&mut self, value: T) -> *mut T {
        self.place_short(value, size_of::<T>())
    }

    /// Copies the first `size` bytes of a value into an allocation that is exactly that long.
    ///
    /// # Panics
    ///
    /// When `size` is more than the value has.
    pub(crate) fn place_short<T: Copy>(&mut self, value: T, size: usize) -> *mut T {
        assert!(size <= size_of::<T>(), "an object has only its own bytes");
        let to = self.reserve(size, align_of::<T>());
        let from = (&raw const value).cast::<MaybeUninit<u8>>();
        // SAFETY: `from` is a live value of at least `size` bytes (asserted), read as bytes that
        // may be padding; `to` was just allocated with `size` bytes, so the two do not
        // overlap.
        unsafe {
            to.cast::<MaybeUninit<u8>>()
                .copy_from_nonoverlapping(from, size)
        };
        to.cast()
    }

    /// Copies a value that ends, in messages older than version `since`, where its field at `gate`
    /// begins.
    pub fn place_gated<T: Copy>(&mut self, value: T, since: u32, gate: usize) -> *mut T {
        let size = if self.version < since {
            gate.next_multiple_of(align_of::<T>())
        } else {
            size_of::<T>()
        };
        self.place_short(value, size)
    }

    /// Copies values into the arena, one after the other; null when there are none.
    pub fn place_all<T: Copy>(&mut self, values: &[T]) -> *mut T {
        if values.is_empty() {
            return std::ptr::null_mut();
        }
        let to = self
            .reserve(size_of_val(values), align_of::<T>())
            .cast::<T>();
        // SAFETY: `to` was just allocated for exactly these values with their alignment.
        unsafe { to.copy_from_nonoverlapping(values.as_ptr(), values.len()) };
        to
    }

    /// A string token over a copy of the bytes, which no zero follows.
    pub fn string(&mut self, text: impl AsRef<[u8]>) -> es_string_token_t {
        let text = text.as_ref();
        // An empty token still points somewhere: empty and absent are different answers.
        let data = if text.is_empty() {
            self.reserve(1, 1)
        } else {
            self.place_all(text)
        };
        es_string_token_t {
            length: text.len(),
            data: data.cast::<c_char>(),
        }
    }

    /// A string token for a text that may be absent.
    pub fn optional_string(&mut self, text: Option<impl AsRef<[u8]>>) -> es_string_token_t {
        text.map_or_else(no_string, |text| self.string(text))
    }

    /// A token over a copy of the bytes.
    pub fn token(&mut self, bytes: impl AsRef<[u8]>) -> es_token_t {
        let bytes = bytes.as_ref();
        es_token_t {
            size: bytes.len(),
            data: self.place_all(bytes),
        }
    }

    /// The length of the allocation that was made last.
    #[cfg(test)]
    pub(crate) fn last_block(&self) -> usize {
        self.blocks.last().map_or(0, |(_, layout)| layout.size())
    }

    fn reserve(&mut self, size: usize, align: usize) -> *mut u8 {
        let layout = Layout::from_size_align(size.max(1), align);
        let layout = layout.expect("an object of a message is small and aligned to a power of two");
        // SAFETY: the layout is never of size zero.
        let block = unsafe { alloc(layout) };
        let Some(block) = NonNull::new(block) else {
            handle_alloc_error(layout);
        };
        self.blocks.push((block, layout));
        block.as_ptr()
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        for (block, layout) in self.blocks.drain(..) {
            // SAFETY: the block came from `alloc` with this layout and leaves the list with this
            // one iteration.
            unsafe { dealloc(block.as_ptr(), layout) };
        }
    }
}

/// The token of a text that is absent: no bytes, and a null pointer.
#[must_use]
pub fn no_string() -> es_string_token_t {
    es_string_token_t {
        length: 0,
        data: std::ptr::null(),
    }
}

/// Makes bytes unreadable: undefined to Miri, a pattern that is no address elsewhere.
///
/// # Safety
///
/// You must first convince yourself that `length` bytes at `at` may be written and that nobody
/// needs what they hold.
pub(crate) unsafe fn poison(at: *mut u8, length: usize) {
    if cfg!(miri) {
        for offset in 0..length {
            // SAFETY: the caller vouches for `length` writable bytes, and `offset` is below that.
            let byte = unsafe { at.add(offset) };
            // SAFETY: as above; an uninitialised byte is a value of this type.
            unsafe { byte.cast::<MaybeUninit<u8>>().write(MaybeUninit::uninit()) };
        }
    } else {
        // SAFETY: the caller vouches for `length` writable bytes.
        unsafe { at.write_bytes(0xA5, length) };
    }
}
