//! The hash chain of a denial log: each line has the hash of the line before and its own.
//!
//! A sealed line ends with two more fields:
//!
//! ```json
//! {"ts":1718000000,…,"prev":"<64 hex digits>","hash":"<64 hex digits>"}
//! ```
//!
//! `hash` is the SHA-256 of the line's bytes before `,"hash":`, `prev` among them; `prev` is the
//! `hash` of the line before. Before the first line ever that is [`Digest::NONE`], and after a line
//! without a seal (written while the chain was off) the SHA-256 of all its bytes. The chain goes on
//! from file to file, so the numbered files and the log are one chain.
//!
//! It guarantees that a line that was changed, removed, inserted or moved is detected, unless all later
//! hashes were recomputed. It does not detect that: whoever can write the log can recompute hashes or
//! cut lines off its end, which only a [head](super::DecisionLog::head) copied elsewhere reveals. Lines
//! written while the chain was off are not protected.
//!
//! ```
//! use guard_exporter::denial_log::chain::{Chain, Digest, Seal};
//!
//! let mut line = b"{\"seq\":0}\n".to_vec();
//! let mut chain = Chain::after(None);
//! chain.seal(&mut line, 0);
//! let seal = Seal::of(&line[..line.len() - 1]).unwrap();
//! assert_eq!(seal.prev, Digest::NONE);
//! assert!(seal.is_intact);
//! ```

use guard_report::hex;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

/// Not 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256: 64 hexadecimal digits, as in a line's \"hash\"")]
pub struct NotADigest;

/// The hash that the next line will have as its predecessor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    head: Digest,
}

/// The hashes in a sealed line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The hash of the line before.
    pub prev: Digest,
    /// The hash of this line, as it is written there.
    pub hash: Digest,
    /// Whether it is the hash of the line.
    pub is_intact: bool,
}

// === impl Digest ===

impl Digest {
    /// The predecessor of the first line.
    pub const NONE: Self = Self([0; 32]);

    /// The hash of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    fn parse(digits: &[u8]) -> Option<Self> {
        let (pairs, rest) = digits.as_chunks::<2>();
        if pairs.len() != 32 || !rest.is_empty() {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        Self::parse(text.trim().to_ascii_lowercase().as_bytes()).ok_or(NotADigest)
    }
}

// === impl Chain ===

impl Chain {
    /// Continues after `line`, without its newline; `None` when there is no line.
    #[must_use]
    pub fn after(line: Option<&[u8]>) -> Self {
        Self {
            head: line.map_or(Digest::NONE, link),
        }
    }

    /// Appends both hashes to the line that begins at `start` and ends with `}` and a newline.
    pub fn seal(&mut self, lines: &mut Vec<u8>, start: usize) {
        debug_assert!(lines.ends_with(b"}\n"), "an object and a newline");
        lines.truncate(lines.len().saturating_sub(2));
        lines.extend_from_slice(PREV);
        lines.extend_from_slice(self.head.to_string().as_bytes());
        lines.push(b'"');
        self.head = Digest::of(&lines[start..]);
        lines.extend_from_slice(HASH);
        lines.extend_from_slice(self.head.to_string().as_bytes());
        lines.extend_from_slice(b"\"}\n");
    }
}

// === impl Seal ===

impl Seal {
    /// The seal of `line`, without its newline; `None` when it has none.
    #[must_use]
    pub fn of(line: &[u8]) -> Option<Self> {
        let (covered, hash) = ending(line.strip_suffix(b"}")?, HASH)?;
        let (_, prev) = ending(covered, PREV)?;
        Some(Self {
            prev,
            hash,
            is_intact: Digest::of(covered) == hash,
        })
    }
}

/// The hash that the line after `line` has as its predecessor.
#[must_use]
pub fn link(line: &[u8]) -> Digest {
    Seal::of(line).map_or_else(|| Digest::of(line), |seal| seal.hash)
}

/// The text before a last field with a digest, and the digest.
fn ending<'l>(text: &'l [u8], name: &[u8]) -> Option<(&'l [u8], Digest)> {
    let text = text.strip_suffix(b"\"")?;
    let (text, digits) = text.split_at_checked(text.len().checked_sub(64)?)?;
    Some((text.strip_suffix(name)?, Digest::parse(digits)?))
}

/// The value of a lower-case hexadecimal digit: a digest is written in one way only.
const fn digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

const PREV: &[u8] = b",\"prev\":\"";
const HASH: &[u8] = b",\"hash\":\"";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_line_is_the_line_and_two_fields() {
        let mut lines = b"{\"seq\":0}\n{\"seq\":1}\n".to_vec();
        let mut chain = Chain::after(Some(b"by hand"));
        chain.seal(&mut lines, 10);
        let line = lines.get(10..lines.len() - 1).unwrap();
        let value: serde_json::Value = serde_json::from_slice(line).unwrap();
        assert_eq!(value["seq"], 1);
        assert_eq!(value["prev"], Digest::of(b"by hand").to_string());
        // As `sed 's/,"hash":"[0-9a-f]*"}$//' | sha256sum` would have it.
        let text = std::str::from_utf8(line).unwrap();
        let (covered, _) = text.split_once(",\"hash\"").unwrap();
        assert_eq!(value["hash"], Digest::of(covered.as_bytes()).to_string());
        assert_eq!(Chain::after(Some(line)), chain);
    }

    #[test]
    fn other_endings_are_no_seal() {
        let digits = "ab".repeat(32);
        for line in [
            String::new(),
            "{}".to_owned(),
            format!("{{\"seq\":0,\"hash\":\"{digits}\"}}"),
            format!("{{\"seq\":0,\"prev\":\"{digits}\",\"hash\":\"{digits}\"}} "),
            format!(
                "{{\"seq\":0,\"prev\":\"{digits}\",\"hash\":\"{}\"}}",
                digits.to_uppercase()
            ),
            format!("{{\"path\":\",\\\"prev\\\":\\\"{digits}\",\"hash\":\"{digits}\"}}"),
        ] {
            assert_eq!(Seal::of(line.as_bytes()), None, "{line}");
        }
        let line = format!("{{\"seq\":0,\"prev\":\"{digits}\",\"hash\":\"{digits}\"}}");
        assert!(!Seal::of(line.as_bytes()).unwrap().is_intact);
    }

    #[test]
    fn a_digest_is_parsed_as_it_is_written() {
        let digest = Digest::of(b"");
        let text = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest.to_string(), text);
        assert_eq!(text.parse(), Ok(digest));
        assert_eq!(text.to_uppercase().parse(), Ok(digest));
        for bad in [
            "",
            "e3",
            &text[1..],
            &format!("{text}00"),
            &text.replace('e', "g"),
        ] {
            assert_eq!(bad.parse::<Digest>(), Err(NotADigest), "{bad}");
        }
    }
}
