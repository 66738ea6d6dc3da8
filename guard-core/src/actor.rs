//! The acting process, and the facts that a decision needs about it and about files.
//!
//! [`decide`](crate::decision::decide) asks for these through [`FactSource`], lazily: an operation
//! that touches no zone never asks for its actor.

use crate::file::FileFacts;
use crate::process::{ProcessDescription, ProcessKey};
use crate::standing::{Place, PlaceQuery, Standing};
use std::sync::OnceLock;

/// The acting process, as lineage knows it.
#[derive(Clone, Copy, Debug)]
pub struct Actor<'a> {
    /// Its identity.
    pub key: ProcessKey,
    /// Its parent's process id.
    pub ppid: u32,
    /// Its real user id.
    pub uid: u32,
    /// Path of its executable image.
    pub executable: &'a [u8],
    /// Its `argv[0]`.
    pub argv0: &'a [u8],
    /// Whether it acts for an agent.
    pub attribution: Attribution<'a>,
    /// The scoped tools among itself and its ancestors below the agent.
    pub tools: ToolSet,
    /// The names behind `tools`.
    pub tool_names: &'a ToolNames,
}

#[cfg(test)]
impl<'a> Actor<'a> {
    /// Somebody of no agent, of whom nothing else is known.
    pub(crate) fn unknown_person(tool_names: &'a ToolNames) -> Self {
        Self {
            key: ProcessKey::default(),
            ppid: 0,
            uid: 0,
            executable: b"",
            argv0: b"",
            attribution: Attribution::Human,
            tools: ToolSet::default(),
            tool_names,
        }
    }
}

/// On whose behalf a process acts, by its lineage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribution<'a> {
    /// Its ancestry is known up to the root, and contains no agent.
    Human,
    /// It is an agent or descends from one.
    Agent(AgentRef<'a>),
    /// Its ancestry is unknown.
    Unknown {
        /// Whether an agent has been seen below this root, so that this may be its descendant.
        agent_seen: bool,
    },
}

impl Attribution<'_> {
    /// Whether the actor's lineage contains an agent, or may.
    #[must_use]
    pub const fn may_be_agents(&self) -> bool {
        !matches!(self, Self::Human | Self::Unknown { agent_seen: false })
    }
}

/// The agent in an actor's lineage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgentRef<'a> {
    /// Stable label (`claude_code`, `custom:NAME`, …).
    pub label: &'a str,
    /// The name by which it was recognised (`claude`).
    pub ancestor: &'a [u8],
    /// Its process id.
    pub pid: u32,
    /// When it started, wall clock nanoseconds.
    pub started_ns: u64,
    /// Its own session id from its environment; empty if it has none.
    pub session: &'a [u8],
}

/// A source of facts for one decision. Each method is called only if its answer matters.
pub trait FactSource {
    /// The acting process.
    fn actor(&self) -> Actor<'_>;

    /// The acting process's current arguments, NUL-separated; empty if they cannot be read.
    fn arguments(&self) -> Vec<u8>;

    /// When the inode of the acting process's executable last changed (ctime), wall clock
    /// nanoseconds.
    fn executable_changed_ns(&self) -> Option<u64>;

    /// The acting process's current parent. Asked only for tools that run themselves.
    fn parent(&self) -> Option<ProcessDescription> {
        None
    }

    /// The owner of the acting process's executable. Asked only for tools that the policy pins to
    /// an owner; without an answer these are not trusted.
    fn executable_owner(&self) -> Option<u32> {
        None
    }

    /// The object at this canonical path; `None` if there is none, or it cannot be examined.
    fn file(&self, path: &[u8]) -> Option<FileFacts>;

    /// Whose the object at this canonical path is, of which [`file`](Self::file) gave the facts:
    /// [`Ownership::standing`](crate::ownership::Ownership::standing).
    fn standing(&self, _path: &[u8], _found: &FileFacts) -> Standing {
        Standing::Unknown
    }

    /// The name from which an agent moved or linked somebody's object to this one:
    /// [`Ownership::moved_from`](crate::ownership::Ownership::moved_from).
    fn moved_from(&self, _path: &[u8]) -> Option<Vec<u8>> {
        None
    }

    /// Where the object at this canonical path was before agents moved it, or a directory above it, in
    /// this session; `None` if it was not moved:
    /// [`Ownership::came_from`](crate::ownership::Ownership::came_from).
    fn came_from(&self, _path: &[u8]) -> Option<Vec<u8>> {
        None
    }

    /// What the directory (or the file with an output's name) at this canonical path is:
    /// [`Places::of`](crate::places::Places::of). `since_ns` is the start of the agent.
    fn place(&self, _directory: &[u8], _since_ns: u64, _query: PlaceQuery) -> Place {
        Place::Unproven
    }

    /// The first bytes of the regular file at this path, `most` of them at most; `None` if there is
    /// none, or it cannot be read. Asked only for tags of caches and the indexes of repositories.
    fn beginning(&self, _path: &[u8], _most: usize) -> Option<Vec<u8>> {
        None
    }

    /// Whether the acting process has the file at this canonical path open. Asked only for journals
    /// of databases.
    fn has_open(&self, _path: &[u8]) -> bool {
        false
    }

    /// Whether what a decision requires to be preserved is preserved, or else denied.
    fn preserves(&self) -> bool {
        false
    }

    /// The names in the directory at this canonical path; `None` if it cannot be read or has more
    /// than `most`. Asked only for a directory of an agent's that it moves out of a zone.
    fn entries(&self, _path: &[u8], _most: usize) -> Option<Vec<Vec<u8>>> {
        None
    }

    /// Whether code that is not its program's was loaded into the acting process by its environment
    /// (`LD_PRELOAD`). Asked only for tools that are about to be trusted.
    fn loads_other_code(&self) -> bool {
        false
    }

    /// The acting process's environment, NUL-separated; empty if it cannot be read. Read only when
    /// a denial is recorded, and for tools that take options from it.
    fn environment(&self) -> Vec<u8> {
        Vec::new()
    }
}

/// Recognises agents and tools.
pub trait Recogniser {
    /// The agent that this process is or was started by, from the process alone and not from its
    /// ancestors.
    fn agent(&self, description: &ProcessDescription) -> Option<AgentMatch>;

    /// Whether the policy trusts a tool of this executable basename within a scope, so that its
    /// descendants are trusted like it.
    fn is_scoped_tool(&self, name: &[u8]) -> bool;
}

/// How a process was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentMatch {
    /// Stable label.
    pub label: String,
    /// The name that matched, for people.
    pub ancestor: Vec<u8>,
    /// The agent's own session id; empty if it has none.
    pub session: Vec<u8>,
    /// Whether only the environment shows it: the process is not the agent, but was started by it.
    pub by_environment: bool,
}

/// A set of interned tool names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ToolSet(pub u64);

/// Interned names of scoped tools: append-only, read without a lock, at most 64. The built-in list
/// has fewer; a name beyond that is not inherited, so that descendants of its tool are denied.
#[derive(Debug, Default)]
pub struct ToolNames {
    names: [OnceLock<Box<[u8]>>; 32],
    more: [OnceLock<Box<[u8]>>; 32],
}

// === impl ToolSet ===

impl ToolSet {
    /// The union of both sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The names in this set.
    pub fn names(self, names: &ToolNames) -> impl Iterator<Item = &[u8]> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let index = left.trailing_zeros();
            // Clears the lowest bit; 0 stays 0.
            left &= left.wrapping_sub(1);
            (index < u64::BITS).then_some(index)
        })
        .filter_map(|index| names.slot(index)?.get().map(AsRef::as_ref))
    }
}

// === impl ToolNames ===

impl ToolNames {
    /// Interns a name and returns the set of it alone; empty if there is no room.
    #[must_use]
    pub fn intern(&self, name: &[u8]) -> ToolSet {
        for (index, slot) in self.slots().enumerate() {
            if slot.get_or_init(|| name.into()).as_ref() == name {
                return ToolSet(1 << index);
            }
        }
        ToolSet::default()
    }

    fn slot(&self, index: u32) -> Option<&OnceLock<Box<[u8]>>> {
        let index = usize::try_from(index).ok()?;
        let more = index.checked_sub(self.names.len());
        more.map_or_else(|| self.names.get(index), |index| self.more.get(index))
    }

    fn slots(&self) -> impl Iterator<Item = &OnceLock<Box<[u8]>>> {
        self.names.iter().chain(&self.more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_interned_once_and_the_65th_is_not() {
        let names = ToolNames::default();
        let make = names.intern(b"make");
        assert_eq!(names.intern(b"make"), make);
        let both = make.union(names.intern(b"npm"));
        assert_eq!(
            both.names(&names).collect::<Vec<_>>(),
            [&b"make"[..], b"npm"]
        );
        for index in 2..64 {
            assert_ne!(
                names.intern(format!("t{index}").as_bytes()),
                ToolSet::default()
            );
        }
        assert_eq!(names.intern(b"one more"), ToolSet::default());
    }
}
