//! `codex-es-guard policy`: check, show, init; [`super::replay`] has replay and suggest.

use super::arguments::PolicyArguments;
use super::outputs::outputs_of;
use super::prepare::{policy_source, prepare};
use super::replay::{self, PastArguments, ReplayArguments};
use super::terminal;
use crate::policy_file::{self, LoadPolicyError, Origin};
use anyhow::{Context as _, Result, anyhow, bail};
use guard_core::policy::{Mode, Policy};
use guard_report::json;
use guard_report::paths::StatePaths;
use guard_report::sentence::visible;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub(super) enum PolicyCommand {
    /// Check a policy file; errors are reported with line and column.
    ///
    /// Exit status: 0 if the file is good, 1 if it is not.
    Check {
        /// The file [default: ~/.codex/es_policy.json].
        file: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show the policy in force, with every default filled in.
    Show {
        #[command(flatten)]
        policy: PolicyArguments,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write a first policy file that protects these directories.
    Init {
        /// The directories to protect.
        #[arg(required = true, value_name = "DIR")]
        zones: Vec<PathBuf>,
        /// The file to write [default: ~/.codex/es_policy.json].
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
    },
    /// Judge past denials and changes by a policy, and show what would differ.
    ///
    /// What depended on more than the record has (whose an object was) is left out, and a tool is taken
    /// as called without arguments. Nothing is changed.
    Replay(ReplayArguments),
    /// Propose zones, disposable paths and trusted tools from what was denied and then approved.
    ///
    /// Nothing is proposed that would open what was rejected. Nothing is changed.
    Suggest(PastArguments),
}

pub(super) fn policy(command: PolicyCommand) -> Result<ExitCode> {
    match command {
        PolicyCommand::Check { file, json } => check(file.as_deref(), json),
        PolicyCommand::Show { policy, json } => show(&policy, json),
        PolicyCommand::Init { zones, policy } => init(&zones, policy.as_deref()),
        PolicyCommand::Replay(replay) => replay::replay(&replay),
        PolicyCommand::Suggest(suggest) => replay::suggest(&suggest),
    }
}

fn check(file: Option<&Path>, json: bool) -> Result<ExitCode> {
    let file = match file {
        Some(file) => file.to_owned(),
        None => StatePaths::of_user(None)?.policy,
    };
    let source = policy_source(&PolicyArguments {
        protect: Vec::new(),
        policy: Some(file.clone()),
    })?;
    let snapshot = match source.load() {
        Ok(snapshot) => snapshot,
        Err(error @ LoadPolicyError::Missing(_)) => {
            let hint = "codex-es-guard policy init DIR writes one";
            return Err(anyhow!("{error}; {hint}"));
        }
        Err(error) => {
            if json {
                let answer = serde_json::json!({
                    "file": file, "ok": false, "line": error.position().map(|(line, _)| line),
                    "column": error.position().map(|(_, column)| column),
                    "problem": error.problem(),
                });
                terminal::try_data(&json::line(&answer));
            } else {
                terminal::error(&anyhow!(error));
            }
            return Ok(ExitCode::FAILURE);
        }
    };
    let warnings = snapshot.warnings();
    if json {
        let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        let answer = serde_json::json!({ "file": file, "ok": true, "warnings": warnings });
        terminal::try_data(&json::line(&answer));
    } else {
        terminal::line(&format!("{}: good", file.display()));
        for warning in warnings {
            terminal::warn(&warning.to_string());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(arguments: &PolicyArguments, json: bool) -> Result<ExitCode> {
    let ready = prepare(arguments)?;
    ready.warn_of_origin();
    let (source, snapshot) = (&ready.source, &ready.snapshot);
    let policy = ready.policy.policy();
    let is_current = ready.origin == Origin::File;
    let zones: Vec<(String, String)> = snapshot
        .zones()
        .map(|zone| {
            (
                zone.name.to_owned(),
                String::from_utf8_lossy(zone.path).into_owned(),
            )
        })
        .collect();
    let overrides: Vec<&str> = snapshot
        .overrides()
        .iter()
        .map(|entry| entry.path.as_str())
        .collect();
    let operations: Vec<&str> = guard_core::OperationKind::ALL
        .into_iter()
        .filter(|&kind| snapshot.judges(kind))
        .map(guard_core::OperationKind::as_str)
        .collect();
    let mode = if snapshot.mode() == Mode::Audit {
        "audit"
    } else {
        "enforce"
    };
    let tools: Option<Vec<&str>> = policy
        .trusted_tools
        .as_ref()
        .map(|tools| tools.iter().map(|tool| tool.name.as_str()).collect());
    if json {
        let zones: Vec<serde_json::Value> = zones
            .iter()
            .map(|(name, path)| serde_json::json!({ "name": name, "path": path }))
            .collect();
        let answer = serde_json::json!({
            "file": source.paths.policy, "current": is_current, "mode": mode, "zones": zones,
            "overrides": overrides, "operations": operations, "trusted_tools": tools,
            "ai_agent_patterns": snapshot.agent_patterns(),
            "revision": format!("{:016x}", snapshot.revision()),
        });
        terminal::try_data(&json::pretty(&answer));
        return Ok(ExitCode::SUCCESS);
    }
    let state = if is_current {
        ""
    } else {
        " (an earlier text of this file)"
    };
    terminal::line(&format!(
        "policy      {}{state}",
        source.paths.policy.display()
    ));
    terminal::line(&format!("mode        {mode}"));
    for (name, path) in zones {
        terminal::line(&format!(
            "zone        {}  {}",
            visible(&name),
            visible(&path)
        ));
    }
    for path in overrides {
        terminal::line(&format!("override    {}", visible(path)));
    }
    terminal::line(&format!("operations  {}", operations.join(", ")));
    let tools = tools.map_or_else(
        || "built in, each in its scope".to_owned(),
        |t| t.join(", "),
    );
    terminal::line(&format!("tools       {tools}"));
    terminal::line(&format!(
        "patterns    {}",
        snapshot.agent_patterns().join(", ")
    ));
    Ok(ExitCode::SUCCESS)
}

fn init(zones: &[PathBuf], policy: Option<&Path>) -> Result<ExitCode> {
    let paths = StatePaths::of_user(policy)?;
    let zones = zones
        .iter()
        .map(|zone| {
            absolute_without_parents(zone)?
                .into_os_string()
                .into_string()
                .map_err(|zone| anyhow!("{} is not UTF-8; use --protect for it", zone.display()))
        })
        .collect::<Result<Vec<String>>>()?;
    let outputs: Vec<String> = zones
        .iter()
        .flat_map(|zone| outputs_of(Path::new(zone)))
        .filter_map(|path| path.into_os_string().into_string().ok())
        .collect();
    let mut document = serde_json::json!({
        "protected_zones": zones,
        "temporary_overrides": [],
    });
    if let Some(fields) = document.as_object_mut().filter(|_| !outputs.is_empty()) {
        fields.insert("disposable_paths".to_owned(), serde_json::json!(outputs));
    }
    let text = serde_json::to_string_pretty(&document)?;
    Policy::parse(text.as_bytes()).map_err(|error| anyhow!(error.problem))?;
    if let Some(parent) = paths.policy.parent() {
        fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
    }
    let file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&paths.policy);
    match file {
        Ok(mut file) => file
            .write_all(format!("{text}\n").as_bytes())
            .with_context(|| format!("writing {}", paths.policy.display()))?,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => bail!(
            "{} exists already; add to its protected_zones, then: codex-es-guard policy check",
            paths.policy.display()
        ),
        Err(error) => {
            return Err(anyhow!(error).context(format!("making {}", paths.policy.display())));
        }
    }
    terminal::line(&format!("wrote {}", paths.policy.display()));
    for output in &outputs {
        let output = visible(output);
        terminal::line(&format!(
            "{output} is built again: anyone may remove it (disposable_paths)"
        ));
    }
    terminal::line("next: codex-es-guard run -- claude");
    Ok(ExitCode::SUCCESS)
}

/// A policy takes no `..`, for what that means depends on links that may change.
fn absolute_without_parents(path: &Path) -> Result<PathBuf> {
    let path = std::path::absolute(path)?;
    if !path.components().any(|part| part == Component::ParentDir) {
        return Ok(path);
    }
    let mut located = policy_file::locate(path.as_os_str().as_bytes());
    Ok(PathBuf::from(OsString::from_vec(located.swap_remove(0))))
}
