//! The command line, as `codex-es-guard` passes it on.

use crate::{hook, mcp, notify, setup};
use clap::{Parser, Subcommand};
use guard_report::companion::SetupArguments;
use std::io::Write as _;
use std::process::ExitCode;

/// The command line.
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
    Setup(SetupArguments),
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
        Command::Setup(arguments) => exit_code(setup::run(&arguments)),
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
