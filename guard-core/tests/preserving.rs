//! What is preserved before an operation is allowed, by example, and when a rename destroys.

#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

mod support;

use guard_core::OperationKind::{Rename, Unlink};
use guard_core::decision::Preserve;
use guard_core::policy::Platform;
use support::{AGENT_STARTED_NS, Scene, World};

#[test]
fn a_kept_file_is_not_renamed_over_another() {
    let world = World::linux(r#"{"protected_zones": ["/z"]}"#);
    let onto = |scene: &Scene, from: &str, to: &str| {
        let decision = world.decide(scene, Rename, from, Some(to));
        (decision.reason.as_str(), decision.preserve)
    };
    let mut agent = Scene::agent("mv");
    assert_eq!(
        onto(&agent, "/z/rec 2.mov", "/z/rec_.mov").0,
        "agent_in_zone"
    );
    assert_eq!(
        onto(&agent, "/z/log", "/z/log.1"),
        ("within_zones", Preserve::Required)
    );
    let git = Scene::agent("git").saying("git mv -f a b");
    assert_eq!(
        onto(&git, "/z/a", "/z/b"),
        ("within_zones", Preserve::Required)
    );
    assert_eq!(
        onto(&Scene::human("mv"), "/z/a", "/z/b"),
        ("within_zones", Preserve::Nothing)
    );
    agent.file_born_ns = Some(AGENT_STARTED_NS + 1);
    assert_eq!(
        onto(&agent, "/z/f.tmp", "/z/f"),
        ("within_zones", Preserve::IfPossible)
    );
    agent.file_born_ns = None;
    assert_eq!(onto(&agent, "/z/a", "/z/free").0, "within_zones");
    let audit = World::linux(r#"{"protected_zones": ["/z"], "mode": "audit"}"#);
    let decision = audit.decide(&Scene::agent("mv"), Rename, "/z/a", Some("/z/b"));
    assert_eq!(decision.reason.as_str(), "audit_only");
    assert_eq!(decision.preserve, Preserve::IfPossible);
}

#[test]
fn what_a_rename_replaces_is_judged_by_its_own_zone() {
    let world = World::linux(
        r#"{"removals": "preserve", "protected_zones": ["/z", {"path": "/k", "removals": "deny"}]}"#,
    );
    let onto = |from: &str, to: &str, born_ns: u64| {
        let mut agent = Scene::agent("mv");
        agent.file_born_ns = Some(born_ns);
        let decision = world.decide(&agent, Rename, from, Some(to));
        (decision.reason.as_str(), decision.preserve)
    };
    let (old, young) = (1, AGENT_STARTED_NS + 1);
    assert_eq!(
        onto("/z/a", "/z/b", old),
        ("within_zones", Preserve::Required)
    );
    assert_eq!(
        onto("/z/a", "/k/b", old),
        ("agent_in_zone", Preserve::Nothing)
    );
    assert_eq!(
        onto("/k/a", "/z/b", old),
        ("within_zones", Preserve::Required)
    );
    assert_eq!(
        onto("/z/a", "/k/node_modules/b", young),
        ("within_zones", Preserve::Nothing)
    );
    assert_eq!(
        onto("/z/node_modules/a", "/k/b", young),
        ("within_zones", Preserve::IfPossible)
    );
}

#[test]
fn a_place_is_evaluated_once_for_an_operation() {
    for mode in ["enforce", "audit"] {
        let policy = format!(r#"{{"protected_zones": ["/z"], "mode": "{mode}"}}"#);
        let world = World::linux(&policy);
        let agent = Scene::agent("rm");
        let decision = world.decide(&agent, Unlink, "/z/a/b", None);
        let is_audited = decision.reason.as_str() == "audit_only";
        assert_eq!(is_audited, mode == "audit");
        assert_eq!(decision.preserve == Preserve::IfPossible, is_audited);
        // `/z/a` and `/z/a/b`.
        assert_eq!(agent.places_asked.get(), 2, "{mode}");
    }
}

#[test]
fn what_is_removed_is_preserved_unless_it_is_made_again() {
    let world = World::linux(
        r#"{"protected_zones": ["/z"], "temporary_overrides": ["/z/o"],
            "disposable_paths": ["scratch"]}"#,
    );
    let of = |scene: &Scene, path: &str| world.decide(scene, Unlink, path, None).preserve;
    let git = Scene::agent("git").saying("git checkout .");
    let tar = Scene::agent("tar");
    let gzip = Scene::agent("gzip");
    let mut agent = Scene::agent("rm");
    for (scene, path, preserve) in [
        (&git, "/z/a", Preserve::Required),
        (&git, "/z/.git/refs/heads/a", Preserve::Required),
        (&tar, "/z/dist/icon.png", Preserve::IfPossible),
        (&gzip, "/z/a", Preserve::Required),
        (&agent, "/z/node_modules/a/b", Preserve::Nothing),
        (&agent, "/z/outputs/a", Preserve::Required),
        (&tar, "/z/node_modules/a/b", Preserve::Nothing),
        (&agent, "/z/o/a", Preserve::IfPossible),
        (&agent, "/z/scratch/a", Preserve::Nothing),
        (&agent, "/z/a", Preserve::Nothing),
        (&Scene::human("rm"), "/z/a", Preserve::Nothing),
    ] {
        assert_eq!(of(scene, path), preserve, "{path}");
    }
    assert_eq!(of(&agent, "/z/a.bak"), Preserve::Required);
    agent.made_here = vec!["/z/a".to_owned()];
    assert_eq!(of(&agent, "/z/a"), Preserve::IfChanged);
    let unpreservable = world.decide(&git, Unlink, "/z/a", None).unpreservable();
    assert_eq!(unpreservable.reason.as_str(), "unpreservable");
    assert_eq!(unpreservable.tool, None);
}

#[test]
fn contents_are_preserved_in_zones() {
    let world = World::with(
        r#"{"protected_zones": ["/z"], "disposable_paths": ["*.log"], "temporary_overrides": ["/z/o"]}"#,
        Platform::Linux,
        &["/z/.guard"],
    );
    for (path, preserved) in [
        ("/z/a", true),
        ("/z/o/a", true),
        ("/z/a.log", false),
        ("/z/.guard/a", false),
        ("/y/a", false),
    ] {
        assert_eq!(
            world.snapshot.preserves_contents(path.as_bytes()).is_some(),
            preserved,
            "{path}"
        );
    }
}

#[test]
fn an_agent_s_edit_is_preserved_unless_the_place_is_made_again() {
    let world = World::linux(r#"{"protected_zones": ["/z"]}"#);
    let off = World::linux(r#"{"protected_zones": ["/z"], "undo": false}"#);
    let is_preserved = |world: &World, scene: &Scene, path: &str| {
        let agent = world.snapshot.editing_agent(path.as_bytes(), scene);
        agent.is_some()
    };
    let agent = Scene::agent("vim");
    assert!(is_preserved(&world, &agent, "/z/a"));
    assert!(is_preserved(&world, &agent, "/z/outputs/a"));
    assert!(!is_preserved(&world, &agent, "/z/node_modules/a"));
    assert!(!is_preserved(&world, &agent, "/y/a"));
    assert!(!is_preserved(&off, &agent, "/z/a"));
    assert!(!is_preserved(&world, &Scene::human("vim"), "/z/a"));
}
