//! When two component names are the same name.
//!
//! The one seam for volumes that fold case or Unicode: a folding says which names are equal and
//! gives equal names equal hashes. Only [`Folding::Exact`] exists so far.

/// How component names are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Folding {
    /// Byte by byte, as on Linux and on case-sensitive volumes.
    #[default]
    Exact,
}

/// An odd constant with well spread bits (2^64 divided by the golden ratio).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

// === impl Folding ===

impl Folding {
    /// The hash of a component below a parent. It need not withstand an attacker: who may write
    /// the policy chooses what is stored, and a look-up alone cannot make a chain longer.
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
                // The length tells a name from the same name followed by NULs.
                hash = stir(
                    hash,
                    u64::from_le_bytes(last) ^ ((component.len() as u64) << 56),
                );
                hash ^ (hash >> 29)
            }
        }
    }

    /// Whether both are the same name.
    pub(super) fn same(self, stored: &[u8], asked: &[u8]) -> bool {
        match self {
            Self::Exact => stored == asked,
        }
    }
}

fn stir(hash: u64, word: u64) -> u64 {
    (hash ^ word).rotate_left(23).wrapping_mul(SPREAD)
}
