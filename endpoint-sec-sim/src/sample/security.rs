//! Samples of events of macOS's own protections.

use std::mem::offset_of;

use endpoint_sec_sys::*;

use crate::memory::Arena;
use crate::sample::parts::Sample;

pub(super) fn event(arena: &mut Arena, member: &str, sample: &Sample) -> Option<es_events_t> {
    malware(arena, member, sample)
        .or_else(|| items(arena, member, sample))
        .or_else(|| rights(arena, member, sample))
        .or_else(|| overrides(arena, member, sample))
}

fn malware(arena: &mut Arena, member: &str, sample: &Sample) -> Option<es_events_t> {
    let signature_version = arena.string("signature_version");
    let malware_identifier = arena.string("malware_identifier");
    let incident_identifier = arena.string("incident_identifier");
    Some(match member {
        "xp_malware_detected" => {
            let event = es_event_xp_malware_detected_t {
                signature_version,
                malware_identifier,
                incident_identifier,
                detected_path: arena.string("detected_path"),
                detected_executable: arena.string("detected_executable"),
            };
            let gate = offset_of!(es_event_xp_malware_detected_t, detected_executable);
            es_events_t {
                xp_malware_detected: arena.place_gated(event, 10, gate),
            }
        }
        "xp_malware_remediated" => {
            let event = es_event_xp_malware_remediated_t {
                signature_version,
                malware_identifier,
                incident_identifier,
                action_type: arena.string("action_type"),
                success: !sample.bare,
                result_description: arena.string("result_description"),
                remediated_path: sample.text(arena, "remediated_path"),
                remediated_process_audit_token: sample.some(arena, sample.target.audit_token()),
            };
            es_events_t {
                xp_malware_remediated: arena.place(event),
            }
        }
        _ => return None,
    })
}

fn items(arena: &mut Arena, member: &str, sample: &Sample) -> Option<es_events_t> {
    let launch_item = |arena: &mut Arena| {
        let item = es_btm_launch_item_t {
            item_type: es_btm_item_type_t::ES_BTM_ITEM_TYPE_DAEMON,
            legacy: true,
            managed: false,
            uid: 501,
            item_url: arena.string("item_url"),
            app_url: sample.text(arena, "app_url"),
        };
        arena.place(item)
    };
    let profile = |arena: &mut Arena| {
        let profile = es_profile_t {
            identifier: arena.string("identifier"),
            uuid: arena.string("uuid"),
            install_source: es_profile_source_t::ES_PROFILE_SOURCE_INSTALL,
            organization: arena.string("organization"),
            display_name: arena.string("display_name"),
            scope: arena.string("scope"),
        };
        arena.place(profile)
    };
    let token = sample.instigator_token();
    Some(match member {
        "btm_launch_item_add" => {
            let event = es_event_btm_launch_item_add_t {
                instigator: sample.instigator(arena),
                app: sample.some_process(arena, &sample.target),
                item: launch_item(arena),
                executable_path: sample.text(arena, "executable_path"),
                instigator_token: sample.some(arena, token),
                app_token: sample.some(arena, sample.target.audit_token()),
            };
            let gate = offset_of!(es_event_btm_launch_item_add_t, instigator_token);
            es_events_t {
                btm_launch_item_add: arena.place_gated(event, 8, gate),
            }
        }
        "btm_launch_item_remove" => {
            let event = es_event_btm_launch_item_remove_t {
                instigator: sample.instigator(arena),
                app: sample.some_process(arena, &sample.target),
                item: launch_item(arena),
                instigator_token: sample.some(arena, token),
                app_token: sample.some(arena, sample.target.audit_token()),
            };
            let gate = offset_of!(es_event_btm_launch_item_remove_t, instigator_token);
            es_events_t {
                btm_launch_item_remove: arena.place_gated(event, 8, gate),
            }
        }
        "profile_add" => {
            let event = es_event_profile_add_t {
                instigator: sample.instigator(arena),
                is_update: !sample.bare,
                profile: profile(arena),
                instigator_token: token,
            };
            let gate = offset_of!(es_event_profile_add_t, instigator_token);
            es_events_t {
                profile_add: arena.place_gated(event, 8, gate),
            }
        }
        "profile_remove" => {
            let event = es_event_profile_remove_t {
                instigator: sample.instigator(arena),
                profile: profile(arena),
                instigator_token: token,
            };
            let gate = offset_of!(es_event_profile_remove_t, instigator_token);
            es_events_t {
                profile_remove: arena.place_gated(event, 8, gate),
            }
        }
        _ => return None,
    })
}

fn rights(arena: &mut Arena, member: &str, sample: &Sample) -> Option<es_events_t> {
    let names = ["right.one", "right.two"];
    let names = if sample.bare { &names[..0] } else { &names[..] };
    Some(match member {
        "authorization_petition" => {
            let rights: Vec<_> = names.iter().map(|name| arena.string(name)).collect();
            let event = es_event_authorization_petition_t {
                instigator: sample.instigator(arena),
                petitioner: sample.some_process(arena, &sample.target),
                flags: 3,
                right_count: rights.len(),
                rights: arena.place_all(&rights),
                instigator_token: sample.instigator_token(),
                petitioner_token: sample.target.audit_token(),
            };
            let gate = offset_of!(es_event_authorization_petition_t, instigator_token);
            es_events_t {
                authorization_petition: arena.place_gated(event, 8, gate),
            }
        }
        "authorization_judgement" => {
            let result = |name: &&str| es_authorization_result_t {
                right_name: arena.string(name),
                rule_class: es_authorization_rule_class_t::ES_AUTHORIZATION_RULE_CLASS_RULE,
                granted: true,
            };
            let results: Vec<_> = names.iter().map(result).collect();
            let event = es_event_authorization_judgement_t {
                instigator: sample.instigator(arena),
                petitioner: sample.some_process(arena, &sample.target),
                return_code: -60005,
                result_count: results.len(),
                results: arena.place_all(&results),
                instigator_token: sample.instigator_token(),
                petitioner_token: sample.target.audit_token(),
            };
            let gate = offset_of!(es_event_authorization_judgement_t, instigator_token);
            es_events_t {
                authorization_judgement: arena.place_gated(event, 8, gate),
            }
        }
        _ => return None,
    })
}

fn overrides(arena: &mut Arena, member: &str, sample: &Sample) -> Option<es_events_t> {
    Some(match member {
        "gatekeeper_user_override" => {
            type T = es_gatekeeper_user_override_file_type_t;
            let (file_type, file) = if sample.arm == 0 {
                let file_path = arena.string("file_path");
                (
                    T::ES_GATEKEEPER_USER_OVERRIDE_FILE_TYPE_PATH,
                    es_event_gatekeeper_user_override_t_file { file_path },
                )
            } else {
                let file = arena.file(&sample.file);
                (
                    T::ES_GATEKEEPER_USER_OVERRIDE_FILE_TYPE_FILE,
                    es_event_gatekeeper_user_override_t_file { file },
                )
            };
            let signing = es_signed_file_info_t {
                cdhash: [9; 20],
                signing_id: arena.string("signing_id"),
                team_id: arena.string("team_id"),
            };
            let event = es_event_gatekeeper_user_override_t {
                file_type,
                file,
                sha256: sample.some(arena, [8; 32]),
                signing_info: sample.some(arena, signing),
            };
            es_events_t {
                gatekeeper_user_override: arena.place(event),
            }
        }
        "tcc_modify" => {
            let event = es_event_tcc_modify_t {
                service: arena.string("service"),
                identity: arena.string("identity"),
                identity_type: es_tcc_identity_type_t::ES_TCC_IDENTITY_TYPE_EXECUTABLE_PATH,
                update_type: es_tcc_event_type_t::ES_TCC_EVENT_TYPE_MODIFY,
                instigator_token: sample.instigator_token(),
                instigator: sample.instigator(arena),
                responsible_token: sample.some(arena, sample.target.audit_token()),
                responsible: sample.some_process(arena, &sample.target),
                right: es_tcc_authorization_right_t::ES_TCC_AUTHORIZATION_RIGHT_LIMITED,
                reason: es_tcc_authorization_reason_t::ES_TCC_AUTHORIZATION_REASON_MDM_POLICY,
            };
            es_events_t {
                tcc_modify: arena.place(event),
            }
        }
        _ => return None,
    })
}
