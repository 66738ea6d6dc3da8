//! What is observed of one process: its own properties, before any rule is applied.

use crate::actor::{AgentMatch, Recogniser};
use crate::process::{ProcessDescription, ProcessKey, basename};

/// What is observed of one process.
#[derive(Debug)]
pub(super) struct Observation {
    pub(super) key: ProcessKey,
    pub(super) ppid: u32,
    pub(super) started_ns: u64,
    pub(super) executable_changed_ns: u64,
    /// The agent that it is recognised as.
    pub(super) agent: Option<AgentMatch>,
    /// Its executable's basename, if that is a scoped tool's.
    pub(super) tool: Option<Box<[u8]>>,
    /// Whether the kernel may make it the parent of orphans.
    pub(super) adopts: bool,
    /// Whether its parent may have adopted it.
    pub(super) is_foundling: bool,
}

// === impl Observation ===

impl Observation {
    pub(super) fn of(description: &ProcessDescription, recogniser: &dyn Recogniser) -> Self {
        let name = basename(&description.executable);
        Self {
            key: description.key,
            ppid: description.ppid,
            started_ns: description.started_ns,
            executable_changed_ns: description.executable_changed_ns,
            agent: recogniser.agent(description),
            tool: recogniser.is_scoped_tool(name).then(|| name.into()),
            adopts: description.is_namespace_init,
            is_foundling: false,
        }
    }

    /// A process of which nothing is known but when it started, and its parent.
    pub(super) const fn of_fork(key: ProcessKey, ppid: u32, started_ns: u64) -> Self {
        Self {
            key,
            ppid,
            started_ns,
            executable_changed_ns: 0,
            agent: None,
            tool: None,
            adopts: false,
            is_foundling: false,
        }
    }
}
