//! The entries of the policy that cover a path: a tree of path components.
//!
//! Zones, overrides, disposable and temporary paths are all [`Entry`]s at nodes of one tree. A look-up
//! follows the path's components down from `/` and stops at the first one that is not in the tree, so
//! that its cost depends on the length of the path and not on the number of entries. Nodes are in one
//! array and children in one hash table keyed by (parent, component); nothing is allocated, and no
//! pointers are followed.
//!
//! Guarantees: whole components of canonical bytes are compared (`/a/b` does not cover `/a/bc`), in
//! each directory as its volume compares them ([`Folding`]);
//! [`ZoneMatch::entries`] yields the entries that cover a path from the most specific to the least; on
//! one node the order is override, zone, disposable, temporary.
//!
//! It deliberately decides nothing: whether an override applies, or what an ancestor of a zone means,
//! is for [`decision`](crate::decision). It does not resolve paths either.
//!
//! ```
//! use guard_core::zones::{Entry, ZoneId, ZoneTreeBuilder};
//!
//! let mut builder = ZoneTreeBuilder::default();
//! builder.insert(b"/tmp", Entry::SystemTemp);
//! builder.insert(b"/tmp/work", Entry::Zone(ZoneId(0)));
//! let tree = builder.build();
//!
//! let entries: Vec<Entry> = tree.lookup(b"/tmp/work/a").entries().collect();
//! assert_eq!(entries, [Entry::Zone(ZoneId(0)), Entry::SystemTemp]);
//! assert_eq!(tree.lookup(b"/tmp").contains_zone_root(), Some(ZoneId(0)));
//! assert_eq!(tree.lookup(b"/tmp/workshop").contains_zone_root(), None);
//! ```

mod build;
mod folding;

pub use build::ZoneTreeBuilder;
pub use folding::Folding;

/// A zone, by its number in the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneId(pub u32);

/// An override, by its number in the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OverrideId(pub u32);

/// What the policy says of a path and everything below it, in the order of entries on one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    /// A temporary override, which applies or not when an operation is evaluated.
    Override(OverrideId),
    /// A protected zone.
    Zone(ZoneId),
    /// A path that the policy calls disposable.
    Disposable,
    /// A system temporary or trash path.
    SystemTemp,
}

/// The tree, built once for each snapshot and then only read.
#[derive(Debug)]
pub struct ZoneTree {
    /// Parents come before their children; the first is `/`.
    nodes: Vec<Node>,
    /// Open addressing with linear probing, at most half full; its length is a power of two.
    slots: Vec<Slot>,
    /// All component names, one after the other.
    names: Vec<u8>,
    /// All entries, grouped by node.
    entries: Vec<Entry>,
}

/// The result of looking a path up.
#[derive(Clone, Copy, Debug)]
pub struct ZoneMatch<'t> {
    tree: &'t ZoneTree,
    /// The deepest known node on the path.
    node: &'t Node,
    /// Whether that node is the path itself.
    exact: bool,
}

/// The entries that cover a path, the most specific first.
#[derive(Clone, Debug)]
pub struct Entries<'t> {
    tree: &'t ZoneTree,
    here: &'t [Entry],
    node: Option<&'t Node>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    /// Number of the parent; the root is its own.
    parent: u32,
    name_start: u32,
    name_length: u32,
    entries_start: u32,
    entries_length: u32,
    /// The nearest node with entries, itself or above; [`NONE`] if there is none.
    covering: u32,
    /// The zone whose root this is, else the first of the outermost zones below; [`NONE`] if there is
    /// none.
    contained_zone: u32,
    /// One of the guard's own files is here or above.
    own: bool,
    /// One of the guard's own files is here or below.
    contains_own: bool,
    /// How the names in this directory are compared.
    folding: Folding,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// The low half of the hash, which rejects most other names without reading their node.
    tag: u32,
    /// The child's number; 0, the root, marks an empty slot, since the root is no child.
    node: u32,
}

/// No node, no zone.
const NONE: u32 = u32::MAX;

/// The path's components, without empty ones.
pub(crate) fn components(path: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    path.split(|&byte| byte == b'/')
        .filter(|component| !component.is_empty())
}

/// The part of `path` below `root`, without a leading slash; `None` if `path` has fewer components
/// than `root`. For a path that the root is known to contain: where a volume folds names and the two
/// differ, components are counted and not compared.
pub(crate) fn below<'p>(root: &[u8], path: &'p [u8]) -> Option<&'p [u8]> {
    let root = root.strip_suffix(b"/").unwrap_or(root);
    match path.strip_prefix(root) {
        Some([]) => Some(b""),
        Some([b'/', rest @ ..]) => Some(rest),
        _ => below_as_many(root, path),
    }
}

/// The part of `path` after as many components as `root` has.
#[cold]
fn below_as_many<'p>(root: &[u8], path: &'p [u8]) -> Option<&'p [u8]> {
    let mut rest = path;
    for _ in components(root) {
        let start = rest.iter().position(|&byte| byte != b'/')?;
        let component = rest.get(start..)?;
        let end = component.iter().position(|&byte| byte == b'/');
        rest = component.get(end.unwrap_or(component.len())..)?;
    }
    Some(rest.strip_prefix(b"/").unwrap_or(rest))
}

// === impl ZoneTree ===

impl ZoneTree {
    /// Looks a canonical path up.
    #[must_use]
    pub fn lookup(&self, path: &[u8]) -> ZoneMatch<'_> {
        let mut number = 0;
        for component in components(path) {
            match self.child(number, component) {
                Some(child) => number = child,
                None => {
                    return ZoneMatch {
                        tree: self,
                        node: self.node(number),
                        exact: false,
                    };
                }
            }
        }
        ZoneMatch {
            tree: self,
            node: self.node(number),
            exact: true,
        }
    }

    fn child(&self, parent: u32, component: &[u8]) -> Option<u32> {
        let folding = self.node(parent).folding;
        let (mut at, tag) = self.slot_of(parent, component);
        loop {
            let slot = self.slots.get(at)?;
            if slot.node == 0 {
                return None;
            }
            if slot.tag == tag {
                let node = self.node(slot.node);
                if node.parent == parent && folding.same(self.name(node), component) {
                    return Some(slot.node);
                }
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    /// The slot where the search for a child begins, and the tag to search for.
    fn slot_of(&self, parent: u32, component: &[u8]) -> (usize, u32) {
        let folding = self.node(parent).folding;
        let hash = folding.hash(u64::from(parent), component);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "halves of a hash are meant"
        )]
        let (position, tag) = ((hash >> 32) as usize, hash as u32);
        (position & (self.slots.len() - 1), tag)
    }

    fn node(&self, number: u32) -> &Node {
        self.nodes
            .get(number as usize)
            .expect("node numbers come from this tree's own array")
    }

    fn name(&self, node: &Node) -> &[u8] {
        range(&self.names, node.name_start, node.name_length)
    }

    fn entries_of(&self, node: &Node) -> &[Entry] {
        range(&self.entries, node.entries_start, node.entries_length)
    }

    fn covering(&self, node: &Node) -> Option<&Node> {
        (node.covering != NONE).then(|| self.node(node.covering))
    }
}

fn range<T>(items: &[T], start: u32, length: u32) -> &[T] {
    let start = start as usize;
    items
        .get(start..start + length as usize)
        .unwrap_or_default()
}

// === impl ZoneMatch ===

impl<'t> ZoneMatch<'t> {
    /// The entries that cover this path, the most specific first.
    #[must_use]
    pub fn entries(self) -> Entries<'t> {
        Entries {
            tree: self.tree,
            here: &[],
            node: self.tree.covering(self.node),
        }
    }

    /// The zone whose root is removed or moved with this name: the one whose root it is, else the
    /// first of the outermost ones below it.
    #[must_use]
    pub fn contains_zone_root(self) -> Option<ZoneId> {
        (self.exact && self.node.contained_zone != NONE).then_some(ZoneId(self.node.contained_zone))
    }

    /// Whether this is one of the guard's own files, or inside one of its directories.
    #[must_use]
    pub fn is_own(self) -> bool {
        self.node.own
    }

    /// Whether one of the guard's own files is this one or somewhere below.
    #[must_use]
    pub fn contains_own_file(self) -> bool {
        self.exact && self.node.contains_own
    }
}

// === impl Entries ===

impl Iterator for Entries<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        loop {
            if let Some((first, rest)) = self.here.split_first() {
                self.here = rest;
                return Some(*first);
            }
            let node = self.node.take()?;
            self.here = self.tree.entries_of(node);
            let is_root = node.name_length == 0;
            if !is_root {
                self.node = self.tree.covering(self.tree.node(node.parent));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(entries: &[(&str, Entry)], own: &[&str]) -> ZoneTree {
        let mut builder = ZoneTreeBuilder::default();
        for (path, entry) in entries {
            builder.insert(path.as_bytes(), *entry);
        }
        for path in own {
            builder.insert_own(path.as_bytes());
        }
        builder.build()
    }

    fn zone(number: u32) -> Entry {
        Entry::Zone(ZoneId(number))
    }

    #[test]
    fn whole_components_count() {
        let tree = tree(&[("/a/b", zone(0))], &[]);
        for (path, covered) in [
            ("/a/b", true),
            ("/a/b/c", true),
            ("/a/b/c/d", true),
            ("/a/bc", false),
            ("/a", false),
            ("/", false),
            ("/b", false),
        ] {
            let entries = tree.lookup(path.as_bytes()).entries().count();
            assert_eq!(entries == 1, covered, "{path}");
        }
    }

    #[test]
    fn entries_come_from_the_most_specific_to_the_least() {
        let tree = tree(
            &[
                ("/", zone(0)),
                ("/tmp", Entry::SystemTemp),
                ("/tmp", zone(1)),
                ("/tmp/w/deep", Entry::Disposable),
                ("/tmp", Entry::Override(OverrideId(0))),
            ],
            &[],
        );
        let entries: Vec<Entry> = tree.lookup(b"/tmp/w/deep/x").entries().collect();
        let tmp = [Entry::Override(OverrideId(0)), zone(1), Entry::SystemTemp];
        assert_eq!(
            entries,
            [&[Entry::Disposable][..], &tmp, &[zone(0)]].concat()
        );
        assert_eq!(
            tree.lookup(b"/elsewhere").entries().collect::<Vec<_>>(),
            [zone(0)]
        );
    }

    #[test]
    fn roots_and_their_ancestors_contain_zones() {
        let tree = tree(
            &[
                ("/a/b/c", zone(0)),
                ("/a/b", zone(1)),
                ("/t", Entry::SystemTemp),
            ],
            &[],
        );
        assert_eq!(tree.lookup(b"/a/b/c").contains_zone_root(), Some(ZoneId(0)));
        assert_eq!(tree.lookup(b"/a/b").contains_zone_root(), Some(ZoneId(1)));
        assert_eq!(
            tree.lookup(b"/a").contains_zone_root(),
            Some(ZoneId(1)),
            "the outermost"
        );
        assert_eq!(tree.lookup(b"/").contains_zone_root(), Some(ZoneId(1)));
        assert_eq!(tree.lookup(b"/a/b/c/d").contains_zone_root(), None);
        assert_eq!(tree.lookup(b"/a/x").contains_zone_root(), None);
        assert_eq!(tree.lookup(b"/t").contains_zone_root(), None);
    }

    #[test]
    fn own_files_cover_what_is_below_and_are_contained_above() {
        let tree = tree(&[], &["/h/.guard"]);
        assert!(tree.lookup(b"/h/.guard/ring").is_own());
        assert!(!tree.lookup(b"/h/.guardian").is_own());
        assert!(!tree.lookup(b"/h").is_own());
        assert!(tree.lookup(b"/h").contains_own_file());
        assert!(!tree.lookup(b"/h/x").contains_own_file());
    }

    #[test]
    fn an_empty_tree_knows_nothing() {
        let tree = ZoneTreeBuilder::default().build();
        let found = tree.lookup(b"/any/thing");
        assert_eq!(found.entries().count(), 0);
        assert_eq!(tree.lookup(b"/").contains_zone_root(), None);
        assert!(!found.is_own());
    }

    #[test]
    fn each_directory_compares_names_as_its_volume_does() {
        let folding = |directory: &[u8]| {
            if directory.starts_with(b"/Volumes/Exact") {
                Folding::Exact
            } else {
                Folding::Insensitive
            }
        };
        let mut builder = ZoneTreeBuilder::folding(&folding);
        builder.insert(b"/Users/u/Work", zone(0));
        builder.insert(b"/users/U/work", zone(1));
        builder.insert(b"/Volumes/Exact/Work", zone(2));
        let tree = builder.build();
        let covered = |path: &[u8]| tree.lookup(path).entries().count();
        assert_eq!(
            covered(b"/USERS/u/wORK/a"),
            2,
            "one directory, spelled twice"
        );
        assert_eq!(covered(b"/Users/u/Works"), 0);
        assert_eq!(covered(b"/volumes/eXACT/Work/a"), 1);
        assert_eq!(covered(b"/Volumes/Exact/work/a"), 0);
        assert_eq!(tree.lookup(b"/uSERS").contains_zone_root(), Some(ZoneId(0)));
    }

    #[test]
    fn below_a_root() {
        assert_eq!(below(b"/a/b", b"/a/b/c/d"), Some(&b"c/d"[..]));
        assert_eq!(below(b"/a/b", b"/A/B/c"), Some(&b"c"[..]));
        assert_eq!(below(b"/a/b", b"/a/b"), Some(&b""[..]));
        assert_eq!(below(b"/a/b", b"/a"), None);
        assert_eq!(below(b"/", b"/a"), Some(&b"a"[..]));
    }
}
