//! Samples of events about people.

use std::mem::offset_of;

use endpoint_sec_sys::*;

use crate::memory::Arena;
use crate::sample::parts::Sample;

pub(super) fn event(arena: &mut Arena, member: &str, sample: &Sample) -> Option<es_events_t> {
    sessions(arena, member, sample)
        .or_else(|| remote(arena, member, sample))
        .or_else(|| privileges(arena, member, sample))
}

fn sessions(arena: &mut Arena, member: &str, sample: &Sample) -> Option<es_events_t> {
    let graphical_session_id = 257;
    Some(match member {
        "authentication" => {
            let event = authentication(arena, sample);
            es_events_t {
                authentication: arena.place(event),
            }
        }
        "lw_session_login" => {
            let event = es_event_lw_session_login_t {
                username: arena.string("username"),
                graphical_session_id,
            };
            es_events_t {
                lw_session_login: arena.place(event),
            }
        }
        "lw_session_logout" => {
            let event = es_event_lw_session_logout_t {
                username: arena.string("username"),
                graphical_session_id,
            };
            es_events_t {
                lw_session_logout: arena.place(event),
            }
        }
        "lw_session_lock" => {
            let event = es_event_lw_session_lock_t {
                username: arena.string("username"),
                graphical_session_id,
            };
            es_events_t {
                lw_session_lock: arena.place(event),
            }
        }
        "lw_session_unlock" => {
            let event = es_event_lw_session_unlock_t {
                username: arena.string("username"),
                graphical_session_id,
            };
            es_events_t {
                lw_session_unlock: arena.place(event),
            }
        }
        "login_login" => {
            let event = es_event_login_login_t {
                success: !sample.bare,
                failure_message: sample.text(arena, "failure_message"),
                username: arena.string("username"),
                has_uid: !sample.bare,
                uid: es_event_login_login_t_uid { uid: 501 },
            };
            es_events_t {
                login_login: arena.place(event),
            }
        }
        "login_logout" => {
            let event = es_event_login_logout_t {
                username: arena.string("username"),
                uid: 501,
            };
            es_events_t {
                login_logout: arena.place(event),
            }
        }
        _ => return None,
    })
}

fn authentication(arena: &mut Arena, sample: &Sample) -> es_event_authentication_t {
    type T = es_authentication_type_t;
    let instigator_token = sample.instigator_token();
    let (type_, data) = match sample.arm {
        0 => {
            let od = es_event_authentication_od_t {
                instigator: sample.instigator(arena),
                record_type: arena.string("record_type"),
                record_name: arena.string("record_name"),
                node_name: arena.string("node_name"),
                db_path: sample.text(arena, "db_path"),
                instigator_token,
            };
            let gate = offset_of!(es_event_authentication_od_t, instigator_token);
            let od = arena.place_gated(od, 8, gate);
            (
                T::ES_AUTHENTICATION_TYPE_OD,
                es_event_authentication_t_data { od },
            )
        }
        1 => {
            let touchid = es_event_authentication_touchid_t {
                instigator: sample.instigator(arena),
                touchid_mode: es_touchid_mode_t::ES_TOUCHID_MODE_IDENTIFICATION,
                has_uid: !sample.bare,
                uid: es_event_authentication_touchid_t_uid { uid: 501 },
                instigator_token,
            };
            let gate = offset_of!(es_event_authentication_touchid_t, instigator_token);
            let touchid = arena.place_gated(touchid, 8, gate);
            (
                T::ES_AUTHENTICATION_TYPE_TOUCHID,
                es_event_authentication_t_data { touchid },
            )
        }
        2 => {
            let token = es_event_authentication_token_t {
                instigator: sample.instigator(arena),
                pubkey_hash: arena.string("pubkey_hash"),
                token_id: arena.string("token_id"),
                kerberos_principal: sample.text(arena, "kerberos_principal"),
                instigator_token,
            };
            let gate = offset_of!(es_event_authentication_token_t, instigator_token);
            let token = arena.place_gated(token, 8, gate);
            (
                T::ES_AUTHENTICATION_TYPE_TOKEN,
                es_event_authentication_t_data { token },
            )
        }
        _ => {
            let auto_unlock = es_event_authentication_auto_unlock_t {
                username: arena.string("username"),
                type_: es_auto_unlock_type_t::ES_AUTO_UNLOCK_AUTH_PROMPT,
            };
            let auto_unlock = arena.place(auto_unlock);
            (
                T::ES_AUTHENTICATION_TYPE_AUTO_UNLOCK,
                es_event_authentication_t_data { auto_unlock },
            )
        }
    };
    es_event_authentication_t {
        success: !sample.bare,
        type_,
        data,
    }
}

fn remote(arena: &mut Arena, member: &str, sample: &Sample) -> Option<es_events_t> {
    let source_address_type = if sample.bare {
        es_address_type_t::ES_ADDRESS_TYPE_NONE
    } else {
        es_address_type_t::ES_ADDRESS_TYPE_IPV6
    };
    let source_address = sample.text(arena, "source_address");
    Some(match member {
        "openssh_login" => {
            let event = es_event_openssh_login_t {
                success: !sample.bare,
                result_type: es_openssh_login_result_type_t::ES_OPENSSH_AUTH_FAIL_PUBKEY,
                source_address_type,
                source_address,
                username: arena.string("username"),
                has_uid: !sample.bare,
                uid: es_event_openssh_login_t_uid { uid: 501 },
            };
            es_events_t {
                openssh_login: arena.place(event),
            }
        }
        "openssh_logout" => {
            let event = es_event_openssh_logout_t {
                source_address_type,
                source_address,
                username: arena.string("username"),
                uid: 501,
            };
            es_events_t {
                openssh_logout: arena.place(event),
            }
        }
        "screensharing_attach" => {
            let event = es_event_screensharing_attach_t {
                success: !sample.bare,
                source_address_type,
                source_address,
                viewer_appleid: sample.text(arena, "viewer_appleid"),
                authentication_type: arena.string("authentication_type"),
                authentication_username: sample.text(arena, "authentication_username"),
                session_username: sample.text(arena, "session_username"),
                existing_session: !sample.bare,
                graphical_session_id: 257,
            };
            es_events_t {
                screensharing_attach: arena.place(event),
            }
        }
        "screensharing_detach" => {
            let event = es_event_screensharing_detach_t {
                source_address_type,
                source_address,
                viewer_appleid: sample.text(arena, "viewer_appleid"),
                graphical_session_id: 257,
            };
            es_events_t {
                screensharing_detach: arena.place(event),
            }
        }
        _ => return None,
    })
}

fn privileges(arena: &mut Arena, member: &str, sample: &Sample) -> Option<es_events_t> {
    Some(match member {
        "su" => {
            let texts = |arena: &mut Arena, items: &[&str]| {
                let count = if sample.bare { 0 } else { items.len() };
                let texts: Vec<_> = items
                    .iter()
                    .take(count)
                    .map(|item| arena.string(item))
                    .collect();
                (count, arena.place_all(&texts))
            };
            let (argc, argv) = texts(arena, &["su", "-l", "root"]);
            let (env_count, env) = texts(arena, &["HOME=/var/root", "TERM=xterm"]);
            let event = es_event_su_t {
                success: !sample.bare,
                failure_message: sample.text(arena, "failure_message"),
                from_uid: 501,
                from_username: arena.string("from_username"),
                has_to_uid: !sample.bare,
                to_uid: es_event_su_t_to_uid { uid: 502 },
                to_username: arena.string("to_username"),
                shell: arena.string("shell"),
                argc,
                argv,
                env_count,
                env,
            };
            es_events_t {
                su: arena.place(event),
            }
        }
        "sudo" => {
            let reject = es_sudo_reject_info_t {
                plugin_name: arena.string("plugin_name"),
                plugin_type: es_sudo_plugin_type_t::ES_SUDO_PLUGIN_TYPE_POLICY,
                failure_message: arena.string("failure_message"),
            };
            let event = es_event_sudo_t {
                success: sample.bare,
                reject_info: sample.some(arena, reject),
                has_from_uid: !sample.bare,
                from_uid: es_event_sudo_t_from_uid { uid: 501 },
                from_username: sample.text(arena, "from_username"),
                has_to_uid: !sample.bare,
                to_uid: es_event_sudo_t_to_uid { uid: 502 },
                to_username: sample.text(arena, "to_username"),
                command: sample.text(arena, "command"),
            };
            es_events_t {
                sudo: arena.place(event),
            }
        }
        _ => return None,
    })
}
