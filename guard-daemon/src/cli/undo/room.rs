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
#[derive(Debug, clap::Args)]
pub(crate) struct ForgetArguments {
    /// The session, or the beginning of its name.
    #[arg(value_name = "SESSION")]
    session: String,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

/// Remove sessions that are older or take more than the policy allows.
#[derive(Debug, clap::Args)]
pub(crate) struct PruneArguments {
    /// Remove what is older than this many days, instead of the policy's `keep_days`.
    #[arg(long, value_name = "DAYS")]
    older_than: Option<u32>,
}

pub(super) fn forget(store: &Store, arguments: &ForgetArguments) -> Result<ExitCode> {
    let session = find(store, &arguments.session)?;
    if !arguments.yes {
        if !stdin().is_terminal() {
            bail!("forgetting asks first, and there is no terminal to ask on: give --yes");
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
            terminal::line("Nothing was done.");
            return Ok(ExitCode::FAILURE);
        }
    }
    sweep::forget(&session).with_context(|| format!("forgetting {}", session.name()))?;
    terminal::line(&format!("Session {} is forgotten.", session.name()));
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
