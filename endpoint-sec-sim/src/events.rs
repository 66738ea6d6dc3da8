//! Sets of event types.

/// A set of event types below 256.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EventSet([u64; 4]);

// === impl EventSet ===

impl EventSet {
    #[cfg(test)]
    pub(crate) fn one(event: u32) -> Self {
        let mut set = Self::default();
        set.insert(event);
        set
    }

    /// Adds an event type; those past 255 do not exist and are left out.
    pub(crate) fn insert(&mut self, event: u32) {
        if let Some(word) = self.0.get_mut(event as usize / 64) {
            *word |= 1 << (event % 64);
        }
    }

    pub(crate) fn contains(self, event: u32) -> bool {
        let word = self.0.get(event as usize / 64);
        word.is_some_and(|word| word & (1 << (event % 64)) != 0)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == [0; 4]
    }

    pub(crate) fn union(self, other: Self) -> Self {
        let mut both = self;
        for (word, more) in both.0.iter_mut().zip(other.0) {
            *word |= more;
        }
        both
    }

    pub(crate) fn intersection(self, other: Self) -> Self {
        self.without(self.without(other))
    }

    pub(crate) fn without(self, other: Self) -> Self {
        let mut rest = self;
        for (word, less) in rest.0.iter_mut().zip(other.0) {
            *word &= !less;
        }
        rest
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = u32> {
        (0..256).filter(move |event| self.contains(*event))
    }
}

impl FromIterator<u32> for EventSet {
    fn from_iter<I: IntoIterator<Item = u32>>(events: I) -> Self {
        let mut set = Self::default();
        events.into_iter().for_each(|event| set.insert(event));
        set
    }
}
