//! Where the two bindings differ, and which is right: each line fails when one of them changes.

use core::mem::offset_of;
use endpoint_sec_sys as ours;

// macOS 26.0 and 27.0 made these longer; the other binding ends with macOS 15.4.
const _: () = {
    assert!(size_of::<theirs::es_process_t>() == 208);
    assert!(size_of::<ours::es_process_t>() == 248);
    assert!(offset_of!(ours::es_process_t, cs_validation_category) == 208);
    assert!(size_of::<theirs::es_event_xp_malware_detected_t>() == 64);
    assert!(size_of::<ours::es_event_xp_malware_detected_t>() == 80);
    assert!(offset_of!(ours::es_event_xp_malware_detected_t, detected_executable) == 64);
};

// The header counts three kinds of muting that can be inverted: the other binding says four.
const _: () = {
    assert!(theirs::es_mute_inversion_type_t::ES_MUTE_INVERSION_TYPE_LAST.0 == 4);
    assert!(ours::es_mute_inversion_type_t::ES_MUTE_INVERSION_TYPE_LAST.0 == 3);
};

// The header calls the field `attribute_values`; it is in the same place.
const _: () = assert!(
    offset_of!(theirs::es_event_od_attribute_set_t, attribute_value_array)
        == offset_of!(ours::es_event_od_attribute_set_t, attribute_values)
);

// macOS 26.3 to 27.0 added 14 event types.
const _: () = {
    assert!(theirs::es_event_type_t::ES_EVENT_TYPE_LAST.0 == 148);
    assert!(ours::es_event_type_t::ES_EVENT_TYPE_LAST.0 == 148 + 14);
};
