//! Which contents are the agent's own, so that no version of them is preserved.
//!
//! A path that the agent touched holds its contents as long as nobody changed the inode after the
//! touch, or put another in its place. When a file is opened for writing the guard sees the open,
//! not the writes:
//!
//! | the last change | is | what is kept of it |
//! |---|---|---|
//! | within a moment of the open | the agent's | nothing |
//! | later, while the session may have had the file open | the agent's, most likely | a version that counts as the agent's |
//! | after that | somebody else's | their version |
//!
//! Whether the session still has a file open is seen from time to time ([`Touches::settle`]), where a
//! backend can see it. Elsewhere only the moment counts: short for small files, which cost nothing to
//! keep once more, longer for large ones. A backend that sees each write reports those
//! ([`Touches::write`]): one that comes while no agent has the file open is somebody else's, however
//! soon.

use super::bounds::SMALL_BYTES;
use crate::files::ObjectStat;
use std::collections::{BTreeMap, BTreeSet, HashMap};
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
    /// The numbers of the touches whose files the session may have open for writing.
    open: BTreeSet<u64>,
    /// Whether somebody sees when they are closed.
    is_watched: bool,
}

/// What the touches say of the contents at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// No agent of this session touched it.
    Unknown,
    /// As the agent left them.
    Agents,
    /// Changed while the session may have had the file open for writing: the agent's, as far as one
    /// can know.
    Written,
    /// Changed by somebody else after the agent.
    Changed,
}

/// A file that the session may have open for writing.
#[derive(Clone, Debug)]
pub(crate) struct OpenFile {
    pub(crate) path: Arc<[u8]>,
    /// Whether the agent made the name.
    pub(crate) made: bool,
    number: u64,
}

/// What was seen of a file that the session may have had open for writing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// Whether it still has.
    pub(crate) is_open: bool,
    /// The file's last change, at the latest when this was seen.
    pub(crate) changed_ns: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Touch {
    at_ns: u64,
    /// Whether the agent made the name: nothing was there.
    made: bool,
    /// Whether somebody's object was taken from the name in this session, so that whatever is made
    /// there has a history.
    lost: bool,
    /// Which object the agent touched, where that is known.
    inode: Option<u64>,
    /// The last change that was seen while the session may have had the file open.
    written_ns: u64,
    /// What the journal says of the last touch.
    journal_ns: u64,
    /// Whether the session may have the file open for writing.
    is_open: bool,
    /// How many times agents have it open for writing, as far as a backend reports the ends of that;
    /// `None` if they may have had it open before.
    writers: Option<u32>,
    /// Whether somebody else wrote it since.
    foreign: bool,
    /// Its key in `by_age`.
    number: u64,
}

// === impl Whose ===

impl Whose {
    /// Whether nobody else's contents are known to be there.
    pub(crate) const fn is_agents(self) -> bool {
        matches!(self, Self::Agents | Self::Written)
    }
}

// === impl Touch ===

impl Touch {
    /// Of the same name after another touch.
    const fn touched(self, inode: Option<u64>, at_ns: u64) -> Self {
        Self {
            at_ns,
            inode,
            written_ns: 0,
            journal_ns: 0,
            number: 0,
            ..self
        }
    }

    /// The last that is known of the agent's at the path.
    const fn last_ns(&self) -> u64 {
        if self.written_ns > self.at_ns {
            self.written_ns
        } else {
            self.at_ns
        }
    }
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
                is_open: true,
                writers: Some(1),
                ..Touch::default()
            },
        );
    }

    /// The agent opens the object at this path for writing now.
    pub(crate) fn open(&mut self, path: &[u8], inode: u64, at_ns: u64) {
        let known = self.by_path.get(path).copied().unwrap_or_default();
        let writers = known.writers.unwrap_or(0).saturating_add(1);
        let touch = Touch {
            is_open: true,
            writers: Some(writers),
            foreign: false,
            ..known.touched(Some(inode), at_ns)
        };
        self.insert(path, touch);
    }

    /// The agent touches what is at this path now. What is open stays open.
    pub(crate) fn touch(&mut self, path: &[u8], inode: Option<u64>, at_ns: u64) {
        let known = self.by_path.get(path).copied().unwrap_or_default();
        self.insert(path, known.touched(inode, at_ns));
    }

    /// The file at this path was written. Returns whether by somebody else, for the first time since
    /// an agent opened it.
    pub(crate) fn write(&mut self, path: &[u8]) -> bool {
        match self.by_path.get_mut(path) {
            Some(touch) if touch.writers == Some(0) && !touch.foreign => {
                touch.foreign = true;
                true
            }
            _ => false,
        }
    }

    /// Somebody who had the file at this path open for writing has it open no more.
    pub(crate) fn close(&mut self, path: &[u8]) {
        if let Some(touch) = self.by_path.get_mut(path) {
            touch.writers = touch.writers.map(|writers| writers.saturating_sub(1));
        }
    }

    /// Somebody's object is taken from this path now.
    pub(crate) fn lose(&mut self, path: &[u8], at_ns: u64) {
        self.insert(
            path,
            Touch {
                at_ns,
                lost: true,
                // What appears here is not the agent's by this.
                inode: Some(NO_INODE),
                ..Touch::default()
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
        if touch.is_open {
            self.open.insert(number);
        }
        self.by_path.insert(path, Touch { number, ..touch });
        while self.by_path.len() > MAX_PATHS || self.bytes > MAX_BYTES {
            let Some((number, oldest)) = self.by_age.pop_first() else {
                break;
            };
            self.open.remove(&number);
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
        let same = touch.inode.is_none_or(|inode| inode == found.facts.inode) && !touch.foreign;
        if same && found.changed_ns <= touch.at_ns.saturating_add(moment) {
            Whose::Agents
        } else if same && (found.changed_ns <= touch.written_ns || self.is_watched && touch.is_open)
        {
            Whose::Written
        } else {
            Whose::Changed
        }
    }

    /// The files that the session may have open for writing, each to be [settled](Self::settle).
    /// From now on a file counts as open until that was done.
    pub(crate) fn watch(&mut self) -> Vec<OpenFile> {
        self.is_watched = true;
        let open = self.open.iter().filter_map(|&number| {
            let path = self.by_age.get(&number)?;
            Some(OpenFile {
                path: Arc::clone(path),
                made: self.is_made(path),
                number,
            })
        });
        open.collect()
    }

    /// Takes what was seen of a file into account. What was changed by then counts as written.
    pub(crate) fn settle(&mut self, file: &OpenFile, seen: Seen) {
        // The agent may have touched it again meanwhile.
        if !self.by_age.contains_key(&file.number) {
            return;
        }
        if !seen.is_open {
            self.open.remove(&file.number);
        }
        let Some(touch) = self.by_path.get_mut(&file.path) else {
            return;
        };
        touch.is_open = seen.is_open;
        touch.written_ns = touch.written_ns.max(seen.changed_ns);
        // A restore knows of changes by the journal alone; a log is changed again and again.
        let late_ns = touch.last_ns().saturating_sub(touch.journal_ns);
        let is_due = late_ns > WRITTEN_AGAIN_NS || (late_ns > 0 && !seen.is_open);
        let is_in_journal = file.number < self.unwritten && !touch.made;
        if is_due && is_in_journal {
            let touch = *touch;
            self.insert(&file.path, touch);
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
            self.open.remove(&touch.number);
            self.bytes -= path.len();
        }
    }

    /// Takes the touches that the journal lacks, the oldest first. It needs none of names that the
    /// agent made where nothing was, since nothing is put back there, and none of names from which
    /// something was taken, since it has a record of that.
    pub(crate) fn take_unwritten(&mut self) -> Vec<(Arc<[u8]>, u64)> {
        let since = std::mem::replace(&mut self.unwritten, self.next);
        let mut touches = Vec::new();
        for (_, path) in self.by_age.range(since..) {
            let Some(touch) = self.by_path.get_mut(path) else {
                continue;
            };
            if !touch.made && touch.inode != Some(NO_INODE) {
                touch.journal_ns = touch.last_ns();
                touches.push((Arc::clone(path), touch.last_ns()));
            }
        }
        touches
    }
}

/// No object has it.
const NO_INODE: u64 = 0;

/// How long after an open the agent's first write may take, for small files: a person needs longer.
const MOMENT_NS: u64 = 50_000_000;

/// The same for files of which a copy costs something.
const LONG_MOMENT_NS: u64 = 2_000_000_000;

/// How much later the last change of a file that remains open has to be than the journal says.
const WRITTEN_AGAIN_NS: u64 = 10_000_000_000;

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
    fn a_change_is_the_agent_s_as_long_as_it_may_have_the_file_open() {
        const SECOND_NS: u64 = 1_000_000_000;
        let mut touches = Touches::default();
        let at = |seconds: u64| object(1, seconds * SECOND_NS, 0);
        touches.open(b"/z/a", 1, SECOND_NS);
        assert_eq!(touches.whose(b"/z/a", &at(5)), Whose::Changed, "unwatched");
        let settle = |touches: &mut Touches, is_open, changed: u64| {
            for file in touches.watch() {
                let changed_ns = changed * SECOND_NS;
                touches.settle(
                    &file,
                    Seen {
                        is_open,
                        changed_ns,
                    },
                );
            }
            touches.take_unwritten().len()
        };
        assert_eq!(settle(&mut touches, true, 1), 1);
        assert_eq!(touches.whose(b"/z/a", &at(5)), Whose::Written);
        assert_eq!(touches.whose(b"/z/a", &object(2, 5, 0)), Whose::Changed);
        assert_eq!(settle(&mut touches, true, 5), 0);
        assert_eq!(touches.whose(b"/z/a", &at(1)), Whose::Agents);
        assert_eq!(settle(&mut touches, true, 20), 1);
        assert_eq!(touches.whose(b"/z/a", &at(21)), Whose::Written);
        touches.carry(b"/z/a", b"/z/b", false);
        assert_eq!(touches.whose(b"/z/b", &at(22)), Whose::Written);
        assert_eq!(settle(&mut touches, false, 23), 1);
        assert_eq!(touches.whose(b"/z/b", &at(23)), Whose::Written);
        assert_eq!(touches.whose(b"/z/b", &at(24)), Whose::Changed);
        assert!(touches.watch().is_empty() && touches.open.is_empty());
    }

    #[test]
    fn a_write_while_no_agent_has_the_file_open_is_somebody_else_s() {
        let mut touches = Touches::default();
        let same = object(1, 1, 0);
        touches.make(b"/z/a", 1);
        assert!(!touches.write(b"/z/a"), "the agent writes");
        touches.open(b"/z/a", 1, 1);
        touches.close(b"/z/a");
        assert!(!touches.write(b"/z/a"), "it has it open twice");
        touches.close(b"/z/a");
        assert_eq!(touches.whose(b"/z/a", &same), Whose::Agents);
        touches.carry(b"/z/a", b"/z/b", false);
        touches.touch(b"/z/b", Some(1), 1);
        assert!(!touches.write(b"/z/a"), "nothing is known of the old name");
        assert!(touches.write(b"/z/b"));
        assert!(!touches.write(b"/z/b"), "it is known");
        touches.close(b"/z/b");
        assert_eq!(touches.whose(b"/z/b", &same), Whose::Changed);
        touches.open(b"/z/b", 1, 1);
        assert_eq!(touches.whose(b"/z/b", &same), Whose::Agents);
        assert!(touches.is_made(b"/z/b"));

        // The agent may have had this one open before.
        touches.touch(b"/z/c", Some(1), 1);
        assert!(!touches.write(b"/z/c"));
    }

    #[test]
    fn what_was_touched_again_meanwhile_is_not_settled() {
        let mut touches = Touches::default();
        touches.open(b"/z/a", 1, 1);
        let files = touches.watch();
        touches.open(b"/z/a", 1, 2);
        for file in files {
            let seen = Seen {
                is_open: false,
                changed_ns: 1,
            };
            touches.settle(&file, seen);
        }
        assert_eq!(touches.watch().len(), 1);
        touches.forget(b"/z/a");
        assert!(touches.open.is_empty());
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
