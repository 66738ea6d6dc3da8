//! Who acts: for every process, whether an agent stands above it.
//!
//! A [`Lineage`] remembers processes by [`ProcessKey`], so that a reused pid is never mistaken for
//! the process that had it. [`find`](Lineage::find) answers for a known process without a lock, a
//! system call or an allocation. What it does not know, [`learn`](Lineage::learn) looks up: it
//! walks from the process up to its first known ancestor and writes down everyone on the way.
//! [`refresh`](Lineage::refresh) walks again, past people's processes, to see an agent that showed
//! itself late. Where the platform tells, `observe_*` keep the table ahead of the questions.
//!
//! It guarantees that a process once known as an agent's stays so, and that one known as a person's
//! does not become unknown when its parents die, as long as its record is kept. Memory is bounded:
//! a full table gives up the dead first, then the oldest, agents' processes last, and
//! [`evictions`](Lineage::evictions) counts the losses; whoever was given up is learnt again.
//!
//! It deliberately does not judge: an actor whose ancestry is lost is
//! [`Attribution::Unknown`], and what that means is the policy's choice. Nor can look-ups see what
//! was over before anyone looked: an orphan that first acts after its agent died is unknown, unless
//! its environment tells.
//!
//! ```
//! # use guard_core::actor::{AgentMatch, Recogniser, Attribution};
//! # use guard_core::process::{ProcessDescription, ProcessGone, ProcessKey, ProcessSource};
//! # use guard_core::lineage::Lineage;
//! # struct Tree;
//! # impl ProcessSource for Tree {
//! #     fn describe(&self, pid: u32, into: &mut ProcessDescription) -> Result<(), ProcessGone> {
//! #         let tree = ["init", "codex", "rm"];
//! #         let executable = tree.get(pid as usize - 1).ok_or(ProcessGone)?;
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

mod inherit;
mod interned;
mod table;
mod walk;

use crate::actor::{AgentMatch, Attribution, Recogniser, ToolNames, ToolSet};
use crate::process::{ProcessDescription, ProcessKey, ProcessSource};
use crate::sync::{AtomicBool, Mutex, MutexGuard, Ordering};
use inherit::{Legacy, Names};
use interned::{AgentNumbers, Agents};
use std::fmt;
use std::sync::PoisonError;
use table::{Kind, Pen, Record, Table};
use walk::{Sighting, Top, Walker};

/// What is known of processes' descent.
pub struct Lineage {
    root: Option<Root>,
    table: Table,
    agents: Agents,
    tool_names: ToolNames,
    /// SYNC: set by the writer before it puts an agent's record, whose `Release` stores hand it on:
    /// whoever finds an agent's process also finds this set.
    agent_seen: AtomicBool,
    writer: Mutex<Writer>,
}

/// The session's root command: nothing above it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// Its identity.
    pub key: ProcessKey,
    /// When it started, as its [`ProcessDescription`] says. Who started earlier is outside.
    pub started_ns: u64,
    /// The agent that the session was declared to be, whatever the root looks like.
    pub declared_agent: Option<AgentMatch>,
}

/// What is known of one process, as of one moment.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    lineage: &'a Lineage,
    record: Record,
}

#[derive(Debug, Default)]
struct Writer {
    pen: Pen,
    numbers: AgentNumbers,
}

// === impl Lineage ===

impl Lineage {
    /// Room for the processes of a busy workstation, in 1 MiB.
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
            agent_seen: AtomicBool::new(declared),
            writer: Mutex::new(Writer::default()),
        }
    }

    /// What is known of this process. Takes no lock, allocates nothing.
    #[must_use]
    pub fn find(&self, key: ProcessKey) -> Option<Entry<'_>> {
        Some(self.entry(self.table.find(key)?))
    }

    /// Looks at a process and its ancestors up to the first known one. The process itself is
    /// looked at even if known: it may have become another program.
    ///
    /// A process that is gone is unknown and leaves no record.
    pub fn learn(
        &self,
        pid: u32,
        source: &dyn ProcessSource,
        recogniser: &dyn Recogniser,
        now_ns: u64,
    ) -> Entry<'_> {
        self.look(pid, source, recogniser, now_ns, 0)
    }

    /// Looks again at a process and at those of its ancestors that were last learnt more than
    /// `max_age_ns` ago, up to an agent: a title that was set late is seen.
    pub fn refresh(
        &self,
        pid: u32,
        source: &dyn ProcessSource,
        recogniser: &dyn Recogniser,
        now_ns: u64,
        max_age_ns: u64,
    ) -> Entry<'_> {
        self.look(
            pid,
            source,
            recogniser,
            now_ns,
            now_ns.saturating_sub(max_age_ns),
        )
    }

    /// Tells that `parent` started `child`, which is the parent's copy until it runs a program of
    /// its own. A parent that is not known says nothing; the child is then learnt when it acts.
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
        let sighting = Sighting {
            key: child,
            ppid: parent.pid,
            started_ns,
            executable_changed_ns: 0,
            agent: None,
            tool: None,
        };
        let legacy = Legacy {
            as_of_ns: now_ns,
            ..Legacy::from(record)
        };
        self.write(&[sighting], legacy, &mut |_| false);
    }

    /// Tells that the process that started `orphan` ended before anyone looked: the ancestry is
    /// lost, whoever took its parent's place. News of the lost parent may still come, and count.
    pub fn observe_orphan(&self, orphan: ProcessKey, started_ns: u64, now_ns: u64) -> Entry<'_> {
        let sighting = Sighting {
            key: orphan,
            ppid: 0,
            started_ns,
            executable_changed_ns: 0,
            agent: None,
            tool: None,
        };
        let legacy = Legacy::of_top(Kind::Unknown, now_ns);
        let record = self.write(&[sighting], legacy, &mut |_| false);
        record.map_or_else(
            || self.nobody(orphan.pid, now_ns),
            |record| self.entry(record),
        )
    }

    /// Tells that process `before` became the program that `after` describes; their keys differ
    /// where the platform counts programs. If neither was known and `after` is no agent, nothing is
    /// learnt.
    pub fn observe_exec(
        &self,
        before: ProcessKey,
        after: &ProcessDescription,
        recogniser: &dyn Recogniser,
        now_ns: u64,
    ) {
        let mut sighting = Sighting::of(after, recogniser);
        if let Some(root) = self.root.as_ref().filter(|root| root.is(after)) {
            sighting.agent = root.declared_agent.clone().or(sighting.agent);
        }
        let known = self
            .table
            .find(before)
            .or_else(|| self.table.find(after.key));
        let legacy = match known {
            Some(record) => Legacy {
                as_of_ns: now_ns,
                ..Legacy::from(record)
            },
            None if sighting.agent.is_some() => Legacy::of_top(Kind::Unknown, now_ns),
            None => return,
        };
        self.write(&[sighting], legacy, &mut |_| false);
        if before != after.key {
            self.observe_exit(before);
        }
    }

    /// Tells that this process ended. Its record is kept for what is still on its way, and is the
    /// first to be given up.
    pub fn observe_exit(&self, key: ProcessKey) {
        let mut writer = self.writer();
        if let Some(record) = self.table.find(key) {
            let exited = Record {
                exited: true,
                ..record
            };
            self.table.put(&mut writer.pen, exited, &mut |_| false);
        }
    }

    /// Whether any agent has been seen since the beginning.
    #[must_use]
    pub fn agent_seen(&self) -> bool {
        self.agent_seen.load(Ordering::Relaxed)
    }

    /// Agents whose own process is alive now. Looks at each of them; for status, not for
    /// decisions.
    #[must_use]
    pub fn agents_active(&self, source: &dyn ProcessSource) -> usize {
        self.table
            .records()
            .filter(|record| self.entry(*record).is_agent_itself() && !record.exited)
            .filter(|record| !is_dead(source, record.key))
            .count()
    }

    /// Processes that are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.writer().pen.len
    }

    /// Whether no process is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Records that were given up although their process was not known to be dead. If this grows,
    /// the capacity is too small.
    #[must_use]
    pub fn evictions(&self) -> u64 {
        self.writer().pen.evictions
    }

    /// The names behind each [`Entry::tools`].
    #[must_use]
    pub fn tool_names(&self) -> &ToolNames {
        &self.tool_names
    }

    fn look(
        &self,
        pid: u32,
        source: &dyn ProcessSource,
        recogniser: &dyn Recogniser,
        now_ns: u64,
        stale_before_ns: u64,
    ) -> Entry<'_> {
        let walker = Walker {
            lineage: self,
            source,
            recogniser,
            stale_before_ns,
        };
        let Some(walk) = walker.walk(pid) else {
            return self.nobody(pid, now_ns);
        };
        let legacy = match walk.top {
            Top::Root => Legacy::of_top(Kind::Human, now_ns),
            Top::Known(record) if record.kind.is_agent() => Legacy {
                as_of_ns: now_ns,
                ..Legacy::from(record)
            },
            Top::Known(record) => Legacy::from(record),
            Top::Lost => Legacy::of_top(Kind::Unknown, now_ns),
        };
        let record = self.write(&walk.sightings, legacy, &mut |key| is_dead(source, key));
        record.map_or_else(|| self.nobody(pid, now_ns), |record| self.entry(record))
    }

    /// Writes down a process and its ancestors, given itself first, under what the topmost would
    /// inherit. Returns the process's own record.
    fn write(
        &self,
        sightings: &[Sighting],
        mut legacy: Legacy,
        is_dead: &mut dyn FnMut(ProcessKey) -> bool,
    ) -> Option<Record> {
        let mut guard = self.writer();
        let Writer { pen, numbers } = &mut *guard;
        let mut names = Names {
            agents: &self.agents,
            numbers,
            tools: &self.tool_names,
        };
        let mut last = None;
        for sighting in sightings.iter().rev() {
            let known = self.table.find(sighting.key);
            let record = names.inherit(sighting, known, legacy);
            if record.kind.is_agent() {
                self.agent_seen.store(true, Ordering::Relaxed);
            }
            if known != Some(record) {
                self.table.put(pen, record, is_dead);
            }
            legacy = Legacy::from(record);
            last = Some(record);
        }
        last
    }

    /// Whether another look can tell nothing new: an agent's process stays so. One that only its
    /// environment gave away may still be led back to the agent itself.
    fn is_final(&self, record: &Record) -> bool {
        matches!(record.kind, Kind::Agent(number) if self.agents.is_seen(number))
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        // Whoever panicked while writing left one slot that nobody can read, and is re-learnt.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn entry(&self, record: Record) -> Entry<'_> {
        Entry {
            lineage: self,
            record,
        }
    }

    fn nobody(&self, pid: u32, now_ns: u64) -> Entry<'_> {
        self.entry(Record {
            key: ProcessKey { pid, generation: 0 },
            ppid: 0,
            started_ns: 0,
            learnt_at_ns: now_ns,
            kind: Kind::Unknown,
            tools: ToolSet::default(),
            exited: true,
        })
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

// === impl Root ===

impl Root {
    /// Whether this is the root, though it may have become another program since.
    fn is(&self, description: &ProcessDescription) -> bool {
        description.key == self.key
            || (description.key.pid == self.key.pid && description.started_ns == self.started_ns)
    }
}

// === impl Entry ===

impl<'a> Entry<'a> {
    /// Whom this is about.
    #[must_use]
    pub fn key(&self) -> ProcessKey {
        self.record.key
    }

    /// The parent's process id when it was last looked at.
    #[must_use]
    pub fn ppid(&self) -> u32 {
        self.record.ppid
    }

    /// When the process started.
    #[must_use]
    pub fn started_ns(&self) -> u64 {
        self.record.started_ns
    }

    /// As of when its ancestors are known. It may be earlier than when the process was learnt: what
    /// was built upon is as old as it is.
    #[must_use]
    pub fn learnt_at_ns(&self) -> u64 {
        self.record.learnt_at_ns
    }

    /// Whether a [`refresh`](Lineage::refresh) could tell something new: this was learnt more than
    /// `max_age_ns` ago, and no agent was seen above it.
    #[must_use]
    pub fn is_stale(&self, now_ns: u64, max_age_ns: u64) -> bool {
        !self.record.kind.is_agent() && now_ns.saturating_sub(self.record.learnt_at_ns) > max_age_ns
    }

    /// Whether an agent stands above it.
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

/// Whether this process is gone, or its pid is another's by now.
fn is_dead(source: &dyn ProcessSource, key: ProcessKey) -> bool {
    let mut now = ProcessDescription::default();
    source.describe(key.pid, &mut now).is_err() || now.key != key
}

#[cfg(all(test, loom))]
mod model;
