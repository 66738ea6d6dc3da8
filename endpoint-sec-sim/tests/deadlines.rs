//! Deadlines, by a clock that the test moves, and what a missed one does.

#![cfg(not(target_vendor = "apple"))]
#![allow(
    clippy::multiple_unsafe_ops_per_block,
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test, and a C client reads several fields at once"
)]

mod support;

use std::sync::mpsc;
use std::time::Duration;

use endpoint_sec_sim::release::{MACOS_15, MACOS_27};
use endpoint_sec_sim::{Defect, Machine, Timebase};
use endpoint_sec_sys::{
    es_deadline_miss_mode_t as Mode, es_event_type_t as E, es_message_t, es_respond_result_t as R,
    es_return_t, mach_absolute_time, mach_timebase_info, mach_timebase_info_data_t, newer,
};
use support::{Client, Passed, allow};

const UNLINK: E = E::ES_EVENT_TYPE_AUTH_UNLINK;

/// A client that keeps its AUTH messages and answers none.
fn silent() -> (Client, mpsc::Receiver<Passed<es_message_t>>) {
    let (messages, received) = mpsc::channel();
    let client = Client::new(move |_, message| {
        // SAFETY: the message lives during the call.
        unsafe { endpoint_sec_sys::es_retain_message(message) };
        messages.send(Passed(message)).unwrap();
    });
    (client.unwrap(), received)
}

fn release(message: Passed<es_message_t>) {
    // SAFETY: the silent client retained it.
    unsafe { endpoint_sec_sys::es_release_message(message.0) };
}

fn deadline_of(message: Passed<es_message_t>) -> u64 {
    // SAFETY: the silent client retained it.
    unsafe { (&raw const (*message.0).deadline).read() }
}

fn set_mode(client: &Client, mode: Mode) {
    let set = newer::es_set_deadline_miss_mode().unwrap();
    // SAFETY: the client lives.
    let result = unsafe { set(client.raw, mode) };
    assert_eq!(result, es_return_t::ES_RETURN_SUCCESS);
    let get = newer::es_get_deadline_miss_mode().unwrap();
    let mut found = Mode(99);
    // SAFETY: the client lives, and the place may be written.
    let result = unsafe { get(client.raw, &raw mut found) };
    assert_eq!(result, es_return_t::ES_RETURN_SUCCESS);
    assert_eq!(found, mode);
}

#[test]
fn the_clock_is_moved_by_the_test_and_counts_in_ticks() {
    for (timebase, ticks) in [
        (Timebase::APPLE_SILICON, 24_000_000),
        (Timebase::INTEL, 1_000_000_000),
    ] {
        let machine = Machine::new(MACOS_15).timebase(timebase).install();
        // SAFETY: no arguments.
        let before = unsafe { mach_absolute_time() };
        machine.advance(Duration::from_secs(1));
        // SAFETY: no arguments.
        assert_eq!(unsafe { mach_absolute_time() } - before, ticks);
        let mut info = mach_timebase_info_data_t::default();
        // SAFETY: the place may be written.
        assert_eq!(unsafe { mach_timebase_info(&raw mut info) }, 0);
        assert_eq!((info.numer, info.denom), (timebase.numer, timebase.denom));
    }
}

#[test]
fn a_miss_kills_the_client_which_hears_nothing_more() {
    let machine = Machine::new(MACOS_15)
        .deadline(Duration::from_secs(5))
        .install();
    let (client, received) = silent();
    client.subscribe(&[UNLINK]);
    let first = machine.unlink(machine.launchd(), "/a");
    let message = received.recv().unwrap();
    assert_eq!(
        deadline_of(message),
        machine.now() + machine.ticks(Duration::from_secs(5))
    );
    machine.advance(Duration::from_millis(4_999));
    assert!(first.decided().is_none());
    machine.advance(Duration::from_millis(1));
    let verdict = first.verdict();
    assert!(verdict.allowed && verdict.missed == 1);
    assert_eq!(machine.report().killed_clients, 1);
    assert_ne!(allow(client.raw, message.0), R::ES_RESPOND_RESULT_SUCCESS);
    let second = machine.unlink(machine.launchd(), "/b").verdict();
    assert!(second.allowed && second.asked == 0);
    machine.settle();
    assert!(received.try_recv().is_err());
    release(message);
}

#[test]
fn an_answer_before_the_deadline_is_in_time() {
    let machine = Machine::new(MACOS_15).install();
    let (client, received) = silent();
    client.subscribe(&[UNLINK]);
    let attempt = machine.unlink(machine.launchd(), "/a");
    let message = received.recv().unwrap();
    machine.advance(Duration::from_millis(59_999));
    assert_eq!(
        support::deny(client.raw, message.0),
        R::ES_RESPOND_RESULT_SUCCESS
    );
    machine.advance(Duration::from_secs(1));
    assert!(!attempt.allowed());
    assert_eq!(machine.report().deadlines_missed, 0);
    release(message);
}

#[test]
fn from_27_a_miss_may_close_or_open_and_the_client_lives() {
    for (mode, allowed) in [
        (Mode::ES_DEADLINE_MISS_MODE_FAIL_CLOSED, false),
        (Mode::ES_DEADLINE_MISS_MODE_FAIL_OPEN, true),
    ] {
        let machine = Machine::new(MACOS_27).install();
        let (client, received) = silent();
        set_mode(&client, mode);
        client.subscribe(&[UNLINK]);
        let attempt = machine.unlink(machine.launchd(), "/a");
        let message = received.recv().unwrap();
        machine.advance(Duration::from_secs(60));
        let verdict = attempt.verdict();
        assert_eq!((verdict.allowed, verdict.missed), (allowed, 1));
        assert_eq!(allow(client.raw, message.0), R::ES_RESPOND_RESULT_NOT_FOUND);
        release(message);
        let next = machine.unlink(machine.launchd(), "/b");
        let message = received.recv().unwrap();
        assert_eq!(allow(client.raw, message.0), R::ES_RESPOND_RESULT_SUCCESS);
        assert!(next.allowed());
        release(message);
    }
}

#[test]
fn a_full_queue_loses_messages_and_leaves_gaps() {
    let machine = Machine::new(MACOS_15).queue(2).install();
    let (seen, body) = support::recorder();
    let client = Client::new(body).unwrap();
    client.subscribe(&[UNLINK, E::ES_EVENT_TYPE_NOTIFY_FORK]);
    machine.hold();
    let attempts: Vec<_> = (0..4)
        .map(|_| machine.unlink(machine.launchd(), "/a"))
        .collect();
    let lost = attempts[3].verdict();
    assert!(lost.allowed && lost.dropped == 1 && lost.asked == 0);
    machine.resume();
    machine.settle();
    assert!(attempts.iter().all(endpoint_sec_sim::Attempt::allowed));
    let _last = machine.unlink(machine.launchd(), "/b").verdict();
    let seen = seen.lock().unwrap();
    assert_eq!(*seen, [(UNLINK, 0, 0), (UNLINK, 1, 1), (UNLINK, 4, 4)]);
    assert_eq!(machine.report().dropped, 2);
}

#[test]
fn a_lost_message_is_denied_if_the_client_fails_closed() {
    let machine = Machine::new(MACOS_27).queue(0).install();
    let (client, _received) = silent();
    client.subscribe(&[UNLINK]);
    assert!(machine.unlink(machine.launchd(), "/a").allowed());
    set_mode(&client, Mode::ES_DEADLINE_MISS_MODE_FAIL_CLOSED);
    assert!(!machine.unlink(machine.launchd(), "/a").allowed());
}

#[test]
fn the_maximum_may_only_lower_the_deadline() {
    let machine = Machine::new(MACOS_27).install();
    let (client, received) = silent();
    client.subscribe(&[UNLINK]);
    let (set, get) = (
        newer::es_set_deadline_max_milliseconds(),
        newer::es_get_deadline_max_milliseconds(),
    );
    let (set, get) = (set.unwrap(), get.unwrap());
    let max = |millis| {
        // SAFETY: the client lives, and the array has one item.
        unsafe { set(client.raw, [UNLINK].as_ptr(), 1, millis) }
    };
    assert_eq!(max(60_001), es_return_t::ES_RETURN_ERROR);
    assert_eq!(max(500), es_return_t::ES_RETURN_SUCCESS);
    let mut found = 0;
    // SAFETY: the client lives, and the place may be written.
    let result = unsafe { get(client.raw, UNLINK, &raw mut found) };
    assert_eq!(result, es_return_t::ES_RETURN_SUCCESS);
    assert_eq!(found, 500);
    let min = newer::es_set_deadline_min_milliseconds().unwrap();
    // SAFETY: the client lives, and the array has one item.
    let refused = unsafe { min(client.raw, [UNLINK].as_ptr(), 1, 1) };
    assert_eq!(
        refused,
        es_return_t::ES_RETURN_ERROR,
        "for descendants clients only"
    );
    let _attempt = machine.unlink(machine.launchd(), "/a");
    let message = received.recv().unwrap();
    assert_eq!(
        deadline_of(message) - machine.now(),
        machine.ticks(Duration::from_millis(500))
    );
    allow(client.raw, message.0);
    release(message);
}

#[test]
fn the_minimum_of_a_descendants_client_may_raise_the_deadline() {
    let machine = Machine::new(MACOS_27)
        .deadline(Duration::from_secs(1))
        .install();
    let new_client = newer::es_new_descendants_client().unwrap();
    let (times, received) = mpsc::channel();
    let client = Client::made_by(new_client, move |client, message| {
        // SAFETY: the message lives during the call.
        times.send(unsafe { (*message).deadline }).unwrap();
        allow(client, message);
    });
    let client = client.unwrap();
    client.subscribe(&[UNLINK]);
    let set = newer::es_set_deadline_min_milliseconds().unwrap();
    let min = |event: E, millis| {
        // SAFETY: the client lives, and the array has one item.
        unsafe { set(client.raw, [event].as_ptr(), 1, millis) }
    };
    assert_eq!(
        min(E::ES_EVENT_TYPE_AUTH_BOOTSTRAP_CHECK_IN, 1),
        es_return_t::ES_RETURN_ERROR
    );
    assert_eq!(min(UNLINK, 90_000), es_return_t::ES_RETURN_SUCCESS);
    let get = newer::es_get_deadline_max_milliseconds().unwrap();
    let mut max = 0;
    // SAFETY: the client lives, and the place may be written.
    unsafe { get(client.raw, UNLINK, &raw mut max) };
    assert_eq!(max, 90_000, "the maximum is taken along");
    let child = machine.fork(machine.me());
    assert!(machine.unlink(&child, "/a").allowed());
    assert_eq!(
        received.recv().unwrap() - machine.now(),
        machine.ticks(Duration::from_secs(90))
    );
}

#[test]
fn a_running_clock_lets_deadlines_pass_by_themselves() {
    let machine = Machine::new(MACOS_27)
        .running_clock()
        .deadline(Duration::from_millis(20))
        .install();
    let (client, received) = silent();
    set_mode(&client, Mode::ES_DEADLINE_MISS_MODE_FAIL_CLOSED);
    client.subscribe(&[UNLINK]);
    assert!(!machine.unlink(machine.launchd(), "/a").allowed());
    release(received.recv().unwrap());
}

#[test]
fn a_message_freed_without_an_answer_is_reported() {
    let machine = Machine::new(MACOS_27).install();
    let client = Client::new(|_, _| {}).unwrap();
    client.subscribe(&[UNLINK]);
    set_mode(&client, Mode::ES_DEADLINE_MISS_MODE_FAIL_OPEN);
    let attempt = machine.unlink(machine.launchd(), "/a");
    machine.settle();
    assert_eq!(
        machine.acknowledge(),
        [Defect::Unanswered { event: UNLINK }]
    );
    machine.advance(Duration::from_secs(60));
    assert_eq!(attempt.verdict().missed, 1);
}
