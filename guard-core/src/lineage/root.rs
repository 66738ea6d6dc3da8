//! The process below which a lineage counts.

use crate::actor::AgentMatch;
use crate::process::{ProcessDescription, ProcessKey};

/// The session's root command. Processes above it do not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// Its identity.
    pub key: ProcessKey,
    /// When it started, as in its [`ProcessDescription`]. Processes that started earlier are outside.
    pub started_ns: u64,
    /// The agent that the session was declared to be, however the root is recognised.
    pub declared_agent: Option<AgentMatch>,
}

// === impl Root ===

impl Root {
    /// Whether this is the root, though it may have executed another program since.
    pub(super) fn is(&self, description: &ProcessDescription) -> bool {
        description.key == self.key
            || (description.key.pid == self.key.pid && description.started_ns == self.started_ns)
    }
}
