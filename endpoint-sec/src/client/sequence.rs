//! Gaps in the numbers of messages: what the system dropped.
//!
//! The system numbers the messages of a client, all of them and those of each type, and drops some
//! when the client is too slow to take them. Numbers begin at zero, so that messages dropped before
//! the first one count too. Accounting belongs before anything that may take messages out of order.

use crate::client::report::Counter;
use crate::event_type::EventType;
use crate::message::MessageView;

/// Which numbers come next. For the handler's thread.
pub(crate) struct Sequence {
    by_type: [u64; TYPES],
    global: u64,
}

/// What was dropped, by type. Written by the handler's thread, read by anyone.
pub(crate) struct Drops([Counter; TYPES]);

/// What was dropped before a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Gap {
    /// Messages of its type.
    pub(crate) of_type: u64,
    /// Messages of all types.
    pub(crate) global: u64,
}

// === impl Sequence ===

impl Sequence {
    pub(crate) const fn new() -> Self {
        Self {
            by_type: [0; TYPES],
            global: 0,
        }
    }

    /// What was dropped before this message.
    pub(crate) fn account(&mut self, message: MessageView<'_>) -> Gap {
        let next = index(message.event_type()).and_then(|index| self.by_type.get_mut(index));
        let of_type = match (next, message.seq_num()) {
            (Some(next), Some(number)) => step(next, number),
            _ => 0,
        };
        let global = match message.global_seq_num() {
            Some(number) => step(&mut self.global, number),
            None => 0,
        };
        Gap { of_type, global }
    }
}

/// How many numbers are missing before `number`. Numbers never go back; if one did, counting would
/// go on from there.
fn step(next: &mut u64, number: u64) -> u64 {
    let missing = number.saturating_sub(*next);
    *next = number.wrapping_add(1);
    missing
}

// === impl Drops ===

impl Drops {
    pub(crate) const fn none() -> Self {
        Self([const { Counter::zero() }; TYPES])
    }

    pub(crate) fn add(&self, event: EventType, count: u64) {
        if let Some(counter) = index(event).and_then(|index| self.0.get(index)) {
            counter.add(count);
        }
    }

    /// Every type of which messages were dropped, and how many.
    pub(crate) fn read(&self) -> Vec<(EventType, u64)> {
        let types = (0..).map(EventType::from_raw);
        types
            .zip(self.0.iter().map(Counter::get))
            .filter(|(_, count)| *count > 0)
            .collect()
    }
}

fn index(event: EventType) -> Option<usize> {
    usize::try_from(event.as_raw()).ok()
}

/// Types that are accounted for one by one: those of macOS 27.0, of which there are 162, and some
/// to come. Others count among all messages only.
const TYPES: usize = 256;

#[cfg(test)]
mod tests {
    use super::step;

    #[test]
    fn missing_numbers_are_counted() {
        let mut next = 0;
        assert_eq!(step(&mut next, 0), 0);
        assert_eq!(step(&mut next, 1), 0);
        assert_eq!(step(&mut next, 5), 3);
        assert_eq!(step(&mut next, 6), 0);
        // Numbers that go back lose nothing.
        assert_eq!(step(&mut next, 2), 0);
        assert_eq!(step(&mut next, 3), 0);
        assert_eq!(step(&mut next, u64::MAX), u64::MAX - 4);
        assert_eq!(step(&mut next, 0), 0);
        // A client whose first messages were dropped.
        let mut next = 0;
        assert_eq!(step(&mut next, 7), 7);
    }
}
