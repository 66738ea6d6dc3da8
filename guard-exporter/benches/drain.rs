//! Decisions per second from a ring into metrics, on one core and without loss.
//!
//! A writer fills a ring, and then the exporter's reading loop drains it; only the latter is timed, and
//! every event is accounted for. The baseline, which alternates with it, is a reader that ignores what
//! it reads. `cargo bench -p guard-exporter --bench drain`

#![allow(clippy::print_stdout, reason = "the figures are for people")]
#![allow(
    clippy::unwrap_used,
    reason = "a bench that cannot be set up has no figures"
)]

mod stage;

use guard_core::DecisionEvent;
use guard_core::ring::{Lane, Producer};
use guard_exporter::app_state::AppState;
use guard_exporter::denial_log::DecisionLog;
use guard_exporter::drain::{Drain, Sources};
use guard_exporter::metrics::Metrics;
use guard_exporter::metrics::exposition::Format;
use guard_exporter::otlp::Recorder;
use guard_exporter::recent::Recent;
use guard_exporter::requests::Requests;
use guard_exporter::stream::Stream;
use stage::{ALLOWED, DENIED, Home, median};
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

const ROUNDS: usize = 200;
/// Fits the ring.
const EVENTS: u64 = 8_000;

fn main() {
    println!("median of {ROUNDS} rounds of {EVENTS} events, and the best");
    for (name, denied_every) in [
        ("allowed only", u64::MAX),
        ("one in 1,000 denied", 1000),
        ("one in 10 denied", 10),
    ] {
        measure(name, denied_every);
    }
}

fn measure(name: &str, denied_every: u64) {
    let home = Home::new();
    let ring = home.ring(1);
    let metrics = Metrics::new();
    let log_path = home.path("denials.jsonl");
    let denials = DecisionLog::open(&log_path, metrics.denial_log.clone()).unwrap();
    let changes = home.path("changes.jsonl");
    let changes = DecisionLog::open(&changes, metrics.change_log.clone()).unwrap();
    let overrides = home.path("overrides.jsonl");
    let overrides = DecisionLog::open(&overrides, metrics.override_log.clone()).unwrap();
    let stream = Stream::new(metrics.stream.clone());
    let app = Arc::new(AppState::new(
        Recent::default(),
        Recent::default(),
        Requests::default(),
        stream,
    ));
    let sources = Sources {
        directories: vec![home.path("rings")],
        uid: std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(home.path("rings")).unwrap()),
        cursors: home.path("cursors.json"),
    };
    let mut drain = Drain::new(
        sources,
        denials,
        changes,
        overrides,
        &metrics,
        app,
        Recorder::default(),
    );
    drain.pass(Instant::now());
    let mut reader = ring.reader();

    let (mut drained, mut read) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        publish(&ring, denied_every);
        let mut events = 0;
        drained.push(timed(|| {
            while events < EVENTS {
                events += drain.pass(Instant::now()).records;
            }
        }));
        assert_eq!(events, EVENTS);
        let mut events = 0;
        read.push(timed(|| {
            for lane in Lane::ALL {
                while let Some(event) = reader.next(lane) {
                    black_box(event);
                    events += 1;
                }
            }
        }));
        assert_eq!(events, EVENTS);
    }
    account(&metrics);
    let second = |took: f64| EVENTS as f64 / took / 1e6;
    let best = drained.iter().copied().fold(f64::INFINITY, f64::min);
    let (drained, read) = (median(&mut drained), median(&mut read));
    println!(
        "{name:<22} {:5.2} million a second (best {:5.2}); reading alone {:5.2}: {:.1} times its cost",
        second(drained),
        second(best),
        second(read),
        drained / read
    );
}

fn publish(ring: &Producer, denied_every: u64) {
    for number in 1..=EVENTS {
        let event = if number.is_multiple_of(denied_every) {
            DENIED
        } else {
            ALLOWED
        };
        // Paths rarely repeat, as in practice: repeated ones are a storm.
        let path = format!("/home/user/project/target/debug/deps/guard_core-{number:016x}.d");
        ring.publish(&DecisionEvent {
            path: path.as_bytes(),
            latency_ns: 500 + number * 37 % 4000,
            ..event
        });
    }
}

/// Asserts that every event was counted once.
fn account(metrics: &Metrics) {
    let text = metrics.encode(Format::Text);
    let sum = |family: &str| -> f64 {
        let lines = text.lines().filter(|line| line.starts_with(family));
        lines
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    };
    let all = (ROUNDS as u64 * EVENTS) as f64;
    assert_eq!(sum("guard_decisions_total{"), all);
    assert_eq!(sum("guard_ring_records_total{"), all);
    assert_eq!(sum("guard_decision_duration_seconds_count{"), all);
    assert_eq!(sum("guard_ring_lost_records_total{"), 0.0);
}

fn timed(run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().max(Duration::from_nanos(1)).as_secs_f64()
}
