//! Answers: exactly one for each AUTH message, by the right function, in time.

#![cfg(not(target_vendor = "apple"))]
#![allow(
    clippy::multiple_unsafe_ops_per_block,
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test, and a C client reads several fields at once"
)]

mod support;

use std::sync::mpsc;

use std::sync::{Arc, Mutex};

use endpoint_sec_sim::release::MACOS_15;
use endpoint_sec_sim::{Defect, Machine};
use endpoint_sec_sys::{
    es_auth_result_t, es_destination_type_t as Destination, es_event_type_t as E, es_message_t,
    es_respond_result_t as R, es_result_type_t as Kind,
};
use support::{Client, Passed, allow, asks, deny, event_of, path_of, respond_flags, text};

#[test]
fn a_denied_unlink_does_not_happen() {
    let machine = Machine::new(MACOS_15).install();
    machine.create(endpoint_sec_sim::File::regular("/Users/me/x"));
    let client = Client::new(|client, message| {
        // SAFETY: the message lives during the call and is about an unlink.
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

#[test]
fn a_notification_takes_no_answer() {
    let machine = Machine::new(MACOS_15).install();
    let (results, received) = mpsc::channel();
    let client = Client::new(move |client, message| {
        results.send(allow(client, message)).unwrap();
    });
    let client = client.unwrap();
    client.subscribe(&[E::ES_EVENT_TYPE_NOTIFY_UNLINK]);
    let verdict = machine.unlink(machine.launchd(), "/a").verdict();
    assert!(verdict.allowed && verdict.asked == 0);
    assert_eq!(
        received.recv().unwrap(),
        R::ES_RESPOND_RESULT_ERR_EVENT_TYPE
    );
}

#[test]
fn a_result_that_is_none_is_refused_and_another_may_follow() {
    let machine = Machine::new(MACOS_15).install();
    let (results, received) = mpsc::channel();
    let client = Client::new(move |client, message| {
        let odd = support::respond(client, message, es_auth_result_t(7), false);
        results.send([odd, deny(client, message)]).unwrap();
    });
    let client = client.unwrap();
    client.subscribe(&[E::ES_EVENT_TYPE_AUTH_UNLINK]);
    assert!(!machine.unlink(machine.launchd(), "/a").allowed());
    let expected = [
        R::ES_RESPOND_RESULT_ERR_INVALID_ARGUMENT,
        R::ES_RESPOND_RESULT_SUCCESS,
    ];
    assert_eq!(received.recv().unwrap(), expected);
}

#[test]
fn null_and_other_clients_messages_are_refused() {
    let machine = Machine::new(MACOS_15).install();
    let other = Client::new(|_, _| {}).unwrap();
    let raw = Passed(other.raw.cast_const());
    let (results, received) = mpsc::channel();
    let client = Client::new(move |client, message| {
        let foreign = allow(raw.get().cast_mut(), message);
        let null = allow(client, std::ptr::null());
        let nobody = allow(std::ptr::null_mut(), message);
        results.send([foreign, null, nobody]).unwrap();
        allow(client, message);
    });
    let client = client.unwrap();
    client.subscribe(&[E::ES_EVENT_TYPE_AUTH_UNLINK]);
    assert!(machine.unlink(machine.launchd(), "/a").allowed());
    let invalid = R::ES_RESPOND_RESULT_ERR_INVALID_ARGUMENT;
    let expected = [R::ES_RESPOND_RESULT_NOT_FOUND, invalid, invalid];
    assert_eq!(received.recv().unwrap(), expected);
    let function = "es_respond_auth_result";
    let null = Defect::NullArgument { function };
    assert_eq!(machine.acknowledge(), [null.clone(), null]);
}

/// Decisions, as they were reported.
type Decisions = Arc<Mutex<Vec<(Kind, u32)>>>;

/// The destinations of creations, as they were reported.
type Places = Arc<Mutex<Vec<(Destination, Vec<u8>)>>>;

/// What a NOTIFY message says of the decision.
fn decision(message: *const es_message_t) -> (Kind, u32) {
    // SAFETY: the message lives and is a notification; both members of the union begin alike.
    let result = unsafe { (*message).action.notify };
    // SAFETY: as above.
    (result.result_type, unsafe { result.result.flags })
}

#[test]
fn a_notification_follows_a_denial_and_says_so() {
    let machine = Machine::new(MACOS_15).install();
    let recorded = Decisions::default();
    let record = recorded.clone();
    let client = Client::new(move |client, message| {
        if !asks(message) {
            record.lock().unwrap().push(decision(message));
        } else if event_of(message) == E::ES_EVENT_TYPE_AUTH_OPEN {
            respond_flags(client, message, 1, false);
        } else {
            // SAFETY: the message lives during the call and is about an unlink.
            let path = path_of(unsafe { (*message).event.unlink.target });
            let answer = if path == b"/keep" { deny } else { allow };
            answer(client, message);
        }
    });
    let client = client.unwrap();
    client.subscribe(&[
        E::ES_EVENT_TYPE_AUTH_UNLINK,
        E::ES_EVENT_TYPE_NOTIFY_UNLINK,
        E::ES_EVENT_TYPE_AUTH_OPEN,
        E::ES_EVENT_TYPE_NOTIFY_OPEN,
    ]);
    let rm = machine.process("/bin/rm").start();
    assert!(!machine.unlink(&rm, "/keep").allowed());
    assert!(machine.unlink(&rm, "/go").allowed());
    assert!(machine.open(&rm, "/a", 1).allowed());
    assert!(!machine.open(&rm, "/a", 3).allowed());
    machine.settle();
    let (auth, flags) = (Kind::ES_RESULT_TYPE_AUTH, Kind::ES_RESULT_TYPE_FLAGS);
    assert_eq!(
        *recorded.lock().unwrap(),
        [(auth, 1), (auth, 0), (flags, 1), (flags, 0)]
    );
}

#[test]
fn a_created_file_is_reported_as_a_file_and_a_denied_one_as_a_path() {
    for denied in [false, true] {
        let machine = Machine::new(MACOS_15).install();
        let recorded = Places::default();
        let record = recorded.clone();
        let client = Client::new(move |client, message| {
            // SAFETY: the message lives during the call and is about a creation.
            let event = unsafe { (*message).event.create };
            let name = if event.destination_type == Destination::ES_DESTINATION_TYPE_NEW_PATH {
                // SAFETY: as above; the type says which member holds.
                text(unsafe { event.destination.new_path.filename })
            } else {
                // SAFETY: as above.
                path_of(unsafe { event.destination.existing_file })
            };
            record.lock().unwrap().push((event.destination_type, name));
            if asks(message) {
                let answer = if denied { deny } else { allow };
                answer(client, message);
            }
        });
        let client = client.unwrap();
        client.subscribe(&[E::ES_EVENT_TYPE_AUTH_CREATE, E::ES_EVENT_TYPE_NOTIFY_CREATE]);
        assert_ne!(
            machine
                .create_file(machine.launchd(), "/d/f", 0o600)
                .allowed(),
            denied
        );
        machine.settle();
        let path = (Destination::ES_DESTINATION_TYPE_NEW_PATH, b"f".to_vec());
        let file = (
            Destination::ES_DESTINATION_TYPE_EXISTING_FILE,
            b"/d/f".to_vec(),
        );
        let second = if denied { path.clone() } else { file };
        assert_eq!(*recorded.lock().unwrap(), [path, second]);
        assert_ne!(machine.exists("/d/f"), denied);
    }
}

#[test]
fn a_rename_names_what_it_replaces() {
    let machine = Machine::new(MACOS_15).install();
    machine.create(endpoint_sec_sim::File::directory("/tree"));
    machine.create(endpoint_sec_sim::File::regular("/tree/leaf"));
    let recorded: Arc<Mutex<Vec<Destination>>> = Arc::default();
    let record = recorded.clone();
    let client = Client::new(move |client, message| {
        // SAFETY: the message lives during the call and is about a rename.
        record
            .lock()
            .unwrap()
            .push(unsafe { (*message).event.rename.destination_type });
        allow(client, message);
    });
    let client = client.unwrap();
    client.subscribe(&[E::ES_EVENT_TYPE_AUTH_RENAME]);
    let mv = machine.process("/bin/mv").start();
    assert!(machine.rename(&mv, "/tree", "/moved").allowed());
    assert!(machine.exists("/moved/leaf") && !machine.exists("/tree/leaf"));
    assert!(machine.rename(&mv, "/a", "/moved/leaf").allowed());
    let expected = [
        Destination::ES_DESTINATION_TYPE_NEW_PATH,
        Destination::ES_DESTINATION_TYPE_EXISTING_FILE,
    ];
    assert_eq!(*recorded.lock().unwrap(), expected);
}

#[test]
fn messages_are_in_every_queue_before_the_operation_returns() {
    let machine = Machine::new(MACOS_15).install();
    let (_seen, body) = support::recorder();
    let client = Client::new(body).unwrap();
    client.subscribe(&[E::ES_EVENT_TYPE_NOTIFY_UNLINK]);
    machine.hold();
    let _attempt = machine.unlink(machine.launchd(), "/a");
    assert_eq!(
        machine.report().live_messages,
        1,
        "enqueued, not yet delivered"
    );
    assert_eq!(machine.report().delivered, 0);
    machine.resume();
    machine.settle();
    assert_eq!(machine.report().delivered, 1);
}
