//! The slow path: examines a process and its ancestors up to the first known one.
//!
//! A walk only reads. It takes no lock, so a slow `/proc` delays no other thread. The rules are
//! applied afterwards, from the topmost ancestor down.

use super::observation::Observation;
use super::root::Root;
use super::table::{Record, Table};
use crate::actor::Recogniser;
use crate::process::{DescribeProcessError, ProcessDescription, ProcessKey, ProcessSource};

/// Why a walk ended.
#[derive(Debug)]
pub(super) enum Top {
    /// It reached the root, which is the last observation.
    Root,
    /// The last observation was known, and recent enough.
    Known(Record),
    /// The last observation's parent has exited, or is outside the root.
    Lost,
}

/// A process and its ancestors, itself first; never empty.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) observations: Vec<Observation>,
    pub(super) top: Top,
}

/// The parameters of a walk.
#[derive(Clone, Copy)]
pub(super) struct Walker<'a> {
    pub(super) table: &'a Table,
    /// Processes above it do not count; without one, pid 1 is the root.
    pub(super) root: Option<&'a Root>,
    /// Whether a record never changes, however old it is.
    pub(super) is_final: &'a dyn Fn(&Record) -> bool,
    /// Whether the kernel may make a process the parent of orphans, besides those whose description
    /// says so.
    pub(super) adopts: &'a dyn Fn(ProcessKey) -> bool,
    pub(super) source: &'a dyn ProcessSource,
    pub(super) recogniser: &'a dyn Recogniser,
    /// What was learnt before this is examined again, unless it is final.
    pub(super) stale_before_ns: u64,
}

// === impl Walker ===

impl<'a> Walker<'a> {
    /// Walks up from this process.
    ///
    /// # Errors
    ///
    /// If it has exited; or if it or an ancestor cannot be examined.
    pub(super) fn walk(self, pid: u32) -> Result<Walk, DescribeProcessError> {
        let mut description = ProcessDescription::default();
        self.source.describe(pid, &mut description)?;
        let mut observations = Vec::new();
        let top = loop {
            let mut observation = Observation::of(&description, self.recogniser);
            if let Some(root) = self.root.filter(|root| root.is(&description)) {
                observation.agent = root.declared_agent.clone().or(observation.agent);
                observations.push(observation);
                break Top::Root;
            }
            let known = self.table.find(description.key);
            observations.push(observation);
            if let Some(record) = known.filter(|record| self.suffices(record)) {
                break Top::Known(record);
            }
            if self.root.is_none() && (description.key.pid == 1 || description.ppid == 0) {
                break Top::Root;
            }
            let image = description.image;
            if observations.len() == MAX_DEPTH || !self.climb(&mut description)? {
                break Top::Lost;
            }
            if let Some(child) = observations.last_mut() {
                child.is_foundling = self.may_have_adopted(&description, image);
            }
        };
        Ok(Walk { observations, top })
    }

    /// Continues with the parent; returns whether there is one, within the root.
    fn climb(self, description: &mut ProcessDescription) -> Result<bool, DescribeProcessError> {
        let child = (description.key, description.started_ns);
        let mut ppid = description.ppid;
        if !self.describe_parent(ppid, child.1, description)? {
            // The parent may have exited meanwhile; then there is another one now.
            let described = self.describe(child.0.pid, description)?;
            if !described || description.key != child.0 || description.ppid == ppid {
                return Ok(false);
            }
            ppid = description.ppid;
            if !self.describe_parent(ppid, child.1, description)? {
                return Ok(false);
            }
        }
        // A process older than the root is not below it: the guard itself, which is the parent of
        // orphans, and its ancestors, which must not count.
        Ok(self
            .root
            .is_none_or(|root| ppid != 1 && description.started_ns >= root.started_ns)
            || self.root.is_some_and(|root| root.is(description)))
    }

    /// Describes the parent, unless it has exited. One that is younger than its child has only got
    /// the same process id.
    fn describe_parent(
        self,
        ppid: u32,
        child_started_ns: u64,
        into: &mut ProcessDescription,
    ) -> Result<bool, DescribeProcessError> {
        Ok(ppid != 0 && self.describe(ppid, into)? && into.started_ns <= child_started_ns)
    }

    /// Describes a process; returns whether it exists.
    fn describe(
        self,
        pid: u32,
        into: &mut ProcessDescription,
    ) -> Result<bool, DescribeProcessError> {
        match self.source.describe(pid, into) {
            Ok(()) => Ok(true),
            Err(DescribeProcessError::Gone) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether `parent` may have got a child with this image as an orphan. One that it forked has its
    /// image until either executes a program, and then it is known already.
    fn may_have_adopted(self, parent: &ProcessDescription, image: Option<u64>) -> bool {
        (parent.is_namespace_init || (self.adopts)(parent.key))
            && (image.is_none() || image != parent.image)
    }

    fn suffices(self, record: &Record) -> bool {
        (self.is_final)(record) || record.learnt_at_ns >= self.stale_before_ns
    }
}

/// More ancestors than a process has; a bound in case a source describes a cycle.
const MAX_DEPTH: usize = 1024;
