//! A zone with real files on a simulated Mac, and a store that preserves what agents take of it.
//!
//! The simulator has its own files, which the kernel's messages describe: each is made to describe
//! the real one. What is allowed is then done to the real file, as the kernel would do it.
#![allow(dead_code, reason = "each test uses its own part")]

use crate::support::{Mac, MacConfig};
use endpoint_sec_sim::{Attempt, File, FileType, Process};
use guard_testing::clock::now_ns;
use guard_testing::tree::picture;
use guard_undo::journal::{Began, BytePath, Event, Kept, SessionKind};
use guard_undo::restore::{Applied, Plan, Request};
use guard_undo::store::agents::AgentSessions;
use guard_undo::{Bounds, Preservation, Recorder, Store};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;
use tempfile::TempDir;

/// A Mac with a zone of real files, and a store.
pub(crate) struct Scene {
    pub(crate) mac: Mac,
    pub(crate) zone: PathBuf,
    pub(crate) store: Store,
    _places: [TempDir; 2],
}

/// Where a scene preserves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// In one session.
    Session,
    /// In a session for each agent.
    Agents,
    /// Nowhere: the store cannot be used.
    Unavailable,
}

// === impl Scene ===

impl Scene {
    pub(crate) fn new(fields: &str) -> Self {
        Self::with(fields, Keeping::Session, Path::new("/tmp"), |config| config)
    }

    /// A scene whose policy has `fields` besides its zone, which is made below `place`.
    pub(crate) fn with(
        fields: &str,
        keeping: Keeping,
        place: &Path,
        configure: impl FnOnce(MacConfig<'_>) -> MacConfig<'_>,
    ) -> Self {
        let home = tempfile::tempdir().unwrap();
        let place = tempfile::tempdir_in(place).unwrap();
        let zone = place.path().canonicalize().unwrap().join("zone");
        fs::create_dir(&zone).unwrap();
        if !place.path().starts_with("/tmp") {
            // Beside a zone where others can write nothing is kept, so that all is copied.
            for shared in [place.path(), &zone] {
                fs::set_permissions(shared, fs::Permissions::from_mode(0o777)).unwrap();
            }
        }
        let store = Store::at(home.path().join("undo"));
        let path = zone.to_str().unwrap();
        let fields = fields.replace("ZONE", path);
        let comma = if fields.is_empty() { "" } else { ", " };
        let policy = format!(r#"{{"protected_zones": ["{path}"]{comma}{fields}}}"#);
        let release = crate::support::NEWEST;
        let mut mac = configure(MacConfig::new(release, &policy)).set_up();
        mac.preservation = match keeping {
            Keeping::Session => {
                Preservation::Session(Arc::new(begin(&store, &zone, "session", "agent", now_ns())))
            }
            Keeping::Agents => {
                let (store, zone, number) = (store.clone(), zone.clone(), AtomicU64::new(0));
                Preservation::Agents(Arc::new(AgentSessions::new(Box::new(
                    move |command, at_ns| {
                        let name = format!("session{}", number.fetch_add(1, Ordering::Relaxed));
                        Ok(begin(&store, &zone, &name, command, at_ns))
                    },
                ))))
            }
            Keeping::Unavailable => Preservation::Unavailable,
        };
        mac.start().unwrap();
        Self {
            mac,
            zone,
            store,
            _places: [home, place],
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.zone.join(name)
    }

    /// A person's file, whose kernel object the simulator describes.
    pub(crate) fn person_writes(&self, name: &str, contents: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, contents).unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        let old = UNIX_EPOCH + std::time::Duration::from_nanos(1_600_000_000_123_456_789);
        file.set_modified(old).unwrap();
        self.describe(name);
    }

    /// Has the simulator describe the object that a name of the zone has now.
    pub(crate) fn describe(&self, name: &str) {
        let path = self.path(name);
        let found = path.symlink_metadata().unwrap();
        let file_type = match found.file_type() {
            kind if kind.is_dir() => FileType::Directory,
            kind if kind.is_symlink() => FileType::SymbolicLink,
            _ => FileType::Regular,
        };
        let file = File::of_type(file_type, path.as_os_str().as_bytes())
            .inode(found.ino())
            .size(i64::try_from(found.len()).unwrap());
        self.mac.machine.create(file);
    }

    /// An agent makes a file and writes it.
    pub(crate) fn agent_makes(&self, agent: &Process, name: &str, contents: &[u8]) {
        let path = self.path(name);
        // The kernel reports a file that exists.
        fs::write(&path, contents).unwrap();
        let made = self.mac.machine.create_file(agent, bytes(&path), 0o644);
        assert!(made.allowed());
        self.mac.machine.settle();
        let found = path.symlink_metadata().unwrap();
        // Born when it was made, unlike a person's.
        let file = self.mac.machine.file(bytes(&path)).inode(found.ino());
        self.mac.machine.create(file);
    }

    pub(crate) fn unlink(&self, actor: &Process, name: &str) -> Attempt {
        self.mac.machine.unlink(actor, bytes(&self.path(name)))
    }

    pub(crate) fn rename(&self, actor: &Process, from: &str, to: &str) -> Attempt {
        let (from, to) = (self.path(from), self.path(to));
        self.mac.machine.rename(actor, bytes(&from), bytes(&to))
    }

    pub(crate) fn open(&self, actor: &Process, name: &str, flags: u32) -> Attempt {
        self.mac.machine.open(actor, bytes(&self.path(name)), flags)
    }

    /// What the journals of all sessions hold, oldest first: `changed doc copy`.
    pub(crate) fn journal(&self) -> Vec<String> {
        self.mac.machine.settle();
        let mut sessions = self.store.sessions().unwrap();
        sessions.sort_by_key(|session| session.name().to_owned());
        let records = sessions.iter().flat_map(|session| &session.records);
        records
            .filter_map(|record| self.describe_event(&record.event))
            .collect()
    }

    fn describe_event(&self, event: &Event) -> Option<String> {
        let name = |path: &BytePath| {
            let path = path.as_path();
            let below = path.strip_prefix(&self.zone).unwrap_or(path);
            below.display().to_string()
        };
        let (what, loss) = match event {
            Event::Removed(loss) => ("removed", loss),
            Event::Replaced(loss) => ("replaced", loss),
            Event::Changed(loss) => ("changed", loss),
            Event::Renamed {
                from, to, exchange, ..
            } => {
                let how = if *exchange { "exchanged" } else { "renamed" };
                return Some(format!("{how} {} {}", name(from), name(to)));
            }
            Event::Unpreserved { path, what, cause } => {
                return Some(format!("unpreserved {what} {} {cause}", name(path)));
            }
            _ => return None,
        };
        let how = match &loss.kept {
            // Which of the two is up to the file system.
            Kept::Object { method, .. } => match method.as_str() {
                "reflink" => "copy",
                method => method,
            },
            Kept::Link { .. } => "link",
            Kept::Directory => "directory",
        };
        Some(format!("{what} {} {how}", name(&loss.path)))
    }

    /// Restores a session.
    pub(crate) fn restore(&self, session: &str) -> Applied {
        let session = self.store.session(session).unwrap();
        let plan = Plan::make(&session, &Request::default());
        let name = format!("restore{}", now_ns());
        let began = Began {
            kind: SessionKind::Restore,
            ..Began::default()
        };
        let recorder = Recorder::begin(&self.store, &name, began, bounds(), now_ns()).unwrap();
        plan.apply(&recorder, now_ns())
    }

    /// All files of the zone with their contents, modes and times.
    pub(crate) fn picture(&self) -> Vec<String> {
        picture(&self.zone)
    }
}

fn begin(store: &Store, zone: &Path, name: &str, command: &str, at_ns: u64) -> Recorder {
    let began = Began {
        command: command.to_owned(),
        zones: vec![BytePath::from(bytes(zone))],
        ..Began::default()
    };
    Recorder::begin(store, name, began, bounds(), at_ns).unwrap()
}

/// Whatever the machine has left of its disk.
fn bounds() -> Bounds {
    Bounds {
        min_free_percent: 0,
        ..Bounds::for_disk(1 << 40)
    }
}

pub(crate) fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}
