//! Clients and handles: how they come, what they refuse, how they go.

#![cfg(not(target_vendor = "apple"))]
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

mod support;

use endpoint_sec::{
    Answer, AuditToken, CallError, Client, EventType, Handle, Message, OsVersion, StartError,
};
use endpoint_sec_sim::{Machine, MachineBuilder};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak, mpsc};
use support::{drop_message, machine_of, started};

fn failure(machine: MachineBuilder, builder: endpoint_sec::Builder) -> String {
    let _machine = machine.install();
    match builder.start(drop_message) {
        Ok(_) => "a client".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn errors_say_what_to_do() {
    let machine = || Machine::new(OsVersion::new(14, 0, 0));
    let cases = [
        (
            machine().not_entitled(),
            "com.apple.developer.endpoint-security.client",
        ),
        (machine().no_full_disk_access(), "Full Disk Access"),
        (machine().not_root(), "run as root"),
        (machine().max_clients(0), "stop one and start again"),
        (machine().subsystem_down(), "internal error"),
    ];
    for (machine, expected) in cases {
        let error = failure(machine, Client::builder());
        assert!(error.contains(expected), "{error}");
    }
    let error = failure(machine(), Client::builder().descendants());
    assert_eq!(
        error,
        "es_new_descendants_client needs macOS 27.0; this is macOS 14.0"
    );
    let descendants = Machine::new(OsVersion::new(27, 0, 0))
        .not_root()
        .no_full_disk_access();
    assert_eq!(
        failure(descendants, Client::builder().descendants()),
        "a client"
    );
}

#[test]
fn a_failed_start_lets_go_of_the_handler() {
    let _machine = Machine::new(OsVersion::new(14, 0, 0)).not_root().install();
    let owned = Arc::new(());
    let held = Arc::clone(&owned);
    let result = Client::builder().start(move |_| drop(Arc::clone(&held)));
    assert!(
        matches!(result, Err(StartError::NotPrivileged)),
        "{result:?}"
    );
    assert_eq!(Arc::strong_count(&owned), 1);
}

#[test]
fn closing_lets_go_of_the_handler_and_later_calls_are_errors() {
    let machine = machine_of(11);
    let owned = Arc::new(());
    let weak: Weak<()> = Arc::downgrade(&owned);
    let client = started(move |message| {
        drop(Arc::clone(&owned));
        drop_message(message);
    });
    let handle = client.handle();
    let _subscribed = handle.subscribe(&[EventType::AUTH_UNLINK]).unwrap();
    assert!(machine.unlink(machine.me(), "/a").allowed());
    assert_eq!(machine.clients(), 1);
    client.close();
    assert_eq!(machine.clients(), 0);
    assert_eq!(weak.strong_count(), 0);
    assert!(!handle.is_open());
    let closed = handle.subscribe(&[EventType::AUTH_UNLINK]);
    let expected = CallError::Closed {
        call: "es_subscribe",
    };
    assert_eq!(closed, Err(expected));
    assert_eq!(expected.to_string(), "es_subscribe: the client is closed");
    assert_eq!(machine.report().defects, []);
}

#[test]
fn types_that_the_system_does_not_know_are_left_out_and_returned() {
    // Up to macOS 26.3.1 a number that is too high stops the machine, which the simulator reports.
    let machine = machine_of(9);
    let client = started(drop_message);
    let wanted = [
        EventType::AUTH_UNLINK,
        EventType::NOTIFY_TCC_MODIFY,
        EventType::RESERVED_3,
        EventType::AUTH_XPC_CONNECT,
        EventType::from_raw(162),
        EventType::from_raw(u32::MAX),
    ];
    let subscribed = client.subscribe(&wanted).unwrap();
    assert_eq!(subscribed.dropped, wanted[2..]);
    assert_eq!(client.subscriptions().unwrap(), wanted[..2]);
    let none = client.subscribe(&[EventType::from_raw(4711)]).unwrap();
    assert_eq!(none.dropped, [EventType::from_raw(4711)]);
    client.unsubscribe(&wanted).unwrap();
    assert_eq!(client.subscriptions().unwrap(), []);
    let _subscribed = client.subscribe(&wanted).unwrap();
    client.unsubscribe_all().unwrap();
    assert_eq!(client.subscriptions().unwrap(), []);
    drop(client);
    assert_eq!(machine.report().defects, []);
}

#[test]
fn what_waits_for_the_handler_is_refused_in_it() {
    let machine = machine_of(11);
    let slot: Arc<Mutex<Option<Handle>>> = Arc::default();
    let own = Arc::clone(&slot);
    let (sender, results) = mpsc::channel();
    let client = started(move |message| {
        let handle = own.lock().unwrap().clone().unwrap();
        sender.send((handle.clear_cache(), handle.sync())).unwrap();
        message.answer(Answer::Allow).unwrap();
        // Other calls are as good here as anywhere.
        handle.mute_self().unwrap();
    });
    *slot.lock().unwrap() = Some(client.handle());
    let _subscribed = client.subscribe(&[EventType::AUTH_UNLINK]).unwrap();
    assert!(machine.unlink(machine.launchd(), "/a").allowed());
    let refused = |call| Err(CallError::InHandler { call });
    let expected = (refused("es_clear_cache"), refused("es_sync_client"));
    assert_eq!(results.recv().unwrap(), expected);
    client.sync().unwrap();
    client.clear_cache().unwrap();
    assert_eq!(client.statistics().panics, 0);
    // The handler holds a handle, and the handle the client: it is closed all the same.
    drop(client);
    assert_eq!(machine.report().defects, []);
}

#[test]
fn syncing_waits_for_what_was_enqueued_before() {
    let machine = machine_of(11);
    let handled = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&handled);
    let client = started(move |_| {
        std::thread::yield_now();
        counted.fetch_add(1, Ordering::SeqCst);
    });
    let _subscribed = client.subscribe(&[EventType::NOTIFY_WRITE]).unwrap();
    let cat = machine.process("/bin/cat").start();
    machine.hold();
    for _ in 0..10 {
        let _attempt = machine.write(&cat, "/a");
    }
    machine.resume();
    client.sync().unwrap();
    assert_eq!(handled.load(Ordering::SeqCst), 10);
}

#[test]
fn the_cache_is_cleared_as_often_as_the_system_lets() {
    let limit = std::time::Duration::from_millis(100);
    let machine = Machine::new(OsVersion::new(14, 0, 0)).clear_cache_limit(1, limit);
    let machine = machine.running_clock().install();
    let client = started(drop_message);
    client.clear_cache().unwrap();
    assert_eq!(client.clear_cache(), Err(CallError::Throttled));
    assert_eq!(client.clear_cache_patiently(8), Ok(()));
    drop(client);
    drop(machine);
}

#[test]
fn clients_do_not_get_into_each_other_s_way() {
    let machine = machine_of(11);
    let denying = Client::builder().start(|message| message.answer(Answer::Deny).unwrap());
    let denying = denying.unwrap();
    let allowing = started(|message| message.answer(Answer::Allow).unwrap());
    for client in [&denying, &allowing] {
        let _subscribed = client.subscribe(&[EventType::AUTH_UNLINK]).unwrap();
    }
    let attempt = machine.unlink(machine.launchd(), "/a").verdict();
    assert_eq!((attempt.allowed, attempt.answered), (false, 2));
    drop(denying);
    assert!(machine.unlink(machine.launchd(), "/a").allowed());
    assert_eq!(allowing.statistics().delivered, 2);
}

#[test]
fn a_process_knows_its_own_token() {
    let machine = machine_of(11);
    let own = AuditToken::of_this_process().unwrap();
    assert_eq!(own.words(), machine.me().audit_token().val);
    assert_eq!(own.pid(), machine.me().pid());
    assert_eq!(own.pid_version(), machine.me().pidversion());
    let words = [501, 502, 20, 503, 21, 77, 100_000, 9];
    let token = AuditToken::from_words(words);
    assert_eq!(
        (token.audit_uid(), token.euid(), token.ruid()),
        (501, 502, 503)
    );
    assert_eq!((token.egid(), token.rgid()), (20, 21));
    assert_eq!((token.pid(), token.pid_version()), (77, 9));
    assert_eq!(token.audit_session(), 100_000);
    let text = format!("{token:?}");
    assert_eq!(
        text,
        "AuditToken { pid: 77, pid_version: 9, euid: 502, .. }"
    );
}

#[test]
fn handles_work_on_many_threads_while_the_client_closes() {
    let machine = machine_of(11);
    let client = started(|message: Message<'_>| {
        let _closing = message.answer(Answer::Allow);
    });
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let handle = client.handle();
            std::thread::spawn(move || {
                while handle.is_open() {
                    let _closing = handle.subscribe(&[EventType::AUTH_UNLINK]);
                    let _closing = handle.unsubscribe_all();
                    let _closing = handle.muted_paths();
                    let _closing = handle.mute_self();
                    std::thread::yield_now();
                }
            })
        })
        .collect();
    for _ in 0..20 {
        assert!(machine.unlink(machine.launchd(), "/a").allowed());
    }
    client.close();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(machine.report().defects, []);
}
