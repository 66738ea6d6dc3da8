//! Which contents are the agent's own, so that no version of them is preserved.
//!
//! A path that the agent touched holds its contents as long as nobody changed the inode after the
//! touch, or put another in its place. When a file is opened for writing the guard sees the open,
//! not the writes, so that a change counts as the agent's for a moment after it: short for small
//! files, which cost nothing to keep once more, longer for large ones.

use super::bounds::SMALL_BYTES;
use crate::files::ObjectStat;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The paths that a session's agents touched last.
#[derive(Debug, Default)]
pub(crate) struct Touches {
    by_path: HashMap<Arc<[u8]>, Touch>,
    by_age: BTreeMap<u64, Arc<[u8]>>,
    next: u64,
    /// The number from which on the journal lacks touches.
    unwritten: u64,
    bytes: usize,
}

/// What the touches say of the contents at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// No agent of this session touched it.
    Unknown,
    /// As the agent left them.
    Agents,
    /// Changed by somebody else after the agent.
    Changed,
}

#[derive(Clone, Copy, Debug)]
struct Touch {
    at_ns: u64,
    /// Whether the agent made the name: nothing was there.
    made: bool,
    /// Whether somebody's object was taken from the name in this session, so that whatever is made
    /// there has a history.
    lost: bool,
    /// Which object the agent touched, where that is known.
    inode: Option<u64>,
    /// Its key in `by_age`.
    number: u64,
}

// === impl Touches ===

impl Touches {
    /// The agent makes a file at this path now, where nothing is.
    pub(crate) fn make(&mut self, path: &[u8], at_ns: u64) {
        let lost = self.is_lost(path);
        self.insert(
            path,
            Touch {
                at_ns,
                made: !lost,
                lost,
                inode: None,
                number: 0,
            },
        );
    }

    /// The agent touches what is at this path now.
    pub(crate) fn touch(&mut self, path: &[u8], inode: Option<u64>, at_ns: u64) {
        let made = self.is_made(path);
        let lost = self.is_lost(path);
        self.insert(
            path,
            Touch {
                at_ns,
                made,
                lost,
                inode,
                number: 0,
            },
        );
    }

    /// Somebody's object is taken from this path now.
    pub(crate) fn lose(&mut self, path: &[u8], at_ns: u64) {
        self.insert(
            path,
            Touch {
                at_ns,
                made: false,
                lost: true,
                // What appears here is not the agent's by this.
                inode: Some(NO_INODE),
                number: 0,
            },
        );
    }

    fn is_lost(&self, path: &[u8]) -> bool {
        self.by_path.get(path).is_some_and(|touch| touch.lost)
    }

    fn insert(&mut self, path: &[u8], touch: Touch) {
        self.forget(path);
        let path: Arc<[u8]> = path.into();
        let number = self.next;
        self.next += 1;
        self.bytes += path.len();
        self.by_age.insert(number, Arc::clone(&path));
        self.by_path.insert(path, Touch { number, ..touch });
        while self.by_path.len() > MAX_PATHS || self.bytes > MAX_BYTES {
            let Some((_, oldest)) = self.by_age.pop_first() else {
                break;
            };
            self.by_path.remove(&oldest);
            self.bytes -= oldest.len();
        }
    }

    /// Whose contents are at this path.
    pub(crate) fn whose(&self, path: &[u8], found: &ObjectStat) -> Whose {
        let Some(touch) = self.by_path.get(path) else {
            return Whose::Unknown;
        };
        let moment = if found.disk_bytes < SMALL_BYTES {
            MOMENT_NS
        } else {
            LONG_MOMENT_NS
        };
        let same = touch.inode.is_none_or(|inode| inode == found.facts.inode);
        if same && found.changed_ns <= touch.at_ns.saturating_add(moment) {
            Whose::Agents
        } else {
            Whose::Changed
        }
    }

    /// Whether the agent made the name at this path.
    pub(crate) fn is_made(&self, path: &[u8]) -> bool {
        self.by_path.get(path).is_some_and(|touch| touch.made)
    }

    /// The contents moved with their name, or with a directory above it.
    pub(crate) fn carry(&mut self, from: &[u8], to: &[u8], directory: bool) {
        let mut moved = Vec::new();
        if let Some(touch) = self.by_path.get(from) {
            moved.push((from.to_vec(), to.to_vec(), *touch));
        }
        if directory {
            let below = self.by_path.iter().filter_map(|(path, touch)| {
                let rest = path.strip_prefix(from)?;
                rest.starts_with(b"/")
                    .then(|| (path.to_vec(), [to, rest].concat(), *touch))
            });
            moved.extend(below);
        }
        for (old, new, touch) in moved {
            let lost = self.is_lost(&new);
            self.forget(&old);
            let made = touch.made && !lost;
            self.insert(
                &new,
                Touch {
                    made,
                    lost,
                    ..touch
                },
            );
        }
    }

    /// Two names were swapped. What is below directories is forgotten, and preserved once more.
    pub(crate) fn swap(&mut self, one: &[u8], other: &[u8]) {
        let (left, right) = (
            self.by_path.get(one).copied(),
            self.by_path.get(other).copied(),
        );
        self.forget(one);
        self.forget(other);
        if let Some(touch) = left {
            self.insert(other, touch);
        }
        if let Some(touch) = right {
            self.insert(one, touch);
        }
    }

    pub(crate) fn forget(&mut self, path: &[u8]) {
        if let Some(touch) = self.by_path.remove(path) {
            self.by_age.remove(&touch.number);
            self.bytes -= path.len();
        }
    }

    /// Takes the touches that the journal lacks, the oldest first. It needs none of names that the
    /// agent made where nothing was, since nothing is put back there, and none of names from which
    /// something was taken, since it has a record of that.
    pub(crate) fn take_unwritten(&mut self) -> Vec<(Arc<[u8]>, u64)> {
        let since = std::mem::replace(&mut self.unwritten, self.next);
        let paths = self.by_age.range(since..).map(|(_, path)| path);
        let touches = paths.filter_map(|path| {
            let touch = self
                .by_path
                .get(path)
                .filter(|touch| !touch.made && touch.inode != Some(NO_INODE))?;
            Some((Arc::clone(path), touch.at_ns))
        });
        touches.collect()
    }
}

/// No object has it.
const NO_INODE: u64 = 0;

/// How long after an open the agent's first write may take, for small files: a person needs longer.
const MOMENT_NS: u64 = 50_000_000;

/// The same for files of which a copy costs something.
const LONG_MOMENT_NS: u64 = 2_000_000_000;

/// How many paths are remembered; a forgotten one is preserved once more.
const MAX_PATHS: usize = 65_536;

/// How long all remembered paths may be together.
const MAX_BYTES: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Kind;
    use crate::journal::Facts;

    fn object(inode: u64, changed_ns: u64, disk_bytes: u64) -> ObjectStat {
        ObjectStat {
            facts: Facts {
                inode,
                ..Facts::default()
            },
            kind: Kind::File,
            links: 1,
            disk_bytes,
            changed_ns,
        }
    }

    #[test]
    fn contents_are_own_until_somebody_changes_or_replaces_them() {
        let mut touches = Touches::default();
        assert_ne!(touches.whose(b"/z/a", &object(1, 0, 0)), Whose::Agents);
        touches.touch(b"/z/a", Some(1), 1_000_000_000);
        assert_eq!(
            touches.whose(b"/z/a", &object(1, 1_040_000_000, 0)),
            Whose::Agents
        );
        assert_ne!(
            touches.whose(b"/z/a", &object(1, 1_060_000_000, 0)),
            Whose::Agents
        );
        assert_eq!(
            touches.whose(b"/z/a", &object(1, 1_060_000_000, 2 << 20)),
            Whose::Agents
        );
        assert_ne!(
            touches.whose(b"/z/a", &object(2, 1_000_000_000, 0)),
            Whose::Agents
        );
        assert_eq!(touches.take_unwritten().len(), 1);
        assert!(touches.take_unwritten().is_empty());
    }

    #[test]
    fn touches_move_with_names_and_directories() {
        let mut touches = Touches::default();
        touches.touch(b"/z/d/a", Some(1), 5);
        touches.touch(b"/z/dd", Some(2), 5);
        touches.carry(b"/z/d", b"/z/e", true);
        assert_eq!(touches.whose(b"/z/e/a", &object(1, 5, 0)), Whose::Agents);
        assert_ne!(touches.whose(b"/z/d/a", &object(1, 5, 0)), Whose::Agents);
        assert_eq!(touches.whose(b"/z/dd", &object(2, 5, 0)), Whose::Agents);
        touches.carry(b"/z/e/a", b"/z/dd", false);
        assert_eq!(touches.whose(b"/z/dd", &object(1, 5, 0)), Whose::Agents);
        assert_eq!(touches.whose(b"/z/dd", &object(1, 5, 0)), Whose::Agents);
        assert_eq!(touches.by_path.len(), 1);
        assert_eq!(touches.by_age.len(), 1);
    }

    #[test]
    fn what_the_journal_lacks_is_taken_once() {
        let mut touches = Touches::default();
        touches.make(b"/z/new", 1);
        touches.touch(b"/z/new", Some(1), 2);
        touches.touch(b"/z/a", Some(2), 3);
        touches.lose(b"/z/b", 4);
        touches.lose(b"/z/c", 4);
        touches.make(b"/z/c", 5);
        let taken = |touches: &mut Touches| -> Vec<_> {
            let taken = touches.take_unwritten().into_iter();
            taken.map(|(path, at_ns)| (path.to_vec(), at_ns)).collect()
        };
        let wanted = vec![(b"/z/a".to_vec(), 3), (b"/z/c".to_vec(), 5)];
        assert_eq!(taken(&mut touches), wanted);
        assert!(taken(&mut touches).is_empty());
        touches.touch(b"/z/a", Some(2), 9);
        assert_eq!(taken(&mut touches), [(b"/z/a".to_vec(), 9)]);
    }

    #[test]
    fn the_oldest_go_first() {
        let mut touches = Touches::default();
        for index in 0..=MAX_PATHS {
            touches.touch(format!("/z/{index}").as_bytes(), None, 1);
        }
        assert_ne!(touches.whose(b"/z/0", &object(1, 1, 0)), Whose::Agents);
        assert_eq!(touches.whose(b"/z/1", &object(1, 1, 0)), Whose::Agents);
        assert_eq!(touches.by_age.len(), MAX_PATHS);
    }
}
