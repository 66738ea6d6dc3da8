//! Starting an exporter when none is running.
//!
//! It runs as the user whose files are protected, also when the guard is root's.

use super::{PROGRAM, is_default_port_taken, is_running};
use crate::log::GuardLog;
use guard_report::directories::{DirectoryError, make_private};
use guard_report::paths::StatePaths;
use guard_report::sibling::sibling;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Why no exporter was started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartExporterError {
    /// The program is missing.
    #[error(
        "there is no guard-exporter beside codex-es-guard or in PATH: denials stay in the ring until \
         one runs (cargo build --release -p guard-exporter makes it)"
    )]
    NotInstalled,
    /// It would have no place for its files.
    #[error("preparing the exporter's directory")]
    Directory(#[from] DirectoryError),
    /// The program cannot be run.
    #[error("starting {}", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Starts an exporter for these paths, unless one is running. One that is started here ends by itself
/// when no guard has been alive for a while.
pub(crate) fn ensure(
    paths: &StatePaths,
    log: &GuardLog,
) -> Result<Option<Child>, StartExporterError> {
    if is_running(paths) {
        return Ok(None);
    }
    let program = sibling(PROGRAM).ok_or(StartExporterError::NotInstalled)?;
    let mut command = Command::new(&program);
    match paths.protected {
        // It makes its directory itself: root writes nothing in a user's.
        Some(user) => {
            command.uid(user.uid).gid(user.gid);
        }
        None => make_private(&paths.exporter)?,
    }
    // A supervisor's are blocked, and an exporter must receive the signal that asks it to end.
    #[cfg(target_os = "linux")]
    guard_linux::session::unblock_signals(&mut command);
    if is_default_port_taken() {
        // `exporter.json` and `codex-es-guard status` have the one it took.
        command.args(["--web.listen-address", "127.0.0.1:0"]);
    }
    let started = command
        .arg("--state")
        .arg(&paths.exporter)
        .args(["--exit-when-idle", IDLE_SECONDS])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log.descriptor().map_or_else(Stdio::null, Stdio::from))
        .spawn();
    started
        .map(Some)
        .map_err(|source| StartExporterError::Spawn { program, source })
}

/// How long an exporter without guards stays.
const IDLE_SECONDS: &str = "600";
