//! Every interleaving of two writers and a reader on a lane of eight words, within loom's bounds.
//!
//! Three records of four words do not fit, so the writers overtake the reader and each other.

use super::follow::Follower;
use super::lane::{CONTROL_WORDS, LaneWriter, Span};
use super::memory::{Memory, ReadWords};
use crate::event::Sink;
use loom::thread;
use std::sync::Arc;

const SPAN: Span = Span {
    control: 0,
    start: CONTROL_WORDS,
    capacity: 8,
};

fn lane() -> Arc<Memory> {
    Arc::new(Memory::anonymous(CONTROL_WORDS + SPAN.capacity).unwrap())
}

/// Publishes two words of the same payload, so that a half-read record shows.
fn publish(memory: &Memory, payload: u8) -> u64 {
    let lane = LaneWriter::new(memory.words(), SPAN).unwrap();
    lane.publish(14, |packer| packer.bytes(&[payload; 14]))
}

/// What a reader has seen: strictly ascending numbers of whole records.
struct Seen {
    follower: Follower,
    words: ReadWords,
    records: Vec<(u64, u8)>,
}

impl Seen {
    fn new(memory: &Arc<Memory>) -> Self {
        let words = ReadWords::new(Arc::clone(memory));
        Self {
            follower: Follower::new(SPAN),
            words,
            records: Vec::new(),
        }
    }

    fn read(&mut self, dead: bool) -> bool {
        let mut payload = Vec::new();
        let Some(sequence) = self.follower.advance(&self.words, || dead, &mut payload) else {
            return false;
        };
        assert_eq!(payload.len(), 14);
        assert!(
            payload.iter().all(|byte| *byte == payload[0]),
            "half a record: {payload:?}"
        );
        assert!(self.records.last().is_none_or(|last| last.0 < sequence));
        self.records.push((sequence, payload[0]));
        true
    }
}

#[test]
fn two_writers_and_a_reader_that_keeps_up() {
    loom::model(|| {
        let memory = lane();
        let writers = [1, 2].map(|payload| {
            let memory = Arc::clone(&memory);
            thread::spawn(move || (publish(&memory, payload), payload))
        });
        let mut seen = Seen::new(&memory);
        seen.read(false);
        seen.read(false);
        let mut published = writers.map(|writer| writer.join().unwrap());
        published.sort_unstable();
        while seen.read(false) {}
        // The lane holds both, so both come, in order and with the numbers their writers got.
        assert_eq!(seen.records, published);
        assert_eq!(seen.follower.lost(), 0);
    });
}

#[test]
fn two_writers_overtake_a_reader() {
    loom::model(|| {
        let memory = lane();
        let writers = [1, 2].map(|payload| {
            let memory = Arc::clone(&memory);
            thread::spawn(move || {
                publish(&memory, payload);
                if payload == 1 {
                    publish(&memory, 3);
                }
            })
        });
        let mut seen = Seen::new(&memory);
        seen.read(false);
        for writer in writers {
            writer.join().unwrap();
        }
        while seen.read(false) {}
        assert_eq!(seen.records.len() as u64 + seen.follower.lost(), 3);
        assert_eq!(seen.follower.expected(), 3);
    });
}

#[test]
fn a_reader_never_waits_for_the_dead_nor_passes_over_the_living() {
    loom::model(|| {
        let memory = lane();
        let writer = {
            let memory = Arc::clone(&memory);
            thread::spawn(move || publish(&memory, 1))
        };
        let mut seen = Seen::new(&memory);
        while !seen.read(false) {
            // An uncommitted record is no loss as long as its writer lives.
            assert_eq!(seen.follower.lost(), 0);
            thread::yield_now();
        }
        assert_eq!(writer.join().unwrap(), 0);
        assert!(!seen.read(true));
        assert_eq!(
            (seen.records.as_slice(), seen.follower.lost()),
            (&[(0, 1)][..], 0)
        );
    });
}
