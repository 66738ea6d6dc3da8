//! What tools may remove for an agent.

#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

mod support;

use guard_core::OperationKind::{Rename, Unlink};
use guard_core::decision::Preserve;
use guard_core::process::ProcessDescription;
use support::{AGENT_STARTED_NS, Scene, World};

fn zone() -> World {
    World::linux(r#"{"protected_zones": ["/home/u/build/z"]}"#)
}

/// A zone, and tools of the policy that are trusted within scopes.
fn scoped() -> World {
    World::linux(
        r#"{"protected_zones": ["/home/u/build/z"], "trusted_tools": [
            {"name": "tidy", "within": ["made", "*.bak"]}, {"name": "sweep", "within": ["swept"]}, "git"]}"#,
    )
}

/// Verdict, reason and tool for a removal below the zone.
fn removal(world: &World, scene: &Scene, below: &str) -> String {
    world.outcome(scene, Unlink, &format!("/home/u/build/z/{below}"), None)
}

#[test]
fn the_built_in_tools_are_those_that_keep_replace_and_compile() {
    for (tool, trusted) in [
        ("gcc-12", Some("gcc")),
        ("x86_64-linux-gnu-ld.bfd", Some("ld.bfd")),
        ("rustc", Some("rustc")),
        ("go", Some("go")),
        ("svn", Some("svn")),
        ("gzip", Some("gzip")),
        // What these make again is proven by its place.
        ("cargo", None),
        ("npm", None),
        ("python3", None),
        ("make", None),
        ("docker", None),
        ("rm", None),
    ] {
        let expected = match trusted {
            Some(tool) => format!("allow trusted_tool {tool}"),
            None => "deny agent_in_zone".to_owned(),
        };
        assert_eq!(
            removal(&zone(), &Scene::agent(tool), "a"),
            expected,
            "{tool}"
        );
    }
}

#[test]
fn scripts_are_tools_by_their_paths() {
    for (line, trusted) in [
        ("/usr/bin/python3 /usr/bin/hg update", true),
        ("python3 -sE /usr/bin/hg update", true),
        ("python3 /usr/bin/hg purge", false),
        ("python3 /usr/bin/young/hg update", false),
        ("python3 -c x /usr/bin/hg update", false),
        ("python3 hg update", false),
        ("python3 /usr/bin/git gc", false),
        ("python3", false),
    ] {
        let mut scene = Scene::agent("python3.11").saying(line);
        scene.young = vec!["/usr/bin/young/hg"];
        let expected = if trusted {
            "allow trusted_tool hg"
        } else {
            "deny agent_in_zone"
        };
        assert_eq!(removal(&zone(), &scene, "a"), expected, "{line}");
    }
    let binary = Scene::agent("hg").saying("hg update");
    assert_eq!(
        removal(&zone(), &binary, "a"),
        "deny agent_in_zone",
        "hg is a script"
    );
}

#[test]
fn what_discards_is_trusted_if_it_is_preserved() {
    for line in [
        "git worktree remove --force wt",
        "git submodule deinit -f m",
        "git gc --prune=now",
        "zip -rm a.zip d",
        "7z a -sdel a.7z d",
    ] {
        let name = line.split(' ').next().unwrap();
        let mut scene = Scene::agent(name).saying(line);
        let world = zone();
        let decision = world.decide(&scene, Unlink, "/home/u/build/z/d", None);
        assert_eq!(decision.preserve, Preserve::Required, "{line}");
        assert!(removal(&world, &scene, "d").starts_with("allow"), "{line}");
        scene.preserves = false;
        assert_eq!(removal(&world, &scene, "d"), "deny agent_in_zone", "{line}");
    }
    let update = Scene::agent("zip").saying("zip -9r a.zip d");
    let world = zone();
    let decision = world.decide(&update, Unlink, "/home/u/build/z/a.zip", None);
    assert_eq!(decision.preserve, Preserve::IfPossible);
}

/// However the zone is spelled, the scope is below it.
#[test]
fn scopes_hold_where_volumes_fold_names() {
    let world = World::folding(
        r#"{"protected_zones": ["/Users/u/Work"], "disposable_paths": ["scratch"],
            "trusted_tools": [{"name": "cargo", "within": ["target"]}]}"#,
    );
    for (tool, path, expected) in [
        (
            "cargo",
            "/users/U/work/target/a",
            "allow trusted_tool cargo",
        ),
        ("cargo", "/users/U/work/src/main.rs", "deny agent_in_zone"),
        ("rm", "/USERS/u/work/scratch/a", "allow disposable"),
    ] {
        let outcome = world.outcome(&Scene::agent(tool), Unlink, path, None);
        assert_eq!(outcome, expected, "{tool} {path}");
    }
}

#[test]
fn git_everywhere_but_not_clean() {
    for (line, trusted) in [
        ("git gc", true),
        ("git stash", true),
        ("git worktree remove x", true),
        ("git rebase -i", true),
        ("git clean -fdx", false),
        ("git -C x clean -fdx", false),
        ("git -c core.editor=true -C x --no-pager clean -fdx", false),
        ("git checkout clean", true),
    ] {
        let outcome = removal(&zone(), &Scene::agent("git").saying(line), "src/a");
        assert_eq!(
            outcome == "allow trusted_tool git",
            trusted,
            "{line}: {outcome}"
        );
    }
    let mut mute = Scene::agent("git");
    mute.arguments.clear();
    assert_eq!(
        removal(&zone(), &mute, "a"),
        "deny agent_in_zone",
        "arguments cannot be read"
    );
}

#[test]
fn what_copies_and_unpacks_may_replace() {
    for (line, tool) in [
        ("tar xf a.tar", Some("tar")),
        ("tar -x --unlink-first -f a.tar", Some("tar")),
        ("tar cf a.tar src --remove-files", None),
        ("tar cf a.tar src --rem", None),
        ("tar xf a.tar --recursive-unlink", None),
        ("bsdtar -xf a.tar", Some("bsdtar")),
        ("unzip -o a.zip", Some("unzip")),
        ("install -m 644 a b", Some("install")),
        ("cp --remove-destination a b", Some("cp")),
        ("ln -sf a b", Some("ln")),
        ("zip -m a.zip src/a", Some("zip")),
        ("rsync -a a b", Some("rsync")),
        ("rsync -a --delete a b", None),
        ("mv a b", None),
    ] {
        let expected = match tool {
            Some(tool) => format!("allow replaced {tool}"),
            None => "deny agent_in_zone".to_owned(),
        };
        let name = line.split(' ').next().unwrap();
        let scene = Scene::agent(name).saying(line);
        assert_eq!(removal(&zone(), &scene, "src/a"), expected, "{line}");
        let root = zone().outcome(&scene, Unlink, "/home/u/build/z", None);
        assert_eq!(root, "deny agent_in_zone", "{line}: the zone itself");
        let away = zone().outcome(&scene, Rename, "/home/u/build/z/a", Some("/home/u/a"));
        assert_eq!(away, "deny agent_in_zone", "{line}: moved away");
        let under = Scene::agent("rm").under(&[name]);
        assert_eq!(removal(&zone(), &under, "src/a"), "deny agent_in_zone");
    }
    let contents = World::linux(
        r#"{"protected_zones": ["/home/u/build/z"], "operations": ["unlink", "truncate"]}"#,
    );
    let copy = Scene::agent("cp").saying("cp --remove-destination /dev/null a");
    assert_eq!(removal(&contents, &copy, "a"), "deny agent_in_zone");
}

#[test]
fn git_clean_as_a_part_of_git_stash() {
    let parent = |executable: &str, line: &str, executable_changed_ns| ProcessDescription {
        executable: executable.into(),
        arguments: line.replace(' ', "\0").into_bytes(),
        executable_changed_ns,
        ..ProcessDescription::default()
    };
    let denied = "deny agent_in_zone";
    for (parent, verdict) in [
        (
            parent("/usr/bin/git", "git stash -u", 1),
            "allow trusted_tool git",
        ),
        (parent("/usr/bin/git", "git clean", 1), denied),
        (parent("/usr/bin/git", "git stash -u", u64::MAX), denied),
        (parent("/bin/sh", "git stash -u", 1), denied),
    ] {
        let mut scene = Scene::agent("git").saying("git clean -fdx");
        scene.parent = Some(parent);
        assert_eq!(
            removal(&zone(), &scene, "src/a"),
            verdict,
            "{:?}",
            scene.parent
        );
    }
}

#[test]
fn trust_within_a_scope_reaches_descendants_and_other_trust_does_not() {
    let world = scoped();
    let remover = || Scene::agent("rm").under(&["tidy", "sweep"]);
    assert_eq!(
        removal(&world, &remover(), "made/a"),
        "allow trusted_tool tidy"
    );
    assert_eq!(
        removal(&world, &remover(), "swept"),
        "allow trusted_tool sweep"
    );
    assert_eq!(removal(&world, &remover(), "src/a"), "deny agent_in_zone");
    let hook = Scene::agent("rm").under(&["git", "sweep"]);
    assert_eq!(removal(&world, &hook, "src/a"), "deny agent_in_zone");
    assert!(world.snapshot.is_scoped_tool(b"tidy"));
    assert!(!world.snapshot.is_scoped_tool(b"git"));
}

#[test]
fn a_tool_changed_after_the_agent_started_is_not_that_tool() {
    let world = zone();
    let mut copy = Scene::agent("git").saying("git gc");
    copy.executable_changed_ns = Some(AGENT_STARTED_NS);
    assert_eq!(removal(&world, &copy, "a"), "allow trusted_tool git");
    copy.executable_changed_ns = Some(AGENT_STARTED_NS + 1);
    assert_eq!(removal(&world, &copy, "a"), "deny agent_in_zone");
    copy.executable_changed_ns = None;
    assert_eq!(removal(&world, &copy, "a"), "deny agent_in_zone");
}

#[test]
fn scoped_trust_never_covers_a_zone_s_root() {
    let world = World::linux(
        r#"{"protected_zones": ["/z/made", "/z/swept/keep"], "trusted_tools": [
            {"name": "tidy", "within": ["made", "swept"]}]}"#,
    );
    for (tool, path) in [("tidy", "/z/made"), ("tidy", "/z/swept"), ("tidy", "/z")] {
        let outcome = world.outcome(&Scene::agent(tool), Unlink, path, None);
        assert_eq!(outcome, "deny agent_in_zone", "{tool} {path}");
    }
}

#[test]
fn what_is_in_scope_may_be_moved_away() {
    let world = scoped();
    let rename = |from: &str| {
        let from = format!("/home/u/build/z/{from}");
        world.outcome(&Scene::agent("tidy"), Rename, &from, Some("/home/u/trash"))
    };
    assert_eq!(rename("made/.a"), "allow trusted_tool tidy");
    assert_eq!(rename("src/a"), "deny agent_in_zone");
}

#[test]
fn the_policy_s_tools_replace_the_built_in_ones() {
    let world = World::linux(
        r#"{"protected_zones": ["/home/u/build/z"], "trusted_tools": [
            "python3",
            {"name": "tidy", "within": ["/out", "*.bak"]},
            {"name": "sweep", "except_args": ["--all"]},
            {"name": "pinned", "within": ["out"], "identity": {"path": "/opt/pinned", "owner": 0}}]}"#,
    );
    let denied = "deny agent_in_zone";
    assert_eq!(removal(&world, &Scene::agent("git"), "a"), denied);
    assert_eq!(
        removal(&world, &Scene::agent("python3"), "a"),
        "allow trusted_tool python3"
    );
    assert_eq!(
        removal(&world, &Scene::agent("python3.11"), "a"),
        denied,
        "names are exact"
    );
    assert_eq!(
        removal(&world, &Scene::agent("tidy"), "out/a"),
        "allow trusted_tool tidy"
    );
    assert_eq!(
        removal(&world, &Scene::agent("tidy"), "x/out/a"),
        denied,
        "`/` anchors"
    );
    assert_eq!(
        removal(&world, &Scene::agent("tidy"), "x/a.bak"),
        "allow trusted_tool tidy"
    );
    assert_eq!(
        removal(&world, &Scene::agent("sweep"), "a"),
        "allow trusted_tool sweep"
    );
    assert_eq!(
        removal(&world, &Scene::agent("sweep").saying("sweep -q --all"), "a"),
        denied
    );

    let mut pinned = Scene::agent("pinned");
    assert_eq!(
        removal(&world, &pinned, "out/a"),
        denied,
        "it is not at its path"
    );
    pinned.executable = "/opt/pinned".to_owned();
    pinned.executable_changed_ns = None;
    assert_eq!(
        removal(&world, &pinned, "out/a"),
        "allow trusted_tool pinned"
    );
    pinned.executable_owner = Some(1000);
    assert_eq!(
        removal(&world, &pinned, "out/a"),
        denied,
        "it is not its owner's"
    );
    assert!(world.snapshot.is_scoped_tool(b"tidy"));
    assert!(
        !world.snapshot.is_scoped_tool(b"pinned"),
        "descendants show no identity"
    );

    let warnings: Vec<String> = world
        .snapshot
        .warnings()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        warnings,
        ["`python3` is trusted everywhere: an agent can remove anything with it"]
    );
}

#[test]
fn humans_need_no_tool() {
    assert_eq!(removal(&zone(), &Scene::human("rm"), "a"), "allow human");
}
