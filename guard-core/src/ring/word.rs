//! One word of a lane.
//!
//! ```text
//!          63 62       56 55                                    0
//! header:   1 │ length: 15 │ position: 48                       │  counted in words
//! body:     0 │ lap: 7     │ payload: a group of 7 bytes         │
//! ```
//!
//! Each word has a bit that marks headers, and a header its position, so that a reader may begin
//! anywhere. A body word has the lap of the ring on which it was written, which distinguishes a word
//! left by a writer that was suspended for a whole lap from the record around it. (Only after a
//! multiple of 128 laps, to the word, would it be taken for another's.)

/// Payload bits in a body word.
const PAYLOAD_BITS: u32 = 56;
/// The payload of a body word.
const PAYLOAD_MASK: u64 = (1 << PAYLOAD_BITS) - 1;

const HEADER_BIT: u64 = 1 << 63;
const LEN_SHIFT: u32 = 48;
const POSITION_MASK: u64 = (1 << LEN_SHIFT) - 1;
const LAP_MASK: u64 = 0x7f;

/// The header of a record of `len` words, itself included, at `position`.
#[inline]
pub(super) const fn header(position: u64, len: u64) -> u64 {
    HEADER_BIT | len << LEN_SHIFT | position & POSITION_MASK
}

/// The length in words, if this is the header of the record at `position`.
#[inline]
pub(super) const fn header_len(word: u64, position: u64) -> Option<u64> {
    if word & HEADER_BIT != 0 && word & POSITION_MASK == position & POSITION_MASK {
        Some((word & !HEADER_BIT) >> LEN_SHIFT)
    } else {
        None
    }
}

/// The bits that the body words of a lap share.
#[inline]
pub(super) const fn lap_bits(lap: u64) -> u64 {
    (lap & LAP_MASK) << PAYLOAD_BITS
}

/// A body word.
#[inline]
pub(super) const fn body(lap_bits: u64, payload: u64) -> u64 {
    lap_bits | payload & PAYLOAD_MASK
}

/// The payload, if this is a body word of that lap.
#[inline]
pub(super) const fn payload(word: u64, lap_bits: u64) -> Option<u64> {
    if word & !PAYLOAD_MASK == lap_bits {
        Some(word & PAYLOAD_MASK)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_valid_at_its_own_position_only() {
        let word = header(1 << 47 | 5, 0x7fff);
        assert_eq!(header_len(word, 1 << 47 | 5), Some(0x7fff));
        assert_eq!(header_len(word, 5), None);
        assert_eq!(
            header_len(body(lap_bits(127), u64::MAX), POSITION_MASK),
            None
        );
        assert_eq!(header_len(0, 0), None);
    }

    #[test]
    fn a_body_word_is_valid_on_its_own_lap_only() {
        let word = body(lap_bits(3), 0xab);
        assert_eq!(payload(word, lap_bits(3)), Some(0xab));
        assert_eq!(payload(word, lap_bits(2)), None);
        assert_eq!(payload(header(3, 3), lap_bits(3)), None);
    }
}
