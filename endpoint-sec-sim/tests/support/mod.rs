//! A client as a C program would write it: blocks, raw pointers, no wrapper.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::ffi::{CString, c_void};
use std::ptr::null_mut;
use std::sync::{Arc, Mutex};

use endpoint_sec_sys::block::{
    BLOCK_HAS_COPY_DISPOSE, Block, BlockDescriptor, BlockHeader, es_handler_block_s,
    es_handler_invoke_t, stack_block_class,
};
use endpoint_sec_sys::*;

/// What a handler does with a message.
pub(crate) type Body = dyn FnMut(*mut es_client_t, *const es_message_t) + Send;

/// A client, deleted when dropped.
pub(crate) struct Client {
    pub(crate) raw: *mut es_client_t,
}

type Captured = *const Mutex<Box<Body>>;

type HandlerBlock = Block<es_handler_invoke_t, Captured>;

static DESCRIPTOR: BlockDescriptor = BlockDescriptor {
    reserved: 0,
    size: size_of::<HandlerBlock>(),
    copy: Some(copy),
    dispose: Some(dispose),
};

unsafe extern "C" fn copy(to: *mut c_void, _from: *const c_void) {
    // SAFETY: the library hands over its copy of a `HandlerBlock`, whose capture is an `Arc` that
    // lives.
    unsafe { Arc::increment_strong_count((*to.cast::<HandlerBlock>()).captures) };
}

unsafe extern "C" fn dispose(block: *mut c_void) {
    // SAFETY: the library gives up a copy, which owns one count.
    unsafe { Arc::decrement_strong_count((*block.cast::<HandlerBlock>()).captures) };
}

unsafe extern "C" fn invoke(
    block: *mut es_handler_block_s,
    client: *mut es_client_t,
    message: *const es_message_t,
) {
    // SAFETY: the library calls a copy of a `HandlerBlock` that it keeps alive.
    let body = unsafe { &*(*block.cast::<HandlerBlock>()).captures };
    body.lock().unwrap()(client, message);
}

/// A function of the library that makes a client.
pub(crate) type NewClient = unsafe extern "C" fn(
    *mut *mut es_client_t,
    block::es_handler_block_t,
) -> es_new_client_result_t;

impl Client {
    pub(crate) fn new(
        body: impl FnMut(*mut es_client_t, *const es_message_t) + Send + 'static,
    ) -> Result<Self, es_new_client_result_t> {
        Self::made_by(es_new_client, body)
    }

    pub(crate) fn made_by(
        new_client: NewClient,
        body: impl FnMut(*mut es_client_t, *const es_message_t) + Send + 'static,
    ) -> Result<Self, es_new_client_result_t> {
        let body: Box<Body> = Box::new(body);
        let body = Arc::new(Mutex::new(body));
        let mut block: HandlerBlock = Block {
            header: BlockHeader {
                isa: stack_block_class(),
                flags: BLOCK_HAS_COPY_DISPOSE,
                reserved: 0,
                invoke,
                descriptor: &raw const DESCRIPTOR,
            },
            captures: Arc::as_ptr(&body),
        };
        let mut raw = null_mut();
        // SAFETY: the block lives until the function returns, and the library copies it.
        let result = unsafe { new_client(&raw mut raw, (&raw mut block).cast()) };
        if result == es_new_client_result_t::ES_NEW_CLIENT_RESULT_SUCCESS {
            Ok(Self { raw })
        } else {
            Err(result)
        }
    }

    pub(crate) fn subscribe(&self, events: &[es_event_type_t]) -> es_return_t {
        let count = events.len().try_into().unwrap();
        // SAFETY: the client lives, and the array has that many items.
        unsafe { es_subscribe(self.raw, events.as_ptr(), count) }
    }

    pub(crate) fn delete(self) -> es_return_t {
        let raw = self.raw;
        std::mem::forget(self);
        // SAFETY: the client lives, and nobody else uses it any more.
        unsafe { es_delete_client(raw) }
    }

    pub(crate) fn mute_path(&self, path: &str, kind: es_mute_path_type_t) -> es_return_t {
        let path = CString::new(path).unwrap();
        let mute = newer::es_mute_path().unwrap();
        // SAFETY: the client lives, and the path is a C string.
        unsafe { mute(self.raw, path.as_ptr(), kind) }
    }

    pub(crate) fn unmute_path(&self, path: &str, kind: es_mute_path_type_t) -> es_return_t {
        let path = CString::new(path).unwrap();
        let unmute = newer::es_unmute_path().unwrap();
        // SAFETY: the client lives, and the path is a C string.
        unsafe { unmute(self.raw, path.as_ptr(), kind) }
    }

    pub(crate) fn invert(&self, kind: es_mute_inversion_type_t) -> es_return_t {
        let invert = newer::es_invert_muting().unwrap();
        // SAFETY: the client lives.
        unsafe { invert(self.raw, kind) }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // SAFETY: the client lives, and nobody else uses it any more.
        let result = unsafe { es_delete_client(self.raw) };
        if !std::thread::panicking() {
            assert_eq!(result, es_return_t::ES_RETURN_SUCCESS);
        }
    }
}

/// A pointer that a test passes to another thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Passed<T>(pub(crate) *const T);

impl<T> Passed<T> {
    /// The pointer. A method, so that closures take the whole value along.
    pub(crate) fn get(&self) -> *const T {
        self.0
    }
}

// SAFETY: the test sees to it that what the pointer leads to lives.
unsafe impl<T> Send for Passed<T> {}

pub(crate) fn allow(client: *mut es_client_t, message: *const es_message_t) -> es_respond_result_t {
    respond(
        client,
        message,
        es_auth_result_t::ES_AUTH_RESULT_ALLOW,
        false,
    )
}

pub(crate) fn deny(client: *mut es_client_t, message: *const es_message_t) -> es_respond_result_t {
    respond(
        client,
        message,
        es_auth_result_t::ES_AUTH_RESULT_DENY,
        false,
    )
}

pub(crate) fn respond(
    client: *mut es_client_t,
    message: *const es_message_t,
    result: es_auth_result_t,
    cache: bool,
) -> es_respond_result_t {
    // SAFETY: the simulator looks at the addresses only.
    unsafe { es_respond_auth_result(client, message, result, cache) }
}

pub(crate) fn respond_flags(
    client: *mut es_client_t,
    message: *const es_message_t,
    flags: u32,
    cache: bool,
) -> es_respond_result_t {
    // SAFETY: the simulator looks at the addresses only.
    unsafe { es_respond_flags_result(client, message, flags, cache) }
}

/// The event type of a message that lives.
pub(crate) fn event_of(message: *const es_message_t) -> es_event_type_t {
    // SAFETY: the message lives, and every version has the field.
    unsafe { (&raw const (*message).event_type).read() }
}

/// Whether a message that lives wants an answer.
pub(crate) fn asks(message: *const es_message_t) -> bool {
    // SAFETY: the message lives, and every version has the field.
    let action = unsafe { (&raw const (*message).action_type).read() };
    action == es_action_type_t::ES_ACTION_TYPE_AUTH
}

/// The bytes of a token.
pub(crate) fn text(token: es_string_token_t) -> Vec<u8> {
    if token.data.is_null() {
        return Vec::new();
    }
    // SAFETY: the message that the token belongs to lives.
    unsafe { std::slice::from_raw_parts(token.data.cast::<u8>(), token.length) }.to_vec()
}

/// The path of a file of a message that lives.
pub(crate) fn path_of(file: *const es_file_t) -> Vec<u8> {
    // SAFETY: as above.
    text(unsafe { (&raw const (*file).path).read() })
}

/// Messages seen by a handler: event type, sequence number, global sequence number.
pub(crate) type Seen = Arc<Mutex<Vec<(es_event_type_t, u64, u64)>>>;

/// A handler that allows what asks and writes down what it saw. For releases from 11.0 on.
pub(crate) fn recorder() -> (
    Seen,
    impl FnMut(*mut es_client_t, *const es_message_t) + Send,
) {
    let seen = Seen::default();
    let record = seen.clone();
    let body = move |client: *mut es_client_t, message: *const es_message_t| {
        // SAFETY: the message lives during the call; version 4 and later have these fields.
        let numbers = unsafe { ((*message).seq_num, (*message).global_seq_num) };
        record
            .lock()
            .unwrap()
            .push((event_of(message), numbers.0, numbers.1));
        if event_of(message) == es_event_type_t::ES_EVENT_TYPE_AUTH_OPEN {
            respond_flags(client, message, u32::MAX, false);
        } else if asks(message) {
            allow(client, message);
        }
    };
    (seen, body)
}
