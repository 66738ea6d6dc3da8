//! Everything on a machine that changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use endpoint_sec_sys::es_event_type_t;

use crate::action::Action;
use crate::cache::{Cache, Key};
use crate::file::File;
use crate::machine::client::{Client, ClientId};
use crate::memory::lists::List;
use crate::memory::message::Memory;
use crate::process::{Execution, Process};
use crate::report::{Defect, Report};
use crate::verdict::{Ticket, Verdict};

/// The state of a machine, behind one lock.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) clients: BTreeMap<ClientId, Client>,
    /// Messages that are alive, by their address.
    pub(crate) messages: BTreeMap<usize, Message>,
    /// Operations that wait for answers.
    pub(crate) requests: BTreeMap<u64, Request>,
    pub(crate) last_request: u64,
    /// When answers are due: tick, operation, client.
    pub(crate) deadlines: BTreeSet<(u64, u64, ClientId)>,
    pub(crate) cache: Cache,
    /// Processes that live.
    pub(crate) processes: BTreeMap<Execution, Process>,
    /// For each process id, those of its ancestors. Kept when one of them exits.
    pub(crate) ancestors: BTreeMap<u32, Vec<u32>>,
    pub(crate) last_pid: u32,
    pub(crate) last_pidversion: u32,
    pub(crate) files: BTreeMap<Arc<[u8]>, File>,
    /// Lists handed out and not yet released.
    pub(crate) lists: BTreeMap<usize, List>,
    /// Whether messages are kept in the queues for now.
    pub(crate) held: bool,
    pub(crate) report: Report,
}

/// A message that is alive.
pub(crate) struct Message {
    pub(crate) client: ClientId,
    pub(crate) event: es_event_type_t,
    pub(crate) asks: Asks,
    /// How often the client retained it.
    pub(crate) retains: u32,
    /// Whether the library still needs it: it is queued or being handled.
    pub(crate) held: bool,
    /// What it was made of, to copy it on releases whose copies are real.
    pub(crate) source: Arc<Source>,
    pub(crate) memory: Memory,
}

/// What a message was made of.
pub(crate) struct Source {
    pub(crate) action: Arc<Action>,
    pub(crate) event: es_event_type_t,
    pub(crate) wanted: crate::memory::message::Wanted,
    pub(crate) time: std::time::Duration,
    pub(crate) mach_time: u64,
    pub(crate) deadline: u64,
    pub(crate) sequence: u64,
    pub(crate) global_sequence: u64,
}

/// Whether a message wants an answer, and whether it got one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    /// It is a notification.
    Nothing,
    /// It does, for this operation.
    Pending(u64),
    Answered,
    /// The deadline passed, or the operation is over.
    Expired,
}

/// An operation that waits for answers.
pub(crate) struct Request {
    pub(crate) action: Arc<Action>,
    pub(crate) ticket: Arc<Ticket>,
    /// Who has not answered: client, message, deadline.
    pub(crate) waiting: Vec<(ClientId, usize, u64)>,
    pub(crate) denied: bool,
    /// The flags that all who answered authorise.
    pub(crate) flags: u32,
    /// Whether everyone who answered wants the result cached.
    pub(crate) keep: bool,
    pub(crate) key: Option<Key>,
    pub(crate) verdict: Verdict,
}

// === impl State ===

impl State {
    pub(crate) fn defect(&mut self, defect: Defect) {
        self.report.defects.push(defect);
    }

    /// The client behind a handle, unless it is dead; a dead one is a defect.
    pub(crate) fn client(&mut self, id: ClientId, function: &'static str) -> Option<&mut Client> {
        if self.clients.get(&id).is_none_or(|client| client.closing) {
            let null = Defect::NullArgument { function };
            self.defect(if id == 0 {
                null
            } else {
                Defect::DeadClient { function }
            });
            return None;
        }
        self.clients.get_mut(&id).filter(|client| !client.killed)
    }

    /// Whether a process is below another one.
    pub(crate) fn descends(&self, pid: u32, root: u32) -> bool {
        let ancestors = self.ancestors.get(&pid);
        ancestors.is_some_and(|ancestors| ancestors.contains(&root))
    }

    /// Adds a process, with the ancestors of its parent.
    pub(crate) fn admit(&mut self, process: &Process) {
        let (pid, _) = process.execution();
        let parent = process.0.ppid.cast_unsigned();
        let mut ancestors = self.ancestors.get(&parent).cloned().unwrap_or_default();
        ancestors.push(parent);
        self.ancestors.insert(pid, ancestors);
        self.processes.insert(process.execution(), process.clone());
    }

    /// Ends an execution: an exit, or an exec that replaces it.
    pub(crate) fn retire(&mut self, execution: Execution) {
        self.processes.remove(&execution);
        for client in self.clients.values_mut() {
            client.mutes.processes.muted.remove(&execution);
        }
    }

    /// The next free process id and version.
    pub(crate) fn next_execution(&mut self) -> Execution {
        self.last_pid += 1;
        (self.last_pid, self.next_pidversion())
    }

    pub(crate) fn next_pidversion(&mut self) -> u32 {
        self.last_pidversion += 1;
        self.last_pidversion
    }
}
