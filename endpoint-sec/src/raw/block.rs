//! Blocks: how a Rust value becomes what the library calls.
//!
//! A block is a struct that the library copies. What it captures here is one pointer, to a value in
//! an [`Arc`]: copying the block adds an owner, disposing of the copy takes one away. The value is
//! valid exactly as long as the library may call the block, in whatever order things are deleted.

use crate::error::{CallError, StartError};
use crate::message::MessageView;
use crate::raw::connection::{ClientPtr, Connection, available, introduced};
use endpoint_sec_sys::block::{
    BLOCK_HAS_COPY_DISPOSE, Block, BlockDescriptor, BlockHeader, es_handler_block_s,
    es_handler_invoke_t, es_sync_block_s, es_sync_invoke_t, stack_block_class,
};
use endpoint_sec_sys::{self as sys, es_client_t, es_message_t, es_new_client_result_t};
use std::ffi::c_void;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};
use std::sync::Arc;

/// What gets a client's messages.
pub(crate) trait Deliver: Send + Sync + 'static {
    /// Takes a message, which is gone when this returns. It must not unwind; if it does, the
    /// process is aborted, as unwinding into C would be worse.
    fn deliver(&self, message: MessageView<'_>);
}

/// Called when all earlier messages have been handled.
pub(crate) trait Reached: Send + Sync + 'static {
    /// Called once, on a thread of the library. It must not unwind.
    fn reached(&self);
}

/// Which kind of client to make.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ClientKind {
    /// One that sees the whole machine.
    System,
    /// One that sees the descendants of this process.
    Descendants,
}

/// The parts of a block that captures an `Arc<T>`.
struct Captured<T>(PhantomData<T>);

impl<T: Send + Sync + 'static> Captured<T> {
    /// Lives for ever, as copies of the block need.
    const DESCRIPTOR: &'static BlockDescriptor = &BlockDescriptor {
        reserved: 0,
        // The size does not depend on the function's type: a pointer is a pointer.
        size: size_of::<Block<es_sync_invoke_t, *const T>>(),
        copy: Some(Self::copy),
        dispose: Some(Self::dispose),
    };

    fn block<I>(invoke: I, value: &Arc<T>) -> Block<I, *const T> {
        const { assert!(size_of::<I>() == size_of::<es_sync_invoke_t>()) };
        Block {
            header: BlockHeader {
                isa: stack_block_class(),
                flags: BLOCK_HAS_COPY_DISPOSE,
                reserved: 0,
                invoke,
                descriptor: Self::DESCRIPTOR,
            },
            captures: Arc::as_ptr(value),
        }
    }

    /// The pointer that a block captures.
    ///
    /// # Safety
    ///
    /// You must first convince yourself that `block` is one that [`Self::block`] made, or a copy.
    unsafe fn captured(block: *const c_void) -> *const T {
        let block = block.cast::<Block<es_sync_invoke_t, *const T>>();
        // SAFETY: the caller vouches for the block; what is captured follows its header.
        unsafe { (*block).captures }
    }

    unsafe extern "C" fn copy(_to: *mut c_void, from: *const c_void) {
        // SAFETY: the library calls this on a block with this very descriptor.
        let value = unsafe { Self::captured(from) };
        // SAFETY: the block that is copied has an owner's share: either it is the original, beside
        // which its maker holds the `Arc`, or a copy with its own. The new copy gets one.
        unsafe { Arc::increment_strong_count(value) };
    }

    unsafe extern "C" fn dispose(block: *mut c_void) {
        // SAFETY: the library calls this on a copy of a block with this very descriptor.
        let value = unsafe { Self::captured(block) };
        // SAFETY: the share is the one that `copy` added for this copy, which is never used again.
        drop_share(unsafe { Arc::from_raw(value) });
    }

    /// Another share of what a block captures, for the time of a call.
    ///
    /// # Safety
    ///
    /// You must first convince yourself that `block` is one that [`Self::block`] made, or a copy,
    /// and was not disposed of.
    unsafe fn share(block: *const c_void) -> Arc<T> {
        // SAFETY: the caller vouches for the block.
        let value = unsafe { Self::captured(block) };
        // SAFETY: the block has a share, so the value is there to be shared.
        unsafe { Arc::increment_strong_count(value) };
        // SAFETY: this is the share that was just added.
        unsafe { Arc::from_raw(value) }
    }
}

/// Makes a client whose messages go to `deliver`, and opens `connection` on it.
pub(crate) fn new_client<D: Deliver>(
    kind: ClientKind,
    deliver: &Arc<D>,
    connection: &Connection,
) -> Result<(), StartError> {
    let mut block = Captured::block(deliver_message::<D> as es_handler_invoke_t, deliver);
    let block = (&raw mut block).cast::<es_handler_block_s>();
    let mut client: *mut es_client_t = ptr::null_mut();
    let result = match kind {
        ClientKind::System => {
            // SAFETY: `client` is a local; the block is a complete one, which the library copies
            // before it returns, while `deliver` is held by the caller.
            unsafe { sys::es_new_client(&raw mut client, block) }
        }
        ClientKind::Descendants => {
            const CALL: &str = "es_new_descendants_client";
            let function = sys::newer::es_new_descendants_client().ok_or_else(|| {
                StartError::NotAvailable {
                    function: CALL,
                    since: introduced(CALL),
                    running: sys::os_version(),
                }
            })?;
            // SAFETY: as above.
            unsafe { function(&raw mut client, block) }
        }
    };
    StartError::check(result)?;
    let client = NonNull::new(client).ok_or(StartError::Internal)?;
    connection.open(ClientPtr::new(client));
    Ok(())
}

/// Deletes the client, if there is one. For the thread that made it, and never in its handler.
///
/// Returns whether the library deleted it.
pub(crate) fn delete_client(connection: &Connection) -> bool {
    let Some(client) = connection.take() else {
        return true;
    };
    // SAFETY: the pointer was taken out of the connection, which waited for all calls on it and
    // starts no more; it is deleted once, on the thread that made it (`client::thread::run`).
    let result = unsafe { sys::es_delete_client(client.as_ptr()) };
    result == sys::es_return_t::ES_RETURN_SUCCESS
}

/// Calls `reached` when all messages that were enqueued before were handled, or the client is
/// deleted.
pub(crate) fn sync<R: Reached>(connection: &Connection, reached: &Arc<R>) -> Result<(), CallError> {
    const CALL: &str = "es_sync_client";
    let function = available(CALL, sys::newer::es_sync_client())?;
    let mut block = Captured::block(report_reached::<R> as es_sync_invoke_t, reached);
    let block = (&raw mut block).cast::<es_sync_block_s>();
    connection.call(CALL, |client| {
        // SAFETY: the client is there; the block is a complete one, which the library copies
        // before it returns, while `reached` is held by the caller, who is not the handler.
        unsafe { function(client, block) }
    })
}

unsafe extern "C" fn deliver_message<D: Deliver>(
    block: *mut es_handler_block_s,
    _client: *mut es_client_t,
    message: *const es_message_t,
) {
    // SAFETY: the library calls the function of a block with that block, which it holds meanwhile.
    let deliver = unsafe { Captured::<D>::share(block.cast_const().cast()) };
    if let Some(message) = NonNull::new(message.cast_mut()) {
        // SAFETY: the library delivers a message that is there until this function returns. The
        // view is passed down only, with a lifetime that its receivers know nothing about but that
        // it lasts as long as their call.
        deliver.deliver(unsafe { MessageView::from_ptr(message) });
    }
    drop_share(deliver);
}

unsafe extern "C" fn report_reached<R: Reached>(block: *mut es_sync_block_s) {
    // SAFETY: the library calls the function of a block with that block, which it holds meanwhile.
    let reached = unsafe { Captured::<R>::share(block.cast_const().cast()) };
    reached.reached();
    drop_share(reached);
}

/// Drops a share. It may be the last one, and what the value holds may be the user's and panic: the
/// panic hook has reported it by then.
fn drop_share<T>(share: Arc<T>) {
    drop(catch_unwind(AssertUnwindSafe(|| drop(share))));
}

// === impl StartError ===

impl StartError {
    fn check(result: es_new_client_result_t) -> Result<(), Self> {
        use es_new_client_result_t as Result_;
        match result {
            Result_::ES_NEW_CLIENT_RESULT_SUCCESS => Ok(()),
            Result_::ES_NEW_CLIENT_RESULT_ERR_INVALID_ARGUMENT => Err(Self::InvalidArgument),
            Result_::ES_NEW_CLIENT_RESULT_ERR_INTERNAL => Err(Self::Internal),
            Result_::ES_NEW_CLIENT_RESULT_ERR_NOT_ENTITLED => Err(Self::NotEntitled),
            Result_::ES_NEW_CLIENT_RESULT_ERR_NOT_PERMITTED => Err(Self::NotPermitted),
            Result_::ES_NEW_CLIENT_RESULT_ERR_NOT_PRIVILEGED => Err(Self::NotPrivileged),
            Result_::ES_NEW_CLIENT_RESULT_ERR_TOO_MANY_CLIENTS => Err(Self::TooManyClients),
            es_new_client_result_t(other) => Err(Self::Other(other)),
        }
    }
}
