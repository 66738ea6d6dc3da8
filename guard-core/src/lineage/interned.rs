//! Interned agents: written once, never moved, never freed.
//!
//! A record of the table has a number; the label, name and session of that number are here, so that
//! a reader borrows them without a lock. At most [`MAX_AGENTS`] are kept. All later ones share the
//! last slot, with the label `other`: still agents, but not distinguished.

use crate::actor::AgentRef;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// One agent, within one of its sessions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Agent {
    pub(super) label: Box<str>,
    pub(super) ancestor: Box<[u8]>,
    /// The agent's own process; if that was never observed, the first process known to be its.
    pub(super) pid: u32,
    pub(super) started_ns: u64,
    pub(super) session: Box<[u8]>,
    /// Whether the agent's own process was observed.
    pub(super) seen: bool,
}

/// The number of an [`Agent`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AgentNumber(pub(super) u32);

/// The agents, by number.
#[derive(Debug)]
pub(super) struct Agents {
    chunks: [OnceLock<Chunk>; CHUNKS],
}

/// The numbers, by agent, which the writer keeps to give equal agents the same number.
#[derive(Debug, Default)]
pub(super) struct AgentNumbers {
    numbers: HashMap<Arc<Agent>, AgentNumber>,
}

type Chunk = Box<[OnceLock<Arc<Agent>>]>;

/// The agents and sessions that one lineage distinguishes.
pub(super) const MAX_AGENTS: usize = CHUNKS * CHUNK;

/// Under Miri fewer, so that the bound is reached in a reasonable time.
const CHUNKS: usize = if cfg!(miri) { 2 } else { 64 };
const CHUNK: usize = 64;

// === impl Agent ===

impl Agent {
    pub(super) fn as_ref(&self) -> AgentRef<'_> {
        AgentRef {
            label: &self.label,
            ancestor: &self.ancestor,
            pid: self.pid,
            started_ns: self.started_ns,
            session: &self.session,
        }
    }

    /// Whether both are one process, apart from their sessions.
    pub(super) fn same_process(&self, other: &Self) -> bool {
        (self.pid, self.started_ns, self.seen) == (other.pid, other.started_ns, other.seen)
    }
}

// === impl Agents ===

impl Agents {
    pub(super) fn new() -> Self {
        Self {
            chunks: [const { OnceLock::new() }; CHUNKS],
        }
    }

    pub(super) fn get(&self, number: AgentNumber) -> Option<&Agent> {
        self.slot(number)?.get().map(AsRef::as_ref)
    }

    /// Whether this agent's own process was observed.
    pub(super) fn is_seen(&self, number: AgentNumber) -> bool {
        self.get(number).is_some_and(|agent| agent.seen)
    }

    /// The number of this agent, interning it if it is new.
    pub(super) fn intern(&self, numbers: &mut AgentNumbers, agent: Agent) -> AgentNumber {
        if let Some(&number) = numbers.numbers.get(&agent) {
            return number;
        }
        let last = MAX_AGENTS - 1;
        let next = numbers.numbers.len().min(last);
        let number = AgentNumber(u32::try_from(next).expect("MAX_AGENTS fits"));
        let Some(slot) = self.make_slot(number) else {
            return number;
        };
        if next == last {
            slot.get_or_init(|| {
                Arc::new(Agent {
                    label: "other".into(),
                    ..agent
                })
            });
        } else {
            let agent = Arc::new(agent);
            slot.get_or_init(|| Arc::clone(&agent));
            numbers.numbers.insert(agent, number);
        }
        number
    }

    /// An earlier agent with this label and session.
    pub(super) fn of_session(
        &self,
        numbers: &AgentNumbers,
        label: &str,
        session: &[u8],
    ) -> Option<AgentNumber> {
        if session.is_empty() {
            return None;
        }
        let is_it = |agent: &Agent| *agent.label == *label && *agent.session == *session;
        let found = || numbers.numbers.iter().filter(|(agent, _)| is_it(agent));
        let seen = found().find(|(agent, _)| agent.seen);
        seen.or_else(|| found().next()).map(|(_, &number)| number)
    }

    fn slot(&self, number: AgentNumber) -> Option<&OnceLock<Arc<Agent>>> {
        let index = number.0 as usize;
        self.chunks.get(index / CHUNK)?.get()?.get(index % CHUNK)
    }

    fn make_slot(&self, number: AgentNumber) -> Option<&OnceLock<Arc<Agent>>> {
        let index = number.0 as usize;
        let empty = || (0..CHUNK).map(|_| OnceLock::new()).collect();
        self.chunks
            .get(index / CHUNK)?
            .get_or_init(empty)
            .get(index % CHUNK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(pid: u32, session: &str) -> Agent {
        Agent {
            label: "codex".into(),
            ancestor: (*b"codex").into(),
            pid,
            started_ns: 7,
            session: session.as_bytes().into(),
            seen: true,
        }
    }

    #[test]
    fn equal_agents_share_a_number() {
        let (agents, mut numbers) = (Agents::new(), AgentNumbers::default());
        let first = agents.intern(&mut numbers, agent(1, "a"));
        let second = agents.intern(&mut numbers, agent(1, "b"));
        assert_ne!(first, second);
        assert_eq!(agents.intern(&mut numbers, agent(1, "a")), first);
        assert_eq!(agents.get(second).unwrap(), &agent(1, "b"));
        assert_eq!(agents.get(AgentNumber(2)), None);
        assert_eq!(agents.of_session(&numbers, "codex", b"b"), Some(second));
        assert_eq!(agents.of_session(&numbers, "codex", b""), None);
    }

    #[test]
    fn agents_beyond_the_limit_are_other() {
        let (agents, mut numbers) = (Agents::new(), AgentNumbers::default());
        let pids = 1..=u32::try_from(MAX_AGENTS).unwrap() + 5;
        let last = pids
            .map(|pid| agents.intern(&mut numbers, agent(pid, "")))
            .last()
            .unwrap();
        let other = agents.get(last).unwrap();
        assert_eq!((&*other.label, other.pid as usize), ("other", MAX_AGENTS));
        assert_eq!(agents.intern(&mut numbers, agent(1, "")), AgentNumber(0));
    }
}
