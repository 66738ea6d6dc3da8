//! The command `guard-exporter`; see `guard-exporter --help`.
#![forbid(unsafe_code)]

use clap::{CommandFactory as _, Parser as _};
use guard_exporter::cli::{Arguments, Command};
use guard_exporter::instance::ClaimError;
use guard_exporter::{log, service, verify};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let variable = |name: &str| std::env::var_os(name);
    let path = |name: &str| variable(name).map(PathBuf::from);
    match arguments.command {
        Some(Command::Verify(arguments)) => return verify::run(&arguments, path),
        Some(Command::Completions { shell }) => {
            let script = completions(shell);
            // A closed pipe is not an error.
            drop(std::io::stdout().write_all(&script));
            return ExitCode::SUCCESS;
        }
        None => {}
    }
    let serving = &arguments.serving;
    log::init(serving.log_level.into(), serving.log_format.into());
    let warn = |warning| tracing::warn!("{warning}");
    let settings = match arguments.serving.resolve(variable, warn) {
        Ok(settings) => settings,
        Err(error) => {
            // Standard error may be closed.
            let error = anyhow::Error::new(error);
            drop(writeln!(std::io::stderr(), "error: {error:#}"));
            return ExitCode::from(USAGE);
        }
    };
    match service::run(&settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            let served = matches!(error.downcast_ref(), Some(ClaimError::Served { .. }));
            if served {
                ExitCode::from(ALREADY_SERVED)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

fn completions(shell: clap_complete::Shell) -> Vec<u8> {
    let mut script = Vec::new();
    let mut command = Arguments::command();
    clap_complete::generate(shell, &mut command, "guard-exporter", &mut script);
    script
}

// Read by `--help`.
const USAGE: u8 = 2;
const ALREADY_SERVED: u8 = 3;
