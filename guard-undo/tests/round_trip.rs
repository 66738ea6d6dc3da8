//! What an agent removes, changes and moves, and how it comes back.

#![allow(clippy::unwrap_used)]
#![allow(clippy::tests_outside_test_module)]

mod support;

use guard_testing::clock::now_ns;
use guard_testing::wait::found;
use guard_undo::Bounds;
use guard_undo::journal::{Event, Method};
use guard_undo::restore::{Effect, Request};
use guard_undo::store::recorder::{Discard, Preserved, Worth};
use guard_undo::summary::Summary;
use std::collections::HashSet;
use std::fs::{self, File, FileTimes};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::time::{Duration, SystemTime};
use support::{Scene, os, set_mode};

#[test]
fn a_session_s_losses_come_back_with_modes_times_links_and_directories() {
    let scene = Scene::new();
    scene.person_writes("src/a", "hours of work");
    scene.person_writes("src/b", "more");
    scene.person_writes("notes", "long");
    set_mode(&scene.path("src/b"), 0o604);
    std::os::unix::fs::symlink("a", scene.path("src/link")).unwrap();
    fs::create_dir(scene.path("empty")).unwrap();
    set_mode(&scene.path("empty"), 0o711);
    let before = scene.picture();
    assert!(matches!(
        scene.agent_removes("src/a"),
        Preserved::Kept {
            method: Method::Hardlink,
            ..
        }
    ));
    scene.agent_removes("src/b");
    assert_eq!(scene.agent_removes("src/link"), Preserved::Recorded);
    scene.agent_removes("src");
    scene.agent_removes("empty");
    let kept = scene.agent_writes("notes", "").unwrap();
    assert!(matches!(
        kept,
        Preserved::Kept {
            method: Method::Copy | Method::Reflink,
            ..
        }
    ));
    assert_eq!(scene.picture().len(), 1);
    let dry = scene.plan(&Request::default());
    assert_eq!(dry.items.len(), 6);
    assert!(scene.picture().len() == 1, "a plan touches nothing");
    let applied = scene.restore(&Request::default());
    assert_eq!(
        (applied.restored, applied.failures.len()),
        (6, 0),
        "{applied:?}"
    );
    assert_eq!(scene.picture(), before);
    assert!(scene.plan(&Request::default()).is_empty(), "all is there");
    let applied = scene.restore(&Request::default());
    assert_eq!((applied.restored, applied.already), (0, 6));
    // And again, since copies of small files stay in the store.
    fs::remove_file(scene.path("src/a")).unwrap();
    assert_eq!(scene.restore(&Request::default()).restored, 1);
    assert_eq!(scene.picture(), before);
}

#[test]
fn moves_are_taken_back_in_chains_and_swaps() {
    let scene = Scene::new();
    for name in ["a", "b", "c", "d/x", "d/y"] {
        scene.person_writes(name, name);
    }
    let before = scene.picture();
    scene.agent_moves("c", "c1");
    scene.agent_moves("b", "c");
    scene.agent_moves("a", "b");
    scene.agent_moves("d", "e");
    scene.agent_moves("e/x", "e/z");
    scene.agent_writes("e/y", "edited").unwrap();
    scene.agent_moves("b", "t");
    scene.agent_moves("c", "b");
    scene.agent_moves("t", "c");
    let applied = scene.restore(&Request::default());
    assert!(applied.failures.is_empty(), "{applied:?}");
    assert_eq!(scene.picture(), before);
}

#[test]
fn what_a_rename_replaced_comes_back_and_the_renamed_name_too() {
    let scene = Scene::new();
    scene.person_writes("one", "1");
    scene.person_writes("two", "2");
    let before = scene.picture();
    scene.agent_moves("one", "two");
    scene.restore(&Request::default());
    assert_eq!(scene.picture(), before);
}

#[test]
fn an_atomic_save_leaves_no_temporary_name_behind() {
    let scene = Scene::new();
    scene.person_writes("f", "person");
    scene.agent_writes("f.tmp", "agent").unwrap();
    scene.agent_moves("f.tmp", "f");
    scene.agent_writes("f.tmp", "again").unwrap();
    scene.agent_moves("f.tmp", "f");
    assert_eq!(Summary::of(&scene.session()).renamed, 0);
    scene.restore(&Request::default());
    assert_eq!(scene.read("f"), "person");
    assert!(!scene.path("f.tmp").exists());
}

#[test]
fn the_agent_s_own_contents_are_not_kept_again_and_the_person_s_are() {
    // A write is the agent's for a moment after its open. One that took longer, on a machine that was
    // busy, says nothing and is made again.
    let is_quick = |scene: &Scene, name: &str| {
        let began = now_ns();
        scene.agent_writes(name, "agent").unwrap();
        now_ns() - began < 40_000_000
    };
    let scene = found("a quick write", || {
        let scene = Scene::new();
        scene.person_writes("f", "first");
        is_quick(&scene, "f").then_some(scene)
    });
    assert_eq!(
        scene.agent_writes("f", "agent 2").unwrap(),
        Preserved::NotNeeded
    );
    let touched = now_ns();
    // A person, a little later than an agent's own write would be.
    while now_ns() < touched + 80_000_000 {
        std::hint::spin_loop();
    }
    fs::write(scene.path("f"), "person").unwrap();
    assert!(matches!(
        scene.agent_writes("f", "agent 3").unwrap(),
        Preserved::Kept { .. }
    ));
    let mut names = (0..).map(|number: u32| format!("new{number}"));
    let new = found("a quick write of a new file", || {
        let name = names.next()?;
        is_quick(&scene, &name).then_some(name)
    });
    let own = scene.lost(&scene.path(&new), |lost| {
        scene
            .recorder
            .discard(lost, Discard::Removed, Worth::IfChanged, true)
    });
    assert_eq!(own.unwrap(), Preserved::NotNeeded);
    scene.restore(&Request::default());
    assert_eq!(
        scene.read("f"),
        "person",
        "the newest that was the person's"
    );
    let at_ns = Some(scene.session().began_ns());
    scene.restore(&Request {
        at_ns,
        force: true,
        ..Request::default()
    });
    assert_eq!(scene.read("f"), "first");
}

#[test]
fn what_an_agent_writes_while_it_has_the_file_open_is_not_the_person_s() {
    let scene = Scene::new();
    scene.person_writes("f", "person");
    let before = scene.picture();
    scene.agent_writes("f", "agent").unwrap();
    let path = scene.path("f").as_os_str().as_bytes().to_vec();
    let look = |is_open: bool| {
        let open = is_open.then(|| path.clone()).into_iter().collect();
        scene.recorder.follow_writers(|| open);
    };
    look(true);
    pass_the_moment();
    let between = now_ns();
    fs::write(scene.path("f"), "agent, later").unwrap();
    assert!(matches!(
        scene.agent_writes("f", "agent again").unwrap(),
        Preserved::Kept { .. }
    ));
    pass_the_moment();
    fs::write(scene.path("f"), "agent, at last").unwrap();
    look(false);
    scene.agent_writes("f", "once more").unwrap();
    scene.restore(&Request::default());
    assert_eq!(scene.picture(), before);
    let earlier = Request {
        at_ns: Some(between),
        force: true,
        ..Request::default()
    };
    scene.restore(&earlier);
    assert_eq!(scene.read("f"), "agent, later");
}

#[test]
fn what_the_person_writes_after_the_agent_closed_the_file_is_theirs() {
    let scene = Scene::new();
    scene.person_writes("f", "first");
    scene.agent_writes("f", "agent").unwrap();
    scene.recorder.follow_writers(HashSet::new);
    pass_the_moment();
    fs::write(scene.path("f"), "person").unwrap();
    // Nothing is open any more: nobody needs to look.
    scene.recorder.follow_writers(|| panic!("asked"));
    scene.agent_writes("f", "agent 2").unwrap();
    scene.restore(&Request::default());
    assert_eq!(scene.read("f"), "person");
}

#[test]
fn what_somebody_may_have_written_into_an_agent_s_file_is_kept() {
    let scene = Scene::new();
    scene.recorder.follow_writers(HashSet::new);
    scene.agent_writes("new", "agent").unwrap();
    pass_the_moment();
    fs::write(scene.path("new"), "mine").unwrap();
    let path = scene.path("new");
    let kept = scene.lost(&path, |lost| {
        let how = Discard::Removed;
        let recorder = &scene.recorder;
        recorder.discard(lost, how, Worth::IfChanged, true).unwrap()
    });
    assert!(matches!(kept, Preserved::Kept { .. }), "{kept:?}");
    fs::remove_file(&path).unwrap();
    scene.restore(&Request::default());
    assert_eq!(scene.read("new"), "mine");
}

#[test]
fn what_an_agent_brought_from_elsewhere_is_kept_when_it_is_removed() {
    let scene = Scene::new();
    scene.person_writes("f", "the only one");
    let path = scene.path("f");
    let name = path.as_os_str().as_bytes();
    scene.recorder.brought_from_elsewhere(name, now_ns());
    let kept = scene.lost(&path, |lost| {
        let how = Discard::Removed;
        let recorder = &scene.recorder;
        recorder.discard(lost, how, Worth::IfChanged, true).unwrap()
    });
    assert!(matches!(kept, Preserved::Kept { .. }), "{kept:?}");
}

/// Until a change is no longer the agent's for its time alone.
fn pass_the_moment() {
    let until = now_ns() + 80_000_000;
    while now_ns() < until {
        std::hint::spin_loop();
    }
}

#[test]
fn what_the_person_changed_since_is_not_replaced() {
    let scene = Scene::new();
    scene.person_writes("f", "before");
    scene.agent_removes("f");
    scene
        .recorder
        .made(scene.path("f").as_os_str().as_bytes(), 1);
    fs::write(scene.path("f"), "since").unwrap();
    let future = FileTimes::new().set_modified(SystemTime::now());
    File::open(scene.path("f"))
        .unwrap()
        .set_times(future)
        .unwrap();
    let wait_until = now_ns() + 2_100_000_000;
    while now_ns() < wait_until {
        std::thread::yield_now();
    }
    set_mode(&scene.path("f"), 0o640);
    let applied = scene.restore(&Request::default());
    assert_eq!((applied.restored, applied.beside), (0, 1));
    assert_eq!(scene.read("f"), "since");
    assert_eq!(scene.read("f.before-5e551011"), "before");
    let force = Request {
        force: true,
        ..Request::default()
    };
    assert_eq!(scene.restore(&force).restored, 1);
    assert_eq!(scene.read("f"), "before");
    // The restore is a session of its own, which can be undone.
    let undone = scene.store.sessions().unwrap().into_iter().find(|session| {
        session
            .records
            .iter()
            .any(|record| matches!(record.event, Event::Replaced(_)))
    });
    let plan = guard_undo::restore::Plan::make(&undone.unwrap(), &force);
    assert_eq!(plan.items.len(), 1);
    assert_eq!(scene.store.session("last").unwrap().name(), "5e551011");
}

#[test]
fn elsewhere_touches_nothing_and_a_filter_takes_a_part() {
    let scene = Scene::new();
    scene.person_writes("d/a", "a");
    scene.person_writes("d/b", "b");
    scene.agent_removes("d/a");
    scene.agent_writes("d/b", "changed").unwrap();
    let out = tempfile::tempdir().unwrap();
    let to = out.path().canonicalize().unwrap();
    let elsewhere = Request {
        to: Some(to.clone()),
        ..Request::default()
    };
    let before = scene.picture();
    assert_eq!(scene.restore(&elsewhere).restored, 2);
    assert_eq!(scene.picture(), before);
    assert_eq!(fs::read_to_string(to.join("zone/d/a")).unwrap(), "a");
    assert_eq!(fs::read_to_string(to.join("zone/d/b")).unwrap(), "b");
    let only = vec![scene.path("d/a").as_os_str().as_bytes().to_vec()];
    let part = Request {
        only,
        ..Request::default()
    };
    assert_eq!(scene.restore(&part).restored, 1);
    assert_eq!(scene.read("d/b"), "changed");
}

#[test]
fn another_file_system_takes_copies_up_to_a_size() {
    let memory = Path::new("/dev/shm");
    if !memory.is_dir() {
        return;
    }
    let bounds = Bounds {
        max_copy: 1 << 20,
        ..Bounds::for_disk(1 << 40)
    };
    // In a directory that others can write to nothing is linked.
    let scene = Scene::with(bounds, Some(memory), 0o770);
    scene.person_writes("small", "small");
    let large = scene.path("large");
    fs::write(&large, vec![7; 2 << 20]).unwrap();
    assert!(matches!(
        scene.agent_removes("small"),
        Preserved::Kept {
            method: Method::Copy,
            ..
        }
    ));
    let refused = scene.lost(&large, |lost| {
        scene
            .recorder
            .discard(lost, Discard::Removed, Worth::Always, true)
    });
    assert_eq!(refused.unwrap_err().cause(), "too_large");
    assert!(large.exists());
    scene.restore(&Request::default());
    assert_eq!(scene.read("small"), "small");
}

#[test]
fn a_zone_on_another_file_system_has_its_objects_beside_it() {
    let memory = Path::new("/dev/shm");
    if !memory.is_dir() {
        return;
    }
    let scene = Scene::with(Bounds::for_disk(1 << 40), Some(memory), 0o700);
    scene.person_writes("a", "hours");
    scene.person_writes("large", "x");
    let large = File::options().write(true).open(scene.path("large"));
    large.unwrap().set_len(200 << 20).unwrap();
    let before = scene.picture();
    for name in ["a", "large"] {
        let kept = scene.agent_removes(name);
        let method = Method::Hardlink;
        assert!(
            matches!(kept, Preserved::Kept { method: by, .. } if by == method),
            "{name}: {kept:?}"
        );
    }
    let beside = scene.zone.with_file_name(".codex-es-guard-undo");
    assert_eq!(fs::metadata(&beside).unwrap().mode() & 0o777, 0o300);
    assert!(scene.restore(&Request::default()).failures.is_empty());
    assert_eq!(scene.picture(), before);
    scene.recorder.end(1).unwrap();
    assert_eq!(fs::metadata(&beside).unwrap().mode() & 0o777, 0o700);
    let store = scene.store.clone();
    let session = scene.session();
    let _dirs = scene.finish();
    guard_undo::sweep::forget(&session).unwrap();
    assert_eq!(store.sessions().unwrap().len(), 1, "the restore's remains");
    assert_eq!(fs::read_dir(&beside).unwrap().count(), 0);
}

#[test]
fn a_full_store_refuses_and_changes_nothing() {
    let bounds = Bounds {
        max_bytes: 64 << 10,
        ..Bounds::for_disk(1 << 40)
    };
    let scene = Scene::with(bounds, None, 0o700);
    for name in ["a", "b", "c"] {
        fs::write(scene.path(name), vec![1; 30 << 10]).unwrap();
    }
    scene.agent_removes("a");
    scene.agent_removes("b");
    let full = scene.lost(&scene.path("c"), |lost| {
        let full = scene
            .recorder
            .discard(lost, Discard::Removed, Worth::Always, true);
        let full = full.unwrap_err();
        scene
            .recorder
            .unpreserved(lost.path, "removed", &full, lost.at_ns);
        full
    });
    assert_eq!(full.cause(), "full");
    assert!(scene.path("c").exists());
    assert_eq!(Summary::of(&scene.session()).unpreserved, 1);
    assert_eq!(scene.recorder.tally().unpreserved, 1);
}

#[test]
fn sparse_files_long_names_and_any_bytes() {
    let scene = Scene::new();
    let sparse = scene.path("disk.img");
    let file = File::create(&sparse).unwrap();
    file.set_len(5 << 30).unwrap();
    file.write_all_at(b"data", 4 << 30).unwrap();
    drop(file);
    scene.agent_writes("disk.img", "gone").unwrap();
    let odd = scene.zone.join(os(b"\xff\xfe name\nwith\"all"));
    fs::write(&odd, "odd").unwrap();
    let name = "n".repeat(250);
    let mut deep = scene.zone.clone();
    while deep.as_os_str().len() + 252 < 4_095 {
        deep.push(&name);
    }
    fs::create_dir_all(deep.parent().unwrap()).unwrap();
    fs::write(&deep, "deep").unwrap();
    for path in [&odd, &deep] {
        scene.lost(path, |lost| {
            scene
                .recorder
                .discard(lost, Discard::Removed, Worth::Always, true)
                .unwrap();
        });
        fs::remove_file(path).unwrap();
    }
    let applied = scene.restore(&Request::default());
    assert_eq!(applied.restored, 3, "{applied:?}");
    assert_eq!(fs::read_to_string(&odd).unwrap(), "odd");
    assert_eq!(fs::read_to_string(&deep).unwrap(), "deep");
    let found = fs::metadata(&sparse).unwrap();
    assert_eq!(found.len(), 5 << 30);
    assert!(found.blocks() < 1 << 10);
    let mut data = [0; 4];
    File::open(&sparse)
        .unwrap()
        .read_exact_at(&mut data, 4 << 30)
        .unwrap();
    assert_eq!(&data, b"data");
}

#[test]
fn a_second_name_written_later_does_not_spoil_what_is_kept() {
    let scene = Scene::new();
    scene.person_writes("one", "both");
    fs::hard_link(scene.path("one"), scene.path("two")).unwrap();
    scene.agent_removes("one");
    scene.agent_writes("two", "changed").unwrap();
    scene.restore(&Request::default());
    assert_eq!(
        (scene.read("one"), scene.read("two")),
        ("both".into(), "both".into())
    );
}

#[test]
fn a_journal_cut_at_any_byte_offers_only_what_is_whole() {
    let scene = Scene::new();
    for name in ["a", "b", "c"] {
        scene.person_writes(name, name);
        scene.agent_removes(name);
    }
    let session = scene.session();
    let journal = fs::read(session.dir().join("journal")).unwrap();
    let copy = tempfile::tempdir().unwrap();
    for length in 0..=journal.len() {
        fs::write(copy.path().join("journal"), &journal[..length]).unwrap();
        let cut = guard_undo::store::Session::read(copy.path()).unwrap();
        let plan = guard_undo::restore::Plan::make(&cut, &Request::default());
        assert!(plan.items.len() <= 3);
        // No object is in this copy, so none is offered.
        let offered = |effect: &Effect| !matches!(effect, Effect::Unavailable(_));
        assert!(!plan.items.iter().any(|item| offered(&item.effect)));
    }
}

#[test]
fn the_store_is_the_user_s_alone() {
    let scene = Scene::new();
    scene.person_writes("a", "a");
    scene.agent_removes("a");
    let session = scene.session();
    for (path, mode) in [
        // Not to be listed while a session runs.
        (scene.store.root().to_owned(), 0o300),
        (session.dir().to_owned(), 0o700),
        (session.dir().join("objects"), 0o700),
        (session.dir().join("journal"), 0o600),
    ] {
        let found = fs::metadata(&path).unwrap().mode() & 0o777;
        assert_eq!(found, mode, "{}", path.display());
    }
    let loose = tempfile::tempdir().unwrap();
    set_mode(loose.path(), 0o755);
    let store = guard_undo::Store::at(loose.path());
    let bounds = Bounds::for_disk(1 << 40);
    let refused = guard_undo::Recorder::begin(&store, "a", Default::default(), bounds, 1);
    assert!(refused.is_err());
    assert!(Duration::from_secs(1) < bounds.keep);
}

#[test]
fn an_operation_that_failed_is_withdrawn() {
    let scene = Scene::new();
    scene.person_writes("a", "a");
    scene.lost(&scene.path("a"), |lost| {
        let kept = scene
            .recorder
            .discard(lost, Discard::Removed, Worth::Always, true);
        scene.recorder.withdraw(kept.unwrap(), lost.at_ns);
    });
    let session = scene.session();
    assert!(Summary::of(&session).is_empty());
    assert_eq!(
        fs::read_dir(session.dir().join("objects")).unwrap().count(),
        0
    );
}

#[test]
fn a_file_of_the_person_s_that_the_agent_moved_is_still_theirs() {
    let scene = Scene::new();
    scene.person_writes("a", "person");
    scene.agent_moves("a", "b");
    let kept = scene.agent_writes("b", "agent").unwrap();
    assert!(matches!(kept, Preserved::Kept { .. }), "{kept:?}");
    scene.restore(&Request::default());
    assert_eq!(scene.read("a"), "person");
}
