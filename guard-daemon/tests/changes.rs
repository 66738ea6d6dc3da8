//! What agents take from kept files, as the guard reports it: events in the ring, then the exporter's
//! log, metrics and API.

#![cfg(target_os = "linux")]
#![allow(dead_code, reason = "each test binary uses its part of the support")]
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

mod support {
    pub(crate) mod exporter;
    pub(crate) mod program;
    pub(crate) mod scratch;
    pub(crate) mod session;
    pub(crate) mod stage;
    pub(crate) mod users;
}

use guard_core::event::PreservationOutcome;
use guard_core::ring::{Lane, Reader};
use guard_testing::wait::{eventually, found};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command};
use support::exporter;
use support::scratch::{Home, Workshop};
use support::session::{self, Who};
use support::users::User;

/// The disk may be full of other things.
const POLICY: &str = r#"{"protected_zones": ["~/zone"], "undo": {"min_free": 0}}"#;

/// Removals go on and are preserved.
const PRESERVE: &str = r#"{"protected_zones": ["~/zone"], "removals": "preserve"}"#;

/// Nothing fits.
const TIGHT: &str = r#"{"protected_zones": ["~/zone"], "undo": {"max_bytes": 0}}"#;

/// Operation, change, method or cause, sizes, and the path in the zone.
type Seen = BTreeSet<String>;

fn changes(home: &Home, lane: Lane) -> Seen {
    let zone = home.path().join("zone");
    let mut seen = Seen::new();
    for entry in std::fs::read_dir(home.path().join(".codex/es-guard/rings")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "ring") {
            continue;
        }
        let mut ring = Reader::attach(&path).unwrap();
        while let Some(event) = ring.next(lane) {
            let preservation = event.preservation.unwrap();
            let how = match preservation.outcome {
                PreservationOutcome::Preserved(method) => method.as_str(),
                PreservationOutcome::Unpreserved(cause) => cause.as_str(),
            };
            let lost = String::from_utf8_lossy(event.destination.unwrap_or(event.path));
            assert!(event.zone.is_some() && event.agent.is_some(), "{event:?}");
            seen.insert(format!(
                "{} {} {how} {} {:?} {}",
                event.operation.as_str(),
                event.change().map_or("denied", |change| change.as_str()),
                preservation.bytes,
                preservation.bytes_after,
                lost.strip_prefix(zone.to_str().unwrap()).unwrap(),
            ));
        }
    }
    seen
}

/// A function for deeds, by which an agent writes. A write is the agent's for a moment after its open; one
/// that took longer, on a machine that was busy, says so.
const QUICKLY: &str = "quickly() { local began=${EPOCHREALTIME/./}; eval \"$1\"; \
    [ $((${EPOCHREALTIME/./} - began)) -lt 40000 ] || echo too slow; }; ";

/// The events of what an agent does in a fresh home: changes, then denials.
fn events(policy: &str, setup: &str, deed: &str) -> (Seen, Seen) {
    let workshop = Workshop::open();
    let (home, done) = found("a quick agent", || {
        let home = workshop.home(User::all()[0], policy);
        let ready = session::unguarded(&workshop, &home, &format!("set -e; {setup}"));
        assert!(ready.status.success(), "{ready:#?}");
        let deed = format!("{QUICKLY}{deed}");
        let done = session::guarded(&workshop, &home, Who::Claude, "", &deed);
        (!done.output.contains("too slow")).then_some((home, done))
    });
    let seen = changes(&home, Lane::Change);
    let denied = if done.denials.is_empty() {
        Seen::new()
    } else {
        changes(&home, Lane::Deny)
    };
    (seen, denied)
}

fn check(policy: &str, setup: &str, deed: &str, expected: &[&str]) {
    let (seen, denied) = events(policy, setup, deed);
    assert_eq!(seen, expected.iter().map(|&text| text.to_owned()).collect());
    assert_eq!(denied, Seen::new());
}

#[test]
fn edits_and_replacements_are_events_with_what_was_preserved() {
    check(
        POLICY,
        "printf 12345 > zone/five; echo long enough > out/new; ln -s keep zone/link",
        // The agent's own file needs nothing; a save over the kept one does, once.
        "cd zone; quickly 'echo x > own'; quickly 'echo y > own'; rm own; \
         quickly 'echo worse >> keep'; echo more >> keep; \
         perl -e 'truncate(\"five\", 2)'; mv ../out/new five; cat keep > /dev/null",
        &[
            "write changed copy 18 None /keep",
            "write changed copy 5 Some(2) /five",
            "rename replaced hardlink 2 Some(12) /five",
        ],
    );
    check(
        POLICY,
        "seq 100 > zone/hundred; echo x > out/short",
        "> zone/keep; mv out/short zone/hundred",
        &[
            "write shrunk copy 18 Some(0) /keep",
            "rename shrunk hardlink 292 Some(2) /hundred",
        ],
    );
}

#[test]
fn removals_that_the_policy_preserves_are_events() {
    check(
        PRESERVE,
        "mkdir zone/d; echo a > zone/d/a; ln -s a zone/d/link",
        "rm -r zone/d",
        &[
            "unlink removed hardlink 2 None /d/a",
            "unlink removed record 0 None /d/link",
            "unlink removed record 0 None /d",
        ],
    );
}

#[test]
fn what_could_not_be_preserved_is_an_event_with_its_cause() {
    let repository = "cd zone; git init -q -b main; git config user.name a; \
        git config user.email a@b; echo v1 > a; git add .; git commit -qm one; echo v2 > a; cd ..";
    let (seen, denied) = events(
        TIGHT,
        repository,
        "echo x > zone/keep; git -C zone checkout -q -- a",
    );
    assert!(
        seen.contains("write shrunk full 18 Some(0) /keep"),
        "{seen:?}"
    );
    assert_eq!(
        denied,
        Seen::from(["unlink denied full 3 None /a".to_owned()])
    );
}

/// The answer to a request for this path.
fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// A program that ends with its test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// An agent discards work with git, a person restores it; the exporter shows both.
#[test]
fn a_checkout_and_its_undo_are_logged_counted_and_served() {
    exporter::build();
    let workshop = Workshop::open();
    let home = workshop.home(User::all()[0], POLICY);
    let ready = "set -e; cd zone; git init -q -b main; git config user.name a; \
        git config user.email a@b; echo v1 > a; git add a; git commit -qm one; \
        echo 'hours of work' > a";
    let ready = session::unguarded(&workshop, &home, ready);
    assert!(ready.status.success(), "{ready:#?}");
    let beside = Path::new(env!("CARGO_BIN_EXE_codex-es-guard"));
    let state = home.path().join(".codex/es-guard");
    let exporter = Command::new(beside.with_file_name("guard-exporter"))
        .arg("--state")
        .arg(&state)
        .args(["--web.listen-address", "127.0.0.1:0"])
        .env("HOME", home.path())
        .spawn()
        .unwrap();
    let _ended = Ended(exporter);
    let address = found("the exporter serves", || {
        let json = std::fs::read(state.join("exporter.json")).ok()?;
        let json: Value = serde_json::from_slice(&json).ok()?;
        json["address"].as_str().map(ToOwned::to_owned)
    });
    let done = session::guarded(
        &workshop,
        &home,
        Who::Claude,
        "",
        "git -C zone checkout -q -- a; echo x >> zone/keep",
    );
    assert!(done.status.success(), "{done:#?}");
    let page = found("both changes are served", || {
        let page: Value = serde_json::from_str(&get(&address, "/api/v1/changes")).unwrap();
        let paths = page["changes"].as_array().unwrap().iter();
        let seen = |end: &str| {
            paths
                .clone()
                .any(|change| change["path"].as_str().unwrap().ends_with(end))
        };
        (seen("/zone/a") && seen("/zone/keep")).then_some(page)
    });
    let of = |end: &str| {
        let mut changes = page["changes"].as_array().unwrap().iter();
        changes
            .find(|change| change["path"].as_str().unwrap().ends_with(end))
            .unwrap()
    };
    assert_eq!(of("/zone/a")["change"], "removed");
    assert_eq!(of("/zone/a")["preserved"], "hardlink");
    assert_eq!(of("/zone/a")["bytes"], 14);
    assert_eq!(of("/zone/a")["tool"], "git");
    assert_eq!(of("/zone/keep")["change"], "changed");
    assert_eq!(of("/zone/keep")["op"], "write");
    let log = std::fs::read_to_string(state.join("changes.jsonl")).unwrap();
    assert!(log.contains(r#""op":"write""#), "{log}");
    let metric = |series: &str| -> Option<f64> {
        let text = get(&address, "/metrics");
        let mut lines = text.lines();
        lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
    };
    let kept = metric(r#"guard_file_changes_total{agent="claude_code",kind="removed"}"#);
    assert!(kept >= Some(1.0), "{kept:?}");
    eventually("the store's figures of the session's end are shown", || {
        metric("guard_undo_store_limit_bytes") > Some(0.0)
            && metric("guard_undo_store_bytes") > Some(0.0)
    });

    let shown = r#""$TOOLS/codex-es-guard" denials --changes --operation write"#;
    let shown = session::unguarded(&workshop, &home, shown);
    assert!(
        shown.output.contains("kept") && shown.output.contains("changed"),
        "{shown:#?}"
    );
    let restored = r#""$TOOLS/codex-es-guard" undo restore last --yes"#;
    let restored = session::unguarded(&workshop, &home, restored);
    assert!(restored.status.success(), "{restored:#?}");
    let a = std::fs::read_to_string(home.path().join("zone/a")).unwrap();
    assert_eq!(a, "hours of work\n");
    eventually("the restore is counted", || {
        metric("guard_undo_restores_total") == Some(1.0)
            && metric("guard_undo_restored_files_total") >= Some(2.0)
    });
}
