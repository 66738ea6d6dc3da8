//! Kills writers and readers at random points and accounts for every denial, without the test
//! harness because this program is also its own writer and reader.
//!
//! In each round a writer process publishes denials from two threads and a reader process appends
//! their sequence numbers to a log. Either is killed when it has come to a random point; readers
//! are started again and go on from the last whole line of the log. At the end the log must hold
//! each denial whose `publish` returned, once: the writer counts those in the ring itself.

#![allow(clippy::print_stdout, reason = "the figures are for people")]

use guard_core::DecisionEvent;
use guard_core::ring::{Counter, Cursor, Lane, Producer, Reader, RingOptions};
use guard_testing::events::DENIAL;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, ExitCode};
use std::time::{Duration, Instant};
use std::{env, thread};

/// One counter for each of the writer's threads: how many of its calls have returned.
const RETURNED: [Counter; 2] = [Counter::AnswersDenied, Counter::Notifications];
/// What one thread publishes at most: both together do not fill the lane.
const RECORDS: u64 = 1_500;
const LANE_WORDS: usize = 1 << 17;
/// Kills in all; `RING_KILL_ROUNDS` overrides.
const ROUNDS: u64 = 1_000;
/// No round takes longer, unless something hangs.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    match arguments
        .iter()
        .map(|argument| argument.as_os_str())
        .collect::<Vec<_>>()
        .as_slice()
    {
        [role, ring] if *role == "writer" => write(Path::new(ring)),
        [role, ring, log] if *role == "reader" => read(Path::new(ring), Path::new(log)),
        // Whatever else a test runner passes is for harnesses.
        _ => {
            let rounds = env::var("RING_KILL_ROUNDS")
                .ok()
                .and_then(|rounds| rounds.parse().ok());
            run(rounds.unwrap_or(ROUNDS));
        }
    }
    ExitCode::SUCCESS
}

/// The writer: publishes from two threads and is killed, or comes to its end and stays.
fn write(ring: &Path) {
    let options = RingOptions {
        deny_words: LANE_WORDS,
        allow_words: 1 << 15,
        change_words: 1 << 15,
        ..Default::default()
    };
    let producer = Producer::create(ring, &options).expect("a new ring");
    thread::scope(|scope| {
        for (thread, counter) in (0..).zip(RETURNED) {
            let producer = &producer;
            scope.spawn(move || {
                for number in 0..RECORDS {
                    let path = format!("/zone/{thread}/{number}");
                    producer.publish(&denial(thread, number, path.as_bytes()));
                    producer.set(counter, number + 1);
                }
            });
        }
    });
    producer.finish();
}

/// The reader: appends a line for each denial until the writer is gone and the lane is drained.
fn read(ring: &Path, log: &Path) {
    let mut reader = Reader::attach(ring).expect("a ring");
    let kept = fs::read(log).unwrap_or_default();
    // A line that was cut by the reader's death is written again.
    let whole = kept
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1);
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .expect("a log");
    file.set_len(whole as u64).expect("a shorter log");
    let lines = String::from_utf8(kept[..whole].to_vec()).expect("lines of digits");
    let delivered = lines.lines().last().map_or(0, |line| parse(line).0 + 1);
    reader.resume(
        Lane::Deny,
        Cursor {
            position: 0,
            delivered,
        },
    );
    loop {
        let alive = reader.is_writer_alive();
        while let Some(event) = reader.next(Lane::Deny) {
            let line = format!(
                "{} {} {}\n",
                event.sequence, event.process.key.pid, event.wall_ns
            );
            // In two pieces, so that a kill may fall between them.
            let (front, back) = line.split_at(line.len() / 2);
            file.write_all(front.as_bytes()).expect("room");
            file.write_all(back.as_bytes()).expect("room");
        }
        if !alive {
            break;
        }
        thread::yield_now();
    }
}

fn run(rounds: u64) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut kills, mut round, mut denials, mut holes) = (0, 0, 0, 0);
    while kills < rounds {
        let ring = directory.path().join(format!("{round}.ring"));
        let log = directory.path().join(format!("{round}.log"));
        let mut writer = Role::start("writer", &[ring.as_os_str()]);
        let watcher = wait("a ring", || Reader::attach(&ring).ok());
        let mut reader = Role::start("reader", &[ring.as_os_str(), log.as_os_str()]);

        // Every other round kills the writer at some point, the others let it end.
        if round % 2 == 0 {
            let point = random.below(2 * RECORDS);
            wait("denials", || {
                (watcher.committed(Lane::Deny) >= point).then_some(())
            });
            writer.kill();
            kills += 1;
        }
        for _ in 0..random.below(4) {
            let length = log.metadata().map_or(0, |log| log.len()) + random.below(9_000);
            wait("a longer log or an end", || {
                let long = log.metadata().is_ok_and(|log| log.len() >= length);
                (long || reader.has_ended()).then_some(())
            });
            reader.kill();
            kills += 1;
            reader = Role::start("reader", &[ring.as_os_str(), log.as_os_str()]);
        }
        reader.expect_success();
        let returned = RETURNED.map(|counter| watcher.counter(counter));
        let (lines, lost) = account(&log, &ring, returned);
        denials += lines;
        holes += lost;
        round += 1;
        for file in [ring, log] {
            fs::remove_file(file).expect("our own file");
        }
    }
    println!("{kills} kills in {round} rounds: {denials} denials accounted for, {holes} cut off");
}

/// Checks that the log holds every denial whose `publish` returned, once, in order. Returns how many
/// lines it has, and how many numbers were taken by calls that never returned.
fn account(log: &Path, ring: &Path, returned: [u64; 2]) -> (u64, u64) {
    let text = fs::read_to_string(log).expect("lines of digits");
    assert!(
        text.is_empty() || text.ends_with('\n'),
        "the last reader was not killed"
    );
    let mut seen = [HashSet::new(), HashSet::new()];
    let mut next = 0;
    for line in text.lines() {
        let (sequence, thread, number) = parse(line);
        assert!(
            sequence >= next,
            "{line:?} comes after sequence {next} in {}",
            ring.display()
        );
        next = sequence + 1;
        assert!(seen[thread].insert(number), "{line:?} comes twice");
    }
    for (seen, returned) in seen.iter().zip(returned) {
        for number in 0..returned {
            assert!(
                seen.contains(&number),
                "denial {number} of {returned} is missing"
            );
        }
        // One more may have been committed by a call that did not return.
        assert!(seen.len() as u64 <= returned + 1);
    }
    let lines = seen.iter().map(|seen| seen.len() as u64).sum();
    let cut_off = next - lines;
    assert!(
        cut_off <= RETURNED.len() as u64,
        "{cut_off} numbers are missing"
    );
    (lines, cut_off)
}

fn parse(line: &str) -> (u64, usize, u64) {
    let mut numbers = line
        .split(' ')
        .map(|number| number.parse::<u64>().expect("a number"));
    let mut number = || numbers.next().expect("three numbers");
    (
        number(),
        usize::try_from(number()).expect("a thread"),
        number(),
    )
}

/// A child process, killed at the latest when it goes out of scope.
struct Role(Child);

impl Role {
    fn start(role: &str, arguments: &[&OsStr]) -> Self {
        let program = env::current_exe().expect("this program");
        Self(
            Command::new(program)
                .arg(role)
                .args(arguments)
                .spawn()
                .expect("a child"),
        )
    }

    /// SIGKILL, and wait until the process and its locks are gone.
    fn kill(&mut self) {
        self.0.kill().expect("our own child");
        self.0.wait().expect("our own child");
    }

    fn has_ended(&mut self) -> bool {
        self.0.try_wait().expect("our own child").is_some()
    }

    fn expect_success(mut self) {
        let child = &mut self.0;
        let status = wait("the reader's end", || {
            child.try_wait().expect("our own child")
        });
        assert!(status.success(), "the reader ended with {status}");
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Xorshift: the same points in every run, whatever the scheduler makes of them.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

fn wait<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "timed out waiting for {what}");
        thread::yield_now();
    }
}

fn denial(thread: u32, number: u64, path: &[u8]) -> DecisionEvent<'_> {
    let mut event = DecisionEvent {
        wall_ns: number,
        monotonic_ns: number,
        path,
        ..DENIAL
    };
    event.process.key.pid = thread;
    event
}
