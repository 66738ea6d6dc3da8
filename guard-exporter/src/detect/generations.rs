//! A table that forgets the least recently used entries.
//!
//! It has two generations. A used entry is in the young one; when that is full it becomes the old one,
//! and the entries of the former old one that were not used since are dropped. Every step is one or two
//! look-ups, and at most twice `capacity` entries are held.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};

/// Values by the hash of a key. The hash has 64 bits and is keyed at random in each process, so nobody
/// can choose two keys that collide.
#[derive(Debug)]
pub(super) struct Generations<T> {
    capacity: usize,
    hasher: RandomState,
    young: HashMap<u64, T>,
    old: HashMap<u64, T>,
}

// === impl Generations ===

impl<T: Default> Generations<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            hasher: RandomState::new(),
            young: HashMap::new(),
            old: HashMap::new(),
        }
    }

    /// The value of `key`; the default when there is none.
    pub(super) fn touch(&mut self, key: impl Hash) -> &mut T {
        let hash = self.hasher.hash_one(key);
        if !self.young.contains_key(&hash) {
            if self.young.len() >= self.capacity {
                self.old = std::mem::take(&mut self.young);
            }
            let value = self.old.remove(&hash).unwrap_or_default();
            self.young.insert(hash, value);
        }
        self.young.entry(hash).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_idle_the_longest_are_forgotten() {
        let mut table = Generations::<u64>::new(100);
        *table.touch("busy") = 1;
        *table.touch("idle") = 1;
        for number in 0..1000 {
            *table.touch(number) = 1;
            *table.touch("busy") += 1;
            assert!(table.young.len() + table.old.len() <= 200);
        }
        assert_eq!(*table.touch("busy"), 1001);
        assert_eq!(*table.touch("idle"), 0);
    }
}
