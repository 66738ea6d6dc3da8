//! `codex-es-guard hook` and its like: commands that the companion program carries out.
//!
//! They are described here, so that help and completions know them, and executed by `guard-companion`
//! beside this program, which takes its place.

use anyhow::{Context as _, Result};
use clap::builder::PossibleValuesParser;
use guard_report::companion::{HOOKS, PROGRAM, SetupArguments};
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

pub(super) fn setup(arguments: &SetupArguments) -> Result<ExitCode> {
    execute(["setup"].into_iter().chain(arguments.words()))
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
