//! Samples of events about the directory of users and groups.

use std::mem::offset_of;

use endpoint_sec_sys::*;

use crate::memory::Arena;
use crate::sample::parts::Sample;

pub(super) fn event(arena: &mut Arena, member: &str, sample: &Sample) -> Option<es_events_t> {
    accounts(arena, member, sample)
        .or_else(|| members(arena, member, sample))
        .or_else(|| attributes(arena, member, sample))
}

fn accounts(arena: &mut Arena, member: &str, sample: &Sample) -> Option<es_events_t> {
    let instigator = sample.instigator(arena);
    let instigator_token = sample.instigator_token();
    let error_code = 0;
    let node_name = arena.string("node_name");
    let db_path = sample.text(arena, "db_path");
    Some(match member {
        "od_create_group" => {
            let event = es_event_od_create_group_t {
                instigator,
                error_code,
                group_name: arena.string("group_name"),
                node_name,
                db_path,
                instigator_token,
            };
            let gate = offset_of!(es_event_od_create_group_t, instigator_token);
            es_events_t {
                od_create_group: arena.place_gated(event, 8, gate),
            }
        }
        "od_create_user" => {
            let event = es_event_od_create_user_t {
                instigator,
                error_code,
                user_name: arena.string("user_name"),
                node_name,
                db_path,
                instigator_token,
            };
            let gate = offset_of!(es_event_od_create_user_t, instigator_token);
            es_events_t {
                od_create_user: arena.place_gated(event, 8, gate),
            }
        }
        "od_delete_group" => {
            let event = es_event_od_delete_group_t {
                instigator,
                error_code,
                group_name: arena.string("group_name"),
                node_name,
                db_path,
                instigator_token,
            };
            let gate = offset_of!(es_event_od_delete_group_t, instigator_token);
            es_events_t {
                od_delete_group: arena.place_gated(event, 8, gate),
            }
        }
        "od_delete_user" => {
            let event = es_event_od_delete_user_t {
                instigator,
                error_code,
                user_name: arena.string("user_name"),
                node_name,
                db_path,
                instigator_token,
            };
            let gate = offset_of!(es_event_od_delete_user_t, instigator_token);
            es_events_t {
                od_delete_user: arena.place_gated(event, 8, gate),
            }
        }
        "od_disable_user" => {
            let event = es_event_od_disable_user_t {
                instigator,
                error_code,
                user_name: arena.string("user_name"),
                node_name,
                db_path,
                instigator_token,
            };
            let gate = offset_of!(es_event_od_disable_user_t, instigator_token);
            es_events_t {
                od_disable_user: arena.place_gated(event, 8, gate),
            }
        }
        "od_enable_user" => {
            let event = es_event_od_enable_user_t {
                instigator,
                error_code,
                user_name: arena.string("user_name"),
                node_name,
                db_path,
                instigator_token,
            };
            let gate = offset_of!(es_event_od_enable_user_t, instigator_token);
            es_events_t {
                od_enable_user: arena.place_gated(event, 8, gate),
            }
        }
        "od_modify_password" => {
            let event = es_event_od_modify_password_t {
                instigator,
                error_code,
                account_type: es_od_account_type_t::ES_OD_ACCOUNT_TYPE_COMPUTER,
                account_name: arena.string("account_name"),
                node_name,
                db_path,
                instigator_token,
            };
            let gate = offset_of!(es_event_od_modify_password_t, instigator_token);
            es_events_t {
                od_modify_password: arena.place_gated(event, 8, gate),
            }
        }
        _ => return None,
    })
}

fn members(arena: &mut Arena, member: &str, sample: &Sample) -> Option<es_events_t> {
    let instigator = sample.instigator(arena);
    let instigator_token = sample.instigator_token();
    let error_code = 1000;
    let group_name = arena.string("group_name");
    let node_name = arena.string("node_name");
    let db_path = sample.text(arena, "db_path");
    Some(match member {
        "od_group_add" => {
            let event = es_event_od_group_add_t {
                instigator,
                error_code,
                group_name,
                member: one_member(arena, sample.arm),
                node_name,
                db_path,
                instigator_token,
            };
            let gate = offset_of!(es_event_od_group_add_t, instigator_token);
            es_events_t {
                od_group_add: arena.place_gated(event, 8, gate),
            }
        }
        "od_group_remove" => {
            let event = es_event_od_group_remove_t {
                instigator,
                error_code,
                group_name,
                member: one_member(arena, sample.arm),
                node_name,
                db_path,
                instigator_token,
            };
            let gate = offset_of!(es_event_od_group_remove_t, instigator_token);
            es_events_t {
                od_group_remove: arena.place_gated(event, 8, gate),
            }
        }
        "od_group_set" => {
            let event = es_event_od_group_set_t {
                instigator,
                error_code,
                group_name,
                members: all_members(arena, sample),
                node_name,
                db_path,
                instigator_token,
            };
            let gate = offset_of!(es_event_od_group_set_t, instigator_token);
            es_events_t {
                od_group_set: arena.place_gated(event, 8, gate),
            }
        }
        _ => return None,
    })
}

fn attributes(arena: &mut Arena, member: &str, sample: &Sample) -> Option<es_events_t> {
    let instigator = sample.instigator(arena);
    let instigator_token = sample.instigator_token();
    let error_code = -14_140;
    let record_type = es_od_record_type_t::ES_OD_RECORD_TYPE_GROUP;
    let record_name = arena.string("record_name");
    let attribute_name = arena.string("attribute_name");
    let node_name = arena.string("node_name");
    let db_path = sample.text(arena, "db_path");
    Some(match member {
        "od_attribute_value_add" => {
            let event = es_event_od_attribute_value_add_t {
                instigator,
                error_code,
                record_type,
                record_name,
                attribute_name,
                attribute_value: arena.string("attribute_value"),
                node_name,
                db_path,
                instigator_token,
            };
            let gate = offset_of!(es_event_od_attribute_value_add_t, instigator_token);
            es_events_t {
                od_attribute_value_add: arena.place_gated(event, 8, gate),
            }
        }
        "od_attribute_value_remove" => {
            let event = es_event_od_attribute_value_remove_t {
                instigator,
                error_code,
                record_type,
                record_name,
                attribute_name,
                attribute_value: arena.string("attribute_value"),
                node_name,
                db_path,
                instigator_token,
            };
            let gate = offset_of!(es_event_od_attribute_value_remove_t, instigator_token);
            es_events_t {
                od_attribute_value_remove: arena.place_gated(event, 8, gate),
            }
        }
        "od_attribute_set" => {
            let count = if sample.bare { 0 } else { VALUES.len() };
            let values = VALUES.iter().take(count);
            let values: Vec<_> = values.map(|value| arena.string(value)).collect();
            let event = es_event_od_attribute_set_t {
                instigator,
                error_code,
                record_type,
                record_name,
                attribute_name,
                attribute_value_count: count,
                attribute_values: arena.place_all(&values),
                node_name,
                db_path,
                instigator_token,
            };
            let gate = offset_of!(es_event_od_attribute_set_t, instigator_token);
            es_events_t {
                od_attribute_set: arena.place_gated(event, 8, gate),
            }
        }
        _ => return None,
    })
}

fn kind_of_member(arm: usize) -> es_od_member_type_t {
    match arm {
        0 => es_od_member_type_t::ES_OD_MEMBER_TYPE_USER_NAME,
        1 => es_od_member_type_t::ES_OD_MEMBER_TYPE_USER_UUID,
        _ => es_od_member_type_t::ES_OD_MEMBER_TYPE_GROUP_UUID,
    }
}

fn one_member(arena: &mut Arena, arm: usize) -> *mut es_od_member_id_t {
    let member_value = if arm == 0 {
        let name = arena.string("name");
        es_od_member_id_t_member_value { name }
    } else {
        es_od_member_id_t_member_value { uuid: [5; 16] }
    };
    arena.place(es_od_member_id_t {
        member_type: kind_of_member(arm),
        member_value,
    })
}

fn all_members(arena: &mut Arena, sample: &Sample) -> *mut es_od_member_id_array_t {
    let count = if sample.bare { 0 } else { VALUES.len() };
    let member_array = if sample.arm == 0 {
        let names = VALUES.iter().take(count);
        let names: Vec<_> = names.map(|name| arena.string(name)).collect();
        let names = arena.place_all(&names);
        es_od_member_id_array_t_member_array { names }
    } else {
        let uuids = [[1_u8; 16], [2; 16]];
        let uuids = arena.place_all(&uuids[..count]);
        es_od_member_id_array_t_member_array { uuids }
    };
    arena.place(es_od_member_id_array_t {
        member_type: kind_of_member(sample.arm),
        member_count: count,
        member_array,
    })
}

/// Two values, for fields that hold several.
const VALUES: [&str; 2] = ["one", "two"];
