//! Files of every type, made by the system calls that make them.

#![cfg(not(target_vendor = "apple"))]
#![allow(
    clippy::multiple_unsafe_ops_per_block,
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test, and a C client reads several fields at once"
)]

mod support;

use std::sync::{Arc, Mutex};

use endpoint_sec_sim::release::MACOS_15;
use endpoint_sec_sim::{Attempt, File, FileType, Machine, Process};
use endpoint_sec_sys::{es_destination_type_t, es_event_type_t as E, es_message_t};
use support::{Client, allow, asks, event_of};

/// The type of each message; of a reported creation also the type bits of the new file and how many
/// seconds after boot it was made.
type Seen = Arc<Mutex<Vec<(E, Option<(u16, i64)>)>>>;

/// What the simulated clock says when a machine is installed: it booted a while ago.
const INSTALLED: i64 = 1_789_387_200 + 1_000;

const EVENTS: [E; 6] = [
    E::ES_EVENT_TYPE_AUTH_CREATE,
    E::ES_EVENT_TYPE_NOTIFY_CREATE,
    E::ES_EVENT_TYPE_AUTH_CLONE,
    E::ES_EVENT_TYPE_NOTIFY_CLONE,
    E::ES_EVENT_TYPE_AUTH_UIPC_BIND,
    E::ES_EVENT_TYPE_NOTIFY_UIPC_BIND,
];

/// A client that records messages and allows everything.
fn recorder() -> (Client, Seen) {
    let seen = Seen::default();
    let record = seen.clone();
    let client = Client::new(move |client, message| {
        record
            .lock()
            .unwrap()
            .push((event_of(message), created(message)));
        if asks(message) {
            allow(client, message);
        }
    });
    let client = client.unwrap();
    client.subscribe(&EVENTS);
    (client, seen)
}

fn created(message: *const es_message_t) -> Option<(u16, i64)> {
    if event_of(message) != E::ES_EVENT_TYPE_NOTIFY_CREATE {
        return None;
    }
    // SAFETY: the message lives during the call and is about a creation.
    let event = unsafe { (*message).event.create };
    assert_eq!(
        event.destination_type,
        es_destination_type_t::ES_DESTINATION_TYPE_EXISTING_FILE
    );
    // SAFETY: the destination type says which member is set, and a file in a message is never null.
    let stat = unsafe { (*event.destination.existing_file).stat };
    Some((
        stat.st_mode & 0o170_000,
        stat.st_birthtimespec.tv_sec - INSTALLED,
    ))
}

#[test]
fn each_call_that_makes_a_file_reports_its_type_and_its_birth() {
    type Call = fn(&Machine, &Process) -> Attempt;
    let create = E::ES_EVENT_TYPE_AUTH_CREATE;
    let calls: [(Call, E, Option<E>, u16); 6] = [
        (
            |machine, actor| machine.create_file(actor, "/new", 0o600),
            create,
            None,
            0o100_000,
        ),
        (
            |machine, actor| machine.make_directory(actor, "/new"),
            create,
            None,
            0o040_000,
        ),
        (
            |machine, actor| machine.symlink(actor, "/new"),
            create,
            None,
            0o120_000,
        ),
        (
            |machine, actor| machine.mkfifo(actor, "/new"),
            create,
            None,
            0o010_000,
        ),
        (
            |machine, actor| machine.bind(actor, "/new"),
            E::ES_EVENT_TYPE_AUTH_UIPC_BIND,
            Some(E::ES_EVENT_TYPE_NOTIFY_UIPC_BIND),
            0o140_000,
        ),
        (
            |machine, actor| machine.clone_file(actor, "/link", "/new"),
            E::ES_EVENT_TYPE_AUTH_CLONE,
            Some(E::ES_EVENT_TYPE_NOTIFY_CLONE),
            0o120_000,
        ),
    ];
    for (call, asked, reported, type_bits) in calls {
        let machine = Machine::new(MACOS_15).install();
        machine.create(File::of_type(FileType::SymbolicLink, "/link"));
        machine.advance(std::time::Duration::from_secs(5));
        let (_client, seen) = recorder();
        let shell = machine.process("/bin/zsh").user(501).start();
        assert!(call(&machine, &shell).allowed());
        machine.settle();
        let mut expected = vec![
            (asked, None),
            (E::ES_EVENT_TYPE_NOTIFY_CREATE, Some((type_bits, 5))),
        ];
        expected.extend(reported.map(|event| (event, None)));
        assert_eq!(*seen.lock().unwrap(), expected);
        let type_of = |path| machine.file(path).file_type();
        assert!(machine.exists("/new") && type_of("/new").is_some());
    }
}

#[test]
fn a_file_keeps_its_type_and_birth_under_a_new_name() {
    let machine = Machine::new(MACOS_15).install();
    machine.advance(std::time::Duration::from_secs(5));
    let shell = machine.launchd();
    assert!(machine.mkfifo(shell, "/pipe").allowed());
    let made = machine.file("/pipe");
    machine.advance(std::time::Duration::from_secs(5));
    assert!(machine.rename(shell, "/pipe", "/moved").allowed());
    assert_eq!(machine.file("/moved").file_type(), Some(FileType::Fifo));
    // A file is equal to another when all that messages show of it is.
    assert!(machine.rename(shell, "/moved", "/pipe").allowed());
    assert_eq!(machine.file("/pipe"), made);
    assert!(machine.clone_file(shell, "/pipe", "/copy").allowed());
    assert_eq!(machine.file("/copy").file_type(), Some(FileType::Fifo));
    assert_ne!(machine.file("/copy"), made);
}

#[test]
fn a_denied_clone_reports_no_new_file() {
    let machine = Machine::new(MACOS_15).install();
    let seen = Seen::default();
    let record = seen.clone();
    let client = Client::new(move |client, message| {
        record.lock().unwrap().push((event_of(message), None));
        if asks(message) {
            support::deny(client, message);
        }
    });
    let client = client.unwrap();
    client.subscribe(&EVENTS);
    assert!(!machine.clone_file(machine.launchd(), "/a", "/b").allowed());
    machine.settle();
    let expected = [
        (E::ES_EVENT_TYPE_AUTH_CLONE, None),
        (E::ES_EVENT_TYPE_NOTIFY_CLONE, None),
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
    assert!(!machine.exists("/b"));
}
