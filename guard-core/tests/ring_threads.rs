//! Two writers and two readers of one mapped ring, at full speed. Made for ThreadSanitizer
//! (`.ci/tsan`), hence without the test harness; it checks order and whole records everywhere.

use guard_core::ring::{Cursor, Lane, MIN_LANE_WORDS, Producer, Reader, RingOptions};
use guard_core::{DecisionEvent, Verdict};
use guard_testing::events::{CHANGE, DENIAL};
use std::collections::HashSet;
use std::thread;

const WRITERS: u32 = 2;
/// Enough for some thirty laps.
const RECORDS: u64 = 20_000;

fn main() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("threads.ring");
    let options = RingOptions {
        deny_words: MIN_LANE_WORDS,
        allow_words: MIN_LANE_WORDS,
        change_words: MIN_LANE_WORDS,
        ..RingOptions::default()
    };
    let producer = Producer::create(&path, &options).expect("a new ring");
    thread::scope(|scope| {
        for lane in Lane::DECISIONS {
            let path = &path;
            scope.spawn(move || read(&mut Reader::attach(path).expect("a ring"), lane));
        }
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let producer = &producer;
                scope.spawn(move || write(producer, writer))
            })
            .collect();
        for (writer, joined) in writers.into_iter().enumerate() {
            assert!(joined.join().is_ok(), "writer {writer}");
        }
        producer.finish();
    });
    // What the readers left behind is in each lane, once.
    let mut late = Reader::attach(&path).expect("a ring");
    late.resume(Lane::Deny, Cursor::default());
    read(&mut late, Lane::Deny);
}

fn write(producer: &Producer, writer: u32) {
    for number in 0..RECORDS {
        let path = format!("/zone/{writer}/{number}");
        for lane in Lane::DECISIONS {
            producer.publish(&event(writer, number, path.as_bytes(), lane));
        }
    }
}

fn read(reader: &mut Reader, lane: Lane) {
    let mut seen = HashSet::new();
    let mut last = None;
    loop {
        let finished = reader.is_finished();
        while let Some(event) = reader.next(lane) {
            assert!(
                last < Some(event.sequence),
                "{} after {last:?}",
                event.sequence
            );
            last = Some(event.sequence);
            let (writer, number) = (event.process.key.pid, event.wall_ns);
            let path = format!("/zone/{writer}/{number}");
            assert_eq!(event.path, path.as_bytes(), "half a record");
            assert_eq!(Lane::of(&event), lane);
            assert!(seen.insert((writer, number)), "{path} came twice");
        }
        if finished {
            break;
        }
        thread::yield_now();
    }
    let all = u64::from(WRITERS) * RECORDS;
    assert_eq!(
        seen.len() as u64 + reader.lost(lane),
        all,
        "each is delivered or counted"
    );
    assert_eq!((reader.committed(lane), reader.lag(lane)), (all, 0));
}

fn event(writer: u32, number: u64, path: &[u8], lane: Lane) -> DecisionEvent<'_> {
    let mut event = DecisionEvent {
        wall_ns: number,
        monotonic_ns: number,
        verdict: if lane == Lane::Deny {
            Verdict::Deny
        } else {
            Verdict::Allow
        },
        path,
        preservation: CHANGE.preservation.filter(|_| lane == Lane::Change),
        ..DENIAL
    };
    event.process.key.pid = writer;
    event
}
