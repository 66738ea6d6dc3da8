//! A ring's file: what readers make of it, whole or damaged, and of whatever lies in its place.

#![allow(
    clippy::tests_outside_test_module,
    reason = "an integration test is a test module"
)]
#![allow(clippy::unwrap_used, reason = "setting up a test")]

use guard_core::event::{
    ActingProcess, ChangeKind, DecisionEvent, MAX_DELIVERY_DELAY_US, MAX_PRESERVATION_NUMBER,
    Preservation, PreservationMethod, PreservationOutcome, RequestEvent, RequestStep, TraceContext,
    ZoneRef,
};
use guard_core::process::ProcessKey;
use guard_core::ring::{
    AttachRingError, Counter, CreateRingError, Header, InvalidHeader, Lane, MIN_LANE_WORDS,
    Producer, Reader, RingOptions,
};
use guard_core::verdict::Answer;
use guard_core::{OperationKind, Reason, Verdict};
use guard_testing::events::ALLOWED;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::PathBuf;
use tempfile::TempDir;

fn options() -> RingOptions {
    RingOptions {
        id: *b"0123456789abcdef",
        boot_id: *b"fedcba9876543210",
        writer: ProcessKey {
            pid: 42,
            generation: u64::MAX,
        },
        created_wall_ns: 7,
        session: b"swift-otter\xff".to_vec(),
        version: "0.1.0".into(),
        deny_words: MIN_LANE_WORDS,
        allow_words: MIN_LANE_WORDS * 2,
        change_words: MIN_LANE_WORDS,
        request_words: MIN_LANE_WORDS,
    }
}

fn setup() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("guard.ring");
    (directory, path)
}

#[test]
fn a_reader_sees_who_writes_and_what_it_counts() {
    let (_directory, path) = setup();
    let producer = Producer::create(&path, &options()).unwrap();
    assert_eq!(producer.path(), Some(path.as_path()));
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let reader = Reader::attach(&path).unwrap();
    let RingOptions {
        id,
        boot_id,
        writer,
        created_wall_ns,
        session,
        version,
        ..
    } = options();
    assert_eq!(
        reader.header(),
        Header {
            id,
            boot_id,
            writer,
            created_wall_ns,
            session,
            version,
            deny_words: MIN_LANE_WORDS,
            allow_words: MIN_LANE_WORDS * 2,
            change_words: MIN_LANE_WORDS,
            request_words: MIN_LANE_WORDS,
        }
    );
    for (n, counter) in (1..).zip(Counter::ALL) {
        producer.set(counter, n);
        producer.add(counter, 100);
    }
    for (n, counter) in (101..).zip(Counter::ALL) {
        assert_eq!((reader.counter(counter), producer.counter(counter)), (n, n));
    }
    producer.beat(99);
    assert_eq!(reader.heartbeat_ns(), 99);
}

#[test]
fn a_writers_end_shows_and_leaves_its_records() {
    let (_directory, path) = setup();
    let producer = Producer::create(&path, &options()).unwrap();
    let mut reader = Reader::attach(&path).unwrap();
    producer.publish(&ALLOWED);
    assert!(reader.is_writer_alive() && !reader.is_finished());
    producer.finish();
    assert!(reader.is_writer_alive() && reader.is_finished());
    drop(producer);
    assert!(!reader.is_writer_alive());
    assert_eq!(reader.next(Lane::Allow), Some(ALLOWED));
    assert_eq!(reader.next(Lane::Allow), None);
}

#[test]
fn steps_of_requests_have_a_lane_of_their_own() {
    let (_directory, path) = setup();
    let producer = Producer::create(&path, &options()).unwrap();
    let step = |sequence| RequestEvent {
        sequence,
        wall_ns: 7,
        step: RequestStep::Requested,
        id: "s-1",
        agent: Some("codex"),
        session: b"s",
        path: b"/p/a",
        operations: "unlink",
        because: None,
        by: None,
        pid: 1,
        expires_ns: None,
        wait_ns: None,
        once: false,
        uses: 0,
        denials: 0,
        denial: None,
        denial_is_traced: false,
        request: None,
        trace: None,
    };
    for number in 0..3 {
        assert_eq!(producer.publish_request(&step(9)), number);
        producer.publish(&ALLOWED);
    }
    let mut reader = Reader::attach(&path).unwrap();
    assert_eq!(reader.next(Lane::Request), None);
    assert_eq!(reader.next_request(), Some(step(0)));
    assert_eq!(reader.next_request(), Some(step(1)));
    assert_eq!(reader.lag(Lane::Request), 1);
    let cursor = reader.cursor(Lane::Request);
    let mut later = Reader::attach(&path).unwrap();
    later.resume(Lane::Request, cursor);
    assert_eq!(later.next_request(), Some(step(2)));
    assert_eq!(later.next_request(), None);
    assert_eq!(later.lost(Lane::Request), 0);
}

#[test]
fn a_storm_of_allows_does_not_touch_a_denial() {
    let (_directory, path) = setup();
    let producer = Producer::create(&path, &options()).unwrap();
    let denial = DecisionEvent {
        verdict: Verdict::Deny,
        ..ALLOWED
    };
    producer.publish(&denial);
    for _ in 0..20_000 {
        producer.publish(&ALLOWED);
    }
    let mut reader = Reader::attach(&path).unwrap();
    assert_eq!(reader.next(Lane::Deny), Some(denial));
    let mut allowed = 0;
    while reader.next(Lane::Allow).is_some() {
        allowed += 1;
    }
    assert!(allowed > 0 && reader.lost(Lane::Allow) > 0);
    assert_eq!(allowed + reader.lost(Lane::Allow), 20_000);
    assert_eq!((reader.lost(Lane::Deny), reader.lag(Lane::Allow)), (0, 0));
}

#[test]
fn what_allowed_operations_took_has_a_lane_of_its_own() {
    let (_directory, path) = setup();
    let producer = Producer::create(&path, &options()).unwrap();
    let change = DecisionEvent {
        preservation: Some(Preservation {
            outcome: PreservationOutcome::Preserved(PreservationMethod::Hardlink),
            bytes: 7,
            bytes_after: None,
            duration_ns: 1,
        }),
        ..ALLOWED
    };
    let denied = DecisionEvent {
        verdict: Verdict::Deny,
        ..change
    };
    producer.publish(&change);
    for _ in 0..20_000 {
        producer.publish(&ALLOWED);
    }
    producer.publish(&denied);
    let mut reader = Reader::attach(&path).unwrap();
    assert_eq!(reader.next(Lane::Change), Some(change));
    assert_eq!(reader.next(Lane::Change), None);
    assert_eq!(reader.next(Lane::Deny), Some(denied));
    assert_eq!(reader.lost(Lane::Change), 0);
    assert_eq!(
        (change.change(), denied.change(), ALLOWED.change()),
        (Some(ChangeKind::Removed), None, None)
    );
}

#[test]
fn a_file_in_the_way_stays_as_it_is() {
    let (_directory, path) = setup();
    fs::write(&path, "mine").unwrap();
    let error = Producer::create(&path, &options()).unwrap_err();
    assert!(
        matches!(
            error,
            CreateRingError::File {
                step: "creating",
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(fs::read(&path).unwrap(), b"mine");
}

#[test]
fn options_out_of_bounds_are_named_before_a_file_is_made() {
    let (_directory, path) = setup();
    let check = |options: RingOptions, expected: &str| {
        let CreateRingError::Options(invalid) = Producer::create(&path, &options).unwrap_err()
        else {
            panic!("another error than {expected}");
        };
        assert_eq!(invalid.to_string(), expected);
        assert!(!path.exists());
    };
    check(
        RingOptions {
            deny_words: 40_000,
            ..options()
        },
        "the Deny lane has 40000 words, not a power of two from 32768 to 1073741824",
    );
    check(
        RingOptions {
            allow_words: 0,
            ..options()
        },
        "the Allow lane has 0 words, not a power of two from 32768 to 1073741824",
    );
    check(
        RingOptions {
            session: vec![b's'; 257],
            ..options()
        },
        "the session has 257 bytes, the limit is 256",
    );
    check(
        RingOptions {
            version: "v".repeat(65),
            ..options()
        },
        "the version has 65 bytes, the limit is 64",
    );
}

#[test]
fn what_is_no_ring_is_refused_with_the_value_that_is_wrong() {
    let (_directory, path) = setup();
    let attach = || match Reader::attach(&path) {
        Err(AttachRingError::Header { source, .. }) => source,
        other => panic!("no header error: {other:?}"),
    };
    fs::write(&path, "").unwrap();
    assert!(matches!(
        attach(),
        InvalidHeader::Truncated {
            len: 0,
            claimed: 4096
        }
    ));
    fs::write(&path, [0; 5000]).unwrap();
    assert_eq!(attach(), InvalidHeader::Unfinished);
    fs::write(&path, [b'#'; 5000]).unwrap();
    assert_eq!(
        attach(),
        InvalidHeader::NotARing {
            found: 0x2323_2323_2323_2323
        }
    );
    fs::remove_file(&path).unwrap();

    drop(Producer::create(&path, &options()).unwrap());
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    let whole = file.metadata().unwrap().len();
    file.set_len(whole - 8).unwrap();
    assert_eq!(
        attach(),
        InvalidHeader::Truncated {
            len: whole - 8,
            claimed: whole
        }
    );
    file.set_len(whole).unwrap();
    let with = |word: u64, value: u64, restore: u64| {
        file.write_all_at(&value.to_ne_bytes(), word * 8).unwrap();
        let error = attach();
        file.write_all_at(&restore.to_ne_bytes(), word * 8).unwrap();
        error
    };
    let words = MIN_LANE_WORDS as u64;
    assert_eq!(with(1, 3, 4), InvalidHeader::Format { found: 3 });
    let capacity = |lane, words| InvalidHeader::Capacity { lane, words };
    assert_eq!(with(2, u64::MAX, words), capacity(Lane::Deny, u64::MAX));
    assert_eq!(with(3, 1 << 31, words * 2), capacity(Lane::Allow, 1 << 31));
    assert_eq!(with(13, 7, words), capacity(Lane::Change, 7));
    assert_eq!(with(14, 9, words), capacity(Lane::Request, 9));
    let session = InvalidHeader::TooLong {
        field: "session",
        len: 1 << 40,
        limit: 256,
    };
    assert_eq!(with(11, 1 << 40, 12), session);
    assert_eq!(with(48, u64::MAX, 0), InvalidHeader::Version);
    assert!(Reader::attach(&path).is_ok(), "everything is restored");
}

#[test]
fn a_pipe_in_a_rings_place_is_not_waited_for() {
    let (_directory, path) = setup();
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    let error = Reader::attach(&path).unwrap_err();
    assert!(matches!(error, AttachRingError::Header { .. }), "{error}");
}

#[test]
fn a_ring_without_a_file_is_read_in_its_own_process() {
    let producer = Producer::anonymous(&options()).unwrap();
    assert_eq!(producer.path(), None);
    let mut reader = producer.reader();
    assert_eq!(producer.publish(&ALLOWED), 0);
    assert_eq!(producer.publish(&ALLOWED), 1);
    assert!(reader.is_writer_alive());
    assert_eq!(reader.next(Lane::Allow), Some(ALLOWED));
    assert_eq!(
        (reader.committed(Lane::Allow), reader.lag(Lane::Allow)),
        (2, 1)
    );
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![4 => vec(any::<u8>(), 0..60), 1 => vec(any::<u8>(), 4096)]
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(200)
    })]

    #[test]
    fn every_event_comes_back_as_it_was(
        times in any::<[u64; 4]>(),
        numbers in any::<[u32; 5]>(),
        deadline_left_ns in any::<Option<u64>>(),
        delivery_delay_us in option::of(0..=MAX_DELIVERY_DELAY_US),
        agent_pid in any::<Option<u32>>(),
        kinds in (0..8_usize, 0..3_usize, 0..16_usize, 0..3_usize),
        texts in (option::of("\\PC{0,40}"), option::of("\\PC{0,40}"), option::of("\\PC{0,40}")),
        paths in (bytes(), option::of(bytes()), option::of(bytes()), option::of(bytes()), bytes()),
        names in (vec(any::<u8>(), 0..100), bytes(), bytes()),
        trace in any::<Option<([u8; 16], [u8; 8], u8)>>(),
        preservation in option::of((
            0..5_usize,
            0..=MAX_PRESERVATION_NUMBER,
            option::of(0..=MAX_PRESERVATION_NUMBER),
            0..=MAX_PRESERVATION_NUMBER,
        )),
    ) {
        let event = DecisionEvent {
            sequence: 0,
            wall_ns: times[0],
            monotonic_ns: times[1],
            latency_ns: times[2],
            deadline_left_ns,
            delivery_delay_us,
            operation: OperationKind::ALL[kinds.0],
            verdict: Verdict::ALL[kinds.1],
            reason: Reason::ALL[kinds.2],
            answer: Answer::ALL[kinds.3],
            errno: numbers[0],
            agent: texts.0.as_deref(),
            ancestor: paths.2.as_deref(),
            agent_pid,
            session: &names.0,
            process: ActingProcess {
                key: ProcessKey { pid: numbers[1], generation: times[3] },
                ppid: numbers[2],
                uid: numbers[3],
                executable: &names.1,
                argv0: &names.2,
            },
            path: &paths.0,
            destination: paths.1.as_deref(),
            zone: texts.1.as_deref().map(|name| ZoneRef { name, path: &paths.4 }),
            tool: paths.3.as_deref(),
            override_id: texts.2.as_deref(),
            preservation: preservation.map(|(number, bytes, bytes_after, duration_ns)| Preservation {
                outcome: PreservationOutcome::Preserved(PreservationMethod::ALL[number]),
                bytes,
                bytes_after,
                duration_ns,
            }),
            trace: trace.map(|(trace_id, span_id, flags)| TraceContext { trace_id, span_id, flags }),
        };
        let lane = Lane::of(&event);
        let producer = Producer::anonymous(&options()).unwrap();
        let mut reader = producer.reader();
        // Twice, since the second lies across other words.
        for sequence in 0..2 {
            prop_assert_eq!(producer.publish(&event), sequence);
            prop_assert_eq!(reader.next(lane), Some(DecisionEvent { sequence, ..event }));
        }
    }

    #[test]
    fn no_bytes_whatever_panic_the_decoder(bytes in vec(any::<u8>(), 0..400)) {
        if let Ok(event) = DecisionEvent::decode(0, &bytes) {
            let mut again = Vec::new();
            event.encode(&mut again);
            prop_assert_eq!(DecisionEvent::decode(0, &again), Ok(event));
        }
    }
}
