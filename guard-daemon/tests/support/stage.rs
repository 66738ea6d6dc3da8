//! A home of its own for each test, and the guard's program in it.
//!
//! The environment is empty but for `HOME`, `PATH` and `LANG`, and `XDG_RUNTIME_DIR`, which lies in
//! the home, so that nothing is left behind elsewhere. When a stage goes, so do the exporter that a
//! session started in it, and all files.

use super::users::User;
use guard_core::ring::{Counter, Lane, Reader};
pub(crate) use guard_testing::wait::{DEADLINE, eventually};
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A user's home with a directory `zone` that holds the file `keep`, and a directory `out`.
#[derive(Debug)]
pub(crate) struct Stage {
    top: TempDir,
    user: User,
}

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Done {
    /// Its exit status; 128 and more for signals, as shells have it.
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// An event of a ring, as far as tests ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) verdict: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) path: PathBuf,
}

// === impl Stage ===

impl Stage {
    pub(crate) fn new(user: User) -> Self {
        Self::within(Path::new("/tmp"), user)
    }

    /// A stage in this directory.
    pub(crate) fn within(parent: &Path, user: User) -> Self {
        let top = tempfile::Builder::new()
            .prefix("es-guard-")
            .permissions(Permissions::from_mode(0o755))
            .tempdir_in(parent)
            .unwrap();
        user.own(top.path());
        let stage = Self { top, user };
        for name in ["runtime", "out", "zone"] {
            stage.directory(name);
        }
        stage.file("zone/keep", "what must be kept\n");
        stage
    }

    /// A stage with this policy.
    pub(crate) fn with_policy(user: User, policy: &str) -> Self {
        let stage = Self::new(user);
        stage.directory(".codex");
        stage.file(POLICY, policy);
        stage
    }

    pub(crate) fn user(&self) -> User {
        self.user
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.top.path().join(name)
    }

    pub(crate) fn exists(&self, name: impl AsRef<Path>) -> bool {
        self.path(name).symlink_metadata().is_ok()
    }

    pub(crate) fn directory(&self, name: impl AsRef<Path>) {
        fs::create_dir(self.path(&name)).unwrap();
        self.user.own(&self.path(name));
    }

    pub(crate) fn file(&self, name: impl AsRef<Path>, text: impl AsRef<[u8]>) {
        fs::write(self.path(&name), text).unwrap();
        self.user.own(&self.path(name));
    }

    /// Puts a whole new file in a file's place, at once.
    pub(crate) fn replace(&self, name: &str, text: impl AsRef<[u8]>) {
        let fresh = format!("{name}.fresh");
        self.file(&fresh, text);
        fs::rename(self.path(fresh), self.path(name)).unwrap();
    }

    /// The text of a file; nothing when it is not there.
    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// The guard's program with these arguments.
    pub(crate) fn guard<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = self.command(self.program());
        command.args(arguments);
        command
    }

    /// Any program.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.user.command(program);
        command
            .env("HOME", self.top.path())
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LANG", "C")
            .env("XDG_RUNTIME_DIR", self.path("runtime"))
            .current_dir(self.top.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the guard's program to its end.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Done {
        finish(self.guard(arguments).spawn().unwrap())
    }

    /// The guard's program, where this user reaches it: a build directory may be private.
    pub(crate) fn program(&self) -> PathBuf {
        let built = Path::new(env!("CARGO_BIN_EXE_codex-es-guard"));
        if self.user != User::Ordinary {
            return built.to_owned();
        }
        let copy = self.path("codex-es-guard");
        if !copy.exists() {
            copy_program(built, &copy);
        }
        copy
    }

    /// The sum of a counter over the rings of live guards.
    pub(crate) fn counter(&self, counter: Counter) -> u64 {
        let live = self.rings().into_iter().filter(Reader::is_writer_alive);
        live.map(|ring| ring.counter(counter)).sum()
    }

    /// When a live guard last published its state, wall clock nanoseconds.
    pub(crate) fn heartbeat(&self) -> u64 {
        let beats = self.rings().into_iter().map(|ring| ring.heartbeat_ns());
        beats.max().unwrap_or(0)
    }

    /// What the rings hold of a lane.
    pub(crate) fn events(&self, lane: Lane) -> Vec<Event> {
        let mut found = Vec::new();
        for mut ring in self.rings() {
            while let Some(event) = ring.next(lane) {
                found.push(Event {
                    verdict: event.verdict.as_str(),
                    reason: event.reason.as_str(),
                    path: PathBuf::from(OsStr::from_bytes(event.path)),
                });
            }
        }
        found
    }

    /// How long each decision of a lane took, nanoseconds, the oldest first; fails if one was lost.
    pub(crate) fn latencies(&self, lane: Lane) -> Vec<u64> {
        let mut found = Vec::new();
        for mut ring in self.rings() {
            while let Some(event) = ring.next(lane) {
                found.push(event.latency_ns);
            }
            assert_eq!(ring.lost(lane), 0, "{}", lane.as_str());
        }
        found
    }

    /// The steps of requests that the rings hold, each with its agent and its number of denials.
    pub(crate) fn steps(&self) -> Vec<(&'static str, Option<String>, u64)> {
        let mut found = Vec::new();
        for mut ring in self.rings() {
            while let Some(event) = ring.next_request() {
                let agent = event.agent.map(str::to_owned);
                found.push((event.step.as_str(), agent, event.denials));
            }
        }
        found
    }

    fn rings(&self) -> Vec<Reader> {
        let entries = [".codex/es-guard/rings", "runtime/codex-es-guard/rings"]
            .into_iter()
            .filter_map(|dir| fs::read_dir(self.path(dir)).ok())
            .flatten();
        // Opening a pipe would wait for its other end.
        let is_file = |path: &PathBuf| path.symlink_metadata().is_ok_and(|found| found.is_file());
        entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(is_file)
            .filter_map(|path| Reader::attach(&path).ok())
            .collect()
    }

    /// The exporters that sessions started here.
    pub(crate) fn exporters(&self) -> Vec<u32> {
        let state = self.path(".codex/es-guard").into_os_string();
        let is_of_here = |pid: &u32| {
            let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let mut words = words.split(|&byte| byte == 0);
            words
                .next()
                .is_some_and(|name| name.ends_with(b"guard-exporter"))
                && words.any(|word| word == state.as_bytes())
        };
        let names = fs::read_dir("/proc")
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        let pids = names.filter_map(|name| name.to_str()?.parse().ok());
        pids.filter(is_of_here).collect()
    }

    /// Ends the exporters that sessions started here.
    pub(crate) fn kill_exporters(&self) {
        eventually("the exporters are gone", || {
            for pid in self.exporters() {
                let _it_may_be_gone = Command::new("kill")
                    .args(["-KILL", &pid.to_string()])
                    .status();
            }
            self.exporters().is_empty()
        });
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // A supervisor may still be writing its last words, and an exporter its first.
        let gone = || {
            self.kill_exporters();
            !self.rings().iter().any(Reader::is_writer_alive)
                && (fs::remove_dir_all(self.top.path()).is_ok() || !self.top.path().exists())
        };
        if std::thread::panicking() {
            let _first_failure_counts = holds_within(Duration::from_secs(5), gone);
        } else {
            eventually("the stage is empty", gone);
        }
    }
}

// === impl Done ===

impl Done {
    /// Fails unless it ended with `code` and said all of this on standard error.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, says: &[&str]) {
        assert_eq!(self.code, code, "{self:#?}");
        for text in says {
            assert!(self.stderr.contains(text), "`{text}` is not in {self:#?}");
        }
    }
}

// === impl From<Output> for Done ===

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        use std::os::unix::process::ExitStatusExt;
        let status = output.status;
        let by_signal = || 128 + status.signal().unwrap();
        Self {
            code: status.code().unwrap_or_else(by_signal),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Copies a program to be run. Another process writes it: what this one has open for writing, a
/// child of another thread may hold open, too, and nobody may run it for that long.
pub(crate) fn copy_program(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg(from).arg(to).status();
    assert!(copied.unwrap().success());
}

/// Notes that something cannot be tried here.
pub(crate) fn left_out(what: &str) {
    // Past the harness, which shows what a test prints only when it fails.
    let mut stderr = std::io::stderr();
    writeln!(stderr, "left out: {what}").unwrap();
}

/// Waits for the end of a program; one that does not end fails the test.
pub(crate) fn finish(child: Child) -> Done {
    let pid = child.id();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    if let Ok(output) = receiver.recv_timeout(DEADLINE) {
        return output.unwrap().into();
    }
    let _gone = Command::new("kill")
        .args(["-KILL", &pid.to_string()])
        .status();
    panic!("process {pid} does not end");
}

fn holds_within(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if holds() {
            return true;
        }
        if start.elapsed() > limit {
            return false;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// The policy, relative to a home.
pub(crate) const POLICY: &str = ".codex/es_policy.json";
