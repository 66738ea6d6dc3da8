//! The rules: what a process is, given its looks, what was known of it, and its parent.
//!
//! 1. Whoever looks like an agent is one, and stands for itself.
//! 2. Whoever was an agent's stays so, whatever it becomes and whoever dies.
//! 3. A child of an agent's process is the agent's.
//! 4. Whoever carries an agent's marker in its environment is that agent's.
//! 5. Whoever was known to be a person's stays so when its parents are gone.
//! 6. Whoever was lost stays lost: new parents, given by the kernel, prove nothing.
//! 7. Else a process is what its parent is.
//!
//! Scoped tools are counted below the agent only. A process keeps the tools it was, since a tool
//! that ends with `exec` is still that tool's doing. A tool counts when its file is not newer than
//! the agent, which could have made a file of that name; below an agent whose own process was never
//! seen, when it began is not known, and no tool counts.

use super::interned::{Agent, AgentNumber, AgentNumbers, Agents};
use super::table::{Kind, Record};
use super::walk::Sighting;
use crate::actor::{AgentMatch, ToolNames, ToolSet};

/// What a process hands down to its children.
#[derive(Clone, Copy, Debug)]
pub(super) struct Legacy {
    pub(super) kind: Kind,
    pub(super) tools: ToolSet,
    /// As of when this is known.
    pub(super) as_of_ns: u64,
}

/// The names behind the numbers, with the right to add to them.
pub(super) struct Names<'a> {
    pub(super) agents: &'a Agents,
    pub(super) numbers: &'a mut AgentNumbers,
    pub(super) tools: &'a ToolNames,
}

// === impl Legacy ===

impl Legacy {
    /// What the parent of the topmost sighting would hand down.
    pub(super) const fn of_top(kind: Kind, as_of_ns: u64) -> Self {
        Self {
            kind,
            tools: ToolSet(0),
            as_of_ns,
        }
    }
}

impl From<Record> for Legacy {
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
        sighting: &Sighting,
        known: Option<Record>,
        parent: Legacy,
    ) -> Record {
        let kind = self.kind(sighting, known.map(|record| record.kind), parent.kind);
        Record {
            key: sighting.key,
            ppid: sighting.ppid,
            started_ns: sighting.started_ns,
            learnt_at_ns: known
                .map_or(0, |record| record.learnt_at_ns)
                .max(parent.as_of_ns),
            kind,
            tools: self.tools(sighting, kind, [known.map(Legacy::from), Some(parent)]),
            exited: known.is_some_and(|record| record.exited),
        }
    }

    fn kind(&mut self, sighting: &Sighting, known: Option<Kind>, parent: Kind) -> Kind {
        let looks = sighting.agent.as_ref();
        if let Some(itself) = looks.filter(|agent| !agent.by_environment) {
            return Kind::Agent(self.stands_for_itself(sighting, itself, known));
        }
        let inherited = match (known, parent) {
            // A first guess by a marker gives way to the agent's own process, once that is seen.
            (Some(Kind::Agent(number)), Kind::Agent(seen))
                if !self.agents.is_seen(number) && self.agents.is_seen(seen) =>
            {
                Some(seen)
            }
            (Some(Kind::Agent(number)), _) | (_, Kind::Agent(number)) => Some(number),
            _ => None,
        };
        match (inherited, looks, known) {
            (Some(number), Some(marker), _) => Kind::Agent(self.within_session(number, marker)),
            (Some(number), None, _) => Kind::Agent(number),
            (None, Some(marker), _) => Kind::Agent(self.by_marker(sighting, marker)),
            (None, None, Some(known)) => known,
            (None, None, None) => parent,
        }
    }

    /// Rule 1. A session id that was known before is kept.
    fn stands_for_itself(
        &mut self,
        sighting: &Sighting,
        looks: &AgentMatch,
        known: Option<Kind>,
    ) -> AgentNumber {
        let agent = agent(sighting, looks);
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

    /// An agent tells its session id to its children, not to itself.
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

    /// Rule 4, when no ancestor tells more: the session id may.
    fn by_marker(&mut self, sighting: &Sighting, marker: &AgentMatch) -> AgentNumber {
        self.agents
            .of_session(self.numbers, &marker.label, &marker.session)
            .unwrap_or_else(|| self.agents.intern(self.numbers, agent(sighting, marker)))
    }

    fn tools(&self, sighting: &Sighting, kind: Kind, sources: [Option<Legacy>; 2]) -> ToolSet {
        let Kind::Agent(number) = kind else {
            return ToolSet::default();
        };
        let Some(agent) = self.agents.get(number).filter(|agent| agent.seen) else {
            return ToolSet::default();
        };
        if agent.pid == sighting.key.pid && agent.started_ns == sighting.started_ns {
            return ToolSet::default();
        }
        let handed_down = sources
            .into_iter()
            .flatten()
            .filter(|legacy| match legacy.kind {
                Kind::Agent(other) => self
                    .agents
                    .get(other)
                    .is_some_and(|other| other.same_process(agent)),
                _ => false,
            })
            .fold(ToolSet::default(), |tools, legacy| {
                tools.union(legacy.tools)
            });
        let changed_ns = sighting.executable_changed_ns;
        match &sighting.tool {
            Some(name) if changed_ns != 0 && changed_ns <= agent.started_ns => {
                handed_down.union(self.tools.intern(name))
            }
            _ => handed_down,
        }
    }
}

fn agent(sighting: &Sighting, looks: &AgentMatch) -> Agent {
    Agent {
        label: looks.label.as_str().into(),
        ancestor: looks.ancestor.as_slice().into(),
        pid: sighting.key.pid,
        started_ns: sighting.started_ns,
        session: looks.session.as_slice().into(),
        seen: !looks.by_environment,
    }
}
