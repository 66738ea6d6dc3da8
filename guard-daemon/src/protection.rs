//! Writes what a guard protects beside its ring, for the page and the API: see
//! [`guard_report::protection`].
//!
//! It is written into the very directory that the ring was made in, whatever has its name since: root
//! guards others behind a directory of theirs.

use crate::policy_file::Origin;
use anyhow::{Context as _, Result};
use guard_core::policy::{OverrideEntry, Snapshot};
use guard_report::protection::{ProtectedZone, Protection, TemporaryOverride, file_name};
use guard_report::time::rfc3339;
use rustix::fs::{Mode, OFlags, openat, renameat};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

/// Where it is written, and what was.
#[derive(Debug)]
pub(crate) struct ProtectionFile {
    directory: File,
    ring: String,
    mode: Mode,
    /// The policy's revision, and where it is from.
    written: Option<(u64, Origin)>,
}

// === impl ProtectionFile ===

impl ProtectionFile {
    /// In the directory at `path`, for the ring with this id; readable by others or not.
    pub(crate) fn in_directory(path: &Path, ring: &str, for_others: bool) -> Result<Self> {
        let directory = File::open(path);
        Ok(Self {
            directory: directory.with_context(|| format!("opening {}", path.display()))?,
            ring: ring.to_owned(),
            mode: Mode::from_raw_mode(if for_others { 0o644 } else { 0o600 }),
            written: None,
        })
    }

    /// Writes what is in force, if that changed.
    pub(crate) fn update(&mut self, snapshot: &Snapshot, origin: Origin, policy: &Path) {
        let now = (snapshot.revision(), origin);
        if self.written == Some(now) {
            return;
        }
        // One that fails is tried again with the next change.
        self.written = Some(now);
        if let Err(error) = self.write(&protection(snapshot, origin, policy)) {
            tracing::warn!("what is protected is not shown: {error:#}");
        }
    }

    fn write(&self, protection: &Protection) -> Result<()> {
        let name = file_name(&self.ring);
        let new = format!("{name}.new");
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW;
        let opened = openat(&self.directory, &new, flags | OFlags::CLOEXEC, self.mode);
        let mut file = File::from(opened.with_context(|| format!("making {new}"))?);
        let text = serde_json::to_vec(protection).context("encoding")?;
        file.write_all(&text)
            .with_context(|| format!("writing {new}"))?;
        rustix::fs::fchmod(&file, self.mode)
            .with_context(|| format!("opening {new} to its reader"))?;
        renameat(&self.directory, &new, &self.directory, &name)
            .with_context(|| format!("renaming {new}"))
    }
}

fn protection(snapshot: &Snapshot, origin: Origin, policy: &Path) -> Protection {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let zones = snapshot.zones().take(MAX_SHOWN).map(|zone| ProtectedZone {
        name: zone.name.to_owned(),
        path: text(zone.path),
    });
    let overrides = snapshot.overrides().iter().take(MAX_SHOWN);
    Protection {
        policy: policy.to_string_lossy().into_owned(),
        origin: match origin {
            Origin::File => "file",
            Origin::LastGood => "last_good",
            Origin::CommandLine => "command_line",
        }
        .to_owned(),
        zones: zones.collect(),
        overrides: overrides.map(temporary).collect(),
    }
}

fn temporary(entry: &OverrideEntry) -> TemporaryOverride {
    let operations = entry.operations.iter();
    TemporaryOverride {
        id: entry.id.clone().unwrap_or_else(|| entry.path.clone()),
        path: entry.path.clone(),
        operations: operations.map(|kind| kind.as_str().to_owned()).collect(),
        agent: entry.agent.clone(),
        session: entry.session.clone(),
        expires: entry.expires_at_ns.map(rfc3339),
        granted_by: entry.granted_by.clone(),
    }
}

/// Of zones, and of overrides.
const MAX_SHOWN: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::policy::{Platform, Policy, Surroundings};

    fn snapshot(text: &str) -> Snapshot {
        let policy = Policy::parse(text.as_bytes()).unwrap();
        let surroundings = Surroundings {
            home: b"/home/u",
            platform: Platform::Linux,
            extra_zones: &[],
            own_files: &[],
            locate: &|_| Vec::new(),
            session: "s",
            started_ns: 0,
        };
        Snapshot::compile(&policy, &surroundings).unwrap()
    }

    #[test]
    fn what_is_in_force_is_written_when_it_changes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".00ff.json");
        let mut file = ProtectionFile::in_directory(dir.path(), "00ff", false).unwrap();
        let policy = Path::new("/home/u/.codex/es_policy.json");
        let first = snapshot(r#"{"protected_zones": ["/home/u/p"]}"#);
        file.update(&first, Origin::File, policy);
        let read = Protection::read(&path).unwrap();
        assert_eq!((read.origin.as_str(), read.zones.len()), ("file", 1));
        assert_eq!(read.zones[0].path, "/home/u/p");

        std::fs::remove_file(&path).unwrap();
        file.update(&first, Origin::File, policy);
        assert!(!path.exists(), "nothing changed");

        let second = snapshot(
            r#"{"protected_zones": ["/home/u/p"], "temporary_overrides": [{"path": "/home/u/p/a",
            "op": ["unlink"], "agent": "codex", "expires_at": "2026-01-02T03:04:05Z", "id": "o-1"}]}"#,
        );
        file.update(&second, Origin::LastGood, policy);
        let read = Protection::read(&path).unwrap();
        assert_eq!(read.origin, "last_good");
        let found = &read.overrides[0];
        assert_eq!((&*found.id, &*found.operations.concat()), ("o-1", "unlink"));
        assert_eq!(
            found.expires.as_deref(),
            Some("2026-01-02T03:04:05.000000000Z")
        );
    }
}
