//! `codex-es-guard undo`: what agents removed and changed, and how it comes back.
//!
//! Only a person undoes: an agent's process is refused, see [`super::person`].

mod find;
mod list;
mod restore;
mod room;
mod show;
mod units;

use super::{person, terminal};
use crate::undo;
use anyhow::Result;
use guard_report::paths::StatePaths;
use std::process::ExitCode;

pub(super) use restore::RestoreArguments;
pub(super) use room::{ForgetArguments, PruneArguments};
pub(super) use show::ShowArguments;

/// List, show and restore what agents removed, replaced, changed and moved.
///
/// In a guarded session, what an agent removes, replaces, changes or moves in a protected zone is
/// preserved first. Without a command, `undo` lists the sessions, the newest first. Only a person
/// can undo: in a guarded session, and below an agent, it is refused.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  codex-es-guard undo                    list sessions\n  \
    codex-es-guard undo show last          what did the last one do?\n  \
    codex-es-guard undo restore last       put all of it back\n  \
    codex-es-guard undo restore last src   only what was below src\n\n\
    Exit status:\n  0  done\n  1  an error; of `restore`: some was restored, not all\n  \
    2  wrong arguments\n  3  `restore` restored nothing"
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
    person::check("undo")?;
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
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(super) fn announce(paths: &StatePaths, session: &str) {
    let Ok(session) = undo::store(paths).session(session) else {
        return;
    };
    if let Some(sentence) = list::sentence(&session) {
        terminal::note(&sentence);
    }
}
