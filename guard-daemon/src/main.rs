//! `codex-es-guard`: stops AI agents from destroying the files you protect.
//!
//! The binary binds [`guard_core`] to a kernel. On Linux that is seccomp user notification around a
//! session ([`guarded`]); every command is described by `codex-es-guard --help`.

#![forbid(unsafe_code)]

mod ancestors;
mod cli;
mod control;
mod exporter;
#[cfg(target_os = "linux")]
mod guarded;
mod log;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "linux")]
mod made;
mod observed;
mod policy_file;
mod policy_text;
mod policy_watch;
mod policy_write;
mod protection;
mod random;
mod replay;
mod rings;
mod undo;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
