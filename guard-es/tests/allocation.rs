//! An allowed operation costs the handler no allocation beyond the wrapper's own.
#![cfg(not(target_vendor = "apple"))]
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

#[path = "../../guard-core/tests/support/counting.rs"]
mod counting;
mod support;

use counting::allocations;
use endpoint_sec::{Answer, Client, EventType, Message};
use guard_es::Backend;
use guard_undo::Preservation;
use std::sync::{Arc, Mutex};
use support::{MacConfig, NEWEST};

/// The smallest number of allocations of one message on the handler's thread, among a hundred:
/// lineage reads people's processes again ten times a second, and the simulator's tables grow.
fn fewest(mut handler: impl FnMut(Message<'_>) + Send + 'static, mac: &support::Mac) -> u64 {
    let counts = Arc::new(Mutex::new(Vec::with_capacity(1000)));
    let sink = Arc::clone(&counts);
    let client = Client::builder()
        .start(move |message: Message<'_>| {
            let before = allocations();
            handler(message);
            sink.lock().unwrap().push(allocations() - before);
        })
        .unwrap();
    let _all_known = client.subscribe(&[EventType::AUTH_UNLINK]).unwrap();
    for _ in 0..100 {
        assert!(mac.machine.unlink(&mac.shell, "/z/doc").allowed());
    }
    mac.machine.settle();
    client.close();
    let counts = counts.lock().unwrap();
    assert_eq!(counts.len(), 100);
    counts.iter().copied().min().unwrap()
}

#[test]
fn an_allowed_operation_allocates_nothing() {
    let mac = MacConfig::new(NEWEST, r#"{"protected_zones": ["/z"]}"#).set_up();
    let nothing = fewest(
        |message: Message<'_>| message.answer(Answer::Allow).unwrap(),
        &mac,
    );
    let handler = Backend::handler(Arc::clone(&mac.guard), "/none".into(), Preservation::Off);
    assert_eq!(fewest(handler, &mac), nothing);
    assert_eq!(mac.recorded().len(), 100, "each was evaluated and recorded");
}
