//! Comparison of component names, as volumes compare them.
//!
//! A folding decides which names are equal, and gives equal names equal hashes. Each directory of a
//! tree has its own, since volumes differ.
//!
//! [`Folding::Normalized`] and [`Folding::Insensitive`] follow APFS and HFS+ (Apple, "About Apple
//! File System", frequently asked questions): canonically equivalent names are one
//! name; in the second so are names that differ in case. Case is folded in full (`ß` is `ss`) by the
//! standard library's tables, which may be newer than a volume's. A difference makes names equal that
//! the volume distinguishes: a few more names are then protected, never fewer.

use unicode_normalization::UnicodeNormalization as _;

/// How the names in a directory are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Folding {
    /// Byte by byte, as on Linux and on case-sensitive HFS+ volumes.
    #[default]
    Exact,
    /// Ignoring Unicode normalization, as on case-sensitive APFS volumes. Bytes that are not UTF-8
    /// are compared as bytes.
    Normalized,
    /// Ignoring case, too.
    Insensitive,
}

/// An odd constant with well spread bits (2^64 divided by the golden ratio).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

// === impl Folding ===

impl Folding {
    /// The hash of a component below a parent. It need not resist an attacker: only the author of the
    /// policy chooses what is stored, and a look-up cannot make a chain longer.
    pub(super) fn hash(self, parent: u64, component: &[u8]) -> u64 {
        match self {
            Self::Exact => {
                let (words, rest) = component.as_chunks::<8>();
                let mut hash = (parent + 1).wrapping_mul(SPREAD);
                for word in words {
                    hash = stir(hash, u64::from_le_bytes(*word));
                }
                let mut last = [0; 8];
                for (to, from) in last.iter_mut().zip(rest) {
                    *to = *from;
                }
                // The length distinguishes a name from the same name followed by NULs.
                hash = stir(
                    hash,
                    u64::from_le_bytes(last) ^ ((component.len() as u64) << 56),
                );
                hash ^ (hash >> 29)
            }
            Self::Normalized | Self::Insensitive => {
                let start = (parent + 1).wrapping_mul(SPREAD);
                let step = |hash, byte| stir(hash, u64::from(byte));
                let hash = match self {
                    Self::Insensitive if component.is_ascii() => component
                        .iter()
                        .map(u8::to_ascii_lowercase)
                        .fold(start, step),
                    Self::Insensitive => folded(component).fold(start, step),
                    _ => decomposed(component).fold(start, step),
                };
                hash ^ (hash >> 29)
            }
        }
    }

    /// Whether both are the same name.
    pub(super) fn same(self, stored: &[u8], asked: &[u8]) -> bool {
        match self {
            Self::Exact => stored == asked,
            Self::Normalized => stored == asked || decomposed(stored).eq(decomposed(asked)),
            Self::Insensitive if stored.is_ascii() && asked.is_ascii() => {
                stored.eq_ignore_ascii_case(asked)
            }
            Self::Insensitive => folded(stored).eq(folded(asked)),
        }
    }

    /// A key that equal names share.
    pub(super) fn key(self, name: &[u8]) -> Box<[u8]> {
        match self {
            Self::Exact => name.into(),
            Self::Normalized => decomposed(name).collect(),
            Self::Insensitive => folded(name).collect(),
        }
    }
}

/// The bytes of a name, folded. Decomposed both before folding case (`İ` is `I` with a dot) and
/// after (folded letters may be composed).
fn folded(name: &[u8]) -> impl Iterator<Item = u8> {
    name.utf8_chunks().flat_map(|chunk| {
        let letters = chunk.valid().chars().nfd();
        let folded = letters.flat_map(|letter| letter.to_uppercase().flat_map(char::to_lowercase));
        let bytes = folded.nfd().flat_map(encoded);
        bytes.chain(chunk.invalid().iter().copied())
    })
}

/// The bytes of a name, decomposed.
fn decomposed(name: &[u8]) -> impl Iterator<Item = u8> {
    name.utf8_chunks().flat_map(|chunk| {
        let bytes = chunk.valid().chars().nfd().flat_map(encoded);
        bytes.chain(chunk.invalid().iter().copied())
    })
}

fn encoded(letter: char) -> impl Iterator<Item = u8> {
    let mut room = [0; 4];
    let length = letter.encode_utf8(&mut room).len();
    room.into_iter().take(length)
}

fn stir(hash: u64, word: u64) -> u64 {
    (hash ^ word).rotate_left(23).wrapping_mul(SPREAD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FOLDING: Folding = Folding::Insensitive;

    #[test]
    fn case_and_normalization_make_no_difference() {
        for (left, right) in [
            ("Work", "work"),
            ("Ärger", "a\u{308}RGER"),
            ("Straße", "STRASSE"),
            ("ΟΔΟΣ", "οδος"),
            ("İ", "i\u{307}"),
            ("\u{212a}elvin", "kelvin"),
            ("ﾊ", "ﾊ"),
            ("각", "\u{1100}\u{1161}\u{11a8}"),
        ] {
            let (left, right) = (left.as_bytes(), right.as_bytes());
            assert!(FOLDING.same(left, right), "{left:?} {right:?}");
            assert_eq!(FOLDING.hash(7, left), FOLDING.hash(7, right));
            assert_eq!(FOLDING.key(left), FOLDING.key(right));
        }
    }

    #[test]
    fn different_names_stay_different() {
        for (left, right) in [
            (&b"work"[..], &b"works"[..]),
            ("é".as_bytes(), b"e"),
            ("ﬃx".as_bytes(), b"fix"),
            (b"a\xff", b"a\xfe"),
            (b"a\xff", b"a"),
        ] {
            assert!(!FOLDING.same(left, right), "{left:?} {right:?}");
        }
        assert!(!Folding::Exact.same(b"Work", b"work"));
        let (composed, apart) = ("Ärger".as_bytes(), "A\u{308}rger".as_bytes());
        assert!(Folding::Normalized.same(composed, apart));
        assert_eq!(
            Folding::Normalized.hash(1, composed),
            Folding::Normalized.hash(1, apart)
        );
        assert!(!Folding::Normalized.same(b"Work", b"work"));
        assert!(FOLDING.same(b"A\xffB", b"a\xffb"));
    }

    proptest! {
        #[test]
        fn equal_names_have_equal_hashes(name in "\\PC{0,12}", parent in 0u64..9) {
            let upper = name.to_uppercase();
            let composed: String = name.nfc().collect();
            for other in [upper.as_str(), &composed] {
                let (name, other) = (name.as_bytes(), other.as_bytes());
                prop_assert_eq!(
                    FOLDING.same(name, other),
                    FOLDING.key(name) == FOLDING.key(other)
                );
                if FOLDING.same(name, other) {
                    prop_assert_eq!(FOLDING.hash(parent, name), FOLDING.hash(parent, other));
                }
            }
            prop_assert!(FOLDING.same(name.as_bytes(), composed.as_bytes()));
        }
    }
}
