//! `codex-es-guard undo forget` and `undo prune`.

use super::find::find;
use super::terminal;
use super::units::{counted, size};
use crate::undo;
use anyhow::{Context as _, Result, bail};
use guard_core::policy::{Policy, UndoPolicy};
use guard_report::paths::StatePaths;
use guard_undo::{Bounds, Store, sweep};
use std::io::{IsTerminal as _, stdin};
use std::process::ExitCode;
use std::time::Duration;

/// Remove a session and all that it keeps, for good.
///
/// What the session kept can then not be restored any more. A session that runs cannot be removed.
#[derive(Debug, clap::Args)]
pub(crate) struct ForgetArguments {
    /// The session, by its name or the beginning of it.
    #[arg(value_name = "SESSION")]
    session: String,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Remove sessions that are older, or keep more, than the policy allows.
///
/// The oldest are removed first. To make room, none that wrote within the last day is removed; see
/// `undo forget` for those. The guard does the same each minute while a session runs.
#[derive(Debug, clap::Args)]
pub(crate) struct PruneArguments {
    /// Remove what is older than this many days, instead of the policy's `keep_days`.
    #[arg(long, value_name = "DAYS")]
    older_than: Option<u32>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn forget(store: &Store, arguments: &ForgetArguments) -> Result<ExitCode> {
    let session = find(store, &arguments.session)?;
    if !arguments.yes {
        if !stdin().is_terminal() {
            bail!("`forget` asks first, and there is no terminal to ask on; add --yes");
        }
        terminal::note(&format!(
            "forget session {} for good? [y/N]",
            session.name()
        ));
        let mut answer = String::new();
        stdin()
            .read_line(&mut answer)
            .context("reading the answer")?;
        if !matches!(answer.trim(), "y" | "Y" | "yes") {
            if arguments.json {
                terminal::line("null");
            } else {
                terminal::line("Nothing was removed.");
            }
            return Ok(ExitCode::FAILURE);
        }
    }
    let forgetting = || format!("forgetting {}", session.name());
    let freed_bytes = sweep::forget(&session).with_context(forgetting)?;
    if arguments.json {
        let report = serde_json::json!({
            "removed_session": session.name(),
            "freed_bytes": freed_bytes,
        });
        terminal::line(&guard_report::json::line(&report));
    } else {
        terminal::line(&format!("Session {} is removed.", session.name()));
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn prune(store: &Store, arguments: &PruneArguments) -> Result<ExitCode> {
    let mut bounds = undo::bounds(store, policy());
    if let Some(days) = arguments.older_than {
        bounds = Bounds {
            keep: Duration::from_secs(u64::from(days) * 24 * 3600),
            ..bounds
        };
    }
    let swept = sweep::sweep(store, &bounds, guard_report::time::now_ns())
        .context("pruning the undo store")?;
    if arguments.json {
        let report = serde_json::json!({
            "removed_sessions": swept.evicted,
            "freed_bytes": swept.evicted_bytes,
            "kept_bytes": swept.kept_bytes,
            "max_bytes": bounds.max_bytes,
        });
        terminal::line(&guard_report::json::line(&report));
        return Ok(ExitCode::SUCCESS);
    }
    let evicted = usize::try_from(swept.evicted).unwrap_or(usize::MAX);
    terminal::line(&format!(
        "{} removed, {} freed; {} of {} kept.",
        counted(evicted, "session"),
        size(swept.evicted_bytes),
        size(swept.kept_bytes),
        size(bounds.max_bytes),
    ));
    Ok(ExitCode::SUCCESS)
}

/// The policy's bounds; the usual ones when it cannot be read.
fn policy() -> UndoPolicy {
    let paths = StatePaths::of_user(None).ok();
    let text = paths.and_then(|paths| std::fs::read(paths.policy).ok());
    let policy = text.and_then(|text| Policy::parse(&text).ok());
    policy.map_or_else(UndoPolicy::default, |policy| policy.undo)
}
