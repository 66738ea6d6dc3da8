//! What agents take from kept files: the change log, the API and the metrics, of a real exporter that
//! reads a real ring.
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "a test binary"
)]

mod support;

use guard_core::event::{Preservation, PreservationOutcome, UnpreservedCause};
use guard_core::ring::{Counter, MIN_LANE_WORDS, Producer, RingOptions};
use guard_core::verdict::{Reason, Verdict};
use guard_core::{DecisionEvent, OperationKind};
use guard_testing::events::CHANGE;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::MetadataExt;
use support::{Home, allowed, denial, eventually, exists, publish, whole_lines};

/// Room for some 20,000 events.
const ROOMY: usize = 1 << 20;

/// An edit of which no copy could be kept.
fn lost_edit() -> DecisionEvent<'static> {
    DecisionEvent {
        operation: OperationKind::Write,
        reason: Reason::NotJudged,
        tool: None,
        preservation: Some(Preservation {
            outcome: PreservationOutcome::Unpreserved(UnpreservedCause::Full),
            bytes: 100,
            bytes_after: Some(0),
            duration_ns: 3,
        }),
        ..CHANGE
    }
}

/// A removal that audit mode lets pass, preserved.
fn audited() -> DecisionEvent<'static> {
    DecisionEvent {
        verdict: Verdict::Audit,
        reason: Reason::AuditOnly,
        tool: None,
        ..CHANGE
    }
}

fn ring(home: &Home, id: u8) -> Producer {
    let options = RingOptions {
        id: [id; 16],
        session: b"calm-heron-17".to_vec(),
        deny_words: ROOMY,
        allow_words: MIN_LANE_WORDS,
        change_words: ROOMY,
        ..RingOptions::default()
    };
    Producer::create(&home.ring_path(id), &options).unwrap()
}

/// Verdict and number of each line of a ring's, oldest file first.
fn logged(home: &Home, log: &str, id: u8) -> Vec<(String, u64)> {
    let older = (1..=8).rev().map(|number| format!("{log}.{number}"));
    let mut found = Vec::new();
    for file in older.chain([log.to_owned()]) {
        for line in whole_lines(&home.path(&file)) {
            let value: Value = serde_json::from_str(&line).unwrap();
            if value["ring"] == format!("{id:02x}").repeat(16) {
                found.push((
                    value["verdict"].as_str().unwrap().to_owned(),
                    value["seq"].as_u64().unwrap(),
                ));
            }
        }
    }
    found
}

#[test]
fn changes_are_logged_counted_and_served() {
    let home = Home::new();
    let producer = ring(&home, 0xaa);
    producer.set(Counter::UndoStoreBytes, 7 << 20);
    producer.set(Counter::UndoStoreLimitBytes, 70 << 20);
    producer.set(Counter::UndoEvictedSessions, 2);
    for event in [CHANGE, lost_edit(), audited(), denial(), allowed()] {
        producer.publish(&event);
    }
    let exporter = home.start();
    let mut page = Value::Null;
    eventually("all changes are kept", || {
        page = serde_json::from_str(&exporter.get("/api/v1/changes").1).unwrap();
        page["kept"] == 3
    });
    let found = page["changes"].as_array().unwrap();
    let ids: Vec<&str> = found
        .iter()
        .map(|change| change["id"].as_str().unwrap().rsplit_once('-').unwrap().1)
        .collect();
    assert_eq!(ids, ["c1", "c0", "0"]);
    assert_eq!(found[0]["change"], "shrunk");
    assert_eq!(found[0]["unpreserved"], "full");
    assert_eq!(found[0]["bytes_after"], 0);
    assert_eq!(found[1]["preserved"], "hardlink");
    assert_eq!(found[1]["undo_session"], "calm-heron-17");
    assert!(
        found[1]["summary"]
            .as_str()
            .unwrap()
            .contains("4.0 KiB preserved by a hard link"),
        "{page}"
    );
    let older = format!(
        "/api/v1/changes?before={}",
        found[0]["id"].as_str().unwrap()
    );
    let older: Value = serde_json::from_str(&exporter.get(&older).1).unwrap();
    assert_eq!(older["changes"].as_array().unwrap().len(), 2);

    for (series, value) in [
        (
            r#"guard_file_changes_total{agent="claude_code",kind="removed"}"#,
            2.0,
        ),
        (
            r#"guard_file_changes_total{agent="claude_code",kind="shrunk"}"#,
            1.0,
        ),
        (
            r#"guard_preserved_files_total{agent="claude_code",method="hardlink"}"#,
            2.0,
        ),
        (
            r#"guard_preserved_bytes_total{agent="claude_code",method="hardlink"}"#,
            8192.0,
        ),
        (
            r#"guard_unpreserved_files_total{cause="full",verdict="allow"}"#,
            1.0,
        ),
        (
            r#"guard_preserving_duration_seconds_count{method="none"}"#,
            1.0,
        ),
        (r#"guard_ring_records_total{lane="change"}"#, 2.0),
        ("guard_undo_store_bytes", 7_340_032.0),
        ("guard_undo_store_limit_bytes", 73_400_320.0),
        ("guard_undo_evicted_sessions_total", 2.0),
        ("guard_change_log_records_total", 3.0),
        ("guard_denial_log_records_total", 2.0),
    ] {
        exporter.await_metric(series, value);
    }
    let html = exporter.get("/").1;
    for text in [
        "claude_code removed and cut <code>/home/u/project/main.rs</code> with git",
        "removed <code>/home/u/project/main.rs</code>: 4.0 KiB preserved by a hard link.",
        "<code class=\"command\">codex-es-guard undo restore calm-heron-17 /home/u/project/main.rs</code>",
        "100 B not preserved (full)",
        "It is lost.",
        "codex-es-guard undo show last",
    ] {
        assert!(html.contains(text), "no {text} in {html}");
    }
    exporter.terminate();
    let log = home.path("changes.jsonl");
    let lines = fs::read_to_string(&log).unwrap();
    assert_eq!(lines.lines().count(), 3, "{lines}");
    assert_eq!(fs::metadata(&log).unwrap().mode() & 0o777, 0o600);
    let of_denials: Vec<_> = logged(&home, "denials.jsonl", 0xaa);
    assert_eq!(
        of_denials,
        [("audit".to_owned(), 0), ("deny".to_owned(), 1)]
    );
    // Another exporter has them again in memory, and writes none twice.
    let exporter = home.start();
    eventually("they are loaded", || {
        let page: Value = serde_json::from_str(&exporter.get("/api/v1/changes").1).unwrap();
        page["kept"] == 3
    });
    exporter.terminate();
    assert_eq!(fs::read_to_string(&log).unwrap(), lines);
}

#[test]
fn killed_again_and_again_it_loses_and_doubles_no_change() {
    let home = Home::new();
    let survivor = ring(&home, 1);
    let mut mortal = Some(ring(&home, 2));
    let (mut changes, mut audits) = (0, 0);
    let bytes = || fs::metadata(home.path("changes.jsonl")).map_or(0, |file| file.len());
    for round in 0..30 {
        // The logs alone are the durable cursor.
        if round % 3 == 0 {
            drop(fs::remove_file(home.path("cursors.json")));
        }
        for _ in 0..40 {
            survivor.publish(&CHANGE);
            publish(&survivor, &audited(), 1);
            audits += 1;
            changes += 1;
            if let Some(mortal) = &mortal {
                mortal.publish(&lost_edit());
            }
        }
        if round == 20 {
            mortal = None;
        }
        let before = bytes();
        let exporter = home.spawn(&mut home.command());
        if round % 2 == 0 {
            eventually("it writes", || bytes() != before);
        }
        exporter.signal("KILL");
        exporter.wait();
    }
    let exporter = home.start();
    eventually("all is there, and the dead guard's ring is gone", || {
        let found = logged(&home, "changes.jsonl", 1);
        found.len() as u64 >= changes + audits && !exists(&home.ring_path(2))
    });
    exporter.terminate();
    let of = |id, verdict: &str| -> Vec<u64> {
        let found = logged(&home, "changes.jsonl", id).into_iter();
        found
            .filter(|(found, _)| found == verdict)
            .map(|(_, number)| number)
            .collect()
    };
    assert_eq!(of(1, "allow"), (0..changes).collect::<Vec<_>>());
    assert_eq!(of(1, "audit"), (0..audits).collect::<Vec<_>>());
    assert_eq!(of(2, "allow"), (0..21 * 40).collect::<Vec<_>>());
    let denials = logged(&home, "denials.jsonl", 1);
    let denials: Vec<u64> = denials.into_iter().map(|(_, number)| number).collect();
    assert_eq!(denials, (0..audits).collect::<Vec<_>>());
}

#[test]
fn a_change_log_that_cannot_be_written_delays_changes_and_loses_none() {
    let home = Home::new();
    let producer = ring(&home, 1);
    let exporter = home.start();
    producer.publish(&CHANGE);
    let log = home.path("changes.jsonl");
    let count = || fs::read_to_string(&log).map_or(0, |text| text.lines().count());
    eventually("the first is there", || count() == 1);
    fs::remove_file(&log).unwrap();
    fs::create_dir(&log).unwrap();
    producer.publish(&CHANGE);
    producer.publish(&denial());
    eventually("it is not ready and says why", || {
        let (status, body) = exporter.get("/-/ready");
        status == 503 && body.contains("changes.jsonl")
    });
    eventually("denials are written all the same", || home.lines() == 1);
    assert!(exporter.metric("guard_change_log_write_failures_total") > Some(0.0));
    fs::remove_dir(&log).unwrap();
    eventually("the second is there", || count() == 1);
    eventually("it is ready", || exporter.get("/-/ready").0 == 200);
    exporter.terminate();
}
