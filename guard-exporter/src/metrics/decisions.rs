//! Counting decisions: the hot path of the exporter.
//!
//! Series are looked up by label once and then kept by number, so that an event costs some array
//! steps and a few additions. A hostile ring can make no series beyond [`MAX_AGENTS`] agents, and
//! no label value that is not a plain lower-case word.

use super::catalogue::{self, MAX_AGENTS};
use super::{counter_vec, histogram_vec};
use guard_core::verdict::{Answer, Reason, Verdict};
use guard_core::{DecisionEvent, OperationKind};
use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec, Registry};

/// Counts decisions. One per registry, used by one thread.
#[derive(Debug)]
pub struct DecisionMetrics {
    decisions: IntCounterVec,
    reasons: IntCounterVec,
    durations: HistogramVec,
    agents: Vec<AgentSeries>,
    by_reason: [[Option<IntCounter>; Verdict::ALL.len()]; Reason::ALL.len()],
    by_answer: [IntCounter; Answer::ALL.len()],
    by_operation: [Option<Histogram>; OperationKind::ALL.len()],
}

#[derive(Debug)]
struct AgentSeries {
    label: Box<str>,
    by_operation: [Option<[IntCounter; Verdict::ALL.len()]>; OperationKind::ALL.len()],
}

// === impl DecisionMetrics ===

impl DecisionMetrics {
    pub(super) fn new(registry: &Registry) -> Self {
        let answers = counter_vec(registry, catalogue::ANSWERS);
        Self {
            decisions: counter_vec(registry, catalogue::DECISIONS),
            reasons: counter_vec(registry, catalogue::DECISION_REASONS),
            durations: histogram_vec(registry, catalogue::DECISION_DURATION),
            agents: Vec::new(),
            by_reason: Default::default(),
            by_answer: Answer::ALL.map(|answer| answers.with_label_values(&[answer.as_str()])),
            by_operation: Default::default(),
        }
    }

    /// Counts one decision.
    pub fn count(&mut self, event: &DecisionEvent<'_>) {
        let DecisionEvent {
            operation,
            verdict,
            reason,
            answer,
            ..
        } = *event;
        self.agent(event.agent, operation)[verdict as usize].inc();

        self.by_reason[reason as usize][verdict as usize]
            .get_or_insert_with(|| {
                self.reasons
                    .with_label_values(&[reason.as_str(), verdict.as_str()])
            })
            .inc();

        self.by_answer[answer as usize].inc();

        self.by_operation[operation as usize]
            .get_or_insert_with(|| self.durations.with_label_values(&[operation.as_str()]))
            .observe(seconds(event.latency_ns));
    }

    /// The counters of one agent and operation, by verdict; made together when first seen.
    fn agent(
        &mut self,
        agent: Option<&str>,
        operation: OperationKind,
    ) -> &[IntCounter; Verdict::ALL.len()] {
        let label = label(agent);
        let known = self
            .agents
            .iter()
            .position(|series| &*series.label == label);
        let index = known.unwrap_or_else(|| self.add_agent(label));
        let series = &mut self.agents[index];
        series.by_operation[operation as usize].get_or_insert_with(|| {
            Verdict::ALL.map(|verdict| {
                let labels = [&*series.label, operation.as_str(), verdict.as_str()];
                self.decisions.with_label_values(&labels)
            })
        })
    }

    fn add_agent(&mut self, label: &str) -> usize {
        let reserved = [NONE, CUSTOM, OTHER].contains(&label);
        let label = if reserved || self.agents.len() < MAX_AGENTS {
            label
        } else {
            OTHER
        };
        if let Some(index) = self
            .agents
            .iter()
            .position(|series| &*series.label == label)
        {
            return index;
        }
        let series = AgentSeries {
            label: label.into(),
            by_operation: Default::default(),
        };
        self.agents.push(series);
        self.agents.len() - 1
    }
}

fn label(agent: Option<&str>) -> &str {
    match agent {
        None => NONE,
        Some(agent) if agent.starts_with("custom:") => CUSTOM,
        Some(agent) if is_plain_word(agent) => agent,
        Some(_) => OTHER,
    }
}

/// Whether it looks like a label of the agent catalogue.
fn is_plain_word(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=MAX_LABEL_BYTES).contains(&text.len()) && text.bytes().all(plain)
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 104 days")]
fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

/// Longer than any label of the agent catalogue.
const MAX_LABEL_BYTES: usize = 40;
const NONE: &str = "none";
const CUSTOM: &str = "custom";
const OTHER: &str = "other";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::denial;

    #[test]
    fn the_65th_agent_and_strange_labels_are_other() {
        let registry = Registry::new();
        let mut metrics = DecisionMetrics::new(&registry);
        let mut event = denial(0);
        let names: Vec<String> = (0..200).map(|index| format!("agent_{index}")).collect();
        let strange = [
            "custom:/home/u/secret",
            "custom:b",
            "/home/u/secret",
            "agent_0",
        ];
        let agents = names.iter().map(|name| Some(name.as_str()));
        for agent in agents.chain([None]).chain(strange.map(Some)) {
            event.agent = agent;
            metrics.count(&event);
        }

        let counted = |agent| {
            metrics
                .decisions
                .with_label_values(&[agent, "rename", "deny"])
                .get()
        };
        assert_eq!(metrics.agents.len(), MAX_AGENTS + 3);
        assert_eq!(counted("agent_0"), 2);
        assert_eq!(counted("agent_63"), 1);
        assert_eq!([counted(NONE), counted(CUSTOM)], [1, 2]);
        assert_eq!(counted(OTHER), 200 - 64 + 1);
    }
}
