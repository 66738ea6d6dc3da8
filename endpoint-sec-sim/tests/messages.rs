//! Messages: every event type in every version, allocated as short as that version makes it;
//! retained and released.

#![cfg(not(target_vendor = "apple"))]
#![allow(
    clippy::multiple_unsafe_ops_per_block,
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test, and a C client reads several fields at once"
)]

mod support;

use std::collections::BTreeSet;
use std::mem::MaybeUninit;
use std::sync::{Arc, Mutex, mpsc};

use endpoint_sec_sim::release::{MACOS_10_15, MACOS_15, MACOS_27};
use endpoint_sec_sim::{Action, Defect, Machine};
use endpoint_sec_sys::{
    EVENTS, es_event_type_t as E, es_message_t, es_process_t, es_respond_result_t as R,
};
use support::{Client, Passed, allow, asks, event_of, path_of, recorder, text};

#[test]
fn every_event_type_is_sent_in_every_version() {
    let versions: &[u32] = if cfg!(miri) {
        &[1, 11]
    } else {
        &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    };
    let step = if cfg!(miri) { 10 } else { 1 };
    for version in versions {
        let machine = Machine::new(MACOS_27).message_version(*version).install();
        let seen: Arc<Mutex<BTreeSet<u32>>> = Arc::default();
        let record = seen.clone();
        let expected = *version;
        let client = Client::new(move |client, message| {
            // SAFETY: the message lives during the call, and every version has these fields.
            let (version, process) = unsafe { ((*message).version, (*message).process) };
            assert_eq!(version, expected);
            // SAFETY: as above.
            let executable = unsafe { (&raw const (*process).executable).read() };
            assert_eq!(path_of(executable), b"/bin/sh");
            let event = event_of(message);
            record.lock().unwrap().insert(event.0);
            if event == E::ES_EVENT_TYPE_AUTH_OPEN {
                assert_eq!(
                    support::respond_flags(client, message, 3, false),
                    R::ES_RESPOND_RESULT_SUCCESS
                );
            } else if asks(message) {
                assert_eq!(allow(client, message), R::ES_RESPOND_RESULT_SUCCESS);
            }
        });
        let client = client.unwrap();
        let ordinary = |event: &E| {
            let closed = [
                E::ES_EVENT_TYPE_RESERVED_0,
                E::ES_EVENT_TYPE_RESERVED_1,
                E::ES_EVENT_TYPE_RESERVED_2,
                E::ES_EVENT_TYPE_AUTH_BOOTSTRAP_LOOK_UP,
            ];
            !closed.contains(event)
        };
        let types: Vec<E> = EVENTS
            .iter()
            .map(|info| info.event_type)
            .filter(ordinary)
            .collect();
        assert_eq!(types.len(), 158);
        client.subscribe(&types);
        let sh = machine.process("/bin/sh").start();
        for event in types.iter().step_by(step) {
            for variant in 0..Action::variants(*event) {
                let verdict = machine
                    .perform(Action::sample(&machine, &sh, *event, variant))
                    .verdict();
                assert!(verdict.allowed, "{event:?}");
            }
        }
        machine.settle();
        assert_eq!(seen.lock().unwrap().len(), 158_usize.div_ceil(step));
        drop(client);
    }
}

#[test]
fn gated_fields_of_old_versions_are_not_there() {
    for (version, size) in [
        (1, 120),
        (2, 128),
        (3, 144),
        (4, 208),
        (9, 208),
        (10, 216),
        (11, 248),
    ] {
        let machine = Machine::new(MACOS_27).message_version(version).install();
        let client = Client::new(move |_, message| {
            // SAFETY: the message lives during the call.
            let process: *const es_process_t = unsafe { (*message).process };
            // The first word holds the audit token, the last that exists in this version begins 8
            // bytes before the end: both are within the allocation, which Miri would
            // deny of the byte after it. SAFETY: as above; the process has that size in
            // this version.
            let last = unsafe { process.cast::<MaybeUninit<u64>>().add(size / 8 - 1).read() };
            if !cfg!(miri) {
                // SAFETY: elsewhere than under Miri, where padding stays without a value, every
                // byte is written when it is allocated.
                assert_ne!(unsafe { last.assume_init() }, 0xA5A5_A5A5_A5A5_A5A5);
            }
            if version < 9 {
                // SAFETY: the fixed part of the message has all of the event in every version.
                let field =
                    unsafe { (&raw const (*message).event.signal.instigator).cast::<[u8; 8]>() };
                if !cfg!(miri) {
                    // SAFETY: as above; elsewhere than under Miri the bytes are a pattern.
                    assert_eq!(unsafe { field.read() }, [0xA5; 8]);
                }
            }
        });
        let client = client.unwrap();
        client.subscribe(&[E::ES_EVENT_TYPE_NOTIFY_SIGNAL]);
        let _sent = machine.send(E::ES_EVENT_TYPE_NOTIFY_SIGNAL, machine.launchd());
        machine.settle();
        drop(client);
    }
}

#[test]
fn sequence_numbers_count_per_type_and_over_all() {
    let machine = Machine::new(MACOS_15).install();
    let (seen, body) = recorder();
    let client = Client::new(body).unwrap();
    let (unlink, fork) = (E::ES_EVENT_TYPE_NOTIFY_UNLINK, E::ES_EVENT_TYPE_NOTIFY_FORK);
    client.subscribe(&[unlink, fork]);
    let sh = machine.process("/bin/sh").start();
    let _first = machine.unlink(&sh, "/a");
    let _child = machine.fork(&sh);
    let _second = machine.unlink(&sh, "/b");
    machine.settle();
    assert_eq!(
        *seen.lock().unwrap(),
        [(unlink, 0, 0), (fork, 0, 1), (unlink, 1, 2)]
    );
}

#[test]
fn the_handler_is_called_in_order_and_never_twice_at_once() {
    let machine = Machine::new(MACOS_15).install();
    let order: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let inside = Arc::new(Mutex::new(()));
    let record = order.clone();
    let threads: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let names = threads.clone();
    let client = Client::new(move |_, message| {
        let _alone = inside.try_lock().expect("calls do not overlap");
        // SAFETY: the message lives during the call and is about an unlink.
        let target = unsafe { (*message).event.unlink.target };
        record.lock().unwrap().push(path_of(target));
        names
            .lock()
            .unwrap()
            .insert(std::thread::current().name().unwrap_or("").into());
    });
    let client = client.unwrap();
    client.subscribe(&[E::ES_EVENT_TYPE_NOTIFY_UNLINK]);
    let rm = machine.process("/bin/rm").start();
    let paths: Vec<String> = (0..20).map(|number| format!("/tmp/{number}")).collect();
    for path in &paths {
        let _attempt = machine.unlink(&rm, path);
    }
    machine.settle();
    let order = order.lock().unwrap();
    assert!(
        order
            .iter()
            .zip(&paths)
            .all(|(seen, path)| seen == path.as_bytes())
    );
    assert_eq!(order.len(), 20);
    assert_eq!(
        threads.lock().unwrap().iter().collect::<Vec<_>>(),
        ["BBReaderQueue"]
    );
}

#[test]
fn a_message_that_is_released_too_often_is_reported() {
    let machine = Machine::new(MACOS_15).install();
    let client = Client::new(|_, message| {
        // SAFETY: the simulator looks at the address only.
        unsafe { endpoint_sec_sys::es_release_message(message) };
    });
    let client = client.unwrap();
    client.subscribe(&[E::ES_EVENT_TYPE_NOTIFY_UNLINK]);
    let _attempt = machine.unlink(machine.me(), "/a");
    machine.settle();
    let function = "es_release_message";
    assert_eq!(machine.acknowledge(), [Defect::OverRelease { function }]);
}

#[test]
fn a_message_that_nobody_releases_is_reported() {
    let machine = Machine::new(MACOS_15).install();
    let client = Client::new(|_, message| {
        // SAFETY: the message lives during the call.
        unsafe { endpoint_sec_sys::es_retain_message(message) };
    });
    let client = client.unwrap();
    let event = E::ES_EVENT_TYPE_NOTIFY_UNLINK;
    client.subscribe(&[event]);
    let _attempt = machine.unlink(machine.me(), "/a");
    machine.settle();
    assert_eq!(machine.report().live_messages, 1);
    drop(client);
    let report = machine.shut_down();
    assert_eq!(
        report.defects,
        [Defect::LeakedMessage { event, retains: 1 }]
    );
}

#[test]
fn a_leak_fails_the_test_when_the_machine_is_dropped() {
    let test = || {
        let machine = Machine::new(MACOS_15).install();
        let client = Client::new(|_, message| {
            // SAFETY: the message lives during the call.
            unsafe { endpoint_sec_sys::es_retain_message(message) };
        });
        let client = client.unwrap();
        client.subscribe(&[E::ES_EVENT_TYPE_NOTIFY_UNLINK]);
        let _attempt = machine.unlink(machine.me(), "/a");
        machine.settle();
        drop(client);
    };
    let failure = std::panic::catch_unwind(test).unwrap_err();
    let text = failure.downcast_ref::<String>().unwrap();
    assert!(text.contains("keeps 1 retains"), "{text}");
}

#[test]
fn a_dead_message_is_distinguished_from_a_live_one() {
    let machine = Machine::new(MACOS_15).install();
    let (messages, received) = mpsc::channel();
    let client = Client::new(move |_, message| messages.send(Passed(message)).unwrap());
    let client = client.unwrap();
    let event = E::ES_EVENT_TYPE_AUTH_UNLINK;
    client.subscribe(&[event]);
    let attempt = machine.unlink(machine.launchd(), "/a");
    let message = received.recv().unwrap();
    machine.settle();
    assert_eq!(allow(client.raw, message.0), R::ES_RESPOND_RESULT_NOT_FOUND);
    let function = "es_respond_auth_result";
    let expected = [
        Defect::Unanswered { event },
        Defect::DeadMessage { function },
    ];
    assert_eq!(machine.acknowledge(), expected);
    assert!(attempt.decided().is_none(), "only the deadline decides now");
}

#[test]
fn copies_are_retains_except_on_10_15() {
    for (release, same) in [(MACOS_15, true), (MACOS_10_15, false)] {
        let machine = Machine::new(release).install();
        let (copies, received) = mpsc::channel();
        let client = Client::new(move |_, message| {
            // SAFETY: the message lives during the call.
            let copy = unsafe { endpoint_sec_sys::es_copy_message(message) };
            let same = std::ptr::eq(copy, message);
            copies.send((Passed(copy.cast_const()), same)).unwrap();
        });
        let client = client.unwrap();
        client.subscribe(&[E::ES_EVENT_TYPE_AUTH_UNLINK]);
        let attempt = machine.unlink(machine.launchd(), "/a");
        let (copy, is_same) = received.recv().unwrap();
        machine.settle();
        assert_eq!(is_same, same);
        assert_eq!(
            support::deny(client.raw, copy.0),
            R::ES_RESPOND_RESULT_SUCCESS
        );
        assert!(!attempt.allowed());
        // SAFETY: copied above.
        unsafe { endpoint_sec_sys::es_free_message(copy.0.cast_mut()) };
        drop(client);
        assert_eq!(machine.report().live_messages, 0);
    }
}

#[test]
fn an_exec_carries_arguments_environment_and_descriptors() {
    let machine = Machine::new(MACOS_15).install();
    let (found, received) = mpsc::channel();
    let client = Client::new(move |client, message| {
        use endpoint_sec_sys::*;
        // SAFETY: the message lives during the call and is about an exec.
        let event = unsafe { &raw const (*message).event.exec };
        // SAFETY: the event lives, and every index is below its count.
        let (args, env, fds) = unsafe {
            let args: Vec<_> = (0..es_exec_arg_count(event))
                .map(|i| text(es_exec_arg(event, i)))
                .collect();
            let env: Vec<_> = (0..es_exec_env_count(event))
                .map(|i| text(es_exec_env(event, i)))
                .collect();
            let fds: Vec<_> = (0..es_exec_fd_count(event))
                .map(|i| (*es_exec_fd(event, i)).fd)
                .collect();
            (args, env, fds)
        };
        found.send((args, env, fds)).unwrap();
        allow(client, message);
    });
    let client = client.unwrap();
    client.subscribe(&[E::ES_EVENT_TYPE_AUTH_EXEC]);
    let sh = machine.process("/bin/sh").start();
    let exec = machine
        .exec(&sh, "/bin/rm")
        .args(["rm", ""])
        .env(["A=1"])
        .fds([(0, 1), (5, 6)], 5);
    let (rm, attempt) = exec.run();
    assert!(attempt.allowed());
    let (args, env, fds) = received.recv().unwrap();
    assert_eq!(args, [&b"rm"[..], b""]);
    assert_eq!(env, [b"A=1"]);
    assert_eq!(fds, [0, 5]);
    assert_eq!(rm.pid(), sh.pid());
    assert_ne!(rm.pidversion(), sh.pidversion());
    drop(client);
    // SAFETY: the simulator looks at the address only.
    let count = unsafe { endpoint_sec_sys::es_exec_arg_count(std::ptr::null()) };
    assert_eq!(count, 0);
    let function = "es_exec_arg_count";
    assert_eq!(machine.acknowledge(), [Defect::ExecArgument { function }]);
}

#[test]
fn a_type_that_no_header_names_is_delivered_and_answerable() {
    let machine = Machine::new(MACOS_27).install();
    let client = Client::new(|client, message: *const es_message_t| {
        assert_eq!(event_of(message), E(170));
        support::deny(client, message);
    });
    let client = client.unwrap();
    let verdict = machine.send_unknown(170, true, machine.launchd()).verdict();
    assert!(!verdict.allowed && verdict.asked == 1);
    drop(client);
}
