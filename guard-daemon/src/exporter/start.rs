//! Starting the exporter when none serves.

use super::PROGRAM;
use crate::journal::Journal;
use crate::places::{Places, make_private, sibling};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

/// Who holds the lock file, or did.
#[derive(Clone, Copy, Debug, serde::Deserialize)]
struct Holder {
    pid: u32,
}

/// Starts an exporter for these places, unless one runs: whoever holds the lock file serves. One
/// that is started here ends by itself when no session has run for a while.
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
fn is_running(places: &Places) -> bool {
    let Ok(mut lock) = File::open(places.state.join("exporter.lock")) else {
        return false;
    };
    // Trying the lock would turn away an exporter that is just about to take it. It is tried only
    // when the process that last held it, or a later one with its number, is alive.
    let mut text = Vec::new();
    let holder = (&mut lock).take(MAX_LOCK_BYTES).read_to_end(&mut text);
    let Ok(Ok(Holder { pid })) = holder.map(|_| serde_json::from_slice(&text)) else {
        return false;
    };
    Path::new(&format!("/proc/{pid}")).exists()
        && matches!(
            lock.try_lock_shared(),
            Err(std::fs::TryLockError::WouldBlock)
        )
}

/// How long an exporter without sessions stays.
const IDLE_SECONDS: &str = "600";

/// Its holder writes about 70.
const MAX_LOCK_BYTES: u64 = 4096;
