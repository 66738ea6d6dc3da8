//! The undo store of the daemon: a session for each agent, and the store kept within its bounds.

use crate::undo;
use anyhow::{Context as _, Result};
use guard_core::guard::SharedGuard;
use guard_core::process::ProcessDescription;
use guard_core::ring::Counter;
use guard_report::hex;
use guard_report::paths::StatePaths;
use guard_report::time::now_ns;
use guard_undo::store::OpenStoreError;
use guard_undo::store::agents::{AgentKey, AgentSessions};
use guard_undo::{Preservation, Recorder, Store};
use std::sync::Arc;
use std::thread;

/// The sessions of the agents on this machine.
pub(super) struct MachineKeeper {
    guard: SharedGuard,
    store: Store,
    agents: Arc<AgentSessions>,
}

// === impl MachineKeeper ===

impl MachineKeeper {
    /// No session yet: each begins when its agent first loses something.
    pub(super) fn new(paths: &StatePaths, guard: SharedGuard) -> Self {
        let store = undo::store(paths);
        let (by, at) = (guard.clone(), store.clone());
        let begin = move |command: &str, at_ns| {
            begin(&at, &by, command, at_ns).inspect_err(|error| {
                let error = format!("{:#}", anyhow::Error::msg(error.to_string()));
                tracing::warn!("nothing of {command} can be preserved: {error}");
            })
        };
        Self {
            guard,
            store,
            agents: Arc::new(AgentSessions::new(Box::new(begin))),
        }
    }

    /// For the backend.
    pub(super) fn preservation(&self) -> Preservation {
        Preservation::Agents(Arc::clone(&self.agents))
    }

    /// Starts the thread that keeps the store within its bounds. No answer waits for it. Its figures
    /// are in the ring's header, where the exporter reads them.
    pub(super) fn start_sweeping(&self) -> Result<()> {
        let (agents, store) = (Arc::downgrade(&self.agents), self.store.clone());
        let guard = Arc::downgrade(&self.guard);
        let sweep = move || {
            while let (Some(agents), Some(guard)) = (agents.upgrade(), guard.upgrade()) {
                let bounds = undo::bounds(&store, guard.policy.load().undo());
                match agents.sweep(&store, bounds, now_ns()) {
                    Ok(swept) => {
                        undo::publish_swept(&guard, &swept);
                        guard.ring.set(Counter::UndoStoreBytes, swept.kept_bytes);
                        let limit = bounds.max_bytes;
                        guard.ring.set(Counter::UndoStoreLimitBytes, limit);
                    }
                    Err(error) => tracing::warn!("cannot sweep the undo store: {error}"),
                }
                drop((agents, guard));
                thread::sleep(undo::SWEEP_INTERVAL);
            }
        };
        thread::Builder::new()
            .name("guard-sweeper".into())
            .spawn(sweep)
            .map(drop)
            .context("starting the sweeper")
    }

    /// Writes down what is not yet, follows the policy's bounds, and ends the sessions of agents that
    /// have exited.
    pub(super) fn keep(&self) {
        let bounds = undo::bounds(&self.store, self.guard.policy.load().undo());
        self.agents
            .keep(bounds, now_ns(), &|agent| is_alive(&self.guard, agent));
    }

    /// Ends all sessions.
    pub(super) fn end(&self) {
        self.agents.end(now_ns());
    }
}

/// Begins the session of an agent, under the policy that is in force.
fn begin(
    store: &Store,
    guard: &SharedGuard,
    command: &str,
    at_ns: u64,
) -> Result<Recorder, OpenStoreError> {
    let name = crate::random::bytes::<8>().map_err(|source| OpenStoreError::Make {
        path: store.root().to_owned(),
        source,
    })?;
    let snapshot = guard.policy.load();
    undo::begin(store, &snapshot, &hex(&name), command.to_owned(), at_ns)
}

fn is_alive(guard: &SharedGuard, agent: AgentKey) -> bool {
    let mut found = ProcessDescription::default();
    let is_there = guard.source().describe(agent.pid, &mut found).is_ok();
    is_there && found.started_ns.abs_diff(agent.started_ns) < SAME_START_NS
}

/// Two reports of one process's start differ by less.
const SAME_START_NS: u64 = 1_000_000_000;
