//! Whether a person asks.
//!
//! The caller's ancestors are examined, whatever it runs itself. An agent among them ends it, and so
//! does a guarded session where a person outside is meant: in one, a process that lost its parents
//! cannot be distinguished from an agent's. Outside one, an agent's process that lost all its ancestors
//! and cleared its environment is not recognised.

use anyhow::Result;
#[cfg(any(target_os = "linux", target_os = "macos"))]
use {
    anyhow::bail,
    guard_core::agents::{IgnoredMarkers, recognise},
    guard_core::policy::DEFAULT_AGENT_PATTERNS,
    guard_core::process::{ProcessDescription, ProcessSource},
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
        let none_ignored = IgnoredMarkers::default();
        let mut process = ProcessDescription::default();
        let mut pid = pid;
        for depth in 0..MAX_DEPTH {
            if pid == 0 || source.describe(pid, &mut process).is_err() {
                break;
            }
            if depth > 0 && is_for_outside && is_supervisor(&process) {
                bail!(
                    "only a person can {deed}, and this is a guarded session: run it in a terminal \
                     outside"
                );
            }
            if let Some(agent) = recognise(&process, patterns, &none_ignored) {
                bail!(
                    "only a person can {deed}, and this process descends from {} (pid {pid}): run it \
                     in a terminal of your own",
                    agent.label
                );
            }
            pid = process.ppid;
        }
        Ok(())
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

/// Whether this is the guard of a session: `codex-es-guard run …`.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn is_supervisor(process: &ProcessDescription) -> bool {
    let mut arguments = process.arguments.split(|&byte| byte == 0);
    let program = arguments.next().unwrap_or_default();
    let program = program.rsplit(|&byte| byte == b'/').next();
    program == Some(b"codex-es-guard") && arguments.any(|argument| argument == b"run")
}

/// Deeper process trees are not followed.
#[cfg(any(target_os = "linux", target_os = "macos"))]
const MAX_DEPTH: usize = 4096;

#[cfg(any(target_os = "linux", target_os = "macos"))]
#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::process::DescribeProcessError;
    use std::collections::HashMap;

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

    /// Processes by their ids: the parent's id and the arguments.
    struct Table(HashMap<u32, (u32, &'static str)>);

    impl ProcessSource for Table {
        fn describe(
            &self,
            pid: u32,
            into: &mut ProcessDescription,
        ) -> Result<(), DescribeProcessError> {
            let (ppid, arguments) = self.0.get(&pid).ok_or(DescribeProcessError::Gone)?;
            let program = arguments.split('\0').next().unwrap_or_default();
            *into = ProcessDescription {
                ppid: *ppid,
                executable: format!("/usr/bin/{program}").into_bytes(),
                arguments: arguments.as_bytes().to_vec(),
                ..ProcessDescription::default()
            };
            Ok(())
        }
    }

    #[test]
    fn an_agent_above_or_a_guarded_session_refuses() {
        let table = Table(HashMap::from([
            (1, (0, "launchd\0")),
            (2, (1, "zsh\0")),
            (3, (2, "codex-es-guard\0undo\0")),
            (4, (2, "codex\0")),
            (5, (4, "sh\0-c\0undo\0")),
            (6, (5, "codex-es-guard\0undo\0")),
            (7, (2, "codex-es-guard\0run\0--\0zsh\0")),
            (8, (7, "zsh\0")),
            (9, (8, "codex-es-guard\0undo\0")),
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
    }
}
