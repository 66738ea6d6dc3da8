//! Publishing into one lane.
//!
//! A record is reserved, filled and committed in that order, each step one atomic read-modify-write
//! or plain stores; nothing is ever retried, so a writer takes the same number of steps whatever
//! other writers and readers do. [The module above](super) argues why readers never take a partly
//! written record for a whole one.

use super::memory::ReadWords;
use super::position::RingPosition;
use super::word;
use crate::event::{GROUP_BYTES, GroupSink};
use crate::sync::{AtomicU64, Ordering, fence};
use std::{mem, slice};

/// The position of a lane among a ring's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// Index of the first of its [`CONTROL_WORDS`].
    pub(super) control: usize,
    /// Index of its first data word.
    pub(super) start: usize,
    /// Data words, a power of two.
    pub(super) capacity: usize,
}

/// Writes to a lane.
#[derive(Clone, Copy, Debug)]
pub(super) struct LaneWriter<'a> {
    control: &'a [AtomicU64; CONTROL_WORDS],
    words: &'a [AtomicU64],
}

/// Takes the payload of a record, group after group, and stores it as body words.
#[derive(Clone, Debug)]
pub(super) struct Packer<'a> {
    /// The cells from here to the lane's end.
    cells: slice::Iter<'a, AtomicU64>,
    /// The bits that the body words from here on share.
    lap_bits: u64,
    next_lap_bits: u64,
    /// The cells where a record that reaches beyond the end continues, on the next lap.
    front: &'a [AtomicU64],
}

/// A lane's control words.
pub(super) const CONTROL_WORDS: usize = 4;

/// Tally of reserved records. Writers add; readers load.
const RESERVED: usize = 0;
/// Tally of committed records. Writers add; equal to `RESERVED` if no writer is in between.
const COMMITTED: usize = 1;
/// An older position, see [`RingPosition`]. Writers raise it.
const ANCHOR_POSITION: usize = 2;
/// An older sequence, see [`RingPosition`]. Writers raise it.
const ANCHOR_SEQUENCE: usize = 3;

/// The words before a record's payload: header and sequence.
const PREFIX_WORDS: usize = 2;

// === impl Span ===

impl Span {
    pub(super) const fn index(&self, position: u64) -> usize {
        self.start + wrap(position, self.capacity)
    }

    pub(super) const fn lap(&self, position: u64) -> u64 {
        position >> self.capacity.trailing_zeros()
    }

    /// The position behind the last reserved record.
    pub(super) fn head(&self, words: &ReadWords) -> RingPosition {
        let anchor = RingPosition {
            position: words.load(self.control + ANCHOR_POSITION),
            sequence: words.load(self.control + ANCHOR_SEQUENCE),
        };
        RingPosition::near(anchor, words.load(self.control + RESERVED))
    }

    /// Committed records.
    pub(super) fn committed(&self, words: &ReadWords) -> u64 {
        let head = self.head(words);
        RingPosition::near(head, words.load(self.control + COMMITTED)).sequence
    }

    /// As [`head`](Self::head), if at some instant no writer was between reserving and committing,
    /// so that no record before it will change any more.
    pub(super) fn settled_head(&self, words: &ReadWords) -> Option<RingPosition> {
        let committed = words.load(self.control + COMMITTED);
        // SYNC POINT: pairs with the release addition to COMMITTED. Each addition continues the
        // release sequences of those before it, so all counted records are visible from here on.
        fence(Ordering::Acquire);
        // The committed tally never exceeds the reserved one: equal now means equal at the first load.
        (words.load(self.control + RESERVED) == committed).then(|| self.head(words))
    }
}

// === impl LaneWriter ===

impl<'a> LaneWriter<'a> {
    /// The lane at `span`; `None` if it is not within `words`.
    #[inline]
    pub(super) fn new(words: &'a [AtomicU64], span: Span) -> Option<Self> {
        let control = words.get(span.control..)?.first_chunk()?;
        let words = words.get(span.start..span.start.checked_add(span.capacity)?)?;
        Some(Self { control, words })
    }

    /// Publishes a record of so many groups, which `write` must give to the packer, and returns its
    /// sequence number. The caller keeps `groups` within what the lane can hold.
    #[inline]
    pub(super) fn publish(&self, groups: usize, write: impl FnOnce(&mut Packer<'a>)) -> u64 {
        let len = record_words(groups);
        let growth = RingPosition::record(len);
        let anchor = self.anchor();
        let [reserved, committed, ..] = self.control;
        let tally = reserved.fetch_add(growth, Ordering::Relaxed);
        // SYNC POINT: pairs with the reader's fence between a record's last word and its second
        // load of RESERVED: a thread that loads a word stored below also sees the addition above.
        fence(Ordering::Release);
        let at = RingPosition::near(anchor, tally);
        if at.is_far_from(anchor) {
            self.raise_anchor(at);
        }

        let index = wrap(at.position, self.words.len());
        let lap = at.position >> self.words.len().trailing_zeros();
        let (front, cells) = self.words.split_at_checked(index).unwrap_or_default();
        let mut cells = cells.iter();
        let header = cells.next();
        let lap_bits = word::lap_bits(lap);
        let next_lap_bits = word::lap_bits(lap + 1);
        let mut packer = Packer {
            cells,
            lap_bits,
            next_lap_bits,
            front,
        };
        packer.group(at.sequence);
        write(&mut packer);

        if let Some(cell) = header {
            // SYNC POINT: pairs with the reader's fence after loading a header: the record's body
            // is visible with it.
            cell.store(word::header(at.position, len), Ordering::Release);
        }
        // SYNC POINT: pairs with the fence in `Span::settled_head`.
        committed.fetch_add(growth, Ordering::Release);
        at.sequence
    }

    /// Makes an unused lane begin at `at`.
    #[cfg(test)]
    #[cfg(not(loom))]
    pub(super) fn start_at(&self, at: RingPosition) {
        let [reserved, committed, ..] = self.control;
        reserved.store(at.tally(), Ordering::Relaxed);
        committed.store(at.tally(), Ordering::Relaxed);
        self.raise_anchor(at);
    }

    #[inline]
    fn anchor(&self) -> RingPosition {
        RingPosition {
            position: self.control[ANCHOR_POSITION].load(Ordering::Relaxed),
            sequence: self.control[ANCHOR_SEQUENCE].load(Ordering::Relaxed),
        }
    }

    #[cold]
    fn raise_anchor(&self, at: RingPosition) {
        self.control[ANCHOR_POSITION].fetch_max(at.position, Ordering::Relaxed);
        self.control[ANCHOR_SEQUENCE].fetch_max(at.sequence, Ordering::Relaxed);
    }
}

// === impl Packer ===

impl Packer<'_> {
    #[cold]
    fn turn(&mut self) {
        self.cells = mem::take(&mut self.front).iter();
        self.lap_bits = self.next_lap_bits;
    }
}

impl GroupSink for Packer<'_> {
    #[inline]
    fn group(&mut self, group: u64) {
        if self.cells.len() == 0 {
            self.turn();
        }
        if let Some(cell) = self.cells.next() {
            cell.store(word::body(self.lap_bits, group), Ordering::Relaxed);
        }
    }

    #[inline]
    fn bytes(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(eight) = rest.first_chunk() {
            self.group(u64::from_le_bytes(*eight));
            rest = rest.get(GROUP_BYTES..).unwrap_or_default();
        }
        if !rest.is_empty() {
            self.group(last_group(rest));
        }
    }
}

/// A group from at most seven bytes.
#[inline]
fn last_group(bytes: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        // Two halves that overlap where there are fewer than eight.
        let last = u64::from(u32::from_le_bytes(*last)) << (8 * (bytes.len() - size_of::<u32>()));
        u64::from(u32::from_le_bytes(*first)) | last
    } else {
        bytes
            .iter()
            .rev()
            .fold(0, |group, &byte| group << 8 | u64::from(byte))
    }
}

/// How many words a record of so many groups takes.
#[inline]
pub(super) const fn record_words(groups: usize) -> u64 {
    (PREFIX_WORDS + groups) as u64
}

/// The index of a position in a lane of `capacity` words.
#[inline]
#[allow(
    clippy::cast_possible_truncation,
    reason = "masked by a number that is a usize"
)]
const fn wrap(position: u64, capacity: usize) -> usize {
    position as usize & capacity.wrapping_sub(1)
}
