//! A scratch home with a guard's directories and rings.

use guard_core::ring::{Counter, Producer, RingOptions};
use guard_report::paths;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A home directory, removed when dropped.
#[derive(Debug)]
pub struct Home {
    _dir: TempDir,
    path: PathBuf,
}

// === impl Home ===

impl Home {
    /// A home with an empty state directory that only this user can enter.
    #[must_use]
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        // As the kernel names it.
        let path = fs::canonicalize(dir.path()).unwrap();
        let home = Self { _dir: dir, path };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(home.rings())
            .unwrap();
        home
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `~/.codex/es-guard`.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        paths::state_directory(&self.path)
    }

    /// Where this user's rings are.
    #[must_use]
    pub fn rings(&self) -> PathBuf {
        self.state().join("rings")
    }

    /// The denial log.
    #[must_use]
    pub fn denial_log(&self) -> PathBuf {
        paths::denial_log(&self.state())
    }

    /// The ring of a guard that enforces a good policy.
    #[must_use]
    pub fn ring(&self, id: u8) -> Producer {
        self.ring_with(&RingOptions {
            id: [id; 16],
            ..RingOptions::default()
        })
    }

    /// The same with these options.
    #[must_use]
    pub fn ring_with(&self, options: &RingOptions) -> Producer {
        let name = format!("{}.ring", guard_report::hex(&options.id));
        let ring = Producer::create(&self.rings().join(name), options).unwrap();
        ring.set(Counter::EnforcementActive, 1);
        ring.set(Counter::PolicyOk, 1);
        ring
    }
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events;
    use guard_core::ring::Lane;
    use guard_report::rings::readers;

    #[test]
    fn a_ring_is_found_where_guards_put_it() {
        let home = Home::new();
        let ring = home.ring(7);
        ring.publish(&events::DENIAL);
        let uid = owner(&home);
        let mut readers = readers(&[home.rings()], uid);
        assert_eq!(readers.len(), 1);
        assert_eq!(readers[0].next(Lane::Deny), Some(events::DENIAL));
    }

    fn owner(home: &Home) -> u32 {
        use std::os::unix::fs::MetadataExt as _;
        home.path().metadata().unwrap().uid()
    }
}
