//! Samples of events about looking around.

use endpoint_sec_sys::*;

use crate::memory::Arena;
use crate::sample::files::ATTRIBUTES;
use crate::sample::parts::Sample;

pub(super) fn event(arena: &mut Arena, member: &str, sample: &Sample) -> Option<es_events_t> {
    let target = arena.file(&sample.file);
    let reserved = [0; 64];
    Some(match member {
        "access" => es_events_t {
            access: es_event_access_t {
                mode: 4,
                target,
                reserved,
            },
        },
        "chdir" => es_events_t {
            chdir: es_event_chdir_t { target, reserved },
        },
        "chroot" => es_events_t {
            chroot: es_event_chroot_t { target, reserved },
        },
        "fsgetpath" => es_events_t {
            fsgetpath: es_event_fsgetpath_t { target, reserved },
        },
        "lookup" => es_events_t {
            lookup: es_event_lookup_t {
                source_dir: target,
                relative_target: arena.string("relative_target"),
                reserved,
            },
        },
        "readdir" => es_events_t {
            readdir: es_event_readdir_t { target, reserved },
        },
        "readlink" => es_events_t {
            readlink: es_event_readlink_t {
                source: target,
                reserved,
            },
        },
        "searchfs" => es_events_t {
            searchfs: es_event_searchfs_t {
                attrlist: ATTRIBUTES,
                target,
                reserved,
            },
        },
        "stat" => es_events_t {
            stat: es_event_stat_t { target, reserved },
        },
        _ => return None,
    })
}
