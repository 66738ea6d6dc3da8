//! Samples of events about files and what they carry.

use std::ptr::null_mut;

use endpoint_sec_sys::*;

use crate::memory::Arena;
use crate::payload;
use crate::sample::parts::Sample;

pub(super) fn event(arena: &mut Arena, member: &str, sample: &Sample) -> Option<es_events_t> {
    names(arena, member, sample)
        .or_else(|| contents(arena, member, sample))
        .or_else(|| attributes(arena, member, sample))
}

fn names(arena: &mut Arena, member: &str, sample: &Sample) -> Option<es_events_t> {
    let (file, other) = (sample.file.clone(), sample.other.clone());
    let to = other.path.clone();
    Some(match member {
        "clone" => payload::clone(file, to)(arena),
        "copyfile" => payload::copyfile(file, Some(other).filter(|_| !sample.bare), to)(arena),
        "create" if sample.arm == 0 => payload::create_path(to, 0o640)(arena),
        "create" => payload::create_file(file)(arena),
        "exchangedata" => payload::exchangedata(file, other)(arena),
        "file_provider_materialize" => es_events_t {
            file_provider_materialize: es_event_file_provider_materialize_t {
                instigator: sample.instigator(arena),
                source: arena.file(&file),
                target: arena.file(&other),
                instigator_token: sample.instigator_token(),
                reserved: [0; 32],
            },
        },
        "file_provider_update" => es_events_t {
            file_provider_update: es_event_file_provider_update_t {
                source: arena.file(&file),
                target_path: arena.string("target_path"),
                reserved: [0; 64],
            },
        },
        "link" => payload::link(file, to)(arena),
        "rename" => payload::rename(file, Some(other).filter(|_| sample.arm == 1), to)(arena),
        "unlink" => {
            let parent = file.parent();
            payload::unlink(file, parent)(arena)
        }
        _ => return None,
    })
}

fn contents(arena: &mut Arena, member: &str, sample: &Sample) -> Option<es_events_t> {
    let file = sample.file.clone();
    let target = arena.file(&file);
    let reserved = [0; 64];
    Some(match member {
        "close" => es_events_t {
            close: es_event_close_t {
                modified: true,
                target,
                anonymous: es_event_close_t_anonymous {
                    fields: es_event_close_t_anonymous_fields {
                        was_mapped_writable: true,
                    },
                },
            },
        },
        "dup" => es_events_t {
            dup: es_event_dup_t { target, reserved },
        },
        "fcntl" => es_events_t {
            fcntl: es_event_fcntl_t {
                target,
                cmd: 50,
                reserved,
            },
        },
        "mmap" => es_events_t {
            mmap: es_event_mmap_t {
                protection: 1,
                max_protection: 5,
                flags: 2,
                file_pos: 4096,
                source: target,
                reserved,
            },
        },
        "open" => payload::open(file, 3)(arena),
        "truncate" => payload::truncate(file)(arena),
        "write" => payload::write(file)(arena),
        _ => return None,
    })
}

fn attributes(arena: &mut Arena, member: &str, sample: &Sample) -> Option<es_events_t> {
    let target = arena.file(&sample.file);
    let extattr = arena.string("extattr");
    let reserved = [0; 64];
    Some(match member {
        "deleteextattr" => es_events_t {
            deleteextattr: es_event_deleteextattr_t {
                target,
                extattr,
                reserved,
            },
        },
        "getattrlist" => es_events_t {
            getattrlist: es_event_getattrlist_t {
                attrlist: ATTRIBUTES,
                target,
                reserved,
            },
        },
        "getextattr" => es_events_t {
            getextattr: es_event_getextattr_t {
                target,
                extattr,
                reserved,
            },
        },
        "listextattr" => es_events_t {
            listextattr: es_event_listextattr_t { target, reserved },
        },
        "setacl" => es_events_t {
            setacl: es_event_setacl_t {
                target,
                set_or_clear: if sample.arm == 0 {
                    es_set_or_clear_t::ES_SET
                } else {
                    es_set_or_clear_t::ES_CLEAR
                },
                acl: es_event_setacl_t_acl {
                    set: if sample.arm == 0 {
                        arena.place(acl()).cast()
                    } else {
                        null_mut()
                    },
                },
                reserved,
            },
        },
        "setattrlist" => es_events_t {
            setattrlist: es_event_setattrlist_t {
                attrlist: ATTRIBUTES,
                target,
                reserved,
            },
        },
        "setextattr" => es_events_t {
            setextattr: es_event_setextattr_t {
                target,
                extattr,
                reserved,
            },
        },
        "setflags" => es_events_t {
            setflags: es_event_setflags_t {
                flags: 2,
                target,
                reserved,
            },
        },
        "setmode" => es_events_t {
            setmode: es_event_setmode_t {
                mode: 0o755,
                target,
                reserved,
            },
        },
        "setowner" => es_events_t {
            setowner: es_event_setowner_t {
                uid: 501,
                gid: 20,
                target,
                reserved,
            },
        },
        "utimes" => es_events_t {
            utimes: es_event_utimes_t {
                target,
                atime: timespec {
                    tv_sec: 1,
                    tv_nsec: 2,
                },
                mtime: timespec {
                    tv_sec: 3,
                    tv_nsec: 4,
                },
                reserved,
            },
        },
        _ => return None,
    })
}

/// A request for a file's name and size (`sys/attr.h`).
pub(super) const ATTRIBUTES: attrlist = attrlist {
    bitmapcount: 5,
    reserved: 0,
    commonattr: 1,
    volattr: 0,
    dirattr: 0,
    fileattr: 2,
    forkattr: 0,
};

/// A list of two entries: its length, then its external form (sys/kauth.h), in words of network
/// byte order.
fn acl() -> [u32; 24] {
    let mut words = [0; 24];
    words[0] = 92;
    let mut set = |at: usize, value: u32| words[at] = value.to_be();
    set(1, 0x012c_c16d);
    set(10, 2);
    for (entry, (kind, rights)) in [(1, 1 << 4), (2, 1 << 2)].into_iter().enumerate() {
        let at = 12 + 6 * entry;
        (at..at + 4).for_each(|word| set(word, 0x4141_4141));
        set(at + 4, kind);
        set(at + 5, rights);
    }
    words
}
