//! Guarded sessions, and what the guard recorded of them.
//!
//! A session's root is a shell, as if a person had typed `codex-es-guard run -- bash`. In it a
//! script is run by that person or by an agent. The environment is empty but for `HOME`, `PATH`,
//! `LANG`, and for scripts `TOOLS` (the workshop's programs) and `GUARD` (the process id
//! of the guard's supervisor).

use super::scratch::{Home, Workshop};
use guard_core::ring::{Lane, Reader};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Who runs a session's script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "not every table is about people")]
pub(crate) enum Who {
    /// The person at the session's shell.
    Human,
    /// A program called `codex`.
    Codex,
    /// A program whose `argv[0]` is `claude`.
    Claude,
    /// A program that became `claude` by its title.
    Titled,
}

/// What became of a script.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: ExitStatus,
    /// Standard output and standard error, in one.
    pub(crate) output: String,
    /// What the guard denied, or would have in another mode.
    pub(crate) denials: Vec<Denial>,
}

/// A denial, as the ring has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Denial {
    pub(crate) operation: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) destination: Option<PathBuf>,
    pub(crate) agent: Option<String>,
    pub(crate) executable: PathBuf,
}

// === impl Who ===

impl Who {
    /// The agents, to be taken in turn.
    pub(crate) const AGENTS: [Self; 3] = [Self::Codex, Self::Claude, Self::Titled];

    /// A shell command that runs the script in `$SCRIPT`.
    fn launch(self) -> &'static str {
        match self {
            Self::Human => r#"bash -c "$SCRIPT""#,
            Self::Codex => r#""$TOOLS/codex" -c "$SCRIPT""#,
            Self::Claude => r#"(exec -a claude bash -c "$SCRIPT")"#,
            Self::Titled => {
                r#"perl -e '$0 = "claude"; exit(system("bash", "-c", $ENV{SCRIPT}) >> 8)'"#
            }
        }
    }
}

/// Runs `script` in a guarded session in `home`. `around`, if not empty, is a shell command that
/// runs its arguments: the session is started by it.
pub(crate) fn guarded(
    workshop: &Workshop,
    home: &Home,
    who: Who,
    around: &str,
    script: &str,
) -> Outcome {
    let session = format!(
        "{around} \"$TOOLS/codex-es-guard\" run --no-exporter -- \
         bash -c 'export GUARD=$PPID; '\"$LAUNCH\"'; exit $?'"
    );
    let mut command = shell(workshop, home, &session);
    command
        .env("LAUNCH", who.launch())
        .env("SCRIPT", format!("{LATER}{script}"));
    let (status, output) = run(command);
    Outcome {
        status,
        output,
        denials: denials(home),
    }
}

/// Runs `script` in `home` without a guard.
pub(crate) fn unguarded(workshop: &Workshop, home: &Home, script: &str) -> Outcome {
    let (status, output) = run(shell(workshop, home, script));
    Outcome {
        status,
        output,
        denials: Vec::new(),
    }
}

/// The first of these programs that the user does not find.
pub(crate) fn missing_program<'a>(
    workshop: &Workshop,
    home: &Home,
    names: &[&'a str],
) -> Option<&'a str> {
    let is_missing = |name: &&&str| {
        let find = format!("PATH=$TOOLS:$PATH; command -v {name}");
        !unguarded(workshop, home, &find).status.success()
    };
    names.iter().find(is_missing).copied()
}

fn shell(workshop: &Workshop, home: &Home, script: &str) -> Command {
    let mut command = home.user().command("/bin/bash");
    command
        .args(["-c", script])
        .env("HOME", home.path())
        .env("PATH", search_path())
        .env("LANG", "C")
        .env("TOOLS", workshop.tools())
        .current_dir(home.path());
    command
}

/// The system's programs, then those that others may not reach: the toolchain's own, for the front
/// ends of toolchain managers want the tester's home, and the tester's.
fn search_path() -> String {
    let toolchain = Path::new(env!("CARGO")).parent().unwrap().display();
    let own = std::env::var("PATH").unwrap_or_default();
    format!("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:{toolchain}:{own}")
}

/// Runs a command until it and all it left behind have closed their output.
fn run(mut command: Command) -> (ExitStatus, String) {
    let (mut reader, writer) = std::io::pipe().unwrap();
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone().unwrap())
        .stderr(writer)
        .process_group(0);
    let mut child = command.spawn().unwrap();
    // The command holds the writing ends, too.
    drop(command);
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut output = Vec::new();
        let read = reader.read_to_end(&mut output);
        sender.send(read.map(|_| String::from_utf8_lossy(&output).into_owned()))
    });
    let output = receiver.recv_timeout(DEADLINE);
    if output.is_err() {
        let group = format!("-{}", child.id());
        Command::new("kill")
            .args(["-KILL", "--", &group])
            .status()
            .unwrap();
    }
    let status = child.wait().unwrap();
    (
        status,
        output
            .expect("the session ends before the deadline")
            .unwrap(),
    )
}

fn denials(home: &Home) -> Vec<Denial> {
    let rings = home.path().join(".codex/es-guard/rings");
    let Ok(entries) = std::fs::read_dir(rings) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "ring") {
            continue;
        }
        let mut ring = Reader::attach(&path).unwrap();
        while let Some(event) = ring.next(Lane::Deny) {
            let path = |bytes| PathBuf::from(std::ffi::OsStr::from_bytes(bytes));
            found.push(Denial {
                operation: event.operation.as_str(),
                reason: event.reason.as_str(),
                path: path(event.path),
                destination: event.destination.map(path),
                agent: event.agent.map(ToOwned::to_owned),
                executable: path(event.process.executable),
            });
        }
        assert_eq!(ring.lost(Lane::Deny), 0);
    }
    found
}

/// Waits for the clock to go on. Start times are counted in hundredths of a second, so what a process
/// makes in its first moments might be older than itself for all the guard knows.
const LATER: &str = "for tick in 1 2 3; do read then rest < /proc/uptime; now=$then; \
    while [ $now = $then ]; do read now rest < /proc/uptime; done; done; ";

/// Far more than any row takes.
const DEADLINE: Duration = Duration::from_secs(120);
