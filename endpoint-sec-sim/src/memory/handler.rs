//! A client's blocks: copied when they are handed over, called, disposed of.
//!
//! What `Block_copy` does (clang's Block Implementation Specification): a block of the global class
//! stays where it is; another is copied byte by byte, then its descriptor's `copy` is called on
//! both. When the last owner releases it, `dispose` is called and the copy freed.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ffi::c_void;
use std::ptr::NonNull;

use endpoint_sec_sys::block::{
    BLOCK_HAS_COPY_DISPOSE, BLOCK_IS_GLOBAL, BlockDescriptor, BlockHeader, es_handler_block_t,
    es_handler_invoke_t, es_sync_block_t, es_sync_invoke_t,
};
use endpoint_sec_sys::{es_client_t, es_message_t};

/// A handler that belongs to a client.
#[derive(Debug)]
pub(crate) struct Handler(Owned<es_handler_invoke_t>);

/// A block that `es_sync_client` was handed.
#[derive(Debug)]
pub(crate) struct SyncBlock(Owned<es_sync_invoke_t>);

/// A block as the library keeps it.
#[derive(Debug)]
struct Owned<I> {
    block: NonNull<BlockHeader<I>>,
    /// The layout of the copy; nothing for a global block, which is not copied.
    copied: Option<Layout>,
}

// SAFETY: the caller that passes a block to the library agrees that it is called and disposed of on
// the library's thread (ESClient.h); the copy is reached through this value alone.
unsafe impl<I> Send for Owned<I> {}

// === impl Handler ===

impl Handler {
    /// Takes a handler over.
    ///
    /// # Safety
    ///
    /// You must first convince yourself that `block` is a live block of the handler's type, whose
    /// descriptor outlives every copy, and that it may be called on any thread.
    pub(crate) unsafe fn copy(block: es_handler_block_t) -> Option<Self> {
        // SAFETY: passed on to the caller; the handler block is its header, transparently.
        unsafe { Owned::copy(block.cast()) }.map(Self)
    }

    /// Calls the handler with a message.
    ///
    /// # Safety
    ///
    /// You must first convince yourself that no other call of this handler is under way, and that
    /// the message lives until this one returns.
    pub(crate) unsafe fn call(&self, client: *mut es_client_t, message: *const es_message_t) {
        let block = self.0.block.as_ptr();
        // SAFETY: the block lives as long as `self`.
        let invoke = unsafe { (*block).invoke };
        // SAFETY: the block is handed to its own function; the caller vouches for the message and
        // against overlap.
        unsafe { invoke(block.cast(), client, message) };
    }
}

// === impl SyncBlock ===

impl SyncBlock {
    /// Takes a block over.
    ///
    /// # Safety
    ///
    /// As for [`Handler::copy`], of a block without arguments.
    pub(crate) unsafe fn copy(block: es_sync_block_t) -> Option<Self> {
        // SAFETY: passed on to the caller; the block is its header, transparently.
        unsafe { Owned::copy(block.cast()) }.map(Self)
    }

    /// Calls the block, once.
    pub(crate) fn run(self) {
        let block = self.0.block.as_ptr();
        // SAFETY: the block lives as long as `self`.
        let invoke = unsafe { (*block).invoke };
        // SAFETY: the block is handed to its own function, which takes nothing else.
        unsafe { invoke(block.cast()) };
    }
}

// === impl Owned ===

impl<I> Owned<I> {
    /// # Safety
    ///
    /// As for [`Handler::copy`].
    unsafe fn copy(block: *mut BlockHeader<I>) -> Option<Self> {
        let original = NonNull::new(block)?;
        // SAFETY: the caller vouches for a live block, which begins with its header.
        let flags = unsafe { (*block).flags };
        if flags & BLOCK_IS_GLOBAL != 0 {
            return Some(Self {
                block: original,
                copied: None,
            });
        }
        // SAFETY: as above.
        let descriptor = unsafe { (*block).descriptor };
        // SAFETY: a live block's descriptor is alive.
        let size = unsafe { (*descriptor).size };
        let layout = Layout::from_size_align(size, 16).ok()?;
        // SAFETY: a block is at least as long as its header, so the layout is not empty.
        let copy = unsafe { alloc(layout) };
        let Some(copy) = NonNull::new(copy) else {
            handle_alloc_error(layout);
        };
        // SAFETY: the descriptor's size is that of the whole original; the copy was allocated with
        // it.
        unsafe {
            copy.as_ptr()
                .copy_from_nonoverlapping(block.cast::<u8>(), size)
        };
        let helpers = helpers(flags, descriptor);
        if let Some(helper) = helpers.and_then(|helpers| helpers.copy) {
            // SAFETY: the helper is called on a fresh copy and its original, as the specification
            // has it.
            unsafe { helper(copy.as_ptr().cast::<c_void>(), block.cast::<c_void>()) };
        }
        Some(Self {
            block: copy.cast(),
            copied: Some(layout),
        })
    }
}

impl<I> Drop for Owned<I> {
    fn drop(&mut self) {
        let Some(layout) = self.copied else {
            return;
        };
        let block = self.block.as_ptr();
        // SAFETY: the copy lives until the end of this function.
        let flags = unsafe { (*block).flags };
        // SAFETY: as above.
        let descriptor = unsafe { (*block).descriptor };
        if let Some(dispose) = helpers(flags, descriptor).and_then(|helpers| helpers.dispose) {
            // SAFETY: the helper is called once on a copy that is no longer called.
            unsafe { dispose(block.cast::<c_void>()) };
        }
        // SAFETY: allocated in `copy` with this layout, and owned by this value alone.
        unsafe { dealloc(block.cast::<u8>(), layout) };
    }
}

/// The descriptor's helpers, which are there only if a flag says so.
fn helpers(flags: i32, descriptor: *const BlockDescriptor) -> Option<BlockDescriptor> {
    if flags & BLOCK_HAS_COPY_DISPOSE == 0 {
        return None;
    }
    // SAFETY: a live block's descriptor is alive, and with this flag it has all fields.
    Some(unsafe { descriptor.read() })
}
