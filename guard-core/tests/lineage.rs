//! The attribution of processes in small trees.
#![allow(clippy::tests_outside_test_module, reason = "the whole file is one")]

mod lineage_support;

use guard_core::actor::AgentMatch;
use guard_core::lineage::{Lineage, Root};
use guard_core::process::ProcessKey;
use lineage_support::{Known, World, attribution_of};

fn lineage() -> Lineage {
    Lineage::new(64, None)
}

fn learn(lineage: &Lineage, world: &World, pid: u32) -> String {
    attribution_of(lineage.learn(pid, world, &Known, world.now()))
}

fn refresh(lineage: &Lineage, world: &World, pid: u32) -> String {
    attribution_of(lineage.refresh(pid, world, &Known, world.now() + 1, 0))
}

fn find(lineage: &Lineage, key: ProcessKey) -> Option<String> {
    lineage.find(key).map(attribution_of)
}

fn tools(lineage: &Lineage, world: &World, pid: u32) -> Vec<String> {
    let set = lineage.learn(pid, world, &Known, world.now()).tools();
    let names = set.names(lineage.tool_names());
    names
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect()
}

/// What a subreaper forks has its image until it executes a program; an orphan has another's.
#[test]
fn an_adopted_process_is_not_known_to_descend_from_its_parent() {
    for is_init in [false, true] {
        let world = World::new("1 init / 10 zsh / 11 tini / 12 claude / 13 sh");
        let lineage = lineage();
        if is_init {
            world.change(11, |process| process.is_namespace_init = true);
        } else {
            lineage.observe_adopter(world.key(11));
        }
        world.reaper.set(11);
        assert_eq!(learn(&lineage, &world, 12), "claude_code 12");
        world.fork(13, 14);
        world.fork(14, 15);
        world.exit(14);
        world.fork(15, 16);
        assert_eq!(learn(&lineage, &world, 16), "unknown beside agents");
        assert_eq!(learn(&lineage, &world, 15), "unknown beside agents");
        world.fork(11, 20);
        assert_eq!(learn(&lineage, &world, 20), "human");
        // It is known by then.
        world.exec(20, "rm");
        assert_eq!(refresh(&lineage, &world, 20), "human");
        assert!(lineage.adopts(world.key(11)));
    }
}

#[test]
fn trees() {
    let table = [
        ("1 init / 10 zsh / 12 rm", "human"),
        ("1 init / 10 zsh / 11 claude / 12 rm", "claude_code 11"),
        (
            "1 init / 10 zsh / 11 node(claude) / 12 sh / 13 sh / 14 rm",
            "claude_code 11",
        ),
        ("1 init / 10 zsh / 11 claude", "claude_code 11"),
        // A process is attributed to the nearest agent.
        ("1 init / 11 claude / 12 sh / 13 codex / 14 rm", "codex 13"),
        (
            "1 init / 11 codex / 12 rm +CODEX_THREAD_ID=t1",
            "codex 11 t1",
        ),
        // A marker of another agent does not change the attribution of an agent's child.
        (
            "1 init / 11 codex / 12 rm +CLAUDE_CODE_SESSION_ID=s1",
            "codex 11",
        ),
        ("1 init / 10 zsh / 12 rm +GEMINI_CLI=1", "gemini_cli 12"),
        ("1 init / 10 zsh +CLAUDECODE=1 / 12 rm", "human"),
        // Every process descends from pid 1, and nothing above counts.
        ("1 claude / 2 rm", "claude_code 1"),
    ];
    for (chain, expected) in table {
        let (world, lineage) = (World::new(chain), lineage());
        let last = *world.pids().last().unwrap();
        assert_eq!(learn(&lineage, &world, last), expected, "{chain}");
        assert_eq!(
            find(&lineage, world.key(last)).as_deref(),
            Some(expected),
            "{chain}"
        );
        assert_eq!(
            lineage.len(),
            world.pids().len(),
            "everyone on the way is recorded: {chain}"
        );
    }
}

#[test]
fn a_late_title_is_seen() {
    let (world, lineage) = (
        World::new("1 init / 10 zsh / 11 node / 12 sh / 13 rm"),
        lineage(),
    );
    assert_eq!(learn(&lineage, &world, 13), "human");
    world.change(11, |node| node.arguments = b"claude".to_vec());
    assert_eq!(find(&lineage, world.key(13)).as_deref(), Some("human"));

    // A young record is good enough; an old one is not.
    let entry = lineage.refresh(13, &world, &Known, world.now() + 5, 10);
    assert_eq!(attribution_of(entry), "human");
    assert!(entry.is_stale(world.now() + 11, 10) && !entry.is_stale(world.now() + 10, 10));
    let entry = lineage.refresh(13, &world, &Known, world.now() + 11, 10);
    assert_eq!(attribution_of(entry), "claude_code 11");
    assert!(
        !entry.is_stale(u64::MAX, 0),
        "an agent's attribution is final"
    );
}

#[test]
fn the_first_known_ancestor_is_examined_again() {
    let (world, lineage) = (World::new("1 init / 10 zsh / 11 node"), lineage());
    assert_eq!(learn(&lineage, &world, 11), "human");
    world.change(11, |node| node.arguments = b"claude".to_vec());
    world.spawn(11, 12, "rm");
    assert_eq!(learn(&lineage, &world, 12), "claude_code 11");
}

#[test]
fn an_entry_based_on_an_old_record_is_as_old() {
    let (world, lineage) = (World::new("1 init / 10 zsh"), lineage());
    lineage.learn(10, &world, &Known, 1_000);
    world.spawn(10, 12, "rm");
    let entry = lineage.learn(12, &world, &Known, 9_000);
    assert_eq!(entry.learnt_at_ns(), 1_000);
    let entry = lineage.refresh(12, &world, &Known, 9_000, 500);
    assert_eq!(entry.learnt_at_ns(), 9_000);
}

#[test]
fn an_agents_process_stays_so_when_its_ancestors_exit() {
    let (world, lineage) = (
        World::new("1 init / 10 zsh / 11 claude / 12 sh / 13 rm"),
        lineage(),
    );
    learn(&lineage, &world, 13);
    world.exit(11);
    world.exit(12);
    assert_eq!(refresh(&lineage, &world, 13), "claude_code 11");
    world.exec(13, "perl");
    assert_eq!(learn(&lineage, &world, 13), "claude_code 11");
    world.spawn(13, 14, "rm");
    assert_eq!(learn(&lineage, &world, 14), "claude_code 11");
}

#[test]
fn programs_change() {
    let (world, lineage) = (World::new("1 init / 10 zsh / 11 sh"), lineage());
    assert_eq!(learn(&lineage, &world, 11), "human");
    world.exec(11, "claude");
    assert_eq!(learn(&lineage, &world, 11), "claude_code 11");
    world.exec(11, "rm");
    assert_eq!(learn(&lineage, &world, 11), "claude_code 11");
}

#[test]
fn a_pid_that_is_used_again_is_another_process() {
    let (world, lineage) = (World::new("1 init / 10 zsh / 11 claude"), lineage());
    learn(&lineage, &world, 11);
    let agent = world.key(11);
    world.exit(11);
    world.spawn(10, 11, "rm");
    assert_eq!(find(&lineage, world.key(11)), None);
    assert_eq!(learn(&lineage, &world, 11), "human");
    assert_eq!(find(&lineage, agent).as_deref(), Some("claude_code 11"));
}

#[test]
fn a_parent_younger_than_its_child_is_none() {
    let (world, lineage) = (World::new("1 init / 10 zsh / 11 sh / 12 rm"), lineage());
    world.change(11, |sh| sh.started_ns = 1_000);
    assert_eq!(learn(&lineage, &world, 12), "unknown");
}

#[test]
fn a_parent_that_exits_meanwhile_is_looked_up_once_more() {
    let world = World::new("1 init / 9 claude / 10 zsh / 11 sh / 12 rm");
    world.reaper.set(10);
    world.ends_after_look.set(Some((12, 11)));
    assert_eq!(learn(&lineage(), &world, 12), "claude_code 9");
}

#[test]
fn an_exited_process_is_unknown_and_gets_no_record() {
    let (world, lineage) = (World::new("1 init"), lineage());
    assert_eq!(learn(&lineage, &world, 99), "unknown");
    assert!(lineage.is_empty());
}

/// `claude` runs the guard, the guard runs a shell.
fn session(chain: &str, declared_agent: Option<AgentMatch>) -> (World, Lineage) {
    let world = World::new(&format!(
        "1 init / 5 claude / 6 codex-es-guard / 10 {chain}"
    ));
    world.reaper.set(6);
    let root = world.description(10);
    let root = Root {
        key: root.key,
        started_ns: root.started_ns,
        declared_agent,
    };
    (world, Lineage::new(64, Some(root)))
}

#[test]
fn nothing_above_the_root_counts() {
    let (world, lineage) = session("zsh / 11 sh / 12 rm", None);
    assert_eq!(learn(&lineage, &world, 12), "human");
    world.spawn(10, 13, "codex");
    world.spawn(13, 14, "rm");
    assert_eq!(learn(&lineage, &world, 14), "codex 13");
}

#[test]
fn an_orphan_is_unknown_unless_it_was_known_or_has_a_marker() {
    let (world, lineage) = session("zsh / 11 sh / 12 rm", None);
    assert_eq!(learn(&lineage, &world, 12), "human");
    world.exit(11);
    assert_eq!(
        refresh(&lineage, &world, 12),
        "human",
        "nohup does not change an attribution"
    );

    world.spawn(10, 20, "sh");
    let lost = world.spawn(20, 21, "rm");
    world.spawn(20, 22, "rm +CODEX_THREAD_ID=t1");
    world.exit(20);
    assert_eq!(learn(&lineage, &world, 21), "unknown");
    assert!(!lineage.agent_seen());
    assert_eq!(learn(&lineage, &world, 22), "codex 22 t1");
    assert!(lineage.agent_seen());
    assert_eq!(
        find(&lineage, lost).as_deref(),
        Some("unknown beside agents")
    );
    world.spawn(21, 23, "rm");
    assert_eq!(learn(&lineage, &world, 23), "unknown beside agents");
    // New parents prove nothing.
    world.change(21, |rm| rm.ppid = 10);
    assert_eq!(refresh(&lineage, &world, 21), "unknown beside agents");
}

#[test]
fn a_session_id_attributes_an_orphan_to_its_agent() {
    let (world, lineage) = session("zsh / 11 claude / 12 sh +CLAUDE_CODE_SESSION_ID=s1", None);
    assert_eq!(learn(&lineage, &world, 12), "claude_code 11 s1");
    world.spawn(12, 13, "rm");
    world.exit(12);
    assert_eq!(learn(&lineage, &world, 13), "claude_code 11 s1");
}

#[test]
fn the_agents_own_process_replaces_one_known_by_a_marker() {
    let (world, lineage) = session("zsh / 11 node / 12 rm +GEMINI_CLI=1", None);
    assert_eq!(learn(&lineage, &world, 12), "gemini_cli 12");
    world.change(11, |node| node.arguments = b"gemini".to_vec());
    world.spawn(12, 13, "rm");
    assert_eq!(learn(&lineage, &world, 13), "gemini_cli 12");
    assert_eq!(refresh(&lineage, &world, 13), "gemini_cli 11");
    assert_eq!(
        find(&lineage, world.key(12)).as_deref(),
        Some("gemini_cli 11")
    );
}

#[test]
fn a_declared_root_is_the_agent_whatever_its_name() {
    let declared = AgentMatch {
        label: "custom:mine".to_owned(),
        ancestor: b"wrapper".to_vec(),
        session: Vec::new(),
        by_environment: false,
    };
    let (world, lineage) = session("sh / 11 rm", Some(declared));
    assert!(lineage.agent_seen());
    assert_eq!(learn(&lineage, &world, 11), "custom:mine 10");
    assert_eq!(learn(&lineage, &world, 10), "custom:mine 10");
}

#[test]
fn scoped_tools_count_below_the_agent_only() {
    let world = World::new("1 init / 10 make / 11 node(claude) / 12 npm / 13 sh / 14 make / 15 rm");
    let lineage = lineage();
    assert_eq!(
        tools(&lineage, &world, 11),
        [""; 0],
        "an agent's own interpreter is no tool"
    );
    assert_eq!(tools(&lineage, &world, 15), ["npm", "make"]);
    assert_eq!(tools(&lineage, &world, 13), ["npm"]);
    world.exec(14, "rm");
    assert_eq!(
        tools(&lineage, &world, 14),
        ["npm", "make"],
        "a tool may end with exec"
    );
    assert_eq!(tools(&lineage, &world, 10), [""; 0]);
}

#[test]
fn a_tool_made_after_its_agent_started_does_not_count() {
    let (world, lineage) = (
        World::new("1 init / 11 claude / 12 make / 13 rm"),
        lineage(),
    );
    world.change(12, |make| make.executable_changed_ns = make.started_ns);
    assert_eq!(tools(&lineage, &world, 13), [""; 0]);
    world.spawn(11, 14, "make");
    world.change(14, |make| make.executable_changed_ns = 0);
    assert_eq!(
        tools(&lineage, &world, 14),
        [""; 0],
        "nor one whose file cannot be looked at"
    );
}

#[test]
fn no_tool_counts_below_an_agent_that_was_never_seen() {
    let world = World::new("1 init / 11 sh +GEMINI_CLI=1 / 12 make / 13 rm");
    assert_eq!(tools(&lineage(), &world, 13), [""; 0]);
}

#[test]
fn a_nested_agent_starts_without_tools() {
    let world = World::new("1 init / 11 claude / 12 make / 13 codex / 14 rm");
    assert_eq!(tools(&lineage(), &world, 14), [""; 0]);
}

#[test]
fn a_process_that_the_platform_reports_is_known_before_it_acts() {
    let (world, lineage) = (World::new("1 init / 10 zsh / 11 claude"), lineage());
    learn(&lineage, &world, 11);
    let child = world.fork(11, 12);
    for _ in 0..2 {
        lineage.observe_fork(world.key(11), child, child.generation, world.now());
    }
    assert_eq!(find(&lineage, child).as_deref(), Some("claude_code 11"));
    assert_eq!(lineage.agents_active(&world), 1);

    // The agent ends before its grandchild begins, and the news come late.
    let grandchild = world.fork(12, 13);
    world.exit(11);
    lineage.observe_exit(child);
    world.exit(12);
    lineage.observe_fork(child, grandchild, grandchild.generation, world.now());
    assert_eq!(
        find(&lineage, grandchild).as_deref(),
        Some("claude_code 11")
    );
    assert_eq!(lineage.agents_active(&world), 0);
}

#[test]
fn an_exec_that_changes_the_key_is_followed() {
    let (world, lineage) = (World::new("1 init / 10 zsh / 11 sh"), lineage());
    learn(&lineage, &world, 11);
    let exec = |program: &str| {
        let before = world.key(11);
        world.exec(11, program);
        world.change(11, |process| process.key.generation += 1_000);
        lineage.observe_exec(before, &world.description(11), &Known, world.now());
        find(&lineage, world.key(11))
    };
    assert_eq!(exec("perl").as_deref(), Some("human"));
    assert_eq!(exec("codex").as_deref(), Some("codex 11"));
    assert_eq!(exec("rm").as_deref(), Some("codex 11"));
    assert_eq!(
        lineage.agents_active(&world),
        1,
        "the same process by three names"
    );

    // Of a stranger, only what it is by itself is known.
    let unknown = World::new("1 init / 50 rm");
    lineage.observe_exec(unknown.key(50), &unknown.description(50), &Known, 0);
    assert_eq!(find(&lineage, unknown.key(50)), None);
    unknown.exec(50, "gemini");
    lineage.observe_exec(unknown.key(50), &unknown.description(50), &Known, 0);
    assert_eq!(
        find(&lineage, unknown.key(50)).as_deref(),
        Some("gemini_cli 50")
    );
}

#[test]
fn a_full_table_evicts_and_learns_again() {
    let (world, lineage) = (
        World::new("1 init / 2 zsh / 3 claude"),
        Lineage::new(16, None),
    );
    for pid in 100..200 {
        world.spawn(3, pid, "rm");
        assert_eq!(learn(&lineage, &world, pid), "claude_code 3");
    }
    assert!(lineage.len() <= 16);
    assert!(lineage.evictions() > 80, "{lineage:?}");
    assert_eq!(find(&lineage, world.key(100)), None);
    assert_eq!(learn(&lineage, &world, 100), "claude_code 3");

    // The dead make room, and that is no loss.
    let losses = lineage.evictions();
    for pid in 100..200 {
        world.exit(pid);
    }
    world.spawn(2, 300, "rm");
    assert_eq!(learn(&lineage, &world, 300), "human");
    assert_eq!(lineage.evictions(), losses);
}

#[test]
fn agents_are_distinguished_by_session_up_to_a_bound() {
    let (world, lineage) = (World::new("1 init / 3 claude"), lineage());
    for number in 0..if cfg!(miri) { 200 } else { 5_000 } {
        world.spawn(3, 4, &format!("rm +CLAUDE_CODE_SESSION_ID=s{number}"));
        let found = learn(&lineage, &world, 4);
        assert!(
            found == format!("claude_code 3 s{number}") || found.starts_with("other 3"),
            "{found}"
        );
        world.exit(4);
    }
    world.spawn(3, 4, "rm +CLAUDE_CODE_SESSION_ID=s0");
    assert_eq!(learn(&lineage, &world, 4), "claude_code 3 s0");
}

#[test]
fn an_orphan_is_unknown_until_its_parent_is_reported() {
    let world = World::new("1 launchd / 10 zsh / 11 claude");
    let lineage = lineage();
    learn(&lineage, &world, 11);
    let agent = world.key(11);
    let orphan = world.spawn(11, 12, "rm");
    world.exit(11);
    // Looked up now it would be pid 1's child, and a person's.
    let attribution = attribution_of(lineage.observe_orphan(orphan, world.now(), world.now()));
    assert_eq!(attribution, "unknown beside agents");
    assert_eq!(refresh(&lineage, &world, 12), "unknown beside agents");
    lineage.observe_fork(agent, orphan, world.now(), world.now());
    assert_eq!(find(&lineage, orphan).as_deref(), Some("claude_code 11"));
}
