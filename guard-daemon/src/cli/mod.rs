//! The command line: what can be typed, and where it leads.

mod answer;
mod arguments;
mod companion;
mod daemon;
mod demo;
mod denials;
mod explain;
mod opened;
mod outputs;
mod overrides;
mod person;
mod policy;
mod prepare;
mod replay;
mod request;
mod run;
mod status;
pub(crate) mod terminal;
mod top;
mod undo;
mod why;

use clap::{CommandFactory, Parser, Subcommand};
use guard_report::address::DEFAULT_ADDRESS;
use guard_report::companion::SetupArguments;
use std::process::ExitCode;

/// Stops AI agents from destroying the files you protect.
#[derive(Debug, Parser)]
#[command(
    name = "codex-es-guard",
    version,
    about,
    long_about = "Stops AI agents from destroying the files you protect.\n\nA destructive file \
        operation (removing, moving away) in a zone that you protect, by a process that descends \
        from an AI agent, fails with EPERM. Everything else is allowed: what you type yourself, the \
        agent's edits, what it made itself, its version control.",
    after_help = after_help()
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
    Why(why::WhyArguments),
    Explain(explain::ExplainArguments),
    Request(request::RequestArguments),
    Requests(answer::RequestsArguments),
    Approve(answer::ApproveArguments),
    Reject(answer::RejectArguments),
    Override(overrides::OverrideArguments),
    Hook(companion::HookArguments),
    Mcp(companion::McpArguments),
    Setup(SetupArguments),
    Undo(undo::UndoArguments),
    /// Check, show, create, replay or improve the policy.
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Executes the command of the arguments.
pub(crate) fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command {
        Command::Run(run) => run::run(run),
        Command::Status(status) => status::status(&status),
        Command::Top(top) => top::top(&top),
        Command::Denials(denials) => denials::denials(denials),
        Command::Daemon(daemon) => daemon::daemon(&daemon),
        Command::Demo(demo) => demo::demo(&demo),
        Command::Why(why) => why::why(&why),
        Command::Explain(explain) => explain::explain(&explain),
        Command::Request(request) => request::request(request),
        Command::Requests(requests) => answer::list(&requests),
        Command::Approve(approve) => answer::approve(approve),
        Command::Reject(reject) => answer::reject(reject),
        Command::Override(command) => overrides::overrides(command),
        Command::Hook(hook) => companion::hook(&hook),
        Command::Setup(setup) => companion::setup(&setup),
        Command::Mcp(_) => companion::mcp(),
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

fn after_help() -> String {
    format!(
        "Start here:\n  \
         codex-es-guard policy init ~/work     protect a directory\n  \
         codex-es-guard run -- claude          run an agent under guard\n  \
         codex-es-guard explain ~/work/notes   who may remove this?\n  \
         codex-es-guard status                 is a guard running, and is it well?\n  \
         codex-es-guard denials --follow       what are agents stopped from doing?\n  \
         codex-es-guard why                    why was that denied?\n  \
         codex-es-guard requests               what do agents ask for? then approve, reject\n  \
         codex-es-guard undo                   what did agents change, and how does it come back?\n\n\
         Policy:   ~/.codex/es_policy.json\n\
         Denials:  ~/.codex/es-guard/denials.jsonl\n\
         Metrics:  http://{DEFAULT_ADDRESS}/metrics"
    )
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
