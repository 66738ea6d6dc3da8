//! Every interleaving of two writers and a reader on lanes of a few words, within loom's bounds.
//!
//! A record takes three words. Two fit a lane of eight; in a lane of four the second overwrites the
//! first, so the writers overtake the reader and each other.

use super::follow::Follower;
use super::lane::{CONTROL_WORDS, LaneWriter, Span};
use super::memory::{Memory, ReadWords};
use crate::event::GroupSink;
use loom::thread;
use std::sync::Arc;

const fn span(capacity: usize) -> Span {
    Span {
        control: 0,
        start: CONTROL_WORDS,
        capacity,
    }
}

fn lane(span: Span) -> Arc<Memory> {
    Arc::new(Memory::anonymous(CONTROL_WORDS + span.capacity).unwrap())
}

/// Publishes one word and returns its number.
fn publish(memory: &Memory, span: Span, payload: u8) -> (u64, u8) {
    let lane = LaneWriter::new(memory.words(), span).unwrap();
    let sequence = lane.publish(1, |packer| packer.bytes(&[payload; 7]));
    (sequence, payload)
}

/// What a reader has read: numbers and payloads.
struct Seen {
    follower: Follower,
    words: ReadWords,
    records: Vec<(u64, u8)>,
}

impl Seen {
    fn new(memory: &Arc<Memory>, span: Span) -> Self {
        let words = ReadWords::new(Arc::clone(memory));
        Self {
            follower: Follower::new(span),
            words,
            records: Vec::new(),
        }
    }

    fn read(&mut self, dead: bool) -> bool {
        let mut payload = Vec::new();
        let Some(sequence) = self.follower.advance(&self.words, || dead, &mut payload) else {
            return false;
        };
        assert_eq!(payload, [payload[0]; 7]);
        assert!(self.records.last().is_none_or(|last| last.0 < sequence));
        self.records.push((sequence, payload[0]));
        true
    }
}

/// Two writers publish a record each while a reader reads `reads` times; then it reads the rest.
/// Returns what was published, in order, and what was read.
fn race(span: Span, reads: usize) -> (Vec<(u64, u8)>, Seen) {
    let memory = lane(span);
    let writers = [1, 2].map(|payload| {
        let memory = Arc::clone(&memory);
        thread::spawn(move || publish(&memory, span, payload))
    });
    let mut seen = Seen::new(&memory, span);
    for _ in 0..reads {
        seen.read(false);
    }
    let mut published: Vec<_> = writers
        .into_iter()
        .map(|writer| writer.join().unwrap())
        .collect();
    published.sort_unstable();
    while seen.read(false) {}
    (published, seen)
}

#[test]
fn a_reader_that_keeps_up_gets_each_record_with_its_number() {
    loom::model(|| {
        let (published, seen) = race(span(8), 2);
        assert_eq!(seen.records, published);
        assert_eq!(seen.follower.lost(), 0);
    });
}

#[test]
fn a_reader_that_is_overtaken_gets_whole_records_and_counts_the_others() {
    loom::model(|| {
        let (published, seen) = race(span(4), 1);
        // A half-read record would have one writer's number and the other's payload.
        assert!(seen.records.iter().all(|record| published.contains(record)));
        assert_eq!(seen.records.len() as u64 + seen.follower.lost(), 2);
        assert_eq!(seen.follower.expected(), 2);
    });
}

#[test]
fn a_reader_never_skips_a_live_writer_s_record() {
    loom::model(|| {
        let memory = lane(span(8));
        let writer = {
            let memory = Arc::clone(&memory);
            thread::spawn(move || publish(&memory, span(8), 1))
        };
        let mut seen = Seen::new(&memory, span(8));
        while !seen.read(false) {
            // An uncommitted record is not lost as long as its writer lives.
            assert_eq!(seen.follower.lost(), 0);
            thread::yield_now();
        }
        let published = writer.join().unwrap();
        assert!(!seen.read(true));
        assert_eq!(
            (seen.records.as_slice(), seen.follower.lost()),
            (&[published][..], 0)
        );
    });
}
