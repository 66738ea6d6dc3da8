//! How far rings were read, kept across restarts in `cursors.json`.
//!
//! The denial log alone tells which denials are in it; this file only adds what the log cannot:
//! denials whose lines have left the kept files, the allow lane, and counters already counted.
//! It is written after the log reached the medium, so it never claims more than the log holds. Lost
//! or out of date, it costs repeated counts (never repeated lines still in the log).

use crate::instance::write_atomically;
use guard_core::ring::Cursor;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// By ring id in hex.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursors(pub BTreeMap<String, Mark>);

/// How far one ring was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// In the deny lane.
    pub deny: LaneMark,
    /// In the allow lane.
    pub allow: LaneMark,
    /// The ring's counters that were counted, by their numbers.
    pub counters: Vec<u64>,
}

/// How far one lane was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneMark {
    position: u64,
    delivered: u64,
}

// === impl Cursors ===

impl Cursors {
    /// What the file at `path` says; nothing when there is none or it is not understood.
    #[must_use]
    pub fn load(path: &Path) -> Self {
        let json = std::fs::read(path).unwrap_or_default();
        serde_json::from_slice(&json).unwrap_or_default()
    }

    /// Replaces the file at `path`.
    ///
    /// # Errors
    ///
    /// When it cannot be written. The old file then stands.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        write_atomically(
            path,
            &serde_json::to_vec(self).expect("numbers and strings make JSON"),
        )
    }
}

// === impl LaneMark ===

impl From<Cursor> for LaneMark {
    fn from(
        Cursor {
            position,
            delivered,
        }: Cursor,
    ) -> Self {
        Self {
            position,
            delivered,
        }
    }
}

impl From<LaneMark> for Cursor {
    fn from(
        LaneMark {
            position,
            delivered,
        }: LaneMark,
    ) -> Self {
        Self {
            position,
            delivered,
        }
    }
}
