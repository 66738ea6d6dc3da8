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
        }
    }
}
