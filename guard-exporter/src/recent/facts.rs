//! What is known of a decision without its line.

use guard_core::OperationKind;
use guard_core::verdict::Verdict;
use guard_report::filter::Subject;
use std::ops::Deref;

/// Who, where, what and when: what the shallow part of a filter and the picture over time need.
#[derive(Clone, Debug)]
pub struct DecisionFacts<S> {
    pub agent: Option<S>,
    /// The name of the zone.
    pub zone: Option<S>,
    pub zone_path: Option<S>,
    pub operation: OperationKind,
    pub verdict: Verdict,
    /// Wall clock nanoseconds.
    pub wall_ns: u64,
    /// How many share the line.
    pub count: u64,
}

// === impl DecisionFacts ===

impl<S: Deref<Target = str>> DecisionFacts<S> {
    /// What a filter compares first.
    pub(super) fn subject(&self) -> Subject<'_> {
        Subject {
            agent: self.agent.as_deref(),
            zone_name: self.zone.as_deref(),
            zone_path: self.zone_path.as_deref(),
            operation: Some(self.operation),
            verdict: Some(self.verdict),
            wall_ns: Some(self.wall_ns),
        }
    }
}
