//! Whoever starts a command under guard, and the command itself, cannot distinguish that from starting it
//! plainly: status, signals, terminal, environment, descriptors, processes, speed of interruption.
//!
//! What the guard adds (a parent it did not have, a filter that stays with it) is not compared.
#![cfg(target_os = "linux")]
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "a test binary"
)]
#![allow(unreachable_pub, reason = "modules of one test program")]

mod crowd;
mod endings;
mod inheritance;
mod leftovers;
#[path = "../support/program.rs"]
mod program;
#[path = "../support/pty.rs"]
mod pty;
mod terminal;
mod tools;
mod tracing;

use std::env;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A home, a zone in it, and programs that its user can reach.
#[derive(Debug)]
pub struct Place {
    /// Removed with everything in it.
    dir: TempDir,
    /// The zone; the working directory of what is started here.
    pub zone: PathBuf,
    guard: PathBuf,
    user: Option<u32>,
}

/// Takes back what the tester ignores (`nohup`, a shell's background job): programs inherit it, and
/// would not do what the tests want to see.
fn hear_every_signal() {
    for signal in [
        libc::SIGHUP,
        libc::SIGINT,
        libc::SIGQUIT,
        libc::SIGTERM,
        libc::SIGUSR1,
        libc::SIGUSR2,
        libc::SIGALRM,
        libc::SIGCHLD,
        libc::SIGTSTP,
        libc::SIGTTIN,
        libc::SIGTTOU,
    ] {
        // SAFETY: the default is no function of this process, which sets no handlers.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

// === impl Place ===

impl Place {
    /// A place of the user who runs the tests.
    #[allow(
        clippy::new_without_default,
        reason = "it copies a program and makes directories"
    )]
    pub fn new() -> Self {
        Self::of(None)
    }

    /// A place of an ordinary user.
    pub fn of(user: Option<u32>) -> Self {
        hear_every_signal();
        let dir = tempfile::Builder::new()
            .prefix("es-guard-transparency-")
            .tempdir_in("/tmp");
        let dir = dir.expect("/tmp is everybody's");
        fs::set_permissions(&dir, Permissions::from_mode(0o755)).expect("it is ours");
        let guard = dir.path().join("codex-es-guard");
        let zone = dir.path().join("home/zone");
        fs::create_dir_all(&zone).expect("the name is free");
        program::copy(env!("CARGO_BIN_EXE_codex-es-guard"), &guard);
        if user.is_some() {
            for path in [&zone, &dir.path().join("home")] {
                std::os::unix::fs::chown(path, user, user).expect("this is the superuser");
            }
        }
        Self {
            dir,
            zone,
            guard,
            user,
        }
    }

    /// A program, run as it is.
    pub fn bare(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.dir.path().join("home"))
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LANG", "C")
            .env("TERM", "xterm")
            .current_dir(&self.zone)
            .stdin(Stdio::null());
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command
    }

    /// A program, run under guard, as a human's.
    pub fn guarded(&self, program: impl AsRef<OsStr>) -> Command {
        self.run(&[], program.as_ref())
    }

    /// A program, run under guard, as an agent.
    pub fn agents(&self, program: impl AsRef<OsStr>) -> Command {
        self.run(&["--agent", "codex"], program.as_ref())
    }

    fn run(&self, options: &[&str], program: &OsStr) -> Command {
        let mut command = self.bare(&self.guard);
        command
            .args(["run", "--quiet", "--no-exporter", "--protect"])
            .arg(&self.zone);
        command.args(options).arg("--").arg(program);
        command
    }

    /// The guard's command line up to the program, for a shell.
    pub fn guarded_words(&self) -> String {
        let (guard, zone) = (self.guard.display(), self.zone.display());
        format!("{guard} run --quiet --no-exporter --protect {zone} --")
    }

    /// This test program as a program to be guarded, for [`playing`].
    pub fn actor(&self) -> PathBuf {
        let program = self.dir.path().join("actor");
        if !program.exists() {
            let this = env::current_exe().expect("/proc is mounted");
            program::copy(this, &program);
        }
        program
    }

    /// A file in the zone.
    pub fn keep(&self, name: &str) -> PathBuf {
        let path = self.zone.join(name);
        fs::write(&path, name).expect("the zone is there");
        std::os::unix::fs::chown(&path, self.user, self.user).expect("it is ours");
        path
    }
}

/// A command on [`Place::actor`], to play the part of `test` that is under observation.
pub fn playing(mut command: Command, test: &str) -> Command {
    command
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(ACTING, "1");
    command
}

/// Whether this process is the one under observation.
pub fn is_acting() -> bool {
    env::var_os(ACTING).is_some()
}

/// Runs `test` for the user who runs the tests, and as the superuser for an ordinary one as well.
pub fn for_users(test: impl Fn(Place)) {
    test(Place::new());
    // SAFETY: no preconditions.
    if unsafe { libc::geteuid() } == 0 {
        test(Place::of(Some(ORDINARY)));
    }
}

/// Runs a command to its end; panics with its output unless it succeeds.
pub fn succeed(command: &mut Command) -> String {
    let output = command.output().expect("the program exists");
    let output_text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{output_text}\n{errors}",
        output.status
    );
    output_text
}

/// Sends a signal to a process that a test started.
pub fn kill(pid: i32, signal: i32) {
    // SAFETY: no memory is involved.
    let sent = unsafe { libc::kill(pid, signal) };
    assert_eq!(sent, 0, "kill {pid}: {}", std::io::Error::last_os_error());
}

/// Whether a program is installed; says so if not.
pub fn is_installed(program: &str) -> bool {
    let found = Command::new("which")
        .arg(program)
        .output()
        .is_ok_and(|out| out.status.success());
    #[allow(clippy::print_stderr, reason = "a part that is left out is said to be")]
    if !found {
        eprintln!("note: {program} is not installed; nothing to see");
    }
    found
}

const ACTING: &str = "TRANSPARENCY_ACTOR";

/// Any user that is not the superuser and owns nothing.
const ORDINARY: u32 = 12345;
