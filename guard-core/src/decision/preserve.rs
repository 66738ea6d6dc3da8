//! What must be preserved before an allowed operation proceeds.
//!
//! A decision requires it ([`Preserve`]), and the backend does it. Contents that are opened for
//! writing are a separate question ([`Snapshot::preserves_contents`]), without a decision.
//!
//! Nothing is preserved where a tool makes everything again ([`place_of`]), in
//! disposable and in temporary paths.

use super::effective::{self, EffectiveEntry};
use super::place::place_of;
use crate::actor::{AgentRef, Attribution, FactSource};
use crate::event::ZoneRef;
use crate::policy::{Snapshot, Zone};
use crate::standing::{Place, PlaceQuery};
use crate::tools::OutputOwner;

/// Whether an object must be preserved before an allowed operation: the one that is removed, or that
/// a rename replaces, by an agent's process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preserve {
    /// Nothing is destroyed, or it is made again.
    #[default]
    Nothing,
    /// An agent made it: it is preserved only if somebody else has changed it since.
    IfChanged,
    /// If possible: a name gets new contents, or a person allowed the removal.
    IfPossible,
    /// It is preserved, or else the operation is denied ([`Unpreservable`](crate::Reason::Unpreservable)).
    Required,
}

// === impl Preserve ===

impl Preserve {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::IfChanged => "if_changed",
            Self::IfPossible => "if_possible",
            Self::Required => "required",
        }
    }

    /// For people; `None` if nothing is preserved.
    #[must_use]
    pub const fn explain(self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::IfChanged => Some("preserved if somebody else changed it since"),
            Self::IfPossible => Some("preserved first, as far as possible"),
            Self::Required => Some("preserved first, else denied"),
        }
    }

    /// For what a trusted tool removes, by the owner of its output.
    pub(super) const fn of_tool(owner: OutputOwner) -> Self {
        match owner {
            // Version control discards for good, and a tool of the policy removes anything.
            OutputOwner::Original | OutputOwner::Copy => Self::Required,
            OutputOwner::AgentIfNew | OutputOwner::Agent => Self::IfPossible,
        }
    }
}

// === impl Snapshot ===

impl Snapshot {
    /// The zone that contains a canonical path, whatever else covers it.
    #[must_use]
    pub fn zone_of(&self, path: &[u8]) -> Option<ZoneRef<'_>> {
        self.zone_over(self.tree.lookup(path)).map(Zone::as_ref)
    }

    /// The agent that acts, if the contents of the file at this canonical path are preserved before
    /// it changes them: undo is on, and no tool makes them again.
    pub fn editing_agent<'f, F: FactSource + ?Sized>(
        &self,
        path: &[u8],
        facts: &'f F,
    ) -> Option<AgentRef<'f>> {
        let zone = self.preserves_contents(path)?;
        if !self.undo().enabled {
            return None;
        }
        let Attribution::Agent(agent) = facts.actor().attribution else {
            return None;
        };
        let query = PlaceQuery::MadeAgain;
        let place = place_of(zone.path, path, agent.started_ns, query, facts);
        (place != Place::MadeAgain).then_some(agent)
    }

    /// The zone for which the contents of the file at this canonical path are preserved before an
    /// agent changes them, whatever its place is: see [`editing_agent`](Self::editing_agent).
    #[must_use]
    pub fn preserves_contents(&self, path: &[u8]) -> Option<ZoneRef<'_>> {
        let found = self.tree.lookup(path);
        match effective::effective_entry(self, found, path, |_| false) {
            EffectiveEntry::Zone(zone) if !found.is_own() => Some(zone.as_ref()),
            _ => None,
        }
    }
}
