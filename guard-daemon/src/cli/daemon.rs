//! `codex-es-guard daemon`.

use super::arguments::PolicyArguments;
use anyhow::Result;
use std::process::ExitCode;

/// Guard the whole machine (macOS, as root).
///
/// An AI agent on this Mac that tries to remove something in a protected zone, or to move it out, gets
/// EPERM, and the file stays. Runs until it receives SIGTERM or SIGINT; launchd starts it, see
/// launchd/. HOME is the protected user's home directory.
///
/// While the home directory, a policy or a permission is missing, the daemon reports which, guards
/// nothing, and tries again. It counts as active once it has seen a denial work.
#[derive(Debug, clap::Args)]
pub(super) struct DaemonArguments {
    #[command(flatten)]
    policy: PolicyArguments,
}

#[cfg(target_os = "macos")]
pub(super) fn daemon(arguments: &DaemonArguments) -> Result<ExitCode> {
    use super::prepare::{prepare, wait_until_ready};
    use crate::macos::daemon::{MachineGuard, run};
    use guard_es::signals;

    signals::note_requests_to_end();
    let ready = wait_until_ready(
        || prepare(&arguments.policy),
        super::terminal::note,
        || {
            std::thread::sleep(WAIT);
            !signals::is_ending()
        },
    )?;
    let Some(ready) = ready else {
        return Ok(ExitCode::SUCCESS);
    };
    ready.warn();
    ready.keep_state()?;
    run(MachineGuard {
        source: ready.source,
        policy: ready.policy,
        origin: ready.origin,
    })?;
    Ok(ExitCode::SUCCESS)
}

/// How often a home directory and a policy that were missing are searched for.
#[cfg(target_os = "macos")]
const WAIT: std::time::Duration = std::time::Duration::from_secs(1);

#[cfg(not(target_os = "macos"))]
pub(super) fn daemon(_: &DaemonArguments) -> Result<ExitCode> {
    anyhow::bail!(
        "the daemon is for macOS: Linux lets no program refuse what all processes do; guard a \
         session instead: codex-es-guard run -- COMMAND"
    )
}
