//! `codex-es-guard explain`: the very decision, with an imagined actor.

use super::arguments::{PolicyArguments, canonical};
use super::prepare::prepare;
use super::terminal;
use anyhow::{Result, bail};
use guard_core::actor::{Actor, AgentRef, Attribution, FactSource, ToolNames, ToolSet};
use guard_core::agents;
use guard_core::file::{FileFacts, FileIdentity, FileKind};
use guard_core::places::Places;
use guard_core::process::ProcessKey;
use guard_core::standing::{Place, PlaceQuery};
use guard_core::{Operation, OperationKind, Verdict};
use guard_report::json;
use guard_report::sentence::visible;
use guard_undo::regular_file::read_beginning;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Show which rule decides about a path, and why.
///
/// Exit status: 0 if the operation is allowed, 1 if it is denied.
#[derive(Debug, clap::Args)]
pub(super) struct ExplainArguments {
    /// What would be removed, moved or changed.
    path: PathBuf,
    /// Who would do it: the name of an agent, or `human`.
    #[arg(long = "as", value_name = "AGENT", default_value = "claude")]
    actor: String,
    /// The operation.
    #[arg(long, value_name = "OP", default_value = "unlink", value_parser = super::arguments::operations())]
    op: OperationKind,
    /// The destination of a rename, exchange or link.
    #[arg(long, value_name = "PATH")]
    to: Option<PathBuf>,
    /// The program that would do it, with its arguments if they matter: npm, 'git rm', …
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
    label: Option<String>,
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
        let attribution = self.label.as_deref().map_or(Attribution::Human, |label| {
            Attribution::Agent(AgentRef {
                label,
                ancestor: self.name.as_bytes(),
                pid: 0,
                // It just started: what is on the disk is older.
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

    /// All of them are older than the actor.
    fn file(&self, path: &[u8]) -> Option<FileFacts> {
        let path = Path::new(std::ffi::OsStr::from_bytes(path));
        let found = path.symlink_metadata().ok()?;
        Some(FileFacts {
            kind: FileKind::from_mode(found.mode()),
            born_ns: Some(0),
            identity: FileIdentity {
                device: found.dev(),
                inode: found.ino(),
            },
            changed_ns: 0,
            modified_ns: 0,
            size: found.size(),
        })
    }

    fn place(&self, directory: &[u8], since_ns: u64, query: PlaceQuery) -> Place {
        Places::default().of(directory, since_ns, query, 0, self)
    }

    fn beginning(&self, path: &[u8], most: usize) -> Option<Vec<u8>> {
        read_beginning(Path::new(std::ffi::OsStr::from_bytes(path)), most).ok()
    }
}

pub(super) fn explain(arguments: &ExplainArguments) -> Result<ExitCode> {
    let ready = prepare(&arguments.policy)?;
    ready.warn_of_origin();
    let snapshot = ready.snapshot;
    let kind = arguments.op;
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
        label: (arguments.actor != "human").then(|| agents::label_of(&arguments.actor)),
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
            "agent": imagined.label,
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
        terminal::try_data(&json::pretty(&text));
    } else {
        let text = readable(
            &explanation.to_string(),
            [Some(&path), destination.as_ref()],
        );
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

/// The text with everything escaped that would not be seen, or would change how the rest is seen.
fn readable(text: &str, paths: [Option<&Vec<u8>>; 2]) -> String {
    // A newline in a path would look like the end of a line.
    let text = paths
        .into_iter()
        .flatten()
        .fold(text.to_owned(), |text, path| {
            let path = String::from_utf8_lossy(path);
            text.replace(&*path, &visible(&path))
        });
    let lines: Vec<_> = text.lines().map(visible).collect();
    lines.join("\n")
}
