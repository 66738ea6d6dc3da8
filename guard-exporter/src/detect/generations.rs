//! A table that forgets what was not touched for long.
//!
//! Two generations: what is touched is in the young one; when that is full it becomes the old one,
//! and what was old and never touched is gone. Every step is a look-up or two, and never more than
//! twice `capacity` entries are held.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};

/// Values by the hash of a key. The hash has 64 bits and a seed of its own in each process, so no
/// one can make two keys meet.
#[derive(Debug)]
pub(super) struct Generations<T> {
    capacity: usize,
    seed: RandomState,
    young: HashMap<u64, T>,
    old: HashMap<u64, T>,
}

// === impl Generations ===

impl<T: Default> Generations<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            seed: RandomState::new(),
            young: HashMap::new(),
            old: HashMap::new(),
        }
    }

    /// The value of `key`, made when there is none.
    pub(super) fn touch(&mut self, key: impl Hash) -> &mut T {
        let hash = self.seed.hash_one(key);
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
    fn the_longest_quiet_are_forgotten() {
        let mut table = Generations::<u64>::new(100);
        *table.touch("busy") = 1;
        *table.touch("quiet") = 1;
        for number in 0..1000 {
            *table.touch(number) = 1;
            *table.touch("busy") += 1;
            assert!(table.young.len() + table.old.len() <= 200);
        }
        assert_eq!(*table.touch("busy"), 1001);
        assert_eq!(*table.touch("quiet"), 0);
    }
}
