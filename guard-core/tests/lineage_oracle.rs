//! Random histories, against a `HashMap` and against what truly happened.
#![allow(clippy::tests_outside_test_module, reason = "the whole file is one")]

mod lineage_support;

use guard_core::lineage::{Lineage, Root};
use guard_core::process::ProcessKey;
use lineage_support::{Known, World, attribution_of};
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};

/// What may happen next. Processes are named by their choice among the living, so that every step
/// means something.
#[derive(Clone, Debug)]
enum Step {
    /// The parent, and the pid: few pids, so that they are used again.
    Fork(usize, u32),
    Exec(usize, &'static str),
    Exit(usize),
    Learn(usize),
    Refresh(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let program = prop::sample::select(vec!["sh", "rm", "rm", "claude", "codex"]);
    prop_oneof![
        4 => (any::<usize>(), 11..30u32).prop_map(|(parent, pid)| Step::Fork(parent, pid)),
        2 => (any::<usize>(), program).prop_map(|(choice, program)| Step::Exec(choice, program)),
        2 => any::<usize>().prop_map(Step::Exit),
        3 => any::<usize>().prop_map(Step::Learn),
        1 => any::<usize>().prop_map(Step::Refresh),
    ]
}

const ROOT: u32 = 10;
const GUARD: u32 = 6;

/// A shell under the guard, itself under an agent; and a lineage of that shell.
fn session() -> (World, Lineage) {
    let world = World::new("1 init / 5 claude / 6 codex-es-guard / 10 zsh");
    world.reaper.set(GUARD);
    let root = world.description(ROOT);
    let root = Root {
        key: root.key,
        started_ns: root.started_ns,
        declared_agent: None,
    };
    (world, Lineage::new(4_096, Some(root)))
}

/// The living of the session, or of what was the session's.
fn chosen(world: &World, choice: usize) -> Option<u32> {
    let living: Vec<u32> = world
        .pids()
        .into_iter()
        .filter(|pid| *pid >= ROOT)
        .collect();
    living.get(choice.checked_rem(living.len())?).copied()
}

/// What truly happened.
#[derive(Default)]
struct Truth {
    /// Each process's nearest agent.
    nearest: HashMap<ProcessKey, Option<String>>,
    parents: HashMap<ProcessKey, ProcessKey>,
    /// Whoever was an agent, at any time.
    agents: HashSet<(ProcessKey, String)>,
}

impl Truth {
    fn fork(&mut self, parent: ProcessKey, child: ProcessKey) {
        let inherited = self.nearest.get(&parent).cloned().flatten();
        let before = self.nearest.remove(&child).flatten();
        self.nearest.insert(child, before.or(inherited));
        self.parents.insert(child, parent);
    }

    fn exec(&mut self, key: ProcessKey, program: &str) {
        if let Some(agent) = agent(program, key.pid) {
            self.agents.insert((key, agent.clone()));
            self.nearest.insert(key, Some(agent));
        }
    }

    /// Whether this agent was the process, or one of those it was born of.
    fn descends(&self, key: ProcessKey, agent: &str) -> bool {
        let mut ancestors = std::iter::successors(Some(key), |key| self.parents.get(key).copied());
        ancestors.any(|ancestor| self.agents.contains(&(ancestor, agent.to_owned())))
    }
}

fn agent(program: &str, pid: u32) -> Option<String> {
    match program {
        "claude" => Some(format!("claude_code {pid}")),
        "codex" => Some(format!("codex {pid}")),
        _ => None,
    }
}

/// The rules of look-ups once more, recursively and over a `HashMap`.
#[derive(Default)]
struct Oracle {
    known: HashMap<ProcessKey, (String, u64)>,
}

impl Oracle {
    fn examine(&mut self, world: &World, root: ProcessKey, pid: u32, stale_before: u64) -> String {
        self.visit(world, root, pid, stale_before).0
    }

    fn visit(
        &mut self,
        world: &World,
        root: ProcessKey,
        pid: u32,
        stale_before: u64,
    ) -> (String, u64) {
        let process = world.description(pid);
        let known = self.known.get(&process.key).cloned();
        let is_agents = |attribution: &str| attribution.contains(' ');
        let parent = match &known {
            _ if process.key == root => ("human".to_owned(), world.now()),
            Some((attribution, _)) if is_agents(attribution) => (attribution.clone(), world.now()),
            Some((attribution, at)) if *at >= stale_before => (attribution.clone(), *at),
            _ if process.ppid >= ROOT => self.visit(world, root, process.ppid, stale_before),
            _ => ("unknown".to_owned(), world.now()),
        };
        let program = String::from_utf8(process.executable).expect("our own text");
        let itself = agent(program.trim_start_matches("/usr/bin/"), pid);
        let kept = known.as_ref().map(|(attribution, _)| attribution.clone());
        let attribution = match (itself, kept) {
            (Some(itself), _) => itself,
            (None, Some(kept)) if is_agents(&kept) || !is_agents(&parent.0) => kept,
            (None, _) => parent.0,
        };
        let at = known.map_or(0, |(_, at)| at).max(parent.1);
        self.known.insert(process.key, (attribution.clone(), at));
        (attribution, at)
    }
}

/// `unknown` whether or not an agent was seen.
fn plain(attribution: String) -> String {
    if attribution.starts_with("unknown") {
        "unknown".to_owned()
    } else {
        attribution
    }
}

fn config() -> ProptestConfig {
    let cases = if cfg!(miri) { 4 } else { 512 };
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn look_ups_agree_with_a_map(steps in prop::collection::vec(step(), 1..80)) {
        let (world, lineage) = session();
        let root = world.key(ROOT);
        let (mut oracle, mut truth) = (Oracle::default(), Truth::default());
        for step in steps {
            match step {
                Step::Fork(choice, pid) => {
                    let Some(parent) = chosen(&world, choice) else { continue };
                    if !world.pids().contains(&pid) {
                        let child = world.fork(parent, pid);
                        truth.fork(world.key(parent), child);
                        // Between fork and exec a child is not examined.
                        world.exec(pid, "sh");
                    }
                }
                Step::Exec(choice, program) => {
                    let Some(pid) = chosen(&world, choice) else { continue };
                    world.exec(pid, program);
                    truth.exec(world.key(pid), program);
                }
                Step::Exit(choice) => {
                    let Some(pid) = chosen(&world, choice) else { continue };
                    world.exit(pid);
                }
                Step::Learn(choice) => {
                    let Some(pid) = chosen(&world, choice) else { continue };
                    let found = plain(attribution_of(lineage.learn(pid, &world, &Known, world.now())));
                    prop_assert_eq!(found, oracle.examine(&world, root, pid, 0));
                }
                Step::Refresh(choice) => {
                    let Some(pid) = chosen(&world, choice) else { continue };
                    let found =
                        plain(attribution_of(lineage.refresh(pid, &world, &Known, world.now(), 2)));
                    prop_assert_eq!(found, oracle.examine(&world, root, pid, world.now() - 2));
                }
            }
            prop_assert_eq!(lineage.len(), oracle.known.len());
            for (key, (attribution, _)) in &oracle.known {
                let found = lineage.find(*key).map(|entry| plain(attribution_of(entry)));
                prop_assert_eq!(found.as_ref(), Some(attribution));
                // No process is attributed to an agent that is not its ancestor.
                if attribution.contains(' ') {
                    prop_assert!(truth.descends(*key, attribution), "{:?} {}", key, attribution);
                }
            }
        }
        prop_assert_eq!(lineage.evictions(), 0);
    }

    #[test]
    fn reports_agree_with_what_happened(steps in prop::collection::vec(step(), 1..80)) {
        let (world, lineage) = session();
        lineage.learn(ROOT, &world, &Known, 0);
        let mut truth = Truth::default();
        truth.nearest.insert(world.key(ROOT), None);
        for step in steps {
            match step {
                Step::Fork(choice, pid) => {
                    let Some(parent) = chosen(&world, choice) else { continue };
                    if !world.pids().contains(&pid) {
                        let child = world.fork(parent, pid);
                        truth.fork(world.key(parent), child);
                        lineage.observe_fork(
                            world.key(parent), child, child.generation, world.now(),
                        );
                    }
                }
                Step::Exec(choice, program) => {
                    let Some(pid) = chosen(&world, choice) else { continue };
                    world.exec(pid, program);
                    let key = world.key(pid);
                    truth.exec(key, program);
                    lineage.observe_exec(key, &world.description(pid), &Known, world.now());
                }
                Step::Exit(choice) => {
                    let Some(pid) = chosen(&world, choice) else { continue };
                    lineage.observe_exit(world.key(pid));
                    world.exit(pid);
                }
                // Reports may come twice, and late: the parent may have become an agent meanwhile,
                // and its children are then the agent's.
                Step::Learn(choice) | Step::Refresh(choice) => {
                    let Some(pid) = chosen(&world, choice) else { continue };
                    let process = world.description(pid);
                    if world.pids().contains(&process.ppid) {
                        truth.fork(world.key(process.ppid), process.key);
                        lineage.observe_fork(
                            world.key(process.ppid),
                            process.key,
                            process.started_ns,
                            world.now(),
                        );
                    }
                }
            }
        }
        for (key, nearest) in &truth.nearest {
            let found = lineage.find(*key).map(attribution_of);
            let expected = nearest.clone().unwrap_or_else(|| "human".to_owned());
            prop_assert_eq!(found, Some(expected));
        }
    }
}
