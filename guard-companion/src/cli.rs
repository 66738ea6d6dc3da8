//! The command line, as `codex-es-guard` passes it on.

use crate::{hook, mcp, notify, setup};
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
    /// Show a person on the desktop what is requested: JSON on standard input.
    Notify,
    /// Put the hooks and the MCP server into agents' own configuration.
    Setup {
        /// The agents; those that are found if none is named.
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
        /// Also make wrappers that start agents under guard.
        #[arg(long)]
        shims: bool,
    },
}

/// Executes the command of the arguments.
pub(crate) fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Hook { agent } => {
            hook::run(&agent);
            ExitCode::SUCCESS
        }
        Command::Mcp => exit_code(mcp::run().map(|()| true)),
        Command::Notify => {
            notify::run();
            ExitCode::SUCCESS
        }
        Command::Setup {
            agents,
            yes,
            print,
            remove,
            shims,
        } => exit_code(setup::run(&setup::Options {
            agents,
            yes,
            print,
            remove,
            shims,
        })),
    }
}

fn exit_code(done: anyhow::Result<bool>) -> ExitCode {
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Standard error may be closed.
            drop(writeln!(std::io::stderr(), "error: {error:#}"));
            ExitCode::FAILURE
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
