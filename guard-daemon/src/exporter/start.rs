//! Starting the exporter when none serves.
//!
//! It runs as the user whose files are protected, also when the guard is root's.

use super::{PROGRAM, is_default_port_taken, sibling};
use crate::journal::Journal;
use guard_report::address::{ExporterIdentity, lock_file};
use guard_report::directories::make_private;
use guard_report::paths::StatePaths;
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

/// Starts an exporter for these places, unless one runs: whoever holds the lock file serves. One
/// that is started here ends by itself when no session has run for a while.
pub(crate) fn ensure(paths: &StatePaths, journal: &Journal) -> Option<Child> {
    if is_running(paths) {
        return None;
    }
    let Some(program) = sibling(PROGRAM) else {
        journal.write(
            "guard-exporter is neither beside codex-es-guard nor in PATH: denials stay in the \
             ring until it runs (cargo build --release -p guard-exporter)",
        );
        return None;
    };
    let mut command = Command::new(&program);
    match paths.protected {
        // It makes its directory itself: root writes nothing in a user's.
        Some(user) => {
            command.uid(user.uid).gid(user.gid);
        }
        None => {
            if let Err(error) = make_private(&paths.exporter) {
                journal.write(&format!("{:#}", anyhow::Error::new(error)));
                return None;
            }
        }
    }
    // A supervisor's are blocked, and an exporter must hear when it is asked to end.
    #[cfg(target_os = "linux")]
    guard_linux::session::unblock_signals(&mut command);
    let output = journal.file().map_or_else(Stdio::null, Stdio::from);
    if is_default_port_taken() {
        // `exporter.json` and `codex-es-guard status` tell which it took.
        command.args(["--web.listen-address", "127.0.0.1:0"]);
    }
    let started = command
        .arg("--state")
        .arg(&paths.exporter)
        .args(["--exit-when-idle", IDLE_SECONDS])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(output)
        .spawn();
    let failed = |error| journal.write(&format!("cannot start {}: {error}", program.display()));
    started.map_err(failed).ok()
}

/// Whether an exporter of these places runs.
fn is_running(paths: &StatePaths) -> bool {
    let Ok(mut lock) = File::open(lock_file(&paths.exporter)) else {
        return false;
    };
    // Trying the lock would turn away an exporter that is just about to take it. It is tried only
    // when the process that last held it, or a later one with its number, is alive.
    let Ok(holder) = ExporterIdentity::read(&mut lock) else {
        return false;
    };
    is_alive(holder.pid)
        && matches!(
            lock.try_lock_shared(),
            Err(std::fs::TryLockError::WouldBlock)
        )
}

/// Whether there is a process of this number, whoever it belongs to.
fn is_alive(pid: u32) -> bool {
    let found = Pid::from_raw(pid.cast_signed()).map(test_kill_process);
    matches!(found, Some(Ok(()) | Err(Errno::PERM)))
}

/// How long an exporter without sessions stays.
const IDLE_SECONDS: &str = "600";
