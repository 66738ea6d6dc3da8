//! Muting: three dimensions, inversion, default sets, exact sets.

#![cfg(not(target_vendor = "apple"))]
#![allow(
    clippy::multiple_unsafe_ops_per_block,
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test, and a C client reads several fields at once"
)]

mod support;

use std::ffi::CStr;
use std::ptr::null_mut;
use std::sync::{Arc, Mutex};

use endpoint_sec_sim::release::{MACOS_12, MACOS_15, MACOS_26, MACOS_27};
use endpoint_sec_sim::{Action, Defect, Installed, Machine, Process};
use endpoint_sec_sys::{
    audit_token_t, es_event_type_t as E, es_mute_inversion_type_t as I,
    es_mute_inverted_return_t as Inverted, es_mute_path_type_t as K, es_return_t, newer,
};
use support::{Client, Seen, recorder, text};

const UNLINK: E = E::ES_EVENT_TYPE_NOTIFY_UNLINK;
const RENAME: E = E::ES_EVENT_TYPE_NOTIFY_RENAME;
const OK: es_return_t = es_return_t::ES_RETURN_SUCCESS;
const ERROR: es_return_t = es_return_t::ES_RETURN_ERROR;

/// A machine with a client that is subscribed to these types.
fn listening(release: endpoint_sec_sim::OsVersion, events: &[E]) -> (Installed, Client, Seen) {
    let machine = Machine::new(release).default_mutes([]).install();
    let (seen, body) = recorder();
    let client = Client::new(body).unwrap();
    assert_eq!(client.subscribe(events), OK);
    (machine, client, seen)
}

/// How many messages have come since the last time.
fn heard(machine: &Machine, seen: &Seen) -> usize {
    machine.settle();
    std::mem::take(&mut *seen.lock().unwrap()).len()
}

fn mute_process(client: &Client, process: &Process) -> es_return_t {
    let token = process.audit_token();
    // SAFETY: the client lives, and the token is a value of this function.
    unsafe { endpoint_sec_sys::es_mute_process(client.raw, &raw const token) }
}

#[test]
fn a_muted_process_is_not_heard_until_it_is_unmuted() {
    let (machine, client, seen) = listening(MACOS_15, &[UNLINK]);
    let rm = machine.process("/bin/rm").start();
    assert_eq!(mute_process(&client, &rm), OK);
    let _attempt = machine.unlink(&rm, "/a");
    assert_eq!(heard(&machine, &seen), 0);
    let _attempt = machine.unlink(machine.launchd(), "/a");
    assert_eq!(heard(&machine, &seen), 1);
    assert_eq!(mute_process(&client, &rm), OK);
    let token = rm.audit_token();
    // SAFETY: the client lives, and the token is a value of this function.
    unsafe { endpoint_sec_sys::es_unmute_process(client.raw, &raw const token) };
    let _attempt = machine.unlink(&rm, "/a");
    assert_eq!(heard(&machine, &seen), 1, "muted twice, unmuted once");
}

#[test]
fn a_process_is_muted_for_some_event_types() {
    let (machine, client, seen) = listening(MACOS_15, &[UNLINK, RENAME]);
    let rm = machine.process("/bin/rm").start();
    let token = rm.audit_token();
    let mute = newer::es_mute_process_events().unwrap();
    // SAFETY: the client lives, the token is a value of this function, the array has one item.
    let muted = unsafe { mute(client.raw, &raw const token, [UNLINK].as_ptr(), 1) };
    assert_eq!(muted, OK);
    let _attempt = (machine.unlink(&rm, "/a"), machine.rename(&rm, "/b", "/c"));
    assert_eq!(heard(&machine, &seen), 1);
    let list = newer::es_muted_processes_events().unwrap();
    let free = newer::es_release_muted_processes().unwrap();
    let mut muted = null_mut();
    // SAFETY: the client lives, and the place may be written.
    assert_eq!(unsafe { list(client.raw, &raw mut muted) }, OK);
    // SAFETY: the list lives until it is released.
    let (count, first) = unsafe { ((*muted).count, *(*muted).processes) };
    assert_eq!((count, first.event_count), (1, 1));
    assert_eq!(first.audit_token, token);
    // SAFETY: as above.
    assert_eq!(unsafe { *first.events }, UNLINK);
    // SAFETY: released once.
    unsafe { free(muted) };
    let (mut number, mut tokens): (usize, *mut audit_token_t) = (9, null_mut());
    // SAFETY: the client lives, and the places may be written.
    unsafe { endpoint_sec_sys::es_muted_processes(client.raw, &raw mut number, &raw mut tokens) };
    assert_eq!(
        (number, tokens),
        (0, null_mut()),
        "not muted for every type"
    );
}

#[test]
fn mutes_end_with_the_process_and_do_not_survive_an_exec() {
    let (machine, client, seen) = listening(MACOS_27, &[UNLINK]);
    let sh = machine.process("/bin/sh").start();
    mute_process(&client, &sh);
    let (rm, _attempt) = machine.exec(&sh, "/bin/rm").run();
    let _attempt = machine.unlink(&rm, "/a");
    assert_eq!(heard(&machine, &seen), 1);
    assert_eq!(mute_process(&client, &sh), ERROR, "that execution is over");
    assert_eq!(mute_process(&client, &rm), OK);
    let _attempt = machine.exit(&rm, 0);
    assert_eq!(mute_process(&client, &rm), ERROR, "it exited");
    drop((client, machine));
    let (machine, client, _seen) = listening(MACOS_26, &[UNLINK]);
    let gone = machine.process("/bin/rm").start();
    let _attempt = machine.exit(&gone, 0);
    assert_eq!(
        mute_process(&client, &gone),
        OK,
        "before 27.0 nobody says so"
    );
}

#[test]
fn the_number_of_muted_processes_is_bounded() {
    let machine = Machine::new(MACOS_15).max_muted_processes(2).install();
    let client = Client::new(|_, _| {}).unwrap();
    let results: Vec<_> = (0..3)
        .map(|_| mute_process(&client, &machine.process("/bin/ls").start()))
        .collect();
    assert_eq!(results, [OK, OK, ERROR]);
}

#[test]
fn executables_are_muted_by_literal_and_by_plain_prefix() {
    let (machine, client, seen) = listening(MACOS_15, &[UNLINK]);
    let (rm, rmdir) = (
        machine.process("/bin/rm").start(),
        machine.process("/bin/rmdir").start(),
    );
    client.mute_path("/bin/rm", K::ES_MUTE_PATH_TYPE_LITERAL);
    let _attempt = (machine.unlink(&rm, "/a"), machine.unlink(&rmdir, "/a"));
    assert_eq!(heard(&machine, &seen), 1);
    client.mute_path("/bin/rm", K::ES_MUTE_PATH_TYPE_PREFIX);
    let _attempt = (machine.unlink(&rm, "/a"), machine.unlink(&rmdir, "/a"));
    assert_eq!(heard(&machine, &seen), 0);
    assert_eq!(
        client.unmute_path("/bin", K::ES_MUTE_PATH_TYPE_PREFIX),
        OK,
        "a no-op"
    );
    client.unmute_path("/bin/rm", K::ES_MUTE_PATH_TYPE_PREFIX);
    let _attempt = (machine.unlink(&rm, "/a"), machine.unlink(&rmdir, "/a"));
    assert_eq!(
        heard(&machine, &seen),
        1,
        "the literal is a tuple of its own"
    );
    // SAFETY: the client lives.
    unsafe { endpoint_sec_sys::es_unmute_all_paths(client.raw) };
    let _attempt = machine.unlink(&rm, "/a");
    assert_eq!(heard(&machine, &seen), 1);
    // SAFETY: the client lives, and the path is a C string.
    unsafe { endpoint_sec_sys::es_mute_path_literal(client.raw, c"/bin/rm".as_ptr()) };
    let _attempt = machine.unlink(&rm, "/a");
    assert_eq!(
        heard(&machine, &seen),
        0,
        "the deprecated functions mute executables"
    );
}

#[test]
fn inverted_target_muting_selects() {
    let (machine, client, seen) =
        listening(MACOS_15, &[UNLINK, RENAME, E::ES_EVENT_TYPE_NOTIFY_FORK]);
    let sh = machine.process("/bin/sh").start();
    client.mute_path("/zone/", K::ES_MUTE_PATH_TYPE_TARGET_PREFIX);
    assert_eq!(client.invert(I::ES_MUTE_INVERSION_TYPE_TARGET_PATH), OK);
    let _attempt = (machine.unlink(&sh, "/zone/x"), machine.unlink(&sh, "/else"));
    assert_eq!(heard(&machine, &seen), 1);
    let _attempt = machine.rename(&sh, "/else", "/zone/new");
    assert_eq!(
        heard(&machine, &seen),
        1,
        "one of two paths is enough to select"
    );
    let _child = machine.fork(&sh);
    assert_eq!(
        heard(&machine, &seen),
        1,
        "events without target paths are not concerned"
    );
    client.invert(I::ES_MUTE_INVERSION_TYPE_TARGET_PATH);
    let _attempt = machine.rename(&sh, "/else", "/zone/new");
    assert_eq!(
        heard(&machine, &seen),
        1,
        "both paths must be muted to suppress"
    );
    let _attempt = machine.unlink(&sh, "/zone/x");
    assert_eq!(heard(&machine, &seen), 0);
    // SAFETY: the client lives.
    unsafe { endpoint_sec_sys::es_unmute_all_paths(client.raw) };
    let _attempt = machine.unlink(&sh, "/zone/x");
    assert_eq!(
        heard(&machine, &seen),
        0,
        "that function leaves target paths alone"
    );
    let unmute = newer::es_unmute_all_target_paths().unwrap();
    // SAFETY: the client lives.
    assert_eq!(unsafe { unmute(client.raw) }, OK);
    let _attempt = machine.unlink(&sh, "/zone/x");
    assert_eq!(heard(&machine, &seen), 1);
}

#[test]
fn inversion_is_a_toggle_of_each_dimension() {
    let (machine, client, _seen) = listening(MACOS_15, &[UNLINK]);
    let inverted = newer::es_muting_inverted().unwrap();
    for kind in [
        I::ES_MUTE_INVERSION_TYPE_PROCESS,
        I::ES_MUTE_INVERSION_TYPE_PATH,
        I::ES_MUTE_INVERSION_TYPE_TARGET_PATH,
    ] {
        // SAFETY: the client lives.
        let ask = || unsafe { inverted(client.raw, kind) };
        assert_eq!(ask(), Inverted::ES_MUTE_NOT_INVERTED);
        client.invert(kind);
        assert_eq!(ask(), Inverted::ES_MUTE_INVERTED);
        client.invert(kind);
        assert_eq!(ask(), Inverted::ES_MUTE_NOT_INVERTED);
    }
    assert_eq!(client.invert(I::ES_MUTE_INVERSION_TYPE_LAST), ERROR);
    // SAFETY: the client lives.
    let unknown = unsafe { inverted(client.raw, I::ES_MUTE_INVERSION_TYPE_LAST) };
    assert_eq!(unknown, Inverted::ES_MUTE_INVERTED_ERROR);
    drop(client);
    drop(machine);
}

#[test]
fn target_muting_skips_types_without_targets() {
    let (machine, client, _seen) = listening(MACOS_15, &[UNLINK]);
    let mute = newer::es_mute_path_events().unwrap();
    let target = |path: &CStr, events: &[E]| {
        // SAFETY: the client lives, the path is a C string, the array has that many items.
        unsafe {
            mute(
                client.raw,
                path.as_ptr(),
                K::ES_MUTE_PATH_TYPE_TARGET_LITERAL,
                events.as_ptr(),
                events.len(),
            )
        }
    };
    assert_eq!(target(c"/a", &[E::ES_EVENT_TYPE_NOTIFY_FORK]), ERROR);
    assert_eq!(target(c"/a", &[E::ES_EVENT_TYPE_NOTIFY_FORK, UNLINK]), OK);
    assert_eq!(
        rows(&client),
        [(
            b"/a".to_vec(),
            K::ES_MUTE_PATH_TYPE_TARGET_LITERAL,
            vec![UNLINK]
        )]
    );
    drop(client);
    drop(machine);
    let (machine, client, _seen) = listening(MACOS_12, &[UNLINK]);
    assert_eq!(
        client.mute_path("/a", K::ES_MUTE_PATH_TYPE_TARGET_LITERAL),
        ERROR,
        "13.0 has it first"
    );
    drop(client);
    drop(machine);
}

type Row = (Vec<u8>, K, Vec<E>);

/// What a client has muted, as the library lists it.
fn rows(client: &Client) -> Vec<Row> {
    let list = newer::es_muted_paths_events().unwrap();
    let free = newer::es_release_muted_paths().unwrap();
    let mut muted = null_mut();
    // SAFETY: the client lives, and the place may be written.
    assert_eq!(unsafe { list(client.raw, &raw mut muted) }, OK);
    // SAFETY: the list lives until it is released.
    let count = unsafe { (*muted).count };
    let row = |index| {
        // SAFETY: as above; the index is below the count.
        let row = unsafe { *(*muted).paths.add(index) };
        // SAFETY: as above.
        let events = unsafe { std::slice::from_raw_parts(row.events, row.event_count) };
        (text(row.path), row.type_, events.to_vec())
    };
    let rows = (0..count).map(row).collect();
    // SAFETY: released once.
    unsafe { free(muted) };
    rows
}

#[test]
fn a_new_client_has_the_default_set_which_inversion_would_select() {
    let machine = Machine::new(MACOS_15).install();
    let (seen, body) = recorder();
    let client = Client::new(body).unwrap();
    let defaults = rows(&client);
    assert!(!defaults.is_empty());
    assert!(defaults.iter().all(
        |(_, kind, events)| *kind == K::ES_MUTE_PATH_TYPE_LITERAL && !events.contains(&UNLINK)
    ));
    let critical = String::from_utf8(defaults[0].0.clone()).unwrap();
    let daemon = machine.process(&critical).start();
    client.subscribe(&[E::ES_EVENT_TYPE_AUTH_UNLINK, UNLINK]);
    let _attempt = machine.unlink(&daemon, "/a");
    assert_eq!(heard(&machine, &seen), 1, "the NOTIFY alone");
    client.invert(I::ES_MUTE_INVERSION_TYPE_PATH);
    let _attempt = (
        machine.unlink(&daemon, "/a").verdict(),
        machine.unlink(machine.launchd(), "/a").verdict(),
    );
    assert_eq!(
        heard(&machine, &seen),
        1,
        "the AUTH of the critical process, and nothing else"
    );
}

#[test]
fn from_27_the_instigator_has_a_vote() {
    for (release, expected) in [(MACOS_26, 1), (MACOS_27, 0)] {
        let event = E::ES_EVENT_TYPE_NOTIFY_SIGNAL;
        let (machine, client, seen) = listening(release, &[event]);
        let actor = machine.process("/bin/kill").start();
        let behind = machine.process("/bin/sh").start();
        mute_process(&client, &behind);
        let action = Action::sample(&machine, &actor, event, 0).instigated_by(&behind);
        let _sent = machine.perform(action);
        assert_eq!(heard(&machine, &seen), expected);
    }
}

#[test]
fn muted_auth_events_are_allowed_without_anyone_asked() {
    let machine = Machine::new(MACOS_15).install();
    let asked = Arc::new(Mutex::new(0));
    let count = asked.clone();
    let client = Client::new(move |client, message| {
        *count.lock().unwrap() += 1;
        support::deny(client, message);
    });
    let client = client.unwrap();
    client.subscribe(&[E::ES_EVENT_TYPE_AUTH_UNLINK]);
    let rm = machine.process("/bin/rm").start();
    assert!(!machine.unlink(&rm, "/a").allowed());
    mute_process(&client, &rm);
    assert!(machine.unlink(&rm, "/a").allowed());
    assert_eq!(*asked.lock().unwrap(), 1);
}

#[test]
fn a_list_is_released_once_by_its_own_function() {
    let machine = Machine::new(MACOS_15).install();
    let client = Client::new(|_, _| {}).unwrap();
    let list = newer::es_muted_paths_events().unwrap();
    let mut muted = null_mut();
    // SAFETY: the client lives, and the place may be written.
    unsafe { list(client.raw, &raw mut muted) };
    let wrong = newer::es_release_muted_processes().unwrap();
    // SAFETY: the simulator looks at the address only.
    unsafe { wrong(muted.cast()) };
    let function = "es_release_muted_processes";
    assert_eq!(machine.acknowledge(), [Defect::ListRelease { function }]);
    // SAFETY: the client lives, and the place may be written.
    unsafe { list(client.raw, &raw mut muted) };
    drop(client);
    assert_eq!(machine.shut_down().defects, [Defect::LeakedList]);
}
