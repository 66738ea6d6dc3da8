//! Clients: who may make them, what they subscribe to, how they go.

#![cfg(not(target_vendor = "apple"))]
#![allow(
    clippy::multiple_unsafe_ops_per_block,
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test, and a C client reads several fields at once"
)]

mod support;

use std::ffi::CString;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use endpoint_sec_sim::release::{MACOS_10_15, MACOS_11, MACOS_15, MACOS_26, MACOS_26_4, MACOS_27};
use endpoint_sec_sim::{Defect, Machine, MachineBuilder, OsVersion};
use endpoint_sec_sys::block::{
    Block, BlockDescriptor, BlockHeader, es_sync_block_s, es_sync_invoke_t,
};
use endpoint_sec_sys::{
    EVENTS, es_client_t, es_event_type_t as E, es_new_client_result_t as N, es_return_t, newer,
};
use support::{Client, Passed, recorder};

const UNLINK: E = E::ES_EVENT_TYPE_NOTIFY_UNLINK;
const OK: es_return_t = es_return_t::ES_RETURN_SUCCESS;
const ERROR: es_return_t = es_return_t::ES_RETURN_ERROR;

fn idle() -> Result<Client, N> {
    Client::new(|_, _| {})
}

#[test]
fn each_missing_right_has_its_error_in_order() {
    type B = MachineBuilder;
    type Lack = fn(B) -> B;
    let cases: [(Lack, N); 6] = [
        (|m| m, N::ES_NEW_CLIENT_RESULT_SUCCESS),
        (
            B::no_full_disk_access,
            N::ES_NEW_CLIENT_RESULT_ERR_NOT_PERMITTED,
        ),
        (
            |m| m.no_full_disk_access().not_root(),
            N::ES_NEW_CLIENT_RESULT_ERR_NOT_PRIVILEGED,
        ),
        (
            |m| m.no_full_disk_access().not_root().not_entitled(),
            N::ES_NEW_CLIENT_RESULT_ERR_NOT_ENTITLED,
        ),
        (
            |m| m.not_entitled().subsystem_down(),
            N::ES_NEW_CLIENT_RESULT_ERR_INTERNAL,
        ),
        (
            |m| m.max_clients(0),
            N::ES_NEW_CLIENT_RESULT_ERR_TOO_MANY_CLIENTS,
        ),
    ];
    for (lacks, expected) in cases {
        let machine = lacks(Machine::new(MACOS_15)).install();
        let result = idle().err().unwrap_or(N::ES_NEW_CLIENT_RESULT_SUCCESS);
        assert_eq!(result, expected);
        drop(machine);
    }
}

#[test]
fn null_arguments_are_invalid() {
    let machine = Machine::new(MACOS_15).install();
    let mut client = null_mut();
    // SAFETY: the place may be written; the handler is missing, which is what is tested.
    let result = unsafe { endpoint_sec_sys::es_new_client(&raw mut client, null_mut()) };
    assert_eq!(result, N::ES_NEW_CLIENT_RESULT_ERR_INVALID_ARGUMENT);
    let function = "es_new_client";
    assert_eq!(machine.acknowledge(), [Defect::NullArgument { function }]);
}

#[test]
fn a_client_limit_counts_clients_that_live() {
    let machine = Machine::new(MACOS_15).max_clients(1).install();
    let first = idle().unwrap();
    assert_eq!(
        idle().err(),
        Some(N::ES_NEW_CLIENT_RESULT_ERR_TOO_MANY_CLIENTS)
    );
    assert_eq!(first.delete(), OK);
    assert!(idle().is_ok());
    drop(machine);
}

#[test]
fn deleting_null_is_fine_and_deleting_twice_is_not() {
    let machine = Machine::new(MACOS_15).install();
    // SAFETY: null is allowed.
    let deleted = unsafe { endpoint_sec_sys::es_delete_client(null_mut()) };
    assert_eq!(deleted, OK);
    let client = idle().unwrap();
    let raw = client.raw;
    client.delete();
    // SAFETY: the simulator looks at the address only.
    assert_eq!(unsafe { endpoint_sec_sys::es_delete_client(raw) }, ERROR);
    let function = "es_delete_client";
    assert_eq!(machine.acknowledge(), [Defect::DeadClient { function }]);
}

#[test]
fn a_client_is_not_deleted_in_its_own_handler() {
    let machine = Machine::new(MACOS_27).install();
    let client = Client::new(|client, _| {
        // SAFETY: the simulator refuses this.
        assert_eq!(unsafe { endpoint_sec_sys::es_delete_client(client) }, ERROR);
    });
    let client = client.unwrap();
    client.subscribe(&[UNLINK]);
    let _attempt = machine.unlink(machine.launchd(), "/a");
    machine.settle();
    assert_eq!(machine.acknowledge(), [Defect::DeletedFromHandler]);
}

#[test]
fn until_26_a_client_is_deleted_by_the_thread_that_made_it() {
    for (release, defects) in [
        (MACOS_26, vec![Defect::DeletedFromOtherThread]),
        (MACOS_27, vec![]),
    ] {
        let machine = Machine::new(release).install();
        let client = idle().unwrap();
        let raw = Passed(client.raw.cast_const());
        std::mem::forget(client);
        let delete = std::thread::spawn(move || {
            // SAFETY: nobody else uses the client any more.
            unsafe { endpoint_sec_sys::es_delete_client(raw.get().cast_mut()) }
        });
        assert_eq!(delete.join().unwrap(), OK);
        assert_eq!(machine.acknowledge(), defects);
    }
}

#[test]
fn a_client_that_is_left_over_is_reported() {
    let machine = Machine::new(MACOS_15).install();
    std::mem::forget(idle().unwrap());
    assert_eq!(machine.shut_down().defects, [Defect::LeakedClient]);
}

#[test]
fn deletion_waits_for_the_handler_and_disposes_of_its_block() {
    let machine = Machine::new(MACOS_15).install();
    let alive = Arc::new(());
    let captured = alive.clone();
    let (inside, entered) = mpsc::channel();
    let returned = Arc::new(AtomicUsize::new(0));
    let count = returned.clone();
    let client = Client::new(move |_, _| {
        let _captured = &captured;
        inside.send(()).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(5));
        count.fetch_add(1, Ordering::SeqCst);
    });
    let client = client.unwrap();
    client.subscribe(&[UNLINK]);
    let _attempt = machine.unlink(machine.launchd(), "/a");
    entered.recv().unwrap();
    client.delete();
    assert_eq!(returned.load(Ordering::SeqCst), 1);
    assert_eq!(Arc::strong_count(&alive), 1, "the block was disposed of");
}

#[test]
fn what_a_deleted_client_did_not_answer_is_allowed() {
    let machine = Machine::new(MACOS_15).install();
    let client = idle().unwrap();
    client.subscribe(&[E::ES_EVENT_TYPE_AUTH_UNLINK]);
    machine.hold();
    let attempt = machine.unlink(machine.launchd(), "/a");
    assert!(attempt.decided().is_none());
    client.delete();
    assert!(attempt.allowed());
}

#[test]
fn subscriptions_add_up_and_are_listed() {
    let machine = Machine::new(MACOS_15).install();
    let client = idle().unwrap();
    let exit = E::ES_EVENT_TYPE_NOTIFY_EXIT;
    assert_eq!(client.subscribe(&[UNLINK]), OK);
    assert_eq!(client.subscribe(&[exit, UNLINK]), OK);
    let listed = || {
        let (mut count, mut events): (usize, *mut E) = (0, null_mut());
        // SAFETY: the client lives, and the places may be written.
        unsafe { endpoint_sec_sys::es_subscriptions(client.raw, &raw mut count, &raw mut events) };
        if count == 0 {
            return Vec::new();
        }
        // SAFETY: the library gave that many.
        let list = unsafe { std::slice::from_raw_parts(events, count) }.to_vec();
        // SAFETY: freed once, by the host's `free`.
        unsafe { endpoint_sec_sys::free(events.cast()) };
        list
    };
    assert_eq!(listed(), [exit, UNLINK]);
    // SAFETY: the client lives, and the array has one item.
    unsafe { endpoint_sec_sys::es_unsubscribe(client.raw, [exit].as_ptr(), 1) };
    assert_eq!(listed(), [UNLINK]);
    // SAFETY: the client lives.
    unsafe { endpoint_sec_sys::es_unsubscribe_all(client.raw) };
    assert_eq!(listed(), []);
    drop(client);
    drop(machine);
}

#[test]
fn subscribing_past_the_last_type_panics_old_kernels() {
    let last = [
        (MACOS_15, 147),
        (OsVersion::new(15, 4, 0), 148),
        (OsVersion::new(26, 3, 0), 151),
    ];
    for (release, first_unknown) in last {
        let machine = Machine::new(release).install();
        let client = idle().unwrap();
        assert_eq!(
            client.subscribe(&[E(first_unknown - 1)]) == OK,
            first_unknown != 151
        );
        assert!(machine.acknowledge().is_empty());
        client.subscribe(&[E(first_unknown)]);
        let event = E(first_unknown);
        assert_eq!(
            machine.acknowledge(),
            [Defect::KernelPanic { event, release }]
        );
    }
    let machine = Machine::new(MACOS_26_4).install();
    assert_eq!(
        idle().unwrap().subscribe(&[UNLINK, E(155), E(4000)]),
        OK,
        "ignored from 26.4 on"
    );
    drop(machine);
}

#[test]
fn some_types_are_not_for_everyone() {
    let machine = Machine::new(MACOS_27).install();
    let client = idle().unwrap();
    assert_eq!(client.subscribe(&[E::ES_EVENT_TYPE_RESERVED_1]), ERROR);
    assert_eq!(client.subscribe(&[E::ES_EVENT_TYPE_RESERVED_5]), OK);
    assert_eq!(
        client.subscribe(&[E::ES_EVENT_TYPE_AUTH_BOOTSTRAP_LOOK_UP]),
        ERROR
    );
    let descendants =
        Client::made_by(newer::es_new_descendants_client().unwrap(), |_, _| {}).unwrap();
    assert_eq!(
        descendants.subscribe(&[E::ES_EVENT_TYPE_AUTH_BOOTSTRAP_LOOK_UP]),
        OK
    );
    drop((client, descendants));
    drop(machine);
}

#[test]
fn a_descendants_client_needs_no_rights_and_sees_its_own_subtree() {
    let machine = Machine::new(MACOS_27)
        .not_root()
        .no_full_disk_access()
        .install();
    let child = machine.fork(machine.me());
    let (seen, body) = recorder();
    let client = Client::made_by(newer::es_new_descendants_client().unwrap(), body).unwrap();
    let auth = E::ES_EVENT_TYPE_AUTH_UNLINK;
    client.subscribe(&[auth, UNLINK]);
    let heard = || {
        machine.settle();
        let seen = std::mem::take(&mut *seen.lock().unwrap());
        seen.iter().map(|(event, ..)| *event).collect::<Vec<_>>()
    };
    let stranger = machine.process("/bin/rm").start();
    assert!(machine.unlink(&stranger, "/a").allowed());
    assert_eq!(heard(), []);
    assert!(machine.unlink(machine.me(), "/a").allowed());
    assert_eq!(
        heard(),
        [UNLINK],
        "its own operations are reported, not requested"
    );
    assert!(machine.unlink(&child, "/a").allowed());
    assert_eq!(heard(), [auth, UNLINK]);
    let grandchild = machine.fork(&child);
    let _gone = machine.exit(&child, 0);
    assert!(machine.unlink(&grandchild, "/a").allowed());
    assert_eq!(heard(), [auth, UNLINK], "an orphan stays in the subtree");
    let token = stranger.audit_token();
    // SAFETY: the client lives, and the token is a value of this function.
    let muted = unsafe { endpoint_sec_sys::es_mute_process(client.raw, &raw const token) };
    assert_eq!(muted, ERROR);
    let token = grandchild.audit_token();
    // SAFETY: as above.
    let muted = unsafe { endpoint_sec_sys::es_mute_process(client.raw, &raw const token) };
    assert_eq!(muted, OK);
}

/// A block that counts how often it ran.
fn counting(count: &'static AtomicUsize) -> Block<es_sync_invoke_t, &'static AtomicUsize> {
    static DESCRIPTOR: BlockDescriptor = BlockDescriptor {
        reserved: 0,
        size: size_of::<Block<es_sync_invoke_t, &'static AtomicUsize>>(),
        copy: None,
        dispose: None,
    };
    unsafe extern "C" fn invoke(block: *mut es_sync_block_s) {
        // SAFETY: the library calls its copy of a block made here.
        let block = unsafe { &*block.cast::<Block<es_sync_invoke_t, &'static AtomicUsize>>() };
        block.captures.fetch_add(1, Ordering::SeqCst);
    }
    Block {
        header: BlockHeader {
            isa: endpoint_sec_sys::block::stack_block_class(),
            flags: 0,
            reserved: 0,
            invoke,
            descriptor: &raw const DESCRIPTOR,
        },
        captures: count,
    }
}

fn sync(client: *mut es_client_t, count: &'static AtomicUsize) -> es_return_t {
    let sync = newer::es_sync_client().unwrap();
    let mut block = counting(count);
    // SAFETY: the block lives until the call returns, and the library copies it.
    unsafe { sync(client, (&raw mut block).cast()) }
}

#[test]
fn a_sync_block_runs_after_what_was_queued_and_at_the_latest_with_the_client() {
    static RAN: AtomicUsize = AtomicUsize::new(0);
    let machine = Machine::new(MACOS_27).install();
    assert_eq!(sync(null_mut(), &RAN), OK);
    assert_eq!(RAN.load(Ordering::SeqCst), 1, "without a client at once");
    let (before, order) = mpsc::channel();
    let client = Client::new(move |_, _| before.send(RAN.load(Ordering::SeqCst)).unwrap());
    let client = client.unwrap();
    client.subscribe(&[UNLINK]);
    machine.hold();
    let _attempt = machine.unlink(machine.launchd(), "/a");
    assert_eq!(sync(client.raw, &RAN), OK);
    machine.resume();
    machine.settle();
    assert_eq!(order.recv().unwrap(), 1, "the message came first");
    assert_eq!(RAN.load(Ordering::SeqCst), 2);
    machine.hold();
    sync(client.raw, &RAN);
    client.delete();
    assert_eq!(RAN.load(Ordering::SeqCst), 3);
}

#[test]
fn a_sync_in_the_handler_is_reported() {
    static RAN: AtomicUsize = AtomicUsize::new(0);
    let machine = Machine::new(MACOS_27).install();
    let client = Client::new(|client, _| assert_eq!(sync(client, &RAN), ERROR)).unwrap();
    client.subscribe(&[UNLINK]);
    let _attempt = machine.unlink(machine.launchd(), "/a");
    machine.settle();
    let function = "es_sync_client";
    assert_eq!(
        machine.acknowledge(),
        [Defect::BlockingCallInHandler { function }]
    );
}

#[test]
fn a_release_has_the_functions_of_its_age() {
    let names = ["es_mute_path", "es_invert_muting", "es_sync_client"];
    for (release, expected) in [
        (MACOS_11, [false; 3]),
        (OsVersion::new(12, 0, 0), [true, false, false]),
        (MACOS_15, [true, true, false]),
        (MACOS_27, [true; 3]),
    ] {
        let machine = Machine::new(release).install();
        let found = [
            newer::es_mute_path().is_some(),
            newer::es_invert_muting().is_some(),
            newer::es_sync_client().is_some(),
        ];
        assert_eq!(found, expected, "{release} {names:?}");
        assert_eq!(endpoint_sec_sys::os_version(), release);
        drop(machine);
    }
}

#[test]
fn every_function_of_the_newest_release_is_defined() {
    unsafe extern "C" {
        fn endpoint_sec_sim_symbol(name: *const std::ffi::c_char) -> *const std::ffi::c_void;
    }
    let machine = Machine::new(MACOS_27).install();
    let looked_up = endpoint_sec_sys::functions().filter(|info| !info.linked);
    let mut count = 0;
    for info in looked_up {
        let name = CString::new(info.name).unwrap();
        // SAFETY: the name is a C string.
        let symbol = unsafe { endpoint_sec_sim_symbol(name.as_ptr()) };
        assert!(!symbol.is_null(), "{}", info.name);
        count += 1;
    }
    assert_eq!(
        count, 22,
        "the other 26 are linked, or this test would not be"
    );
    drop(machine);
}

#[test]
fn a_function_that_the_release_lacks_is_reported() {
    let machine = Machine::new(MACOS_10_15).install();
    let client = Client::new(|_, message| {
        // SAFETY: the message lives during the call.
        unsafe { endpoint_sec_sys::es_retain_message(message) };
        // SAFETY: retained above.
        unsafe { endpoint_sec_sys::es_release_message(message) };
    });
    let client = client.unwrap();
    client.subscribe(&[UNLINK]);
    let _attempt = machine.unlink(machine.launchd(), "/a");
    machine.settle();
    let missing = |function| Defect::MissingFunction { function };
    assert_eq!(
        machine.acknowledge(),
        [missing("es_retain_message"), missing("es_release_message")]
    );
}

#[test]
fn each_release_delivers_the_types_it_knows() {
    for (release, known) in [
        (MACOS_10_15, 50),
        (MACOS_11, 100),
        (MACOS_15, 147),
        (MACOS_27, 162),
    ] {
        let count = EVENTS
            .iter()
            .filter(|info| info.introduced <= release)
            .count();
        assert_eq!(count, known, "{release}");
    }
    let machine = Machine::new(MACOS_15).install();
    let (seen, body) = recorder();
    let client = Client::new(body).unwrap();
    client.subscribe(&[E::ES_EVENT_TYPE_NOTIFY_GATEKEEPER_USER_OVERRIDE]);
    for event in [
        E::ES_EVENT_TYPE_NOTIFY_TCC_MODIFY,
        E::ES_EVENT_TYPE_NOTIFY_GATEKEEPER_USER_OVERRIDE,
    ] {
        let _sent = machine.send(event, machine.launchd());
    }
    machine.settle();
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[test]
fn audit_tokens_are_read_by_their_accessors() {
    use endpoint_sec_sys::*;
    let machine = Machine::new(MACOS_15).install();
    let process = machine.process("/bin/sh").user(501).pid(4242).start();
    let token = process.audit_token();
    // SAFETY: tokens are passed by value.
    unsafe {
        assert_eq!(audit_token_to_pid(token), 4242);
        assert_eq!(audit_token_to_pidversion(token), process.pidversion());
        assert_eq!(
            (audit_token_to_euid(token), audit_token_to_ruid(token)),
            (501, 501)
        );
        assert_eq!(
            (audit_token_to_egid(token), audit_token_to_rgid(token)),
            (20, 20)
        );
        assert_eq!(audit_token_to_auid(token), 501);
        assert_eq!(audit_token_to_asid(token), 100_000);
    }
    drop(machine);
}
