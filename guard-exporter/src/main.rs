//! The command `guard-exporter`; see `guard-exporter --help`.
#![forbid(unsafe_code)]

use clap::Parser;
use guard_exporter::cli::Arguments;
use guard_exporter::instance::ClaimError;
use guard_exporter::{notice, service};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let settings = match arguments.settle(|name| std::env::var_os(name), notice::say) {
        Ok(settings) => settings,
        Err(error) => {
            notice::say(error);
            return ExitCode::from(USAGE);
        }
    };
    match service::run(&settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            notice::say(format_args!("{error:#}"));
            let served = matches!(error.downcast_ref(), Some(ClaimError::Served { .. }));
            if served {
                ExitCode::from(ALREADY_SERVED)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

// Told by `--help`.
const USAGE: u8 = 2;
const ALREADY_SERVED: u8 = 3;
