//! The command line: what can be typed, and where it leads.

mod daemon;
mod demo;
mod denials;
mod explain;
mod policy;
mod run;
mod status;
pub(crate) mod terminal;
mod top;
mod undo;

use clap::{CommandFactory, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Stops AI agents from destroying what you told it to keep.
#[derive(Debug, Parser)]
#[command(
    name = "codex-es-guard",
    version,
    about,
    long_about = "Stops AI agents from destroying what you told it to keep.\n\nA destructive file \
        operation (removing, moving away), inside a zone you protect, by a process that descends \
        from an AI agent, fails with EPERM. Everything else is untouched: what you type yourself, \
        the agent's edits, its git.",
    after_help = "Start here:\n  codex-es-guard policy init ~/work     protect a directory\n  \
        codex-es-guard run -- claude          run an agent under guard\n  \
        codex-es-guard explain ~/work/notes   who may remove this?\n  \
        codex-es-guard status                 is a guard at work, and well?\n  \
        codex-es-guard denials --follow       what are agents stopped from?\n  \
        codex-es-guard undo                   what did agents change, and have it back\n\n\
        Policy:   ~/.codex/es_policy.json\n\
        Denials:  ~/.codex/es-guard/denials.jsonl\n\
        Metrics:  http://127.0.0.1:19477/metrics"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// Commands with arguments of their own are described there.
#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArguments),
    Status(status::StatusArguments),
    Top(top::TopArguments),
    Daemon(daemon::DaemonArguments),
    Demo(demo::DemoArguments),
    Denials(denials::DenialsArguments),
    Explain(explain::ExplainArguments),
    Undo(undo::UndoArguments),
    /// Check, show or start the policy.
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Print a completion script for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

/// Where the policy comes from.
#[derive(Clone, Debug, clap::Args)]
struct PolicyArguments {
    /// Protect this directory (or file), besides what the policy protects. Repeatable.
    #[arg(long, value_name = "DIR")]
    protect: Vec<PathBuf>,
    /// Use this policy instead of ~/.codex/es_policy.json.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

/// Does what the arguments say.
pub(crate) fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command {
        Command::Run(run) => run::run(run),
        Command::Status(status) => status::status(&status),
        Command::Top(top) => top::top(&top),
        Command::Denials(denials) => denials::denials(denials),
        Command::Daemon(daemon) => daemon::daemon(&daemon),
        Command::Demo(demo) => demo::demo(&demo),
        Command::Explain(explain) => explain::explain(&explain),
        Command::Undo(undo) => undo::undo(undo),
        Command::Policy(policy) => policy::policy(policy),
        Command::Completions { shell } => {
            let mut command = Arguments::command();
            let mut script = Vec::new();
            // Into memory first: it takes a reader that went away for a bug.
            clap_complete::generate(shell, &mut command, "codex-es-guard", &mut script);
            terminal::line(String::from_utf8_lossy(&script).trim_end());
            Ok(ExitCode::SUCCESS)
        }
    };
    done.unwrap_or_else(|error| {
        terminal::error(&error);
        ExitCode::from(FAILED)
    })
}

/// The guard's own failures, as `env`, `timeout` and their like use it: no status of the command's.
const FAILED: u8 = 125;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
