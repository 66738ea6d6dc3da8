//! Whether a person asks.
//!
//! The caller's ancestors are examined, whatever it runs itself. An agent among them ends it, and so
//! does a guarded session: in one, a process that lost its parents cannot be distinguished from an agent's.
//! Outside one, an agent's process that lost all its ancestors and cleared its environment is not
//! recognised.

use anyhow::Result;

#[cfg(target_os = "linux")]
pub(super) fn check() -> Result<()> {
    use anyhow::bail;
    use guard_core::agents::{IgnoredMarkers, recognise};
    use guard_core::policy::DEFAULT_AGENT_PATTERNS;
    use guard_core::process::{ProcessDescription, ProcessSource as _};
    use guard_linux::procfs::ProcFs;

    let patterns = patterns().unwrap_or_else(|| DEFAULT_AGENT_PATTERNS.map(str::to_owned).to_vec());
    let none_ignored = IgnoredMarkers::default();
    let source = ProcFs::new();
    let mut process = ProcessDescription::default();
    let mut pid = std::process::id();
    for depth in 0..MAX_DEPTH {
        if pid == 0 || source.describe(pid, &mut process).is_err() {
            break;
        }
        if depth > 0 && is_supervisor(&process) {
            bail!(
                "only a person can undo, and this is a guarded session: run it in a terminal outside"
            );
        }
        if let Some(agent) = recognise(&process, &patterns, &none_ignored) {
            bail!(
                "only a person can undo, and this process descends from {} (pid {pid}): run it in \
                 a terminal of your own",
                agent.label
            );
        }
        pid = process.ppid;
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn check() -> Result<()> {
    Ok(())
}

/// The patterns of the policy in force, if one can be read.
#[cfg(target_os = "linux")]
fn patterns() -> Option<Vec<String>> {
    let paths = guard_report::paths::StatePaths::of_user(None).ok()?;
    let text = std::fs::read(paths.policy).ok()?;
    let policy = guard_core::policy::Policy::parse(&text).ok()?;
    Some(policy.ai_agent_patterns)
}

/// Whether this is the guard of a session: `codex-es-guard run …`.
#[cfg(target_os = "linux")]
fn is_supervisor(process: &guard_core::process::ProcessDescription) -> bool {
    let mut arguments = process.arguments.split(|&byte| byte == 0);
    let program = arguments.next().unwrap_or_default();
    let program = program.rsplit(|&byte| byte == b'/').next();
    program == Some(b"codex-es-guard") && arguments.any(|argument| argument == b"run")
}

/// Deeper process trees are not followed.
#[cfg(target_os = "linux")]
const MAX_DEPTH: usize = 4096;

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::process::ProcessDescription;

    #[test]
    fn a_supervisor_is_known_by_its_arguments() {
        for (arguments, is) in [
            ("/usr/bin/codex-es-guard\0run\0--\0bash\0", true),
            ("codex-es-guard\0run\0-q\0", true),
            ("codex-es-guard\0demo\0", false),
            ("bash\0run\0", false),
            ("", false),
        ] {
            let process = ProcessDescription {
                arguments: arguments.as_bytes().to_vec(),
                ..ProcessDescription::default()
            };
            assert_eq!(is_supervisor(&process), is, "{arguments:?}");
        }
    }
}
