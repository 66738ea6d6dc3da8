//! Where a backend preserves what agents take.

use crate::Recorder;
use crate::store::agents::AgentSessions;
use std::sync::Arc;

/// Where a backend preserves what agents take.
#[derive(Clone, Debug, Default)]
pub enum Preservation {
    /// The policy wants nothing preserved.
    #[default]
    Off,
    /// The store cannot be used: what must be preserved is denied.
    Unavailable,
    /// In the directory of this guarded session.
    Session(Arc<Recorder>),
    /// In a directory for each agent of the machine.
    Agents(Arc<AgentSessions>),
}

// === impl Preservation ===

impl Preservation {
    /// Whether what must be preserved is, or else is denied.
    #[must_use]
    pub const fn is_required(&self) -> bool {
        matches!(self, Self::Session(_) | Self::Agents(_) | Self::Unavailable)
    }
}
