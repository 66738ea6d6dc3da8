//! One answer for each message that asks, whatever the handler does.

#![cfg(not(target_vendor = "apple"))]
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

mod support;

use endpoint_sec::{
    Answer, AnswerError, Client, Event, EventType, KeptAuth, Message, OpenFlags, Report,
};
use endpoint_sec_sys::es_event_type_t;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use support::{drop_message, machine_of, started};

/// What a handler does with a message.
type Handling = fn(Message<'_>);

/// What becomes of an `unlink` and an `open` whose messages are handled so.
fn outcomes(default: Answer, handling: Handling) -> (bool, bool) {
    let machine = machine_of(11);
    let client = Client::builder()
        .default_answer(default)
        .start(handling)
        .unwrap();
    let asked = [EventType::AUTH_UNLINK, EventType::AUTH_OPEN];
    assert_eq!(client.subscribe(&asked).unwrap().dropped, []);
    let rm = machine.process("/bin/rm").start();
    let unlink = machine.unlink(&rm, "/Users/me/a").verdict();
    let open = machine.open(&rm, "/Users/me/a", 1).verdict();
    assert_eq!((unlink.asked, unlink.answered), (1, 1), "{unlink:?}");
    assert_eq!((open.asked, open.answered), (1, 1), "{open:?}");
    assert_eq!((unlink.cached, open.cached), (false, false));
    (unlink.allowed, open.allowed)
}

#[test]
fn an_answer_reaches_the_system_in_the_form_it_wants() {
    let allow = outcomes(Answer::Deny, |message| {
        message.answer(Answer::Allow).unwrap()
    });
    assert_eq!(allow, (true, true));
    let deny = outcomes(Answer::Allow, |message| {
        message.answer(Answer::Deny).unwrap()
    });
    assert_eq!(deny, (false, false));
}

#[test]
fn a_dropped_message_gets_the_default_answer() {
    for default in [Answer::Allow, Answer::Deny] {
        let expected = (default == Answer::Allow, default == Answer::Allow);
        assert_eq!(outcomes(default, drop_message), expected);
        assert_eq!(
            outcomes(default, |message| std::mem::forget(message)),
            expected
        );
        let panics = |_message: Message<'_>| std::panic::resume_unwind(Box::new("of the handler"));
        assert_eq!(outcomes(default, panics), expected);
        let kept_and_dropped = |message: Message<'_>| match message {
            Message::Auth(message) => drop(message.keep()),
            Message::Open(message) => drop(message.keep()),
            Message::Notify(_) => {}
        };
        assert_eq!(outcomes(default, kept_and_dropped), expected);
    }
}

#[test]
fn a_panic_is_reported_and_survived() {
    let machine = machine_of(11);
    let reports = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&reports);
    let mut count = 0;
    let client = Client::builder()
        .default_answer(Answer::Deny)
        .on_report(move |report| {
            noted.lock().unwrap().push(format!("{report:?}"));
            // The observer's own panic ends there.
            std::panic::resume_unwind(Box::new(()));
        })
        .start(move |message| {
            count += 1;
            if count == 2 {
                std::panic::resume_unwind(Box::new("the second".to_owned()));
            }
            message.answer(Answer::Allow).unwrap();
        })
        .unwrap();
    let _subscribed = client.subscribe(&[EventType::AUTH_UNLINK]).unwrap();
    let rm = machine.process("/bin/rm").start();
    let outcomes = ["/a", "/b", "/c"].map(|path| machine.unlink(&rm, path).allowed());
    assert_eq!(outcomes, [true, false, true]);
    machine.settle();
    assert_eq!(client.statistics().panics, 1);
    let reports = reports.lock().unwrap();
    let panicked = r#"HandlerPanicked { event: AUTH_UNLINK, panic: "the second" }"#;
    assert!(
        reports.iter().any(|report| report == panicked),
        "{reports:?}"
    );
}

#[test]
fn a_kept_message_is_answered_on_another_thread_after_the_handler_returned() {
    let machine = machine_of(11);
    let (send, receive) = mpsc::channel::<KeptAuth>();
    let client = started(move |message| {
        if let Message::Auth(message) = message {
            send.send(message.keep()).unwrap();
        }
    });
    let _subscribed = client.subscribe(&[EventType::AUTH_UNLINK]).unwrap();
    let rm = machine.process("/bin/rm").start();
    let first = machine.unlink(&rm, "/Users/me/first");
    let second = machine.unlink(&rm, "/Users/me/second");
    machine.settle();
    assert_eq!((first.decided(), second.decided()), (None, None));
    let worker = std::thread::spawn(move || {
        let kept = [receive.recv().unwrap(), receive.recv().unwrap()];
        // Out of order, and read after the answer.
        for message in kept.into_iter().rev() {
            let read = message.message();
            let Event::Unlink(unlink) = read.event() else {
                panic!("{read:?}");
            };
            let is_first = unlink.target().path().ends_with(b"first");
            let answer = if is_first {
                Answer::Deny
            } else {
                Answer::Allow
            };
            message.answer(answer).unwrap();
            assert!(unlink.target().path().starts_with(b"/Users/me/"));
        }
    });
    assert!(!first.allowed());
    assert!(second.allowed());
    worker.join().unwrap();
    drop(client);
    assert_eq!(machine.report().live_messages, 0);
}

#[test]
fn allowing_an_opening_is_remembered_as_allowing_everything() {
    let machine = machine_of(11);
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let client = started(move |message| {
        counted.fetch_add(1, Ordering::Relaxed);
        let Message::Open(message) = message else {
            panic!("{message:?}");
        };
        let read_only = message.process().executable().path() == b"/bin/cat";
        let flags = if read_only {
            OpenFlags::READ
        } else {
            OpenFlags::ALL
        };
        message.allow_flags_cached(flags).unwrap();
    });
    let _subscribed = client.subscribe(&[EventType::AUTH_OPEN]).unwrap();
    let editor = machine.process("/usr/bin/vim").start();
    assert!(machine.open(&editor, "/a", 1).allowed());
    let again = machine.open(&editor, "/a", 3).verdict();
    assert!(again.allowed && again.cached, "{again:?}");
    // Remembered flags deny whatever asks for more, without asking.
    let cat = machine.process("/bin/cat").start();
    assert!(machine.open(&cat, "/a", 1).allowed());
    let more = machine.open(&cat, "/a", 3).verdict();
    assert!(!more.allowed && more.cached, "{more:?}");
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    client.clear_cache().unwrap();
    assert!(!machine.open(&editor, "/a", 3).verdict().cached);
}

#[test]
fn only_answers_that_the_kernel_remembers_can_be_cached() {
    let machine = machine_of(11);
    let client = started(|message| {
        let Message::Auth(message) = message else {
            return;
        };
        let expected = message.event_type() == EventType::AUTH_CHDIR;
        match message.into_cacheable() {
            Ok(message) => {
                assert!(expected || message.event_type() == EventType::AUTH_EXEC);
                message.allow().unwrap();
            }
            Err(message) => {
                assert!(!expected);
                message.allow().unwrap();
            }
        }
    });
    let asked = [
        EventType::AUTH_CHDIR,
        EventType::AUTH_UNLINK,
        EventType::AUTH_EXEC,
    ];
    let _subscribed = client.subscribe(&asked).unwrap();
    let zsh = machine.process("/bin/zsh").start();
    for (event, cached) in [
        (es_event_type_t::ES_EVENT_TYPE_AUTH_CHDIR, true),
        (es_event_type_t::ES_EVENT_TYPE_AUTH_UNLINK, false),
    ] {
        assert!(machine.send(event, &zsh).allowed());
        assert_eq!(
            machine.send(event, &zsh).verdict().cached,
            cached,
            "{event:?}"
        );
    }
    // A script is asked about each time: its interpreter is what would be remembered.
    for _ in 0..2 {
        let (_, attempt) = machine.exec(&zsh, "/bin/sh").script("/Users/me/x.sh").run();
        assert!(!attempt.verdict().cached);
    }
    assert_eq!(client.statistics().panics, 0);
    assert_eq!(client.statistics().failed_answers, 0);
}

#[test]
fn reserved_and_unknown_types_are_delivered_and_answered() {
    let machine = machine_of(11);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let client = started(move |message| {
        let event = message.view().event();
        assert!(
            matches!(event, Event::Reserved(_) | Event::Unknown(_)),
            "{event:?}"
        );
        noted
            .lock()
            .unwrap()
            .push(message.view().event_type().as_raw());
        message.answer(Answer::Deny).unwrap();
    });
    let reserved: Vec<EventType> = (151..=156).map(EventType::from_raw).collect();
    assert_eq!(client.subscribe(&reserved).unwrap().dropped, []);
    let zsh = machine.process("/bin/zsh").start();
    assert!(
        !machine
            .send(es_event_type_t::ES_EVENT_TYPE_RESERVED_5, &zsh)
            .allowed()
    );
    assert!(
        machine
            .send(es_event_type_t::ES_EVENT_TYPE_RESERVED_6, &zsh)
            .allowed()
    );
    assert!(!machine.send_unknown(4711, true, &zsh).allowed());
    assert!(machine.send_unknown(4712, false, &zsh).allowed());
    machine.settle();
    assert_eq!(*seen.lock().unwrap(), [153, 154, 4711, 4712]);
    assert_eq!(client.statistics().panics, 0);
}

#[test]
fn a_default_that_the_system_does_not_take_is_reported() {
    let machine = machine_of(11);
    let failed = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&failed);
    let (send, receive) = mpsc::channel::<KeptAuth>();
    let client = Client::builder()
        .on_report(move |report| {
            if let Report::DefaultFailed { error, .. } = report {
                assert_eq!(error, AnswerError::Closed);
                counted.fetch_add(1, Ordering::Relaxed);
            }
        })
        .start(move |message| {
            if let Message::Auth(message) = message {
                send.send(message.keep()).unwrap();
            }
        })
        .unwrap();
    let _subscribed = client.subscribe(&[EventType::AUTH_UNLINK]).unwrap();
    let rm = machine.process("/bin/rm").start();
    let attempt = machine.unlink(&rm, "/a");
    let kept = receive.recv().unwrap();
    // Closing answers what is kept; what its keeper says then is too late.
    client.close();
    assert!(attempt.allowed());
    assert_eq!(kept.deny(), Err(AnswerError::TooLate));
    assert_eq!(failed.load(Ordering::Relaxed), 0);
    assert_eq!(machine.report().live_messages, 0);
}
