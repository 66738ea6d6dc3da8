//! Rings, exporter processes, and waiting for conditions with a deadline.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

pub mod events;
pub mod openmetrics;
pub mod schema;

pub use guard_testing::wait::{DEADLINE, eventually};

use guard_core::event::{DecisionEvent, TraceContext};
use guard_core::ring::{Producer, RingOptions};
use guard_core::verdict::{Answer, Reason, Verdict};
use guard_testing::events::DENIAL;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;

/// A state directory with an empty `rings`.
pub struct Home {
    dir: TempDir,
}

/// A running exporter; killed when dropped.
pub struct Exporter {
    pub child: Child,
    state: PathBuf,
}

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_guard-exporter");

// === impl Home ===

impl Home {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir.path().join("rings"))
            .unwrap();
        Self { dir }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn ring_path(&self, id: u8) -> PathBuf {
        self.path(&format!("rings/{id}.ring"))
    }

    /// A ring whose id is 16 times `id`.
    pub fn ring(&self, id: u8, words: usize) -> Producer {
        let options = RingOptions {
            id: [id; 16],
            deny_words: words,
            allow_words: words,
            change_words: words,
            ..RingOptions::default()
        };
        Producer::create(&self.ring_path(id), &options).unwrap()
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(self.arguments("127.0.0.1:0"));
        command
    }

    pub fn arguments(&self, listen: &str) -> Vec<String> {
        let path = |name| self.path(name).to_str().unwrap().to_owned();
        let options = [
            ("--state", path("")),
            ("--rings", path("rings")),
            ("--listen", listen.into()),
        ];
        options
            .into_iter()
            .flat_map(|(name, value)| [name.to_owned(), value])
            .collect()
    }

    pub fn start(&self) -> Exporter {
        self.spawn(&mut self.command())
    }

    pub fn spawn(&self, command: &mut Command) -> Exporter {
        let command = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        Exporter {
            child: command.spawn().unwrap(),
            state: self.dir.path().to_owned(),
        }
    }

    /// The (ring, number) of each line of the denial log, oldest file first. Every line must be
    /// whole, and every file below its limit.
    pub fn logged(&self) -> Vec<(String, u64)> {
        let mut found = Vec::new();
        for path in self.log_files() {
            let name = path.display();
            let Ok(text) = fs::read_to_string(&path) else {
                continue;
            };
            assert!(text.len() < 1_000_000, "{name} has {} bytes", text.len());
            assert!(
                text.is_empty() || text.ends_with('\n'),
                "{name} ends amid a line"
            );
            for line in text.lines() {
                let value: serde_json::Value = serde_json::from_str(line).unwrap();
                found.push((
                    value["ring"].as_str().unwrap().to_owned(),
                    value["seq"].as_u64().unwrap(),
                ));
            }
        }
        found
    }

    /// The numbers logged of one ring.
    pub fn logged_of(&self, id: u8) -> Vec<u64> {
        let id = format!("{id:02x}").repeat(16);
        self.logged()
            .into_iter()
            .filter(|(ring, _)| *ring == id)
            .map(|(_, seq)| seq)
            .collect()
    }

    /// Lines in the log, which may be being rotated.
    pub fn lines(&self) -> usize {
        let bytes = self.log_files().filter_map(|path| fs::read(path).ok());
        bytes
            .map(|bytes| bytes.iter().filter(|&&byte| byte == b'\n').count())
            .sum()
    }

    /// Bytes in the log.
    pub fn bytes(&self) -> u64 {
        self.log_files()
            .filter_map(|path| fs::metadata(path).ok())
            .map(|file| file.len())
            .sum()
    }

    /// Oldest first.
    fn log_files(&self) -> impl Iterator<Item = PathBuf> {
        let older = (1..=8)
            .rev()
            .map(|number| self.path(&format!("denials.jsonl.{number}")));
        older.chain([self.path("denials.jsonl")])
    }
}

// === impl Exporter ===

impl Exporter {
    /// Where it listens, once it does.
    pub fn address(&self) -> SocketAddr {
        let path = self.state.join("exporter.json");
        let pid = u64::from(self.child.id());
        let mut found = None;
        eventually("the exporter listens", || {
            let json = fs::read(&path).unwrap_or_default();
            let json: serde_json::Value = serde_json::from_slice(&json).unwrap_or_default();
            found = json["address"]
                .as_str()
                .filter(|_| json["pid"] == pid)
                .map(str::to_owned);
            found.is_some()
        });
        found.unwrap().parse().unwrap()
    }

    /// Status and body of a GET.
    pub fn get(&self, path: &str) -> (u16, String) {
        let (head, body) = request(
            self.address(),
            &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
        );
        (status(&head), body)
    }

    /// The value of a series, such as `guard_up` or `name{label="value"}`; `None` when there is
    /// none.
    pub fn metric(&self, series: &str) -> Option<f64> {
        let (status, body) = self.get("/metrics");
        assert_eq!(status, 200);
        let line = |line: &str| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok();
        body.lines().find_map(line)
    }

    /// Waits until a series has this value. What was not read at the same time as what a test has
    /// waited for is waited for as well: series of one scrape are not of one instant, and a scrape may
    /// be some milliseconds old.
    #[track_caller]
    pub fn await_metric(&self, series: &str, value: f64) {
        eventually(&format!("{series} is {value}"), || {
            self.metric(series) == Some(value)
        });
    }

    /// The next line of its log, without the newline.
    pub fn next_message(&mut self) -> String {
        let stderr = self.child.stderr.as_mut().unwrap();
        let (mut line, mut byte) = (Vec::new(), [0]);
        // Unbuffered: what follows the line stays for `wait`.
        while stderr.read_exact(&mut byte).is_ok() && byte != *b"\n" {
            line.extend(byte);
        }
        String::from_utf8(line).unwrap()
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([&format!("-{name}"), &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Ends it with SIGTERM; it must exit with 0. Returns its log.
    pub fn terminate(self) -> String {
        self.signal("TERM");
        let output = self.wait();
        let messages = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{messages}");
        messages
    }

    pub fn wait(mut self) -> Output {
        eventually("the exporter ends", || {
            self.child.try_wait().unwrap().is_some()
        });
        let mut stderr = Vec::new();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_end(&mut stderr)
            .unwrap();
        Output {
            status: self.child.wait().unwrap(),
            stdout: Vec::new(),
            stderr,
        }
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Head and body of the answer to these bytes.
pub fn request(address: SocketAddr, bytes: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(bytes.as_bytes()).unwrap();
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    (head.to_owned(), body.to_owned())
}

/// The status in an answer's head; 0 when there is none.
pub fn status(head: &str) -> u16 {
    head.split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0)
}

/// A denial with every field set, long after the one before: it repeats none.
pub fn denial() -> DecisionEvent<'static> {
    DecisionEvent {
        monotonic_ns: later(),
        trace: Some(TraceContext {
            trace_id: [0xab; 16],
            span_id: [0xcd; 8],
            flags: 1,
        }),
        ..DENIAL
    }
}

/// An allowed operation of a human.
pub fn allowed() -> DecisionEvent<'static> {
    DecisionEvent {
        verdict: Verdict::Allow,
        reason: Reason::Human,
        answer: Answer::Continued,
        errno: 0,
        agent: None,
        ancestor: None,
        agent_pid: None,
        trace: None,
        ..denial()
    }
}

/// Publishes an event so many times, each long after the one before.
pub fn publish(producer: &Producer, event: &DecisionEvent<'_>, times: u64) {
    for _ in 0..times {
        producer.publish(&DecisionEvent {
            monotonic_ns: later(),
            ..*event
        });
    }
}

/// Publishes an event so many times at once.
pub fn publish_at_once(producer: &Producer, event: &DecisionEvent<'_>, times: u64) {
    for _ in 0..times {
        producer.publish(event);
    }
}

/// A time of the guards' clock, two hours after the one before.
pub fn later() -> u64 {
    static STEPS: AtomicU64 = AtomicU64::new(1);
    STEPS.fetch_add(1, Ordering::Relaxed) * 2 * 3600 * 1_000_000_000
}

/// Pseudo-random numbers, the same in each run (xorshift).
pub struct Rng(pub u64);

impl Rng {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// A listener whose port the system gives to nobody by itself, so that it can be closed and bound
/// again.
pub fn listener() -> TcpListener {
    let first = u64::from(std::process::id()) * 7;
    let ports = (first..).map(|number| u16::try_from(20_000 + number % 10_000).unwrap());
    let mut listeners = ports.map(|port| TcpListener::bind(("127.0.0.1", port)));
    listeners.find_map(Result::ok).unwrap()
}

/// The whole lines of a file that may be being written; none when there is no file.
pub fn whole_lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines = text.split_inclusive('\n');
    lines
        .filter_map(|line| line.strip_suffix('\n').map(str::to_owned))
        .collect()
}

pub fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
