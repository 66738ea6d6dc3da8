//! What agents ask for, and what became of it: the log, the API, the page and the metrics, of a real
//! exporter that reads a real ring.
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "a test binary"
)]

mod support;

use guard_core::event::{RequestEvent, RequestStep};
use guard_core::ring::{Counter, MIN_LANE_WORDS, Producer};
use guard_testing::events::REQUEST;
use serde_json::Value;
use std::fs;
use support::{Home, eventually, exists, whole_lines};

/// A request, and its answer after two seconds if `step` is one.
fn publish(ring: &Producer, id: &str, step: Option<RequestStep>) {
    let asked = RequestEvent { id, ..REQUEST };
    let number = ring.publish_request(&asked);
    if let Some(step) = step {
        ring.publish_request(&RequestEvent {
            step,
            request: Some(number),
            wait_ns: Some(2_000_000_000),
            by: Some("user 1000"),
            wall_ns: asked.wall_ns + 2_000_000_000,
            ..asked
        });
    }
}

/// The numbers of the lines of the log, oldest file first.
fn logged(home: &Home) -> Vec<u64> {
    let older = (1..=8)
        .rev()
        .map(|number| format!("overrides.jsonl.{number}"));
    let mut found = Vec::new();
    for file in older.chain(["overrides.jsonl".to_owned()]) {
        let lines = whole_lines(&home.path(&file));
        let numbers = lines.iter().map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["seq"].as_u64().unwrap()
        });
        found.extend(numbers);
    }
    found
}

#[test]
fn every_step_is_logged_counted_and_served() {
    let home = Home::new();
    let ring = home.ring(0xaa, MIN_LANE_WORDS);
    publish(&ring, "a-1", Some(RequestStep::Granted));
    publish(&ring, "a-2", Some(RequestStep::Rejected));
    publish(&ring, "a-3", None);
    ring.set(Counter::OpenRequests, 1);
    ring.set(Counter::OldestRequestNs, REQUEST.wall_ns);
    let exporter = home.start();
    let mut found = Value::Null;
    eventually("all steps are served", || {
        found = serde_json::from_str(&exporter.get("/api/v1/requests").1).unwrap();
        let count = |what: &str| found[what].as_array().map(Vec::len);
        count("steps") == Some(5) && count("open") == Some(1)
    });
    assert_eq!(found["open"][0]["id"], "a-3");
    assert_eq!(found["open"][0]["because"], "replaced by new");
    let page = exporter.get("/").1;
    assert!(page.contains("codex-es-guard approve a-3"), "{page}");
    for (series, value) in [
        (
            r#"guard_requests_total{agent="codex",step="requested"}"#,
            3.0,
        ),
        (r#"guard_requests_total{agent="codex",step="granted"}"#, 1.0),
        (
            r#"guard_request_wait_seconds_count{answer="rejected"}"#,
            1.0,
        ),
        (r#"guard_request_wait_seconds_sum{answer="granted"}"#, 2.0),
        ("guard_open_requests", 1.0),
        (
            "guard_oldest_open_request_timestamp_seconds",
            1_718_000_001.0,
        ),
        (r#"guard_ring_records_total{lane="request"}"#, 5.0),
        ("guard_override_log_records_total", 5.0),
    ] {
        exporter.await_metric(series, value);
    }
    assert_eq!(logged(&home), [0, 1, 2, 3, 4]);
}

#[test]
fn killed_again_and_again_it_loses_and_doubles_no_step() {
    let home = Home::new();
    let ring = home.ring(0xaa, MIN_LANE_WORDS);
    for round in 0..5_u64 {
        for number in 0..40 {
            publish(
                &ring,
                &format!("a-{round}-{number}"),
                Some(RequestStep::Granted),
            );
        }
        let mut exporter = home.start();
        let wanted = usize::try_from(round * 80 + 20).unwrap();
        eventually("some are logged", || logged(&home).len() >= wanted);
        exporter.child.kill().unwrap();
        exporter.child.wait().unwrap();
    }
    publish(&ring, "last", None);
    let exporter = home.start();
    eventually("all are logged", || logged(&home).len() >= 401);
    assert_eq!(logged(&home), (0..401).collect::<Vec<_>>());
    // What was open before is so after a restart.
    drop(exporter);
    let exporter = home.start();
    eventually("the open one is known", || {
        let (_, body) = exporter.get("/api/v1/requests");
        let found: Value = serde_json::from_str(&body).unwrap_or_default();
        found["open"][0]["id"] == "last"
    });
    // With its guard it goes, and the ring is read to its end.
    drop(ring);
    eventually("nobody waits any more", || {
        let (_, body) = exporter.get("/api/v1/requests");
        let found: Value = serde_json::from_str(&body).unwrap_or_default();
        found["open"].as_array().is_some_and(Vec::is_empty)
    });
    eventually("the ring is gone", || !exists(&home.ring_path(0xaa)));
    assert_eq!(logged(&home).len(), 401);
}

#[test]
fn the_log_is_chained_while_the_denial_log_is() {
    let home = Home::new();
    let ring = home.ring(0xaa, MIN_LANE_WORDS);
    publish(&ring, "a-1", Some(RequestStep::Granted));
    let exporter = home.spawn(home.command().arg("--denials.chain=on"));
    eventually("it is logged", || logged(&home).len() == 2);
    let text = fs::read_to_string(home.path("overrides.jsonl")).unwrap();
    assert_eq!(text.matches("\"hash\":\"").count(), 2, "{text}");
    assert_eq!(text.matches("\"prev\":\"").count(), 2, "{text}");
    drop(exporter);
}
