//! Paths in JSON, which knows only Unicode.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// A path as the kernel knows it: any bytes.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BytePath(pub Vec<u8>);

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Bytes { hex: String },
}

#[derive(Serialize)]
struct Hex {
    hex: String,
}

// === impl BytePath ===

impl BytePath {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As a path of this system.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }
}

impl From<&[u8]> for BytePath {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl From<Vec<u8>> for BytePath {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Debug for BytePath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_path().fmt(f)
    }
}

// === impl Serialize for BytePath ===

impl Serialize for BytePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Ok(text) = std::str::from_utf8(&self.0) {
            return serializer.serialize_str(text);
        }
        let mut hex = String::with_capacity(self.0.len() * 2);
        for byte in &self.0 {
            write!(hex, "{byte:02x}").map_err(serde::ser::Error::custom)?;
        }
        Hex { hex }.serialize(serializer)
    }
}

// === impl Deserialize for BytePath ===

impl<'de> Deserialize<'de> for BytePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Text(text) => Ok(Self(text.into_bytes())),
            Written::Bytes { hex } => from_hex(&hex)
                .map(Self)
                .ok_or_else(|| D::Error::custom("a path's hex digits do not pair up")),
        }
    }
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.iter().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_come_back() {
        let long = vec![0xfe; 4_096];
        for bytes in [
            b"/z/a".as_slice(),
            "/z/ä\n\"".as_bytes(),
            b"/z/\xff\x00",
            b"",
            &long,
        ] {
            let path = BytePath::from(bytes);
            let text = serde_json::to_string(&path).unwrap();
            assert_eq!(serde_json::from_str::<BytePath>(&text).unwrap(), path);
        }
        assert_eq!(
            serde_json::to_string(&BytePath::from(&b"\xff"[..])).unwrap(),
            r#"{"hex":"ff"}"#
        );
        for bad in [r#"{"hex":"f"}"#, r#"{"hex":"zz"}"#, "7"] {
            assert!(serde_json::from_str::<BytePath>(bad).is_err(), "{bad}");
        }
    }
}
