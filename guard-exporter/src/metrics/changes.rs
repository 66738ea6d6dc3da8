//! Counting what agents take from kept files, and how it was preserved.

use super::catalogue;
use super::registry::{Registry, counter_vec, histogram_vec};
use crate::units::seconds;
use guard_core::DecisionEvent;
use guard_core::event::{ChangeKind, Preservation, PreservationMethod, UnpreservedCause};
use guard_core::verdict::Verdict;
use prometheus::{HistogramVec, IntCounter, IntCounterVec};

/// Counts preservations of all agents.
#[derive(Debug)]
pub(super) struct ChangeMetrics {
    changes: IntCounterVec,
    files: IntCounterVec,
    bytes: IntCounterVec,
    unpreserved: [[IntCounter; Verdict::ALL.len()]; UnpreservedCause::ALL.len()],
    duration: HistogramVec,
}

/// The series of one agent, created together.
#[derive(Debug)]
pub(super) struct AgentChanges {
    changes: [IntCounter; ChangeKind::ALL.len()],
    files: [IntCounter; PreservationMethod::ALL.len()],
    bytes: [IntCounter; PreservationMethod::ALL.len()],
}

// === impl ChangeMetrics ===

impl ChangeMetrics {
    pub(super) fn new(registry: &Registry) -> Self {
        let unpreserved = counter_vec(registry, catalogue::UNPRESERVED_FILES);
        Self {
            changes: counter_vec(registry, catalogue::FILE_CHANGES),
            files: counter_vec(registry, catalogue::PRESERVED_FILES),
            bytes: counter_vec(registry, catalogue::PRESERVED_BYTES),
            unpreserved: UnpreservedCause::ALL.map(|cause| {
                Verdict::ALL.map(|verdict| {
                    unpreserved.with_label_values(&[cause.as_str(), verdict.as_str()])
                })
            }),
            duration: histogram_vec(registry, catalogue::PRESERVING_DURATION),
        }
    }

    /// The series of the agent with this label.
    pub(super) fn of_agent(&self, label: &str) -> AgentChanges {
        let by_method = |family: &IntCounterVec| {
            PreservationMethod::ALL
                .map(|method| family.with_label_values(&[label, method.as_str()]))
        };
        AgentChanges {
            changes: ChangeKind::ALL
                .map(|kind| self.changes.with_label_values(&[label, kind.as_str()])),
            files: by_method(&self.files),
            bytes: by_method(&self.bytes),
        }
    }

    /// Counts the preservation of an event by this agent.
    pub(super) fn count(
        &self,
        agent: &AgentChanges,
        event: &DecisionEvent<'_>,
        preservation: &Preservation,
    ) {
        if let Some(kind) = event.change() {
            agent.changes[kind as usize].inc();
        }
        let duration = seconds(preservation.duration_ns);
        if let Some(method) = preservation.method() {
            agent.files[method as usize].inc();
            agent.bytes[method as usize].inc_by(preservation.bytes);
            self.duration
                .with_label_values(&[method.as_str()])
                .observe(duration);
        }
        if let Some(cause) = preservation.cause() {
            self.unpreserved[cause as usize][event.verdict as usize].inc();
            self.duration.with_label_values(&[NONE]).observe(duration);
        }
    }
}

/// The method of what could not be preserved.
const NONE: &str = "none";

#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::event::PreservationOutcome;
    use guard_testing::events::CHANGE;

    #[test]
    fn files_bytes_causes_and_times_are_counted() {
        let registry = Registry::default();
        let metrics = ChangeMetrics::new(&registry);
        let agent = metrics.of_agent("codex");
        let preserved = CHANGE.preservation.unwrap();
        metrics.count(&agent, &CHANGE, &preserved);
        let shrunk = Preservation {
            bytes: 100,
            bytes_after: Some(0),
            ..preserved
        };
        let edit = DecisionEvent {
            operation: guard_core::OperationKind::Write,
            preservation: Some(shrunk),
            ..CHANGE
        };
        metrics.count(&agent, &edit, &shrunk);
        let failed = Preservation {
            outcome: PreservationOutcome::Unpreserved(UnpreservedCause::Full),
            ..shrunk
        };
        for verdict in [Verdict::Allow, Verdict::Deny] {
            let event = DecisionEvent {
                verdict,
                preservation: Some(failed),
                ..edit
            };
            metrics.count(&agent, &event, &failed);
        }
        assert_eq!(agent.changes.each_ref().map(IntCounter::get), [1, 0, 0, 2]);
        assert_eq!(agent.files.each_ref().map(IntCounter::get), [2, 0, 0, 0, 0]);
        assert_eq!(agent.bytes[0].get(), 4196);
        let full = &metrics.unpreserved[UnpreservedCause::Full as usize];
        assert_eq!(full.each_ref().map(IntCounter::get), [1, 1, 0]);
        let observed = |method| {
            let duration = metrics.duration.with_label_values(&[method]);
            duration.get_sample_count()
        };
        assert_eq!(observed(PreservationMethod::ALL[0].as_str()), 2);
        assert_eq!(observed(NONE), 2);
    }
}
