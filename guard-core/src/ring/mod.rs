//! The ring: a memory-mapped file through which decision events reach readers, without the guard
//! waiting for any.
//!
//! A [`Producer`] publishes events into the file, one per guard process; any number of [`Reader`]s in
//! other processes map it read-only. The file, in words of 8 bytes, in the processor's byte order:
//!
//! ```text
//! word
//!    0  magic "ESGRING\0" (stored last)       8  writer's pid
//!    1  format version, 4                     9  writer's generation
//!    2  deny lane's capacity N                10  created, wall ns
//!    3  allow lane's capacity M               11  bytes of the session's name
//!    4  ring id, 16 bytes                     12  bytes of the writer's version
//!    6  boot id, 16 bytes                     13  change lane's capacity K
//!                                             14  request lane's capacity R
//!   16  session's name, 256 bytes             48  writer's version, 64 bytes
//!   64  state: 0 running, 1 finished          65  heartbeat, wall ns
//!  128  counters, one word each, by the number of `Counter`
//!  256  deny lane's control                   288  allow lane's control
//!  320  change lane's control                352  request lane's control
//!       +0  reserved: tally of records that have a position
//!       +1  committed: tally of records that are whole
//!       +2  an older position, +3  an older sequence (see `position.rs` for tallies)
//!  512  deny lane, N words
//! 512+N allow lane, M words, then the change lane, K words, then the request lane, R words
//! ```
//!
//! A record may be anywhere in its lane and wraps around its end; position *p*, counted in words
//! since the lane began, is word *p* mod N:
//!
//! ```text
//!      p       p+1        p+2                         p+length
//!  ┌────────┬──────────┬─────────┬─────────┬─   ─┬─────────┐
//!  │ header │ sequence │ 7 bytes │ 7 bytes │  …  │ 7 bytes │   the event, see `event/encode.rs`
//!  └────────┴──────────┴─────────┴─────────┴─   ─┴─────────┘
//!  header: bit 63, length, p          others: lap, 7 bytes of payload (see `word.rs`)
//! ```
//!
//! # What it guarantees
//!
//! *Publishing* is a reservation (one `fetch_add`, which gives the position and the number together),
//! plain stores of the body, the header last, and a second `fetch_add`. No loop, no lock, no
//! allocation, no system call; the number of steps depends on the event's length alone.
//!
//! *No record is read in part.* Every word is an atomic, so there is no data race. A reader that
//! loads the header of *p* at *p* loads a body at least as new (release, acquire). It then copies the
//! body, and loads the reserved tally again: a writer that overwrote any word that was copied had
//! reserved beyond *p* + N before (release fence, acquire fence), and the copy is discarded. A writer
//! that was suspended for a whole lap may overwrite newer words with old ones; these have the older
//! lap's number, and a record with such a word counts as lost.
//!
//! *Loss is counted exactly.* A lane's records are numbered from 0 without gaps in the order of their
//! positions, so a missing number is a lost record, and a delivered record is never taken for a later
//! one.
//!
//! *Allows cannot displace denials, nor what they took.* Denials and audits have a lane of their own
//! ([`Lane::Deny`]), and so have allowed operations before which something was, or was to be, preserved
//! ([`Lane::Change`]). Steps of requests have one, too ([`Lane::Request`], see `event/request.rs`).
//!
//! *Crashes do no harm.* The file is in the page cache: committed records outlive the writer. A
//! record that a writer reserved and, because it was killed, never committed is a hole. Readers wait
//! at a hole while some writer is between its two `fetch_add`s and the process lives (it holds a lock
//! on the file), and then continue with the next word that is a header for its position. A reader
//! that is killed leaves nothing behind; its successor continues from a [`Cursor`], or from the last
//! sequence number in its log.
//!
//! # What it deliberately does not do
//!
//! It does not survive a power cut (nothing is synced), does not wake readers (they poll; the writer
//! would need a system call to do it), and does not choose its directory: a process that can write
//! the file can forge events, and one that truncates it breaks its readers.
//!
//! # Example
//!
//! ```
//! use guard_core::ring::{Counter, Lane, Producer, Reader, RingOptions};
//!
//! let directory = tempfile::tempdir()?;
//! let path = directory.path().join("guard.ring");
//! let options = RingOptions { session: b"demo".to_vec(), ..RingOptions::default() };
//! let producer = Producer::create(&path, &options)?;
//! producer.add(Counter::Notifications, 1);
//!
//! let mut reader = Reader::attach(&path)?;
//! assert_eq!(reader.header().session, b"demo");
//! assert_eq!(reader.counter(Counter::Notifications), 1);
//! assert!(reader.next(Lane::Deny).is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![deny(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod counter;
mod follow;
mod header;
mod lane;
mod memory;
#[cfg(test)]
#[cfg(loom)]
mod model;
mod position;
mod producer;
mod reader;
#[cfg(test)]
#[cfg(not(loom))]
mod tests;
mod word;

use crate::event::DecisionEvent;
use crate::process::ProcessKey;
use crate::verdict::Verdict;

pub use counter::{Counter, MAX_COUNTERS};
pub use header::{
    FORMAT, Header, InvalidHeader, MAX_LANE_WORDS, MAX_SESSION_BYTES, MAX_VERSION_BYTES,
    MIN_LANE_WORDS,
};
pub use producer::{CreateRingError, Producer};
pub use reader::{AttachRingError, Reader};

/// The options with which a ring is created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingOptions {
    /// The ring's identity: 16 bytes that no other ring has. With a lane and a sequence number it
    /// is the identity of an event.
    pub id: [u8; 16],
    /// The identity of this boot.
    pub boot_id: [u8; 16],
    /// The writing process.
    pub writer: ProcessKey,
    /// The time, wall clock nanoseconds.
    pub created_wall_ns: u64,
    /// The guard session's name, at most [`MAX_SESSION_BYTES`].
    pub session: Vec<u8>,
    /// The writer's version, at most [`MAX_VERSION_BYTES`].
    pub version: String,
    /// Capacity for denials and audits, in words of 8 bytes: a power of two from
    /// [`MIN_LANE_WORDS`] to [`MAX_LANE_WORDS`]. A typical event takes about 40.
    pub deny_words: usize,
    /// Capacity for allowed operations, likewise.
    pub allow_words: usize,
    /// Capacity for allowed operations with a [`Preservation`](crate::event::Preservation),
    /// likewise.
    pub change_words: usize,
    /// Capacity for steps of requests, likewise. There are few, each of about 30.
    pub request_words: usize,
}

/// One of a ring's lanes, each with its own capacity and numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Operations that were denied, or would have been in enforce mode.
    Deny,
    /// Operations that were allowed.
    Allow,
    /// Operations that were allowed, and before which something was, or was to be, preserved.
    Change,
    /// Steps of requests: [`RequestEvent`](crate::event::RequestEvent)s.
    Request,
}

/// A reader's position in a lane, from which a later reader can continue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Words of the lane read so far.
    pub position: u64,
    /// The next sequence number expected.
    pub delivered: u64,
}

/// Half a million words, 4 MiB: some 13,000 events of each kind.
const DEFAULT_LANE_WORDS: usize = 512 * 1024;
/// 256 KiB: some 1,000 steps of requests.
const DEFAULT_REQUEST_WORDS: usize = 32 * 1024;

// === impl RingOptions ===

impl Default for RingOptions {
    fn default() -> Self {
        Self {
            id: [0; 16],
            boot_id: [0; 16],
            writer: ProcessKey::default(),
            created_wall_ns: 0,
            session: Vec::new(),
            version: String::new(),
            deny_words: DEFAULT_LANE_WORDS,
            allow_words: DEFAULT_LANE_WORDS,
            change_words: DEFAULT_LANE_WORDS,
            request_words: DEFAULT_REQUEST_WORDS,
        }
    }
}

// === impl Lane ===

impl Lane {
    /// All lanes, in the order of their indices.
    pub const ALL: [Self; 4] = [Self::Deny, Self::Allow, Self::Change, Self::Request];

    /// The lanes of decisions.
    pub const DECISIONS: [Self; 3] = [Self::Deny, Self::Allow, Self::Change];

    /// The lane of this event.
    #[must_use]
    pub const fn of(event: &DecisionEvent<'_>) -> Self {
        match (event.verdict, event.preservation) {
            (Verdict::Deny | Verdict::Audit, _) => Self::Deny,
            (Verdict::Allow, None) => Self::Allow,
            (Verdict::Allow, Some(_)) => Self::Change,
        }
    }

    /// The stable name: the values of the `lane` label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Allow => "allow",
            Self::Change => "change",
            Self::Request => "request",
        }
    }
}
