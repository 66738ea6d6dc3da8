//! Muting, selecting, and the system's own mutes.

#![cfg(not(target_vendor = "apple"))]
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

mod support;

use endpoint_sec::{
    CallError, Client, EventType, ExecutablePath, InvertError, MuteDimension, MutedPathKind,
    OsVersion, TargetPath,
};
use endpoint_sec_sim::{Installed, Machine};
use endpoint_sec_sys::{es_event_type_t, es_mute_path_type_t};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::{drop_message, machine_of, started};

/// A client that counts what it is asked, and the machine it runs on.
struct Counting {
    client: Client,
    asked: Arc<AtomicUsize>,
    machine: Installed,
}

impl Counting {
    fn on(machine: Installed) -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let client = started(move |message| {
            counted.fetch_add(1, Ordering::SeqCst);
            drop_message(message);
        });
        let _subscribed = client.subscribe(&[EventType::AUTH_UNLINK]).unwrap();
        Self {
            client,
            asked,
            machine,
        }
    }

    /// How many questions this makes.
    fn asked_by(&self, program: &str, path: &str) -> usize {
        let before = self.asked.load(Ordering::SeqCst);
        let actor = self.machine.process(program).start();
        assert!(self.machine.unlink(&actor, path).allowed());
        self.machine.settle();
        self.asked.load(Ordering::SeqCst) - before
    }
}

fn executable(path: &str) -> ExecutablePath {
    ExecutablePath::literal(path).unwrap()
}

fn target(path: &str) -> TargetPath {
    TargetPath::prefix(path).unwrap()
}

#[test]
fn programs_and_targets_are_muted_each_by_its_own_type() {
    let counting = Counting::on(machine_of(11));
    let client = &counting.client;
    assert_eq!(counting.asked_by("/bin/rm", "/a/b"), 1);
    client.mute_executable(&executable("/bin/rm")).unwrap();
    assert_eq!(counting.asked_by("/bin/rm", "/a/b"), 0);
    assert_eq!(
        counting.asked_by("/bin/rmdir", "/bin/rm"),
        1,
        "a target of that path"
    );
    client.unmute_executable(&executable("/bin/rm")).unwrap();
    client.mute_target(&target("/a/b")).unwrap();
    assert_eq!(counting.asked_by("/bin/rm", "/a/b"), 0);
    assert_eq!(
        counting.asked_by("/bin/rm", "/a/bc"),
        0,
        "a prefix knows no names"
    );
    assert_eq!(counting.asked_by("/bin/rm", "/a/c"), 1);
    client.unmute_target(&target("/a/b")).unwrap();
    assert_eq!(counting.asked_by("/bin/rm", "/a/b"), 1);

    // For some event types only.
    let unlink = [EventType::AUTH_UNLINK];
    let rename = [EventType::AUTH_RENAME];
    client.mute_target_events(&target("/a"), &rename).unwrap();
    client
        .mute_executable_events(&executable("/bin/rm"), &rename)
        .unwrap();
    assert_eq!(counting.asked_by("/bin/rm", "/a/b"), 1);
    client.mute_target_events(&target("/a"), &unlink).unwrap();
    assert_eq!(counting.asked_by("/bin/rm", "/a/b"), 0);
    client.unmute_target_events(&target("/a"), &unlink).unwrap();
    client
        .mute_executable_events(&executable("/bin/rm"), &unlink)
        .unwrap();
    assert_eq!(counting.asked_by("/bin/rm", "/a/b"), 0);
    client
        .unmute_executable_events(&executable("/bin/rm"), &unlink)
        .unwrap();
    assert_eq!(counting.asked_by("/bin/rm", "/a/b"), 1);
    let no_targets = client.mute_target_events(&target("/a"), &[EventType::NOTIFY_FORK]);
    assert!(
        matches!(no_targets, Err(CallError::Failed { .. })),
        "{no_targets:?}"
    );
}

#[test]
fn muted_paths_are_listed_with_their_events() {
    let machine = machine_of(11);
    let client = started(drop_message);
    let defaults = client.default_mutes().unwrap().to_vec();
    assert!(!defaults.is_empty());
    client.unmute_all_executables().unwrap();
    client
        .mute_target_events(&target("/a"), &[EventType::AUTH_RENAME])
        .unwrap();
    let paths = client.muted_paths().unwrap();
    assert_eq!(paths.len(), 1, "{paths:?}");
    assert_eq!(paths[0].kind, MutedPathKind::TargetPrefix);
    assert_eq!(paths[0].path, b"/a");
    assert_eq!(paths[0].events, [EventType::AUTH_RENAME]);
    client.unmute_all_targets().unwrap();
    assert_eq!(client.muted_paths().unwrap(), []);
    // What was noted at the start does not change with it.
    assert_eq!(client.default_mutes(), Some(&*defaults));
    drop(client);
    assert_eq!(machine.report().defects, []);
}

#[test]
fn a_client_mutes_processes_and_itself() {
    let counting = Counting::on(machine_of(11));
    let Counting {
        client, machine, ..
    } = &counting;
    let asked_by_me = || {
        let before = counting.asked.load(Ordering::SeqCst);
        assert!(machine.unlink(machine.me(), "/a").allowed());
        machine.settle();
        counting.asked.load(Ordering::SeqCst) - before
    };
    assert_eq!(asked_by_me(), 1);
    client.mute_self().unwrap();
    assert_eq!(asked_by_me(), 0);
    let muted = client.muted_processes().unwrap();
    assert_eq!(muted.len(), 1);
    assert_eq!(muted[0].process.pid(), machine.me().pid());
    let own = muted[0].process;
    client.unmute_process(own).unwrap();
    client.unmute_process(own).unwrap();
    assert_eq!(asked_by_me(), 1);
    client
        .mute_process_events(own, &[EventType::AUTH_UNLINK])
        .unwrap();
    assert_eq!(asked_by_me(), 0);
    assert_eq!(
        client.muted_processes().unwrap()[0].events,
        [EventType::AUTH_UNLINK]
    );
    client
        .unmute_process_events(own, &[EventType::AUTH_UNLINK])
        .unwrap();
    assert_eq!(asked_by_me(), 1);
}

#[test]
fn inverting_over_the_default_set_is_refused_while_it_could_be_asked_about() {
    let counting = Counting::on(machine_of(11));
    let client = &counting.client;
    let refused = client.set_inverted(MuteDimension::Executable, true);
    let Err(InvertError::DefaultSet {
        muted,
        example,
        event,
    }) = refused
    else {
        panic!("{refused:?}");
    };
    let defaults = client.default_mutes().unwrap();
    assert_eq!(event, EventType::AUTH_UNLINK);
    assert!((1..=defaults.len()).contains(&muted), "{muted}");
    assert!(example.starts_with('/'), "{example}");
    assert_eq!(client.is_inverted(MuteDimension::Executable), Ok(false));

    // Without questions, or without the default set, nothing is against it.
    client.unsubscribe_all().unwrap();
    client
        .set_inverted(MuteDimension::Executable, true)
        .unwrap();
    client
        .set_inverted(MuteDimension::Executable, true)
        .unwrap();
    assert_eq!(client.is_inverted(MuteDimension::Executable), Ok(true));
    // The other way round is as bad: questions about what inverting selected.
    let refused = client.subscribe(&[EventType::AUTH_UNLINK]);
    let call = "es_subscribe";
    assert_eq!(refused, Err(CallError::DefaultSet { call }));
    let _subscribed = client.subscribe(&[EventType::NOTIFY_EXIT]).unwrap();
    client
        .set_inverted(MuteDimension::Executable, false)
        .unwrap();
    let _subscribed = client.subscribe(&[EventType::AUTH_UNLINK]).unwrap();
    client.unmute_all_executables().unwrap();
    client
        .set_inverted(MuteDimension::Executable, true)
        .unwrap();
    client
        .set_inverted(MuteDimension::Executable, false)
        .unwrap();
}

#[test]
fn selecting_saves_the_default_set_and_restoring_brings_it_back() {
    let counting = Counting::on(machine_of(11));
    let client = &counting.client;
    let before = client.muted_paths().unwrap();
    let saved = client.select_executables(&[executable("/bin/rm")]).unwrap();
    assert_eq!(saved.dimension(), MuteDimension::Executable);
    assert!(!saved.is_inverted());
    assert_eq!(client.subscriptions().unwrap(), [EventType::AUTH_UNLINK]);
    assert_eq!(counting.asked_by("/bin/rm", "/a"), 1);
    assert_eq!(counting.asked_by("/bin/mv", "/a"), 0);
    let watched = String::from_utf8(saved.paths()[0].path.clone()).unwrap();
    assert_eq!(
        counting.asked_by(&watched, "/a"),
        0,
        "a default mute is not selected"
    );
    client.mute_executable(&executable("/bin/mv")).unwrap();
    assert_eq!(counting.asked_by("/bin/mv", "/a"), 1);

    client.restore_mutes(&saved).unwrap();
    assert_eq!(client.is_inverted(MuteDimension::Executable), Ok(false));
    assert_eq!(client.subscriptions().unwrap(), [EventType::AUTH_UNLINK]);
    assert_eq!(counting.asked_by("/bin/mv", "/a"), 1);
    let mut after = client.muted_paths().unwrap();
    let mut expected = before;
    for paths in [&mut after, &mut expected] {
        paths.sort_by(|a, b| a.path.cmp(&b.path));
        paths.iter_mut().for_each(|path| path.events.sort());
    }
    assert_eq!(after, expected);
    assert!(client.save_mutes(MuteDimension::Process).is_err());
}

#[test]
fn targets_are_selected_without_touching_programs() {
    let counting = Counting::on(machine_of(11));
    let client = &counting.client;
    let programs = client.muted_paths().unwrap().len();
    let saved = client.select_targets(&[target("/Users/me/keep/")]).unwrap();
    assert_eq!(saved.paths(), []);
    assert_eq!(client.muted_paths().unwrap().len(), programs + 1);
    assert_eq!(counting.asked_by("/bin/rm", "/Users/me/keep/a"), 1);
    assert_eq!(counting.asked_by("/bin/rm", "/Users/me/else/a"), 0);
    client.restore_mutes(&saved).unwrap();
    assert_eq!(counting.asked_by("/bin/rm", "/Users/me/else/a"), 1);
}

#[test]
fn a_default_set_of_targets_is_guarded_too() {
    let unlink = es_event_type_t::ES_EVENT_TYPE_AUTH_UNLINK;
    let default = (
        es_mute_path_type_t::ES_MUTE_PATH_TYPE_TARGET_PREFIX,
        b"/private/var/db".to_vec(),
        vec![unlink],
    );
    let machine = Machine::new(OsVersion::new(14, 0, 0)).default_mutes([default]);
    let counting = Counting::on(machine.install());
    let client = &counting.client;
    let refused = client.set_inverted(MuteDimension::Target, true);
    assert!(
        matches!(refused, Err(InvertError::DefaultSet { .. })),
        "{refused:?}"
    );
    client
        .set_inverted(MuteDimension::Executable, true)
        .unwrap();
}

#[test]
fn older_systems_do_what_they_can() {
    // macOS 11 mutes programs by its own functions, and says what it lacks for the rest.
    let counting = Counting::on(machine_of(4));
    let client = &counting.client;
    client.mute_executable(&executable("/bin/rm")).unwrap();
    assert_eq!(counting.asked_by("/bin/rm", "/a"), 0);
    client
        .mute_executable(&ExecutablePath::prefix("/usr/").unwrap())
        .unwrap();
    assert_eq!(counting.asked_by("/usr/bin/x", "/a"), 0);
    client.mute_self().unwrap();
    assert_eq!(client.muted_processes().unwrap().len(), 1);
    assert_eq!(client.default_mutes(), None);
    let release = counting.machine.release();
    for (call, result) in [
        ("es_mute_path", client.mute_target(&target("/a"))),
        ("es_muted_paths_events", client.muted_paths().map(drop)),
        (
            "es_muting_inverted",
            client.is_inverted(MuteDimension::Target).map(drop),
        ),
        ("es_unmute_all_target_paths", client.unmute_all_targets()),
        ("es_sync_client", client.sync()),
    ] {
        let Err(CallError::NotAvailable {
            call: missing,
            since,
            running,
        }) = result
        else {
            panic!("{call}: {result:?}");
        };
        assert_eq!((missing, running), (call, release));
        assert!(since > release, "{call}: {since}");
    }
}
