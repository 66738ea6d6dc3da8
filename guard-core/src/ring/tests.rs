//! The ring within one process: order, loss, holes, hostile words. Runs under Miri as well.

use super::follow::Follower;
use super::lane::{CONTROL_WORDS, LaneWriter, Span};
use super::memory::{Memory, ReadWords};
use super::position::RingPosition;
use super::*;
use crate::event::{GROUP_BYTES, GroupSink};
use crate::sync::{AtomicU64, Ordering};
use std::sync::Arc;

/// A lane of 64 words, outside a ring.
struct Small {
    memory: Arc<Memory>,
    follower: Follower,
    payload: Vec<u8>,
}

const SPAN: Span = Span {
    control: 0,
    start: CONTROL_WORDS,
    capacity: 64,
};

impl Small {
    fn new() -> Self {
        let memory = Arc::new(Memory::anonymous(CONTROL_WORDS + SPAN.capacity).unwrap());
        Self {
            memory,
            follower: Follower::new(SPAN),
            payload: Vec::new(),
        }
    }

    fn writer(&self) -> LaneWriter<'_> {
        LaneWriter::new(self.memory.words(), SPAN).unwrap()
    }

    fn publish(&self, payload: &[u8]) -> u64 {
        self.writer()
            .publish(payload.len().div_ceil(GROUP_BYTES), |packer| {
                packer.bytes(payload)
            })
    }

    /// Reserves a record and does not commit it, like a writer that is killed there.
    fn abandon(&self, words: u64) {
        self.word(0)
            .fetch_add(RingPosition::record(words), Ordering::Relaxed);
    }

    fn word(&self, index: usize) -> &AtomicU64 {
        self.memory.words().get(index).unwrap()
    }

    fn words(&self) -> ReadWords {
        ReadWords::new(Arc::clone(&self.memory))
    }

    fn next(&mut self, writer_is_dead: bool) -> Option<(u64, Vec<u8>)> {
        let words = self.words();
        let sequence = self
            .follower
            .advance(&words, || writer_is_dead, &mut self.payload)?;
        Some((sequence, self.payload.clone()))
    }

    fn drain(&mut self, writer_is_dead: bool) -> Vec<u64> {
        std::iter::from_fn(|| self.next(writer_is_dead))
            .map(|(sequence, _)| sequence)
            .collect()
    }
}

#[test]
fn payloads_of_every_length_come_back_padded_with_zeros() {
    let mut small = Small::new();
    for len in 0..200 {
        let payload: Vec<u8> = (1..=len).collect();
        assert_eq!(small.publish(&payload), u64::from(len));
        let (sequence, read) = small.next(false).unwrap();
        assert_eq!(sequence, u64::from(len));
        assert!(read.starts_with(&payload));
        assert!(read.iter().skip(payload.len()).all(|byte| *byte == 0));
        assert!(read.len() < payload.len() + 7);
    }
    assert_eq!((small.next(false), small.follower.lost()), (None, 0));
}

#[test]
fn what_is_overwritten_is_counted_and_the_rest_delivered() {
    let mut small = Small::new();
    for _ in 0..100 {
        small.publish(&[1; 14]);
    }
    // Sixteen records of four words fill the lane.
    assert_eq!(small.drain(false), (84..100).collect::<Vec<_>>());
    assert_eq!(small.follower.lost(), 84);
}

#[test]
fn a_live_writer_s_hole_is_waited_for_and_a_killed_one_s_skipped() {
    let mut small = Small::new();
    small.publish(&[1; 7]);
    small.abandon(5);
    small.publish(&[2; 7]);
    assert_eq!(small.drain(false), [0]);
    assert_eq!(small.follower.lost(), 0);
    assert_eq!(small.drain(true), [2]);
    assert_eq!(small.follower.lost(), 1);
    small.abandon(3);
    assert!(small.drain(true).is_empty());
    assert_eq!((small.follower.lost(), small.follower.expected()), (2, 4));
}

#[test]
fn a_live_writer_s_hole_is_skipped_after_a_lap() {
    let mut small = Small::new();
    small.abandon(5);
    for _ in 0..30 {
        small.publish(&[1; 14]);
    }
    assert_eq!(small.drain(false).last(), Some(&30));
}

#[test]
fn a_word_left_by_a_writer_suspended_for_a_lap_spoils_one_record_only() {
    let mut small = Small::new();
    for _ in 0..16 {
        small.publish(&[1; 14]);
    }
    assert_eq!(small.drain(false).len(), 16);
    for _ in 0..3 {
        small.publish(&[2; 14]);
    }
    let (body, header) = (CONTROL_WORDS + 2, CONTROL_WORDS + 8);
    small
        .word(body)
        .store(word::body(word::lap_bits(0), 9), Ordering::Relaxed);
    small
        .word(header)
        .store(word::header(8, 4), Ordering::Relaxed);
    // No writer is between reserving and committing, so neither is waited for.
    assert_eq!(small.drain(false), [17]);
    assert_eq!((small.follower.lost(), small.follower.expected()), (2, 19));
}

#[test]
fn a_reader_resumes_by_cursor_or_by_sequence_alone() {
    let mut small = Small::new();
    for _ in 0..5 {
        small.publish(&[1; 7]);
    }
    let words = small.words();
    let check = |small: &mut Small, position, sequence, expected: &[u64]| {
        small
            .follower
            .resume(&words, RingPosition { position, sequence });
        assert_eq!(small.drain(false), expected);
        assert_eq!(small.follower.lost(), 0);
    };
    check(&mut small, 6, 2, &[2, 3, 4]);
    check(&mut small, 0, 4, &[4]);
    check(&mut small, 0, 5, &[]);
    // Another ring's cursors: from the beginning, or from the beginning but the numbers hold.
    check(&mut small, 0, 6, &[0, 1, 2, 3, 4]);
    check(&mut small, 1000, 3, &[3, 4]);
}

#[test]
fn numbers_continue_where_the_tallys_bits_wrap() {
    let start = RingPosition {
        position: (1 << 34) - 10,
        sequence: (1 << 30) - 2,
    };
    let mut small = Small::new();
    small.writer().start_at(start);
    let words = small.words();
    small.follower.resume(&words, start);
    for step in 0..200_000_u64 {
        assert_eq!(small.publish(&[7; 14]), start.sequence + step);
        let (sequence, _) = small.next(false).unwrap();
        assert_eq!(sequence, start.sequence + step);
        if cfg!(miri) && step > 100 {
            return;
        }
    }
    assert_eq!(SPAN.committed(&words), start.sequence + 200_000);
}

#[test]
fn no_words_make_a_reader_panic_or_loop() {
    // Random words, biased towards plausible headers, behind random tallies.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let rounds = if cfg!(miri) { 20 } else { 5_000 };
    for _ in 0..rounds {
        let mut small = Small::new();
        for index in 0..CONTROL_WORDS {
            small
                .word(index)
                .store(random() >> (random() % 64), Ordering::Relaxed);
        }
        for index in 0..SPAN.capacity {
            let word = match random() % 4 {
                0 => word::header(index as u64, random() % 9),
                1 => random(),
                lap => word::body(word::lap_bits(lap - 2), random()),
            };
            small
                .word(CONTROL_WORDS + index)
                .store(word, Ordering::Relaxed);
        }
        let dead = random() % 2 == 0;
        assert!(small.drain(dead).len() <= SPAN.capacity);
    }
}

#[test]
fn threads_publish_and_a_reader_gets_each_record_once() {
    let memory = Small::new();
    let records = if cfg!(miri) { 30_u64 } else { 20_000 };
    let mut reader = Small {
        memory: Arc::clone(&memory.memory),
        ..Small::new()
    };
    let ended = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for writer in [1_u8, 2] {
            let (memory, ended) = (&memory, &ended);
            scope.spawn(move || {
                for _ in 0..records {
                    memory.publish(&[writer; 21]);
                }
                // SYNC POINT: pairs with the load below: all of it is to be read then.
                ended.fetch_add(1, Ordering::Release);
            });
        }
        let mut delivered = 0;
        while delivered + reader.follower.lost() < 2 * records {
            let finished = ended.load(Ordering::Acquire) == 2;
            match reader.next(false) {
                Some((_, payload)) => {
                    assert_eq!(payload.len(), 21);
                    assert!(payload.iter().all(|byte| Some(byte) == payload.first()));
                    delivered += 1;
                }
                None if finished => break,
                None => std::thread::yield_now(),
            }
        }
        assert_eq!(delivered + reader.follower.lost(), 2 * records);
    });
}
