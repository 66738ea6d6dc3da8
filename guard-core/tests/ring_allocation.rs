//! Publishing allocates nothing, whatever the event, and neither does reading.

#![allow(
    clippy::tests_outside_test_module,
    reason = "an integration test is a test module"
)]

use guard_core::event::{ActingProcess, DecisionEvent, TraceContext, ZoneRef};
use guard_core::process::ProcessKey;
use guard_core::ring::{Counter, Lane, Producer, RingOptions};
use guard_core::verdict::Answer;
use guard_core::{OperationKind, Reason, Verdict};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, counting what each thread asks for.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: both methods hand their arguments, and with them the caller's promises, unchanged to the
// system's allocator. Counting itself allocates nothing: the cell is const-initialised and needs no
// destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller promises `System::alloc` the same that it promises this.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `alloc` got `pointer` from `System::alloc` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn allocations(run: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    run();
    ALLOCATIONS.get() - before
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

    assert!(
        allocations(|| drop(long.clone())) > 0,
        "the allocator counts"
    );
    let publishing = allocations(|| {
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
    let reading = allocations(|| {
        for lane in Lane::ALL {
            while reader.next(lane).is_some() {
                read += 1;
            }
        }
    });
    assert_eq!((read, reading), (6, 0));
    assert_eq!(producer.counter(Counter::EventsCut), 3);
}
