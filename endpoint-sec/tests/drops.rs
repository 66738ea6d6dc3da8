//! Messages that the system dropped are counted, before anything else is done.

#![cfg(not(target_vendor = "apple"))]
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

mod support;

use endpoint_sec::{Client, EventType, OsVersion, Report};
use endpoint_sec_sim::Machine;
use std::sync::{Arc, Mutex};
use support::drop_message;

#[test]
fn gaps_are_counted_by_type_and_in_all() {
    let machine = Machine::new(OsVersion::new(27, 0, 0)).queue(2).install();
    let reports = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&reports);
    let client = Client::builder()
        .on_report(move |report| {
            if let Report::Dropped { event, count } = report {
                noted.lock().unwrap().push((event, count));
            }
        })
        .start(drop_message)
        .unwrap();
    let watched = [EventType::NOTIFY_WRITE, EventType::NOTIFY_EXIT];
    let _subscribed = client.subscribe(&watched).unwrap();
    let cat = machine.process("/bin/cat").start();

    // Two fit, three are dropped, then one more comes.
    machine.hold();
    for _ in 0..5 {
        let _attempt = machine.write(&cat, "/a");
    }
    machine.resume();
    machine.settle();
    assert_eq!(
        client.statistics().dropped,
        0,
        "nothing came after the gap yet"
    );
    let _attempt = machine.write(&cat, "/a");
    machine.settle();
    let dropped = [(EventType::NOTIFY_WRITE, 3)];
    assert_eq!(client.drops(), dropped);
    assert_eq!(*reports.lock().unwrap(), dropped);

    // The exit does not fit; the next write shows that one message is missing, not of its type.
    machine.hold();
    for _ in 0..2 {
        let _attempt = machine.write(&cat, "/a");
    }
    let _attempt = machine.exit(&cat, 0);
    machine.resume();
    machine.settle();
    let dog = machine.process("/bin/dog").start();
    let _attempt = machine.write(&dog, "/a");
    machine.settle();
    assert_eq!(client.drops(), dropped);
    assert_eq!(client.statistics().dropped, 4);
    let _attempt = machine.exit(&dog, 0);
    machine.settle();
    assert_eq!(client.drops().len(), 2);
    assert_eq!(client.statistics().dropped, 4);
    assert_eq!(machine.report().dropped, 4);
}
