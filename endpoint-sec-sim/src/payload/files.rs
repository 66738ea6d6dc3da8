//! Files and names: opened, made, moved, removed.

use std::ptr::null_mut;
use std::sync::Arc;

use endpoint_sec_sys::*;

use crate::file::{File, directory_and_name};
use crate::memory::Arena;

pub(crate) fn unlink(target: File, parent: File) -> impl Fn(&mut Arena) -> es_events_t {
    move |arena| es_events_t {
        unlink: es_event_unlink_t {
            target: arena.file(&target),
            parent_dir: arena.file(&parent),
            reserved: [0; 64],
        },
    }
}

pub(crate) fn rename(
    source: File,
    existing: Option<File>,
    to: Arc<[u8]>,
) -> impl Fn(&mut Arena) -> es_events_t {
    type T = es_destination_type_t;
    let (directory, name) = directory_and_name(&to);
    move |arena| {
        let (destination_type, destination) = match &existing {
            Some(file) => (
                T::ES_DESTINATION_TYPE_EXISTING_FILE,
                es_event_rename_t_destination {
                    existing_file: arena.file(file),
                },
            ),
            None => (
                T::ES_DESTINATION_TYPE_NEW_PATH,
                es_event_rename_t_destination {
                    new_path: es_event_rename_t_destination_new_path {
                        dir: arena.file(&directory),
                        filename: arena.string(&name),
                    },
                },
            ),
        };
        es_events_t {
            rename: es_event_rename_t {
                source: arena.file(&source),
                destination_type,
                destination,
                reserved: [0; 64],
            },
        }
    }
}

pub(crate) fn open(file: File, fflag: i32) -> impl Fn(&mut Arena) -> es_events_t {
    move |arena| es_events_t {
        open: es_event_open_t {
            fflag,
            file: arena.file(&file),
            reserved: [0; 64],
        },
    }
}

pub(crate) fn close(target: File, modified: bool) -> impl Fn(&mut Arena) -> es_events_t {
    move |arena| es_events_t {
        close: es_event_close_t {
            modified,
            target: arena.file(&target),
            anonymous: es_event_close_t_anonymous {
                fields: es_event_close_t_anonymous_fields {
                    was_mapped_writable: false,
                },
            },
        },
    }
}

pub(crate) fn create_path(path: Arc<[u8]>, mode: u16) -> impl Fn(&mut Arena) -> es_events_t {
    let (directory, name) = directory_and_name(&path);
    move |arena| {
        let new_path = es_event_create_t_destination_new_path {
            dir: arena.file(&directory),
            filename: arena.string(&name),
            mode,
        };
        create(
            es_destination_type_t::ES_DESTINATION_TYPE_NEW_PATH,
            es_event_create_t_destination { new_path },
        )
    }
}

pub(crate) fn create_file(file: File) -> impl Fn(&mut Arena) -> es_events_t {
    move |arena| {
        let existing_file = arena.file(&file);
        create(
            es_destination_type_t::ES_DESTINATION_TYPE_EXISTING_FILE,
            es_event_create_t_destination { existing_file },
        )
    }
}

fn create(
    destination_type: es_destination_type_t,
    destination: es_event_create_t_destination,
) -> es_events_t {
    es_events_t {
        create: es_event_create_t {
            destination_type,
            destination,
            reserved2: [0; 16],
            anonymous: es_event_create_t_anonymous {
                fields: es_event_create_t_anonymous_fields { acl: null_mut() },
            },
        },
    }
}

pub(crate) fn bind(path: Arc<[u8]>, mode: u16) -> impl Fn(&mut Arena) -> es_events_t {
    let (directory, name) = directory_and_name(&path);
    move |arena| es_events_t {
        uipc_bind: es_event_uipc_bind_t {
            dir: arena.file(&directory),
            filename: arena.string(&name),
            mode,
            reserved: [0; 64],
        },
    }
}

pub(crate) fn truncate(target: File) -> impl Fn(&mut Arena) -> es_events_t {
    move |arena| es_events_t {
        truncate: es_event_truncate_t {
            target: arena.file(&target),
            reserved: [0; 64],
        },
    }
}

pub(crate) fn write(target: File) -> impl Fn(&mut Arena) -> es_events_t {
    move |arena| es_events_t {
        write: es_event_write_t {
            target: arena.file(&target),
            reserved: [0; 64],
        },
    }
}

pub(crate) fn link(source: File, to: Arc<[u8]>) -> impl Fn(&mut Arena) -> es_events_t {
    let (directory, name) = directory_and_name(&to);
    move |arena| es_events_t {
        link: es_event_link_t {
            source: arena.file(&source),
            target_dir: arena.file(&directory),
            target_filename: arena.string(&name),
            reserved: [0; 64],
        },
    }
}

pub(crate) fn clone(source: File, to: Arc<[u8]>) -> impl Fn(&mut Arena) -> es_events_t {
    let (directory, name) = directory_and_name(&to);
    move |arena| es_events_t {
        clone: es_event_clone_t {
            source: arena.file(&source),
            target_dir: arena.file(&directory),
            target_name: arena.string(&name),
            reserved: [0; 64],
        },
    }
}

pub(crate) fn copyfile(
    source: File,
    existing: Option<File>,
    to: Arc<[u8]>,
) -> impl Fn(&mut Arena) -> es_events_t {
    let (directory, name) = directory_and_name(&to);
    move |arena| es_events_t {
        copyfile: es_event_copyfile_t {
            source: arena.file(&source),
            target_file: arena.optional_file(existing.as_ref()),
            target_dir: arena.file(&directory),
            target_name: arena.string(&name),
            mode: 0o644,
            flags: 0,
            reserved: [0; 56],
        },
    }
}

pub(crate) fn exchangedata(one: File, other: File) -> impl Fn(&mut Arena) -> es_events_t {
    move |arena| es_events_t {
        exchangedata: es_event_exchangedata_t {
            file1: arena.file(&one),
            file2: arena.file(&other),
            reserved: [0; 64],
        },
    }
}
