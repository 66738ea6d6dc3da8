//! The slow path's look at the world: from a process up to its first known ancestor.
//!
//! A walk only reads. It takes no lock, and asks the table without one, so a slow `/proc` delays
//! nobody else. What it found is judged afterwards, from the top down.

use super::table::Record;
use super::{Lineage, Root};
use crate::actor::{AgentMatch, Recogniser};
use crate::process::{ProcessDescription, ProcessKey, ProcessSource, basename};

/// What one look at a process told.
#[derive(Debug)]
pub(super) struct Sighting {
    pub(super) key: ProcessKey,
    pub(super) ppid: u32,
    pub(super) started_ns: u64,
    pub(super) executable_changed_ns: u64,
    /// The agent that it is by itself.
    pub(super) agent: Option<AgentMatch>,
    /// Its executable's basename, when that is a scoped tool's.
    pub(super) tool: Option<Box<[u8]>>,
}

/// Why a walk went no higher.
#[derive(Debug)]
pub(super) enum Top {
    /// It reached the root, which is the last sighting.
    Root,
    /// The last sighting was known, and well enough.
    Known(Record),
    /// The last sighting's parent is gone, or outside the root.
    Lost,
}

/// A process and its ancestors, itself first; never empty.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) sightings: Vec<Sighting>,
    pub(super) top: Top,
}

/// How to walk.
#[derive(Clone, Copy)]
pub(super) struct Walker<'a> {
    pub(super) lineage: &'a Lineage,
    pub(super) source: &'a dyn ProcessSource,
    pub(super) recogniser: &'a dyn Recogniser,
    /// What was learnt before this is worth another look, unless it is final.
    pub(super) stale_before_ns: u64,
}

// === impl Sighting ===

impl Sighting {
    pub(super) fn of(description: &ProcessDescription, recogniser: &dyn Recogniser) -> Self {
        let name = basename(&description.executable);
        Self {
            key: description.key,
            ppid: description.ppid,
            started_ns: description.started_ns,
            executable_changed_ns: description.executable_changed_ns,
            agent: recogniser.agent(description),
            tool: recogniser.is_scoped_tool(name).then(|| name.into()),
        }
    }
}

// === impl Walker ===

impl<'a> Walker<'a> {
    /// Walks up from this process; `None` when it is gone.
    pub(super) fn walk(self, pid: u32) -> Option<Walk> {
        let mut description = ProcessDescription::default();
        self.source.describe(pid, &mut description).ok()?;
        let mut sightings = Vec::new();
        let top = loop {
            let mut sighting = Sighting::of(&description, self.recogniser);
            if let Some(root) = self.root().filter(|root| root.is(&description)) {
                sighting.agent = root.declared_agent.clone().or(sighting.agent);
                sightings.push(sighting);
                break Top::Root;
            }
            let known = self.lineage.table.find(description.key);
            sightings.push(sighting);
            if let Some(record) = known.filter(|record| self.suffices(record)) {
                break Top::Known(record);
            }
            if self.root().is_none() && (description.key.pid == 1 || description.ppid == 0) {
                break Top::Root;
            }
            if sightings.len() == MAX_DEPTH || !self.climb(&mut description) {
                break Top::Lost;
            }
        };
        Some(Walk { sightings, top })
    }

    /// Goes on to the parent, within the root.
    fn climb(self, description: &mut ProcessDescription) -> bool {
        let child = (description.key, description.started_ns);
        let mut ppid = description.ppid;
        if !self.describe_parent(ppid, child.1, description) {
            // The parent may have ended between the two looks; then there is another one now.
            let looked = self.source.describe(child.0.pid, description);
            if looked.is_err() || description.key != child.0 || description.ppid == ppid {
                return false;
            }
            ppid = description.ppid;
            if !self.describe_parent(ppid, child.1, description) {
                return false;
            }
        }
        // Whoever is older than the root is not below it: the guard itself, which orphans are
        // given to, and its ancestors, whose looks must not count.
        self.root()
            .is_none_or(|root| ppid != 1 && description.started_ns >= root.started_ns)
            || self.root().is_some_and(|root| root.is(description))
    }

    /// Describes the parent, unless it is gone. One that is younger than its child has only taken
    /// over the number.
    fn describe_parent(
        self,
        ppid: u32,
        child_started_ns: u64,
        into: &mut ProcessDescription,
    ) -> bool {
        ppid != 0 && self.source.describe(ppid, into).is_ok() && into.started_ns <= child_started_ns
    }

    fn suffices(self, record: &Record) -> bool {
        self.lineage.is_final(record) || record.learnt_at_ns >= self.stale_before_ns
    }

    fn root(self) -> Option<&'a Root> {
        self.lineage.root.as_ref()
    }
}

/// More ancestors than a sane tree has; a bound, should a source go round in circles.
const MAX_DEPTH: usize = 1024;
