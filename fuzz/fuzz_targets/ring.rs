//! Any bytes over a ring's: attaching and reading never panic, come to an end, and give ascending
//! numbers. Any bytes as an event: what decodes comes back after encoding.
//!
//! The first byte says where the others are laid over a whole ring, so that the fuzzer need not
//! guess its way past the header.

#![no_main]

use guard_core::DecisionEvent;
use guard_core::ring::{Lane, MIN_LANE_WORDS, Producer, Reader, RingOptions};
use libfuzzer_sys::fuzz_target;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;

/// Where the header, the lanes' control words and the deny lane begin.
const OFFSETS: [u64; 3] = [0, 2048, 4096];

fuzz_target!(|bytes: &[u8]| {
    let Some((&first, rest)) = bytes.split_first() else {
        return;
    };
    if let Ok(event) = DecisionEvent::decode(0, rest) {
        let mut again = Vec::new();
        event.encode(&mut again);
        assert_eq!(DecisionEvent::decode(0, &again), Ok(event));
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("ring");
    let options = RingOptions {
        deny_words: MIN_LANE_WORDS,
        allow_words: MIN_LANE_WORDS,
        change_words: MIN_LANE_WORDS,
        ..RingOptions::default()
    };
    drop(Producer::create(&path, &options).expect("a new ring"));
    let file = OpenOptions::new()
        .write(true)
        .open(&path)
        .expect("the ring's file");
    let offset = OFFSETS[usize::from(first) % OFFSETS.len()];
    file.write_all_at(rest, offset).expect("room");
    let Ok(mut reader) = Reader::attach(&path) else {
        return;
    };
    for lane in Lane::ALL {
        let mut next = 0;
        while let Some(event) = reader.next(lane) {
            assert!(event.sequence >= next);
            next = event.sequence + 1;
        }
        // Beyond its end there is nothing, however often one asks.
        assert!(reader.next(lane).is_none());
    }
    let mut next = 0;
    while let Some(event) = reader.next_request() {
        assert!(event.sequence >= next);
        next = event.sequence + 1;
    }
});
