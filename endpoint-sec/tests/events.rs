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
use endpoint_sec_sys::layout::STRUCTS;
use endpoint_sec_sys::{EVENTS, es_event_type_t};
use std::collections::BTreeSet;
use support::{Recorder, machine_of, release_of};

#[test]
fn every_field_of_every_event_is_read_at_every_version() {
    for version in 1..NEWEST {
        read_all(version);
    }
}

#[test]
fn every_field_of_every_event_is_read_at_the_newest_version() {
    let seen = read_all(NEWEST);
    let all: BTreeSet<_> = EventType::ALL.iter().copied().collect();
    let missing: Vec<_> = all.difference(&seen).copied().collect();
    assert_eq!(missing, REFUSED, "never delivered");
}

/// Sends every event that messages of this version can carry, and reads every field of each.
/// Returns what was sent.
fn read_all(version: u32) -> BTreeSet<EventType> {
    let machine = machine_of(version);
    let recorder = Recorder::start(Client::builder());
    let known = EventType::ALL.iter().copied();
    let known: Vec<_> = known
        .filter(|event| event.exists_on(machine.release()))
        .collect();
    let (refused, known): (Vec<_>, Vec<_>) =
        known.into_iter().partition(|event| REFUSED.contains(event));
    assert_eq!(recorder.subscribe_to_each(&refused), refused);
    assert_eq!(recorder.subscribe(&known).unwrap().dropped, []);
    let actor = machine.process("/bin/zsh").tty("/dev/ttys001").start();
    let mut seen = BTreeSet::new();
    for event in known {
        let number = es_event_type_t(event.as_raw());
        if cfg!(miri) && !versions(number).contains(&version) {
            continue;
        }
        let variants = Action::variants(number);
        // Under Miri all of an event's shapes take minutes: at the newest version the full ones, at
        // others another one each.
        let variants: Vec<usize> = match version {
            _ if !cfg!(miri) => (0..variants).collect(),
            NEWEST => (0..variants).step_by(2).collect(),
            _ => vec![version as usize % variants],
        };
        for variant in variants {
            let action = Action::sample(&machine, &actor, number, variant);
            let _attempt = machine.perform(action);
            machine.settle();
            let texts = recorder.take();
            assert_eq!(texts.len(), 1, "{event}: {texts:?}");
            for text in texts {
                let named = format!("event_type: {event},");
                assert!(text.contains(&named), "no `{named}` in {text}");
                assert_eq!(variant_in(&text), member_of(number), "{text}");
                seen.insert(event);
            }
        }
    }
    seen
}

/// The versions at which Miri reads an event: the newest, and for one of those that share a struct
/// also the oldest that has it, and the last before and the first after each change of its length.
/// One event is read at every version, and with it the message and its processes.
fn versions(number: es_event_type_t) -> BTreeSet<u32> {
    let exists = |version: &u32| {
        let release = release_of(*version);
        number.info().is_some_and(|info| info.introduced <= release)
    };
    let mut chosen = BTreeSet::from([NEWEST]);
    let Some(member) = number.info().and_then(|info| info.member) else {
        return chosen;
    };
    if member == "exec" {
        chosen.extend(1..NEWEST);
    }
    let sharing = EVENTS.iter().filter(|info| info.member == Some(member));
    if sharing.map(|info| info.event_type.0).min() == Some(number.0) {
        chosen.extend((1..NEWEST).find(exists));
        let name = format!("es_event_{member}");
        let structs = STRUCTS
            .iter()
            .filter(|layout| layout.name.starts_with(&name));
        let gates = structs.flat_map(|layout| layout.fields);
        let gates = gates.filter_map(|field| field.since_message_version);
        chosen.extend(gates.flat_map(|gate| [gate - 1, gate]).filter(exists));
    }
    chosen
}

const NEWEST: u32 = 11;

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
