//! Answers to AUTH messages.

use endpoint_sec_sys::{es_auth_result_t, es_client_t, es_message_t, es_respond_result_t};

use crate::abi::machine;
use crate::machine::answers::Answer;

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
    match machine(answer.function()) {
        Some(shared) => shared.respond(client.addr(), message.addr(), answer, cache),
        None => es_respond_result_t::ES_RESPOND_RESULT_ERR_INTERNAL,
    }
}
