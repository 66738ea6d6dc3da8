//! Samples of events about processes that meet.

use endpoint_sec_sys::*;

use crate::memory::Arena;
use crate::sample::parts::Sample;

pub(super) fn event(arena: &mut Arena, member: &str, sample: &Sample) -> Option<es_events_t> {
    let reserved = [0; 64];
    Some(match member {
        "bootstrap_check_in" => {
            let event = es_event_bootstrap_check_in_t {
                instigator: sample.instigator(arena),
                instigator_token: sample.instigator_token(),
                service_name: arena.string("service_name"),
            };
            es_events_t {
                bootstrap_check_in: arena.place(event),
            }
        }
        "bootstrap_look_up" => {
            let event = look_up(arena, sample);
            es_events_t {
                bootstrap_look_up: arena.place(event),
            }
        }
        "pty_close" => es_events_t {
            pty_close: es_event_pty_close_t { dev: 17, reserved },
        },
        "pty_grant" => es_events_t {
            pty_grant: es_event_pty_grant_t { dev: 16, reserved },
        },
        "uipc_bind" => es_events_t {
            uipc_bind: es_event_uipc_bind_t {
                dir: arena.file(&sample.file.parent()),
                filename: arena.string("filename"),
                mode: 0o600,
                reserved,
            },
        },
        "uipc_connect" => es_events_t {
            uipc_connect: es_event_uipc_connect_t {
                file: arena.file(&sample.file),
                domain: 1,
                type_: 2,
                protocol: 3,
                reserved,
            },
        },
        "xpc_connect" => {
            let event = es_event_xpc_connect_t {
                service_name: arena.string("service_name"),
                service_domain_type: es_xpc_domain_type_t::ES_XPC_DOMAIN_TYPE_GUI,
            };
            es_events_t {
                xpc_connect: arena.place(event),
            }
        }
        _ => return None,
    })
}

fn look_up(arena: &mut Arena, sample: &Sample) -> es_event_bootstrap_look_up_t {
    type T = es_bootstrap_target_type_t;
    let job_label = arena.string("job_label");
    let (target_type, target) = if sample.arm == 0 {
        let process = es_event_bootstrap_look_up_t_target_process {
            target: sample.some_process(arena, &sample.target),
            target_token: sample.target.audit_token(),
            job_label,
        };
        (
            T::ES_BOOTSTRAP_TARGET_TYPE_PROCESS,
            es_event_bootstrap_look_up_t_target { process },
        )
    } else {
        let demands = es_lightweight_code_requirement_t {
            team_id: arena.string("team_id"),
            signing_id: arena.string("signing_id"),
        };
        let job = es_event_bootstrap_look_up_t_target_job {
            job_label,
            lwcr: sample.some(arena, demands),
        };
        (
            T::ES_BOOTSTRAP_TARGET_TYPE_JOB,
            es_event_bootstrap_look_up_t_target { job },
        )
    };
    es_event_bootstrap_look_up_t {
        instigator: sample.instigator(arena),
        instigator_token: sample.instigator_token(),
        service_name: arena.string("service_name"),
        target_type,
        target,
    }
}
