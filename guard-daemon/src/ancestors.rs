//! The processes above one: their ids, the agents and guards among them, and whether they can be followed
//! to the first.
//!
//! The kernel says who is above whom. An agent is recognised wherever it is, also above a guard, so that no
//! process hides one by passing for a guard: being taken for a guard's only takes rights away.

use guard_core::process::ancestors_of;
#[cfg(any(target_os = "linux", target_os = "macos"))]
use {
    guard_core::actor::AgentMatch,
    guard_core::agents::{IgnoredMarkers, recognise},
    guard_core::process::{ProcessDescription, ProcessSource, basename},
};

/// The ids of this process's ancestors, the parent first, as they are now.
pub(crate) fn ancestors() -> Vec<u32> {
    #[cfg(target_os = "macos")]
    use guard_es::processes::parent_of;
    #[cfg(target_os = "linux")]
    use guard_linux::procfs::parent_of;

    ancestors_of(std::process::id(), parent_of)
}

/// What a process and those above it are.
#[cfg(any(target_os = "linux", target_os = "macos"))]
#[derive(Debug)]
pub(crate) struct Ancestry {
    /// The process, then its ancestors, as far as they could be followed.
    pub(crate) pids: Vec<u32>,
    /// The nearest agent and its process.
    pub(crate) agent: Option<(AgentMatch, u32)>,
    /// Whether the guard of a session is above the process.
    pub(crate) is_guarded: bool,
    pub(crate) end: End,
}

/// Where following the ancestors ended.
#[cfg(any(target_os = "linux", target_os = "macos"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// At the first process.
    First,
    /// At one that is gone, or cannot be examined.
    Gone,
    /// At one that is younger than its child: it is another's id by now.
    Lost,
    /// At the greatest depth.
    TooDeep,
}

// === impl Ancestry ===

#[cfg(any(target_os = "linux", target_os = "macos"))]
impl Ancestry {
    /// Of process `pid`, as it is now. Those that are `own` processes of the guard that asks are neither
    /// agents nor guards.
    pub(crate) fn of(
        pid: u32,
        source: &impl ProcessSource,
        patterns: &[impl AsRef<[u8]>],
        mut own: impl FnMut(u32, &ProcessDescription) -> bool,
    ) -> Self {
        let none_ignored = IgnoredMarkers::default();
        let mut process = ProcessDescription::default();
        let mut found = Self {
            pids: Vec::new(),
            agent: None,
            is_guarded: false,
            end: End::TooDeep,
        };
        let (mut pid, mut child_started_ns) = (pid, u64::MAX);
        while found.pids.len() < MAX_DEPTH {
            if source.describe(pid, &mut process).is_err() {
                found.end = End::Gone;
                break;
            }
            if process.started_ns > child_started_ns {
                found.end = End::Lost;
                break;
            }
            if !own(pid, &process) {
                if found.agent.is_none() {
                    let agent = recognise(&process, patterns, &none_ignored);
                    found.agent = agent.map(|agent| (agent, pid));
                }
                found.is_guarded |= !found.pids.is_empty() && is_supervisor(&process);
            }
            found.pids.push(pid);
            if pid == 1 || process.ppid == 0 {
                found.end = End::First;
                break;
            }
            (pid, child_started_ns) = (process.ppid, process.started_ns);
        }
        found
    }
}

/// Whether this is the guard of a session: `codex-es-guard run …`, by the name that it was started by or
/// that of its file. The command line takes nothing before `run`.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn is_supervisor(process: &ProcessDescription) -> bool {
    let names = [process.argv0(), &process.executable];
    let is_guard = names.into_iter().any(|name| basename(name) == PROGRAM);
    is_guard && process.arguments().nth(1) == Some(b"run")
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
const PROGRAM: &[u8] = b"codex-es-guard";

/// Deeper process trees are not followed.
#[cfg(any(target_os = "linux", target_os = "macos"))]
const MAX_DEPTH: usize = 1024;

#[cfg(test)]
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(crate) mod tests {
    use super::*;
    use guard_core::process::DescribeProcessError;
    use std::collections::HashMap;

    /// Processes by their ids: the parent's id, and the arguments with spaces between them. Each is
    /// older than those with greater ids.
    pub(crate) struct Table(pub(crate) HashMap<u32, (u32, &'static str)>);

    impl ProcessSource for Table {
        fn describe(
            &self,
            pid: u32,
            into: &mut ProcessDescription,
        ) -> Result<(), DescribeProcessError> {
            let (ppid, arguments) = self.0.get(&pid).ok_or(DescribeProcessError::Gone)?;
            let program = arguments.split(' ').next().unwrap_or_default();
            *into = ProcessDescription {
                ppid: *ppid,
                started_ns: u64::from(pid),
                executable: format!("/usr/bin/{program}").into_bytes(),
                arguments: arguments.replace(' ', "\0").into_bytes(),
                ..ProcessDescription::default()
            };
            Ok(())
        }
    }

    fn ancestry(table: &Table, pid: u32) -> Ancestry {
        Ancestry::of(pid, table, &[""; 0], |_, _| false)
    }

    #[test]
    fn the_parent_comes_first() {
        assert_eq!(
            ancestors().first().copied(),
            Some(std::os::unix::process::parent_id())
        );
    }

    #[test]
    fn a_supervisor_is_known_by_its_arguments() {
        for (executable, arguments, is) in [
            ("", "/usr/bin/codex-es-guard\0run\0--\0bash\0", true),
            ("/opt/codex-es-guard", "guard\0run\0-q\0", true),
            ("/opt/codex-es-guard", "codex-es-guard\0demo\0", false),
            (
                "/opt/codex-es-guard",
                "codex-es-guard\0request\0run\0",
                false,
            ),
            ("/bin/bash", "bash\0run\0", false),
            ("", "", false),
        ] {
            let process = ProcessDescription {
                executable: executable.as_bytes().to_vec(),
                arguments: arguments.as_bytes().to_vec(),
                ..ProcessDescription::default()
            };
            assert_eq!(is_supervisor(&process), is, "{arguments:?}");
        }
    }

    #[test]
    fn no_name_hides_an_agent() {
        let table = Table(HashMap::from([
            (1, (0, "init")),
            (2, (1, "codex")),
            // As an agent may call what it starts.
            (3, (2, "codex-es-guard run -- sh")),
            (4, (3, "sh")),
            (5, (1, "codex-es-guard run -- zsh")),
            (6, (5, "zsh")),
        ]));
        let hidden = ancestry(&table, 4);
        assert!(hidden.is_guarded);
        let (agent, pid) = hidden.agent.unwrap();
        assert_eq!((agent.label.as_str(), pid), ("codex", 2));
        assert_eq!((hidden.pids, hidden.end), (vec![4, 3, 2, 1], End::First));
        let person = ancestry(&table, 6);
        assert!(person.is_guarded && person.agent.is_none());
        // It is not above itself.
        assert!(!ancestry(&table, 5).is_guarded);
        let own = Ancestry::of(6, &table, &[""; 0], |pid, _| pid == 5);
        assert!(!own.is_guarded);
    }

    #[test]
    fn the_first_process_is_where_all_ends_but_the_way_there_may_be_lost() {
        let deep = (2..=3000).map(|pid| (pid, (pid - 1, "sh")));
        let mut table = Table(deep.collect());
        let end = |table: &Table, pid| ancestry(table, pid).end;
        assert_eq!(end(&table, 3000), End::TooDeep);
        assert_eq!(end(&table, 3), End::Gone);
        table.0.insert(1, (0, "init"));
        assert_eq!(end(&table, 3), End::First);
        // Its parent's id was used again.
        table.0.insert(4, (3000, "sh"));
        assert_eq!(end(&table, 4), End::Lost);
    }
}
