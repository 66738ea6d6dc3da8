//! Denials that repeat share a line, so that none can push another's out of the log.
//!
//! The log holds about 14,000 lines. A loop that retries one removal makes so many in seconds, and
//! an `rm -rf` of a large tree in a minute. So denials have lines of their own only up to a limit:
//!
//! | alike in | lines of their own |
//! |---|---|
//! | ring, session, operation, path, destination, reason | [`SAME_PATH`], until a pause of [`PAUSE`] |
//! | ring, session, operation, directory, reason | [`SAME_DIRECTORY`], until a pause of [`PAUSE`] |
//! | ring, session | [`SAME_SESSION`] in [`SESSION_WINDOW`] |
//!
//! Those beyond it are counted in one line, which is written after a second, then after two, up to a
//! minute. Its fields are those of the first of them; its number and time are those of the last, and it has
//! `count`, `first` and `last` besides.
//!
//! It guarantees that a denial that is the first of its kind has a line of its own within the
//! session's limit, and that every denial is counted. It deliberately keeps no count over a kill of the
//! exporter: up to a minute of repeats, whose first lines are in the log, is then missing from the counts.

use crate::otlp::RingId;
use guard_core::DecisionEvent;
use guard_core::path::parent;
use guard_report::record::DecisionRecord;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::time::{Duration, Instant};

/// Lines of one operation on one path.
pub const SAME_PATH: u64 = 5;
/// Lines of one operation in one directory.
pub const SAME_DIRECTORY: u64 = 1_000;
/// Lines of one session.
pub const SAME_SESSION: u64 = 2_000;
/// A longer pause ends a repetition.
pub const PAUSE: Duration = Duration::from_secs(60);
/// The time in which a session has its lines.
pub const SESSION_WINDOW: Duration = Duration::from_secs(3600);

/// Counts denials by what they have in common.
#[derive(Debug, Default)]
pub struct Repeats {
    by_likeness: HashMap<u64, Group>,
    hasher: RandomState,
    /// When the first line of several is due; `None` while none waits.
    next_due: Option<Instant>,
}

/// What becomes of a denial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// It has a line of its own.
    Line,
    /// It is counted in a line that follows.
    Counted,
}

/// Denials that are alike.
#[derive(Debug)]
struct Group {
    /// When it began and when it last grew, on the guards' clock.
    began_ns: u64,
    last_ns: u64,
    denials: u64,
    counted: Option<Counted>,
    /// How long the next line of several waits.
    wait: Duration,
}

/// Denials without lines of their own.
#[derive(Debug)]
struct Counted {
    /// The line that the first of them would have had.
    first: String,
    count: u64,
    last_sequence: u64,
    last_wall_ns: u64,
    due: Instant,
}

/// How denials are alike.
#[derive(Clone, Copy, Debug, Hash)]
enum Likeness {
    Path,
    Directory,
    Session,
}

// === impl Repeats ===

impl Repeats {
    /// Takes a denial from the ring with this id, with the record that it would have.
    pub fn take<'r>(
        &mut self,
        ring: RingId,
        event: &DecisionEvent<'_>,
        record: impl FnOnce() -> DecisionRecord<'r>,
        now: Instant,
    ) -> Treatment {
        let hasher = &self.hasher;
        // A line has the number of one ring, and agents give themselves their sessions.
        let session = (ring, event.session);
        let reason = (session, event.reason.as_str(), event.verdict.as_str());
        let kinds = [
            (
                hasher.hash_one((
                    Likeness::Path,
                    reason,
                    event.operation,
                    event.path,
                    event.destination,
                )),
                Likeness::Path,
            ),
            (
                hasher.hash_one((
                    Likeness::Directory,
                    reason,
                    event.operation,
                    parent(event.path),
                )),
                Likeness::Directory,
            ),
            (
                hasher.hash_one((Likeness::Session, session)),
                Likeness::Session,
            ),
        ];
        for (key, likeness) in kinds {
            let group = self
                .by_likeness
                .entry(key)
                .or_insert_with(|| Group::new(event));
            if group.is_over(event, likeness) {
                group.begin_again(event);
            }
            group.last_ns = event.monotonic_ns;
            if group.denials >= likeness.limit() {
                let due = group.count(event, record, now);
                self.next_due = Some(self.next_due.map_or(due, |next| next.min(due)));
                return Treatment::Counted;
            }
        }
        // Only what has a line counts against the limits.
        for (key, _) in kinds {
            if let Some(group) = self.by_likeness.get_mut(&key) {
                group.denials += 1;
            }
        }
        Treatment::Line
    }

    /// Whether [`take_due`](Self::take_due) has anything to do.
    #[must_use]
    pub fn is_due(&self, now: Instant) -> bool {
        self.next_due.is_some_and(|due| due <= now) || self.by_likeness.len() > MAX_GROUPS
    }

    /// Hands over the records of counted denials that are due. When there are too many groups to
    /// remember, all of them are forgotten, and what they counted is due.
    pub fn take_due(&mut self, now: Instant, write: impl FnMut(&DecisionRecord<'_>)) {
        if self.by_likeness.len() > MAX_GROUPS {
            self.take_all(write);
            self.by_likeness.clear();
        } else {
            self.hand_over(|counted| counted.due <= now, write);
        }
    }

    /// Hands over the records of all counted denials.
    pub fn take_all(&mut self, write: impl FnMut(&DecisionRecord<'_>)) {
        self.hand_over(|_| true, write);
    }

    fn hand_over(
        &mut self,
        is_due: impl Fn(&Counted) -> bool,
        mut write: impl FnMut(&DecisionRecord<'_>),
    ) {
        let mut due: Vec<Counted> = self
            .by_likeness
            .values_mut()
            .filter_map(|group| group.counted.take_if(|counted| is_due(counted)))
            .collect();
        let waiting = self.by_likeness.values();
        let waiting = waiting.filter_map(|group| group.counted.as_ref());
        self.next_due = waiting.map(|counted| counted.due).min();
        // Several are written in the order of the ring.
        due.sort_by_key(|counted| counted.last_sequence);
        for counted in &due {
            if let Some(record) = counted.record() {
                write(&record);
            }
        }
    }
}

// === impl Group ===

impl Group {
    fn new(event: &DecisionEvent<'_>) -> Self {
        Self {
            began_ns: event.monotonic_ns,
            last_ns: event.monotonic_ns,
            denials: 0,
            counted: None,
            wait: SHORTEST_WAIT,
        }
    }

    fn is_over(&self, event: &DecisionEvent<'_>, likeness: Likeness) -> bool {
        // Also when the clock restarts, as after a reboot.
        let since = |then: u64| Duration::from_nanos(event.monotonic_ns.abs_diff(then));
        match likeness {
            Likeness::Path | Likeness::Directory => since(self.last_ns) > PAUSE,
            Likeness::Session => since(self.began_ns) > SESSION_WINDOW,
        }
    }

    /// Begins again; what was counted keeps its line.
    fn begin_again(&mut self, event: &DecisionEvent<'_>) {
        self.began_ns = event.monotonic_ns;
        self.denials = 0;
        self.wait = SHORTEST_WAIT;
    }

    /// Counts a denial, and returns when the line is due.
    fn count<'r>(
        &mut self,
        event: &DecisionEvent<'_>,
        record: impl FnOnce() -> DecisionRecord<'r>,
        now: Instant,
    ) -> Instant {
        let wait = self.wait;
        let counted = self.counted.get_or_insert_with(|| {
            self.wait = (wait * 2).min(LONGEST_WAIT);
            let mut line = Vec::new();
            record().append_to(&mut line);
            Counted {
                first: String::from_utf8(line).unwrap_or_default(),
                count: 0,
                last_sequence: event.sequence,
                last_wall_ns: event.wall_ns,
                due: now + wait,
            }
        });
        counted.count += 1;
        counted.last_sequence = event.sequence;
        counted.last_wall_ns = event.wall_ns;
        counted.due
    }
}

// === impl Counted ===

impl Counted {
    fn record(&self) -> Option<DecisionRecord<'_>> {
        let record = DecisionRecord::parse(&self.first)?;
        Some(record.repeated(self.count, self.last_sequence, self.last_wall_ns))
    }
}

// === impl Likeness ===

impl Likeness {
    const fn limit(self) -> u64 {
        match self {
            Self::Path => SAME_PATH,
            Self::Directory => SAME_DIRECTORY,
            Self::Session => SAME_SESSION,
        }
    }
}

const SHORTEST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// About a megabyte.
const MAX_GROUPS: usize = 8192;

#[cfg(test)]
mod tests {
    use super::*;
    use guard_report::time::rfc3339;
    use guard_testing::events::denial;

    /// What becomes of these events: the numbers with lines of their own, and the lines of several as
    /// number and count.
    fn lines<'a>(
        events: impl IntoIterator<Item = DecisionEvent<'a>>,
    ) -> (Vec<u64>, Vec<(u64, u64)>) {
        let mut repeats = Repeats::default();
        let now = Instant::now();
        let (mut own, mut shared) = (Vec::new(), Vec::new());
        for event in events {
            let record = || DecisionRecord::new(&event, "00ff");
            if repeats.take([0; 16], &event, record, now) == Treatment::Line {
                own.push(event.sequence);
            }
        }
        let mut note =
            |record: &DecisionRecord<'_>| shared.push((record.seq, record.count.unwrap()));
        repeats.take_due(now, &mut note);
        assert_eq!(shared.len(), 0, "not due yet");
        let mut note =
            |record: &DecisionRecord<'_>| shared.push((record.seq, record.count.unwrap()));
        repeats.take_due(now + SHORTEST_WAIT, &mut note);
        repeats.take_all(|_| panic!("all were due"));
        (own, shared)
    }

    #[test]
    fn a_loop_leaves_room_for_others() {
        let thesis = DecisionEvent {
            path: b"/p/thesis.tex",
            ..denial(10_000)
        };
        let (own, shared) = lines((0..10_000).map(denial).chain([thesis]));
        assert_eq!(own, [0, 1, 2, 3, 4, 10_000]);
        assert_eq!(shared, [(9_999, 9_995)]);
    }

    #[test]
    fn a_removed_tree_has_many_lines_and_then_one() {
        let paths: Vec<String> = (0..SAME_DIRECTORY + 100)
            .map(|number| format!("/p/{number}"))
            .collect();
        let event = |(number, path): (u64, &'static str)| DecisionEvent {
            path: path.as_bytes(),
            destination: None,
            ..denial(number)
        };
        let leaked = paths.into_iter().map(|path| &*path.leak());
        let (own, shared) = lines((0..).zip(leaked).map(event));
        assert_eq!(own.len() as u64, SAME_DIRECTORY);
        assert_eq!(shared, [(SAME_DIRECTORY + 99, 100)]);
    }

    #[test]
    fn a_session_s_share_is_bounded_and_another_session_has_its_own() {
        let paths = |number: u64| -> &'static [u8] { format!("/p/{number}/x").leak().as_bytes() };
        let event = |number, session: &'static [u8]| DecisionEvent {
            path: paths(number),
            session,
            ..denial(number)
        };
        let first = (0..SAME_SESSION + 7).map(|number| event(number, b"one"));
        let next = event(9_999, b"two");
        let (own, shared) = lines(first.chain([next]));
        assert_eq!(own.len() as u64, SAME_SESSION + 1);
        assert_eq!(own.last(), Some(&9_999));
        assert_eq!(shared, [(SAME_SESSION + 6, 7)]);
    }

    #[test]
    fn a_pause_gives_lines_again() {
        let apart = |seconds: u64| {
            (0..10).map(move |number| DecisionEvent {
                monotonic_ns: number * seconds * 1_000_000_000,
                ..denial(number)
            })
        };
        assert_eq!(lines(apart(60)).0.len() as u64, SAME_PATH);
        assert_eq!(lines(apart(61)).0.len(), 10);
    }

    #[test]
    fn the_line_of_several_says_when() {
        let mut repeats = Repeats::default();
        let now = Instant::now();
        for number in 0..20 {
            let event = DecisionEvent {
                wall_ns: number * 1_000_000_000,
                ..denial(number)
            };
            repeats.take([0; 16], &event, || DecisionRecord::new(&event, "00ff"), now);
        }
        let mut found = Vec::new();
        repeats.take_all(|record| record.append_to(&mut found));
        let line = String::from_utf8(found).unwrap();
        let record = DecisionRecord::parse(&line).unwrap();
        assert_eq!((record.count, record.seq, record.ts), (Some(15), 19, 19));
        assert_eq!(
            record.first.as_deref(),
            Some(rfc3339(5_000_000_000).as_str())
        );
        assert_eq!(record.last.as_deref(), Some(&*record.time));
    }
}
