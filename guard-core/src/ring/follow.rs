//! Reading one lane.
//!
//! A [`Follower`] has a position, and checks word by word whether the record there is whole. It
//! writes nothing, so any number of followers may read the same ring.
//!
//! It guarantees that a record is delivered whole or not at all, in the order of sequence numbers,
//! each at most once, and that records it could not deliver are counted. It trusts nothing it reads:
//! a call visits a bounded number of words and allocates no more than the longest record, whatever
//! the words are.

use super::lane::{Span, record_words};
use super::memory::ReadWords;
use super::position::RingPosition;
use super::word;
use crate::event::{GROUP_BYTES, MAX_ENCODED_BYTES};
use crate::sync::{Ordering, fence};

/// The state of a reader of one lane.
#[derive(Clone, Debug)]
pub(super) struct Follower {
    span: Span,
    position: u64,
    /// The next sequence number expected.
    expected: u64,
    /// Expected records that will not be delivered.
    lost: u64,
    /// Whether `position` may be inside a record, because writers have overtaken the reader.
    adrift: bool,
}

/// What is at a position.
enum Found {
    /// A whole record of this many words, its payload in the buffer.
    Record { len: u64, sequence: u64 },
    /// A header whose record is not whole.
    Torn { len: u64 },
    /// No header: not committed yet, or never to be.
    Nothing,
}

/// The most words of a record.
const MAX_RECORD_WORDS: u64 = record_words(MAX_ENCODED_BYTES / GROUP_BYTES);
/// The fewest.
const MIN_RECORD_WORDS: u64 = record_words(0);
/// How far ahead of the writers to continue if they overtake again during one call.
const FIRST_MARGIN: u64 = 64;

// === impl Follower ===

impl Follower {
    pub(super) const fn new(span: Span) -> Self {
        Self {
            span,
            position: 0,
            expected: 0,
            lost: 0,
            adrift: false,
        }
    }

    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    pub(super) const fn expected(&self) -> u64 {
        self.expected
    }

    pub(super) const fn lost(&self) -> u64 {
        self.lost
    }

    /// Counts a delivered record that could not be decoded as lost.
    pub(super) const fn count_lost(&mut self) {
        self.lost = self.lost.saturating_add(1);
    }

    /// Continues from an earlier position. One that this lane never had is another ring's; then all
    /// that is left of the lane is read.
    pub(super) fn resume(&mut self, words: &ReadWords, at: RingPosition) {
        let head = self.span.head(words);
        *self = Self::new(self.span);
        if at.sequence <= head.sequence {
            self.expected = at.sequence;
            if at.position <= head.position {
                self.position = at.position;
            }
        }
    }

    /// Copies the payload of the next record into `payload` and returns its sequence number; `None`
    /// if there is none now.
    pub(super) fn advance(
        &mut self,
        words: &ReadWords,
        writer_is_dead: impl Fn() -> bool,
        payload: &mut Vec<u8>,
    ) -> Option<u64> {
        let capacity = self.span.capacity as u64;
        // One pass over the lane visits all that is in it; hostile words may make that take longer.
        let mut budget = capacity * 2;
        let mut margin = 0;
        while budget > 0 {
            let head = self.span.head(words);
            let ahead = head.position.wrapping_sub(self.position);
            if ahead == 0 {
                self.skip_to(head);
                return None;
            }
            if ahead > capacity {
                self.position = head.position.saturating_sub(capacity - margin);
                self.adrift = true;
                margin = (margin * 2).clamp(FIRST_MARGIN.min(capacity / 2), capacity / 2);
            }
            let spent = match self.read(words, payload) {
                Found::Record { len, sequence } => {
                    if self.is_overtaken(words) {
                        budget = budget.saturating_sub(len);
                        continue;
                    }
                    self.adrift = false;
                    self.position = self.position.wrapping_add(len);
                    if sequence >= self.expected {
                        self.lost = self.lost.saturating_add(sequence - self.expected);
                        self.expected = sequence.saturating_add(1);
                        return Some(sequence);
                    }
                    len
                }
                Found::Torn { len } => {
                    if !self.is_overtaken(words) {
                        self.position = self.position.wrapping_add(len);
                        self.adrift = true;
                    }
                    len
                }
                Found::Nothing => self.pass_hole(words, &writer_is_dead, budget)?,
            };
            budget = budget.saturating_sub(spent);
        }
        None
    }

    /// Reads what is at the position.
    fn read(&self, words: &ReadWords, payload: &mut Vec<u8>) -> Found {
        let first = words.load(self.span.index(self.position));
        let Some(len) = word::header_len(first, self.position) else {
            return Found::Nothing;
        };
        // SYNC POINT: pairs with the release store of the header in `LaneWriter::publish`.
        fence(Ordering::Acquire);
        if !(MIN_RECORD_WORDS..=MAX_RECORD_WORDS).contains(&len) {
            return Found::Torn { len: 1 };
        }
        payload.clear();
        let mut sequence = None;
        for offset in 1..len {
            let position = self.position.wrapping_add(offset);
            let word = words.load(self.span.index(position));
            let Some(seven) = word::payload(word, word::lap_bits(self.span.lap(position))) else {
                return Found::Torn { len };
            };
            if sequence.is_none() {
                sequence = Some(seven);
            } else {
                // Eight bytes and one less: a copy of fixed length.
                payload.extend_from_slice(&seven.to_le_bytes());
                payload.pop();
            }
        }
        sequence.map_or(Found::Torn { len }, |sequence| Found::Record {
            len,
            sequence,
        })
    }

    /// Whether a writer may have begun to overwrite what was just read at the position.
    fn is_overtaken(&self, words: &ReadWords) -> bool {
        // SYNC POINT: pairs with the release fence in `LaneWriter::publish`.
        fence(Ordering::Acquire);
        let ahead = self.span.head(words).position.wrapping_sub(self.position);
        ahead > self.span.capacity as u64
    }

    /// Advances to the next header, if the words before it will never become a record, and returns
    /// how many words that skipped; `None` if there is nothing to do but wait.
    fn pass_hole(
        &mut self,
        words: &ReadWords,
        writer_is_dead: impl Fn() -> bool,
        budget: u64,
    ) -> Option<u64> {
        // A writer between reserving and committing is waited for, at most until the others have
        // written one lap. Once overtaken there is no waiting: what it left is a lap old.
        let settled = self.span.settled_head(words);
        let end = settled.or_else(|| writer_is_dead().then(|| self.span.head(words)));
        let head = match end {
            Some(head) => head,
            None if self.adrift => self.span.head(words),
            None => return None,
        };
        let ahead = head.position.wrapping_sub(self.position);
        // From the position itself: it may have been committed since it was read.
        let header = (0..ahead.min(budget)).find(|offset| {
            let position = self.position.wrapping_add(*offset);
            word::header_len(words.load(self.span.index(position)), position).is_some()
        });
        if let Some(offset) = header {
            self.position = self.position.wrapping_add(offset);
            return Some(offset.max(1));
        }
        if end.is_some() && ahead <= budget {
            self.skip_to(head);
        }
        None
    }

    /// Continues behind all that was reserved; records not delivered until here are lost.
    fn skip_to(&mut self, head: RingPosition) {
        self.position = head.position;
        self.adrift = false;
        let missing = head.sequence.saturating_sub(self.expected);
        self.lost = self.lost.saturating_add(missing);
        self.expected = self.expected.max(head.sequence);
    }
}
