//! On whose behalf a process asks: by the kernel's word and by lineage.
//!
//! The kernel names the process that connected and, with each piece of data, the process that sent
//! it: a descriptor that was passed or inherited does not make its holder the one who opened it. Each
//! of them is followed up its ancestors.
//!
//! | found | is |
//! |---|---|
//! | an agent among the ancestors | an agent |
//! | in this session, and the guard's lineage has no agent for it | a person |
//! | outside of any session, on a terminal whose session leader is among its ancestors, and no guard of the whole machine knows better | a person |
//! | anything else: a lost parent, no terminal, another session, another user | unknown |
//!
//! Only a person grants. It deliberately believes neither names nor environments that speak for a
//! person.

use super::peer::Peer;
use super::platform::{Processes, terminal_session};
use crate::ancestors::{Ancestry, End};
use guard_core::actor::Attribution;
use guard_core::guard::Guard;
use guard_core::process::{ProcessDescription, ProcessSource as _, TerminalSession};
use guard_report::paths::Account;
use guard_report::time::now_ns;
use rustix::process::geteuid;

/// On whose behalf somebody asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// A person's.
    Person {
        /// Their user.
        uid: u32,
        /// The process.
        pid: u32,
    },
    /// An agent's.
    Agent {
        /// Its label.
        label: String,
    },
    /// It is not known.
    Unknown {
        /// Why, in half a sentence.
        why: String,
    },
}

// === impl Standing ===

impl Standing {
    /// Whether it may grant and reject.
    pub(super) const fn is_person(&self) -> bool {
        matches!(self, Self::Person { .. })
    }

    /// The agent's label.
    pub(super) fn agent(&self) -> Option<&str> {
        match self {
            Self::Agent { label } => Some(label),
            Self::Person { .. } | Self::Unknown { .. } => None,
        }
    }

    /// Why it may not grant.
    pub(super) fn refusal(&self) -> String {
        let why = match self {
            Self::Person { .. } => return String::new(),
            Self::Agent { label } => format!("this process descends from {label}"),
            Self::Unknown { why } => why.clone(),
        };
        format!("only a person grants or rejects, and {why}")
    }

    /// The standing of several processes that act together: the least that one of them has.
    pub(super) fn of_all(all: impl IntoIterator<Item = Self>) -> Self {
        let rank = |standing: &Self| match standing {
            Self::Agent { .. } => 0,
            Self::Unknown { .. } => 1,
            Self::Person { .. } => 2,
        };
        let least = all.into_iter().min_by_key(rank);
        least.unwrap_or_else(|| Self::unknown("the kernel does not name who asks"))
    }

    /// The standing of one process, for a guard that protects somebody else, or its own user.
    pub(super) fn of(peer: Peer, guard: &Guard, protected: Option<Account>) -> Self {
        if peer.pid == 0 {
            return Self::unknown("the kernel does not name who asks");
        }
        if !may_ask(peer.uid, protected) {
            return Self::unknown("it is another user's");
        }
        // The parent of a supervisor may be another process of the same guard, or anybody.
        let (supervisor, outer) = (std::process::id(), std::os::unix::process::parent_id());
        let mut executable = None;
        let is_own = |pid, process: &ProcessDescription| {
            if pid == supervisor {
                executable = Some(process.executable.clone());
            }
            pid == supervisor || (pid == outer && executable.as_ref() == Some(&process.executable))
        };
        let snapshot = guard.policy.load();
        let source = Processes::default();
        let above = Ancestry::of(peer.pid, &source, snapshot.agent_patterns(), is_own);
        if let Some((agent, _)) = above.agent {
            return Self::Agent { label: agent.label };
        }
        if above.is_guarded {
            return Self::unknown("it is in another guarded session");
        }
        match above.end {
            End::Gone => Self::unknown("one of its parents is gone"),
            End::Lost => Self::unknown("one of its parents was lost"),
            End::TooDeep => Self::unknown("it has too many parents"),
            End::First if above.pids.contains(&supervisor) => by_lineage(peer, guard),
            End::First if guard.lineage.has_root() => on_terminal(peer, &above.pids),
            // A guard of the whole machine saw it begin.
            End::First => Self::of_all([by_lineage(peer, guard), on_terminal(peer, &above.pids)]),
        }
    }

    fn unknown(why: &str) -> Self {
        Self::Unknown {
            why: why.to_owned(),
        }
    }
}

/// Whether this user's processes may ask at all a guard that protects somebody else than its own
/// user.
pub(super) fn may_ask(uid: u32, protected: Option<Account>) -> bool {
    let own = protected.map_or_else(|| geteuid().as_raw(), |account| account.uid);
    // One that guards root's own files has root's people to answer, who may be anybody.
    uid == own || uid == 0 || own == 0
}

/// The guard's own lineage knows who lost their parents, too.
fn by_lineage(peer: Peer, guard: &Guard) -> Standing {
    let mut process = ProcessDescription::default();
    if Processes::default()
        .describe(peer.pid, &mut process)
        .is_err()
    {
        return Standing::unknown("it is gone");
    }
    match guard.entry(process.key, now_ns()).attribution() {
        Attribution::Human => Standing::Person {
            uid: peer.uid,
            pid: peer.pid,
        },
        Attribution::Agent(agent) => Standing::Agent {
            label: agent.label.to_owned(),
        },
        Attribution::Unknown { .. } => {
            Standing::unknown("it lost its parents, so that it may be an agent's")
        }
    }
}

/// Outside, who lost its parents is adopted by another process, and cannot be distinguished from
/// that one's children but by the terminal's session that it came from.
fn on_terminal(peer: Peer, ancestors: &[u32]) -> Standing {
    let Ok(TerminalSession { leader, terminal }) = terminal_session(peer.pid) else {
        return Standing::unknown("it is gone");
    };
    if terminal == 0 {
        return Standing::unknown("it has no terminal: run it in one");
    }
    // A leader outside of this PID namespace has no number here.
    if leader != 0 && !ancestors.contains(&leader) {
        return Standing::unknown("it lost the parents that lead to its terminal");
    }
    Standing::Person {
        uid: peer.uid,
        pid: peer.pid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_acts_together_has_the_least_standing_of_them() {
        let person = || Standing::Person { uid: 1, pid: 2 };
        let agent = || Standing::Agent {
            label: "codex".to_owned(),
        };
        let lost = || Standing::unknown("it is lost");
        assert_eq!(Standing::of_all([person(), person()]), person());
        assert_eq!(Standing::of_all([person(), agent()]), agent());
        assert_eq!(Standing::of_all([lost(), person()]), lost());
        assert_eq!(Standing::of_all([lost(), agent()]), agent());
        assert!(!Standing::of_all([]).is_person());
        assert!(!agent().is_person() && !lost().is_person());
        assert_eq!(
            agent().refusal(),
            "only a person grants or rejects, and this process descends from codex"
        );
    }
}
