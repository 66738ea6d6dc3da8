//! One message of every event type, for tests that go through all of them.
//!
//! The values are made to be recognised: a text says the name of its field, numbers are small and
//! differ within one event. Types whose event has several shapes have several variants, each of
//! them full and *bare*: with null for every pointer that may be null, and absent or empty texts.

use std::sync::Arc;

use endpoint_sec_sys::{Emitter, EventKind, es_event_settime_t, es_event_type_t, es_events_t};

use crate::action::{Action, Effect};
use crate::attempt::Attempt;
use crate::machine::Machine;
use crate::memory::Arena;
use crate::memory::message::Image;
use crate::process::Process;
use crate::sample::parts::Sample;

mod directory;
mod files;
mod ipc;
mod login;
mod parts;
mod processes;
mod security;
mod system;
mod users;

// === impl Machine ===

impl Machine {
    /// Sends one message of an event type: the first variant of its samples. The message's process
    /// is `actor`.
    pub fn send(&self, event: es_event_type_t, actor: &Process) -> Attempt {
        self.perform(Action::sample(self, actor, event, 0))
    }

    /// Sends every client a message of a type that no header names, whether they subscribed or not:
    /// what a release after 27.0 may do to a client that was built before it.
    pub fn send_unknown(&self, number: u32, asks: bool, actor: &Process) -> Attempt {
        let event = Some(es_event_type_t(number));
        let (auth, notify) = if asks { (event, None) } else { (None, event) };
        let mut action = Action::new(actor, auth, notify, |_| opaque());
        action.unknown = true;
        self.perform(action)
    }
}

// === impl Action ===

impl Action {
    /// How many variants of samples an event type has.
    #[must_use]
    pub fn variants(event: es_event_type_t) -> usize {
        let member = event.info().and_then(|info| info.member);
        let arms = match member {
            Some("authentication") => 4,
            Some("od_group_add" | "od_group_remove" | "od_group_set") => 3,
            Some(
                "bootstrap_look_up" | "create" | "gatekeeper_user_override" | "rename" | "setacl",
            ) => 2,
            _ => 1,
        };
        arms * 2
    }

    /// One message of an event type. Even variants are full, odd ones bare.
    pub fn sample(
        machine: &Machine,
        actor: &Process,
        event: es_event_type_t,
        variant: usize,
    ) -> Self {
        let (target, instigator) = machine.shared.samples.get_or_init(|| {
            let target = machine.process("/bin/cat").args(["cat", "-"]).start();
            (target, machine.process("/usr/bin/login").start())
        });
        let sample = Sample {
            file: machine.file("/private/tmp/file"),
            other: machine.file("/private/tmp/other"),
            target: target.clone(),
            instigator: instigator.clone(),
            arm: variant / 2,
            bare: variant % 2 == 1,
        };
        let sample = Arc::new(sample);
        let asks = match event.info().map(|info| info.kind) {
            Some(EventKind::Auth) => true,
            Some(EventKind::Notify) => false,
            // Observed of the reserved types, not documented: these three ask.
            Some(EventKind::Reserved) | None => ASKING.contains(&event),
        };
        let (auth, notify) = if asks {
            (Some(event), None)
        } else {
            (None, Some(event))
        };
        let says = sample.clone();
        let mut action = Self::new(actor, auth, notify, move |arena| {
            event_of(arena, event, &says)
        });
        let info = event.info();
        let member = info.and_then(|info| info.member).unwrap_or_default();
        let by_process = PROCESS_TARGETS.contains(&member);
        let target = if by_process {
            sample.target.executable()
        } else {
            &sample.file
        };
        let targets = [target, &sample.other];
        let count = info.map_or(0, |info| usize::from(info.target_paths));
        action = action.aimed_at(targets.iter().take(count).map(|file| file.path()));
        if info.is_some_and(|info| info.has_instigator_role) {
            action = action.instigated_by(&sample.instigator);
        }
        action = action.cached_by(target.path());
        match member {
            "open" => action.flags = Some(3),
            "exec" => {
                action.image = Some(Image {
                    args: sample.target.0.args.clone(),
                    env: vec![b"PATH=/bin".to_vec(), Vec::new()],
                    fds: vec![(0, 1), (1, 6), (2, 1)],
                    entitlements: vec![b"com.apple.security.app-sandbox".to_vec()],
                });
            }
            "fork" => action.effect = Effect::Fork(sample.target.clone()),
            _ => {}
        }
        let emitter = info.map(|info| info.emitter);
        if emitter != Some(Emitter::Kernel) || sample.bare {
            action = action.without_thread();
        }
        action
    }
}

fn event_of(arena: &mut Arena, event: es_event_type_t, sample: &Sample) -> es_events_t {
    let Some(member) = event.info().and_then(|info| info.member) else {
        return opaque();
    };
    let found = files::event(arena, member, sample)
        .or_else(|| directory::event(arena, member, sample))
        .or_else(|| processes::event(arena, member, sample))
        .or_else(|| system::event(arena, member, sample))
        .or_else(|| ipc::event(arena, member, sample))
        .or_else(|| login::event(arena, member, sample))
        .or_else(|| security::event(arena, member, sample))
        .or_else(|| users::event(arena, member, sample));
    found.unwrap_or_else(|| panic!("no sample of {member}"))
}

/// An event of unknown contents: arbitrary bytes.
fn opaque() -> es_events_t {
    es_events_t {
        settime: es_event_settime_t {
            reserved: [0x5A; 64],
        },
    }
}

const ASKING: [es_event_type_t; 3] = [
    es_event_type_t::ES_EVENT_TYPE_RESERVED_3,
    es_event_type_t::ES_EVENT_TYPE_RESERVED_5,
    es_event_type_t::ES_EVENT_TYPE_RESERVED_7,
];

/// Events whose target path is that of a process's executable.
const PROCESS_TARGETS: [&str; 10] = [
    "exec",
    "get_task",
    "get_task_inspect",
    "get_task_name",
    "get_task_read",
    "proc_check",
    "proc_suspend_resume",
    "remote_thread_create",
    "signal",
    "trace",
];

#[cfg(test)]
mod tests {
    use super::Action;
    use crate::machine::Machine;
    use crate::memory::Arena;
    use crate::release::MACOS_27;
    use endpoint_sec_sys::layout::{STRUCTS, StructLayout};
    use endpoint_sec_sys::{EVENTS, EventInfo, Storage};

    /// One before and one after each change of a length; under Miri, which is slow, those of most.
    const VERSIONS: &[u32] = if cfg!(miri) {
        &[7, 8]
    } else {
        &[1, 7, 8, 9, 10, 11]
    };

    /// Every event type, or under Miri, which is slow, some of them.
    const STEP: usize = if cfg!(miri) { 8 } else { 1 };

    /// How long a struct is in a message of this version: it ends before its first field that is
    /// not yet there.
    fn length(layout: &StructLayout, version: u32) -> usize {
        let missing = layout.fields.iter().filter(|field| {
            field
                .since_message_version
                .is_some_and(|since| since > version)
        });
        let end = missing
            .map(|field| field.offset)
            .min()
            .unwrap_or(layout.size);
        end.next_multiple_of(layout.align)
    }

    fn layout_of(info: &EventInfo) -> &'static StructLayout {
        let name = format!("es_event_{}_t", info.member.unwrap());
        STRUCTS.iter().find(|layout| layout.name == name).unwrap()
    }

    #[test]
    fn events_behind_pointers_are_as_long_as_their_version_makes_them() {
        let machine = Machine::new(MACOS_27).build();
        let pointed = EVENTS
            .iter()
            .filter(|info| info.storage == Some(Storage::Pointer));
        let mut count = 0;
        for info in pointed.step_by(STEP) {
            let action = Action::sample(&machine, machine.launchd(), info.event_type, 0);
            for &version in VERSIONS {
                let mut arena = Arena::new(version);
                (action.payload)(&mut arena);
                let layout = layout_of(info);
                assert_eq!(
                    arena.last_block(),
                    length(layout, version),
                    "{} {version}",
                    info.name
                );
                count += 1;
            }
        }
        assert_eq!(count, 42_usize.div_ceil(STEP) * VERSIONS.len());
    }

    #[test]
    fn every_variant_of_every_event_can_be_built() {
        let machine = Machine::new(MACOS_27).build();
        for info in EVENTS.iter().step_by(STEP) {
            for variant in 0..Action::variants(info.event_type) {
                let action = Action::sample(&machine, machine.me(), info.event_type, variant);
                assert_ne!(
                    action.auth.is_some(),
                    action.notify.is_some(),
                    "{}",
                    info.name
                );
                assert_eq!(
                    action.targets.len(),
                    usize::from(info.target_paths),
                    "{}",
                    info.name
                );
                (action.payload)(&mut Arena::new(11));
            }
        }
    }
}
