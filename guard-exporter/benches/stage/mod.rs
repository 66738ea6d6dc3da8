//! What the benches share: events, an exporter process in a directory of its own, and medians.
#![allow(dead_code, unreachable_pub, reason = "each bench uses its part")]

use guard_core::OperationKind;
use guard_core::event::{ActingProcess, DecisionEvent, ZoneRef};
use guard_core::process::ProcessKey;
use guard_core::ring::{Counter, Producer, RingOptions};
use guard_core::verdict::{Answer, Reason, Verdict};
use guard_testing::events::DENIAL;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A build removing one of its own files.
pub const ALLOWED: DecisionEvent<'_> = DecisionEvent {
    wall_ns: 1_760_000_000_000_000_000,
    monotonic_ns: 86_400_000_000_000,
    latency_ns: 900,
    operation: OperationKind::Unlink,
    verdict: Verdict::Allow,
    reason: Reason::TrustedTool,
    answer: Answer::Performed,
    errno: 0,
    agent_pid: Some(41_000),
    session: b"swift-otter-41",
    process: ActingProcess {
        key: ProcessKey {
            pid: 41_337,
            generation: 8_640_000,
        },
        ppid: 41_330,
        uid: 1000,
        executable: b"/usr/bin/cargo",
        argv0: b"cargo",
    },
    path: b"/home/user/project/target/debug/deps/guard_core-40da9d075f015f52.d",
    destination: None,
    zone: Some(ZoneRef {
        name: "project",
        path: b"/home/user/project",
    }),
    tool: Some(b"cargo"),
    trace: None,
    ..DENIAL
};

/// An agent moving a protected file away.
pub const DENIED: DecisionEvent<'_> = DecisionEvent {
    operation: OperationKind::Rename,
    verdict: Verdict::Deny,
    reason: Reason::AgentInZone,
    answer: Answer::Denied,
    errno: 1,
    path: b"/home/user/project/src/ring/memory.rs",
    destination: Some(b"/tmp/claude-1000/discarded/memory.rs"),
    tool: None,
    trace: DENIAL.trace,
    ..ALLOWED
};

/// A state directory with rings.
pub struct Home {
    dir: TempDir,
}

/// An exporter process; killed when dropped.
pub struct Exporter {
    pub child: Child,
    pub address: SocketAddr,
}

// === impl Home ===

impl Home {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::DirBuilder::new()
            .mode(0o700)
            .create(dir.path().join("rings"))
            .unwrap();
        Self { dir }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A guard's ring of the default size.
    pub fn ring(&self, id: u8) -> Producer {
        let options = RingOptions {
            id: [id; 16],
            ..RingOptions::default()
        };
        let ring = Producer::create(&self.path(&format!("rings/{id}.ring")), &options).unwrap();
        ring.set(Counter::EnforcementActive, 1);
        ring.set(Counter::PolicyOk, 1);
        ring
    }

    /// An exporter that listens; its log goes to `stderr`.
    pub fn exporter(&self, stderr: Stdio) -> Exporter {
        let child = self.spawn(stderr);
        let address = announced(&self.path("exporter.json"), child.id());
        Exporter { child, address }
    }

    pub fn spawn(&self, stderr: Stdio) -> Child {
        Command::new(env!("CARGO_BIN_EXE_guard-exporter"))
            .args(["--listen", "127.0.0.1:0", "--state"])
            .arg(self.dir.path())
            .arg("--rings")
            .arg(self.path("rings"))
            .stdin(Stdio::null())
            .stderr(stderr)
            .spawn()
            .unwrap()
    }
}

// === impl Exporter ===

impl Exporter {
    /// The value of a series of `/metrics`.
    pub fn metric(&self, series: &str) -> Option<f64> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let asked = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(asked.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let value = |line: &str| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok();
        text.lines().find_map(value)
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Publishes an event so many times.
pub fn publish(ring: &Producer, event: &DecisionEvent<'_>, times: u64) {
    for _ in 0..times {
        ring.publish(event);
    }
}

/// Waits for a condition.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "timed out: {what}");
        thread::park_timeout(Duration::from_millis(1));
    }
}

/// The median.
pub fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn announced(path: &Path, pid: u32) -> SocketAddr {
    let mut found = None;
    until("the exporter listens", || {
        let json = fs::read(path).unwrap_or_default();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap_or_default();
        let address = json["address"].as_str().filter(|_| json["pid"] == pid);
        found = address.and_then(|address| address.parse().ok());
        found.is_some()
    });
    found.unwrap()
}
