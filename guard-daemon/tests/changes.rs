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
    pub(crate) mod program;
    pub(crate) mod scratch;
    pub(crate) mod session;
    pub(crate) mod users;
}

use guard_core::event::PreservationOutcome;
use guard_core::ring::{Lane, Reader};
use std::collections::BTreeSet;
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

/// The events of what an agent does in a fresh home: changes, then denials.
fn events(policy: &str, setup: &str, deed: &str) -> (Seen, Seen) {
    let workshop = Workshop::open();
    let home = workshop.home(User::all()[0], policy);
    let ready = session::unguarded(&workshop, &home, &format!("set -e; {setup}"));
    assert!(ready.status.success(), "{ready:#?}");
    let done = session::guarded(&workshop, &home, Who::Claude, "", deed);
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
        "cd zone; echo x > own; echo y > own; rm own; echo worse >> keep; echo more >> keep; \
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
