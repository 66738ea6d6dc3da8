//! What is known of each event type.

use crate::json::{count, headers, number, text, version};
use endpoint_sec_sys::layout::STRUCTS;
use endpoint_sec_sys::{
    Cacheability, EVENTS, Emitter, EventInfo, EventKind, Response, Storage, es_event_type_t,
};
use serde_json::Value;

#[test]
fn every_event_type_is_what_the_headers_say() {
    let events = headers("events");
    let events = events.as_array().unwrap();
    for (ours, expected) in EVENTS.iter().zip(events) {
        check(ours, expected);
    }
    assert_eq!(
        (events.len(), EVENTS.len(), count("event_types")),
        (162, 162, 162)
    );
    let of = |kind| EVENTS.iter().filter(|event| event.kind == kind).count();
    assert_eq!(of(EventKind::Auth), count("auth_events"));
    assert_eq!(of(EventKind::Notify), count("notify_events"));
    assert_eq!(of(EventKind::Reserved), count("reserved_events"));
}

#[test]
fn every_member_of_the_union_belongs_to_an_event_type() {
    let union = STRUCTS
        .iter()
        .find(|layout| layout.name == "es_events_t")
        .unwrap();
    for field in union.fields {
        let events: Vec<_> = EVENTS
            .iter()
            .filter(|event| event.member == Some(field.path))
            .collect();
        assert!(!events.is_empty() && events.len() <= 2, "{}", field.path);
        let is_pointer = (field.type_name)().starts_with("*mut ");
        for event in events {
            assert_eq!(
                event.storage == Some(Storage::Pointer),
                is_pointer,
                "{}",
                event.name
            );
        }
    }
    assert_eq!(union.fields.len(), count("event_members"));
}

#[test]
fn newer_event_types_are_not_known() {
    assert_eq!(es_event_type_t::ES_EVENT_TYPE_LAST.info(), None);
    assert_eq!(es_event_type_t(u32::MAX).info(), None);
}

fn check(ours: &EventInfo, expected: &Value) {
    let name = text(&expected["name"]);
    assert_eq!(ours.name, name);
    assert_eq!(
        ours.event_type.0 as usize,
        number(&expected["value"]),
        "{name}"
    );
    assert_eq!(format!("{:?}", ours.event_type), name);
    assert_eq!(ours.event_type.info(), Some(ours));
    assert_eq!(
        ours.introduced,
        version(&expected["introduced_macos"]),
        "{name}"
    );
    let first = number(&expected["first_message_version"]);
    assert_eq!(ours.first_message_version as usize, first, "{name}");
    let kind = match ours.kind {
        EventKind::Auth => "AUTH",
        EventKind::Notify => "NOTIFY",
        EventKind::Reserved => "RESERVED",
    };
    assert_eq!(expected["kind"], kind, "{name}");

    let member = ours.member.map_or(Value::Null, Value::from);
    assert_eq!(expected["member"], member, "{name}");
    let of_type = ours.member.map(|member| format!("es_event_{member}_t"));
    assert_eq!(expected["struct"].as_str(), of_type.as_deref(), "{name}");
    let storage = ours.storage.map(|storage| match storage {
        Storage::Inline => "inline",
        Storage::Pointer => "pointer",
    });
    assert_eq!(expected["storage"].as_str(), storage, "{name}");
    let response = ours.response.map(|response| match response {
        Response::Auth => "auth",
        Response::Flags => "flags",
    });
    assert_eq!(expected["response"].as_str(), response, "{name}");
    let cacheable = match ours.cacheability {
        Some(Cacheability::Cacheable) => Some(true),
        Some(Cacheability::NotCacheable) => Some(false),
        Some(Cacheability::Unspecified) | None => None,
    };
    assert_eq!(expected["cacheable"].as_bool(), cacheable, "{name}");
    assert_eq!(
        ours.cacheability.is_some(),
        ours.kind == EventKind::Auth,
        "{name}"
    );

    let counterpart = ours.counterpart().map(|other| other.name);
    assert_eq!(expected["counterpart"].as_str(), counterpart, "{name}");
    let paths = expected["target_paths"].as_u64().unwrap_or(0);
    assert_eq!(u64::from(ours.target_paths), paths, "{name}");
    let emitter = match ours.emitter {
        Emitter::Kernel => "kernel/unspecified",
        Emitter::Launchd => "launchd",
        Emitter::Program => "userspace",
    };
    let expected_emitter = expected["emitter"].as_str().unwrap_or("kernel/unspecified");
    assert_eq!(expected_emitter, emitter, "{name}");
    let instigated = expected["has_instigator_role"].as_bool().unwrap_or(false);
    assert_eq!(ours.has_instigator_role, instigated, "{name}");
    let repeats = expected["may_fire_multiple_times_per_operation"] == true;
    assert_eq!(ours.repeats, repeats, "{name}");
}
