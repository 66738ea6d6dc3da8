//! Starting the exporter when none serves.

#[cfg(target_os = "linux")]
use crate::journal::Journal;
use crate::places::Places;
#[cfg(target_os = "linux")]
use crate::places::{make_private, sibling};
#[cfg(target_os = "linux")]
use std::fs::File;
#[cfg(target_os = "linux")]
use std::process::{Command, Stdio};

/// What a running exporter says of itself in `exporter.json`.
#[derive(Clone, Debug, serde::Deserialize)]
pub(crate) struct Serving {
    /// Where it serves.
    pub(crate) address: String,
}

/// Starts an exporter for these places, unless one runs: whoever holds the lock file serves. One
/// that is started here ends by itself when no session has run for a while.
#[cfg(target_os = "linux")]
pub(crate) fn ensure(places: &Places, journal: &Journal) {
    if is_running(places) {
        return;
    }
    let Some(program) = sibling(PROGRAM) else {
        journal.write(
            "guard-exporter is neither beside codex-es-guard nor in PATH: denials stay in the \
             ring until it runs (cargo build --release -p guard-exporter)",
        );
        return;
    };
    if let Err(error) = make_private(&places.state) {
        journal.write(&format!("{error:#}"));
        return;
    }
    let output = journal.file().map_or_else(Stdio::null, Stdio::from);
    let started = Command::new(&program)
        .arg("--state")
        .arg(&places.state)
        .args(["--exit-when-idle", IDLE_SECONDS])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(output)
        .spawn();
    if let Err(error) = started {
        journal.write(&format!("cannot start {}: {error}", program.display()));
    }
}

/// Whether an exporter of these places runs.
#[cfg(target_os = "linux")]
pub(crate) fn is_running(places: &Places) -> bool {
    let Ok(lock) = File::open(places.state.join("exporter.lock")) else {
        return false;
    };
    matches!(
        lock.try_lock_shared(),
        Err(std::fs::TryLockError::WouldBlock)
    )
}

/// What the running exporter says of itself.
pub(crate) fn serving(places: &Places) -> Option<Serving> {
    let text = std::fs::read(places.state.join("exporter.json")).ok()?;
    serde_json::from_slice(&text).ok()
}

/// The exporter's binary.
pub(crate) const PROGRAM: &str = "guard-exporter";

/// How long an exporter without sessions stays.
#[cfg(target_os = "linux")]
const IDLE_SECONDS: &str = "600";
