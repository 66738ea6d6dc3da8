//! How far rings were read and what was counted until then, kept across restarts in `cursors.json`.
//!
//! Which denials and changes are logged is known from their logs alone. This file adds what the logs do
//! not hold: decisions whose lines have left the kept files, the allow lane, counters of rings already
//! counted, and the exporter's own counters, which the next exporter goes on from.
//! It is written after the logs were synced to disk, so it never claims more than they hold. When it
//! is lost or out of date, counts repeat, and lines that are still in the log do not.

use crate::instance::write_atomically;
use crate::metrics::carried::CarriedCounter;
use guard_core::ring::Cursor;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cursors {
    /// By ring id in hex.
    pub rings: BTreeMap<String, Mark>,
    pub counters: Vec<CarriedCounter>,
}

/// How far one ring was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub deny: LaneMark,
    pub allow: LaneMark,
    /// Absent in files of earlier versions.
    #[serde(default)]
    pub change: LaneMark,
    /// Likewise.
    #[serde(default)]
    pub request: LaneMark,
    /// The values of the ring's counters that were counted.
    pub counters: Vec<u64>,
}

/// How far one lane was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneMark {
    position: u64,
    delivered: u64,
}

// === impl Cursors ===

impl Cursors {
    /// Reads the file at `path`; no cursors when there is none or it is invalid.
    #[must_use]
    pub fn load(path: &Path) -> Self {
        let json = std::fs::read(path).unwrap_or_default();
        serde_json::from_slice(&json).unwrap_or_default()
    }

    /// Replaces the file at `path`.
    ///
    /// # Errors
    ///
    /// When it cannot be written. The old file is then unchanged.
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
