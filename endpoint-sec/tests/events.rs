//! Every event of every version, read to its last field.
//!
//! The simulator allocates each struct as short as the systems of a message version do. Under Miri
//! these tests therefore prove that no view reads what is not there.

#![cfg(not(target_vendor = "apple"))]
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

mod support;

use endpoint_sec::{Client, EventType};
use endpoint_sec_sim::Action;
use endpoint_sec_sys::es_event_type_t;
use std::collections::BTreeSet;
use support::{Recorder, machine_of};

#[test]
fn every_field_of_every_event_is_read_at_every_version() {
    let mut seen = BTreeSet::new();
    for &version in VERSIONS {
        let machine = machine_of(version);
        let recorder = Recorder::start(Client::builder());
        let known = EventType::ALL.iter().copied();
        let known: Vec<_> = known
            .filter(|event| event.exists_on(machine.release()))
            .collect();
        let refused = recorder.subscribe_to_each(&known);
        assert!(
            refused.iter().all(|event| REFUSED.contains(event)),
            "refused: {refused:?}"
        );
        let actor = machine.process("/bin/zsh").tty("/dev/ttys001").start();
        for event in known {
            let number = es_event_type_t(event.as_raw());
            let variants = Action::variants(number);
            // Under Miri this takes minutes: a different one of the variants at each version.
            let variants = if cfg!(miri) {
                let variant = version as usize % variants;
                variant..variant + 1
            } else {
                0..variants
            };
            for variant in variants {
                let action = Action::sample(&machine, &actor, number, variant);
                let _attempt = machine.perform(action);
                machine.settle();
                for text in recorder.take() {
                    let named = format!("event_type: {event},");
                    assert!(text.contains(&named), "no `{named}` in {text}");
                    assert_eq!(variant_in(&text), member_of(number), "{text}");
                    seen.insert(event);
                }
            }
        }
    }
    let all: BTreeSet<_> = EventType::ALL.iter().copied().collect();
    let missing: Vec<_> = all.difference(&seen).copied().collect();
    assert_eq!(missing, REFUSED, "never delivered");
}

/// Message versions. Under Miri, where each takes minutes, those of the shortest allocations, of
/// most systems in use, and of the longest.
const VERSIONS: &[u32] = if cfg!(miri) {
    &[1, 4, 11]
} else {
    &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
};

/// The name of the event's variant in a message's `Debug` output, in small letters.
fn variant_in(text: &str) -> String {
    let (_, event) = text
        .split_once(", event: ")
        .expect("a message shows its event");
    let (variant, _) = event
        .split_once('(')
        .expect("a variant holds a view or a type");
    variant.to_lowercase()
}

/// The member of the union that the headers give a type, without underscores.
fn member_of(number: es_event_type_t) -> String {
    let member = number.info().and_then(|info| info.member);
    member.unwrap_or("reserved").replace('_', "")
}

/// What only a client of descendants is asked.
#[test]
fn a_descendants_client_is_asked_about_look_ups() {
    let machine = machine_of(11);
    let recorder = Recorder::start(Client::builder().descendants());
    let subscribed = recorder.subscribe(&[EventType::AUTH_BOOTSTRAP_LOOK_UP]);
    assert_eq!(subscribed.map(|subscribed| subscribed.dropped), Ok(vec![]));
    let child = machine.process("/bin/zsh").parent(machine.me()).start();
    let number = es_event_type_t::ES_EVENT_TYPE_AUTH_BOOTSTRAP_LOOK_UP;
    for variant in 0..Action::variants(number) {
        let attempt = machine.perform(Action::sample(&machine, &child, number, variant));
        assert!(attempt.allowed());
    }
    let texts = recorder.take();
    assert_eq!(texts.len(), Action::variants(number));
    assert!(
        texts.iter().all(|text| text.contains("BootstrapLookUp {")),
        "{texts:?}"
    );
}

/// Types that an ordinary client cannot subscribe to: three need a private entitlement, one a
/// client of descendants.
const REFUSED: [EventType; 4] = [
    EventType::RESERVED_0,
    EventType::RESERVED_1,
    EventType::RESERVED_2,
    EventType::AUTH_BOOTSTRAP_LOOK_UP,
];
