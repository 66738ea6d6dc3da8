//! The cost of the exporter for a decision in the guard's process: none, whatever its state.
//!
//! Times a decision (an agent's removal, with a thousand zones) and writing its event to the ring, in
//! bursts like those of builds, while the exporter is
//!
//! - *not there*: the baseline;
//! - *running*: reads the ring and writes the log;
//! - *stopped*: SIGSTOP, with the ring mapped;
//! - *hung*: blocked forever in a write to a full pipe, with the ring mapped;
//! - *killed*: SIGKILL, after it had mapped the ring.
//!
//! The cases alternate in one run. `cargo bench -p guard-exporter --bench sidecar`

#![allow(clippy::print_stdout, reason = "the figures are for people")]
#![allow(
    clippy::unwrap_used,
    reason = "a bench that cannot be set up has no figures"
)]

mod stage;

use guard_core::actor::{Actor, AgentRef, Attribution, FactSource, ToolNames, ToolSet};
use guard_core::decision::decide;
use guard_core::file::FileFacts;
use guard_core::policy::{Platform, Policy, Snapshot, Surroundings};
use guard_core::process::ProcessKey;
use guard_core::ring::Producer;
use guard_core::{DecisionEvent, Operation, OperationKind, Verdict};
use stage::{ALLOWED, DENIED, Exporter, Home, median, publish, until};
use std::fs;
use std::hint::black_box;
use std::io::{PipeWriter, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const ROUNDS: usize = 300;
/// Decisions in a burst.
const BURST: u32 = 500;
const ZONES: usize = 1000;
/// The capacity of a pipe, and the unit in which it is used.
const PIPE: usize = 65_536;
const PAGE: usize = 4096;

/// One state of the exporter, with a ring of its own.
struct Case {
    name: &'static str,
    ring: Producer,
    figures: Vec<f64>,
    _home: Home,
    _exporter: Option<Exporter>,
}

struct Known(ToolNames);

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
            attribution: Attribution::Agent(AgentRef {
                label: "claude_code",
                ancestor: b"claude",
                pid: 10,
                started_ns: 1_000,
                session: b"s",
            }),
            tools: ToolSet::default(),
            tool_names: &self.0,
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

fn main() {
    let mut cases = [
        Case::new("not there", |_, _| None),
        Case::new("running", |home, ring| Some(reading(home, ring))),
        Case::new("stopped", |home, ring| {
            let exporter = reading(home, ring);
            signal(&exporter, "STOP");
            until("it is stopped", || state(&exporter) == Some('T'));
            Some(exporter)
        }),
        Case::new("hung", |home, ring| Some(hung(home, ring))),
        Case::new("killed", |home, ring| {
            let mut exporter = reading(home, ring);
            exporter.child.kill().unwrap();
            exporter.child.wait().unwrap();
            None
        }),
    ];
    let snapshot = snapshot();
    let known = Known(ToolNames::default());
    for _ in 0..ROUNDS {
        for case in &mut cases {
            // A burst, then a pause in which a running exporter reads.
            case.figures.push(burst(&snapshot, &known, &case.ring));
            thread::park_timeout(Duration::from_millis(3));
        }
    }
    println!("a decision and its event, median of {ROUNDS} bursts of {BURST}:");
    let baseline = median(&mut cases[0].figures);
    for case in &mut cases {
        let figure = median(&mut case.figures);
        println!(
            "exporter {:<10} {figure:6.1} ns (least {:5.1})  {:.2} times without one",
            case.name,
            case.figures[0],
            figure / baseline
        );
    }
}

/// Nanoseconds per decision.
fn burst(snapshot: &Snapshot, known: &Known, ring: &Producer) -> f64 {
    let operation = Operation {
        kind: OperationKind::Unlink,
        path: b"/home/user/work/project-7/crates/core/src/module/file.rs",
        destination: None,
    };
    let start = Instant::now();
    for number in 0..BURST {
        let decision = black_box(decide(snapshot, &operation, 0, known));
        assert_eq!(decision.verdict, Verdict::Deny);
        // Most operations are allowed, as in practice.
        let event = if number.is_multiple_of(50) {
            DENIED
        } else {
            ALLOWED
        };
        ring.publish(black_box(&DecisionEvent {
            latency_ns: u64::from(number),
            ..event
        }));
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(BURST)
}

/// An exporter that has read from the ring.
fn reading(home: &Home, ring: &Producer) -> Exporter {
    let exporter = home.exporter(Stdio::null());
    ring.publish(&DENIED);
    let log = home.path("denials.jsonl");
    until("it reads", || {
        fs::read(&log).is_ok_and(|log| !log.is_empty())
    });
    exporter
}

/// An exporter that blocks while it writes its log.
fn hung(home: &Home, ring: &Producer) -> Exporter {
    let (listener, full) = std::io::pipe().unwrap();
    let theirs = full.try_clone().unwrap();
    let exporter = home.exporter(theirs.into());
    // The pipe is full before the exporter logs anything: a retry storm.
    fill(&full);
    publish(ring, &DENIED, 10);
    until("its reading thread is stuck", || {
        let tasks = fs::read_dir(format!("/proc/{}/task", exporter.child.id())).unwrap();
        let mut calls =
            tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("syscall")).ok());
        calls.any(|call| call.split(' ').nth(1) == Some("0x2"))
    });
    // Open while the bench runs, so that the exporter stays blocked.
    std::mem::forget(listener);
    exporter
}

/// Writes until the pipe is full; the writing thread stays blocked.
fn fill(pipe: &PipeWriter) {
    let mut pipe = pipe.try_clone().unwrap();
    let written = Arc::new(AtomicUsize::new(0));
    let pages = Arc::clone(&written);
    thread::spawn(move || {
        while pipe.write_all(&[b'.'; PAGE]).is_ok() {
            pages.fetch_add(1, Ordering::Relaxed);
        }
    });
    // The exporter's first message took a page.
    until("the pipe is full", || {
        written.load(Ordering::Relaxed) >= PIPE / PAGE - 1
    });
}

fn signal(exporter: &Exporter, name: &str) {
    let pid = exporter.child.id().to_string();
    let done = Command::new("kill")
        .args([&format!("-{name}"), &pid])
        .status();
    assert!(done.unwrap().success());
}

/// The state of a process in `/proc`, a letter.
fn state(exporter: &Exporter) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", exporter.child.id())).ok()?;
    stat.rsplit(") ").next()?.chars().next()
}

fn snapshot() -> Snapshot {
    let zones: Vec<String> = (0..ZONES)
        .map(|number| format!("\"/home/user/work/project-{number}\""))
        .collect();
    let policy = format!(r#"{{"protected_zones": [{}]}}"#, zones.join(","));
    let policy = Policy::parse(policy.as_bytes()).unwrap();
    let surroundings = Surroundings {
        home: b"/home/user",
        platform: Platform::Linux,
        extra_zones: &[],
        own_files: &[],
        locate: &|path| vec![path.to_vec()],
        session: "",
        started_ns: 0,
    };
    Snapshot::compile(&policy, &surroundings).unwrap()
}

// === impl Case ===

impl Case {
    fn new(name: &'static str, make: impl FnOnce(&Home, &Producer) -> Option<Exporter>) -> Self {
        let home = Home::new();
        let ring = home.ring(1);
        let exporter = make(&home, &ring);
        Self {
            name,
            ring,
            figures: Vec::new(),
            _home: home,
            _exporter: exporter,
        }
    }
}
