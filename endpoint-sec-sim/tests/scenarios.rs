//! Scenarios: written by hand, and recorded.

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
use endpoint_sec_sim::{FileType, Installed, Machine, ReadScenarioError, Scenario};
use endpoint_sec_sys::{es_event_type_t as E, es_message_t};
use support::{Client, asks, event_of, path_of, text};

const REMOVE: &str = include_str!("recordings/remove-a-tree.jsonl");
const SAVE: &str = include_str!("recordings/save-a-document.jsonl");

/// What a handler saw: the type, and the paths of unlinks.
type Recorded = Arc<Mutex<Vec<(E, Vec<u8>)>>>;

/// A client that denies removing whatever lies in `/zone` or is called `b.md`, and allows
/// everything else.
fn guard(events: &[E]) -> (Client, Recorded) {
    let recorded = Recorded::default();
    let record = recorded.clone();
    let client = Client::new(move |client, message: *const es_message_t| {
        let event = event_of(message);
        let mut path = Vec::new();
        if event == E::ES_EVENT_TYPE_AUTH_UNLINK || event == E::ES_EVENT_TYPE_NOTIFY_UNLINK {
            // SAFETY: the message lives during the call and is about an unlink.
            path = path_of(unsafe { (*message).event.unlink.target });
        }
        let keep = path.starts_with(b"/zone/") || path.ends_with(b"/b.md");
        record.lock().unwrap().push((event, path));
        if !asks(message) {
            return;
        }
        if event == E::ES_EVENT_TYPE_AUTH_OPEN {
            support::respond_flags(client, message, 1, false);
        } else if keep {
            support::deny(client, message);
        } else {
            support::allow(client, message);
        }
    });
    let client = client.unwrap();
    client.subscribe(events);
    (client, recorded)
}

fn machine() -> Installed {
    Machine::new(MACOS_15).install()
}

#[test]
fn a_scenario_in_json_is_played_and_judged() {
    let machine = machine();
    let (_client, _attempt) = guard(&[E::ES_EVENT_TYPE_AUTH_UNLINK, E::ES_EVENT_TYPE_AUTH_OPEN]);
    let scenario = Scenario::from_json(
        r#"{
            "files": ["/zone/a", {"path": "/else", "uid": 501, "size": 7}],
            "processes": [
                {"name": "zsh", "path": "/bin/zsh", "user": 501, "env": ["A=1"], "cwd": "/Users/ann"},
                {"name": "agent", "path": "/opt/agent", "parent": "zsh", "signing_id": "org.agent", "team_id": "T"}
            ],
            "steps": [
                {"fork": "agent", "as": "child"},
                {"exec": "child", "path": "/bin/rm", "args": ["rm", "a"]},
                {"unlink": "child", "path": "/zone/a", "expect": "deny"},
                {"unlink": "child", "path": "/else", "expect": "allow"},
                {"open": "child", "path": "/f", "flags": ["read", "write"], "expect": "deny"},
                {"open": "child", "path": "/f", "flags": 1, "expect": "allow"},
                {"rename": "agent", "from": "/f", "to": "/g"},
                {"create": "agent", "path": "/new", "mode": 384},
                {"create": "agent", "path": "/link", "type": "symbolic_link"},
                {"write": "agent", "path": "/new"},
                {"close": "agent", "path": "/new", "modified": true},
                {"link": "agent", "from": "/new", "to": "/linked"},
                {"clone": "agent", "from": "/new", "to": "/cloned"},
                {"copyfile": "agent", "from": "/new", "to": "/copied"},
                {"exchangedata": "agent", "from": "/new", "to": "/copied"},
                {"truncate": "agent", "path": "/cloned"},
                {"wait_ms": 10},
                {"exit": "child", "status": 256},
                {"unlink": "zsh", "path": "/copied", "expect": "deny"}
            ]
        }"#,
    );
    let scenario = scenario.unwrap();
    assert_eq!(scenario.len(), 19);
    let played = scenario.play(&machine).unwrap();
    let unexpected: Vec<usize> = played
        .iter()
        .filter(|played| !played.as_expected())
        .map(|played| played.step)
        .collect();
    assert_eq!(unexpected, [18], "the last expectation is wrong on purpose");
    assert!(
        played[2].what.starts_with("unlink /zone/a by /bin/rm["),
        "{}",
        played[2].what
    );
    assert!(machine.exists("/zone/a") && !machine.exists("/else"));
    for there in ["/g", "/new", "/linked", "/cloned"] {
        assert!(machine.exists(there), "{there}");
    }
    assert!(!machine.exists("/f") && !machine.exists("/copied"));
    assert_eq!(
        machine.file("/link").file_type(),
        Some(FileType::SymbolicLink)
    );
}

#[test]
fn a_recording_becomes_operations_that_clients_decide_again() {
    let machine = machine();
    let events = [
        E::ES_EVENT_TYPE_NOTIFY_FORK,
        E::ES_EVENT_TYPE_AUTH_EXEC,
        E::ES_EVENT_TYPE_NOTIFY_EXEC,
        E::ES_EVENT_TYPE_AUTH_UNLINK,
        E::ES_EVENT_TYPE_NOTIFY_UNLINK,
        E::ES_EVENT_TYPE_NOTIFY_EXIT,
    ];
    let (_client, recorded) = guard(&events);
    let scenario = Scenario::from_eslogger(REMOVE).unwrap();
    assert_eq!(scenario.len(), 6);
    let skipped: Vec<_> = scenario
        .skipped()
        .iter()
        .map(|(kind, count)| (kind.as_str(), *count))
        .collect();
    assert_eq!(skipped, [("lookup", 2), ("mmap", 1)]);
    let played = scenario.play(&machine).unwrap();
    let allowed: Vec<bool> = played.iter().map(|played| played.verdict.allowed).collect();
    assert_eq!(allowed, [true, true, true, false, true, true]);
    assert!(
        played[3].what.ends_with("notes/b.md by /bin/rm[815.1629]"),
        "{}",
        played[3].what
    );
    machine.settle();
    let recorded = recorded.lock().unwrap();
    let types: Vec<E> = recorded.iter().map(|(event, _)| *event).collect();
    let unlinks = [E::ES_EVENT_TYPE_AUTH_UNLINK, E::ES_EVENT_TYPE_NOTIFY_UNLINK];
    assert_eq!(types[..3], events[..3]);
    assert_eq!(types[3..9], [unlinks, unlinks, unlinks].concat());
    assert_eq!(types[9], E::ES_EVENT_TYPE_NOTIFY_EXIT);
}

#[test]
fn a_recorded_process_is_shown_as_it_was() {
    let machine = machine();
    let seen: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let record = seen.clone();
    let client = Client::new(move |_, message: *const es_message_t| {
        // SAFETY: the message lives during the call and is about an exec.
        let (event, process) = unsafe { (&raw const (*message).event.exec, (*message).process) };
        // SAFETY: as above.
        let (team, ppid) = unsafe { ((*process).team_id, (*process).ppid) };
        // SAFETY: as above; the index is below the count.
        let arg = text(unsafe { endpoint_sec_sys::es_exec_arg(event, 2) });
        let mut seen = record.lock().unwrap();
        seen.extend([arg, text(team), ppid.to_string().into_bytes()]);
    });
    let client = client.unwrap();
    client.subscribe(&[E::ES_EVENT_TYPE_NOTIFY_EXEC]);
    Scenario::from_eslogger(REMOVE)
        .unwrap()
        .play(&machine)
        .unwrap();
    machine.settle();
    assert_eq!(
        *seen.lock().unwrap(),
        [&b"/Users/ann/project/notes"[..], b"", b"812"]
    );
}

#[test]
fn every_deed_of_a_recording_leaves_its_files() {
    let machine = machine();
    let scenario = Scenario::from_eslogger(SAVE).unwrap();
    assert_eq!(scenario.len(), 12);
    assert_eq!(scenario.skipped().get("setextattr"), Some(&1));
    let played = scenario.play(&machine).unwrap();
    assert!(played.iter().all(|played| played.verdict.allowed));
    for there in [
        "/Users/ann/doc.txt",
        "/Users/ann/doc.txt~",
        "/Users/ann/copy.txt",
        "/top.txt",
    ] {
        assert!(machine.exists(there), "{there}");
    }
    for gone in ["/Users/ann/.doc.txt.tmp", "/Users/ann/second.txt"] {
        assert!(!machine.exists(gone), "{gone}");
    }
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let cases = [
        (Scenario::from_json("{"), "the scenario is not JSON"),
        (
            Scenario::from_json(r#"{"steps": [{"dance": "rm"}]}"#),
            "steps[0] does nothing that is known: {\"dance\":\"rm\"}",
        ),
        (
            Scenario::from_json(r#"{"steps": [{"unlink": "rm"}]}"#),
            "steps[0] needs `path`, a text",
        ),
        (
            Scenario::from_json(r#"{"processes": [{"name": "rm"}]}"#),
            "processes[0] needs `path`, a text",
        ),
        (
            Scenario::from_eslogger("\n{}"),
            "line 2 needs `event`, an object",
        ),
        (Scenario::from_eslogger("nonsense"), "line 1 is not JSON"),
        (
            Scenario::from_eslogger(r#"{"event": {"unlink": {}}}"#),
            "line 1 needs `target`, an object",
        ),
    ];
    for (result, expected) in cases {
        let error: ReadScenarioError = result.unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let machine = machine();
    let stranger = Scenario::from_json(r#"{"steps": [{"exit": "nobody"}]}"#).unwrap();
    let error = stranger.play(&machine).unwrap_err();
    assert_eq!(
        error.to_string(),
        "step 0 names `nobody`, which no process is called by"
    );
}
