//! The command line, as `codex-es-guard` passes it on.

use crate::hook;
use clap::{Parser, Subcommand};
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
}

/// Executes the command of the arguments.
pub(crate) fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Hook { agent } => {
            hook::run(&agent);
            ExitCode::SUCCESS
        }
    }
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
