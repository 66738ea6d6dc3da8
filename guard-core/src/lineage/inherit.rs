//! The rules by which a process is attributed, from how it is recognised itself, what was known of
//! it, and its parent.
//!
//! 1. A process that is recognised as an agent is that agent.
//! 2. A process that was an agent's stays so, whatever it executes and whichever process exits.
//! 3. A child of an agent's process is the agent's.
//! 4. A process with an agent's marker in its environment is that agent's.
//! 5. A process known to be a person's stays so when its ancestors have exited.
//! 6. A process of unknown ancestry stays so: a new parent that the kernel gives proves nothing.
//! 7. A process that its parent may have adopted is unknown, unless the parent is an agent's.
//! 8. Otherwise a process is attributed as its parent is.
//!
//! Scoped tools are recorded below the agent only. A process keeps the tools that it was, since what
//! a tool executes at its end is still that tool's doing. A tool counts if its file is not newer than
//! the agent, which could have made a file of that name; below an agent whose own process was never
//! observed the agent's start is not known, and no tool counts.

use super::interned::{Agent, AgentNumber, AgentNumbers, Agents};
use super::observation::Observation;
use super::table::{Kind, Record};
use crate::actor::{AgentMatch, ToolNames, ToolSet};

/// What a process passes on to its children.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inherited {
    pub(super) kind: Kind,
    pub(super) tools: ToolSet,
    /// The time as of which this is known.
    pub(super) as_of_ns: u64,
}

/// The interned agents and tools, with the right to add to them.
pub(super) struct Names<'a> {
    pub(super) agents: &'a Agents,
    pub(super) numbers: &'a mut AgentNumbers,
    pub(super) tools: &'a ToolNames,
}

// === impl Inherited ===

impl Inherited {
    /// What the parent of the topmost observation would pass on.
    pub(super) const fn of_top(kind: Kind, as_of_ns: u64) -> Self {
        Self {
            kind,
            tools: ToolSet(0),
            as_of_ns,
        }
    }
}

impl From<Record> for Inherited {
    fn from(record: Record) -> Self {
        Self {
            kind: record.kind,
            tools: record.tools,
            as_of_ns: record.learnt_at_ns,
        }
    }
}

// === impl Names ===

impl Names<'_> {
    /// Applies the rules to one process.
    pub(super) fn inherit(
        &mut self,
        observation: &Observation,
        known: Option<Record>,
        parent: Inherited,
    ) -> Record {
        let kind = self.kind(observation, known.map(|record| record.kind), parent.kind);
        Record {
            key: observation.key,
            ppid: observation.ppid,
            started_ns: observation.started_ns,
            learnt_at_ns: known
                .map_or(0, |record| record.learnt_at_ns)
                .max(parent.as_of_ns),
            kind,
            tools: self.tools(
                observation,
                kind,
                [known.map(Inherited::from), Some(parent)],
            ),
            exited: known.is_some_and(|record| record.exited),
        }
    }

    fn kind(&mut self, observation: &Observation, known: Option<Kind>, parent: Kind) -> Kind {
        let recognised = observation.agent.as_ref();
        if let Some(itself) = recognised.filter(|agent| !agent.by_environment) {
            return Kind::Agent(self.as_agent(observation, itself, known));
        }
        let inherited = match (known, parent) {
            // An agent known by a marker only is replaced by the agent's own process, once observed.
            (Some(Kind::Agent(number)), Kind::Agent(seen))
                if !self.agents.is_seen(number) && self.agents.is_seen(seen) =>
            {
                Some(seen)
            }
            (Some(Kind::Agent(number)), _) | (_, Kind::Agent(number)) => Some(number),
            _ => None,
        };
        match (inherited, recognised, known) {
            (Some(number), Some(marker), _) => Kind::Agent(self.within_session(number, marker)),
            (Some(number), None, _) => Kind::Agent(number),
            (None, Some(marker), _) => Kind::Agent(self.by_marker(observation, marker)),
            (None, None, Some(known)) => known,
            (None, None, None) if observation.is_foundling => Kind::Unknown,
            (None, None, None) => parent,
        }
    }

    /// Rule 1. A session id that was known before is kept.
    fn as_agent(
        &mut self,
        observation: &Observation,
        recognised: &AgentMatch,
        known: Option<Kind>,
    ) -> AgentNumber {
        let agent = agent(observation, recognised);
        if let Some(Kind::Agent(number)) = known
            && let Some(before) = self.agents.get(number)
            && before.same_process(&agent)
            && before.label == agent.label
            && agent.session.is_empty()
        {
            return number;
        }
        self.agents.intern(self.numbers, agent)
    }

    /// An agent puts its session id into its children's environment, not into its own.
    fn within_session(&mut self, number: AgentNumber, marker: &AgentMatch) -> AgentNumber {
        match self.agents.get(number) {
            Some(agent)
                if *agent.label == *marker.label
                    && !marker.session.is_empty()
                    && *agent.session != *marker.session =>
            {
                let agent = Agent {
                    session: marker.session.as_slice().into(),
                    ..agent.clone()
                };
                self.agents.intern(self.numbers, agent)
            }
            _ => number,
        }
    }

    /// Rule 4, if no ancestor is known: the session id may identify the agent.
    fn by_marker(&mut self, observation: &Observation, marker: &AgentMatch) -> AgentNumber {
        self.agents
            .of_session(self.numbers, &marker.label, &marker.session)
            .unwrap_or_else(|| self.agents.intern(self.numbers, agent(observation, marker)))
    }

    fn tools(
        &self,
        observation: &Observation,
        kind: Kind,
        sources: [Option<Inherited>; 2],
    ) -> ToolSet {
        let Kind::Agent(number) = kind else {
            return ToolSet::default();
        };
        let Some(agent) = self.agents.get(number).filter(|agent| agent.seen) else {
            return ToolSet::default();
        };
        if agent.pid == observation.key.pid && agent.started_ns == observation.started_ns {
            return ToolSet::default();
        }
        let passed_on = sources
            .into_iter()
            .flatten()
            .filter(|inherited| match inherited.kind {
                Kind::Agent(other) => self
                    .agents
                    .get(other)
                    .is_some_and(|other| other.same_process(agent)),
                _ => false,
            })
            .fold(ToolSet::default(), |tools, inherited| {
                tools.union(inherited.tools)
            });
        let changed_ns = observation.executable_changed_ns;
        match &observation.tool {
            Some(name) if changed_ns != 0 && changed_ns <= agent.started_ns => {
                passed_on.union(self.tools.intern(name))
            }
            _ => passed_on,
        }
    }
}

fn agent(observation: &Observation, recognised: &AgentMatch) -> Agent {
    Agent {
        label: recognised.label.as_str().into(),
        ancestor: recognised.ancestor.as_slice().into(),
        pid: observation.key.pid,
        started_ns: observation.started_ns,
        session: recognised.session.as_slice().into(),
        seen: !recognised.by_environment,
    }
}
