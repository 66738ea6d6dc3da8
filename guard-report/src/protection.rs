//! What a guard protects: a small file beside its ring, which the guard writes and the exporter reads.
//!
//! A ring's header has room for numbers only; names, paths and ends of overrides are here. The file is
//! `.RING.json`, where RING is the ring's id: a name with a dot counts as no ring. It is written whole
//! and renamed, whenever the policy in force changes.
//!
//! It decides nothing: a guard that cannot write it guards all the same, and what it protects is then
//! not shown.

use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The policy that a guard has in force, as far as people are shown it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Protection {
    /// The policy file, whether it is there or not.
    pub policy: String,
    /// Where the policy is from: `file`, `last_good` (of a file that is bad now) or `command_line`
    /// (there is no file).
    pub origin: String,
    /// What is protected. Each place of a zone that links lead to is one.
    pub zones: Vec<ProtectedZone>,
    /// The temporary overrides, also those that have ended.
    pub overrides: Vec<TemporaryOverride>,
}

/// A place of a zone.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct ProtectedZone {
    /// The zone's name.
    pub name: String,
    /// The canonical path.
    pub path: String,
}

/// An override.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct TemporaryOverride {
    /// Its id in logs.
    pub id: String,
    /// What it opens, with everything below.
    pub path: String,
    /// For which operations.
    pub operations: Vec<String>,
    /// For which agent; `null` for all.
    pub agent: Option<String>,
    /// In which session; `null` for all.
    pub session: Option<String>,
    /// When it ends, RFC 3339; `null` for never.
    pub expires: Option<String>,
    /// Who granted it.
    pub granted_by: Option<String>,
}

/// The name of the file of the ring with this id.
#[must_use]
pub fn file_name(ring: &str) -> String {
    format!(".{ring}.json")
}

/// The file of the ring at `path`, whose id is `ring`.
#[must_use]
pub fn path_beside(path: &Path, ring: &str) -> PathBuf {
    path.with_file_name(file_name(ring))
}

// === impl Protection ===

impl Protection {
    /// Reads a file; `None` when there is none, or it is none of this kind.
    #[must_use]
    pub fn read(path: &Path) -> Option<Self> {
        let found = path.symlink_metadata().ok()?;
        if !found.is_file() {
            return None;
        }
        let mut text = Vec::new();
        let file = File::open(path).ok()?;
        file.take(MAX_BYTES).read_to_end(&mut text).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

// === impl TemporaryOverride ===

impl TemporaryOverride {
    /// Whether it has not ended at this wall clock time, nanoseconds.
    #[must_use]
    pub fn is_live(&self, now_ns: u64) -> bool {
        let end = self.expires.as_deref().map(crate::time::parse);
        end.is_none_or(|end| end.is_ok_and(|end| now_ns < end))
    }
}

/// More than any policy needs: paths have up to 4 KiB.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = path_beside(&dir.path().join("00ff.ring"), "00ff");
        assert_eq!(path, dir.path().join(".00ff.json"));
        assert_eq!(Protection::read(&path), None);
        let protection = Protection {
            policy: "/home/u/.codex/es_policy.json".to_owned(),
            origin: "file".to_owned(),
            zones: vec![ProtectedZone {
                name: "p".to_owned(),
                path: "/home/u/p".to_owned(),
            }],
            overrides: Vec::new(),
        };
        std::fs::write(&path, serde_json::to_vec(&protection).unwrap()).unwrap();
        assert_eq!(Protection::read(&path), Some(protection));
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(Protection::read(&link), None);
        std::fs::write(&path, "{").unwrap();
        assert_eq!(Protection::read(&path), None);
    }

    #[test]
    fn an_override_lives_to_its_end() {
        let until = |expires: Option<&str>| TemporaryOverride {
            id: String::new(),
            path: String::new(),
            operations: Vec::new(),
            agent: None,
            session: None,
            expires: expires.map(str::to_owned),
            granted_by: None,
        };
        assert!(until(None).is_live(u64::MAX));
        let end = until(Some("1970-01-01T00:00:10Z"));
        assert!(end.is_live(9_999_999_999) && !end.is_live(10_000_000_000));
    }
}
