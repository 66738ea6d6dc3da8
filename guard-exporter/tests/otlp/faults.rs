//! Collectors that are away, slow, broken or silent: undelivered items are counted, the denial log is
//! not affected, and memory is bounded.

use crate::collector::{Behavior, Collector, attributes};
use crate::support::{Exporter, Home, allowed, denial, eventually, listener, publish};
use crate::{metric, start, start_at};
use guard_core::ring::MIN_LANE_WORDS;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use std::collections::HashSet;
use std::net::TcpListener;

/// Room for some 100,000 denials.
const ROOMY: usize = 1 << 23;
const BURST: u64 = 100_000;
/// An attempt times out soon.
const IMPATIENT: (&str, &str) = ("OTEL_EXPORTER_OTLP_TIMEOUT", "200");

/// Exported, dropped and queued.
fn account(exporter: &Exporter, signal: &str) -> [u64; 3] {
    [
        "exported_items_total",
        "dropped_items_total",
        "queued_items",
    ]
    .map(|name| metric(exporter, name, signal))
}

/// Decisions of which a span has arrived, and of which a record has. On a busy machine a batch may
/// arrive, be late with its answer, and arrive again.
fn decisions(collector: &Collector) -> [usize; 2] {
    let state = collector.state();
    let count = |all: &mut dyn Iterator<Item = &Vec<KeyValue>>| {
        let ids: HashSet<String> = all
            .filter_map(|pairs| attributes(pairs).remove("guard.decision.id"))
            .collect();
        ids.len()
    };
    [
        count(&mut state.spans.iter().map(|span| &span.attributes)),
        count(&mut state.records.iter().map(|record| &record.attributes)),
    ]
}

/// Waits for the log while it makes progress: unoptimized programs are slow.
fn all_are_logged(exporter: &Exporter) {
    for part in 1..=10 {
        eventually("the log makes progress", || {
            let logged = exporter.metric("guard_denial_log_records_total");
            logged >= Some(f64::from(part * 10_000))
        });
    }
}

#[test]
fn a_collector_that_comes_back_gets_everything() {
    for behavior in [
        Behavior::Status(503, ""),
        Behavior::Status(429, "Retry-After: 0\r\n"),
        Behavior::Status(502, "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n"),
        Behavior::Garbage,
        Behavior::Hang,
    ] {
        let home = Home::new();
        let collector = Collector::start(behavior);
        let producer = home.ring(1, MIN_LANE_WORDS);
        publish(&producer, &denial(), 7);
        let exporter = start(&home, &collector, &[IMPATIENT]);
        for signal in ["traces", "logs"] {
            eventually("attempts fail and are counted", || {
                metric(&exporter, "export_failures_total", signal) > 0
            });
            assert_eq!(metric(&exporter, "exported_items_total", signal), 0);
        }
        eventually("the log does not wait for the collector", || {
            home.lines() == 7
        });
        collector.set(Behavior::Take);
        eventually("all arrive", || decisions(&collector) == [7, 7]);
        for signal in ["traces", "logs"] {
            eventually("nothing is left", || account(&exporter, signal)[2] == 0);
            assert_eq!(account(&exporter, signal)[1], 0, "{behavior:?}");
        }
        let messages = exporter.terminate();
        assert!(
            messages.contains("Traces do not reach the collector"),
            "{messages}"
        );
        assert!(
            messages.contains("Traces reach the collector again"),
            "{messages}"
        );
    }
}

#[test]
fn a_collector_that_starts_later_gets_everything() {
    let home = Home::new();
    let listener = listener();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let producer = home.ring(1, MIN_LANE_WORDS);
    publish(&producer, &denial(), 7);
    let exporter = start_at(&home, &format!("http://{address}"), &[]);
    eventually("attempts fail and are counted", || {
        metric(&exporter, "export_failures_total", "traces") > 0
    });
    let collector = Collector::on(TcpListener::bind(address).unwrap(), Behavior::Take);
    eventually("all arrive", || decisions(&collector) == [7, 7]);
    exporter.terminate();
}

#[test]
fn refused_items_are_counted_as_dropped() {
    for behavior in [
        Behavior::Status(500, ""),
        Behavior::Status(400, ""),
        Behavior::Status(404, "Retry-After: 1\r\n"),
        Behavior::Status(302, "Location: /elsewhere\r\n"),
        Behavior::Page,
    ] {
        let home = Home::new();
        let collector = Collector::start(behavior);
        let producer = home.ring(1, MIN_LANE_WORDS);
        publish(&producer, &denial(), 3);
        let exporter = start(&home, &collector, &[]);
        for signal in ["traces", "logs"] {
            eventually("all are dropped", || {
                let [exported, dropped, queued] = account(&exporter, signal);
                dropped >= 3 && exported == 0 && queued == 0
            });
            eventually("the failure is counted", || {
                metric(&exporter, "export_failures_total", signal) > 0
            });
        }
        eventually("all are logged", || home.lines() == 3);
        let messages = exporter.terminate();
        assert!(
            messages.contains("Logs are refused and dropped"),
            "{messages}"
        );
    }
}

#[test]
fn a_batch_that_is_too_large_is_sent_in_halves() {
    let home = Home::new();
    let collector = Collector::start(Behavior::Status(413, ""));
    let producer = home.ring(1, MIN_LANE_WORDS);
    publish(&producer, &denial(), 4);
    let exporter = start(
        &home,
        &collector,
        &[
            ("OTEL_BLRP_SCHEDULE_DELAY", "3600000"),
            ("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "4"),
        ],
    );
    // Four, two and two, and each alone.
    eventually("each was tried alone", || {
        account(&exporter, "logs") == [0, 4, 0]
            && metric(&exporter, "export_failures_total", "logs") == 7
    });
    exporter.terminate();
}

#[test]
fn items_that_a_collector_rejects_are_dropped() {
    let home = Home::new();
    let collector = Collector::start(Behavior::Reject(2));
    let producer = home.ring(1, MIN_LANE_WORDS);
    publish(&producer, &denial(), 3);
    let at_the_end = [
        ("OTEL_BLRP_SCHEDULE_DELAY", "3600000"),
        ("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "3"),
    ];
    let exporter = start(&home, &collector, &at_the_end);
    eventually("rejected items are counted as dropped", || {
        account(&exporter, "logs") == [1, 2, 0]
    });
    let messages = exporter.terminate();
    assert!(
        messages.contains("rejects 2 of logs: not these"),
        "{messages}"
    );
}

#[test]
fn a_slow_collector_gets_everything() {
    let home = Home::new();
    let collector = Collector::start(Behavior::Drip);
    let producer = home.ring(1, MIN_LANE_WORDS);
    publish(&producer, &denial(), 50);
    let exporter = start(&home, &collector, &[]);
    eventually("all arrive", || decisions(&collector)[0] == 50);
    exporter.terminate();
}

#[test]
fn a_burst_reaches_a_live_collector_or_is_counted() {
    let home = Home::new();
    let collector = Collector::start(Behavior::Take);
    let producer = home.ring(1, ROOMY);
    publish(&producer, &denial(), BURST);
    // Own spans would be among the numbers.
    let exporter = start(&home, &collector, &[("OTEL_BSP_MAX_QUEUE_SIZE", "200000")]);
    all_are_logged(&exporter);
    eventually("none waits any more", || {
        ["traces", "logs"].map(|signal| metric(&exporter, "queued_items", signal)) == [0, 0]
    });
    let state = collector.state();
    let spans = state
        .spans
        .iter()
        .filter(|span| span.name == "decide rename");
    let spans: HashSet<&[u8]> = spans.map(|span| &*span.span_id).collect();
    let records = state.records.iter();
    let records: HashSet<&[u8]> = records
        .filter(|record| record.event_name == "guard.decision.denied")
        .map(|record| &*record.span_id)
        .collect();
    let (spans, records) = (spans.len() as u64, records.len() as u64);
    drop(state);
    eventually("each span is there or counted", || {
        let [_, dropped, _] = account(&exporter, "traces");
        spans + dropped == BURST
    });
    let mut dropped = 0;
    eventually("each record is counted", || {
        let exported;
        [exported, dropped, _] = account(&exporter, "logs");
        exported + dropped == BURST
    });
    assert!(records + dropped >= BURST, "{records} and {dropped}");
    exporter.terminate();
}

#[test]
fn a_dead_collector_costs_bounded_memory_and_a_counter() {
    let home = Home::new();
    let collector = Collector::start(Behavior::Hang);
    let producer = home.ring(1, ROOMY);
    publish(&producer, &denial(), BURST);
    publish(&producer, &allowed(), 1);
    let bounds = [
        ("OTEL_BLRP_MAX_QUEUE_SIZE", "1000"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "1000"),
        ("OTEL_METRICS_EXPORTER", "none"),
    ];
    let exporter = start(&home, &collector, &bounds);
    all_are_logged(&exporter);
    eventually("the allowed one is read as well", || {
        exporter.metric("guard_ring_records_total{lane=\"allow\"}") == Some(1.0)
    });
    let [exported, dropped, queued] = account(&exporter, "logs");
    assert_eq!((exported, dropped + queued), (0, BURST));
    // What is being sent is no longer in the queue.
    assert!((1000..=1512).contains(&queued), "{queued}");
    let [exported, dropped, queued] = account(&exporter, "traces");
    assert_eq!(exported, 0);
    // There are some spans of its own work.
    assert!(dropped + queued >= BURST && queued <= 1512, "{queued}");
}

#[test]
fn the_exit_does_not_wait_for_the_collector() {
    let home = Home::new();
    let collector = Collector::start(Behavior::Hang);
    let producer = home.ring(1, MIN_LANE_WORDS);
    publish(&producer, &denial(), 3);
    // An hour: the test would time out if the exporter waited for it.
    let patient = ("OTEL_EXPORTER_OTLP_TIMEOUT", "3600000");
    let exporter = start(&home, &collector, &[patient]);
    collector.await_request();
    eventually("all are logged", || home.lines() == 3);
    let messages = exporter.terminate();
    assert!(
        messages.contains("3 log records were not sent"),
        "{messages}"
    );
}
