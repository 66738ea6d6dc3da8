//! Whether a person asks.
//!
//! The caller's ancestors are examined, whatever it runs itself. An agent among them ends it, and so
//! does a guarded session where a person outside is meant: in one, a process that lost its parents
//! cannot be distinguished from an agent's. Outside one, an agent's process that lost all its ancestors
//! and cleared its environment is not recognised.

use anyhow::Result;
#[cfg(any(target_os = "linux", target_os = "macos"))]
use {
    crate::ancestors::{Ancestry, End},
    anyhow::bail,
    guard_core::policy::DEFAULT_AGENT_PATTERNS,
    guard_core::process::ProcessSource,
};

/// What is examined.
#[cfg(any(target_os = "linux", target_os = "macos"))]
#[derive(Clone, Copy)]
struct Check<'a> {
    /// What only a person can do, in words.
    deed: &'a str,
    /// Whether it is refused in a guarded session.
    is_for_outside: bool,
    patterns: &'a [String],
}

/// Fails below an agent and in a guarded session.
pub(super) fn check(deed: &str) -> Result<()> {
    check_this_process(deed, true)
}

/// Fails below an agent. In a session the kernel has to refuse the rest.
pub(super) fn check_ancestors(deed: &str) -> Result<()> {
    check_this_process(deed, false)
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
fn check_this_process(deed: &str, is_for_outside: bool) -> Result<()> {
    #[cfg(target_os = "linux")]
    let source = guard_linux::procfs::ProcFs::new();
    #[cfg(target_os = "macos")]
    let source = guard_es::processes::LibProc::default();
    let patterns = patterns().unwrap_or_else(|| DEFAULT_AGENT_PATTERNS.map(str::to_owned).to_vec());
    let check = Check {
        deed,
        is_for_outside,
        patterns: &patterns,
    };
    check.process(&source, std::process::id())
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn check_this_process(_: &str, _: bool) -> Result<()> {
    Ok(())
}

// === impl Check ===

#[cfg(any(target_os = "linux", target_os = "macos"))]
impl Check<'_> {
    /// Examines a process and all above it.
    fn process(self, source: &impl ProcessSource, pid: u32) -> Result<()> {
        let Self {
            deed,
            is_for_outside,
            patterns,
        } = self;
        let above = Ancestry::of(pid, source, patterns, |_, _| false);
        if let Some((agent, pid)) = above.agent {
            bail!(
                "only a person can {deed}, and this process descends from {} (pid {pid}): run it \
                 in a terminal of your own",
                agent.label
            );
        }
        if is_for_outside && above.is_guarded {
            bail!(
                "only a person can {deed}, and this is a guarded session: run it in a terminal \
                 outside"
            );
        }
        match above.end {
            // Elsewhere the kernel does not say who is above: on macOS, root's processes.
            End::First | End::Gone => Ok(()),
            End::Lost => bail!("only a person can {deed}, and one of its parents was lost"),
            End::TooDeep => {
                bail!("only a person can {deed}, and this process has too many parents")
            }
        }
    }
}

/// The patterns of the policy in force, if one can be read.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn patterns() -> Option<Vec<String>> {
    let paths = guard_report::paths::StatePaths::of_user(None).ok()?;
    let text = std::fs::read(paths.policy).ok()?;
    let policy = guard_core::policy::Policy::parse(&text).ok()?;
    Some(policy.ai_agent_patterns)
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::ancestors::tests::Table;
    use std::collections::HashMap;

    #[test]
    fn an_agent_above_or_a_guarded_session_refuses() {
        let table = Table(HashMap::from([
            (1, (0, "launchd")),
            (2, (1, "zsh")),
            (3, (2, "codex-es-guard undo")),
            (4, (2, "codex")),
            (5, (4, "sh -c undo")),
            (6, (5, "codex-es-guard undo")),
            (7, (2, "codex-es-guard run -- zsh")),
            (8, (7, "zsh")),
            (9, (8, "codex-es-guard undo")),
        ]));
        let patterns = DEFAULT_AGENT_PATTERNS.map(str::to_owned);
        let refused = |pid, is_for_outside| {
            let check = Check {
                deed: "undo",
                is_for_outside,
                patterns: &patterns,
            };
            let checked = check.process(&table, pid);
            checked.err().map(|error| error.to_string())
        };
        let refusal = |pid| refused(pid, true);
        assert_eq!(refusal(3), None);
        let agent = refusal(6).unwrap();
        assert!(agent.contains("descends from codex (pid 4)"), "{agent}");
        let session = refusal(9).unwrap();
        assert!(session.contains("a guarded session"), "{session}");
        assert_eq!(refused(9, false), None);
        assert_eq!(refusal(10), None, "nothing is known of it");
        let deep = Table((11..5000).map(|pid| (pid, (pid - 1, "sh"))).collect());
        let check = Check {
            deed: "undo",
            is_for_outside: false,
            patterns: &patterns,
        };
        assert!(check.process(&deep, 4999).is_err(), "it hides behind many");
    }
}
