//! `codex-es-guard undo restore`.

use super::find::{canonical, find};
use super::show::shown;
use super::terminal;
use super::units::counted;
use anyhow::{Context as _, Result, anyhow, bail};
use guard_report::hex;
use guard_report::time::{now_ns, parse_since};
use guard_undo::journal::{Began, SessionKind};
use guard_undo::restore::{Action, Applied, Effect, Item, Plan, Request};
use guard_undo::store::Session;
use guard_undo::summary::Summary;
use guard_undo::{Bounds, Recorder, Store, sweep};
use std::io::{IsTerminal as _, stdin};
use std::path::PathBuf;
use std::process::ExitCode;

/// Restore what a session removed, replaced, changed and moved.
///
/// Each file is restored to the newest version that was yours, with its mode and times. What is in
/// its way is preserved first, as a session of its own, so that a restore can be undone, too. A file
/// that you changed after the agent did stays as it is, and the old version is written beside it as
/// NAME.before-SESSION.
///
/// Exit status: 0 when everything was restored, 1 when some of it was or on an error, 3 when nothing
/// was.
#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArguments {
    /// The session, by its name or the beginning of it; `last` is the newest in which an agent did
    /// something.
    #[arg(value_name = "SESSION")]
    session: String,
    /// Restore only what was at or below these paths.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
    /// Show what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Restore below this directory, and change nothing else.
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Restore the state at this time, instead of the newest of yours: 10m (ago),
    /// 2026-01-31T08:00:00Z.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Replace even what you changed since.
    #[arg(long)]
    force: bool,
    /// Print JSON, one file a line: what was done, or with --dry-run would be.
    #[arg(long)]
    json: bool,
}

pub(super) fn restore(store: &Store, arguments: RestoreArguments) -> Result<ExitCode> {
    let session = find(store, &arguments.session)?;
    let only = arguments
        .paths
        .iter()
        .map(canonical)
        .collect::<Result<_>>()?;
    let at = arguments
        .at
        .as_deref()
        .map(|text| parse_since(text, now_ns()));
    let at_ns = at.transpose().map_err(|error| anyhow!("--at: {error}"))?;
    let to = arguments.to.as_ref().map(directory).transpose()?;
    let request = Request {
        only,
        at_ns,
        to,
        force: arguments.force,
    };
    let plan = Plan::make(&session, &request);
    if plan.items.is_empty() {
        if !arguments.json {
            terminal::line(&nothing(&session));
        }
        return Ok(ExitCode::from(NONE));
    }
    if arguments.dry_run {
        for item in &plan.items {
            let text = if arguments.json {
                guard_report::json::line(&json(item, None))
            } else {
                line(item)
            };
            if !terminal::try_line(&text) {
                break;
            }
        }
        return Ok(ExitCode::SUCCESS);
    }
    if !arguments.yes && !is_confirmed(&plan)? {
        terminal::line("Nothing was restored.");
        return Ok(ExitCode::from(NONE));
    }
    let applied = apply(store, &session, &plan)?;
    if arguments.json {
        report_json(&plan, &applied);
    } else {
        report(&plan, &applied);
    }
    let restored = applied.restored + applied.beside;
    crate::rings::count_restore(restored);
    let done = restored + applied.already;
    Ok(match (done, applied.failures.len()) {
        (_, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::from(NONE),
        _ => ExitCode::from(SOME),
    })
}

/// The directory of `--to`, made if need be, as the kernel names it.
fn directory(path: &PathBuf) -> Result<PathBuf> {
    std::fs::create_dir_all(path).with_context(|| format!("making {}", path.display()))?;
    path.canonicalize()
        .with_context(|| format!("finding {}", path.display()))
}

fn is_confirmed(plan: &Plan) -> Result<bool> {
    if !stdin().is_terminal() {
        bail!("`restore` asks first, and there is no terminal to ask on; add --yes");
    }
    for item in plan.items.iter().take(SHOWN) {
        terminal::line(&line(item));
    }
    if plan.items.len() > SHOWN {
        terminal::line(&format!("… and {} more", plan.items.len() - SHOWN));
    }
    terminal::note("restore this? [y/N]");
    let mut answer = String::new();
    stdin()
        .read_line(&mut answer)
        .context("reading the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Does it, keeping what is in the way in a session of its own.
fn apply(store: &Store, session: &Session, plan: &Plan) -> Result<Applied> {
    let name = hex(&crate::random::bytes::<8>().context("asking the kernel for random bytes")?);
    let began = Began {
        kind: SessionKind::Restore,
        command: format!("undo restore {}", session.name()),
        zones: session.began().zones,
        depots: Vec::new(),
    };
    // A person makes room with `undo prune` if it is too much.
    let bounds = Bounds {
        max_bytes: u64::MAX,
        max_copy: u64::MAX,
        min_free_percent: 0,
        ..Bounds::for_disk(sweep::disk_bytes(store).unwrap_or(0))
    };
    let start_ns = now_ns();
    let recorder = Recorder::begin(store, &name, began, bounds, start_ns)
        .context("preserving what is in the way; --to DIR restores elsewhere")?;
    let applied = plan.apply(&recorder, start_ns);
    recorder
        .end(now_ns())
        .context("ending the restore's journal")?;
    if recorder.tally() == guard_undo::store::recorder::Tally::default() {
        drop(recorder);
        // Nothing was in the way.
        let _stays = store.session(&name).map(|empty| sweep::forget(&empty));
    }
    Ok(applied)
}

fn report(plan: &Plan, applied: &Applied) {
    let besides = plan
        .items
        .iter()
        .filter(|item| item.effect == Effect::Beside);
    for item in besides {
        terminal::line(&line(item));
    }
    for failure in &applied.failures {
        let why = anyhow::Error::msg(failure.error.to_string());
        terminal::warn(&format!("{}: {why:#}", shown(&failure.item.path)));
    }
    let mut words = vec![format!("{} restored", counted(applied.restored, "file"))];
    if applied.beside > 0 {
        words.push(format!("{} beside what you changed", applied.beside));
    }
    if applied.already > 0 {
        words.push(format!("{} unchanged already", applied.already));
    }
    if !applied.failures.is_empty() {
        words.push(format!("{} failed", applied.failures.len()));
    }
    terminal::line(&format!("{}.", words.join(", ")));
}

fn report_json(plan: &Plan, applied: &Applied) {
    for item in &plan.items {
        let failures = &mut applied.failures.iter();
        let failed = failures.find(|failure| failure.item.target == item.target);
        let why = failed.map(|failure| format!("{:#}", anyhow!(failure.error.to_string())));
        if !terminal::try_line(&guard_report::json::line(&json(item, why))) {
            break;
        }
    }
}

/// Why there is nothing to restore.
fn nothing(session: &Session) -> String {
    let summary = Summary::of(session);
    let name = session.name();
    match summary.unpreserved {
        0 => format!("Nothing is to be restored of session {name}."),
        count => format!(
            "Nothing can be restored of session {name}: {} not preserved. `codex-es-guard undo \
             show {name}` says why.",
            counted(count, "change")
        ),
    }
}

/// An item for scripts, and why it could not be restored.
fn json(item: &Item, failed: Option<String>) -> serde_json::Value {
    let (kind, from) = match &item.action {
        Action::Move { from } => ("move", Some(from)),
        Action::Directory { .. } => ("directory", None),
        Action::Link { .. } => ("link", None),
        Action::File { .. } => ("file", None),
    };
    let (effect, why) = match (&item.effect, failed) {
        (_, Some(why)) => ("failed", Some(why)),
        (Effect::Unavailable(why), None) => ("failed", Some(why.clone())),
        (Effect::Clear, None) => ("restored", None),
        (Effect::Replaces, None) => ("replaced", None),
        (Effect::Beside, None) => ("beside", None),
        (Effect::Parks, None) => ("moved_aside", None),
        (Effect::AlreadyThere, None) => ("unchanged", None),
    };
    serde_json::json!({
        "path": item.path,
        "target": item.target,
        "kind": kind,
        "from": from,
        "effect": effect,
        "why": why,
    })
}

fn line(item: &Item) -> String {
    let target = shown(&item.target);
    let what = match &item.action {
        Action::Move { from } => format!("{target} <- {}", shown(from)),
        Action::Directory { .. } => format!("{target}/"),
        Action::Link { target: to, .. } => format!("{target} -> {}", shown(to)),
        Action::File { altered: true, .. } => format!("{target} (written after it was kept)"),
        Action::File { .. } => target,
    };
    let how = match &item.effect {
        Effect::Clear => "restores",
        Effect::Replaces => "replaces",
        Effect::Beside => "puts beside",
        Effect::Parks => "moves aside",
        Effect::AlreadyThere => "is there",
        Effect::Unavailable(why) => return format!("cannot restore {what}: {why}"),
    };
    format!("{how:<12} {what}")
}

/// Some could be put back, some not.
const SOME: u8 = 1;

/// Nothing could be put back. 2 is clap's, for wrong arguments.
const NONE: u8 = 3;

/// Items shown before the question.
const SHOWN: usize = 20;
