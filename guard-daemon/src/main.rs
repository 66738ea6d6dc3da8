//! `codex-es-guard`: stops AI agents from destroying what you told it to keep.
//!
//! The binary binds [`guard_core`] to a kernel. On Linux that is seccomp user notification around a
//! session ([`linux`]); every command is described by `codex-es-guard --help`.

mod changed;
mod cli;
mod exporter;
mod guard;
mod journal;
#[cfg(target_os = "linux")]
mod linux;
mod places;
mod policy_file;
mod policy_watch;
mod rings;

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
#[cfg(target_os = "linux")]
fn effective_uid() -> u32 {
    linux::sys::process::effective_uid()
}

/// Random bytes from the kernel.
#[cfg(target_os = "linux")]
fn random_bytes<const N: usize>() -> [u8; N] {
    linux::sys::process::random_bytes()
}
