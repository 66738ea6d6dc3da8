//! The state that one backend decides with.
//!
//! A [`Guard`] combines the parts of this crate for one backend: the policy, the lineage, the
//! ownership and the ring. It knows no kernel interface; what is platform-specific comes in as a
//! [`ProcessSource`] and a [`FactSource`].
//!
//! The allow path takes no lock and allocates nothing here: it loads the policy, looks up the zones
//! and the lineage, and publishes one record.

mod changed;

use crate::actor::{AgentMatch, Attribution, FactSource, Recogniser};
use crate::agents::{self, IgnoredMarkers};
use crate::decision::Decision;
use crate::event::{ActingProcess, DecisionEvent, Preservation, TraceContext};
use crate::lineage::{Entry, Lineage, Root};
use crate::operation::Operation;
use crate::ownership::Ownership;
use crate::places::Places;
use crate::policy::{Mode, PolicyCell, Snapshot};
use crate::process::{ProcessDescription, ProcessKey, ProcessSource};
use crate::ring::{Counter, Producer};
use crate::verdict::{Answer, Reason, Verdict};
use changed::ChangedProcesses;
use std::sync::Arc;

/// The state of a session's or a daemon's guard.
pub struct Guard {
    /// The policy in force.
    pub policy: PolicyCell,
    /// The descent of processes.
    pub lineage: Lineage,
    /// Where decisions are published.
    pub ring: Producer,
    /// The names that agents made in zones.
    pub ownership: Ownership,
    /// What directories in zones are.
    pub places: Places,
    /// The session's name, for events of agents that have none of their own.
    pub session: Vec<u8>,
    source: Box<dyn ProcessSource + Send + Sync>,
    /// The parent's process id, which is cheaper than a whole description.
    parent_of: fn(u32) -> Option<u32>,
    ignored: IgnoredMarkers,
    changed: ChangedProcesses,
}

/// A guard shared by the threads that answer.
pub type SharedGuard = Arc<Guard>;

/// What a backend measured for one operation, besides its decision.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// The acting process; its `argv0` is filled in for denials.
    pub process: ActingProcess<'a>,
    /// How the answer was carried out.
    pub answer: Answer,
    /// The error that the caller got; 0 for none.
    pub errno: i32,
    /// Wall clock when the verdict was reached, nanoseconds.
    pub wall_ns: u64,
    /// Monotonic clock when the operation was received.
    pub received_ns: u64,
    /// Monotonic clock when the verdict was reached.
    pub decided_ns: u64,
    /// What was left until the kernel's deadline, where the platform has one.
    pub deadline_left_ns: Option<u64>,
    /// How long it took the kernel to deliver the operation, microseconds, where the platform
    /// reports it.
    pub delivery_delay_us: Option<u32>,
    /// What was, or was to be, preserved before the operation; `None` if nothing had to be.
    pub preservation: Option<Preservation>,
}

/// Recognises agents by the policy in force.
struct ByPolicy<'a> {
    snapshot: &'a Snapshot,
    ignored: &'a IgnoredMarkers,
}

// === impl Guard ===

impl Guard {
    /// Combines the parts.
    ///
    /// `root` is the session's root command, above which no process counts; without one, pid 1 is
    /// the root. `parent_of` returns a parent's process id more cheaply than `source` describes a
    /// process. Markers in `ignored` were in the environment before any agent.
    #[must_use]
    pub fn new(
        snapshot: Snapshot,
        root: Option<Root>,
        ring: Producer,
        session: Vec<u8>,
        source: Box<dyn ProcessSource + Send + Sync>,
        parent_of: fn(u32) -> Option<u32>,
        ignored: IgnoredMarkers,
    ) -> Self {
        Self {
            policy: PolicyCell::new(snapshot),
            lineage: Lineage::new(Lineage::DEFAULT_CAPACITY, root),
            ring,
            ownership: Ownership::default(),
            places: Places::default(),
            session,
            source,
            parent_of,
            ignored,
            changed: ChangedProcesses::new(),
        }
    }

    /// The lineage entry of `process`, which is made if there is none. A human's entry older than
    /// `TITLE_AGE_NS` is examined again: a process that sets its title late may be an agent.
    pub fn entry(&self, process: ProcessKey, now_ns: u64) -> Entry<'_> {
        if let Some(known) = self.lineage.find(process)
            && !known.is_stale(now_ns, TITLE_AGE_NS)
            && !self.changed.contains(process.pid)
        {
            return known;
        }
        self.learn_changed(process.pid, now_ns, MAX_CHANGED_DEPTH);
        let snapshot = self.policy.load();
        let recogniser = ByPolicy {
            snapshot: &snapshot,
            ignored: &self.ignored,
        };
        let source = self.source.as_ref();
        let found = self
            .lineage
            .refresh(process.pid, source, &recogniser, now_ns, TITLE_AGE_NS);
        if let Attribution::Unknown { agent_seen: false } = found.attribution() {
            // Whether there is an agent matters now, and one may not have acted yet.
            self.learn_all_changed(now_ns);
        }
        found
    }

    /// Records that `process`, a child of `parent`, is about to execute another program. Its descent
    /// is recorded now, while its ancestors live.
    pub fn program_changes(
        &self,
        process: ProcessKey,
        parent: Option<ProcessKey>,
        started_ns: u64,
        now_ns: u64,
    ) {
        // Until now it may have been an agent that never acted itself.
        self.learn_changed(process.pid, now_ns, MAX_CHANGED_DEPTH);
        if self.lineage.find(process).is_none() {
            let parent_known = parent.filter(|&parent| {
                self.learn_changed(parent.pid, now_ns, MAX_CHANGED_DEPTH);
                self.lineage.find(parent).is_some() && !self.lineage.adopts(parent)
            });
            if let Some(parent) = parent_known {
                self.lineage
                    .observe_fork(parent, process, started_ns, now_ns);
            } else {
                self.learn(process.pid, now_ns);
            }
        }
        self.changed.mark(process.pid);
    }

    /// Records that the kernel may make this process the parent of orphans.
    pub fn process_adopts(&self, process: ProcessKey) {
        self.lineage.observe_adopter(process);
    }

    /// Records that `parent` forked `child`. If the parent is not known, the child is examined.
    pub fn process_forked(
        &self,
        parent: ProcessKey,
        child: ProcessKey,
        started_ns: u64,
        now_ns: u64,
    ) {
        self.lineage.observe_fork(parent, child, started_ns, now_ns);
        if self.lineage.find(child).is_none() {
            self.learn(child.pid, now_ns);
        }
    }

    /// Records that process `before` executed the program that `after` describes. If the process is
    /// not known, it is examined.
    pub fn program_started(&self, before: ProcessKey, after: &ProcessDescription, now_ns: u64) {
        let snapshot = self.policy.load();
        let recogniser = ByPolicy {
            snapshot: &snapshot,
            ignored: &self.ignored,
        };
        self.lineage
            .observe_exec(before, after, &recogniser, now_ns);
        if self.lineage.find(after.key).is_none() {
            self.learn(after.key.pid, now_ns);
        }
    }

    /// Records that the parent of `orphan` exited before it was examined.
    pub fn process_orphaned(&self, orphan: ProcessKey, started_ns: u64, now_ns: u64) -> Entry<'_> {
        self.lineage.observe_orphan(orphan, started_ns, now_ns)
    }

    /// Records that a process exited.
    pub fn process_ended(&self, process: ProcessKey) {
        self.lineage.observe_exit(process);
    }

    /// The source of facts about processes.
    #[must_use]
    pub fn source(&self) -> &(dyn ProcessSource + Send + Sync) {
        self.source.as_ref()
    }

    /// Examines `pid` and those of its ancestors that executed another program, topmost first.
    fn learn_changed(&self, pid: u32, now_ns: u64, depth: usize) {
        if depth == 0 || !self.changed.take(pid) {
            return;
        }
        if let Some(ppid) = (self.parent_of)(pid) {
            self.learn_changed(ppid, now_ns, depth - 1);
        }
        self.learn(pid, now_ns);
    }

    /// Examines every process that executed another program and was not examined since.
    fn learn_all_changed(&self, now_ns: u64) {
        for pid in self.changed.take_all() {
            self.learn(pid, now_ns);
        }
    }

    /// Examines a process and its ancestors up to the first known one.
    pub fn learn(&self, pid: u32, now_ns: u64) {
        let snapshot = self.policy.load();
        let recogniser = ByPolicy {
            snapshot: &snapshot,
            ignored: &self.ignored,
        };
        self.lineage
            .learn(pid, self.source.as_ref(), &recogniser, now_ns);
    }

    /// Puts a snapshot in force.
    pub fn adopt(&self, snapshot: Snapshot) {
        // An agent by the new patterns is recognised when it is next examined: see TITLE_AGE_NS.
        self.policy.store(snapshot);
    }

    /// Records one decision: counts it and publishes its event into the ring. For what was not
    /// allowed, the acting process's `argv[0]` and trace context are read from `facts`.
    pub fn record_decision<F: FactSource + ?Sized>(
        &self,
        operation: &Operation<'_>,
        decision: &Decision<'_>,
        circumstances: &Circumstances<'_>,
        facts: &F,
    ) {
        self.count(decision, circumstances.answer);
        let known = self.lineage.find(circumstances.process.key);
        let agent = match known.as_ref().map(Entry::attribution) {
            Some(Attribution::Agent(agent)) => Some(agent),
            _ => None,
        };
        let session = agent
            .map(|agent| agent.session)
            .filter(|session| !session.is_empty());
        let is_allowed = decision.verdict == Verdict::Allow;
        let arguments = if is_allowed {
            Vec::new()
        } else {
            facts.arguments()
        };
        let trace = if is_allowed {
            None
        } else {
            self.trace_context(&facts.environment())
        };
        let Circumstances {
            received_ns,
            decided_ns,
            ..
        } = *circumstances;
        self.ring.publish(&DecisionEvent {
            sequence: 0,
            wall_ns: circumstances.wall_ns,
            monotonic_ns: decided_ns,
            latency_ns: decided_ns.saturating_sub(received_ns),
            deadline_left_ns: circumstances.deadline_left_ns,
            delivery_delay_us: circumstances.delivery_delay_us,
            operation: operation.kind,
            verdict: decision.verdict,
            reason: decision.reason,
            answer: circumstances.answer,
            errno: circumstances.errno.unsigned_abs(),
            agent: agent.map(|agent| agent.label),
            ancestor: agent.map(|agent| agent.ancestor),
            agent_pid: agent.map(|agent| agent.pid),
            session: session.unwrap_or(&self.session),
            process: ActingProcess {
                argv0: until_nul(&arguments),
                ..circumstances.process
            },
            path: operation.path,
            destination: operation.destination,
            zone: decision.zone,
            tool: decision.tool,
            override_id: decision.override_id,
            preservation: circumstances.preservation,
            trace,
        });
    }

    fn count(&self, decision: &Decision<'_>, answer: Answer) {
        self.ring.add(
            match answer {
                Answer::Denied => Counter::AnswersDenied,
                Answer::Performed => Counter::AnswersPerformed,
                Answer::Continued => Counter::AnswersContinued,
            },
            1,
        );
        if answer == Answer::Denied && decision.reason == Reason::GuardFiles {
            self.ring.add(Counter::ProtectedWritesDenied, 1);
        }
        if decision.reason == Reason::UnresolvedPath {
            self.ring.add(Counter::PathsUnresolved, 1);
        }
    }

    /// The trace context in a process's environment. Counts one that is malformed.
    fn trace_context(&self, environment: &[u8]) -> Option<TraceContext> {
        let value = environment
            .split(|&byte| byte == 0)
            .find_map(|entry| entry.strip_prefix(b"TRACEPARENT="));
        TraceContext::carried(value).unwrap_or_else(|_malformed| {
            self.ring.add(Counter::MalformedTraces, 1);
            None
        })
    }

    /// Writes what changes slowly into the ring's header.
    pub fn publish_state(&self, wall_ns: u64) {
        let snapshot = self.policy.load();
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        self.ring
            .set(Counter::LineageEntries, count(self.lineage.len()));
        self.ring
            .set(Counter::LineageEvictions, self.lineage.evictions());
        let active = self.lineage.agents_active(self.source.as_ref());
        self.ring.set(Counter::ActiveAgents, count(active));
        self.ring.set(Counter::Zones, count(snapshot.zones().len()));
        self.ring
            .set(Counter::Overrides, count(snapshot.overrides().len()));
        self.ring.set(Counter::PolicyRevision, snapshot.revision());
        let audit = snapshot.mode() == Mode::Audit;
        self.ring.set(Counter::PolicyAudit, u64::from(audit));
        self.ring.beat(wall_ns);
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard")
            .field("lineage", &self.lineage)
            .finish_non_exhaustive()
    }
}

// === impl Recogniser for ByPolicy ===

impl Recogniser for ByPolicy<'_> {
    fn agent(&self, description: &ProcessDescription) -> Option<AgentMatch> {
        agents::recognise(description, self.snapshot.agent_patterns(), self.ignored)
    }

    fn is_scoped_tool(&self, name: &[u8]) -> bool {
        self.snapshot.is_scoped_tool(name)
    }
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// How long a human's entry is used before it is examined again: the process, or an ancestor, may
/// set an agent's title. Long enough that a person's `rm -rf` pays for it once in many files.
const TITLE_AGE_NS: u64 = 100_000_000;

/// How many ancestors that executed another program are examined again at once.
const MAX_CHANGED_DEPTH: usize = 64;

#[cfg(not(loom))]
#[cfg(test)]
mod tests;
