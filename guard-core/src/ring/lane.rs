//! Publishing into one lane.
//!
//! A record is reserved, filled and committed in that order, each step one atomic read-modify-write
//! or plain stores; nothing is ever tried again, so a writer takes the same number of steps whatever
//! other writers and readers do. Why readers nevertheless never take a half-written record for a
//! whole one is argued in [the module above](super).

use super::memory::ReadWords;
use super::place::Place;
use super::word;
use crate::event::Sink;
use crate::sync::{AtomicU64, Ordering, fence};

/// Where a lane lies among a ring's words.
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

/// Takes the payload of a record, byte after byte, and stores it as body words.
#[derive(Debug)]
pub(super) struct Packer<'a> {
    words: &'a [AtomicU64],
    position: u64,
    /// Payload that does not fill a word yet: its low `filled` bits, the others zero.
    pending: u64,
    filled: u32,
}

/// A lane's control words.
pub(super) const CONTROL_WORDS: usize = 4;

/// Tally of reserved records. Writers add; readers load.
const RESERVED: usize = 0;
/// Tally of committed records. Writers add; equal to `RESERVED` when no writer is in between.
const COMMITTED: usize = 1;
/// An older position, see [`Place`]. Writers raise it.
const ANCHOR_POSITION: usize = 2;
/// An older sequence, see [`Place`]. Writers raise it.
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

    /// The place behind the last reserved record.
    pub(super) fn head(&self, words: &ReadWords) -> Place {
        let anchor = Place {
            position: words.load(self.control + ANCHOR_POSITION),
            sequence: words.load(self.control + ANCHOR_SEQUENCE),
        };
        Place::near(anchor, words.load(self.control + RESERVED))
    }

    /// Committed records.
    pub(super) fn committed(&self, words: &ReadWords) -> u64 {
        let head = self.head(words);
        Place::near(head, words.load(self.control + COMMITTED)).sequence
    }

    /// As [`head`](Self::head), when at some instant no writer was between reserving and
    /// committing, so that every record before it is as whole as it will ever be.
    pub(super) fn settled_head(&self, words: &ReadWords) -> Option<Place> {
        let committed = words.load(self.control + COMMITTED);
        // SYNC POINT: pairs with the release addition to COMMITTED. Each addition continues the
        // release sequences of those before it, so all counted records are visible from here on.
        fence(Ordering::Acquire);
        // The committed tally only chases the reserved one: equal now means equal at the first load.
        (words.load(self.control + RESERVED) == committed).then(|| self.head(words))
    }
}

// === impl LaneWriter ===

impl<'a> LaneWriter<'a> {
    /// The lane at `span`; `None` when it does not lie within `words`.
    #[inline]
    pub(super) fn new(words: &'a [AtomicU64], span: Span) -> Option<Self> {
        let control = words.get(span.control..)?.first_chunk()?;
        let words = words.get(span.start..span.start.checked_add(span.capacity)?)?;
        Some(Self { control, words })
    }

    /// Publishes a record of `bytes` bytes, which `pour` must give to the packer, and returns its
    /// sequence number. The caller keeps `bytes` within what the lane can hold.
    #[inline]
    pub(super) fn publish(&self, bytes: usize, pour: impl FnOnce(&mut Packer<'a>)) -> u64 {
        let len = record_words(bytes);
        let growth = Place::record(len);
        let anchor = self.anchor();
        let [reserved, committed, ..] = self.control;
        let tally = reserved.fetch_add(growth, Ordering::Relaxed);
        // SYNC POINT: pairs with the reader's fence between a record's last word and its second
        // look at RESERVED: who loads a word stored below sees the addition above.
        fence(Ordering::Release);
        let place = Place::near(anchor, tally);
        if place.is_far_from(anchor) {
            self.raise_anchor(place);
        }

        let position = place.position;
        let mut packer = Packer {
            words: self.words,
            position: position.wrapping_add(1),
            pending: 0,
            filled: 0,
        };
        packer.push(place.sequence);
        pour(&mut packer);
        packer.finish();
        debug_assert_eq!(packer.position, position + len, "`bytes` bytes were poured");

        if let Some(cell) = self.words.get(wrap(position, self.words.len())) {
            // SYNC POINT: pairs with the reader's fence after loading a header: the record's body
            // is visible with it.
            cell.store(word::header(position, len), Ordering::Release);
        }
        // SYNC POINT: pairs with the fence in `Span::settled_head`.
        committed.fetch_add(growth, Ordering::Release);
        place.sequence
    }

    /// Makes an untouched lane begin at `place`.
    #[cfg(test)]
    #[cfg(not(loom))]
    pub(super) fn start_at(&self, place: Place) {
        let [reserved, committed, ..] = self.control;
        reserved.store(place.tally(), Ordering::Relaxed);
        committed.store(place.tally(), Ordering::Relaxed);
        self.raise_anchor(place);
    }

    #[inline]
    fn anchor(&self) -> Place {
        Place {
            position: self.control[ANCHOR_POSITION].load(Ordering::Relaxed),
            sequence: self.control[ANCHOR_SEQUENCE].load(Ordering::Relaxed),
        }
    }

    #[cold]
    fn raise_anchor(&self, place: Place) {
        self.control[ANCHOR_POSITION].fetch_max(place.position, Ordering::Relaxed);
        self.control[ANCHOR_SEQUENCE].fetch_max(place.sequence, Ordering::Relaxed);
    }
}

// === impl Packer ===

impl Packer<'_> {
    /// Stores one body word.
    #[inline]
    fn push(&mut self, payload: u64) {
        let lap = self.position >> self.words.len().trailing_zeros();
        if let Some(cell) = self.words.get(wrap(self.position, self.words.len())) {
            cell.store(word::body(lap, payload), Ordering::Relaxed);
        }
        self.position = self.position.wrapping_add(1);
    }

    /// Takes the low `bits` bits of `value`, at most 56; the others are zero.
    #[inline]
    fn take(&mut self, value: u64, bits: u32) {
        self.pending |= value << self.filled & word::PAYLOAD_MASK;
        self.filled += bits;
        if self.filled >= word::PAYLOAD_BITS {
            self.push(self.pending);
            self.filled -= word::PAYLOAD_BITS;
            // What did not fit are the highest `filled` of the `bits` bits.
            self.pending = value >> (bits - self.filled);
        }
    }

    #[inline]
    fn finish(&mut self) {
        if self.filled > 0 {
            self.push(self.pending);
        }
    }
}

impl Sink for Packer<'_> {
    #[inline]
    fn integer(&mut self, value: u64, bytes: u32) {
        if bytes > 4 {
            self.take(value & u64::from(u32::MAX), 32);
            self.take(value >> 32, bytes * 8 - 32);
        } else {
            self.take(value, bytes * 8);
        }
    }

    #[inline]
    fn bytes(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(eight) = rest.first_chunk::<8>() {
            self.take(
                u64::from_le_bytes(*eight) & word::PAYLOAD_MASK,
                word::PAYLOAD_BITS,
            );
            rest = rest.get(word::PAYLOAD_BYTES..).unwrap_or_default();
        }
        if let Some((four, tail)) = rest.split_first_chunk::<4>() {
            self.take(u64::from(u32::from_le_bytes(*four)), 32);
            rest = tail;
        }
        for &byte in rest {
            self.take(u64::from(byte), 8);
        }
    }
}

/// How many words a record of so many payload bytes takes.
#[inline]
pub(super) const fn record_words(bytes: usize) -> u64 {
    (PREFIX_WORDS + bytes.div_ceil(word::PAYLOAD_BYTES)) as u64
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
