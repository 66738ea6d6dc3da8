//! The sessions of all agents on a machine.
//!
//! A guard of a whole machine runs for months. What each agent takes is a session of its own, begun
//! when the agent first loses something, and ended when its process has exited and nothing was
//! preserved for a while: then it can be evicted like any other.

use super::recorder::Recorder;
use super::{Bounds, OpenStoreError};
use crate::sweep;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An agent's process, from whose descendants it is one agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AgentKey {
    /// Its process id.
    pub pid: u32,
    /// When it started, nanoseconds of the wall clock.
    pub started_ns: u64,
}

/// Begins the session of an agent, which has this name.
pub type BeginSession =
    Box<dyn Fn(&str, u64) -> Result<Recorder, OpenStoreError> + Send + Sync + 'static>;

/// The sessions of the agents that are at work.
pub struct AgentSessions {
    begin: BeginSession,
    agents: Mutex<HashMap<AgentKey, AgentSession>>,
}

struct AgentSession {
    /// `None` if it could not be begun.
    recorder: Option<Arc<Recorder>>,
    /// When it was used last, or could not be begun.
    used_ns: u64,
}

// === impl AgentSessions ===

impl AgentSessions {
    /// None so far. `begin` is given an agent's name and the time, and is called by the thread that
    /// answers.
    #[must_use]
    pub fn new(begin: BeginSession) -> Self {
        Self {
            begin,
            agents: Mutex::default(),
        }
    }

    /// The session of an agent, begun if there is none. `None` if the store refuses it; it is
    /// tried again after a moment.
    pub fn recorder(&self, agent: AgentKey, name: &str, now_ns: u64) -> Option<Arc<Recorder>> {
        let mut agents = self.agents();
        if let Some(session) = agents.get_mut(&agent)
            && (session.recorder.is_some() || now_ns < session.used_ns.saturating_add(RETRY_NS))
        {
            if session.recorder.is_some() {
                session.used_ns = now_ns;
            }
            return session.recorder.clone();
        }
        let recorder = (self.begin)(name, now_ns).ok().map(Arc::new);
        agents.insert(
            agent,
            AgentSession {
                recorder: recorder.clone(),
                used_ns: now_ns,
            },
        );
        recorder
    }

    /// Writes down what is not yet, puts bounds in force, and ends the sessions of agents that have
    /// exited. For a housekeeper, once a second or so.
    pub fn keep(&self, bounds: Bounds, now_ns: u64, is_alive: &dyn Fn(AgentKey) -> bool) {
        let is_over = |agent: &AgentKey, session: &AgentSession| {
            now_ns.saturating_sub(session.used_ns) > IDLE_NS && !is_alive(*agent)
        };
        let mut over = Vec::new();
        self.agents().retain(|agent, session| {
            let is_over = is_over(agent, session);
            if is_over {
                over.extend(session.recorder.take());
            }
            !is_over
        });
        for recorder in over {
            // A session without its last record counts as interrupted.
            let _full = recorder.end(now_ns);
        }
        for recorder in self.recorders() {
            recorder.flush();
            recorder.set_bounds(bounds);
        }
    }

    /// Evicts what is too old or too much. For a housekeeper.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn sweep(
        &self,
        store: &super::Store,
        bounds: Bounds,
        now_ns: u64,
    ) -> io::Result<sweep::Swept> {
        let swept = sweep::sweep(store, &bounds, now_ns)?;
        for recorder in self.recorders() {
            recorder.note_swept(&swept);
        }
        Ok(swept)
    }

    /// Ends all sessions, on the disk too.
    pub fn end(&self, now_ns: u64) {
        let ended: Vec<_> = self.agents().drain().collect();
        for recorder in ended
            .into_iter()
            .filter_map(|(_, session)| session.recorder)
        {
            let _full = recorder.end(now_ns);
        }
    }

    /// The sessions, without the lock that the answering thread may wait for.
    fn recorders(&self) -> Vec<Arc<Recorder>> {
        let agents = self.agents();
        let recorders = agents.values().map(|session| session.recorder.clone());
        recorders.flatten().collect()
    }

    /// A thread that died left a table in which every entry is whole.
    fn agents(&self) -> MutexGuard<'_, HashMap<AgentKey, AgentSession>> {
        self.agents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for AgentSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentSessions")
            .field("agents", &self.agents().len())
            .finish_non_exhaustive()
    }
}

/// How long after a failure a session is begun again.
const RETRY_NS: u64 = 10_000_000_000;

/// How long an agent whose process has exited may have descendants that are still at work.
const IDLE_NS: u64 = 600_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Began;
    use crate::store::{SessionState, Store};
    use std::sync::atomic::{AtomicU64, Ordering};

    const SECOND_NS: u64 = 1_000_000_000;

    fn agents(store: &Store) -> AgentSessions {
        let (store, number) = (store.clone(), AtomicU64::new(0));
        AgentSessions::new(Box::new(move |command, at_ns| {
            let name = format!("s{}", number.fetch_add(1, Ordering::Relaxed));
            let began = Began {
                command: command.to_owned(),
                ..Began::default()
            };
            Recorder::begin(&store, &name, began, Bounds::for_disk(1 << 40), at_ns)
        }))
    }

    #[test]
    fn each_agent_has_a_session_that_ends_after_it() {
        let base = tempfile::tempdir().unwrap();
        let store = Store::at(base.path().join("undo"));
        let agents = agents(&store);
        let name = |pid, started_ns, seconds: u64| {
            let agent = AgentKey { pid, started_ns };
            let recorder = agents.recorder(agent, "claude", seconds * SECOND_NS);
            recorder.unwrap().name().to_owned()
        };
        let (first, second) = (name(1, 1, 1), name(2, 1, 1));
        assert_ne!(first, second);
        assert_eq!(name(1, 1, 2), first);
        assert_ne!(name(1, 2, 2), first, "a process id is used again");
        let keep = |seconds: u64| {
            let bounds = Bounds::for_disk(1 << 40);
            agents.keep(bounds, seconds * SECOND_NS, &|agent| agent.pid == 2);
        };
        keep(600);
        let state = |name: &str| store.session(name).unwrap().state;
        assert_eq!(
            state(&first),
            SessionState::Running,
            "its children may work"
        );
        keep(603);
        assert_eq!(state(&first), SessionState::Ended);
        assert_eq!(state(&second), SessionState::Running);
        agents.end(604 * SECOND_NS);
        assert_eq!(store.sessions().unwrap().len(), 3);
    }

    #[test]
    fn a_store_that_refuses_is_asked_again_after_a_moment() {
        let base = tempfile::tempdir().unwrap();
        let store = Store::at(base.path().join("missing/undo"));
        let agents = agents(&store);
        let key = AgentKey {
            pid: 1,
            started_ns: 1,
        };
        assert!(agents.recorder(key, "claude", 0).is_none());
        std::fs::create_dir(base.path().join("missing")).unwrap();
        assert!(agents.recorder(key, "claude", RETRY_NS - 1).is_none());
        assert!(agents.recorder(key, "claude", RETRY_NS).is_some());
    }
}
