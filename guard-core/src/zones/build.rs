//! Growing a [`ZoneTree`] and freezing it.

use super::{Entry, Folding, NONE, Node, Slot, ZoneTree, components};
use std::collections::HashMap;
use std::fmt;

/// Collects entries; [`build`](Self::build) lays them out for look-ups.
pub struct ZoneTreeBuilder<'f> {
    /// How the names in a directory are compared.
    folding: &'f dyn Fn(&[u8]) -> Folding,
    /// Parents stand before their children; the first is `/`.
    seedlings: Vec<Seedling>,
    children: HashMap<(u32, Box<[u8]>), u32>,
}

#[derive(Debug, Default)]
struct Seedling {
    parent: u32,
    name: Box<[u8]>,
    entries: Vec<Entry>,
    own: bool,
    folding: Folding,
}

// === impl ZoneTreeBuilder ===

impl Default for ZoneTreeBuilder<'_> {
    fn default() -> Self {
        Self::folding(&|_| Folding::Exact)
    }
}

impl fmt::Debug for ZoneTreeBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ZoneTreeBuilder")
            .field("seedlings", &self.seedlings)
            .finish_non_exhaustive()
    }
}

impl<'f> ZoneTreeBuilder<'f> {
    /// A builder that asks `folding` of each directory, by its canonical path, how the names in it
    /// are compared. The default compares bytes everywhere.
    #[must_use]
    pub fn folding(folding: &'f dyn Fn(&[u8]) -> Folding) -> Self {
        let root = Seedling {
            folding: folding(b"/"),
            ..Seedling::default()
        };
        Self {
            folding,
            seedlings: vec![root],
            children: HashMap::new(),
        }
    }

    /// Adds an entry at this canonical path.
    pub fn insert(&mut self, path: &[u8], entry: Entry) {
        let seedling = self.seedling(path);
        if !seedling.entries.contains(&entry) {
            seedling.entries.push(entry);
        }
    }

    /// Marks this canonical path as one of the guard's own.
    pub fn insert_own(&mut self, path: &[u8]) {
        self.seedling(path).own = true;
    }

    /// Lays the tree out.
    #[must_use]
    pub fn build(self) -> ZoneTree {
        let capacity = (self.seedlings.len() * 2).next_power_of_two();
        let mut tree = ZoneTree {
            nodes: Vec::with_capacity(self.seedlings.len()),
            slots: vec![Slot::default(); capacity],
            names: Vec::new(),
            entries: Vec::new(),
        };
        for (number, seedling) in (0u32..).zip(self.seedlings) {
            plant(&mut tree, number, seedling);
        }
        carry_up(&mut tree.nodes);
        tree
    }

    fn seedling(&mut self, path: &[u8]) -> &mut Seedling {
        let mut number = 0;
        let mut directory = Vec::with_capacity(path.len());
        for component in components(path) {
            let next = narrow(self.seedlings.len());
            let above = self.seedlings.get(number as usize);
            let key = above.map_or(Folding::Exact, |above| above.folding);
            directory.push(b'/');
            directory.extend_from_slice(component);
            number = *self
                .children
                .entry((number, key.key(component)))
                .or_insert_with(|| {
                    self.seedlings.push(Seedling {
                        parent: number,
                        name: component.into(),
                        folding: (self.folding)(&directory),
                        ..Seedling::default()
                    });
                    next
                });
        }
        self.seedlings
            .get_mut(number as usize)
            .expect("children name seedlings that were pushed")
    }
}

/// Appends a node whose parent stands already, and what it inherits from there.
fn plant(tree: &mut ZoneTree, number: u32, mut seedling: Seedling) {
    seedling.entries.sort_unstable();
    let zone = seedling.entries.iter().find_map(|entry| match entry {
        Entry::Zone(zone) => Some(zone.0),
        _ => None,
    });
    let above = tree.nodes.get(seedling.parent as usize);
    let (covering, own) = above.map_or((NONE, false), |above| (above.covering, above.own));
    let node = Node {
        parent: seedling.parent,
        name_start: narrow(tree.names.len()),
        name_length: narrow(seedling.name.len()),
        entries_start: narrow(tree.entries.len()),
        entries_length: narrow(seedling.entries.len()),
        covering: if seedling.entries.is_empty() {
            covering
        } else {
            number
        },
        carries: zone.unwrap_or(NONE),
        own: own || seedling.own,
        carries_own: seedling.own,
        folding: seedling.folding,
    };
    tree.names.extend_from_slice(&seedling.name);
    tree.entries.append(&mut seedling.entries);
    tree.nodes.push(node);
    if number == 0 {
        return;
    }
    let (mut at, tag) = tree.slot_of(seedling.parent, &seedling.name);
    while let Some(slot) = tree.slots.get_mut(at) {
        if slot.node == 0 {
            *slot = Slot { tag, node: number };
            return;
        }
        at = (at + 1) & (tree.slots.len() - 1);
    }
}

/// Tells every node what it takes along. Children stand behind their parents, so one pass from the
/// end is enough. A node's own zone stays; else the lowest number its children report wins.
fn carry_up(nodes: &mut [Node]) {
    let roots: Vec<bool> = nodes.iter().map(|node| node.carries != NONE).collect();
    for number in (1..nodes.len()).rev() {
        let Some(&Node {
            parent,
            carries,
            carries_own,
            ..
        }) = nodes.get(number)
        else {
            continue;
        };
        let is_root = roots.get(parent as usize).copied().unwrap_or_default();
        if let Some(parent) = nodes.get_mut(parent as usize) {
            parent.carries_own |= carries_own;
            if !is_root {
                parent.carries = parent.carries.min(carries);
            }
        }
    }
}

/// A policy is bounded far below this: see
/// [`MAX_POLICY_BYTES`](crate::policy::MAX_POLICY_BYTES).
fn narrow(length: usize) -> u32 {
    u32::try_from(length).expect("a tree of 4 GiB has no policy file small enough")
}
