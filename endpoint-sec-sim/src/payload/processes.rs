//! Processes: begun, replaced, ended.

use endpoint_sec_sys::*;

use crate::file::File;
use crate::memory::Arena;
use crate::process::Process;

pub(crate) fn exec(
    target: Process,
    script: Option<File>,
    last_fd: i32,
) -> impl Fn(&mut Arena) -> es_events_t {
    move |arena| {
        // Fields that the version does not have are made unreadable afterwards; what they would
        // point to is not made.
        let has_script = arena.version() >= 2;
        let fields = es_event_exec_t_anonymous_fields {
            script: arena.optional_file(script.as_ref().filter(|_| has_script)),
            cwd: arena.file(&target.0.cwd),
            last_fd,
            image_cputype: CPU_TYPE_ARM64,
            image_cpusubtype: CPU_SUBTYPE_ARM64E,
        };
        es_events_t {
            exec: es_event_exec_t {
                target: arena.process(&target),
                dyld_exec_path: arena.string(target.0.executable.path()),
                anonymous: es_event_exec_t_anonymous { fields },
            },
        }
    }
}

pub(crate) fn fork(child: Process) -> impl Fn(&mut Arena) -> es_events_t {
    move |arena| es_events_t {
        fork: es_event_fork_t {
            child: arena.process(&child),
            reserved: [0; 64],
        },
    }
}

pub(crate) fn exit(status: i32) -> impl Fn(&mut Arena) -> es_events_t {
    move |_| es_events_t {
        exit: es_event_exit_t {
            stat: status,
            reserved: [0; 64],
        },
    }
}

/// `mach/machine.h`.
const CPU_TYPE_ARM64: i32 = 0x0100_000C;
/// `mach/machine.h`.
const CPU_SUBTYPE_ARM64E: i32 = 2;
