//! The guard is transparent to the calls it is notified of: the same sequence of file operations, with
//! and without it, returns the same values and the same errors and leaves the same tree.
//!
//! Each test starts this program again as the one under observation (see [`ACTOR`]): once bare,
//! and in guarded sessions that all must let every call through, each by another rule. As the
//! superuser every test runs for an ordinary user as well.
#![cfg(target_os = "linux")]
#![allow(clippy::tests_outside_test_module, reason = "a test binary")]
#![allow(unreachable_pub, reason = "modules of one test program")]

mod calls;
mod files;
mod house;
mod identity;
mod names;
mod paths;
#[path = "../support/program.rs"]
mod program;
mod stage;

use identity::is_root;
use stage::Act;
use std::env;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

#[test]
fn calls_on_one_name_are_alike() {
    compare(
        "calls_on_one_name_are_alike",
        &[("alone", names::alone), ("flags", names::flags)],
    );
}

#[test]
fn calls_on_two_names_are_alike() {
    compare("calls_on_two_names_are_alike", &[("paired", names::paired)]);
}

#[test]
fn paths_begin_and_end_alike() {
    compare(
        "paths_begin_and_end_alike",
        &[
            ("descriptors", paths::descriptors),
            ("magic", paths::magic),
            ("lengths", paths::lengths),
            ("depth", paths::depth),
            ("nowhere", paths::nowhere),
            ("memory", paths::memory),
            ("threads", paths::threads),
        ],
    );
}

#[test]
fn what_the_kernel_refuses_stays_refused() {
    compare(
        "what_the_kernel_refuses_stays_refused",
        &[
            ("users", identity::users),
            ("capabilities", identity::capabilities),
            ("roots", identity::roots),
            ("namespaces", identity::namespaces),
            ("user_namespace", identity::user_namespace),
            ("landlock", identity::landlock),
            ("immutable", files::immutable),
        ],
    );
}

#[test]
fn files_and_programs_are_alike() {
    compare(
        "files_and_programs_are_alike",
        &[
            ("opened", files::opened),
            ("umask", files::umask),
            ("special", files::special),
            ("programs", files::programs),
        ],
    );
}

/// The actor's part when this is the actor, else the comparison.
fn compare(test: &str, acts: &[Act]) {
    if env::var_os(BUILDER).is_some_and(|builder| builder.is_empty()) {
        let listener = std::io::stdin()
            .as_fd()
            .try_clone_to_owned()
            .expect("the driver's socket");
        return house::build_for(&listener.into());
    }
    if let [Some(dir), Some(elsewhere), Some(builder)] =
        [ACTOR, ELSEWHERE, BUILDER].map(|name| env::var_os(name).map(PathBuf::from))
    {
        return stage::perform(&dir, &elsewhere, &builder, acts);
    }
    let theatre = Theatre::new();
    let users: &[Option<u32>] = if is_root() {
        &[None, Some(ORDINARY)]
    } else {
        &[None]
    };
    for &user in users {
        let bare = theatre.run(test, Rule::Bare, user, acts);
        assert!(
            bare.iter().any(|line| line.contains(": 0")),
            "nothing succeeds: {bare:#?}"
        );
        for rule in [Rule::OutsideZones, Rule::Human, Rule::AgentOutside] {
            let guarded = theatre.run(test, rule, user, acts);
            assert_alike(&bare, &guarded, rule, user);
        }
    }
}

fn assert_alike(bare: &[String], guarded: &[String], rule: Rule, user: Option<u32>) {
    let longer = bare.len().max(guarded.len());
    let line = |lines: &[String], index: usize| lines.get(index).cloned().unwrap_or_default();
    let unlike: Vec<_> = (0..longer)
        .map(|index| (line(bare, index), line(guarded, index)))
        .filter(|(bare, guarded)| bare != guarded)
        .collect();
    let first: String = unlike
        .iter()
        .take(SHOWN)
        .map(|(bare, guarded)| format!("\n   bare {bare}\nguarded {guarded}\n"))
        .collect();
    assert!(
        unlike.is_empty(),
        "{} of {longer} results differ under {rule:?}, user {user:?}; the first:\n{first}",
        unlike.len()
    );
}

/// Why the guard lets the actor's calls through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// There is no guard.
    Bare,
    /// They touch no zone.
    OutsideZones,
    /// They are in a zone, and nobody's but a human's.
    Human,
    /// They are an agent's, and touch no zone.
    AgentOutside,
}

/// Where the actor's trees are, and the programs that ordinary users can reach.
struct Theatre {
    /// In memory: the trees are built a few thousand times.
    dir: TempDir,
    /// On another file system.
    other: TempDir,
    guard: PathBuf,
    actor: PathBuf,
}

// === impl Theatre ===

impl Theatre {
    fn new() -> Self {
        let public = |parent: &str| {
            let dir = tempfile::Builder::new()
                .prefix("es-guard-parity-")
                .tempdir_in(parent);
            let dir = dir.expect("the directory is everybody's");
            fs::set_permissions(&dir, Permissions::from_mode(0o755)).expect("it is ours");
            dir
        };
        let (dir, other) = (public("/dev/shm"), public("/tmp"));
        let copy = |from: &Path, name: &str| {
            let to = other.path().join(name);
            program::copy(from, &to);
            to
        };
        let guard = copy(
            Path::new(env!("CARGO_BIN_EXE_codex-es-guard")),
            "codex-es-guard",
        );
        let actor = copy(&env::current_exe().expect("/proc is mounted"), "actor");
        Self {
            guard,
            actor,
            dir,
            other,
        }
    }

    /// Runs the acts under a rule, as a user, and returns their records.
    fn run(&self, test: &str, rule: Rule, user: Option<u32>, acts: &[Act]) -> Vec<String> {
        // Names of one length: some acts count bytes.
        let name = format!("{}-{:05}", rule as u8, user.unwrap_or(0));
        let base = self.dir.path().join(&name);
        let elsewhere = self.other.path().join(&name);
        let (home, run, zone) = (base.join("home"), base.join("run"), base.join("zone"));
        for dir in [&base, &elsewhere, &home, &run, &zone] {
            fs::create_dir(dir).expect("the name is free");
        }
        for (owned, mode) in [("sticky", 0o1777), ("foreign", 0o755)] {
            fs::create_dir(base.join(owned)).expect("the name is free");
            fs::create_dir(base.join(owned).join("dir")).expect("the name is free");
            fs::write(base.join(owned).join("kept"), owned).expect("it was just made");
            let mode = Permissions::from_mode(mode);
            fs::set_permissions(base.join(owned), mode).expect("it is ours");
        }
        if user.is_some() {
            for dir in [&elsewhere, &home, &run, &zone] {
                std::os::unix::fs::chown(dir, user, user).expect("this is the superuser");
            }
        }
        let socket = base.join("builder");
        let listener = UnixListener::bind(&socket).expect("the name is free");
        fs::set_permissions(&socket, Permissions::from_mode(0o777)).expect("it is ours");
        let mut builder = self.actor_command(None);
        builder
            .stdin(OwnedFd::from(listener))
            .stdout(Stdio::null())
            .env(BUILDER, "");
        let mut actor = match rule {
            Rule::Bare => self.actor_command(None),
            Rule::OutsideZones => self.actor_command(Some(&["--protect".as_ref(), zone.as_ref()])),
            Rule::Human => self.actor_command(Some(&["--protect".as_ref(), base.as_ref()])),
            Rule::AgentOutside => {
                let agent = ["--agent".as_ref(), "codex".as_ref()];
                self.actor_command(Some(&[
                    agent[0],
                    agent[1],
                    "--protect".as_ref(),
                    zone.as_ref(),
                ]))
            }
        };
        actor
            .env(ACTOR, &run)
            .env(ELSEWHERE, &elsewhere)
            .env(BUILDER, &socket)
            .stdin(Stdio::null());
        for command in [&mut builder, &mut actor] {
            command
                .args([test, "--exact", "--nocapture", "--test-threads=1"])
                .env("HOME", &home);
            if let Some(user) = user {
                command.uid(user).gid(user);
            }
        }
        let mut builder = builder.spawn().expect("the program was just copied");
        let output = actor.output().expect("the program was just copied");
        builder.kill().expect("it serves until then");
        builder.wait().expect("it was killed");
        assert!(
            output.status.success(),
            "{rule:?}: {}\n{}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        stage::records(&run, acts)
    }

    /// The actor's program: bare, or guarded with some options. The environment is not the tester's.
    fn actor_command(&self, guarded: Option<&[&OsStr]>) -> Command {
        let mut command = Command::new(if guarded.is_some() {
            &self.guard
        } else {
            &self.actor
        });
        if let Some(options) = guarded {
            command
                .args(["run", "--quiet", "--no-exporter"])
                .args(options)
                .arg("--");
            command.arg(&self.actor);
        }
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("LANG", "C")
            .current_dir("/");
        command
    }
}

/// Set for the program under observation: the directory of its trees.
const ACTOR: &str = "PARITY_ACTOR";

/// Set for the program under observation: a directory on another file system.
const ELSEWHERE: &str = "PARITY_ELSEWHERE";

/// Set for the program under observation: the builder's socket. Empty for the builder itself.
const BUILDER: &str = "PARITY_BUILDER";

/// Any user that is not the superuser and owns nothing.
const ORDINARY: u32 = 12345;

/// Differences shown of many.
const SHOWN: usize = 40;
