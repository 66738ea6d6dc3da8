//! What a known actor costs: one `find` in a table that is filled as on a busy machine.
#![allow(missing_docs, reason = "criterion's macros make public items")]

use criterion::{Criterion, criterion_group, criterion_main};
use guard_core::actor::{AgentMatch, Attribution, Recogniser};
use guard_core::agents::{IgnoredMarkers, recognise};
use guard_core::lineage::Lineage;
use guard_core::process::{DescribeProcessError, ProcessDescription, ProcessKey, ProcessSource};
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Mutex;

/// 1 init / 2 claude / everyone else.
struct Tree;

impl ProcessSource for Tree {
    fn describe(
        &self,
        pid: u32,
        into: &mut ProcessDescription,
    ) -> Result<(), DescribeProcessError> {
        into.clone_from(&ProcessDescription {
            key: key(pid),
            ppid: pid.min(3) - 1,
            executable: if pid == 2 {
                b"/usr/bin/claude".into()
            } else {
                b"/usr/bin/rm".into()
            },
            environment: vec![b'x'; 2_000],
            ..ProcessDescription::default()
        });
        Ok(())
    }
}

impl Recogniser for Tree {
    fn agent(&self, description: &ProcessDescription) -> Option<AgentMatch> {
        recognise(description, &["codex"], &IgnoredMarkers::default())
    }

    fn is_scoped_tool(&self, name: &[u8]) -> bool {
        name == b"make"
    }
}

fn key(pid: u32) -> ProcessKey {
    ProcessKey {
        pid,
        generation: u64::from(pid) * 7,
    }
}

fn lineage(c: &mut Criterion) {
    let lineage = Lineage::new(Lineage::DEFAULT_CAPACITY, None);
    let mut known = HashMap::new();
    let pids = 1..=10_000;
    for pid in pids.clone() {
        lineage.learn(pid, &Tree, &Tree, 0);
        known.insert((key(pid).pid, key(pid).generation), Some("claude_code"));
    }

    let baseline = Mutex::new(known);

    c.bench_function("find one known process", |b| {
        b.iter(|| {
            match lineage
                .find(black_box(key(5_000)))
                .map(|entry| entry.attribution())
            {
                Some(Attribution::Agent(agent)) => agent.label.len(),
                _ => 0,
            }
        });
    });
    let mut wanted = pids.clone().cycle();
    c.bench_function("find each of 10000 known processes", |b| {
        b.iter(|| {
            let pid = wanted.next().unwrap_or(1);
            match lineage.find(key(pid)).map(|entry| entry.attribution()) {
                Some(Attribution::Agent(agent)) => agent.label.len(),
                _ => 0,
            }
        });
    });
    c.bench_function("find an unknown process", |b| {
        b.iter(|| lineage.find(black_box(key(20_000))).is_some());
    });
    let mut wanted = pids.cycle();
    c.bench_function("baseline: a HashMap behind a Mutex, each of 10000", |b| {
        b.iter(|| {
            let key = key(wanted.next().unwrap_or(1));
            let known = baseline.lock().expect("no thread panics holding it");
            known
                .get(&(key.pid, key.generation))
                .copied()
                .flatten()
                .map_or(0, str::len)
        });
    });
    c.bench_function("learn a process below a known agent", |b| {
        b.iter(|| lineage.learn(black_box(5_000), &Tree, &Tree, 0).tools());
    });
}

criterion_group!(benches, lineage);
criterion_main!(benches);
