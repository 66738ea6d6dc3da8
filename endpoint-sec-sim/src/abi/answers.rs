//! Answers to AUTH messages.

use endpoint_sec_sys::{es_auth_result_t, es_client_t, es_message_t, es_respond_result_t};

use std::cell::Cell;
use std::time::Instant;

use crate::abi::machine;
use crate::machine::answers::Answer;

thread_local! {
    static LAST: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// When the calling thread last called a function that answers, for benches: by the host's clock,
/// before the machine does anything with the answer.
#[must_use]
pub fn last_answer() -> Option<Instant> {
    LAST.get()
}

#[unsafe(no_mangle)]
extern "C" fn es_respond_auth_result(
    client: *mut es_client_t,
    message: *const es_message_t,
    result: es_auth_result_t,
    cache: bool,
) -> es_respond_result_t {
    respond(client, message, Answer::Auth(result), cache)
}

#[unsafe(no_mangle)]
extern "C" fn es_respond_flags_result(
    client: *mut es_client_t,
    message: *const es_message_t,
    authorized_flags: u32,
    cache: bool,
) -> es_respond_result_t {
    respond(client, message, Answer::Flags(authorized_flags), cache)
}

fn respond(
    client: *mut es_client_t,
    message: *const es_message_t,
    answer: Answer,
    cache: bool,
) -> es_respond_result_t {
    LAST.set(Some(Instant::now()));
    match machine(answer.function()) {
        Some(shared) => shared.respond(client.addr(), message.addr(), answer, cache),
        None => es_respond_result_t::ES_RESPOND_RESULT_ERR_INTERNAL,
    }
}
