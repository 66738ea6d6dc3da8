//! `codex-es-guard hook` and its like: commands that the companion program carries out.
//!
//! They are described here, so that help and completions know them, and executed by `guard-companion`
//! beside this program, which takes its place.

use anyhow::{Context as _, Result};
use clap::builder::PossibleValuesParser;
use guard_report::companion::{AGENTS, HOOKS, PROGRAM};
use guard_report::sibling::sibling;
use std::ffi::OsStr;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

/// Answer an agent's hook with the denials of its call.
///
/// Agents run this themselves, with JSON on standard input and output. It exits with 0 and prints nothing if there is nothing to say, or if the
/// input is none that the agent passes.
#[derive(Debug, clap::Args)]
pub(super) struct HookArguments {
    /// The agent.
    #[arg(value_parser = PossibleValuesParser::new(HOOKS))]
    agent: String,
}

pub(super) fn hook(arguments: &HookArguments) -> Result<ExitCode> {
    // An agent must not fail for want of the program.
    Ok(execute(["hook", &arguments.agent]).unwrap_or(ExitCode::SUCCESS))
}

/// Serve tools for agents over the Model Context Protocol.
///
/// Agents start this themselves, and speak with it over standard input and output: what was denied, why,
/// asking a person, and the person's answer. No tool grants anything.
#[derive(Debug, clap::Args)]
pub(super) struct McpArguments {}

pub(super) fn mcp() -> Result<ExitCode> {
    execute(["mcp"])
}

/// Put the hooks and the MCP server into agents' own configuration.
///
/// Shows what it would change, asks, and keeps what was there. Formatting and comments stay; run again it
/// changes nothing.
///
/// Exit status: 0 if every file is as it should be, 1 if one was left alone.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  codex-es-guard setup\n  codex-es-guard setup claude codex --yes\n  \
    codex-es-guard setup --remove"
)]
pub(super) struct SetupArguments {
    /// The agents [default: those on this machine].
    #[arg(value_name = "AGENT", value_parser = PossibleValuesParser::new(AGENTS))]
    agents: Vec<String>,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// Only print what would change.
    #[arg(long)]
    print: bool,
    /// Take back what was set up.
    #[arg(long)]
    remove: bool,
    /// Also make wrappers in ~/.local/share/codex-es-guard/bin that start agents under guard.
    #[arg(long)]
    shims: bool,
}

pub(super) fn setup(arguments: SetupArguments) -> Result<ExitCode> {
    let mut words = vec!["setup".to_owned()];
    let flags = [
        (arguments.yes, "--yes"),
        (arguments.print, "--print"),
        (arguments.remove, "--remove"),
        (arguments.shims, "--shims"),
    ];
    let given = flags.into_iter().filter(|(is_given, _)| *is_given);
    words.extend(given.map(|(_, flag)| flag.to_owned()));
    words.extend(arguments.agents);
    execute(words)
}

/// Becomes the companion program. Returns only when it cannot.
fn execute<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Result<ExitCode> {
    let program = sibling(PROGRAM).with_context(|| {
        format!(
            "there is no {PROGRAM} beside codex-es-guard or in PATH \
             (cargo build --release -p {PROGRAM} makes it)"
        )
    })?;
    let error = Command::new(&program).args(arguments).exec();
    Err(error).with_context(|| format!("executing {}", program.display()))
}
