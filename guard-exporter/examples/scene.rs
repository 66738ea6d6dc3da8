//! Simulated guards that write real rings, to see the exporter, its page and the dashboards without
//! agents. Only the events are simulated.
//!
//! Each guard first writes the denials of the past hour, then continues at a varying rate until its
//! standard input ends. Apart from the clock, the events are the same in each run. It deliberately
//! evaluates nothing, and is not installed.
//!
//! ```sh
//! sleep 600 | cargo run -p guard-exporter --example scene -- ~/.codex/es-guard/rings --rate 2000
//! ```
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::print_stdout,
    reason = "all numbers are small, and the caller waits for a line"
)]
#![allow(
    clippy::unwrap_used,
    reason = "an example has no other way to report a failure"
)]

use clap::Parser;
use guard_core::event::{
    ActingProcess, Preservation, PreservationMethod, PreservationOutcome, TraceContext,
    UnpreservedCause, ZoneRef,
};
use guard_core::process::ProcessKey;
use guard_core::ring::{Counter, Producer, RingOptions};
use guard_core::verdict::Answer;
use guard_core::{DecisionEvent, OperationKind, Reason, Verdict};
use guard_report::time::now_ns;
use std::fs::DirBuilder;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;
use std::{io::Read as _, os::unix::fs::DirBuilderExt as _};

#[path = "scene/protection.rs"]
mod protection;

/// The command line.
#[derive(Debug, Parser)]
struct Arguments {
    /// Directories of rings, one for each machine.
    #[arg(required = true)]
    rings: Vec<PathBuf>,
    /// Guards on each machine.
    #[arg(long, default_value_t = 1)]
    guards: u8,
    /// Denials of the past hour of each guard.
    #[arg(long, default_value_t = 0)]
    denials: u64,
    /// Allowed operations per second of all guards together; some denials are added.
    #[arg(long, default_value_t = 0)]
    rate: u64,
    /// First step, of 20 per second: a retry storm is at step 100, a mass deletion at 200.
    #[arg(long, default_value_t = 0)]
    from: u64,
}

/// A simulated guard.
struct Guard {
    ring: Producer,
    rng: Rng,
    /// Changes leave the sequence of all other events as it is.
    change_rng: Rng,
    session: String,
    denied: u64,
}

/// An operation that is denied.
struct Incident {
    agent: &'static str,
    ancestor: &'static str,
    operation: OperationKind,
    program: &'static str,
    path: &'static str,
    destination: Option<&'static str>,
    zone: &'static str,
}

/// Pseudo-random numbers, the same in each run.
struct Rng(u64);

fn main() {
    let arguments = Arguments::parse();
    let mut guards = Vec::new();
    for directory in &arguments.rings {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .unwrap();
        guards.extend((0..arguments.guards).map(|number| Guard::new(directory, number)));
    }
    for guard in &mut guards {
        guard.write_past(arguments.denials);
    }
    println!("ready");
    let (end, ended) = channel::<()>();
    thread::spawn(move || {
        drop(std::io::stdin().read_to_end(&mut Vec::new()));
        drop(end);
    });
    let each = arguments.rate as f64 / guards.len() as f64 * STEP.as_secs_f64();
    let mut step = arguments.from;
    while ended.recv_timeout(STEP) == Err(RecvTimeoutError::Timeout) {
        for (number, guard) in (0..).zip(&mut guards) {
            guard.write_step(step + number * 40, each);
        }
        step += 1;
    }
}

// === impl Guard ===

impl Guard {
    fn new(directory: &Path, number: u8) -> Self {
        let name = SESSIONS[usize::from(number) % SESSIONS.len()];
        let session = format!("{name}-{number}");
        let options = RingOptions {
            id: (u128::from(now_ns()) << 8 | u128::from(number)).to_be_bytes(),
            writer: ProcessKey {
                pid: std::process::id(),
                generation: u64::from(number),
            },
            created_wall_ns: now_ns(),
            session: session.as_bytes().to_vec(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..RingOptions::default()
        };
        let file = format!("scene-{}-{number}.ring", std::process::id());
        let ring = Producer::create(&directory.join(&file), &options).unwrap();
        protection::write(&directory.join(file), &options.id);
        for (counter, value) in [
            (Counter::EnforcementActive, 1),
            (Counter::UndoStoreLimitBytes, 20 << 30),
            (Counter::PolicyOk, 1),
            (Counter::PolicyLoadedNs, now_ns()),
            (Counter::PolicyRevision, 0x5e1f_c0de_0000_0001),
            (Counter::Zones, 3),
            (Counter::Overrides, 1),
            (Counter::PolicyReloads, 1),
        ] {
            ring.set(counter, value);
        }
        Self {
            ring,
            rng: Rng(0x9e37_79b9_7f4a_7c15 ^ (u64::from(number) << 32)),
            change_rng: Rng(0x5eed + u64::from(number)),
            session,
            denied: 1,
        }
    }

    /// Writes the denials of the past hour.
    fn write_past(&mut self, denials: u64) {
        guard_testing::events::publish_requests(&self.ring, now_ns());
        let start = now_ns().saturating_sub(HOUR_NS);
        for number in 0..denials {
            // Long after one another on the guards' clock: none repeats others, so that each has a line.
            let monotonic_ns = now_ns() - (denials - number) * 2 * HOUR_NS;
            self.deny(start + HOUR_NS / denials * number, monotonic_ns);
        }
    }

    /// Writes the events of one step.
    fn write_step(&mut self, step: u64, each: f64) {
        let wave = 1.0 + 0.6 * (step as f64 / 90.0).sin() + 0.25 * (step as f64 / 23.0).cos();
        let mut allowed = (each * wave).max(0.0) as u64;
        allowed += u64::from(self.rng.below(1000) < ((each * wave).fract() * 1000.0) as u64);
        for _ in 0..allowed {
            self.allow();
        }
        // Phases with many denials alternate with quiet ones.
        let is_busy = step / 60 % 3 != 1;
        let interval = if is_busy { 12.0 } else { 90.0 };
        let interval = (interval * (1.0 + 20.0 / each.max(0.1))) as u64;
        if allowed > 0 && self.rng.below(interval) == 0 {
            self.deny(now_ns(), now_ns());
        }
        if allowed > 0 && self.change_rng.below(9) == 0 {
            self.change();
        }
        match step % 4800 {
            50 => {
                self.ring.add(Counter::UndoRestores, 1);
                self.ring.add(Counter::UndoRestoredFiles, 3);
            }
            150 => {
                self.ring.add(Counter::UndoEvictedSessions, 1);
                self.ring.add(Counter::UndoEvictedBytes, 7 << 20);
            }
            // A retry storm.
            100 => self.retry(8),
            // A mass deletion.
            200 => (0..260).for_each(|_| self.deny(now_ns(), now_ns())),
            300 => {
                self.ring.add(Counter::PolicyReloads, 1);
                self.ring.set(Counter::PolicyLoadedNs, now_ns());
            }
            _ => {}
        }
        self.ring.add(Counter::Notifications, allowed);
        self.ring
            .set(Counter::LineageEntries, 30 + self.rng.below(12));
        self.ring.set(Counter::ActiveAgents, 1 + self.rng.below(3));
        if step.is_multiple_of(20) {
            self.ring.beat(now_ns());
        }
    }

    /// Denies the same operation repeatedly.
    fn retry(&mut self, times: u64) {
        for _ in 0..times {
            self.denied -= 1;
            self.deny_one(&INCIDENTS[0], now_ns(), now_ns());
        }
    }

    /// An agent changes a file of a zone, which is preserved; a few are too large for that.
    fn change(&mut self) {
        let (program, operation, method, path) = CHANGES[self.change_rng.skewed(CHANGES.len())];
        let is_large = self.change_rng.below(60) == 0;
        let bytes = 40 + self.change_rng.below(60_000);
        let outcome = if is_large {
            PreservationOutcome::Unpreserved(UnpreservedCause::TooLarge)
        } else {
            PreservationOutcome::Preserved(method)
        };
        let is_cut = operation == OperationKind::Write && self.change_rng.below(4) == 0;
        self.ring.add(Counter::UndoStoreBytes, bytes);
        self.ring.add(Counter::UndoStoreFiles, 1);
        self.ring.publish(&DecisionEvent {
            wall_ns: now_ns(),
            monotonic_ns: now_ns(),
            latency_ns: self.change_rng.latency(),
            operation,
            reason: Reason::NotJudged,
            answer: Answer::Continued,
            agent: Some("claude_code"),
            ancestor: Some(b"claude"),
            agent_pid: Some(4000),
            session: self.session.as_bytes(),
            process: process(program, 5000),
            path: path.as_bytes(),
            zone: Some(ZoneRef {
                name: "thesis",
                path: b"/home/ada/thesis",
            }),
            preservation: Some(Preservation {
                outcome,
                bytes: if is_large { 3 << 30 } else { bytes },
                bytes_after: is_cut.then_some(0),
                duration_ns: 4 * self.change_rng.latency(),
            }),
            ..blank()
        });
    }

    fn deny(&mut self, wall_ns: u64, monotonic_ns: u64) {
        let incident = &INCIDENTS[self.rng.skewed(INCIDENTS.len())];
        self.deny_one(incident, wall_ns, monotonic_ns);
    }

    fn deny_one(&mut self, incident: &Incident, wall_ns: u64, monotonic_ns: u64) {
        self.denied += 1;
        let path = incident.path.replace('#', &(self.denied % 97).to_string());
        let is_audit = self.rng.below(40) == 0;
        let trace = TraceContext {
            trace_id: (u128::from(self.rng.next()) << 64 | 1).to_be_bytes(),
            span_id: (self.rng.next() | 1).to_be_bytes(),
            flags: 1,
        };
        let (verdict, reason, answer, errno) = if is_audit {
            (Verdict::Audit, Reason::AuditOnly, Answer::Performed, 0)
        } else {
            (Verdict::Deny, Reason::AgentInZone, Answer::Denied, 1)
        };
        let zone = format!("/home/ada/{}", incident.zone);
        self.ring.publish(&DecisionEvent {
            wall_ns,
            monotonic_ns,
            latency_ns: self.rng.latency(),
            operation: incident.operation,
            verdict,
            reason,
            answer,
            errno,
            agent: Some(incident.agent),
            ancestor: Some(incident.ancestor.as_bytes()),
            agent_pid: Some(4000),
            session: self.session.as_bytes(),
            process: process(incident.program, 5000 + self.denied as u32 % 20_000),
            path: path.as_bytes(),
            destination: incident.destination.map(str::as_bytes),
            zone: Some(ZoneRef {
                name: incident.zone,
                path: zone.as_bytes(),
            }),
            trace: (self.rng.below(3) > 0).then_some(trace),
            ..blank()
        });
    }

    fn allow(&mut self) {
        let (reason, agent, tool, operation) = ALLOWED[self.rng.skewed(ALLOWED.len())];
        let in_zone = !matches!(reason, Reason::OutsideZones | Reason::SystemTemp);
        self.ring.publish(&DecisionEvent {
            wall_ns: now_ns(),
            monotonic_ns: now_ns(),
            latency_ns: self.rng.latency(),
            deadline_left_ns: Some(14_000_000_000 - self.rng.below(2_000_000_000)),
            delivery_delay_us: Some(12),
            operation,
            reason,
            agent,
            session: self.session.as_bytes(),
            tool: tool.map(str::as_bytes),
            zone: in_zone.then_some(ZoneRef {
                name: "thesis",
                path: b"/home/ada/thesis",
            }),
            override_id: (reason == Reason::Override).then_some("out-1"),
            ..blank()
        });
    }
}

// === impl Rng ===

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// An index below `count`, low ones more often.
    fn skewed(&mut self, count: usize) -> usize {
        let unit = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        (unit * unit * count as f64) as usize
    }

    /// About ten microseconds, rarely much more.
    fn latency(&mut self) -> u64 {
        let normal: f64 = (0..6)
            .map(|_| self.below(1000) as f64 / 1000.0)
            .sum::<f64>()
            - 3.0;
        let outlier = if self.below(300) == 0 { 12.0 } else { 1.0 };
        (9_000.0 * (normal * 0.8).exp() * outlier) as u64
    }
}

fn process(program: &'static str, pid: u32) -> ActingProcess<'static> {
    ActingProcess {
        key: ProcessKey { pid, generation: 1 },
        ppid: 4000,
        uid: 1000,
        executable: program.as_bytes(),
        argv0: program.rsplit('/').next().unwrap_or(program).as_bytes(),
    }
}

/// An allowed removal outside zones.
fn blank() -> DecisionEvent<'static> {
    DecisionEvent {
        sequence: 0,
        wall_ns: 0,
        monotonic_ns: 0,
        latency_ns: 0,
        deadline_left_ns: None,
        delivery_delay_us: None,
        operation: OperationKind::Unlink,
        verdict: Verdict::Allow,
        reason: Reason::OutsideZones,
        answer: Answer::Performed,
        errno: 0,
        agent: None,
        ancestor: None,
        agent_pid: None,
        session: b"",
        process: process("/usr/bin/rm", 4999),
        path: b"/tmp/build/main.o",
        destination: None,
        zone: None,
        tool: None,
        override_id: None,
        preservation: None,
        trace: None,
    }
}

const fn incident(
    (agent, ancestor): (&'static str, &'static str),
    operation: OperationKind,
    program: &'static str,
    path: &'static str,
    destination: Option<&'static str>,
    zone: &'static str,
) -> Incident {
    Incident {
        agent,
        ancestor,
        operation,
        program,
        path,
        destination,
        zone,
    }
}

const STEP: Duration = Duration::from_millis(50);
const HOUR_NS: u64 = 3_600_000_000_000;
const SESSIONS: [&str; 4] = [
    "swift-otter-41",
    "calm-heron-17",
    "brave-finch-08",
    "quiet-lynx-63",
];

const CLAUDE: (&str, &str) = ("claude_code", "claude");
const CODEX: (&str, &str) = ("codex", "codex");
const GEMINI: (&str, &str) = ("gemini_cli", "gemini");
const CURSOR: (&str, &str) = ("cursor_agent", "cursor-agent");
const AIDER: (&str, &str) = ("aider", "aider");

const RM: &str = "/usr/bin/rm";
const GIT: &str = "/usr/bin/git";
const NODE: &str = "/usr/bin/node";
const MV: &str = "/usr/bin/mv";
const PYTHON: &str = "/usr/bin/python3";

/// What agents change in kept files; the first are more frequent.
const CHANGES: [(&str, OperationKind, PreservationMethod, &str); 3] = {
    use OperationKind::{Unlink, Write};
    use PreservationMethod::{Copy, Hardlink, Reflink};
    [
        (NODE, Write, Reflink, "/home/ada/thesis/chapters/intro.tex"),
        (GIT, Unlink, Hardlink, "/home/ada/thesis/refs.bib"),
        (PYTHON, Write, Copy, "/home/ada/thesis/data/runs.csv"),
    ]
};

/// The first ones are more frequent.
const INCIDENTS: [Incident; 14] = {
    use OperationKind::{Exchange, Rename, Truncate, Unlink};
    [
        incident(
            CLAUDE,
            Unlink,
            RM,
            "/home/ada/thesis/chapters/draft-#.tex",
            None,
            "thesis",
        ),
        incident(
            CODEX,
            Unlink,
            RM,
            "/home/ada/photos/2019/lisbon-#.jpg",
            None,
            "photos",
        ),
        incident(
            CLAUDE,
            Rename,
            MV,
            "/home/ada/thesis/figures/plot-#.svg",
            Some("/tmp/old/plot.svg"),
            "thesis",
        ),
        incident(
            CODEX,
            Unlink,
            PYTHON,
            "/home/ada/thesis/data/run-#.csv",
            None,
            "thesis",
        ),
        incident(
            GEMINI,
            Unlink,
            RM,
            "/home/ada/photos/raw/IMG_#.CR3",
            None,
            "photos",
        ),
        incident(
            CLAUDE,
            Unlink,
            "/usr/bin/find",
            "/home/ada/ledger/2024/invoice-#.pdf",
            None,
            "ledger",
        ),
        incident(
            CODEX,
            Rename,
            MV,
            "/home/ada/ledger/accounts-#.ods",
            Some("/home/ada/Desktop/accounts.ods"),
            "ledger",
        ),
        incident(
            CURSOR,
            Truncate,
            "/usr/bin/bash",
            "/home/ada/thesis/bibliography-#.bib",
            None,
            "thesis",
        ),
        incident(
            AIDER,
            Unlink,
            PYTHON,
            "/home/ada/photos/albums/album-#.json",
            None,
            "photos",
        ),
        incident(
            GEMINI,
            Rename,
            MV,
            "/home/ada/thesis/appendix-#.tex",
            Some("/var/tmp/appendix.tex"),
            "thesis",
        ),
        incident(
            CURSOR,
            Unlink,
            RM,
            "/home/ada/ledger/receipts/scan-#.png",
            None,
            "ledger",
        ),
        incident(
            CLAUDE,
            Exchange,
            "/usr/bin/renameat2",
            "/home/ada/thesis/main-#.tex",
            Some("/tmp/main.tex"),
            "thesis",
        ),
        incident(
            AIDER,
            Rename,
            "/usr/bin/git-mv",
            "/home/ada/photos/best-#",
            Some("/home/ada/Trash-to-be"),
            "photos",
        ),
        // A hostile name.
        incident(
            CODEX,
            Unlink,
            RM,
            "/home/ada/photos/<img src=x onerror=\"alert('#')\">\u{202e}gpj.exe",
            None,
            "photos",
        ),
    ]
};

type Allowed = (
    Reason,
    Option<&'static str>,
    Option<&'static str>,
    OperationKind,
);

const ALLOWED: [Allowed; 11] = {
    use OperationKind::{Rename, Unlink};
    [
        (Reason::OutsideZones, None, None, Unlink),
        (Reason::OutsideZones, None, None, Rename),
        (Reason::Human, None, None, Unlink),
        (
            Reason::TrustedTool,
            Some("claude_code"),
            Some("git"),
            Unlink,
        ),
        (Reason::Replaced, Some("codex"), None, Rename),
        (Reason::Scratch, Some("claude_code"), None, Unlink),
        (Reason::TrustedTool, Some("codex"), Some("cargo"), Unlink),
        (Reason::SystemTemp, Some("gemini_cli"), None, Unlink),
        (Reason::WithinZones, Some("cursor_agent"), None, Rename),
        (Reason::TrustedTool, Some("aider"), Some("npm"), Unlink),
        (Reason::Override, Some("codex"), None, Unlink),
    ]
};
