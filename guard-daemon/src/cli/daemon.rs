//! `codex-es-guard daemon`.

use super::PolicyArguments;
use anyhow::Result;
use std::process::ExitCode;

/// Guard the whole machine (macOS, as root).
///
/// What any AI agent on this Mac would remove or move out of a protected zone stays, and the agent
/// gets EPERM. Runs until it is told to end; launchd starts it, see launchd/. HOME is the protected
/// user's. Until a denial was seen to work the guard calls itself inactive, says what is missing,
/// and tries again.
#[derive(Debug, clap::Args)]
pub(super) struct DaemonArguments {
    #[command(flatten)]
    policy: PolicyArguments,
}

#[cfg(target_os = "macos")]
pub(super) fn daemon(arguments: &DaemonArguments) -> Result<ExitCode> {
    let ready = super::run::prepare(&arguments.policy)?;
    for warning in ready.snapshot.warnings() {
        super::terminal::warn(&warning.to_string());
    }
    super::run::keep_state(&ready)?;
    crate::macos::daemon::run(crate::macos::daemon::Plan {
        source: ready.source,
        policy: ready.policy,
        origin: ready.origin,
    })?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(not(target_os = "macos"))]
pub(super) fn daemon(_: &DaemonArguments) -> Result<ExitCode> {
    anyhow::bail!(
        "the daemon is for macOS: Linux lets no program refuse what all processes do; guard a \
         session instead: codex-es-guard run -- COMMAND"
    )
}
