//! Publishing allocates nothing, whatever the event, and neither does reading.

#![allow(
    clippy::tests_outside_test_module,
    reason = "an integration test is a test module"
)]

#[path = "support/counting.rs"]
mod counting;

use counting::allocations;
use guard_core::ring::{Counter, Lane, Producer, RingOptions};
use guard_core::{DecisionEvent, Verdict};
use guard_testing::events::{CHANGE, DENIAL};

fn allocated(run: impl FnOnce()) -> u64 {
    let before = allocations();
    run();
    allocations() - before
}

#[test]
fn neither_publishing_nor_reading_allocates() {
    let long = vec![b'x'; 70_000];
    let event = DecisionEvent {
        preservation: CHANGE.preservation,
        deadline_left_ns: Some(4),
        destination: Some(&long),
        ..DENIAL
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
        for lane in Lane::DECISIONS {
            while reader.next(lane).is_some() {
                read += 1;
            }
        }
    });
    assert_eq!((read, reading), (6, 0));
    assert_eq!(producer.counter(Counter::EventsCut), 3);
}
