//! demo placeholder
use anyhow::Result;
use std::process::ExitCode;
/// See the guard at work.
#[derive(Debug, clap::Args)]
pub(super) struct DemoArguments {
    /// Leave the session open to play.
    #[arg(long)]
    keep: bool,
}
pub(super) fn demo(_: &DemoArguments) -> Result<ExitCode> {
    Ok(ExitCode::SUCCESS)
}
