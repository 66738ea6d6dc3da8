//! Attribution: for every process, whether it acts for an agent.
//!
//! A [`Lineage`] keeps processes by [`ProcessKey`], so that a reused process id is never mistaken for
//! the process that had it. [`find`](Lineage::find) returns a known process without a lock, a system
//! call or an allocation. [`learn`](Lineage::learn) looks up an unknown one: it walks from the process
//! up to its first known ancestor and records every process on the way.
//! [`refresh`](Lineage::refresh) walks again, past people's processes, to recognise an agent that set
//! its title late. Where the platform reports processes, `observe_*` keep the table up to date before
//! a process acts.
//!
//! It guarantees that a process once known as an agent's stays so, and that one known as a person's
//! does not become unknown when its ancestors exit, as long as its record is kept. Memory is bounded:
//! a full table evicts exited processes first, then the oldest, agents' processes last, and
//! [`evictions`](Lineage::evictions) counts them; an evicted process is learnt again.
//!
//! It deliberately does not judge: an actor of unknown ancestry is [`Attribution::Unknown`], and what
//! that means is the policy's choice. Nor can it know what was over before it looked: a process that
//! first acts after its agent exited is unknown, unless its environment has a marker.
//!
//! ```
//! # use guard_core::actor::{AgentMatch, Recogniser, Attribution};
//! # use guard_core::process::{DescribeProcessError, ProcessDescription, ProcessKey, ProcessSource};
//! # use guard_core::lineage::Lineage;
//! # struct Tree;
//! # impl ProcessSource for Tree {
//! #     fn describe(&self, pid: u32, into: &mut ProcessDescription) -> Result<(), DescribeProcessError> {
//! #         let tree = ["init", "codex", "rm"];
//! #         let executable = tree.get(pid as usize - 1).ok_or(DescribeProcessError::Gone)?;
//! #         *into = ProcessDescription {
//! #             key: ProcessKey { pid, generation: 0 },
//! #             ppid: pid - 1,
//! #             executable: executable.as_bytes().to_vec(),
//! #             ..ProcessDescription::default()
//! #         };
//! #         Ok(())
//! #     }
//! # }
//! # struct Catalogue;
//! # impl Recogniser for Catalogue {
//! #     fn agent(&self, process: &ProcessDescription) -> Option<AgentMatch> {
//! #         guard_core::agents::recognise(process, &[""; 0], &Default::default())
//! #     }
//! #     fn is_scoped_tool(&self, _: &[u8]) -> bool { false }
//! # }
//! # let (tree, catalogue, now_ns) = (Tree, Catalogue, 0);
//! // 1 init / 2 codex / 3 rm
//! let lineage = Lineage::new(Lineage::DEFAULT_CAPACITY, None);
//! let key = ProcessKey { pid: 3, generation: 0 };
//! let entry = lineage
//!     .find(key)
//!     .unwrap_or_else(|| lineage.learn(key.pid, &tree, &catalogue, now_ns));
//! assert!(matches!(entry.attribution(), Attribution::Agent(agent) if agent.label == "codex"));
//! ```

mod adopters;
mod inherit;
mod interned;
mod observation;
mod root;
mod table;
mod walk;

use crate::actor::{Attribution, Recogniser, ToolNames, ToolSet};
use crate::process::{DescribeProcessError, ProcessDescription, ProcessKey, ProcessSource};
use crate::sync::{AtomicBool, Mutex, MutexGuard, Ordering};
use adopters::Adopters;
use inherit::{Inherited, Names};
use interned::{AgentNumbers, Agents};
use observation::Observation;
use std::fmt;
use std::sync::PoisonError;
use table::{Kind, Record, Table, TableWriter};
use walk::{Top, Walker};

pub use root::Root;

/// The descent of processes.
pub struct Lineage {
    root: Option<Root>,
    table: Table,
    agents: Agents,
    tool_names: ToolNames,
    adopters: Adopters,
    /// SYNC: set by the writer before it stores an agent's record, whose `Release` stores publish it:
    /// a reader that finds an agent's process also finds this set.
    agent_seen: AtomicBool,
    writer: Mutex<Writer>,
}

/// What is known of one process at one moment.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    lineage: &'a Lineage,
    record: Record,
    /// Whether the process, or an ancestor, could not be examined.
    unexamined: bool,
}

#[derive(Debug, Default)]
struct Writer {
    table: TableWriter,
    numbers: AgentNumbers,
}

// === impl Lineage ===

impl Lineage {
    /// The processes of a busy workstation, in 1 MiB.
    pub const DEFAULT_CAPACITY: usize = 16_384;

    /// An empty lineage of at least this many processes. Without a root, pid 1 is the root.
    #[must_use]
    pub fn new(capacity: usize, root: Option<Root>) -> Self {
        let declared = root
            .as_ref()
            .is_some_and(|root| root.declared_agent.is_some());
        Self {
            root,
            table: Table::new(capacity),
            agents: Agents::new(),
            tool_names: ToolNames::default(),
            adopters: Adopters::new(),
            agent_seen: AtomicBool::new(declared),
            writer: Mutex::new(Writer::default()),
        }
    }

    /// Whether this is the lineage of one session; without a root it is that of the whole machine.
    #[must_use]
    pub const fn has_root(&self) -> bool {
        self.root.is_some()
    }

    /// The entry of a process. Takes no lock, allocates nothing.
    #[must_use]
    pub fn find(&self, key: ProcessKey) -> Option<Entry<'_>> {
        Some(self.entry(self.table.find(key)?))
    }

    /// Examines a process and its ancestors up to the first known one. The process itself is
    /// examined even if known: it may have executed another program.
    ///
    /// A process that has exited is unknown and gets no record.
    pub fn learn(
        &self,
        pid: u32,
        source: &dyn ProcessSource,
        recogniser: &dyn Recogniser,
        now_ns: u64,
    ) -> Entry<'_> {
        self.examine(pid, source, recogniser, now_ns, 0)
    }

    /// Examines a process again, and those of its ancestors that were last learnt more than
    /// `max_age_ns` ago, up to an agent: a title that was set late is recognised.
    pub fn refresh(
        &self,
        pid: u32,
        source: &dyn ProcessSource,
        recogniser: &dyn Recogniser,
        now_ns: u64,
        max_age_ns: u64,
    ) -> Entry<'_> {
        self.examine(
            pid,
            source,
            recogniser,
            now_ns,
            now_ns.saturating_sub(max_age_ns),
        )
    }

    /// Records that `parent` forked `child`, which is the parent's copy until it executes a program.
    /// Without an entry of the parent nothing is recorded; the child is then learnt when it acts.
    pub fn observe_fork(
        &self,
        parent: ProcessKey,
        child: ProcessKey,
        started_ns: u64,
        now_ns: u64,
    ) {
        let Some(record) = self.table.find(parent) else {
            return;
        };
        let observation = Observation::of_fork(child, parent.pid, started_ns);
        let inherited = Inherited {
            as_of_ns: now_ns,
            ..Inherited::from(record)
        };
        self.write(&[observation], inherited, &mut |_| false);
    }

    /// Records that the parent of `orphan` exited before it was examined: the ancestry is unknown,
    /// whichever process is the parent now. A late report about the lost parent still counts.
    pub fn observe_orphan(&self, orphan: ProcessKey, started_ns: u64, now_ns: u64) -> Entry<'_> {
        let observation = Observation::of_fork(orphan, 0, started_ns);
        let inherited = Inherited::of_top(Kind::Unknown, now_ns);
        let record = self.write(&[observation], inherited, &mut |_| false);
        record.map_or_else(
            || Entry::unknown(self, orphan.pid, now_ns),
            |record| self.entry(record),
        )
    }

    /// Records that the kernel may make this process the parent of orphans. Of its children, only
    /// those that it can have forked itself are attributed as it is.
    pub fn observe_adopter(&self, key: ProcessKey) {
        self.adopters.insert(key);
    }

    /// Whether the kernel may make this process the parent of orphans, as far as is known.
    #[must_use]
    pub fn adopts(&self, key: ProcessKey) -> bool {
        self.adopters.contains(key)
    }

    /// Records that process `before` executed the program that `after` describes; their keys differ
    /// where the platform counts executions. If neither is known and `after` is no agent, nothing is
    /// recorded.
    pub fn observe_exec(
        &self,
        before: ProcessKey,
        after: &ProcessDescription,
        recogniser: &dyn Recogniser,
        now_ns: u64,
    ) {
        let mut observation = Observation::of(after, recogniser);
        if let Some(root) = self.root.as_ref().filter(|root| root.is(after)) {
            observation.agent = root.declared_agent.clone().or(observation.agent);
        }
        let known = self
            .table
            .find(before)
            .or_else(|| self.table.find(after.key));
        let inherited = match known {
            Some(record) => Inherited {
                as_of_ns: now_ns,
                ..Inherited::from(record)
            },
            None if observation.agent.is_some() => Inherited::of_top(Kind::Unknown, now_ns),
            None => return,
        };
        self.write(&[observation], inherited, &mut |_| false);
        if before != after.key {
            self.observe_exit(before);
        }
    }

    /// Records that this process exited. Its entry is kept for reports that are still queued, and is
    /// the first to be evicted.
    pub fn observe_exit(&self, key: ProcessKey) {
        let mut writer = self.writer();
        if let Some(record) = self.table.find(key) {
            let exited = Record {
                exited: true,
                ..record
            };
            self.table.put(&mut writer.table, exited, &mut |_| false);
        }
    }

    /// Whether any agent has been seen since the beginning.
    #[must_use]
    pub fn agent_seen(&self) -> bool {
        self.agent_seen.load(Ordering::Relaxed)
    }

    /// The number of agents whose own process is alive. Examines each of them; for status, not for
    /// decisions.
    #[must_use]
    pub fn agents_active(&self, source: &dyn ProcessSource) -> usize {
        self.table
            .records()
            .filter(|record| self.entry(*record).is_agent_itself() && !record.exited)
            .filter(|record| !is_dead(source, record.key))
            .count()
    }

    /// The number of known processes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.writer().table.len
    }

    /// Whether no process is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Records evicted although their process was not known to have exited. If this grows, the
    /// capacity is too small.
    #[must_use]
    pub fn evictions(&self) -> u64 {
        self.writer().table.evictions
    }

    /// The names behind each [`Entry::tools`].
    #[must_use]
    pub fn tool_names(&self) -> &ToolNames {
        &self.tool_names
    }

    fn examine(
        &self,
        pid: u32,
        source: &dyn ProcessSource,
        recogniser: &dyn Recogniser,
        now_ns: u64,
        stale_before_ns: u64,
    ) -> Entry<'_> {
        let walker = Walker {
            table: &self.table,
            root: self.root.as_ref(),
            is_final: &|record| self.is_final(record),
            adopts: &|key| self.adopts(key),
            source,
            recogniser,
            stale_before_ns,
        };
        let walk = match walker.walk(pid) {
            Ok(walk) => walk,
            Err(error) => return Entry::undescribed(self, pid, now_ns, error),
        };
        for observation in walk.observations.iter().filter(|found| found.adopts) {
            self.adopters.insert(observation.key);
        }
        let inherited = match walk.top {
            Top::Root => Inherited::of_top(Kind::Human, now_ns),
            Top::Known(record) if record.kind.is_agent() => Inherited {
                as_of_ns: now_ns,
                ..Inherited::from(record)
            },
            Top::Known(record) => Inherited::from(record),
            Top::Lost => Inherited::of_top(Kind::Unknown, now_ns),
        };
        let record = self.write(&walk.observations, inherited, &mut |key| {
            is_dead(source, key)
        });
        record.map_or_else(
            || Entry::unknown(self, pid, now_ns),
            |record| self.entry(record),
        )
    }

    /// Records a process and its ancestors, the process first, of which the topmost inherits
    /// `inherited`. Returns the process's own record.
    fn write(
        &self,
        observations: &[Observation],
        mut inherited: Inherited,
        is_dead: &mut dyn FnMut(ProcessKey) -> bool,
    ) -> Option<Record> {
        let mut guard = self.writer();
        let Writer { table, numbers } = &mut *guard;
        let mut names = Names {
            agents: &self.agents,
            numbers,
            tools: &self.tool_names,
        };
        let mut last = None;
        for observation in observations.iter().rev() {
            let known = self.table.find(observation.key);
            let record = names.inherit(observation, known, inherited);
            if record.kind.is_agent() {
                self.agent_seen.store(true, Ordering::Relaxed);
            }
            if known != Some(record) {
                self.table.put(table, record, is_dead);
            }
            inherited = Inherited::from(record);
            last = Some(record);
        }
        last
    }

    /// Whether examining the process again can change nothing: an agent's process stays so. One known
    /// by its environment only may still be attributed to the agent's own process.
    fn is_final(&self, record: &Record) -> bool {
        matches!(record.kind, Kind::Agent(number) if self.agents.is_seen(number))
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        // A thread that panicked while writing left one slot that cannot be read; it is learnt again.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn entry(&self, record: Record) -> Entry<'_> {
        Entry {
            lineage: self,
            record,
            unexamined: false,
        }
    }
}

impl fmt::Debug for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lineage")
            .field("root", &self.root)
            .field("len", &self.len())
            .field("evictions", &self.evictions())
            .finish_non_exhaustive()
    }
}

// === impl Entry ===

impl<'a> Entry<'a> {
    /// The entry of a process that has exited and is not known.
    fn unknown(lineage: &'a Lineage, pid: u32, now_ns: u64) -> Self {
        lineage.entry(Record {
            key: ProcessKey { pid, generation: 0 },
            ppid: 0,
            started_ns: 0,
            learnt_at_ns: now_ns,
            kind: Kind::Unknown,
            tools: ToolSet::default(),
            exited: true,
        })
    }

    /// The entry of a process that could not be described.
    fn undescribed(
        lineage: &'a Lineage,
        pid: u32,
        now_ns: u64,
        error: DescribeProcessError,
    ) -> Self {
        Self {
            unexamined: error == DescribeProcessError::Short,
            ..Self::unknown(lineage, pid, now_ns)
        }
    }

    /// Whether nothing is known because the guard was short of means to look, so that nothing
    /// can be decided on it.
    #[must_use]
    pub const fn is_unexamined(&self) -> bool {
        self.unexamined
    }

    /// The process.
    #[must_use]
    pub fn key(&self) -> ProcessKey {
        self.record.key
    }

    /// The parent's process id when it was last examined.
    #[must_use]
    pub fn ppid(&self) -> u32 {
        self.record.ppid
    }

    /// When the process started.
    #[must_use]
    pub fn started_ns(&self) -> u64 {
        self.record.started_ns
    }

    /// The time as of which its ancestors are known. It may be earlier than when the process was
    /// learnt, if an ancestor's entry was used.
    #[must_use]
    pub fn learnt_at_ns(&self) -> u64 {
        self.record.learnt_at_ns
    }

    /// Whether a [`refresh`](Lineage::refresh) could change it: it was learnt more than `max_age_ns`
    /// ago, and is no agent's.
    #[must_use]
    pub fn is_stale(&self, now_ns: u64, max_age_ns: u64) -> bool {
        !self.record.kind.is_agent() && now_ns.saturating_sub(self.record.learnt_at_ns) > max_age_ns
    }

    /// On whose behalf it acts.
    #[must_use]
    pub fn attribution(&self) -> Attribution<'a> {
        let lost = || Attribution::Unknown {
            agent_seen: self.lineage.agent_seen(),
        };
        match self.record.kind {
            Kind::Human => Attribution::Human,
            Kind::Unknown => lost(),
            Kind::Agent(number) => self
                .lineage
                .agents
                .get(number)
                .map_or_else(lost, |agent| Attribution::Agent(agent.as_ref())),
        }
    }

    /// The scoped tools among itself and its ancestors below the agent.
    #[must_use]
    pub fn tools(&self) -> ToolSet {
        self.record.tools
    }

    fn is_agent_itself(&self) -> bool {
        match self.record.kind {
            Kind::Agent(number) => self.lineage.agents.get(number).is_some_and(|agent| {
                let itself = (self.record.key.pid, self.record.started_ns);
                agent.seen && (agent.pid, agent.started_ns) == itself
            }),
            _ => false,
        }
    }
}

impl fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("key", &self.record.key)
            .field("attribution", &self.attribution())
            .field("tools", &self.record.tools)
            .finish_non_exhaustive()
    }
}

/// Whether this process has exited, and its process id perhaps been reused.
fn is_dead(source: &dyn ProcessSource, key: ProcessKey) -> bool {
    let mut now = ProcessDescription::default();
    match source.describe(key.pid, &mut now) {
        Ok(()) => now.key != key,
        Err(error) => error == DescribeProcessError::Gone,
    }
}

#[cfg(all(test, loom))]
mod model;
