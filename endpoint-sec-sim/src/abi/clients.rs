//! Clients: made, deleted, synchronised.

use std::ptr::without_provenance_mut;

use endpoint_sec_sys::block::{es_handler_block_t, es_sync_block_t};
use endpoint_sec_sys::{es_client_t, es_new_client_result_t, es_return_t};

use crate::abi::{machine, null};
use crate::machine::clients::Scope;
use crate::memory::handler::{Handler, SyncBlock};

#[unsafe(no_mangle)]
unsafe extern "C" fn es_new_client(
    client: *mut *mut es_client_t,
    handler: es_handler_block_t,
) -> es_new_client_result_t {
    // SAFETY: the caller keeps the C function's contract, which is this one's.
    unsafe { new_client(client, handler, Scope::Everything, "es_new_client") }
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn es_new_descendants_client(
    client: *mut *mut es_client_t,
    handler: es_handler_block_t,
) -> es_new_client_result_t {
    // SAFETY: the caller keeps the C function's contract, which is this one's.
    unsafe {
        new_client(
            client,
            handler,
            Scope::Descendants,
            "es_new_descendants_client",
        )
    }
}

/// # Safety
///
/// You must first convince yourself that `client` may be written and that `handler` is a live block
/// of its type, or that they are null.
unsafe fn new_client(
    client: *mut *mut es_client_t,
    handler: es_handler_block_t,
    scope: Scope,
    function: &'static str,
) -> es_new_client_result_t {
    type R = es_new_client_result_t;
    let Some(shared) = machine(function) else {
        return R::ES_NEW_CLIENT_RESULT_ERR_INTERNAL;
    };
    if client.is_null() || handler.is_null() {
        null(&shared, function);
        return R::ES_NEW_CLIENT_RESULT_ERR_INVALID_ARGUMENT;
    }
    // SAFETY: not null; the caller vouches for the block.
    let Some(handler) = (unsafe { Handler::copy(handler) }) else {
        return R::ES_NEW_CLIENT_RESULT_ERR_INTERNAL;
    };
    match shared.new_client(handler, scope) {
        Ok(id) => {
            // SAFETY: not null; the caller vouches for the rest.
            unsafe { client.write(without_provenance_mut(id)) };
            R::ES_NEW_CLIENT_RESULT_SUCCESS
        }
        Err(error) => error,
    }
}

#[unsafe(no_mangle)]
extern "C" fn es_delete_client(client: *mut es_client_t) -> es_return_t {
    match machine("es_delete_client") {
        Some(shared) => shared.delete_client(client.addr()),
        None => es_return_t::ES_RETURN_ERROR,
    }
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn es_sync_client(
    client: *mut es_client_t,
    block: es_sync_block_t,
) -> es_return_t {
    let function = "es_sync_client";
    let Some(shared) = machine(function) else {
        return es_return_t::ES_RETURN_ERROR;
    };
    // SAFETY: the caller vouches for a live block or null.
    let Some(block) = (unsafe { SyncBlock::copy(block) }) else {
        null(&shared, function);
        return es_return_t::ES_RETURN_ERROR;
    };
    shared.sync(client.addr(), block)
}
