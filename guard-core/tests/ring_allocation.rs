//! Publishing allocates nothing, whatever the event, and neither does reading.

#![allow(
    clippy::tests_outside_test_module,
    reason = "an integration test is a test module"
)]

#[path = "support/counting.rs"]
mod counting;

use counting::allocations;
use guard_core::event::{ActingProcess, DecisionEvent, TraceContext, ZoneRef};
use guard_core::process::ProcessKey;
use guard_core::ring::{Counter, Lane, Producer, RingOptions};
use guard_core::verdict::Answer;
use guard_core::{OperationKind, Reason, Verdict};

fn allocated(run: impl FnOnce()) -> u64 {
    let before = allocations();
    run();
    allocations() - before
}

#[test]
fn neither_publishing_nor_reading_allocates() {
    let long = vec![b'x'; 70_000];
    let event = DecisionEvent {
        sequence: 0,
        wall_ns: 1,
        monotonic_ns: 2,
        latency_ns: 3,
        deadline_left_ns: Some(4),
        delivery_delay_us: None,
        operation: OperationKind::Rename,
        verdict: Verdict::Deny,
        reason: Reason::AgentInZone,
        answer: Answer::Denied,
        errno: 1,
        agent: Some("claude_code"),
        ancestor: Some(b"claude"),
        agent_pid: Some(5),
        session: b"session",
        process: ActingProcess {
            key: ProcessKey {
                pid: 6,
                generation: 7,
            },
            ppid: 8,
            uid: 9,
            executable: b"/usr/bin/mv",
            argv0: b"mv",
        },
        path: b"/zone/file",
        destination: Some(&long),
        zone: Some(ZoneRef {
            name: "zone",
            path: b"/zone",
        }),
        tool: None,
        override_id: None,
        trace: Some(TraceContext {
            trace_id: [1; 16],
            span_id: [2; 8],
            flags: 1,
        }),
    };
    let producer = Producer::anonymous(&RingOptions::default()).unwrap();
    let mut reader = producer.reader();

    assert!(allocated(|| drop(long.clone())) > 0, "the allocator counts");
    let publishing = allocated(|| {
        for verdict in Verdict::ALL {
            producer.publish(&DecisionEvent { verdict, ..event });
            producer.publish(&DecisionEvent {
                verdict,
                destination: None,
                ..event
            });
        }
        producer.add(Counter::Notifications, 1);
        producer.beat(1);
    });
    assert_eq!(publishing, 0);

    let mut read = 0;
    let reading = allocated(|| {
        for lane in Lane::ALL {
            while reader.next(lane).is_some() {
                read += 1;
            }
        }
    });
    assert_eq!((read, reading), (6, 0));
    assert_eq!(producer.counter(Counter::EventsCut), 3);
}
