//! The mutes of a client: three independent sets, each with an inversion.
//!
//! Rules (ESClient.h, macOS 27.0): adding and removing are exact set operations on (kind, path,
//! event type) and (process, event type); prefixes matter only when a message is compared. A
//! message is suppressed when any dimension says so:
//!
//! - process: the submitter and, from 27.0 on and for listed events, the instigator vote to
//!   suppress, to deliver, or not at all; one vote to suppress is enough, and without a vote to
//!   deliver nothing is delivered. Inversion swaps the votes.
//! - path of the executable: suppressed when muted; inverted, when not muted.
//! - target paths: suppressed when all of them are muted; inverted, when none is.

use std::collections::BTreeMap;

use crate::events::EventSet;
use crate::process::Execution;

/// One path of a mute set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MutedPath {
    pub(crate) kind: PathKind,
    pub(crate) path: Vec<u8>,
}

/// How a muted path is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PathKind {
    /// A plain string prefix: `/a` covers `/ab`.
    Prefix,
    /// The whole path.
    Literal,
}

/// A set of keys with the event types each is muted for.
#[derive(Clone, Debug)]
pub(crate) struct Dimension<K> {
    pub(crate) muted: BTreeMap<K, EventSet>,
    pub(crate) inverted: bool,
}

/// Everything a client muted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mutes {
    pub(crate) processes: Dimension<Execution>,
    pub(crate) paths: Dimension<MutedPath>,
    pub(crate) targets: Dimension<MutedPath>,
}

/// The properties of a message that mutes compare.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) event: u32,
    /// The execution that submits the message; `None` when this client may not see it.
    pub(crate) submitter: Option<Execution>,
    /// The execution behind the message, for events with that role; `None` when there is none or
    /// it is out of sight.
    pub(crate) instigator: Option<Execution>,
    pub(crate) executable: &'a [u8],
    /// Empty for events whose targets cannot be muted.
    pub(crate) targets: &'a [&'a [u8]],
}

// === impl Dimension ===

impl<K> Default for Dimension<K> {
    fn default() -> Self {
        Self {
            muted: BTreeMap::new(),
            inverted: false,
        }
    }
}

impl<K: Ord> Dimension<K> {
    pub(crate) fn add(&mut self, key: K, events: EventSet) {
        let muted = self.muted.entry(key).or_default();
        *muted = muted.union(events);
    }

    pub(crate) fn remove(&mut self, key: &K, events: EventSet) {
        let Some(muted) = self.muted.get_mut(key) else {
            return;
        };
        *muted = muted.without(events);
        if muted.is_empty() {
            self.muted.remove(key);
        }
    }
}

impl Dimension<MutedPath> {
    fn covers(&self, path: &[u8], event: u32) -> bool {
        self.muted.iter().any(|(muted, events)| {
            let matches = match muted.kind {
                PathKind::Prefix => path.starts_with(&muted.path),
                PathKind::Literal => path == muted.path,
            };
            matches && events.contains(event)
        })
    }
}

// === impl Mutes ===

impl Mutes {
    /// Whether a message is suppressed.
    pub(crate) fn suppress(&self, subject: Subject<'_>) -> bool {
        self.process_suppresses(subject)
            || self.paths.covers(subject.executable, subject.event) != self.paths.inverted
            || self.targets_suppress(subject)
    }

    fn process_suppresses(&self, subject: Subject<'_>) -> bool {
        let votes = [subject.submitter, subject.instigator];
        let mut delivers = false;
        for execution in votes.into_iter().flatten() {
            let events = self.processes.muted.get(&execution);
            let muted = events.is_some_and(|events| events.contains(subject.event));
            if muted != self.processes.inverted {
                return true;
            }
            delivers = true;
        }
        !delivers
    }

    fn targets_suppress(&self, subject: Subject<'_>) -> bool {
        if subject.targets.is_empty() {
            return false;
        }
        let muted = |target: &&[u8]| self.targets.covers(target, subject.event);
        if self.targets.inverted {
            !subject.targets.iter().any(muted)
        } else {
            subject.targets.iter().all(muted)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MutedPath, Mutes, PathKind, Subject};
    use crate::events::EventSet;

    const EVENT: u32 = 8;
    const ME: (u32, u32) = (7, 1);

    fn subject<'a>(targets: &'a [&'a [u8]]) -> Subject<'a> {
        Subject {
            event: EVENT,
            submitter: Some(ME),
            instigator: None,
            executable: b"/bin/rm",
            targets,
        }
    }

    fn path(kind: PathKind, path: &str) -> MutedPath {
        MutedPath {
            kind,
            path: path.into(),
        }
    }

    #[test]
    fn target_paths_are_muted_together_and_selected_alone() {
        let both: [&[u8]; 2] = [b"/a/x", b"/b/y"];
        let mut mutes = Mutes::default();
        mutes
            .targets
            .add(path(PathKind::Prefix, "/a"), EventSet::one(EVENT));
        assert!(!mutes.suppress(subject(&both)), "one path is not muted");
        mutes
            .targets
            .add(path(PathKind::Literal, "/b/y"), EventSet::one(EVENT));
        assert!(mutes.suppress(subject(&both)));
        mutes.targets.inverted = true;
        assert!(!mutes.suppress(subject(&both)));
        assert!(mutes.suppress(subject(&[b"/c"])));
        assert!(
            !mutes.suppress(subject(&[])),
            "the dimension does not apply"
        );
    }

    #[test]
    fn a_prefix_is_a_plain_string_prefix_and_removal_is_exact() {
        let mut mutes = Mutes::default();
        mutes
            .paths
            .add(path(PathKind::Prefix, "/bin/r"), EventSet::one(EVENT));
        assert!(mutes.suppress(subject(&[])));
        mutes
            .paths
            .remove(&path(PathKind::Prefix, "/bin"), EventSet::one(EVENT));
        mutes
            .paths
            .remove(&path(PathKind::Literal, "/bin/r"), EventSet::one(EVENT));
        assert!(
            mutes.suppress(subject(&[])),
            "nothing of that was in the set"
        );
        mutes
            .paths
            .remove(&path(PathKind::Prefix, "/bin/r"), EventSet::one(EVENT));
        assert!(!mutes.suppress(subject(&[])));
    }

    #[test]
    fn one_vote_to_suppress_is_enough_and_no_vote_is_too_few() {
        let other = (9, 1);
        let mut mutes = Mutes::default();
        let both = Subject {
            instigator: Some(other),
            ..subject(&[])
        };
        assert!(!mutes.suppress(both));
        mutes.processes.add(other, EventSet::one(EVENT));
        assert!(mutes.suppress(both));
        mutes.processes.inverted = true;
        assert!(
            mutes.suppress(both),
            "inverted, the submitter votes to suppress"
        );
        mutes.processes.add(ME, EventSet::one(EVENT));
        assert!(!mutes.suppress(both));
        let nobody = Subject {
            submitter: None,
            ..subject(&[])
        };
        assert!(mutes.suppress(nobody));
        mutes.processes.inverted = false;
        assert!(
            mutes.suppress(nobody),
            "inversion leaves an abstention alone"
        );
    }
}
