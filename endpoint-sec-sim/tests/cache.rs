//! The result cache: what is kept, for whom, and what makes it forget.

#![cfg(not(target_vendor = "apple"))]
#![allow(
    clippy::multiple_unsafe_ops_per_block,
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test, and a C client reads several fields at once"
)]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use endpoint_sec_sim::release::MACOS_15;
use endpoint_sec_sim::{Action, Defect, Installed, Machine};
use endpoint_sec_sys::{
    Cacheability, EVENTS, EventKind, es_auth_result_t as A, es_clear_cache_result_t as Cleared,
    es_event_type_t as E,
};
use support::{Client, asks, event_of};

/// A client that gives every request the same answer and counts requests and reports.
struct Asked {
    client: Client,
    counts: Arc<Mutex<(usize, usize)>>,
}

impl Asked {
    fn new(events: &[E], result: A, flags: u32, cache: bool) -> Self {
        let counts: Arc<Mutex<(usize, usize)>> = Arc::default();
        let count = counts.clone();
        let client = Client::new(move |client, message| {
            let mut counts = count.lock().unwrap();
            if !asks(message) {
                counts.1 += 1;
                return;
            }
            counts.0 += 1;
            if event_of(message) == E::ES_EVENT_TYPE_AUTH_OPEN {
                support::respond_flags(client, message, flags, cache);
            } else {
                support::respond(client, message, result, cache);
            }
        });
        let client = client.unwrap();
        client.subscribe(events);
        Self { client, counts }
    }

    fn counts(&self, machine: &Machine) -> (usize, usize) {
        machine.settle();
        *self.counts.lock().unwrap()
    }

    fn clear_cache(&self) -> Cleared {
        // SAFETY: the client lives.
        unsafe { endpoint_sec_sys::es_clear_cache(self.client.raw) }
    }
}

const EXEC: [E; 2] = [E::ES_EVENT_TYPE_AUTH_EXEC, E::ES_EVENT_TYPE_NOTIFY_EXEC];

fn exec(machine: &Installed) -> bool {
    let sh = machine.process("/bin/sh").start();
    let (_, attempt) = machine.exec(&sh, "/bin/ls").run();
    attempt.allowed()
}

#[test]
fn a_hit_spares_the_question_but_never_the_news() {
    let machine = Machine::new(MACOS_15).install();
    let asked = Asked::new(&EXEC, A::ES_AUTH_RESULT_ALLOW, 0, true);
    assert!(exec(&machine) && exec(&machine));
    assert_eq!(asked.counts(&machine), (1, 2));
    assert_eq!(machine.report().cache_hits, 1);
    let shell = machine.process("/bin/zsh").start();
    let (_, other) = machine.exec(&shell, "/bin/ls").run();
    assert!(other.allowed());
    assert_eq!(
        asked.counts(&machine).0,
        2,
        "another executable asks for itself"
    );
}

#[test]
fn a_cached_denial_denies() {
    let machine = Machine::new(MACOS_15).install();
    let asked = Asked::new(&EXEC, A::ES_AUTH_RESULT_DENY, 0, true);
    assert!(!exec(&machine) && !exec(&machine));
    assert_eq!(asked.counts(&machine).0, 1);
}

#[test]
fn without_the_wish_nothing_is_cached() {
    let machine = Machine::new(MACOS_15).install();
    let asked = Asked::new(&EXEC, A::ES_AUTH_RESULT_ALLOW, 0, false);
    assert!(exec(&machine) && exec(&machine));
    assert_eq!(asked.counts(&machine).0, 2);
}

#[test]
fn an_open_is_cached_by_its_flags() {
    let machine = Machine::new(MACOS_15).install();
    let asked = Asked::new(
        &[E::ES_EVENT_TYPE_AUTH_OPEN],
        A::ES_AUTH_RESULT_ALLOW,
        1,
        true,
    );
    let cat = machine.process("/bin/cat").start();
    let open = |flags| machine.open(&cat, "/a", flags).verdict();
    let first = open(1);
    assert!(first.allowed && !first.cached && first.flags == Some(1));
    let second = open(1);
    assert!(second.allowed && second.cached);
    assert!(
        !open(3).allowed,
        "more than was authorised is denied, not asked"
    );
    assert_eq!(asked.counts(&machine).0, 1);
}

#[test]
fn flags_decide_an_open() {
    for (authorised, wanted, allowed) in [
        (u32::MAX, 3, true),
        (0, 1, false),
        (1, 3, false),
        (3, 1, true),
    ] {
        let machine = Machine::new(MACOS_15).install();
        let _asked = Asked::new(
            &[E::ES_EVENT_TYPE_AUTH_OPEN],
            A::ES_AUTH_RESULT_ALLOW,
            authorised,
            false,
        );
        assert_eq!(
            machine.open(machine.launchd(), "/a", wanted).allowed(),
            allowed
        );
    }
}

#[test]
fn a_changed_file_is_asked_about_again() {
    let machine = Machine::new(MACOS_15).install();
    let asked = Asked::new(&EXEC, A::ES_AUTH_RESULT_ALLOW, 0, true);
    assert!(exec(&machine));
    let _written = machine.write(machine.launchd(), "/bin/ls");
    assert!(exec(&machine));
    assert_eq!(asked.counts(&machine).0, 2);
    let _moved = machine.rename(machine.launchd(), "/tmp/other", "/bin/ls");
    assert!(exec(&machine));
    assert_eq!(asked.counts(&machine).0, 3);
}

#[test]
fn exactly_the_listed_types_are_cached() {
    let step = if cfg!(miri) { 8 } else { 1 };
    let auth = EVENTS.iter().filter(|info| info.kind == EventKind::Auth);
    for info in auth.step_by(step) {
        if info.introduced > MACOS_15 {
            continue;
        }
        let machine = Machine::new(MACOS_15).install();
        let asked = Asked::new(&[info.event_type], A::ES_AUTH_RESULT_ALLOW, u32::MAX, true);
        let sh = machine.process("/bin/sh").start();
        for _ in 0..2 {
            assert!(
                machine
                    .perform(Action::sample(&machine, &sh, info.event_type, 1))
                    .allowed()
            );
        }
        let once = info.cacheability == Some(Cacheability::Cacheable);
        assert_eq!(
            asked.counts(&machine).0,
            if once { 1 } else { 2 },
            "{}",
            info.name
        );
    }
}

#[test]
fn an_interpreter_is_not_cached() {
    let machine = Machine::new(MACOS_15).install();
    let asked = Asked::new(&EXEC, A::ES_AUTH_RESULT_ALLOW, 0, true);
    let sh = machine.process("/bin/sh").start();
    let mut actor = sh;
    for _ in 0..2 {
        let (target, attempt) = machine.exec(&actor, "/bin/sh").script("/tmp/script").run();
        assert!(attempt.allowed());
        actor = target;
    }
    assert_eq!(asked.counts(&machine).0, 2);
}

#[test]
fn a_new_client_clears_the_cache_and_so_does_a_call_within_limits() {
    let machine = Machine::new(MACOS_15)
        .clear_cache_limit(1, Duration::from_secs(1))
        .install();
    let asked = Asked::new(&EXEC, A::ES_AUTH_RESULT_ALLOW, 0, true);
    assert!(exec(&machine));
    let _other = Client::new(|_, _| {}).unwrap();
    assert!(exec(&machine));
    assert_eq!(asked.counts(&machine).0, 2);
    assert_eq!(asked.clear_cache(), Cleared::ES_CLEAR_CACHE_RESULT_SUCCESS);
    assert!(exec(&machine));
    assert_eq!(asked.counts(&machine).0, 3);
    assert_eq!(
        asked.clear_cache(),
        Cleared::ES_CLEAR_CACHE_RESULT_ERR_THROTTLE
    );
    assert!(exec(&machine));
    assert_eq!(asked.counts(&machine).0, 3);
    machine.advance(Duration::from_secs(1));
    assert_eq!(asked.clear_cache(), Cleared::ES_CLEAR_CACHE_RESULT_SUCCESS);
}

#[test]
fn clearing_the_cache_in_the_handler_is_reported() {
    let machine = Machine::new(MACOS_15).install();
    let client = Client::new(|client, _| {
        // SAFETY: the client lives during the call.
        unsafe { endpoint_sec_sys::es_clear_cache(client) };
    });
    let client = client.unwrap();
    client.subscribe(&[E::ES_EVENT_TYPE_NOTIFY_UNLINK]);
    let _attempt = machine.unlink(machine.launchd(), "/a");
    machine.settle();
    let function = "es_clear_cache";
    assert_eq!(
        machine.acknowledge(),
        [Defect::BlockingCallInHandler { function }]
    );
}

#[test]
fn with_two_clients_both_are_asked_and_one_denial_is_enough() {
    let machine = Machine::new(MACOS_15).install();
    let one = Asked::new(&EXEC, A::ES_AUTH_RESULT_ALLOW, 0, true);
    let other = Asked::new(&EXEC, A::ES_AUTH_RESULT_DENY, 0, false);
    assert!(!exec(&machine) && !exec(&machine));
    assert_eq!(
        (one.counts(&machine).0, other.counts(&machine).0),
        (2, 2),
        "cached only if both wish"
    );
}
