//! Deadlines: the default answer comes before them, and once.

#![cfg(not(target_vendor = "apple"))]
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

mod support;

use endpoint_sec::{
    Answer, AnswerError, Budget, CallError, Client, DeadlineMissMode, EventType, KeptAuth, Message,
    OsVersion,
};
use endpoint_sec_sim::{Attempt, Installed, Machine, Timebase};
use std::sync::mpsc;
use std::time::Duration;
use support::{drop_message, machine_of, until};

/// A machine whose answers are due in 20 s, so that a handler has 16.
fn machine() -> Installed {
    let machine = Machine::new(OsVersion::new(27, 0, 0));
    machine.deadline(Duration::from_secs(20)).install()
}

fn unlink(machine: &Machine) -> Attempt {
    let rm = machine.process("/bin/rm").start();
    machine.unlink(&rm, "/Users/me/a")
}

#[test]
fn a_slow_handler_is_answered_for_and_its_own_answer_is_too_late() {
    for default in [Answer::Allow, Answer::Deny] {
        let machine = machine();
        let (go, wait) = mpsc::channel::<()>();
        let (enter, entered) = mpsc::channel();
        let (sender, results) = mpsc::channel();
        let client = Client::builder()
            .default_answer(default)
            .start(move |message| {
                enter.send(()).unwrap();
                wait.recv().unwrap();
                sender.send(message.answer(Answer::Deny)).unwrap();
            })
            .unwrap();
        let _subscribed = client.subscribe(&[EventType::AUTH_UNLINK]).unwrap();
        let attempt = unlink(&machine);
        entered.recv().unwrap();
        machine.advance(Duration::from_millis(15_900));
        assert_eq!(attempt.decided(), None, "four fifths are not over");
        machine.advance(Duration::from_millis(200));
        // The handler is still at it.
        assert_eq!(attempt.allowed(), default == Answer::Allow);
        go.send(()).unwrap();
        assert_eq!(results.recv().unwrap(), Err(AnswerError::TooLate));
        machine.settle();
        let statistics = client.statistics();
        assert_eq!(
            (statistics.deadline_answers, statistics.late_answers),
            (1, 1)
        );
        assert_eq!(statistics.unanswered, 0);
        assert_eq!(machine.report().deadlines_missed, 0);
    }
}

#[test]
fn a_kept_message_is_answered_for_when_its_time_is_over() {
    let machine = machine();
    let (send, receive) = mpsc::channel::<KeptAuth>();
    let client = Client::builder()
        .default_answer(Answer::Deny)
        .start(move |message| {
            if let Message::Auth(message) = message {
                send.send(message.keep()).unwrap();
            }
        })
        .unwrap();
    let _subscribed = client.subscribe(&[EventType::AUTH_UNLINK]).unwrap();
    let early = unlink(&machine);
    machine.settle();
    machine.advance(Duration::from_secs(8));
    let late = unlink(&machine);
    let [first, second] = [receive.recv().unwrap(), receive.recv().unwrap()];
    assert_eq!(second.time_left(), Duration::from_secs(20));
    machine.advance(Duration::from_secs(9));
    assert!(!early.allowed(), "after 17 s of 20");
    assert_eq!(first.allow(), Err(AnswerError::TooLate));
    assert_eq!(late.decided(), None, "after 9 s of 20");
    assert_eq!(second.time_left(), Duration::from_secs(11));
    assert_eq!(second.allow(), Ok(()));
    assert!(late.allowed());
}

#[test]
fn the_budget_can_be_chosen() {
    let machine = machine();
    let (enter, entered) = mpsc::channel();
    let (go, wait) = mpsc::channel::<()>();
    let budget = Budget {
        least_headroom: Duration::from_secs(10),
        most_headroom: Duration::from_secs(10),
        one_in: 1,
    };
    let client = Client::builder()
        .budget(budget)
        .start(move |message| {
            enter.send(()).unwrap();
            wait.recv().unwrap();
            drop(message);
        })
        .unwrap();
    let _subscribed = client.subscribe(&[EventType::AUTH_UNLINK]).unwrap();
    let attempt = unlink(&machine);
    entered.recv().unwrap();
    machine.advance(Duration::from_secs(10));
    assert!(attempt.allowed());
    go.send(()).unwrap();
}

#[test]
fn time_passes_at_the_rate_of_the_machine() {
    for timebase in [Timebase::APPLE_SILICON, Timebase::INTEL] {
        let machine = Machine::new(OsVersion::new(14, 0, 0)).timebase(timebase);
        let machine = machine.deadline(Duration::from_secs(3)).install();
        let (send, receive) = mpsc::channel::<KeptAuth>();
        let client = support::started(move |message| {
            if let Message::Auth(message) = message {
                assert_eq!(message.time_left(), Duration::from_secs(3));
                send.send(message.keep()).unwrap();
            }
        });
        let _subscribed = client.subscribe(&[EventType::AUTH_UNLINK]).unwrap();
        let attempt = unlink(&machine);
        let kept = receive.recv().unwrap();
        machine.advance(Duration::from_secs(1));
        assert_eq!(kept.time_left(), Duration::from_secs(2));
        let clock = client.clock();
        assert_eq!(clock.since(kept.view().mach_time()), Duration::from_secs(1));
        kept.deny().unwrap();
        assert!(!attempt.allowed());
        assert_eq!(client.statistics().panics, 0);
    }
}

#[test]
fn the_miss_mode_is_a_setting_of_macos_27() {
    let machine = machine();
    let client = support::started(drop_message);
    assert_eq!(client.deadline_miss_mode(), Ok(DeadlineMissMode::Kill));
    for mode in [DeadlineMissMode::FailClosed, DeadlineMissMode::FailOpen] {
        client.set_deadline_miss_mode(mode).unwrap();
        assert_eq!(client.deadline_miss_mode(), Ok(mode));
    }
    let unlink = EventType::AUTH_UNLINK;
    assert_eq!(client.deadline_max(unlink), Ok(Duration::from_secs(20)));
    client
        .set_deadline_max(&[unlink], Duration::from_secs(2))
        .unwrap();
    assert_eq!(client.deadline_max(unlink), Ok(Duration::from_secs(2)));
    let refused = client.set_deadline_max(&[unlink], Duration::from_secs(21));
    assert!(
        matches!(refused, Err(CallError::Failed { .. })),
        "{refused:?}"
    );
    let refused = client.set_deadline_min(&[unlink], Duration::from_secs(1));
    assert!(
        matches!(refused, Err(CallError::Failed { .. })),
        "{refused:?}"
    );
    drop(client);
    let child_client = Client::builder().descendants().start(drop_message).unwrap();
    child_client
        .set_deadline_min(&[unlink], Duration::from_secs(30))
        .unwrap();
    assert_eq!(
        child_client.deadline_min(unlink),
        Ok(Duration::from_secs(30))
    );
    drop(child_client);
    drop(machine);

    let machine = machine_of(10);
    let client = support::started(drop_message);
    let missing = Err(CallError::NotAvailable {
        call: "es_get_deadline_miss_mode",
        since: OsVersion::new(27, 0, 0),
        running: machine.release(),
    });
    assert_eq!(client.deadline_miss_mode(), missing);
}

/// Handler, keeper and watchdog race for the same messages; each gets exactly one answer.
#[test]
fn whoever_is_first_answers() {
    const ROUNDS: usize = if cfg!(miri) { 6 } else { 200 };
    let machine = machine();
    let (send, receive) = mpsc::channel::<KeptAuth>();
    let mut count = 0;
    let client = support::started(move |message| {
        count += 1;
        match message {
            Message::Auth(message) if count % 2 == 0 => send.send(message.keep()).unwrap(),
            other => {
                let _raced = other.answer(Answer::Allow);
            }
        }
    });
    let _subscribed = client.subscribe(&[EventType::AUTH_UNLINK]).unwrap();
    let keeper = std::thread::spawn(move || {
        for message in receive {
            let _raced = message.answer(Answer::Allow);
        }
    });
    for round in 0..ROUNDS {
        let attempt = unlink(&machine);
        let steps = if round % 3 == 0 { 15_999 } else { 16_001 };
        machine.advance(Duration::from_millis(steps));
        assert!(attempt.allowed());
    }
    machine.settle();
    let report = machine.report();
    // The simulator reports a message that was answered twice, or never, when it is dropped.
    assert_eq!(
        (report.deadlines_missed, report.defects.len()),
        (0, 0),
        "{report:?}"
    );
    let statistics = client.statistics();
    assert_eq!(statistics.failed_answers, 0, "{statistics:?}");
    assert_eq!(
        statistics.late_answers, statistics.deadline_answers,
        "{statistics:?}"
    );
    assert!(until(|| machine.report().live_messages == 0));
    drop(client);
    keeper.join().unwrap();
}
