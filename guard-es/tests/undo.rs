//! What agents take from a zone is preserved before the answer, through the real wrapper, handler,
//! decision and store, on real files.
#![cfg(not(target_vendor = "apple"))]
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

mod support;
#[path = "support/undo.rs"]
mod undo;

use endpoint_sec_sim::{Machine, Process};
use guard_core::event::PreservationMethod;
use guard_core::ring::{Counter, Lane};
use guard_testing::wait::found;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, Instant};
use support::NEWEST;
use undo::{Keeping, Scene, bytes};

const FREAD: u32 = 1;
const FWRITE: u32 = 2;
const O_TRUNC: u32 = 0x400;
const REMOVALS: &str = r#""removals": "preserve""#;

/// An operation: asks the kernel, and does it if it is allowed. Returns whether it was.
type Act = fn(&Scene, &Process) -> bool;

fn write(scene: &Scene, actor: &Process, name: &str, flags: u32) -> bool {
    let allowed = scene.open(actor, name, flags).allowed();
    if allowed {
        fs::write(scene.path(name), "written").unwrap();
    }
    allowed
}

fn remove(scene: &Scene, actor: &Process, name: &str) -> bool {
    let allowed = scene.unlink(actor, name).allowed();
    if allowed {
        fs::remove_file(scene.path(name)).unwrap();
    }
    allowed
}

fn rename(scene: &Scene, actor: &Process, from: &str, to: &str) -> bool {
    let allowed = scene.rename(actor, from, to).allowed();
    if allowed {
        fs::rename(scene.path(from), scene.path(to)).unwrap();
    }
    allowed
}

/// Rows of name, policy, agent, operation, and what the journal holds then.
const LOSSES: &[(&str, &str, &str, Act, &[&str])] = &[
    (
        "a file is opened for writing",
        "",
        "codex",
        |scene, agent| write(scene, agent, "doc", FREAD | FWRITE),
        &["changed doc copy"],
    ),
    (
        "and cut by the open",
        "",
        "zsh < codex",
        |scene, agent| write(scene, agent, "doc", FWRITE | O_TRUNC),
        &["changed doc copy"],
    ),
    (
        "truncate(2)",
        "",
        "codex",
        |scene, agent| {
            let path = scene.path("doc");
            let allowed = scene.mac.machine.truncate(agent, bytes(&path)).allowed();
            fs::write(&path, "").unwrap();
            allowed
        },
        &["changed doc copy"],
    ),
    (
        "copyfile(2) over a file",
        "",
        "codex",
        |scene, agent| {
            let (from, to) = (scene.path("other"), scene.path("doc"));
            let machine = &scene.mac.machine;
            let allowed = machine.copyfile(agent, bytes(&from), bytes(&to)).allowed();
            fs::copy(&from, &to).unwrap();
            allowed
        },
        &["changed doc copy"],
    ),
    (
        "exchangedata(2)",
        "",
        "codex",
        |scene, agent| {
            let (one, other) = (scene.path("doc"), scene.path("other"));
            let machine = &scene.mac.machine;
            let allowed = machine
                .exchangedata(agent, bytes(&one), bytes(&other))
                .allowed();
            let (left, right) = (fs::read(&one).unwrap(), fs::read(&other).unwrap());
            fs::write(one, right).unwrap();
            fs::write(other, left).unwrap();
            allowed
        },
        &["changed doc copy", "changed other copy"],
    ),
    (
        "an atomic save",
        "",
        "codex",
        |scene, agent| {
            scene.agent_makes(agent, "doc.tmp", b"new");
            rename(scene, agent, "doc.tmp", "doc")
        },
        &["replaced doc hardlink"],
    ),
    (
        "a move within the zone",
        "",
        "mv < codex",
        |scene, agent| rename(scene, agent, "doc", "moved"),
        &["renamed doc moved"],
    ),
    (
        "a kept file over its own backup",
        "",
        "mv < codex",
        |scene, agent| rename(scene, agent, "doc", "doc~"),
        &["replaced doc~ hardlink", "renamed doc doc~"],
    ),
    (
        "version control discards",
        "",
        "git(git checkout .) < zsh < codex",
        |scene, agent| remove(scene, agent, "doc"),
        &["removed doc hardlink"],
    ),
    (
        "a removal that the policy preserves",
        REMOVALS,
        "rm < codex",
        |scene, agent| remove(scene, agent, "doc"),
        &["removed doc hardlink"],
    ),
    (
        "a link, and a directory after it",
        REMOVALS,
        "rm < codex",
        |scene, agent| {
            let removed = remove(scene, agent, "dir/link");
            let allowed = scene.unlink(agent, "dir").allowed();
            fs::remove_dir(scene.path("dir")).unwrap();
            removed && allowed
        },
        &["removed dir/link link", "removed dir directory"],
    ),
    (
        "an override",
        r#""temporary_overrides": [{"path": "ZONE/doc"}]"#,
        "rm < codex",
        |scene, agent| remove(scene, agent, "doc"),
        &["removed doc hardlink"],
    ),
    (
        "audit mode",
        r#""mode": "audit""#,
        "rm < codex",
        |scene, agent| remove(scene, agent, "doc"),
        &["removed doc hardlink"],
    ),
];

/// Nothing is lost, or it is made again.
const NO_LOSSES: &[(&str, &str, &str, Act)] = &[
    ("reading", "", "codex", |scene, agent| {
        scene.open(agent, "doc", FREAD).allowed()
    }),
    ("a new file, written", "", "codex", |scene, agent| {
        scene.agent_makes(agent, "new", b"");
        write(scene, agent, "new", FWRITE)
    }),
    ("what a tool makes again", "", "codex", |scene, agent| {
        write(scene, agent, "__pycache__/a.pyc", FWRITE)
    }),
    (
        "what the policy calls disposable",
        r#""disposable_paths": ["*.o"]"#,
        "codex",
        |scene, agent| write(scene, agent, "main.o", FWRITE),
    ),
    (
        "undo is off",
        r#""undo": false"#,
        "codex",
        |scene, agent| write(scene, agent, "doc", FWRITE),
    ),
    ("a person writes", "", "zsh", |scene, person| {
        write(scene, person, "doc", FWRITE | O_TRUNC)
    }),
    ("a person removes", REMOVALS, "rm < zsh", |scene, person| {
        remove(scene, person, "doc")
    }),
    ("a person moves over", "", "mv < zsh", |scene, person| {
        rename(scene, person, "other", "doc")
    }),
    ("a person makes", "", "zsh", |scene, person| {
        scene.agent_makes(person, "new", b"new");
        true
    }),
];

/// A zone with what the rows need.
fn furnished(fields: &str, keeping: Keeping) -> Scene {
    let scene = Scene::with(fields, keeping, Path::new("/tmp"), |config| config);
    for (name, contents) in [
        ("doc", "hours of work"),
        ("doc~", "yesterday's"),
        ("other", "another document"),
        ("__pycache__/a.pyc", "made again"),
        ("main.o", "compiled"),
    ] {
        scene.person_writes(name, contents.as_bytes());
    }
    fs::create_dir(scene.path("dir")).unwrap();
    std::os::unix::fs::symlink("../doc", scene.path("dir/link")).unwrap();
    for name in ["dir", "dir/link", "__pycache__"] {
        scene.describe(name);
    }
    scene
}

#[test]
fn what_agents_take_is_preserved_and_comes_back() {
    for (what, fields, chain, act, journal) in LOSSES {
        let scene = furnished(fields, Keeping::Session);
        let before = scene.picture();
        let agent = scene.mac.chain(chain);
        assert!(act(&scene, &agent), "{what}: {:?}", scene.mac.recorded());
        assert_eq!(scene.journal(), *journal, "{what}");
        assert_ne!(scene.picture(), before, "{what}");
        let applied = scene.restore("session");
        assert!(applied.failures.is_empty(), "{what}: {applied:?}");
        assert_eq!(scene.picture(), before, "{what}");
    }
}

/// A write counts as the agent's for two seconds after its open where a copy costs something.
#[test]
fn the_agent_s_own_version_is_not_preserved_again() {
    // One that took longer, on a machine that was busy, says nothing and is made again.
    let (scene, agent) = found("a quick write", || {
        let scene = Scene::new("");
        scene.person_writes("large", &vec![b'x'; 2 << 20]);
        let agent = scene.mac.chain("codex");
        let opened = Instant::now();
        assert!(scene.open(&agent, "large", FWRITE).allowed());
        fs::write(scene.path("large"), vec![b'y'; 2 << 20]).unwrap();
        (opened.elapsed() < Duration::from_secs(1)).then_some((scene, agent))
    });
    assert!(scene.open(&agent, "large", FWRITE).allowed());
    assert_eq!(scene.journal(), ["changed large copy"]);
}

#[test]
fn what_nobody_loses_is_not_preserved() {
    for (what, fields, chain, act) in NO_LOSSES {
        let scene = furnished(fields, Keeping::Session);
        let actor = scene.mac.chain(chain);
        assert!(act(&scene, &actor), "{what}: {:?}", scene.mac.recorded());
        assert_eq!(scene.journal(), [""; 0], "{what}");
    }
}

/// The kernel caches an answer where nothing ever depends on it, and asks about all others.
#[test]
fn opens_are_cached_only_where_no_answer_could_ever_differ() {
    let scene = furnished(r#""disposable_paths": ["*.o"]"#, Keeping::Session);
    let (agent, person) = (scene.mac.chain("codex"), scene.mac.chain("codex"));
    for (name, cached) in [
        // Its proof may come and go.
        ("__pycache__/a.pyc", false),
        ("main.o", true),
        ("dir", true),
        ("doc", false),
        ("dir/link", false),
    ] {
        let asked = |actor, flags| {
            let verdict = scene.open(actor, name, flags).verdict();
            assert!(verdict.allowed, "{name}");
            (verdict.asked, verdict.cached)
        };
        assert_eq!(asked(&agent, FREAD), (1, false), "{name}");
        let later = if cached { (0, true) } else { (1, false) };
        assert_eq!(asked(&agent, FREAD), later, "{name}");
        // All processes that run the program share the cache.
        assert_eq!(asked(&person, FREAD | FWRITE), later, "{name}");
    }
    assert_eq!(scene.journal(), ["changed doc copy"]);
}

#[test]
fn another_policy_clears_what_the_kernel_cached() {
    let scene = furnished(r#""disposable_paths": ["*.o"]"#, Keeping::Session);
    let agent = scene.mac.chain("codex");
    assert!(scene.open(&agent, "main.o", FREAD).allowed());
    assert!(scene.open(&agent, "main.o", FREAD).verdict().cached);
    let policy = format!(r#"{{"protected_zones": ["{}"]}}"#, scene.zone.display());
    let snapshot = support::compile(&policy, &[], guard_core::zones::Folding::Exact);
    scene.mac.backend().adopt(snapshot).unwrap();
    assert!(write(&scene, &agent, "main.o", FWRITE));
    assert_eq!(scene.journal(), ["changed main.o copy"]);
}

/// A kernel may keep what it cached of a file that moves: then everything is cleared.
#[test]
fn a_file_that_leaves_a_disposable_place_clears_what_the_kernel_cached() {
    let scene = furnished(r#""disposable_paths": ["*.o"]"#, Keeping::Session);
    let agent = scene.mac.chain("codex");
    let is_cached = |name| {
        assert!(scene.open(&agent, name, FREAD).allowed());
        scene.open(&agent, name, FREAD).verdict().cached
    };
    assert!(is_cached("dir") && is_cached("main.o"));
    for (from, to, cleared) in [
        ("main.o", "other.o", false),
        ("doc", "notes", false),
        ("other.o", "other.c", true),
    ] {
        assert!(rename(&scene, &scene.mac.shell, from, to));
        scene.mac.machine.settle();
        scene.mac.backend().keep_house();
        let verdict = scene.open(&agent, "dir", FREAD).verdict();
        assert_eq!(verdict.cached, !cleared, "{from} {to}");
    }
    assert!(write(&scene, &agent, "other.c", FWRITE));
    assert_eq!(scene.journal(), ["changed other.c copy"]);
}

#[test]
fn a_store_that_cannot_be_used_denies_discards_and_lets_edits_and_people_pass() {
    let scene = furnished(REMOVALS, Keeping::Unavailable);
    let denied = |chain: &str, act: Act| {
        let actor = scene.mac.chain(chain);
        let _starts = scene.mac.recorded();
        let allowed = act(&scene, &actor);
        let recorded = scene.mac.recorded();
        let is_unpreservable = recorded
            .iter()
            .any(|row| row.contains("deny unpreservable"));
        assert_eq!(allowed, !is_unpreservable, "{chain}: {recorded:?}");
        is_unpreservable
    };
    let discard: Act = |scene, actor| remove(scene, actor, "doc");
    assert!(denied("git(git checkout .) < codex", discard));
    assert!(denied("rm < codex", discard));
    assert!(!denied("codex", |scene, actor| write(
        scene, actor, "doc", FWRITE
    )));
    assert!(!denied("codex", |scene, actor| rename(
        scene, actor, "doc", "moved"
    )));
    assert!(!denied("rm < zsh", |scene, actor| remove(
        scene, actor, "moved"
    )));
    // What a repository has elsewhere or can lose.
    scene.person_writes(".git/objects/pack/p.pack", b"objects");
    assert!(!denied("git(git gc) < codex", |scene, actor| {
        remove(scene, actor, ".git/objects/pack/p.pack")
    }));
}

/// Between file systems every object is copied, and a copy needs time.
#[test]
fn what_the_deadline_does_not_allow_is_unpreserved_or_denied() {
    let shared = Path::new("/dev/shm");
    let is_other = shared
        .metadata()
        .is_ok_and(|found| found.dev() != std::env::temp_dir().metadata().unwrap().dev());
    if !is_other {
        return;
    }
    for (deadline, in_time) in [
        (Duration::from_micros(1), false),
        (Duration::from_secs(60), true),
    ] {
        let scene = Scene::with(REMOVALS, Keeping::Session, shared, |mut config| {
            config.builder = Machine::new(NEWEST).deadline(deadline);
            config
        });
        for name in ["doc", "saved", "removed"] {
            scene.person_writes(name, &[b'x'; 1 << 20]);
        }
        let agent = scene.mac.chain("codex");
        assert!(write(&scene, &agent, "doc", FWRITE | O_TRUNC));
        scene.agent_makes(&agent, "saved.tmp", b"new");
        assert!(rename(&scene, &agent, "saved.tmp", "saved"));
        assert_eq!(remove(&scene, &agent, "removed"), in_time);
        let expected: &[&str] = if in_time {
            &[
                "changed doc copy",
                "replaced saved copy",
                "removed removed copy",
            ]
        } else {
            &[
                "unpreserved changed doc no_time",
                "unpreserved replaced saved no_time",
            ]
        };
        assert_eq!(scene.journal(), expected);
        assert_eq!(scene.mac.counter(Counter::DeadlineMisses), 0);
        let denied = scene.mac.recorded().join("; ");
        assert_eq!(denied.contains("deny unpreservable"), !in_time, "{denied}");
    }
}

#[test]
fn another_object_than_the_message_s_is_not_taken_for_it() {
    let scene = furnished(REMOVALS, Keeping::Session);
    let agent = scene.mac.chain("rm < codex");
    // Somebody puts another file there after the kernel made the message.
    fs::rename(scene.path("other"), scene.path("doc")).unwrap();
    assert!(!scene.unlink(&agent, "doc").allowed());
    assert!(scene.open(&agent, "doc", FWRITE).allowed());
    // A directory on the way is a link now.
    fs::rename(scene.path("dir"), scene.path("real")).unwrap();
    std::os::unix::fs::symlink("real", scene.path("dir")).unwrap();
    assert!(!scene.unlink(&agent, "dir/link").allowed());
    assert_eq!(scene.journal(), ["unpreserved changed doc file_system"]);
    assert_eq!(scene.mac.counter(Counter::Panics), 0);
}

#[test]
fn each_agent_of_a_machine_has_a_session_of_its_own() {
    let scene = furnished(REMOVALS, Keeping::Agents);
    let (claude, codex) = (scene.mac.chain("node(claude)"), scene.mac.chain("codex"));
    let child = scene.mac.spawn(&claude, "/bin/sh", &["sh"]);
    assert!(write(&scene, &claude, "doc", FWRITE));
    assert!(write(&scene, &codex, "other", FWRITE));
    assert!(remove(&scene, &child, "doc~"));
    let mut sessions = scene.store.sessions().unwrap();
    sessions.sort_by_key(|session| session.name().to_owned());
    let found: Vec<_> = sessions
        .iter()
        .map(|session| (session.began().command, session.records.len()))
        .collect();
    assert_eq!(found, [("claude".to_owned(), 3), ("codex".to_owned(), 2)]);
    // A person who works meanwhile has none.
    let person = scene.mac.chain("zsh");
    assert!(write(&scene, &person, "main.o", FWRITE));
    assert_eq!(scene.store.sessions().unwrap().len(), 2);
}

#[test]
fn events_say_what_was_preserved_and_how() {
    let scene = furnished("", Keeping::Session);
    let agent = scene.mac.chain("codex");
    let git = scene.mac.chain("git(git checkout .) < codex");
    let _starts = scene.mac.recorded();
    assert!(write(&scene, &agent, "doc", FWRITE | O_TRUNC));
    assert!(remove(&scene, &git, "other"));
    assert!(scene.open(&agent, "doc~", FREAD).allowed());
    scene.mac.machine.settle();
    let mut found = Vec::new();
    while let Some(row) = scene.mac.event(Lane::Change, |event| {
        let preservation = event.preservation.unwrap();
        let method = match preservation.method().unwrap() {
            // Which of the two is up to the file system.
            PreservationMethod::Reflink => PreservationMethod::Copy,
            method => method,
        };
        let operation = event.operation.as_str();
        let method = method.as_str();
        let (before, after) = (preservation.bytes, preservation.bytes_after);
        format!(
            "{operation} {method} {before} {after:?} {}",
            event.agent.unwrap()
        )
    }) {
        found.push(row);
    }
    assert_eq!(
        found,
        [
            "write copy 13 Some(0) codex",
            "unlink hardlink 16 None codex"
        ]
    );
}
