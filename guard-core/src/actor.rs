//! Who asks: the facts a decision needs about the acting process and the file it acts on.
//!
//! [`decide`](crate::decision::decide) draws these through [`FactSource`], lazily: an operation that
//! touches no zone never asks for its actor.

use crate::file::FileFacts;
use crate::process::{ProcessDescription, ProcessKey};
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
    /// Whether an agent stands above it.
    pub attribution: Attribution<'a>,
    /// The scoped trusted tools among itself and its ancestors below the agent.
    pub tools: ToolSet,
    /// The names behind `tools`.
    pub tool_names: &'a ToolNames,
}

/// What lineage says of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribution<'a> {
    /// Its ancestry is known up to the root, and no agent is in it.
    Human,
    /// It is an agent or descends from one.
    Agent(AgentRef<'a>),
    /// Its ancestry is lost.
    Unknown {
        /// An agent has been seen under this root, so this may be its child.
        agent_seen: bool,
    },
}

impl Attribution<'_> {
    /// Whether the actor has an agent above it, or may have.
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
    /// Its own session id from its environment; empty when it has none.
    pub session: &'a [u8],
}

/// What is asked of the world while deciding. Each method is called only when its answer matters.
pub trait FactSource {
    /// The acting process.
    fn actor(&self) -> Actor<'_>;

    /// The acting process's arguments now, NUL-separated; empty when they cannot be read.
    fn arguments(&self) -> Vec<u8>;

    /// When the acting process's executable inode last changed (ctime), wall clock nanoseconds.
    fn executable_changed_ns(&self) -> Option<u64>;

    /// The acting process's parent now. Asked only for tools that run themselves; a fact source that
    /// cannot tell has them stand alone.
    fn parent(&self) -> Option<ProcessDescription> {
        None
    }

    /// Who owns the acting process's executable. Asked only for tools the policy pins to an owner;
    /// a fact source that cannot tell trusts none of those.
    fn executable_owner(&self) -> Option<u32> {
        None
    }

    /// The object at this canonical path; `None` if there is none, or it cannot be examined.
    fn file(&self, path: &[u8]) -> Option<FileFacts>;

    /// When an agent asked for this canonical path while nothing was there:
    /// [`Ownership::claimed_ns`](crate::ownership::Ownership::claimed_ns). Without claims no file
    /// is an agent's own.
    fn claimed_ns(&self, _path: &[u8]) -> Option<u64> {
        None
    }

    /// The acting process's environment, NUL-separated; empty if it cannot be read. Read only when
    /// a denial is recorded.
    fn environment(&self) -> Vec<u8> {
        Vec::new()
    }
}

/// Tells agents and tools from their looks.
pub trait Recogniser {
    /// The agent this process is, or was started by, going by itself and not by its ancestors.
    fn agent(&self, description: &ProcessDescription) -> Option<AgentMatch>;

    /// Whether the policy trusts a tool of this executable basename within a scope, so that its
    /// children share the trust.
    fn is_scoped_tool(&self, name: &[u8]) -> bool;
}

/// How a process was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentMatch {
    /// Stable label.
    pub label: String,
    /// The name that matched, for people.
    pub ancestor: Vec<u8>,
    /// The agent's own session id; empty when it has none.
    pub session: Vec<u8>,
    /// Only the environment tells: the process is not the agent itself, but was started by one.
    pub by_environment: bool,
}

/// A set of interned tool names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ToolSet(pub u64);

/// Interned names of scoped tools: append-only, read without a lock, at most 64 (the built-in list
/// has fewer; a name that finds no room is not inherited by its children, which errs to denial).
#[derive(Debug, Default)]
pub struct ToolNames {
    names: [OnceLock<Box<[u8]>>; 32],
    more: [OnceLock<Box<[u8]>>; 32],
}

// === impl ToolSet ===

impl ToolSet {
    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The names in this set.
    pub fn names(self, names: &ToolNames) -> impl Iterator<Item = &[u8]> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let index = left.trailing_zeros();
            // The lowest bit goes; of nothing, nothing.
            left &= left.wrapping_sub(1);
            (index < u64::BITS).then_some(index)
        })
        .filter_map(|index| names.slot(index)?.get().map(AsRef::as_ref))
    }
}

// === impl ToolNames ===

impl ToolNames {
    /// The set of this one name, interning it; empty when there is no room.
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
    fn names_are_interned_once_and_the_65th_finds_no_room() {
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
