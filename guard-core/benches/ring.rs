//! The cost of publishing an event, next to copying the same bytes, and of draining the ring.

#![allow(clippy::print_stdout, reason = "the figures are for people")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use guard_core::event::{ActingProcess, TraceContext, ZoneRef};
use guard_core::process::ProcessKey;
use guard_core::ring::{Cursor, Lane, Producer, RingOptions};
use guard_core::verdict::Answer;
use guard_core::{DecisionEvent, OperationKind, Reason, Verdict};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// A build removing one of its own files.
const ALLOW: DecisionEvent<'_> = DecisionEvent {
    sequence: 0,
    wall_ns: 1_760_000_000_000_000_000,
    monotonic_ns: 86_400_000_000_000,
    latency_ns: 900,
    deadline_left_ns: None,
    delivery_delay_us: None,
    operation: OperationKind::Unlink,
    verdict: Verdict::Allow,
    reason: Reason::OutsideZones,
    answer: Answer::Performed,
    errno: 0,
    agent: None,
    ancestor: None,
    agent_pid: None,
    session: b"swift-otter-41",
    process: ActingProcess {
        key: ProcessKey {
            pid: 41_337,
            generation: 8_640_000,
        },
        ppid: 41_330,
        uid: 1000,
        executable: b"/usr/bin/rm",
        argv0: b"rm",
    },
    path: b"/home/user/project/target/debug/deps/guard_core-40da9d075f015f52.d",
    destination: None,
    zone: None,
    tool: None,
    override_id: None,
    preservation: None,
    trace: None,
};

/// An agent renaming a protected directory away.
const DENY: DecisionEvent<'_> = DecisionEvent {
    operation: OperationKind::Rename,
    verdict: Verdict::Deny,
    reason: Reason::AgentInZone,
    answer: Answer::Denied,
    errno: 1,
    agent: Some("claude_code"),
    ancestor: Some(b"claude"),
    agent_pid: Some(41_000),
    session: b"0b7d3f0e-7f0c-4f6c-9d55-5f2f0d8a7c11",
    path: b"/home/user/project/src/ring/memory.rs",
    destination: Some(b"/tmp/claude-1000/discarded/memory.rs"),
    zone: Some(ZoneRef {
        name: "project",
        path: b"/home/user/project",
    }),
    trace: Some(TraceContext {
        trace_id: [7; 16],
        span_id: [9; 8],
        flags: 1,
    }),
    ..ALLOW
};

fn publish(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let producer = Producer::create(&directory.path().join("ring"), &RingOptions::default())
        .expect("a new ring");
    let mut group = criterion.benchmark_group("ring");
    group.throughput(Throughput::Elements(1));
    for (name, event) in [("allow", ALLOW), ("deny", DENY)] {
        let mut bytes = Vec::new();
        event.encode(&mut bytes);
        let mut room = vec![0; 4 << 20];
        group.bench_function(format!("publish_{name}"), |bencher| {
            bencher.iter(|| producer.publish(black_box(&event)));
        });
        let mut next = 0;
        group.bench_function(format!("memcpy_{name}"), |bencher| {
            bencher.iter(|| copy(&mut room, &mut next, black_box(&bytes)));
        });
        let published = time(|| {
            producer.publish(black_box(&event));
        });
        let copied = time(|| copy(&mut room, &mut next, black_box(&bytes)));
        println!(
            "publish_{name}: {published:.1} ns for {} bytes, {:.1} times a memcpy of them",
            bytes.len(),
            published / copied
        );
    }
}

fn drain(criterion: &mut Criterion) {
    let producer = Producer::anonymous(&RingOptions::default()).expect("memory");
    let mut reader = producer.reader();
    for _ in 0..DRAINED {
        producer.publish(&DENY);
    }
    let mut group = criterion.benchmark_group("ring");
    group.throughput(Throughput::Elements(DRAINED));
    group.bench_function("drain_deny", |bencher| {
        bencher.iter(|| {
            reader.resume(Lane::Deny, Cursor::default());
            let mut events = 0;
            while let Some(event) = reader.next(Lane::Deny) {
                black_box(event);
                events += 1;
            }
            assert_eq!(events, DRAINED);
        });
    });
}

/// As far through a ring-sized buffer as publishing goes, so that caches are alike.
fn copy(room: &mut [u8], next: &mut usize, bytes: &[u8]) {
    if *next + bytes.len() > room.len() {
        *next = 0;
    }
    if let Some(into) = room.get_mut(*next..*next + bytes.len()) {
        into.copy_from_slice(bytes);
    }
    *next += bytes.len();
    black_box(room.first());
}

/// Nanoseconds a call, the best of several runs.
fn time(mut call: impl FnMut()) -> f64 {
    let mut best = Duration::MAX;
    for _ in 0..20 {
        let start = Instant::now();
        for _ in 0..CALLS {
            call();
        }
        best = best.min(start.elapsed());
    }
    best.as_secs_f64() * 1e9 / f64::from(CALLS)
}

const CALLS: u32 = 100_000;
/// Fits the lane.
const DRAINED: u64 = 5_000;

criterion_group! {
    name = benches;
    config = Criterion::default().measurement_time(Duration::from_secs(3));
    targets = publish, drain
}
criterion_main!(benches);
