//! `codex-es-guard`: stops AI agents from destroying what you told it to keep.
//!
//! The binary binds [`guard_core`] to a kernel. On Linux that is seccomp user notification around a
//! session ([`guarded`]); every command is described by `codex-es-guard --help`.

#![forbid(unsafe_code)]

mod cli;
mod denials;
mod exporter;
#[cfg(target_os = "linux")]
mod guarded;
mod journal;
#[cfg(target_os = "macos")]
mod macos;
mod observed;
mod places;
mod policy_file;
mod policy_watch;
mod rings;
mod undo;

use std::io::Read as _;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

fn main() -> ExitCode {
    cli::main()
}

/// Wall clock nanoseconds.
fn now_ns() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// This process's effective user id.
fn effective_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Random bytes from the kernel.
fn random_bytes<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}
