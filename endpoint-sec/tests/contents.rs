//! What events carry that takes a function of the system to read: access control lists, what an
//! exec is started with, entitlements.

#![cfg(not(target_vendor = "apple"))]
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

mod support;

use endpoint_sec::{AclEntry, AclKind, Entitlements, Event, EventType};
use endpoint_sec_sim::Action;
use endpoint_sec_sys::es_event_type_t;
use std::sync::mpsc;
use support::{machine_of, started};

#[test]
fn the_entries_of_an_access_control_list_are_read() {
    let machine = machine_of(11);
    let (sender, receiver) = mpsc::channel::<Option<Vec<AclEntry>>>();
    let client = started(move |message| {
        if let Event::SetAcl(set) = message.view().event() {
            let list = set.acl();
            sender.send(list.and_then(|acl| acl.entries())).unwrap();
        }
        drop(message);
    });
    let _all_known = client.subscribe(&[EventType::NOTIFY_SETACL]).unwrap();
    let actor = machine.process("/bin/chmod").start();
    let number = es_event_type_t::ES_EVENT_TYPE_NOTIFY_SETACL;
    // Set, then cleared.
    for variant in [0, 2] {
        let _attempt = machine.perform(Action::sample(&machine, &actor, number, variant));
    }
    let set = receiver.recv().unwrap().unwrap();
    let found: Vec<_> = set.iter().map(|entry| (entry.kind, entry.rights)).collect();
    assert_eq!(found, [(AclKind::Permit, 1 << 4), (AclKind::Deny, 1 << 2)]);
    assert!(set.iter().all(|entry| entry.applicable == [0x41; 16]));
    assert_eq!(receiver.recv().unwrap(), None);
}

#[test]
fn arguments_environment_and_descriptors_are_lists() {
    let machine = machine_of(11);
    let (sender, receiver) = mpsc::channel::<Vec<Vec<u8>>>();
    let client = started(move |message| {
        if let Event::Exec(exec) = message.view().event() {
            let words = exec.arguments();
            assert_eq!((words.len(), words.get(4)), (4, None));
            let mut rest = words.iter();
            assert_eq!(rest.next(), Some(&b"ls"[..]));
            assert_eq!(rest.len(), 3);
            assert_eq!(rest.nth(1), Some(&b"a"[..]), "counted from there");
            let others: Vec<_> = words.iter().step_by(2).map(<[u8]>::to_vec).collect();
            sender.send(others).unwrap();
            let environment: Vec<_> = exec.environment().iter().collect();
            assert_eq!(environment, [&b"A=1"[..], b"B="]);
            let descriptors = exec.descriptors().unwrap();
            let numbers: Vec<_> = descriptors.iter().skip(1).map(|open| open.fd()).collect();
            assert_eq!(numbers, [1, 2]);
        }
        drop(message);
    });
    let _all_known = client.subscribe(&[EventType::NOTIFY_EXEC]).unwrap();
    let shell = machine.process("/bin/zsh").start();
    let exec = machine.exec(&shell, "/bin/ls").env(["A=1", "B="]);
    exec.args(["ls", "-l", "a", "b"]).run();
    assert_eq!(receiver.recv().unwrap(), [b"ls".to_vec(), b"a".to_vec()]);
    machine.settle();
    assert_eq!(
        client.statistics().panics,
        0,
        "all that the handler asserts holds"
    );
}

#[test]
fn entitlements_outlive_their_message_and_are_given_back() {
    for (version, has_function) in [(11, true), (10, false)] {
        let machine = machine_of(version);
        let (sender, receiver) = mpsc::channel::<Option<[bool; 3]>>();
        let client = started(move |message| {
            let held: Option<Entitlements> = match message.view().event() {
                Event::Exec(exec) => exec.entitlements(),
                _ => None,
            };
            drop(message);
            let answer = held.map(|held| {
                let names = [
                    "com.apple.developer.endpoint-security.client",
                    "com.apple.security.app-sandbox",
                    "no\0name",
                ];
                names.map(|name| held.is_true(name))
            });
            sender.send(answer).unwrap();
        });
        let _all_known = client.subscribe(&[EventType::NOTIFY_EXEC]).unwrap();
        let shell = machine.process("/bin/zsh").start();
        let (plain, _) = machine.exec(&shell, "/bin/ls").run();
        let guard = machine.exec(&plain, "/opt/guard");
        guard
            .entitlements(["com.apple.developer.endpoint-security.client"])
            .run();
        assert_eq!(receiver.recv().unwrap(), None, "no entitlements");
        let expected = has_function.then_some([true, false, false]);
        assert_eq!(receiver.recv().unwrap(), expected);
    }
}
