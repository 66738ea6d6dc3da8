//! Answers: exactly one for each AUTH message, by the right function, in time.

mod support;

use std::sync::mpsc;

use endpoint_sec_sim::Machine;
use endpoint_sec_sim::release::MACOS_15;
use endpoint_sec_sys::{es_event_type_t as E, es_respond_result_t as R};
use support::{Client, Passed, allow, deny, path_of, respond_flags};

#[test]
fn a_denied_unlink_does_not_happen() {
    let machine = Machine::new(MACOS_15).install();
    machine.create(endpoint_sec_sim::File::regular("/Users/me/x"));
    let client = Client::new(|client, message| {
        // SAFETY: the message lives during the call and tells of an unlink.
        let target = unsafe { (*message).event.unlink.target };
        let keep = path_of(target) == b"/Users/me/x";
        let answer = if keep {
            deny(client, message)
        } else {
            allow(client, message)
        };
        assert_eq!(answer, R::ES_RESPOND_RESULT_SUCCESS);
    });
    let client = client.unwrap();
    client.subscribe(&[E::ES_EVENT_TYPE_AUTH_UNLINK]);
    let rm = machine
        .process("/bin/rm")
        .args(["rm", "x"])
        .user(501)
        .start();
    assert!(!machine.unlink(&rm, "/Users/me/x").allowed());
    assert!(machine.exists("/Users/me/x"));
    assert!(machine.unlink(&rm, "/Users/me/y").allowed());
}

#[test]
fn the_second_answer_is_a_duplicate_and_the_wrong_function_an_error() {
    let machine = Machine::new(MACOS_15).install();
    let (results, received) = mpsc::channel();
    let client = Client::new(move |client, message| {
        let answers = [
            respond_flags(client, message, 0, false),
            allow(client, message),
            deny(client, message),
        ];
        results.send(answers).unwrap();
    });
    let client = client.unwrap();
    client.subscribe(&[E::ES_EVENT_TYPE_AUTH_UNLINK]);
    let rm = machine.process("/bin/rm").start();
    assert!(
        machine.unlink(&rm, "/a").allowed(),
        "the first answer counts"
    );
    let expected = [
        R::ES_RESPOND_RESULT_ERR_EVENT_TYPE,
        R::ES_RESPOND_RESULT_SUCCESS,
        R::ES_RESPOND_RESULT_ERR_DUPLICATE_RESPONSE,
    ];
    assert_eq!(received.recv().unwrap(), expected);
}

#[test]
fn a_retained_message_is_answered_from_another_thread_out_of_order() {
    let machine = Machine::new(MACOS_15).install();
    let (messages, received) = mpsc::channel();
    let client = Client::new(move |_, message| {
        // SAFETY: the message lives during the call.
        unsafe { endpoint_sec_sys::es_retain_message(message) };
        messages.send(Passed(message)).unwrap();
    });
    let client = client.unwrap();
    client.subscribe(&[E::ES_EVENT_TYPE_AUTH_UNLINK]);
    let rm = machine.process("/bin/rm").start();
    let attempts = [machine.unlink(&rm, "/a"), machine.unlink(&rm, "/b")];
    let messages: Vec<_> = (0..2).map(|_| received.recv().unwrap()).collect();
    for message in messages.iter().rev() {
        assert!(attempts[0].decided().is_none());
        deny(client.raw, message.0);
        // SAFETY: retained above.
        unsafe { endpoint_sec_sys::es_release_message(message.0) };
    }
    assert!(!attempts[0].allowed() && !attempts[1].allowed());
    drop(client);
    assert_eq!(machine.report().live_messages, 0);
}
