//! Samples of events about the kernel and mounted file systems.

use std::ffi::c_char;

use endpoint_sec_sys::*;

use crate::memory::Arena;
use crate::sample::parts::Sample;

pub(super) fn event(arena: &mut Arena, member: &str, _sample: &Sample) -> Option<es_events_t> {
    let reserved = [0; 64];
    Some(match member {
        "iokit_open" => {
            let has_parent = arena.version() >= 10;
            let parent = Some("parent_path").filter(|_| has_parent);
            es_events_t {
                iokit_open: es_event_iokit_open_t {
                    user_client_type: 1,
                    user_client_class: arena.string("user_client_class"),
                    parent_registry_id: 0x1_0000_0002,
                    parent_path: arena.optional_string(parent),
                    reserved: [0; 40],
                },
            }
        }
        "kextload" => es_events_t {
            kextload: es_event_kextload_t {
                identifier: arena.string("identifier"),
                reserved,
            },
        },
        "kextunload" => es_events_t {
            kextunload: es_event_kextunload_t {
                identifier: arena.string("identifier"),
                reserved,
            },
        },
        "mount" => es_events_t {
            mount: es_event_mount_t {
                statfs: arena.place(volume()),
                disposition: es_mount_disposition_t::ES_MOUNT_DISPOSITION_NETWORK,
                reserved: [0; 60],
            },
        },
        "remount" => es_events_t {
            remount: es_event_remount_t {
                statfs: arena.place(volume()),
                remount_flags: 0x9,
                disposition: es_mount_disposition_t::ES_MOUNT_DISPOSITION_VIRTUAL,
                reserved: [0; 52],
            },
        },
        "settime" => es_events_t {
            settime: es_event_settime_t { reserved },
        },
        "unmount" => es_events_t {
            unmount: es_event_unmount_t {
                statfs: arena.place(volume()),
                reserved,
            },
        },
        _ => return None,
    })
}

fn volume() -> statfs {
    statfs {
        f_bsize: 4096,
        f_iosize: 1_048_576,
        f_blocks: 1000,
        f_bfree: 900,
        f_bavail: 800,
        f_files: 700,
        f_ffree: 600,
        f_fsid: fsid_t { val: [16, 17] },
        f_owner: 501,
        f_type: 26,
        f_flags: 9,
        f_fssubtype: 1,
        f_fstypename: characters("apfs"),
        f_mntonname: characters("/Volumes/sample"),
        f_mntfromname: characters("/dev/disk4s1"),
        f_flags_ext: 1,
        f_reserved: [0; 7],
    }
}

/// A text in an array of characters, with zeroes behind.
fn characters<const N: usize>(text: &str) -> [c_char; N] {
    let mut array = [0; N];
    for (place, byte) in array.iter_mut().zip(text.bytes()) {
        *place = c_char::from_ne_bytes([byte]);
    }
    array
}
