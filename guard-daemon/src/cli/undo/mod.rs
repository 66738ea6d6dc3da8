//! `codex-es-guard undo`: what agents removed and changed, and how it comes back.
//!
//! Only a person undoes: an agent's process is refused, see [`person`].

mod list;
mod person;
mod restore;
mod room;
mod show;

use super::terminal;
use crate::undo;
use anyhow::{Context as _, Result};
use guard_report::paths::StatePaths;
use guard_report::time::local as when;
use guard_undo::Store;
use guard_undo::store::Session;
use std::path::PathBuf;
use std::process::ExitCode;

pub(super) use restore::RestoreArguments;
pub(super) use room::{ForgetArguments, PruneArguments};
pub(super) use show::ShowArguments;

/// List, show and restore what agents removed, replaced, changed and moved.
///
/// In a guarded session everything that an agent takes from a protected zone and was allowed to is
/// preserved first. Without a command, this lists the sessions.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  codex-es-guard undo                    list sessions\n  \
    codex-es-guard undo show last          what did the last one do?\n  \
    codex-es-guard undo restore last       put all of it back\n  \
    codex-es-guard undo restore last src   only what was below src"
)]
pub(super) struct UndoArguments {
    #[command(subcommand)]
    command: Option<UndoCommand>,
    #[command(flatten)]
    list: list::ListArguments,
}

#[derive(Debug, clap::Subcommand)]
enum UndoCommand {
    /// List the sessions, the newest first.
    List(list::ListArguments),
    Show(ShowArguments),
    Restore(RestoreArguments),
    Forget(ForgetArguments),
    Prune(PruneArguments),
}

pub(super) fn undo(arguments: UndoArguments) -> Result<ExitCode> {
    person::check()?;
    let store = undo::store(&StatePaths::of_user(None)?);
    match arguments.command {
        None => list::list(&store, arguments.list),
        Some(UndoCommand::List(list)) => list::list(&store, list),
        Some(UndoCommand::Show(show)) => show::show(&store, &show),
        Some(UndoCommand::Restore(restore)) => restore::restore(&store, restore),
        Some(UndoCommand::Forget(forget)) => room::forget(&store, &forget),
        Some(UndoCommand::Prune(prune)) => room::prune(&store, &prune),
    }
}

/// Prints at a session's end what can be undone; nothing when there is nothing.
#[cfg(target_os = "linux")]
pub(super) fn announce(paths: &StatePaths, session: &str) {
    let Ok(session) = undo::store(paths).session(session) else {
        return;
    };
    if let Some(sentence) = list::sentence(&session) {
        terminal::note(&sentence);
    }
}

fn find(store: &Store, name: &str) -> Result<Session> {
    store
        .session(name)
        .with_context(|| format!("looking in {}", store.root().display()))
}

/// A path as the kernel names it, for comparison with a journal's.
fn canonical(path: &PathBuf) -> Result<Vec<u8>> {
    use std::os::unix::ffi::OsStrExt as _;
    let path = std::path::absolute(path).with_context(|| format!("finding {}", path.display()))?;
    let mut located = crate::policy_file::locate(path.as_os_str().as_bytes());
    Ok(located.swap_remove(0))
}

/// `1.5 MiB`.
fn size(bytes: u64) -> String {
    let units = [(1_u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    for (unit, name) in units {
        if bytes >= unit {
            let tenths = u128::from(bytes) * 10 / u128::from(unit);
            return format!("{}.{} {name}", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} B")
}

/// A count and its noun, `3 files`.
fn counted(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_600_000, "1.5 MiB"),
            (20 << 30, "20.0 GiB"),
            (u64::MAX, "17179869183.9 GiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
