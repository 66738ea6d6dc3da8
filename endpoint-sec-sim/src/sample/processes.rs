//! Samples of events about processes.

use endpoint_sec_sys::*;

use crate::memory::Arena;
use crate::payload;
use crate::sample::parts::Sample;

pub(super) fn event(arena: &mut Arena, member: &str, sample: &Sample) -> Option<es_events_t> {
    lives(arena, member, sample)
        .or_else(|| meets(arena, member, sample))
        .or_else(|| identities(member))
}

fn lives(arena: &mut Arena, member: &str, sample: &Sample) -> Option<es_events_t> {
    let script = Some(sample.other.clone()).filter(|_| !sample.bare);
    Some(match member {
        "exec" => payload::exec(sample.target.clone(), script, 9)(arena),
        "exit" => payload::exit(256)(arena),
        "fork" => payload::fork(sample.target.clone())(arena),
        "cs_invalidated" => es_events_t {
            cs_invalidated: es_event_cs_invalidated_t { reserved: [0; 64] },
        },
        "mprotect" => es_events_t {
            mprotect: es_event_mprotect_t {
                protection: 5,
                address: 0x1_0000_0000,
                size: 16384,
                reserved: [0; 64],
            },
        },
        _ => return None,
    })
}

fn meets(arena: &mut Arena, member: &str, sample: &Sample) -> Option<es_events_t> {
    let target = arena.process(&sample.target);
    let type_ = es_get_task_type_t::ES_GET_TASK_TYPE_EXPOSE_TASK;
    let reserved = [0; 60];
    Some(match member {
        "get_task" => es_events_t {
            get_task: es_event_get_task_t {
                target,
                type_,
                reserved,
            },
        },
        "get_task_inspect" => es_events_t {
            get_task_inspect: es_event_get_task_inspect_t {
                target,
                type_,
                reserved,
            },
        },
        "get_task_name" => es_events_t {
            get_task_name: es_event_get_task_name_t {
                target,
                type_,
                reserved,
            },
        },
        "get_task_read" => es_events_t {
            get_task_read: es_event_get_task_read_t {
                target,
                type_,
                reserved,
            },
        },
        "proc_check" => es_events_t {
            proc_check: es_event_proc_check_t {
                target: sample.some_process(arena, &sample.target),
                type_: es_proc_check_type_t::ES_PROC_CHECK_TYPE_PIDINFO,
                flavor: 3,
                reserved: [0; 64],
            },
        },
        "proc_suspend_resume" => es_events_t {
            proc_suspend_resume: es_event_proc_suspend_resume_t {
                target: sample.some_process(arena, &sample.target),
                type_: es_proc_suspend_resume_type_t::ES_PROC_SUSPEND_RESUME_TYPE_RESUME,
                reserved: [0; 64],
            },
        },
        "remote_thread_create" => {
            let state = arena.token([7; 24]);
            es_events_t {
                remote_thread_create: es_event_remote_thread_create_t {
                    target,
                    thread_state: sample.some(arena, es_thread_state_t { flavor: 6, state }),
                    reserved: [0; 64],
                },
            }
        }
        "signal" => es_events_t {
            signal: es_event_signal_t {
                sig: 15,
                target,
                instigator: sample.instigator(arena),
                reserved: [0; 56],
            },
        },
        "trace" => es_events_t {
            trace: es_event_trace_t {
                target,
                reserved: [0; 64],
            },
        },
        _ => return None,
    })
}

fn identities(member: &str) -> Option<es_events_t> {
    let reserved = [0; 64];
    Some(match member {
        "setegid" => es_events_t {
            setegid: es_event_setegid_t { egid: 20, reserved },
        },
        "seteuid" => es_events_t {
            seteuid: es_event_seteuid_t {
                euid: 502,
                reserved,
            },
        },
        "setgid" => es_events_t {
            setgid: es_event_setgid_t { gid: 21, reserved },
        },
        "setregid" => es_events_t {
            setregid: es_event_setregid_t {
                rgid: 22,
                egid: 23,
                reserved,
            },
        },
        "setreuid" => es_events_t {
            setreuid: es_event_setreuid_t {
                ruid: 503,
                euid: 504,
                reserved,
            },
        },
        "setuid" => es_events_t {
            setuid: es_event_setuid_t { uid: 505, reserved },
        },
        _ => return None,
    })
}
