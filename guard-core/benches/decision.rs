//! What a decision costs, and that the number of zones does not matter.
//!
//! `cargo bench -p guard-core --bench decision` prints nanoseconds and, for each case, the ratio to
//! two baselines measured in the same run: the whole path looked up in a `HashMap`, prefix by
//! prefix, and a linear scan over the zones. Each figure is the best of many short rounds, since
//! what else the machine does can only add to it.

#![allow(clippy::print_stdout, reason = "the figures are this program's output")]

use guard_core::actor::{Actor, AgentRef, Attribution, FactSource, ToolNames, ToolSet};
use guard_core::decision::decide;
use guard_core::file::FileFacts;
use guard_core::policy::{Platform, Policy, Snapshot, Surroundings};
use guard_core::process::ProcessKey;
use guard_core::{Operation, OperationKind, Reason};
use std::collections::HashMap;
use std::hint::black_box;
use std::time::Instant;

/// A process whose lineage is known.
struct Known {
    attribution: Attribution<'static>,
    names: ToolNames,
}

impl FactSource for Known {
    fn actor(&self) -> Actor<'_> {
        Actor {
            key: ProcessKey {
                pid: 11,
                generation: 1,
            },
            ppid: 10,
            uid: 1000,
            executable: b"/usr/bin/rm",
            argv0: b"rm",
            attribution: self.attribution,
            tools: ToolSet::default(),
            tool_names: &self.names,
        }
    }

    fn arguments(&self) -> Vec<u8> {
        Vec::new()
    }

    fn executable_changed_ns(&self) -> Option<u64> {
        Some(1)
    }

    fn file(&self, _path: &[u8]) -> Option<FileFacts> {
        None
    }
}

const AGENT: Attribution<'static> = Attribution::Agent(AgentRef {
    label: "claude_code",
    ancestor: b"claude",
    pid: 10,
    started_ns: 1_000,
    session: b"s",
});

const ROUNDS: usize = 400;
const REPEATS: u32 = 10;

fn snapshot(zones: usize) -> Snapshot {
    let zones: Vec<String> = zone_paths(zones)
        .iter()
        .map(|path| format!("{path:?}"))
        .collect();
    let policy = format!(r#"{{"protected_zones": [{}]}}"#, zones.join(","));
    let policy = Policy::parse(policy.as_bytes()).expect("a valid policy");
    let surroundings = Surroundings {
        home: b"/home/user",
        platform: Platform::Linux,
        extra_zones: &[],
        own_files: &[],
        locate: &|path| vec![path.to_vec()],
        session: "",
        started_ns: 0,
    };
    Snapshot::compile(&policy, &surroundings).expect("a policy that compiles")
}

fn zone_paths(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("/home/user/work/project-{number}"))
        .collect()
}

/// Sixteen paths of everyday length, in ten zones that every policy here has.
fn paths(prefix: &str) -> Vec<Vec<u8>> {
    (0..16)
        .map(|number| {
            let zone = number % 10;
            format!("{prefix}-{zone}/crates/core/src/module/file-{number}.rs").into_bytes()
        })
        .collect()
}

/// Nanoseconds for one call, over all paths.
fn measure(paths: &[Vec<u8>], mut call: impl FnMut(&[u8])) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..REPEATS {
            for path in paths {
                call(black_box(path));
            }
        }
        let calls = f64::from(REPEATS) * paths.len() as f64;
        best = best.min(start.elapsed().as_secs_f64() * 1e9 / calls);
    }
    best
}

fn decision(
    snapshot: &Snapshot,
    paths: &[Vec<u8>],
    attribution: Attribution<'static>,
    reason: Reason,
) -> f64 {
    let known = Known {
        attribution,
        names: ToolNames::default(),
    };
    for path in paths {
        assert_eq!(decide(snapshot, &unlink(path), 0, &known).reason, reason);
    }
    measure(paths, |path| {
        black_box(decide(snapshot, &unlink(path), 0, &known));
    })
}

fn unlink(path: &[u8]) -> Operation<'_> {
    Operation {
        kind: OperationKind::Unlink,
        path,
        destination: None,
    }
}

/// Every prefix of the path in a `HashMap`.
fn prefix_map(zones: usize, paths: &[Vec<u8>]) -> f64 {
    let map: HashMap<Vec<u8>, usize> = zone_paths(zones)
        .into_iter()
        .map(String::into_bytes)
        .zip(0..)
        .collect();
    measure(paths, |path| {
        let ends = (1..=path.len())
            .rev()
            .filter(|&end| end == path.len() || path[end] == b'/');
        black_box(
            ends.map(|end| &path[..end])
                .find_map(|prefix| map.get(prefix)),
        );
    })
}

/// Every zone, one after the other.
fn linear_scan(zones: usize, paths: &[Vec<u8>]) -> f64 {
    let zones = zone_paths(zones);
    measure(paths, |path| {
        let covers = |zone: &&String| {
            path.strip_prefix(zone.as_bytes())
                .is_some_and(|rest| matches!(rest, [] | [b'/', ..]))
        };
        black_box(zones.iter().find(covers));
    })
}

fn main() {
    let inside = paths("/home/user/work/project");
    let outside = paths("/home/user/downloads/archive");
    let mut of_ten = HashMap::new();
    for zones in [10, 1_000, 10_000] {
        let snapshot = snapshot(zones);
        let cases = [
            (
                "outside zones",
                &outside,
                Attribution::Human,
                Reason::OutsideZones,
            ),
            ("inside, human", &inside, Attribution::Human, Reason::Human),
            ("inside, agent denied", &inside, AGENT, Reason::AgentInZone),
        ];
        for (name, paths, attribution, reason) in cases {
            let ns = decision(&snapshot, paths, attribution, reason);
            let ten = *of_ten.entry(name).or_insert(ns);
            println!(
                "{zones:>6} zones  {name:<22} {ns:>7.1} ns   {:>4.2} x ten zones   \
                 {:>4.2} x prefix map   {:>8.4} x linear scan",
                ns / ten,
                ns / prefix_map(zones, paths),
                ns / linear_scan(zones, paths),
            );
        }
    }
}
