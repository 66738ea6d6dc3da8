//! Canonical paths as a tree of names, each with a note: a directory is renamed by moving one node.
//!
//! Guarantees: finding, adding and removing a path, and moving a directory with all that is below
//! it, cost as many steps as the path has components, whatever the size of the tree. The tree is
//! bounded: beyond [`NameTree::bounded`] notes the oldest is dropped.
//!
//! It deliberately knows nothing of what a note says.

use crate::path::is_at_or_below;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A tree of names with notes.
#[derive(Debug)]
pub(super) struct NameTree<T> {
    nodes: Vec<Node<T>>,
    /// Nodes that are in use no more.
    unused: Vec<Index>,
    /// The nodes with notes by the age of the note, with the stamp of that note: an entry with
    /// another stamp is out of date.
    order: VecDeque<(Index, u32)>,
    noted: usize,
    next_stamp: u32,
    max_notes: usize,
}

type Index = u32;

#[derive(Debug)]
struct Node<T> {
    parent: Index,
    name: Arc<[u8]>,
    children: BTreeMap<Arc<[u8]>, Index>,
    note: Option<T>,
    stamp: u32,
}

// === impl NameTree ===

impl<T: Clone> NameTree<T> {
    /// An empty tree of at most `max_notes` notes.
    pub(super) fn bounded(max_notes: usize) -> Self {
        let root = Node {
            parent: ROOT,
            name: Arc::from(&b""[..]),
            children: BTreeMap::new(),
            note: None,
            stamp: 0,
        };
        Self {
            nodes: vec![root],
            unused: Vec::new(),
            order: VecDeque::new(),
            noted: 0,
            next_stamp: 1,
            max_notes,
        }
    }

    /// How many names have a note.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.noted
    }

    /// The note of a path.
    pub(super) fn get(&self, path: &[u8]) -> Option<&T> {
        self.node(self.find(path)?)?.note.as_ref()
    }

    /// The note of a path, to be changed in place.
    pub(super) fn get_mut(&mut self, path: &[u8]) -> Option<&mut T> {
        let index = self.find(path)?;
        self.node_mut(index)?.note.as_mut()
    }

    /// The notes of the directories above a path, topmost first, each with the length of its path.
    pub(super) fn above(&self, path: &[u8]) -> impl Iterator<Item = (usize, &T)> {
        let mut index = Some(ROOT);
        components(path).filter_map(move |(end, name)| {
            index = index.and_then(|index| self.child(index, name));
            let note = self.node(index?)?.note.as_ref()?;
            (end < path.len()).then_some((end, note))
        })
    }

    /// Sets the note of a path. It becomes the youngest.
    pub(super) fn insert(&mut self, path: &[u8], note: T) {
        let index = self.make(path);
        self.set_note(index, note);
        self.evict();
    }

    /// Takes the note of a path.
    pub(super) fn remove(&mut self, path: &[u8]) -> Option<T> {
        let index = self.find(path)?;
        let taken = self.node_mut(index)?.note.take();
        self.noted -= usize::from(taken.is_some());
        self.prune(index);
        taken
    }

    /// Drops everything below a directory.
    pub(super) fn remove_below(&mut self, directory: &[u8]) {
        if let Some(index) = self.find(directory) {
            self.drop_children(index);
            self.prune(index);
        }
    }

    /// Moves a path and everything below it to another path, of which nothing remains.
    pub(super) fn rename(&mut self, from: &[u8], to: &[u8]) {
        if is_at_or_below(to, from) || is_at_or_below(from, to) {
            return;
        }
        self.remove_below(to);
        self.remove(to);
        let Some(moved) = self.find(from) else {
            return;
        };
        let old_parent = self.detach(moved);
        let (parent, name) = split_last(to);
        let parent = self.make(parent);
        let name: Arc<[u8]> = name.into();
        if let Some(node) = self.node_mut(moved) {
            node.parent = parent;
            node.name = Arc::clone(&name);
        }
        if let Some(node) = self.node_mut(parent) {
            node.children.insert(name, moved);
        }
        if let Some(old_parent) = old_parent {
            self.prune(old_parent);
        }
    }

    /// Gives everything below the directory `from` the same notes below `to`, of which nothing
    /// remains.
    pub(super) fn copy_below(&mut self, from: &[u8], to: &[u8]) {
        if is_at_or_below(to, from) || is_at_or_below(from, to) {
            return;
        }
        self.remove_below(to);
        let Some(top) = self.find(from) else {
            return;
        };
        let mut copies = Vec::new();
        let mut open = vec![(top, to.to_vec())];
        while let Some((index, path)) = open.pop() {
            let Some(node) = self.node(index) else {
                continue;
            };
            if index != top
                && let Some(note) = &node.note
            {
                copies.push((path.clone(), note.clone()));
            }
            for (name, &child) in &node.children {
                open.push((child, [&path, &b"/"[..], name].concat()));
            }
        }
        for (path, note) in copies {
            self.insert(&path, note);
        }
    }

    /// Up to `count` paths with their notes, from the node with this number on, and the number to go
    /// on with; `None` at the end. Between two calls the tree may change.
    pub(super) fn chunk(&self, from: u32, count: usize) -> (Vec<(Vec<u8>, T)>, Option<u32>) {
        let mut found = Vec::new();
        let mut index = from;
        while let Some(node) = self.node(index) {
            if found.len() >= count {
                return (found, Some(index));
            }
            if let Some(note) = &node.note {
                found.push((self.path_of(index), note.clone()));
            }
            index += 1;
        }
        (found, None)
    }

    fn node(&self, index: Index) -> Option<&Node<T>> {
        self.nodes.get(usize::try_from(index).ok()?)
    }

    fn node_mut(&mut self, index: Index) -> Option<&mut Node<T>> {
        self.nodes.get_mut(usize::try_from(index).ok()?)
    }

    fn child(&self, index: Index, name: &[u8]) -> Option<Index> {
        self.node(index)?.children.get(name).copied()
    }

    fn find(&self, path: &[u8]) -> Option<Index> {
        let mut index = ROOT;
        for (_, name) in components(path) {
            index = self.child(index, name)?;
        }
        Some(index)
    }

    /// The node of a path, which is made if there is none.
    fn make(&mut self, path: &[u8]) -> Index {
        let mut index = ROOT;
        for (_, name) in components(path) {
            index = match self.child(index, name) {
                Some(child) => child,
                None => self.make_child(index, name),
            };
        }
        index
    }

    fn make_child(&mut self, parent: Index, name: &[u8]) -> Index {
        let name: Arc<[u8]> = name.into();
        let node = Node {
            parent,
            name: Arc::clone(&name),
            children: BTreeMap::new(),
            note: None,
            stamp: 0,
        };
        let reused = self.unused.pop();
        let index = match reused {
            Some(index) => {
                if let Some(slot) = self.node_mut(index) {
                    *slot = node;
                }
                index
            }
            None => {
                self.nodes.push(node);
                u32::try_from(self.nodes.len() - 1).unwrap_or(ROOT)
            }
        };
        if let Some(node) = self.node_mut(parent) {
            node.children.insert(name, index);
        }
        index
    }

    fn set_note(&mut self, index: Index, note: T) {
        let stamp = self.next_stamp;
        self.next_stamp = stamp.wrapping_add(1).max(1);
        let Some(node) = self.node_mut(index) else {
            return;
        };
        let is_new = node.note.replace(note).is_none();
        node.stamp = stamp;
        self.noted += usize::from(is_new);
        self.order.push_back((index, stamp));
    }

    fn evict(&mut self) {
        while self.noted > self.max_notes {
            let Some((index, stamp)) = self.order.pop_front() else {
                return;
            };
            if self.is_current(index, stamp) {
                if let Some(node) = self.node_mut(index) {
                    node.note = None;
                }
                self.noted -= 1;
                self.prune(index);
            }
        }
        // Notes that were set again or taken leave entries behind.
        if self.order.len() > 2 * self.noted + SPARE_ENTRIES {
            let order = std::mem::take(&mut self.order);
            self.order = order
                .into_iter()
                .filter(|&(index, stamp)| self.is_current(index, stamp))
                .collect();
        }
    }

    fn is_current(&self, index: Index, stamp: u32) -> bool {
        self.node(index)
            .is_some_and(|node| node.stamp == stamp && node.note.is_some())
    }

    /// Takes a node out of its parent's children. Returns the parent.
    fn detach(&mut self, index: Index) -> Option<Index> {
        let node = self.node(index)?;
        let (parent, name) = (node.parent, Arc::clone(&node.name));
        self.node_mut(parent)?.children.remove(&name);
        Some(parent)
    }

    /// Removes a node that says nothing, and those above it that then say nothing.
    fn prune(&mut self, mut index: Index) {
        while index != ROOT {
            let Some(node) = self.node_mut(index) else {
                return;
            };
            if node.note.is_some() || !node.children.is_empty() {
                return;
            }
            let Some(parent) = self.detach(index) else {
                return;
            };
            self.unused.push(index);
            index = parent;
        }
    }

    fn drop_children(&mut self, index: Index) {
        let mut open = Vec::new();
        if let Some(node) = self.node_mut(index) {
            open.extend(std::mem::take(&mut node.children).into_values());
        }
        while let Some(index) = open.pop() {
            let Some(node) = self.node_mut(index) else {
                continue;
            };
            let had_note = node.note.take().is_some();
            open.extend(std::mem::take(&mut node.children).into_values());
            self.noted -= usize::from(had_note);
            self.unused.push(index);
        }
    }

    fn path_of(&self, mut index: Index) -> Vec<u8> {
        let mut names = Vec::new();
        while index != ROOT
            && let Some(node) = self.node(index)
        {
            names.push(Arc::clone(&node.name));
            index = node.parent;
        }
        let mut path = Vec::new();
        for name in names.iter().rev() {
            path.push(b'/');
            path.extend_from_slice(name);
        }
        path
    }
}

/// The components of a path, each with the length of the path up to its end.
fn components(path: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut end = 0;
    path.split(|&byte| byte == b'/').filter_map(move |name| {
        let here = end + name.len();
        end = here + 1;
        (!name.is_empty()).then_some((here, name))
    })
}

fn split_last(path: &[u8]) -> (&[u8], &[u8]) {
    let at = path.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
    let (parent, name) = path.split_at_checked(at).unwrap_or((b"", path));
    (parent, name.strip_prefix(b"/").unwrap_or(name))
}

const ROOT: Index = 0;

/// Out-of-date entries of `order` that are left in it however few notes there are.
const SPARE_ENTRIES: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        Insert(String, u8),
        Remove(String),
        RemoveBelow(String),
        Rename(String, String),
        CopyBelow(String, String),
    }

    fn below(path: &str, directory: &str) -> bool {
        path.starts_with(&format!("{directory}/"))
    }

    /// The same on a plain map of paths.
    fn apply(step: &Step, tree: &mut NameTree<u8>, map: &mut BTreeMap<String, u8>) {
        match step {
            Step::Insert(path, note) => {
                tree.insert(path.as_bytes(), *note);
                map.insert(path.clone(), *note);
            }
            Step::Remove(path) => {
                assert_eq!(tree.remove(path.as_bytes()), map.remove(path));
            }
            Step::RemoveBelow(path) => {
                tree.remove_below(path.as_bytes());
                map.retain(|name, _| !below(name, path));
            }
            Step::Rename(from, to) | Step::CopyBelow(from, to) => {
                let copies = matches!(step, Step::CopyBelow(..));
                if copies {
                    tree.copy_below(from.as_bytes(), to.as_bytes());
                } else {
                    tree.rename(from.as_bytes(), to.as_bytes());
                }
                if from == to || below(from, to) || below(to, from) {
                    return;
                }
                map.retain(|name, _| !below(name, to) && (copies || name != to));
                let moved: Vec<_> = map
                    .iter()
                    .filter(|(name, _)| below(name, from) || (!copies && *name == from))
                    .map(|(name, note)| (format!("{to}{}", &name[from.len()..]), *note))
                    .collect();
                if !copies {
                    map.retain(|name, _| !below(name, from) && name != from);
                }
                map.extend(moved);
            }
        }
    }

    fn step() -> impl Strategy<Value = Step> {
        let path =
            || proptest::sample::select(vec!["/a", "/a/b", "/a/b/c", "/a/d", "/e", "/e/b", "/ab"]);
        let path = move || path().prop_map(str::to_owned);
        prop_oneof![
            4 => (path(), 0u8..9).prop_map(|(path, note)| Step::Insert(path, note)),
            1 => path().prop_map(Step::Remove),
            1 => path().prop_map(Step::RemoveBelow),
            2 => (path(), path()).prop_map(|(from, to)| Step::Rename(from, to)),
            1 => (path(), path()).prop_map(|(from, to)| Step::CopyBelow(from, to)),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

        #[test]
        fn a_tree_is_a_map_of_paths(steps in proptest::collection::vec(step(), 1..30)) {
            let (mut tree, mut map) = (NameTree::bounded(100), BTreeMap::new());
            for step in &steps {
                apply(step, &mut tree, &mut map);
                let (mut found, rest) = tree.chunk(0, 100);
                found.sort();
                let expected: Vec<_> = map.iter().map(|(path, note)| (path.as_bytes().to_vec(), *note)).collect();
                prop_assert_eq!(found, expected, "after {:?}", step);
                prop_assert_eq!(rest, None);
                prop_assert_eq!(tree.len(), map.len());
            }
            let used = tree.nodes.len() - tree.unused.len();
            prop_assert!(!map.is_empty() || used == 1, "nothing remains of an empty tree");
        }
    }

    #[test]
    fn the_oldest_notes_are_dropped_when_there_are_too_many() {
        let mut tree = NameTree::bounded(3);
        for (number, path) in ["/a", "/b", "/c", "/a", "/d"].iter().enumerate() {
            tree.insert(path.as_bytes(), number);
        }
        let known = ["/a", "/b", "/c", "/d"].map(|path| tree.get(path.as_bytes()).is_some());
        assert_eq!(known, [true, false, true, true], "/a was set again");
        for _ in 0..5000 {
            tree.insert(b"/a", 1);
        }
        assert!(tree.order.len() <= 2 * 3 + SPARE_ENTRIES + 1);
        assert_eq!(tree.len(), 3);
    }

    #[test]
    fn notes_above_a_path_come_from_the_top() {
        let mut tree = NameTree::bounded(9);
        for path in ["/a", "/a/b", "/a/b/c", "/a/x"] {
            tree.insert(path.as_bytes(), path);
        }
        let above: Vec<_> = tree
            .above(b"/a/b/c")
            .map(|(length, &path)| (length, path))
            .collect();
        assert_eq!(above, [(2, "/a"), (4, "/a/b")]);
        assert_eq!(tree.above(b"/z/b").count(), 0);
    }

    #[test]
    fn a_tree_is_read_in_chunks() {
        let mut tree = NameTree::bounded(100);
        for number in 0..10 {
            tree.insert(format!("/d/{number}").as_bytes(), number);
        }
        let (mut from, mut found) = (Some(0), 0);
        while let Some(index) = from {
            let (chunk, next) = tree.chunk(index, 3);
            assert!(chunk.len() <= 3);
            found += chunk.len();
            from = next;
        }
        assert_eq!(found, 10);
    }
}
