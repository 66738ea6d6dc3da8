//! The position and the number of a record, in one atomic word.
//!
//! The positions of records must be in the order of their numbers, else a reader that resumes after
//! number *n* would skip a lower one further on. So both are taken by a single `fetch_add`: a lane's
//! tally counts `sequence · 2³⁴ + position`, modulo 2⁶⁴. The low 34 bits are thus exactly those of
//! the position; the rest is `sequence + position / 2³⁴` modulo 2³⁰.
//!
//! The full numbers never wrap (2⁵⁶ records, 2⁶⁴ words) and are derived from two anchors in the
//! ring's header, an older position and an older sequence, both full: the true number is the one
//! nearest to the anchor that has the tally's bits. That is right as long as the anchor is fewer
//! than 2³³ words and 2²⁹ records away; writers advance the anchors every 2¹⁶. A writer would have to
//! be suspended between two instructions while others publish 68 GB.

/// A point in a lane, between records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RingPosition {
    /// Words reserved before it.
    pub(super) position: u64,
    /// Records reserved before it.
    pub(super) sequence: u64,
}

const POSITION_BITS: u32 = 34;
const SEQUENCE_BITS: u32 = u64::BITS - POSITION_BITS;

/// How far an anchor may fall behind before a writer advances it.
const ANCHOR_DISTANCE: u64 = 1 << 16;

// === impl RingPosition ===

impl RingPosition {
    /// The tally of this position; also what a tally grows by for a record of so many words.
    #[inline]
    pub(super) const fn tally(self) -> u64 {
        (self.sequence << POSITION_BITS).wrapping_add(self.position)
    }

    /// What a tally grows by for one record.
    #[inline]
    pub(super) const fn record(words: u64) -> u64 {
        Self {
            position: words,
            sequence: 1,
        }
        .tally()
    }

    /// The position with this tally near `anchor`.
    #[inline]
    pub(super) const fn near(anchor: Self, tally: u64) -> Self {
        let position = nearest(anchor.position, tally, POSITION_BITS);
        let records = tally.wrapping_sub(position) >> POSITION_BITS;
        Self {
            position,
            sequence: nearest(anchor.sequence, records, SEQUENCE_BITS),
        }
    }

    /// Whether `anchor` should be advanced to this position.
    #[inline]
    pub(super) const fn is_far_from(self, anchor: Self) -> bool {
        let position = self.position.wrapping_sub(anchor.position).cast_signed();
        let sequence = self.sequence.wrapping_sub(anchor.sequence).cast_signed();
        let limit = ANCHOR_DISTANCE.cast_signed();
        position >= limit || sequence >= limit
    }
}

/// The number nearest to `anchor` whose low `bits` bits are those of `low`.
#[inline]
const fn nearest(anchor: u64, low: u64, bits: u32) -> u64 {
    let unused = u64::BITS - bits;
    let distance = (low.wrapping_sub(anchor) << unused).cast_signed() >> unused;
    anchor.wrapping_add_signed(distance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tallies_give_positions_long_after_their_bits_have_wrapped() {
        let mut anchor = RingPosition::default();
        let mut at = RingPosition::default();
        // About 2⁴² words in 2³⁷ records, in steps short enough for the anchor to follow.
        for step in 0..40_000_u64 {
            at.position += (1 << 27) + step;
            at.sequence += (1 << 22) + step % 7;
            let found = RingPosition::near(anchor, at.tally());
            assert_eq!(found, at);
            if found.is_far_from(anchor) {
                anchor = found;
            }
        }
        assert!(at.position > 1 << 42 && at.sequence > 1 << 37);
    }

    #[test]
    fn an_anchor_ahead_of_the_tally_serves_as_well() {
        let at = RingPosition {
            position: (1 << 34) - 1,
            sequence: (1 << 30) - 1,
        };
        let anchor = RingPosition {
            position: (1 << 34) + 9,
            sequence: (1 << 30) + 9,
        };
        assert_eq!(RingPosition::near(anchor, at.tally()), at);
        assert!(!at.is_far_from(anchor));
    }

    #[test]
    fn a_record_adds_one_and_its_words() {
        let at = RingPosition {
            position: 100,
            sequence: 5,
        };
        let next = RingPosition {
            position: 107,
            sequence: 6,
        };
        assert_eq!(at.tally() + RingPosition::record(7), next.tally());
    }
}
