//! Objects of earlier sessions of which agents made or removed a name, or changed the mode.
//!
//! Such calls change the time of an object's last change, which records of earlier sessions compare
//! ([`Records`](crate::standing::Records)). What an object was before is kept here, so that its
//! records still hold. A change that comes later than the agent's call, or a change of its contents,
//! is not the call's, and ends them.

use crate::file::{FileFacts, FileIdentity};
use std::collections::HashMap;

/// What objects were before agents changed their names.
#[derive(Debug, Default)]
pub(super) struct Relinked {
    known: HashMap<(FileIdentity, u64), Change>,
}

#[derive(Clone, Copy, Debug)]
struct Change {
    /// When the object had last changed before the first of the agents' calls.
    changed_ns: u64,
    /// When its contents had, and their size.
    contents: (u64, u64),
    /// The latest of the agents' calls (wall clock).
    called_ns: u64,
}

// === impl Relinked ===

impl Relinked {
    /// An agent's process is about to change the names or the mode of this object. `is_recorded` says whether
    /// it counts by a record; if not, what is known of it already goes on.
    pub(super) fn note(&mut self, found: &FileFacts, is_recorded: bool, now_ns: u64) {
        let Some(born_ns) = found.born_ns else { return };
        let before = self.before(found);
        if before.is_none() && !is_recorded {
            return;
        }
        if self.known.len() >= MAX_OBJECTS {
            self.known.clear();
        }
        let change = Change {
            changed_ns: before.unwrap_or(*found).changed_ns,
            contents: (found.modified_ns, found.size),
            called_ns: now_ns,
        };
        self.known.insert((found.identity, born_ns), change);
    }

    /// The object as it was before the agents' calls, if nobody else changed it since.
    pub(super) fn before(&self, found: &FileFacts) -> Option<FileFacts> {
        let known = self.known.get(&(found.identity, found.born_ns?))?;
        let is_theirs = found.changed_ns <= known.called_ns.saturating_add(TOUCH_NS)
            && known.contents == (found.modified_ns, found.size);
        is_theirs.then_some(FileFacts {
            changed_ns: known.changed_ns,
            ..*found
        })
    }
}

/// How long after it was seen to make, open or move a file an agent's process may be the one that
/// changed it: a compiler writes its output for a while. A person's edit takes longer to come.
pub(super) const TOUCH_NS: u64 = 2_000_000_000;

/// How many objects are kept; then all are forgotten, which leaves their other names protected.
const MAX_OBJECTS: usize = 262_144;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::FileKind;

    fn object(changed_ns: u64) -> FileFacts {
        FileFacts {
            kind: FileKind::Regular,
            born_ns: Some(1),
            identity: FileIdentity {
                device: 1,
                inode: 2,
            },
            changed_ns,
            modified_ns: 1,
            size: 3,
        }
    }

    #[test]
    fn an_object_is_what_it_was_until_somebody_else_changes_it() {
        let mut relinked = Relinked::default();
        assert_eq!(relinked.before(&object(5)), None);
        relinked.note(&object(5), false, 99);
        assert_eq!(relinked.before(&object(5)), None, "nothing is recorded");
        relinked.note(&object(5), true, 100);
        relinked.note(&object(101), false, 200);
        let before = |at| relinked.before(&object(at)).map(|found| found.changed_ns);
        assert_eq!(before(201), Some(5));
        assert_eq!(before(200 + TOUCH_NS + 1), None);
        let others = [
            FileFacts {
                born_ns: Some(7),
                ..object(201)
            },
            FileFacts {
                modified_ns: 201,
                ..object(201)
            },
            FileFacts {
                size: 4,
                ..object(201)
            },
        ];
        for other in others {
            assert_eq!(relinked.before(&other), None, "{other:?}");
        }
    }
}
