//! Blocks: how a handler is passed to the library, laid out by hand.
//!
//! A block is a struct that begins with [`BlockHeader`]; what it captures follows. The layout is
//! the one that clang's *Block Implementation Specification* fixes. `es_new_client` copies the
//! block before it returns: a block of the stack class is copied byte by byte, then its
//! descriptor's `copy` is called; a block of the global class is used in place and never freed.

use crate::client::es_client_t;
use crate::message::es_message_t;
use core::ffi::{c_int, c_void};

/// In `flags`: the descriptor has `copy` and `dispose`.
pub const BLOCK_HAS_COPY_DISPOSE: c_int = 1 << 25;
/// In `flags`: the block is of the global class, is never copied and never freed.
pub const BLOCK_IS_GLOBAL: c_int = 1 << 28;
/// In `flags`: the descriptor has a signature.
pub const BLOCK_HAS_SIGNATURE: c_int = 1 << 30;

/// What every block begins with; `I` is the type of its function.
#[repr(C)]
#[derive(Debug)]
pub struct BlockHeader<I> {
    /// The class: [`stack_block_class`] or [`global_block_class`].
    pub isa: *const c_void,
    /// `BLOCK_*`.
    pub flags: c_int,
    /// Zero.
    pub reserved: c_int,
    /// The function, which gets the block as its first argument.
    pub invoke: I,
    /// The block's size, and how it is copied. Lives as long as any copy of the block.
    pub descriptor: *const BlockDescriptor,
}

/// A block that captures a `C`.
#[repr(C)]
#[derive(Debug)]
pub struct Block<I, C> {
    /// What every block begins with.
    pub header: BlockHeader<I>,
    /// What this one captures.
    pub captures: C,
}

/// A block's size, and how it is copied.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct BlockDescriptor {
    /// Zero.
    pub reserved: usize,
    /// The size of the whole block, in bytes.
    pub size: usize,
    /// Called on a new copy and the block it was copied from, after the bytes were copied. There
    /// only with [`BLOCK_HAS_COPY_DISPOSE`].
    pub copy: Option<unsafe extern "C" fn(to: *mut c_void, from: *const c_void)>,
    /// Called on a copy before it is freed. There only with [`BLOCK_HAS_COPY_DISPOSE`].
    pub dispose: Option<unsafe extern "C" fn(block: *mut c_void)>,
}

/// The function of a handler: called once for each message, never twice at the same time, on a
/// thread that belongs to the library.
pub type es_handler_invoke_t =
    unsafe extern "C" fn(*mut es_handler_block_s, *mut es_client_t, *const es_message_t);

/// The function of `es_sync_client`'s block.
pub type es_sync_invoke_t = unsafe extern "C" fn(*mut es_sync_block_s);

/// A handler, of which only the header is known.
#[repr(transparent)]
#[derive(Debug)]
pub struct es_handler_block_s(pub BlockHeader<es_handler_invoke_t>);

/// A block for `es_sync_client`, of which only the header is known.
#[repr(transparent)]
#[derive(Debug)]
pub struct es_sync_block_s(pub BlockHeader<es_sync_invoke_t>);

/// A handler, as the library takes it: `void (^)(es_client_t *, const es_message_t *)`.
pub type es_handler_block_t = *mut es_handler_block_s;

/// What `es_sync_client` takes: `void (^)(void)`.
pub type es_sync_block_t = *mut es_sync_block_s;

#[cfg(target_vendor = "apple")]
unsafe extern "C" {
    static _NSConcreteStackBlock: [*const c_void; 32];
    static _NSConcreteGlobalBlock: [*const c_void; 32];
}

/// The class of a block that is copied when it is kept. Null off Apple's targets, where it
/// is not used.
pub fn stack_block_class() -> *const c_void {
    #[cfg(target_vendor = "apple")]
    return (&raw const _NSConcreteStackBlock).cast();
    #[cfg(not(target_vendor = "apple"))]
    core::ptr::null()
}

/// The class of a block that is never copied. Null off Apple's targets, where it is not used.
pub fn global_block_class() -> *const c_void {
    #[cfg(target_vendor = "apple")]
    return (&raw const _NSConcreteGlobalBlock).cast();
    #[cfg(not(target_vendor = "apple"))]
    core::ptr::null()
}
