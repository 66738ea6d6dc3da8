//! One message in memory: the fixed part, as long as its version makes it, over an arena with
//! everything else.

use std::mem::offset_of;
use std::sync::Arc;

use endpoint_sec_sys::{
    es_action_type_t, es_event_close_t, es_event_create_t, es_event_exec_t,
    es_event_file_provider_materialize_t, es_event_get_task_t, es_event_id_t,
    es_event_iokit_open_t, es_event_mount_t, es_event_remount_t, es_event_signal_t,
    es_event_type_t, es_events_t, es_fd_t, es_message_t, es_message_t_action, es_result_t,
    es_string_token_t, es_thread_t, timespec,
};

use crate::memory::{Arena, poison};
use crate::process::Process;

/// Writes an event into the memory of a message.
pub(crate) type Payload = Arc<dyn Fn(&mut Arena) -> es_events_t + Send + Sync>;

/// What a message is made of, apart from its place in the sequences.
pub(crate) struct Content<'a> {
    pub(crate) version: u32,
    /// Wall time since 1970.
    pub(crate) time: std::time::Duration,
    pub(crate) mach_time: u64,
    pub(crate) deadline: u64,
    pub(crate) process: &'a Process,
    pub(crate) thread: Option<u64>,
    pub(crate) event: es_event_type_t,
    pub(crate) payload: &'a Payload,
    pub(crate) action: Wanted,
    pub(crate) sequence: u64,
    pub(crate) global_sequence: u64,
    pub(crate) exec: Option<&'a Image>,
}

/// What a message wants of its client.
#[derive(Clone, Copy)]
pub(crate) enum Wanted {
    /// An answer, which refers to this number.
    Answer(u64),
    /// Nothing; this was decided, and the operation happened or not.
    Nothing {
        decided: es_result_t,
        happened: bool,
    },
}

/// What an exec event carries behind its struct.
#[derive(Clone, Debug, Default)]
pub(crate) struct Image {
    pub(crate) args: Vec<Vec<u8>>,
    pub(crate) env: Vec<Vec<u8>>,
    /// Descriptors that survive the exec: number and `PROX_FDTYPE_`.
    pub(crate) fds: Vec<(i32, u32)>,
    /// The entitlements that are true.
    pub(crate) entitlements: Vec<Vec<u8>>,
}

/// A message and everything it points to. Freed when dropped.
#[derive(Debug)]
pub(crate) struct Memory {
    message: *mut es_message_t,
    exec: Option<Tables>,
    _arena: Arena,
}

/// What the exec accessors return, all of it within the arena.
#[derive(Debug, Default)]
struct Tables {
    args: Vec<es_string_token_t>,
    env: Vec<es_string_token_t>,
    fds: Vec<*const es_fd_t>,
    entitlements: Vec<Vec<u8>>,
}

// SAFETY: the pointers lead into the arena, which moves along; the bytes are never written after
// the message was built.
unsafe impl Send for Memory {}

// === impl Memory ===

impl Memory {
    pub(crate) fn build(content: &Content<'_>) -> Self {
        let mut arena = Arena::new(content.version);
        let has_thread = content.version >= 4;
        let thread = content.thread.filter(|_| has_thread);
        let object = es_message_t {
            version: content.version,
            time: timespec {
                tv_sec: content.time.as_secs().try_into().unwrap_or(i64::MAX),
                tv_nsec: content.time.subsec_nanos().into(),
            },
            mach_time: content.mach_time,
            deadline: content.deadline,
            process: arena.process(content.process),
            seq_num: content.sequence,
            action_type: content.action.kind(),
            action: content.action.field(),
            event_type: content.event,
            event: (content.payload)(&mut arena),
            thread: thread.map_or(std::ptr::null_mut(), |thread_id| {
                arena.place(es_thread_t { thread_id })
            }),
            global_seq_num: content.global_sequence,
            opaque: [],
        };
        let message = arena.place_short(object, fixed_part(content.version));
        let bytes = message.cast::<u8>();
        if content.version < 2 {
            let at = bytes.wrapping_add(offset_of!(es_message_t, seq_num));
            // SAFETY: the field lies within the 208 bytes that every version has; nothing reads it
            // before version 2.
            unsafe { poison(at, 8) };
        }
        for gate in GATES.iter().filter(|gate| gate.closed(content)) {
            let at = bytes.wrapping_add(offset_of!(es_message_t, event) + gate.offset);
            // SAFETY: the offset and size are those of a field of the event's struct, which lies
            // within the union.
            unsafe { poison(at, gate.size) };
        }
        let exec = content.exec.map(|image| Tables::build(&mut arena, image));
        Self {
            message,
            exec,
            _arena: arena,
        }
    }

    /// The message, as the handler gets it.
    pub(crate) fn message(&self) -> *const es_message_t {
        self.message
    }

    /// The address by which clients name the message.
    pub(crate) fn address(&self) -> usize {
        self.message.addr()
    }

    pub(crate) fn args(&self) -> Option<&[es_string_token_t]> {
        self.exec.as_ref().map(|exec| exec.args.as_slice())
    }

    pub(crate) fn env(&self) -> Option<&[es_string_token_t]> {
        self.exec.as_ref().map(|exec| exec.env.as_slice())
    }

    pub(crate) fn fds(&self) -> Option<&[*const es_fd_t]> {
        self.exec.as_ref().map(|exec| exec.fds.as_slice())
    }

    pub(crate) fn entitlements(&self) -> Option<&[Vec<u8>]> {
        let exec = self.exec.as_ref()?;
        Some(exec.entitlements.as_slice())
    }
}

// === impl Tables ===

impl Tables {
    fn build(arena: &mut Arena, image: &Image) -> Self {
        let fds = image.fds.iter().map(|(fd, kind)| {
            let mut entry = es_fd_t {
                fd: *fd,
                fdtype: *kind,
                anonymous: endpoint_sec_sys::es_fd_t_anonymous {
                    pipe: endpoint_sec_sys::es_fd_t_anonymous_pipe { pipe_id: 0 },
                },
            };
            entry.anonymous.pipe.pipe_id = 0x00D1_CE00 + u64::from(fd.unsigned_abs());
            entry
        });
        let fds: Vec<es_fd_t> = fds.collect();
        Self {
            args: image.args.iter().map(|arg| arena.string(arg)).collect(),
            env: image.env.iter().map(|entry| arena.string(entry)).collect(),
            fds: fds
                .into_iter()
                .map(|fd| arena.place(fd).cast_const())
                .collect(),
            entitlements: image.entitlements.clone(),
        }
    }
}

// === impl Wanted ===

impl Wanted {
    fn kind(self) -> es_action_type_t {
        match self {
            Self::Answer(_) => es_action_type_t::ES_ACTION_TYPE_AUTH,
            Self::Nothing { .. } => es_action_type_t::ES_ACTION_TYPE_NOTIFY,
        }
    }

    fn field(self) -> es_message_t_action {
        match self {
            Self::Answer(number) => {
                let mut reserved = [0x1D; 32];
                reserved[..8].copy_from_slice(&number.to_le_bytes());
                es_message_t_action {
                    auth: es_event_id_t { reserved },
                }
            }
            Self::Nothing { decided, .. } => es_message_t_action { notify: decided },
        }
    }
}

/// How many bytes the fixed part of a message takes: the last two fields came with version 4.
pub(crate) fn fixed_part(version: u32) -> usize {
    if version < 4 {
        offset_of!(es_message_t, thread)
    } else {
        size_of::<es_message_t>()
    }
}

/// A field of an inline event that earlier versions do not have: its bytes hold something else
/// there.
struct Gate {
    events: &'static [es_event_type_t],
    offset: usize,
    size: usize,
    /// The first version with the field.
    since: u32,
}

// === impl Gate ===

impl Gate {
    fn closed(&self, content: &Content<'_>) -> bool {
        content.version < self.since && self.events.contains(&content.event)
    }
}

/// Version-gated fields of the structs that lie within the message (ESMessage.h, macOS 27.0).
const GATES: [Gate; 16] = {
    type E = es_event_type_t;
    const EXEC: &[E] = &[E::ES_EVENT_TYPE_AUTH_EXEC, E::ES_EVENT_TYPE_NOTIFY_EXEC];
    const GET_TASK: &[E] = &[
        E::ES_EVENT_TYPE_AUTH_GET_TASK,
        E::ES_EVENT_TYPE_NOTIFY_GET_TASK,
        E::ES_EVENT_TYPE_AUTH_GET_TASK_READ,
        E::ES_EVENT_TYPE_NOTIFY_GET_TASK_READ,
        E::ES_EVENT_TYPE_NOTIFY_GET_TASK_INSPECT,
        E::ES_EVENT_TYPE_NOTIFY_GET_TASK_NAME,
    ];
    const CREATE: &[E] = &[E::ES_EVENT_TYPE_AUTH_CREATE, E::ES_EVENT_TYPE_NOTIFY_CREATE];
    const CLOSE: &[E] = &[E::ES_EVENT_TYPE_NOTIFY_CLOSE];
    const MOUNT: &[E] = &[E::ES_EVENT_TYPE_AUTH_MOUNT, E::ES_EVENT_TYPE_NOTIFY_MOUNT];
    const REMOUNT: &[E] = &[
        E::ES_EVENT_TYPE_AUTH_REMOUNT,
        E::ES_EVENT_TYPE_NOTIFY_REMOUNT,
    ];
    const SIGNAL: &[E] = &[E::ES_EVENT_TYPE_AUTH_SIGNAL, E::ES_EVENT_TYPE_NOTIFY_SIGNAL];
    const IOKIT: &[E] = &[
        E::ES_EVENT_TYPE_AUTH_IOKIT_OPEN,
        E::ES_EVENT_TYPE_NOTIFY_IOKIT_OPEN,
    ];
    const MATERIALIZE: &[E] = &[
        E::ES_EVENT_TYPE_AUTH_FILE_PROVIDER_MATERIALIZE,
        E::ES_EVENT_TYPE_NOTIFY_FILE_PROVIDER_MATERIALIZE,
    ];
    const fn gate(events: &'static [E], offset: usize, size: usize, since: u32) -> Gate {
        Gate {
            events,
            offset,
            size,
            since,
        }
    }
    [
        gate(
            CREATE,
            offset_of!(es_event_create_t, anonymous.fields.acl),
            8,
            2,
        ),
        gate(
            EXEC,
            offset_of!(es_event_exec_t, anonymous.fields.script),
            8,
            2,
        ),
        gate(
            EXEC,
            offset_of!(es_event_exec_t, anonymous.fields.cwd),
            8,
            3,
        ),
        gate(
            EXEC,
            offset_of!(es_event_exec_t, anonymous.fields.last_fd),
            4,
            4,
        ),
        gate(GET_TASK, offset_of!(es_event_get_task_t, type_), 4, 5),
        gate(
            EXEC,
            offset_of!(es_event_exec_t, anonymous.fields.image_cputype),
            4,
            6,
        ),
        gate(
            EXEC,
            offset_of!(es_event_exec_t, anonymous.fields.image_cpusubtype),
            4,
            6,
        ),
        gate(
            CLOSE,
            offset_of!(es_event_close_t, anonymous.fields.was_mapped_writable),
            1,
            6,
        ),
        gate(EXEC, offset_of!(es_event_exec_t, dyld_exec_path), 16, 7),
        gate(
            MATERIALIZE,
            offset_of!(es_event_file_provider_materialize_t, instigator_token),
            32,
            8,
        ),
        gate(MOUNT, offset_of!(es_event_mount_t, disposition), 4, 8),
        gate(REMOUNT, offset_of!(es_event_remount_t, remount_flags), 8, 8),
        gate(REMOUNT, offset_of!(es_event_remount_t, disposition), 4, 8),
        gate(SIGNAL, offset_of!(es_event_signal_t, instigator), 8, 9),
        gate(
            IOKIT,
            offset_of!(es_event_iokit_open_t, parent_registry_id),
            8,
            10,
        ),
        gate(
            IOKIT,
            offset_of!(es_event_iokit_open_t, parent_path),
            16,
            10,
        ),
    ]
};

/// That the union, with its longest member, is where the header has it.
const _: () = assert!(offset_of!(es_message_t, event) == 104 && size_of::<es_events_t>() == 104);

#[cfg(test)]
mod tests {
    use super::{GATES, fixed_part};
    use endpoint_sec_sys::layout::STRUCTS;
    use endpoint_sec_sys::{EVENTS, Storage};

    #[test]
    fn the_fixed_part_grew_with_version_4() {
        assert_eq!([1, 3, 4, 11].map(fixed_part), [208, 208, 224, 224]);
    }

    #[test]
    fn every_gated_field_of_an_inline_event_has_its_gate() {
        let mut count = 0;
        for info in EVENTS
            .iter()
            .filter(|info| info.storage == Some(Storage::Inline))
        {
            let name = format!("es_event_{}_t", info.member.unwrap());
            let layout = STRUCTS.iter().find(|layout| layout.name == name).unwrap();
            for field in layout.fields {
                let Some(since) = field.since_message_version else {
                    continue;
                };
                let gate = GATES.iter().find(|gate| {
                    let place = (gate.offset, gate.size, gate.since);
                    gate.events.contains(&info.event_type)
                        && place == (field.offset, field.size, since)
                });
                assert!(gate.is_some(), "{name}.{}", field.path);
                count += 1;
            }
        }
        assert!(count >= GATES.len(), "gates that no field has");
    }
}
