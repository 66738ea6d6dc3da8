//! `codex-es-guard`: stops AI agents from destroying what you told it to keep.
//!
//! The binary binds [`guard_core`] to a kernel. On Linux that is seccomp user notification around a
//! session ([`guarded`]); every command is described by `codex-es-guard --help`.

#![forbid(unsafe_code)]

mod cli;
mod exporter;
#[cfg(target_os = "linux")]
mod guarded;
mod journal;
#[cfg(target_os = "macos")]
mod macos;
mod observed;
mod policy_file;
mod policy_watch;
mod rings;
mod undo;

use std::io::Read as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}

/// Random bytes from the kernel.
fn random_bytes<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}
