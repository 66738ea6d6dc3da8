//! The command line, as `codex-es-guard` passes it on.

use crate::{hook, mcp};
use clap::{Parser, Subcommand};
use std::io::Write as _;
use std::process::ExitCode;

/// Hooks of agents, an MCP server and the set-up of agents for codex-es-guard.
#[derive(Debug, Parser)]
#[command(name = "guard-companion", bin_name = "codex-es-guard", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer an agent's hook: JSON on standard input and output.
    Hook {
        /// The agent.
        agent: String,
    },
    /// Serve tools for agents over the Model Context Protocol, on standard input and output.
    Mcp,
}

/// Executes the command of the arguments.
pub(crate) fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Hook { agent } => {
            hook::run(&agent);
            ExitCode::SUCCESS
        }
        Command::Mcp => exit_code(mcp::run()),
    }
}

fn exit_code(done: anyhow::Result<()>) -> ExitCode {
    let Err(error) = done else {
        return ExitCode::SUCCESS;
    };
    // Standard error may be closed.
    drop(writeln!(std::io::stderr(), "error: {error:#}"));
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
