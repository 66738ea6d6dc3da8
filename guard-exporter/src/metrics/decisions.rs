//! Counting decisions: the hot path of the exporter.
//!
//! Series are looked up by label once and then kept by number, so an event costs some array accesses
//! and additions. A hostile ring can make no series beyond [`MAX_AGENTS`] agents, and no label value
//! other than a plain lower-case word.

use super::catalogue::{self, DURATION_BOUNDS, MAX_AGENTS};
use super::changes::{AgentChanges, ChangeMetrics};
use super::exemplars::{Exemplar, Exemplars, key};
use super::named::Named;
use super::registry::{Registry, counter, counter_vec, histogram, histogram_vec};
use crate::detect::DetectionPlace;
use crate::units::seconds;
use guard_core::event::{BY_POLICY, RequestEvent, RequestStep, TraceContext};
use guard_core::verdict::{Answer, Reason, Verdict};
use guard_core::{DecisionEvent, OperationKind};
use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec};
use std::str::from_utf8;

/// Counts decisions. One per registry, used by one thread.
#[derive(Debug)]
pub struct DecisionMetrics {
    families: Families,
    changes: ChangeMetrics,
    agents: Vec<AgentSeries>,
    /// How many of them are not [`UNNAMED`].
    named_agents: usize,
    zones: Named<ByVerdict>,
    tools: Named<IntCounter>,
    by_reason: [[Option<IntCounter>; Verdict::ALL.len()]; Reason::ALL.len()],
    by_answer: [IntCounter; Answer::ALL.len()],
    granted_after: Histogram,
    rejected_after: Histogram,
    by_operation: [Option<Histogram>; OperationKind::ALL.len()],
    deadline_margin: Option<Histogram>,
    traced: IntCounter,
    repeated: IntCounter,
    capped: IntCounter,
    exemplars: Exemplars,
    registry: Registry,
}

/// The families that series are created in.
#[derive(Debug)]
struct Families {
    decisions: IntCounterVec,
    reasons: IntCounterVec,
    zones: IntCounterVec,
    tools: IntCounterVec,
    overrides: IntCounterVec,
    retry_storms: IntCounterVec,
    mass_deletions: IntCounterVec,
    request_steps: IntCounterVec,
    denied_commands: IntCounterVec,
    durations: HistogramVec,
}

/// All series of one agent, created together.
#[derive(Debug)]
struct AgentSeries {
    label: Box<str>,
    by_operation: [ByVerdict; OperationKind::ALL.len()],
    overrides: IntCounter,
    retry_storms: IntCounter,
    request_steps: [IntCounter; RequestStep::ALL.len()],
    mass_deletions: [[IntCounter; 2]; DetectionPlace::ALL.len()],
    denied_commands: IntCounter,
    changes: AgentChanges,
}

type ByVerdict = [IntCounter; Verdict::ALL.len()];

// === impl DecisionMetrics ===

impl DecisionMetrics {
    pub(super) fn new(registry: &Registry, exemplars: Exemplars) -> Self {
        let families = Families {
            decisions: counter_vec(registry, catalogue::DECISIONS),
            reasons: counter_vec(registry, catalogue::DECISION_REASONS),
            zones: counter_vec(registry, catalogue::ZONE_DECISIONS),
            tools: counter_vec(registry, catalogue::TRUSTED_USES),
            overrides: counter_vec(registry, catalogue::OVERRIDE_USES),
            retry_storms: counter_vec(registry, catalogue::RETRY_STORMS),
            mass_deletions: counter_vec(registry, catalogue::MASS_DELETIONS),
            request_steps: counter_vec(registry, catalogue::REQUEST_STEPS),
            denied_commands: counter_vec(registry, catalogue::DENIED_COMMANDS),
            durations: histogram_vec(registry, catalogue::DECISION_DURATION),
        };
        let waits = histogram_vec(registry, catalogue::REQUEST_WAIT);
        let answers = counter_vec(registry, catalogue::ANSWERS);
        let capped = counter(registry, catalogue::CAPPED_VALUES);
        let mut metrics = Self {
            agents: Vec::new(),
            named_agents: 0,
            zones: Named::new(capped.clone()),
            tools: Named::new(capped.clone()),
            by_reason: Default::default(),
            by_answer: Answer::ALL.map(|answer| answers.with_label_values(&[answer.as_str()])),
            granted_after: waits.with_label_values(&[RequestStep::Granted.as_str()]),
            rejected_after: waits.with_label_values(&[RequestStep::Rejected.as_str()]),
            by_operation: Default::default(),
            deadline_margin: None,
            traced: counter(registry, catalogue::TRACED_DENIALS),
            repeated: counter(registry, catalogue::REPEATED_DENIALS),
            capped,
            exemplars,
            families,
            changes: ChangeMetrics::new(registry),
            registry: registry.clone(),
        };
        metrics.add_agent(NONE);
        for reason in Reason::ALL {
            for &verdict in verdicts_of(reason) {
                metrics.reason(reason, verdict);
            }
        }
        metrics
    }

    /// Counts a decision. Returns the number of its agent, which does not change.
    pub fn count(&mut self, event: &DecisionEvent<'_>) -> usize {
        let DecisionEvent {
            operation,
            verdict,
            reason,
            answer,
            ..
        } = *event;
        let agent = self.agent(event.agent);
        self.agents[agent].by_operation[operation as usize][verdict as usize].inc();
        self.reason(reason, verdict).inc();
        self.by_answer[answer as usize].inc();
        let duration = seconds(event.latency_ns);
        let durations = &self.families.durations;
        self.by_operation[operation as usize]
            .get_or_insert_with(|| durations.with_label_values(&[operation.as_str()]))
            .observe(duration);
        if let Some(left_ns) = event.deadline_left_ns {
            let registry = &self.registry;
            self.deadline_margin
                .get_or_insert_with(|| histogram(registry, catalogue::DEADLINE_MARGIN))
                .observe(seconds(left_ns));
        }
        if let Some(zone) = event.zone {
            let zones = &self.families.zones;
            let create = |name: &str| {
                Verdict::ALL.map(|verdict| zones.with_label_values(&[name, verdict.as_str()]))
            };
            self.zones.get(zone.name, create)[verdict as usize].inc();
        }
        if reason == Reason::TrustedTool
            && let Some(tool) = event.tool
        {
            let tools = &self.families.tools;
            let create = |name: &str| tools.with_label_values(&[name]);
            let name = from_utf8(tool).unwrap_or_default();
            self.tools.get(name, create).inc();
        }
        if reason == Reason::Override {
            self.agents[agent].overrides.inc();
        }
        if let Some(preservation) = &event.preservation {
            let series = &self.agents[agent].changes;
            self.changes.count(series, event, preservation);
        }
        if let Some(trace) = event.trace {
            self.traced.inc();
            self.exemplify(event, agent, trace);
        }
        agent
    }

    /// Counts a step of a request, and how long a person took to answer it.
    pub fn count_request(&mut self, event: &RequestEvent<'_>) {
        let agent = self.agent(event.agent);
        self.agents[agent].request_steps[event.step as usize].inc();
        let is_by_policy = event.by.is_some_and(|by| by.starts_with(BY_POLICY));
        let waited = event.wait_ns.filter(|_| !is_by_policy).map(seconds);
        match (event.step, waited) {
            (RequestStep::Granted, Some(waited)) => self.granted_after.observe(waited),
            (RequestStep::Rejected, Some(waited)) => self.rejected_after.observe(waited),
            _ => {}
        }
    }

    /// Counts a denial that has no line of its own in the log.
    pub fn repeated(&self) {
        self.repeated.inc();
    }

    /// The `agent` label of the agent with this number.
    #[must_use]
    pub fn label(&self, agent: usize) -> &str {
        &self.agents[agent].label
    }

    /// The `agent` label under which this agent is counted.
    pub(super) fn known_label(&mut self, agent: &str) -> &str {
        let agent = self.agent(Some(agent));
        self.label(agent)
    }

    /// Counts a retry storm of the agent with this number.
    pub fn retry_storm(&self, agent: usize) {
        self.agents[agent].retry_storms.inc();
    }

    /// Counts a mass deletion in a session of the agent with this number.
    pub fn mass_deletion(&self, agent: usize, place: DetectionPlace, verdict: Verdict) {
        let denied = usize::from(verdict == Verdict::Deny);
        self.agents[agent].mass_deletions[place as usize][denied].inc();
    }

    /// Counts a command of the agent with this number, that was denied something.
    pub fn denied_command(&self, agent: usize) {
        self.agents[agent].denied_commands.inc();
    }

    fn exemplify(&self, event: &DecisionEvent<'_>, agent: usize, trace: TraceContext) {
        let exemplar = |value| Exemplar {
            trace,
            value,
            time: seconds(event.wall_ns),
        };
        let operation = event.operation.as_str();
        let values = [self.label(agent), operation, event.verdict.as_str()];
        let counted = key(catalogue::DECISIONS.name, values, None);
        self.exemplars.put(counted, exemplar(1.0));
        let duration = seconds(event.latency_ns);
        let bucket = DURATION_BOUNDS.partition_point(|&bound| bound < duration);
        let observed = key(catalogue::DECISION_DURATION.name, [operation], Some(bucket));
        self.exemplars.put(observed, exemplar(duration));
    }

    fn reason(&mut self, reason: Reason, verdict: Verdict) -> &IntCounter {
        self.by_reason[reason as usize][verdict as usize].get_or_insert_with(|| {
            let labels = [reason.as_str(), verdict.as_str()];
            self.families.reasons.with_label_values(&labels)
        })
    }

    /// The number of the agent with this label.
    fn agent(&mut self, agent: Option<&str>) -> usize {
        let label = label(agent);
        let known = self.position(label);
        known.unwrap_or_else(|| {
            if self.named_agents < MAX_AGENTS || UNNAMED.contains(&label) {
                self.add_agent(label)
            } else {
                self.capped.inc();
                self.position(OTHER)
                    .unwrap_or_else(|| self.add_agent(OTHER))
            }
        })
    }

    fn position(&self, label: &str) -> Option<usize> {
        let mut agents = self.agents.iter();
        agents.position(|series| &*series.label == label)
    }

    fn add_agent(&mut self, label: &str) -> usize {
        self.named_agents += usize::from(!UNNAMED.contains(&label));
        let changes = self.changes.of_agent(label);
        self.agents
            .push(AgentSeries::new(label, &self.families, changes));
        self.agents.len() - 1
    }
}

// === impl AgentSeries ===

impl AgentSeries {
    fn new(label: &str, families: &Families, changes: AgentChanges) -> Self {
        Self {
            by_operation: OperationKind::ALL.map(|operation| {
                Verdict::ALL.map(|verdict| {
                    let labels = [label, operation.as_str(), verdict.as_str()];
                    families.decisions.with_label_values(&labels)
                })
            }),
            overrides: families.overrides.with_label_values(&[label]),
            retry_storms: families.retry_storms.with_label_values(&[label]),
            mass_deletions: DetectionPlace::ALL.map(|place| {
                [Verdict::Allow, Verdict::Deny].map(|verdict| {
                    let labels = [label, place.as_str(), verdict.as_str()];
                    families.mass_deletions.with_label_values(&labels)
                })
            }),
            request_steps: RequestStep::ALL.map(|step| {
                let labels = [label, step.as_str()];
                families.request_steps.with_label_values(&labels)
            }),
            denied_commands: families.denied_commands.with_label_values(&[label]),
            changes,
            label: label.into(),
        }
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

/// Whether it has the form of a label of the agent catalogue.
fn is_plain_word(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=MAX_LABEL_BYTES).contains(&text.len()) && text.bytes().all(plain)
}

/// The verdicts that a reason can have, whose series exist from the start.
const fn verdicts_of(reason: Reason) -> &'static [Verdict] {
    match reason {
        Reason::AgentInZone | Reason::GuardFiles | Reason::Unpreservable => &[Verdict::Deny],
        Reason::AuditOnly => &[Verdict::Audit],
        Reason::UnknownLineage | Reason::Deadline | Reason::UnresolvedPath => {
            &[Verdict::Allow, Verdict::Deny]
        }
        Reason::OutsideZones
        | Reason::Override
        | Reason::SystemTemp
        | Reason::Disposable
        | Reason::Scratch
        | Reason::WithinZones
        | Reason::Replaced
        | Reason::NotJudged
        | Reason::Human
        | Reason::TrustedTool
        | Reason::Preserved => &[Verdict::Allow],
    }
}

/// Longer than any label of the agent catalogue.
const MAX_LABEL_BYTES: usize = 40;
const NONE: &str = "none";
const CUSTOM: &str = "custom";
const OTHER: &str = "other";
/// They are there beside [`MAX_AGENTS`] others.
const UNNAMED: [&str; 3] = [NONE, CUSTOM, OTHER];

#[cfg(test)]
mod tests {
    use super::*;
    use guard_testing::events::denial;

    #[test]
    fn the_65th_agent_and_invalid_labels_are_other() {
        let registry = Registry::default();
        let mut metrics = DecisionMetrics::new(&registry, Exemplars::default());
        let room = MAX_AGENTS as u64;
        let mut event = denial(0);
        let names: Vec<String> = (0..200).map(|index| format!("agent_{index}")).collect();
        let invalid = [
            "custom:/home/u/secret",
            "custom:b",
            "/home/u/secret",
            "agent_0",
        ];
        let named = names.iter().map(|name| Some(name.as_str()));
        for agent in named.chain([None]).chain(invalid.map(Some)) {
            event.agent = agent;
            metrics.count(&event);
        }

        let counted = |agent: &str| {
            let index = metrics.position(agent).unwrap();
            let series = &metrics.agents[index].by_operation[OperationKind::Rename as usize];
            series[Verdict::Deny as usize].get()
        };
        assert_eq!(metrics.agents.len(), MAX_AGENTS + 3);
        assert_eq!(counted("agent_0"), 2);
        assert_eq!(counted(&format!("agent_{}", room - 1)), 1);
        assert_eq!([counted(NONE), counted(CUSTOM)], [1, 2]);
        assert_eq!(counted(OTHER), 200 - room + 1);
        assert_eq!(metrics.capped.get(), 200 - room);
    }

    #[test]
    fn zones_tools_overrides_and_deadlines_are_counted() {
        let registry = Registry::default();
        let mut metrics = DecisionMetrics::new(&registry, Exemplars::default());
        metrics.count(&denial(0));
        for reason in [Reason::TrustedTool, Reason::Override] {
            metrics.count(&DecisionEvent {
                verdict: Verdict::Allow,
                reason,
                tool: Some(b"git"),
                trace: None,
                deadline_left_ns: Some(7_000_000_000),
                ..denial(0)
            });
        }
        let families = &metrics.families;
        let zone = |verdict| {
            families
                .zones
                .with_label_values(&["project", verdict])
                .get()
        };
        assert_eq!([zone("deny"), zone("allow"), zone("audit")], [1, 2, 0]);
        assert_eq!(families.tools.with_label_values(&["git"]).get(), 1);
        assert_eq!(
            families.overrides.with_label_values(&["claude_code"]).get(),
            1
        );
        assert_eq!(metrics.deadline_margin.unwrap().get_sample_count(), 2);
        assert_eq!(metrics.traced.get(), 1);
    }
}
