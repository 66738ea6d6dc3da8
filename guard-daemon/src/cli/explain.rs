//! `codex-es-guard explain`: the very decision, with an imagined actor.

use super::run::{Ready, prepare};
use super::{PolicyArguments, terminal};
use anyhow::{Result, anyhow, bail};
use guard_core::actor::{Actor, AgentRef, Attribution, FactSource, ToolNames, ToolSet};
use guard_core::agents;
use guard_core::file::{FileFacts, FileIdentity, FileKind};
use guard_core::process::ProcessKey;
use guard_core::{Operation, OperationKind, Verdict};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Say which rule decides about a path, and why.
///
/// Exit status: 0 when the operation is allowed, 1 when it is denied.
#[derive(Debug, clap::Args)]
pub(super) struct ExplainArguments {
    /// What would be removed, moved or cut.
    path: PathBuf,
    /// Who would do it: an agent's name, or `human`.
    #[arg(long = "as", value_name = "AGENT", default_value = "claude")]
    actor: String,
    /// What would be done: unlink, rename, exchange, truncate, clone, link, write.
    #[arg(long, value_name = "OP", default_value = "unlink")]
    op: String,
    /// Where it would go, for rename, exchange and link.
    #[arg(long, value_name = "PATH")]
    to: Option<PathBuf>,
    /// With which program, and its arguments if they matter: npm, 'git rm', …
    #[arg(long, value_name = "COMMAND", default_value = "rm")]
    with: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    policy: PolicyArguments,
}

/// An actor that does not exist.
struct Imagined {
    standing_label: Option<String>,
    name: String,
    program: Vec<u8>,
    /// The program and its arguments, each with a NUL at its end.
    arguments: Vec<u8>,
    names: ToolNames,
    tools: ToolSet,
}

// === impl FactSource for Imagined ===

impl FactSource for Imagined {
    fn actor(&self) -> Actor<'_> {
        let attribution = self
            .standing_label
            .as_deref()
            .map_or(Attribution::Human, |label| {
                Attribution::Agent(AgentRef {
                    label,
                    ancestor: self.name.as_bytes(),
                    pid: 0,
                    // It just started: what stands on the disk is older than it.
                    started_ns: guard_report::time::now_ns(),
                    session: b"",
                })
            });
        Actor {
            key: ProcessKey::default(),
            ppid: 0,
            uid: 0,
            executable: &self.program,
            argv0: &self.program,
            attribution,
            tools: self.tools,
            tool_names: &self.names,
        }
    }

    fn arguments(&self) -> Vec<u8> {
        self.arguments.clone()
    }

    fn executable_changed_ns(&self) -> Option<u64> {
        Some(0)
    }

    /// Objects without birth times: all of them are older than the actor.
    fn file(&self, path: &[u8]) -> Option<FileFacts> {
        let path = Path::new(std::ffi::OsStr::from_bytes(path));
        let found = path.symlink_metadata().ok()?;
        Some(FileFacts {
            kind: FileKind::from_mode(found.mode()),
            born_ns: None,
            identity: FileIdentity {
                device: found.dev(),
                inode: found.ino(),
            },
        })
    }
}

pub(super) fn explain(arguments: &ExplainArguments) -> Result<ExitCode> {
    let Ready { snapshot, .. } = prepare(&arguments.policy)?;
    let kind = OperationKind::from_name(&arguments.op).ok_or_else(|| {
        let known: Vec<&str> = OperationKind::ALL
            .iter()
            .map(|kind| kind.as_str())
            .collect();
        anyhow!(
            "unknown operation `{}`; known are {}",
            arguments.op,
            known.join(", ")
        )
    })?;
    let two_names = matches!(
        kind,
        OperationKind::Rename | OperationKind::Exchange | OperationKind::Link
    );
    if two_names != arguments.to.is_some() {
        bail!(
            "{} takes {}",
            kind.as_str(),
            if two_names { "--to PATH" } else { "no --to" }
        );
    }
    let path = canonical(&arguments.path)?;
    let destination = arguments.to.as_deref().map(canonical).transpose()?;
    let operation = Operation {
        kind,
        path: &path,
        destination: destination.as_deref(),
    };
    let names = ToolNames::default();
    let mut words = arguments.with.split_whitespace().peekable();
    let program = words.peek().copied().unwrap_or_default().as_bytes();
    let words = words.fold(Vec::new(), |mut words, word| {
        words.extend_from_slice(word.as_bytes());
        words.push(0);
        words
    });
    let tools = if snapshot.is_scoped_tool(program) {
        names.intern(program)
    } else {
        ToolSet::default()
    };
    let imagined = Imagined {
        standing_label: (arguments.actor != "human").then(|| agents::label_of(&arguments.actor)),
        name: arguments.actor.clone(),
        program: program.to_vec(),
        arguments: words,
        names,
        tools,
    };
    let explanation = snapshot.explain(&operation, guard_report::time::now_ns(), &imagined);
    let decision = explanation.decision;
    if arguments.json {
        let rules: serde_json::Map<String, serde_json::Value> = explanation
            .rules()
            .map(|(rule, state)| (rule.as_str().to_owned(), state.as_str().into()))
            .collect();
        let text = serde_json::json!({
            "operation": kind.as_str(),
            "path": String::from_utf8_lossy(&path),
            "destination": destination.as_deref().map(String::from_utf8_lossy),
            "agent": imagined.standing_label,
            "command": arguments.with,
            "verdict": decision.verdict.as_str(),
            "reason": decision.reason.as_str(),
            "zone": decision.zone.map(|zone| zone.name),
            "zone_path": decision.zone.map(|zone| String::from_utf8_lossy(zone.path).into_owned()),
            "override": decision.override_id,
            "preserve": decision.preserve.as_str(),
            "tool": decision.tool.map(String::from_utf8_lossy),
            "rules": rules,
        });
        terminal::line(&serde_json::to_string_pretty(&text)?);
    } else {
        let text = explanation.to_string();
        let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
        let denied = decision.verdict == Verdict::Deny;
        let colour = if denied {
            terminal::RED
        } else {
            terminal::GREEN
        };
        terminal::line(&terminal::paint(first, colour));
        terminal::line(rest.trim_end());
    }
    Ok(ExitCode::from(u8::from(decision.verdict == Verdict::Deny)))
}

/// The canonical path the kernel would judge: links resolved in all but the last component.
fn canonical(path: &Path) -> Result<Vec<u8>> {
    let path = std::path::absolute(path)?;
    let mut located = crate::policy_file::locate(path.as_os_str().as_bytes());
    Ok(located.swap_remove(0))
}
