//! `codex-es-guard override`: the overrides of the policy file, listed, added and removed by a person.
//!
//! Writing the policy file is what grants; inside a session the kernel refuses that to agents. Outside of
//! one an agent could write the file itself, and is refused here all the same.

use super::arguments::{canonical_text, names_of, operations};
use super::person;
use super::prepare::policy_source;
use super::terminal::{self, CYAN, DIM, GREEN, paint};
use crate::control::wanted::{self, DEFAULT_OPERATIONS, MAX_SECONDS};
use crate::policy_file::{LoadPolicyError, Origin, PolicySource};
use crate::policy_write::{Edit, edit, expired_before};
use anyhow::{Context as _, Result, anyhow, bail};
use guard_core::OperationKind;
use guard_core::event::{RequestEvent, RequestStep};
use guard_core::policy::{MAX_OVERRIDES, OverrideEntry, POLICY_OPERATIONS};
use guard_report::sentence::visible;
use guard_report::time::{local, now_ns, parse, parse_duration, rfc3339};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// List, add and remove what is open to agents for a time.
///
/// An override of the policy file lets agents remove and move a path, with everything below it.
/// Only a person adds and removes them: below an agent it is refused.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  codex-es-guard override list\n  \
    codex-es-guard override add ~/work/old --for 1h --agent codex\n  \
    codex-es-guard override remove ~/work/old")]
pub(super) struct OverrideArguments {
    #[command(subcommand)]
    command: OverrideCommand,
}

#[derive(Debug, clap::Subcommand)]
enum OverrideCommand {
    /// List the overrides, those that expired, too.
    List {
        /// Print JSON: an array of objects.
        #[arg(long)]
        json: bool,
    },
    Add(AddArguments),
    /// Remove the override with this id, or those of this path.
    ///
    /// Exit status: 0 if one was removed, 1 if there is none.
    Remove {
        /// The override's id, or its path.
        #[arg(value_name = "ID|PATH")]
        which: PathBuf,
        /// Print JSON: an array of the removed ones.
        #[arg(long)]
        json: bool,
    },
}

/// Let agents remove or move a path, for a time.
///
/// A zone as a whole, what contains one, and a home directory are never opened.
#[derive(Debug, clap::Args)]
struct AddArguments {
    /// The path, with everything below it.
    path: PathBuf,
    /// For how long: 90s, 10m, 2h; at most 24h.
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration, default_value = "10m")]
    lasting: Duration,
    /// Only for this operation; may be given more than once [default: unlink, rename].
    #[arg(long, value_name = "OP", value_parser = operations())]
    op: Vec<OperationKind>,
    /// Only for this agent, by its label.
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
    /// Only in this session.
    #[arg(long, value_name = "SESSION")]
    session: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn overrides(arguments: OverrideArguments) -> Result<ExitCode> {
    let source = policy_source(&Default::default())?;
    match arguments.command {
        OverrideCommand::List { json } => list(&source, json),
        OverrideCommand::Add(add) => {
            person::check_ancestors("open a path")?;
            self::add(&source, add)
        }
        OverrideCommand::Remove { which, json } => {
            person::check_ancestors("remove an override")?;
            remove(&source, &which, json)
        }
    }
}

fn list(source: &PolicySource, json: bool) -> Result<ExitCode> {
    let found = read(source)?;
    let now_ns = now_ns();
    if json {
        let all: Vec<_> = found.iter().map(|entry| to_json(entry, now_ns)).collect();
        terminal::try_data(&guard_report::json::pretty(&all));
        return Ok(ExitCode::SUCCESS);
    }
    if found.is_empty() {
        terminal::note("no path is open to agents");
    }
    for entry in found {
        if !terminal::try_line(&line(&entry, now_ns)) {
            break;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn add(source: &PolicySource, arguments: AddArguments) -> Result<ExitCode> {
    let seconds = arguments.lasting.as_secs();
    if !(1..=MAX_SECONDS).contains(&seconds) {
        bail!("an override is for 1 second to 24 hours");
    }
    let path = canonical_text(&arguments.path)?;
    let snapshot = match source.load() {
        Err(error @ LoadPolicyError::Missing(_)) => {
            bail!("{error}; codex-es-guard policy init DIR writes one")
        }
        loaded => loaded.context("reading the policy")?,
    };
    wanted::check(&path, &source.paths.home, &snapshot)?;
    let now_ns = now_ns();
    // Not counted among those that there may be.
    write(source, Edit::Remove(&expired_before(now_ns)))?;
    let count = read(source)?.len();
    if count >= MAX_OVERRIDES {
        bail!("there are {count} overrides already, as many as there can be");
    }
    let id = crate::random::bytes::<4>().context("asking the kernel for random bytes")?;
    let op = if arguments.op.is_empty() {
        DEFAULT_OPERATIONS.to_vec()
    } else {
        arguments.op
    };
    if let Some(op) = op.iter().find(|op| !POLICY_OPERATIONS.contains(op)) {
        bail!("no override can be for the operation {}", op.as_str());
    }
    let end_ns = now_ns.saturating_add(seconds * 1_000_000_000);
    let mut entry = serde_json::json!({
        "path": path,
        "op": names_of(&op),
        "expires_at": rfc3339(end_ns),
        "granted_by": format!("user {}", rustix::process::getuid().as_raw()),
        "id": format!("o-{}", guard_report::hex(&id)),
    });
    for (field, value) in [("agent", arguments.agent), ("session", arguments.session)] {
        if let Some(value) = value {
            entry[field] = value.into();
        }
    }
    write(source, Edit::Add(&entry.to_string()))?;
    publish(RequestStep::Granted, &entry, now_ns);
    if arguments.json {
        terminal::try_data(&guard_report::json::line(&entry));
    } else {
        terminal::line(&format!(
            "{}: {} is open for {} until {}, as override {}",
            paint("added", GREEN),
            visible(&path),
            names_of(&op).join(" and "),
            local(end_ns),
            entry["id"].as_str().unwrap_or_default()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn remove(source: &PolicySource, which: &Path, json: bool) -> Result<ExitCode> {
    let id = which.to_str().unwrap_or_default().to_owned();
    let path = canonical_text(which)?;
    let home = source.paths.home.to_string_lossy().into_owned();
    // As it is written, or the same path in another way.
    let names_it = |written: &str| {
        let whole = match written.strip_prefix('~') {
            Some(rest) => format!("{home}{rest}"),
            None => written.to_owned(),
        };
        written == id || whole.trim_end_matches('/') == path
    };
    let is_meant = |entry: &serde_json::Value| {
        let text = |field: &str| entry.get(field).and_then(serde_json::Value::as_str);
        text("id").is_some_and(|found| found == id)
            || text("path").or(entry.as_str()).is_some_and(names_it)
    };
    let now_ns = now_ns();
    let removed: Vec<_> = read(source)?
        .iter()
        .map(|entry| to_json(entry, now_ns))
        .filter(|entry| is_meant(entry))
        .collect();
    write(source, Edit::Remove(&is_meant))?;
    if json {
        terminal::try_data(&guard_report::json::pretty(&removed));
    }
    if removed.is_empty() {
        let hint = "codex-es-guard override list shows all";
        terminal::error(&anyhow!("there is no override {}; {hint}", which.display()));
        return Ok(ExitCode::FAILURE);
    }
    for entry in &removed {
        publish(RequestStep::Withdrawn, entry, now_ns);
    }
    for entry in removed.iter().filter(|_| !json) {
        let path = entry["path"].as_str().unwrap_or_default();
        terminal::line(&format!(
            "removed: {} is no longer open by it",
            visible(path)
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// Has the exporter log what a person did.
fn publish(step: RequestStep, entry: &serde_json::Value, now_ns: u64) {
    let text = |field: &str| entry.get(field).and_then(serde_json::Value::as_str);
    let path = text("path").unwrap_or_default();
    let operations = entry.get("op").and_then(serde_json::Value::as_array);
    let operations = operations.into_iter().flatten();
    let operations: Vec<_> = operations.filter_map(serde_json::Value::as_str).collect();
    crate::rings::publish_override(&RequestEvent {
        sequence: 0,
        wall_ns: now_ns,
        step,
        id: text("id").unwrap_or(path),
        agent: text("agent"),
        session: text("session").unwrap_or_default().as_bytes(),
        path: path.as_bytes(),
        operations: &operations.join("+"),
        because: None,
        by: text("granted_by"),
        pid: std::process::id(),
        expires_ns: text("expires_at").and_then(|end| parse(end).ok()),
        wait_ns: None,
        once: false,
        uses: 0,
        denials: 0,
        denial: None,
        denial_is_traced: false,
        request: None,
        trace: None,
    });
}

/// The overrides of the file.
fn read(source: &PolicySource) -> Result<Vec<OverrideEntry>> {
    match source.read() {
        Ok(written) => Ok(written.policy().temporary_overrides.clone()),
        Err(LoadPolicyError::Missing(_)) => Ok(Vec::new()),
        Err(error) => Err(error).context("reading the policy"),
    }
}

fn write(source: &PolicySource, change: Edit<'_>) -> Result<()> {
    if source.paths.policy.exists() {
        // Where the new text is written before it takes the old one's place.
        source.paths.make_state()?;
        edit(source, Origin::File, change)?;
    }
    Ok(())
}

fn to_json(entry: &OverrideEntry, now_ns: u64) -> serde_json::Value {
    let op: Vec<_> = entry.operations.iter().collect();
    serde_json::json!({
        "id": entry.id,
        "path": entry.path,
        "op": names_of(&op),
        "agent": entry.agent,
        "session": entry.session,
        "expires_at": entry.expires_at_ns.map(rfc3339),
        "granted_by": entry.granted_by,
        "in_force": is_in_force(entry, now_ns),
    })
}

fn line(entry: &OverrideEntry, now_ns: u64) -> String {
    let op: Vec<_> = entry.operations.iter().collect();
    let mut line = format!(
        "{}  {}  {}",
        paint(&visible(entry.id.as_deref().unwrap_or("-")), CYAN),
        visible(&entry.path),
        names_of(&op).join("+"),
    );
    for (what, value) in [
        ("for", &entry.agent),
        ("in session", &entry.session),
        ("by", &entry.granted_by),
    ] {
        if let Some(value) = value {
            line.push_str(&format!("  {what} {}", visible(value)));
        }
    }
    let end = match entry.expires_at_ns {
        None => "without end".to_owned(),
        Some(end) if is_in_force(entry, now_ns) => format!("until {}", local(end)),
        Some(end) => paint(&format!("expired {}", local(end)), DIM),
    };
    format!("{line}  {end}")
}

fn is_in_force(entry: &OverrideEntry, now_ns: u64) -> bool {
    entry.expires_at_ns.is_none_or(|end| now_ns < end)
}
