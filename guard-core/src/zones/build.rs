//! Building a [`ZoneTree`].

use super::{Entry, Folding, NONE, Node, Slot, ZoneTree, components};
use std::collections::HashMap;
use std::fmt;

/// Collects entries; [`build`](Self::build) lays them out for look-ups.
pub struct ZoneTreeBuilder<'f> {
    /// How the names in a directory are compared.
    folding: &'f dyn Fn(&[u8]) -> Folding,
    /// Parents come before their children; the first is `/`.
    drafts: Vec<DraftNode>,
    children: HashMap<(u32, Box<[u8]>), u32>,
}

#[derive(Debug, Default)]
struct DraftNode {
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
            .field("drafts", &self.drafts)
            .finish_non_exhaustive()
    }
}

impl<'f> ZoneTreeBuilder<'f> {
    /// A builder that asks `folding` of each directory, by its canonical path, how the names in it
    /// are compared. The default compares bytes everywhere.
    #[must_use]
    pub fn folding(folding: &'f dyn Fn(&[u8]) -> Folding) -> Self {
        let root = DraftNode {
            folding: folding(b"/"),
            ..DraftNode::default()
        };
        Self {
            folding,
            drafts: vec![root],
            children: HashMap::new(),
        }
    }

    /// Adds an entry at this canonical path.
    pub fn insert(&mut self, path: &[u8], entry: Entry) {
        let draft = self.draft(path);
        if !draft.entries.contains(&entry) {
            draft.entries.push(entry);
        }
    }

    /// Marks this canonical path as one of the guard's own.
    pub fn insert_own(&mut self, path: &[u8]) {
        self.draft(path).own = true;
    }

    /// Lays the tree out.
    #[must_use]
    pub fn build(self) -> ZoneTree {
        let capacity = (self.drafts.len() * 2).next_power_of_two();
        let mut tree = ZoneTree {
            nodes: Vec::with_capacity(self.drafts.len()),
            slots: vec![Slot::default(); capacity],
            names: Vec::new(),
            entries: Vec::new(),
        };
        for (number, draft) in (0u32..).zip(self.drafts) {
            append(&mut tree, number, draft);
        }
        propagate_up(&mut tree.nodes);
        tree
    }

    fn draft(&mut self, path: &[u8]) -> &mut DraftNode {
        let mut number = 0;
        let mut directory = Vec::with_capacity(path.len());
        for component in components(path) {
            let next = narrow(self.drafts.len());
            let above = self.drafts.get(number as usize);
            let key = above.map_or(Folding::Exact, |above| above.folding);
            directory.push(b'/');
            directory.extend_from_slice(component);
            number = *self
                .children
                .entry((number, key.key(component)))
                .or_insert_with(|| {
                    self.drafts.push(DraftNode {
                        parent: number,
                        name: component.into(),
                        folding: (self.folding)(&directory),
                        ..DraftNode::default()
                    });
                    next
                });
        }
        self.drafts
            .get_mut(number as usize)
            .expect("children name nodes that were pushed")
    }
}

/// Appends a node whose parent is in the tree already, with what it inherits from there.
fn append(tree: &mut ZoneTree, number: u32, mut draft: DraftNode) {
    draft.entries.sort_unstable();
    let zone = draft.entries.iter().find_map(|entry| match entry {
        Entry::Zone(zone) => Some(zone.0),
        _ => None,
    });
    let above = tree.nodes.get(draft.parent as usize);
    let (covering, own) = above.map_or((NONE, false), |above| (above.covering, above.own));
    let node = Node {
        parent: draft.parent,
        name_start: narrow(tree.names.len()),
        name_length: narrow(draft.name.len()),
        entries_start: narrow(tree.entries.len()),
        entries_length: narrow(draft.entries.len()),
        covering: if draft.entries.is_empty() {
            covering
        } else {
            number
        },
        contained_zone: zone.unwrap_or(NONE),
        own: own || draft.own,
        contains_own: draft.own,
        folding: draft.folding,
    };
    tree.names.extend_from_slice(&draft.name);
    tree.entries.append(&mut draft.entries);
    tree.nodes.push(node);
    if number == 0 {
        return;
    }
    let (mut at, tag) = tree.slot_of(draft.parent, &draft.name);
    while let Some(slot) = tree.slots.get_mut(at) {
        if slot.node == 0 {
            *slot = Slot { tag, node: number };
            return;
        }
        at = (at + 1) & (tree.slots.len() - 1);
    }
}

/// Gives every node what is below it. Children come after their parents, so one pass from the end is
/// enough. A node that is a zone's root keeps that zone, else it gets the lowest of its children's.
fn propagate_up(nodes: &mut [Node]) {
    let roots: Vec<bool> = nodes
        .iter()
        .map(|node| node.contained_zone != NONE)
        .collect();
    for number in (1..nodes.len()).rev() {
        let Some(&Node {
            parent,
            contained_zone,
            contains_own,
            ..
        }) = nodes.get(number)
        else {
            continue;
        };
        let is_root = roots.get(parent as usize).copied().unwrap_or_default();
        if let Some(parent) = nodes.get_mut(parent as usize) {
            parent.contains_own |= contains_own;
            if !is_root {
                parent.contained_zone = parent.contained_zone.min(contained_zone);
            }
        }
    }
}

/// A policy is bounded far below this: see
/// [`MAX_POLICY_BYTES`](crate::policy::MAX_POLICY_BYTES).
fn narrow(length: usize) -> u32 {
    u32::try_from(length).expect("a tree of 4 GiB has no policy file small enough")
}
