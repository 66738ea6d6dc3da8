//! Each rule of the decision, by example.

#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

mod support;

use guard_core::OperationKind::{self, Clone, Exchange, Link, Rename, Truncate, Unlink, Write};
use guard_core::decision::Preserve;
use guard_core::policy::Platform;
use support::{AGENT_STARTED_NS, Scene, World};

const ALL_KINDS: &str =
    r#""operations": ["unlink", "rename", "exchange", "truncate", "clone", "link"]"#;

fn zone() -> World {
    World::linux(&format!(r#"{{"protected_zones": ["/z"], {ALL_KINDS}}}"#))
}

#[track_caller]
fn check(world: &World, scene: &Scene, table: &[(OperationKind, &str, &str, &str)]) {
    for (kind, path, destination, expected) in table {
        let destination = Some(*destination).filter(|path| !path.is_empty());
        let outcome = world.outcome(scene, *kind, path, destination);
        assert_eq!(outcome, *expected, "{kind:?} {path} {destination:?}");
    }
}

#[test]
fn each_kind_of_operation_has_its_own_effect() {
    check(
        &zone(),
        &Scene::agent("tool"),
        &[
            (Unlink, "/z/a", "", "deny agent_in_zone"),
            (Unlink, "/zz", "", "allow outside_zones"),
            (Rename, "/z/a", "/z/b", "deny agent_in_zone"),
            (Rename, "/z/a", "/z/a.bak", "allow within_zones"),
            (Rename, "/z/a", "/b", "deny agent_in_zone"),
            (Rename, "/z/a", "", "deny agent_in_zone"),
            (Rename, "/a", "/z/a", "allow replaced"),
            (Rename, "/a", "/b", "allow outside_zones"),
            (Rename, "/a", "/z/.DS_Store", "allow outside_zones"),
            (Rename, "/z/a", "/z/.DS_Store", "deny agent_in_zone"),
            (Exchange, "/z/a", "/z/b", "allow within_zones"),
            (Exchange, "/z/a", "/b", "deny agent_in_zone"),
            (Exchange, "/b", "/z/a", "deny agent_in_zone"),
            (Exchange, "/b", "/z", "deny agent_in_zone"),
            (Truncate, "/z/a", "", "deny agent_in_zone"),
            (Truncate, "/", "", "allow outside_zones"),
            (Clone, "/a", "/z/a", "deny agent_in_zone"),
            (Clone, "/z/a", "/a", "allow outside_zones"),
            (Link, "/z/a", "/a", "deny agent_in_zone"),
            (Link, "/z/a", "/z/b", "allow within_zones"),
            (Link, "/a", "/z/a", "allow outside_zones"),
            (Write, "/z/a", "", "allow not_judged"),
        ],
    );
}

#[test]
fn unlink_and_rename_are_judged_by_default() {
    let world = World::linux(r#"{"protected_zones": ["/z"]}"#);
    let agent = Scene::agent("tool");
    for kind in [Truncate, Clone, Link] {
        assert_eq!(
            world.outcome(&agent, kind, "/z/a", Some("/b")),
            "allow not_judged"
        );
    }
    assert_eq!(agent.questions.get(), 0);
    // A swap moves the file out as well as a rename does.
    assert_eq!(
        world.outcome(&agent, Exchange, "/z/a", Some("/b")),
        "deny agent_in_zone"
    );
}

#[test]
fn removing_a_zone_s_root_is_judged_whatever_covers_it() {
    let world = World::linux(
        r#"{"protected_zones": ["/z", "/z/n/deep", "/tmp/w/z", "/o"],
            "temporary_overrides": ["/z", "/z/n", "/tmp/w"]}"#,
    );
    let mut agent = Scene::agent("tool");
    agent.file_born_ns = None;
    check(
        &world,
        &agent,
        &[
            (Unlink, "/z/a", "", "allow override"),
            (Unlink, "/z", "", "deny agent_in_zone"),
            (Unlink, "/", "", "deny agent_in_zone"),
            (Rename, "/z/n", "/o/n", "deny agent_in_zone"),
            (Rename, "/z", "/o/z", "deny agent_in_zone"),
            (Rename, "/tmp/w", "/tmp/v", "deny agent_in_zone"),
            (Rename, "/elsewhere", "/o", "deny agent_in_zone"),
            (Unlink, "/tmp/w/z/a", "", "deny agent_in_zone"),
        ],
    );
}

#[test]
fn a_zone_that_is_one_file_can_be_edited() {
    let world = World::linux(r#"{"protected_zones": ["/z/notes"]}"#);
    let mut agent = Scene::agent("editor");
    check(
        &world,
        &agent,
        &[
            (Rename, "/z/notes.tmp", "/z/notes", "allow replaced"),
            (Unlink, "/z/notes", "", "deny agent_in_zone"),
            (Rename, "/z/notes", "/z/gone", "deny agent_in_zone"),
        ],
    );
    agent.file_born_ns = None;
    check(
        &world,
        &agent,
        &[(Rename, "/empty", "/z/notes", "deny agent_in_zone")],
    );
}

#[test]
fn the_most_specific_entry_wins() {
    let world = World::linux(
        r#"{"protected_zones": ["/", "/tmp/keep", "~/.Trash/keep"],
            "disposable_paths": ["/tmp/keep/out", "scratch", "*.log"]}"#,
    );
    check(
        &world,
        &Scene::agent("tool"),
        &[
            (Unlink, "/a", "", "deny agent_in_zone"),
            (Unlink, "/tmp/a", "", "allow system_temp"),
            (Unlink, "/tmp/keep/a", "", "deny agent_in_zone"),
            (Unlink, "/tmp/keep/out/a", "", "allow disposable"),
            (Unlink, "/tmp/keep/x/scratch/a", "", "allow disposable"),
            (Unlink, "/home/u/.Trash/a", "", "allow system_temp"),
            (Unlink, "/home/u/.Trash/keep/a", "", "deny agent_in_zone"),
            (Unlink, "/home/v/.Trash/a", "", "deny agent_in_zone"),
            (Unlink, "/srv/x.log", "", "allow disposable"),
            (Rename, "/srv/x", "/srv/x.log", "deny agent_in_zone"),
            (Rename, "/srv/x.log", "/srv/y", "allow disposable"),
            (Rename, "/srv/x", "/home/u/.Trash/x", "deny agent_in_zone"),
        ],
    );
}

#[test]
fn overrides_apply_to_an_operation_an_agent_a_session_and_a_time() {
    let world = World::linux(
        r#"{"protected_zones": ["/z"], "temporary_overrides": [
            {"path": "/z/op", "op": "unlink", "id": "one"},
            {"path": "/z/agent", "agent": "claude_code"},
            {"path": "/z/codex", "agent": "codex", "session": "agent-session"},
            {"path": "/z/guard", "session": "guard-session"},
            {"path": "/z/other", "session": "other-session"},
            {"path": "/z/late", "expires_at": 2},
            {"path": "/z/soon", "expires_at": 2.000000001},
            {"path": "/z/late/deep", "op": ["rename"]}]}"#,
    );
    let agent = Scene::agent("tool");
    check(
        &world,
        &agent,
        &[
            (Unlink, "/z/op/a", "", "allow override"),
            (Rename, "/z/op/a", "/b", "deny agent_in_zone"),
            (Unlink, "/z/agent/a", "", "deny agent_in_zone"),
            (Unlink, "/z/codex/a", "", "allow override"),
            (Unlink, "/z/guard/a", "", "allow override"),
            (Unlink, "/z/other/a", "", "deny agent_in_zone"),
            (Unlink, "/z/late/a", "", "deny agent_in_zone"),
            (Unlink, "/z/soon/a", "", "allow override"),
            (Unlink, "/z/late/deep/a", "", "deny agent_in_zone"),
            (Rename, "/z/late/deep/a", "/b", "allow override"),
        ],
    );
    check(
        &world,
        &Scene::human("rm"),
        &[(Unlink, "/z/codex/a", "", "allow human")],
    );
    let decision = world.decide(&agent, Unlink, "/z/op/a", None);
    assert_eq!(decision.override_id, Some("one"));
    let decision = world.decide(&agent, Unlink, "/z/soon/a", None);
    assert_eq!(decision.override_id, Some("/z/soon"));
}

#[test]
fn an_override_for_everyone_asks_for_no_facts() {
    let world = World::linux(r#"{"protected_zones": ["/z"], "temporary_overrides": ["/z/o"]}"#);
    let agent = Scene::agent("tool");
    world.decide(&agent, Unlink, "/z/o/a", None);
    assert_eq!(agent.questions.get(), 0);
    world.decide(&agent, Unlink, "/z/a", None);
    assert!(agent.questions.get() > 0);
}

#[test]
fn the_guard_s_own_files() {
    let own = [
        "/home/u/.codex/es_policy.json",
        "/home/u/.codex/es-guard",
        "/proc/77",
    ];
    let policy =
        r#"{"protected_zones": ["/z"], "mode": "audit", "temporary_overrides": ["/home"]}"#;
    let world = World::with(policy, Platform::Linux, &own);
    let table = [
        (Unlink, "/home/u/.codex/es_policy.json", ""),
        (Write, "/home/u/.codex/es_policy.json", ""),
        (Truncate, "/home/u/.codex/es-guard/denials.jsonl", ""),
        (Rename, "/tmp/x", "/home/u/.codex/es_policy.json"),
        (Rename, "/home/u/.codex", "/tmp/y"),
        (Exchange, "/tmp/x", "/home/u"),
        (Link, "/home/u/.codex/es_policy.json", "/tmp/y"),
        (Clone, "/tmp/x", "/home/u/.codex/es-guard/ring"),
        (OperationKind::Control, "/proc/77", ""),
    ];
    for (scene, expected) in [
        (Scene::agent("git"), "deny guard_files"),
        (Scene::unknown("git", true), "deny guard_files"),
        (Scene::unknown("git", false), "allow unknown_lineage"),
        (Scene::human("git"), "allow human"),
    ] {
        let table = table.map(|(kind, path, destination)| (kind, path, destination, expected));
        check(&world, &scene, &table);
    }
    check(
        &world,
        &Scene::agent("git"),
        &[
            (
                Unlink,
                "/home/u/.codex/config.toml",
                "",
                "allow outside_zones",
            ),
            (Write, "/home/u/.codex/config.toml", "", "allow not_judged"),
            (
                Rename,
                "/a",
                "/home/u/.codex/config.toml",
                "allow outside_zones",
            ),
        ],
    );
}

#[test]
fn unknown_ancestries_are_answered_as_configured() {
    for (on_unknown, mode, seen, unseen) in [
        ("agent_if_seen", "enforce", "deny", "allow"),
        ("allow", "enforce", "allow", "allow"),
        ("deny", "enforce", "deny", "deny"),
        ("audit", "enforce", "audit", "audit"),
        ("agent_if_seen", "audit", "audit", "allow"),
        ("deny", "audit", "audit", "audit"),
    ] {
        let world = World::linux(&format!(
            r#"{{"protected_zones": ["/z"], "on_unknown": "{on_unknown}", "mode": "{mode}"}}"#
        ));
        for (agent_seen, verdict) in [(true, seen), (false, unseen)] {
            let orphan = Scene::unknown("rm", agent_seen);
            let expected = format!("{verdict} unknown_lineage");
            assert_eq!(
                world.outcome(&orphan, Unlink, "/z/a", None),
                expected,
                "{on_unknown} {mode}"
            );
        }
    }
    // A detached `git gc` has no parents left; git has not changed since the guard started.
    let world = World::linux(r#"{"protected_zones": ["/z"]}"#);
    let mut git = Scene::unknown("git", true).saying("git gc --auto");
    assert_eq!(
        world.outcome(&git, Unlink, "/z/.git/a", None),
        "allow trusted_tool git"
    );
    git.executable_changed_ns = Some(501);
    assert_eq!(
        world.outcome(&git, Unlink, "/z/.git/a", None),
        "deny unknown_lineage"
    );
}

#[test]
fn audit_mode_allows_and_records() {
    let world = World::linux(r#"{"protected_zones": ["/z"], "mode": "audit"}"#);
    assert_eq!(
        world.outcome(&Scene::agent("rm"), Unlink, "/z/a", None),
        "audit audit_only"
    );
    assert_eq!(
        world.outcome(&Scene::human("rm"), Unlink, "/z/a", None),
        "allow human"
    );
}

#[test]
fn backups_may_be_removed_beside_their_original_but_not_moved_away() {
    let mut agent = Scene::agent("vim");
    agent.absent = vec!["/z/b"];
    check(
        &zone(),
        &agent,
        &[
            (Unlink, "/z/a~", "", "allow scratch"),
            (Unlink, "/z/a.log.2", "", "allow scratch"),
            (Rename, "/z/a~", "/elsewhere", "deny agent_in_zone"),
            (Unlink, "/z/b~", "", "deny agent_in_zone"),
            (Unlink, "/z/.a.swp", "", "deny agent_in_zone"),
            (Unlink, "/z/a.db-wal", "", "deny agent_in_zone"),
            (Unlink, "/z/a", "", "deny agent_in_zone"),
        ],
    );
    agent.file_born_ns = Some(AGENT_STARTED_NS + 1);
    check(
        &zone(),
        &agent,
        &[(Unlink, "/z/a.tmp", "", "deny agent_in_zone")],
    );
}

#[test]
fn agents_may_remove_what_they_made() {
    let policy = r#"{"protected_zones": ["/z", "/made/zone"], "operations": ["unlink", "rename", "truncate"]}"#;
    let world = World::linux(policy);
    let mut agent = Scene::agent("rm");
    agent.made_here = ["/z/a", "/z", "/made"].map(str::to_owned).to_vec();
    check(
        &world,
        &agent,
        &[
            (Unlink, "/z/a", "", "allow scratch"),
            (Unlink, "/z/b", "", "deny agent_in_zone"),
            (Rename, "/z/a", "/elsewhere", "allow scratch"),
            (Rename, "/z/b", "/elsewhere", "deny agent_in_zone"),
            (Truncate, "/z/a", "", "allow scratch"),
            (Truncate, "/z/b", "", "deny agent_in_zone"),
            (Unlink, "/z", "", "deny agent_in_zone"),
            (Unlink, "/made", "", "deny agent_in_zone"),
        ],
    );
    agent.attribution = Scene::unknown("rm", true).attribution;
    check(
        &world,
        &agent,
        &[
            (Unlink, "/z/a", "", "allow scratch"),
            (Unlink, "/z/b", "", "deny unknown_lineage"),
        ],
    );
}

#[test]
fn agents_may_remove_directories_younger_than_they_are() {
    let mut agent = Scene::agent("rmdir");
    agent.file_born_ns = None;
    agent.directory_born_ns = Some(AGENT_STARTED_NS + 1);
    check(
        &zone(),
        &agent,
        &[
            (Unlink, "/z/d", "", "allow scratch"),
            (Rename, "/z/d", "/elsewhere", "deny agent_in_zone"),
            (Unlink, "/z", "", "deny agent_in_zone"),
        ],
    );
    agent.directory_born_ns = Some(AGENT_STARTED_NS);
    check(
        &zone(),
        &agent,
        &[(Unlink, "/z/d", "", "deny agent_in_zone")],
    );
}

#[test]
fn an_explanation_gives_the_decision_and_each_rule() {
    let world = World::linux(
        r#"{"protected_zones": [{"path": "/z", "name": "work"}],
            "temporary_overrides": [{"path": "/z/o", "expires_at": 1, "id": "old"}]}"#,
    );
    let operation = guard_core::Operation {
        kind: Unlink,
        path: b"/z/o/a",
        destination: None,
    };
    let explanation = world
        .snapshot
        .explain(&operation, support::NOW_NS, &Scene::agent("rm"));
    assert_eq!(
        explanation.to_string(),
        "\
deny: agent_in_zone (an AI agent's process would destroy something in a zone)
path /z/o/a
  under override old
  in zone work (/z)
rules
  guard_files      does not match
  not_judged       does not match
  outside_zones    does not match
  override         does not match
  system_temp      does not match
  disposable       does not match
  within_zones     does not match
  replaced         does not match
  human            does not match
  trusted_tool     does not match
  scratch          does not match
  preserved        does not match
  unknown_lineage  does not match
  agent_in_zone    decides
"
    );
}

#[test]
fn removals_by_policy_spare_roots_and_moves_out() {
    let world = World::linux(
        r#"{"removals": "preserve", "protected_zones": ["/z", {"path": "/k", "removals": "deny"}]}"#,
    );
    check(
        &world,
        &Scene::agent("rm"),
        &[
            (Unlink, "/z/a", "", "allow preserved"),
            (Unlink, "/z", "", "deny agent_in_zone"),
            (Unlink, "/", "", "deny agent_in_zone"),
            (Rename, "/z/a", "/out", "deny agent_in_zone"),
            (Rename, "/z/a", "/z/b", "allow within_zones"),
            (Unlink, "/k/a", "", "deny agent_in_zone"),
        ],
    );
    let rm = Scene::agent("rm");
    assert_eq!(
        world.decide(&rm, Unlink, "/z/a", None).preserve,
        Preserve::Required
    );
    let off = World::linux(r#"{"removals": "preserve", "undo": false, "protected_zones": ["/z"]}"#);
    assert_eq!(off.outcome(&rm, Unlink, "/z/a", None), "deny agent_in_zone");
}

#[test]
fn a_file_may_leave_what_is_made_again() {
    let world = World::linux(r#"{"protected_zones": ["/z"]}"#);
    let mut agent = Scene::agent("mv");
    check(
        &world,
        &agent,
        &[
            (Rename, "/z/node_modules/a", "/tmp/a", "allow scratch"),
            (Rename, "/z/a", "/tmp/a", "deny agent_in_zone"),
            (Rename, "/z/outputs/a", "/tmp/a", "deny agent_in_zone"),
        ],
    );
    agent.file_born_ns = None;
    agent.directory_born_ns = Some(1);
    check(
        &world,
        &agent,
        &[(Rename, "/z/node_modules/a", "/tmp/a", "deny agent_in_zone")],
    );
}
