//! An agent at work on a zone, as a backend would record it.

use guard_testing::clock::now_ns;
use guard_testing::tree::picture;
use guard_undo::journal::{Began, BytePath};
use guard_undo::restore::{Applied, Plan, Request};
use guard_undo::store::recorder::{Discard, Lost, Moved, Name, Preserved, Worth};
use guard_undo::store::{PreserveError, Session};
use guard_undo::{Bounds, Recorder, Store};
use std::ffi::{CString, OsStr};
use std::fs::{self, File};
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// A zone, a store, and a session that is being recorded.
pub(crate) struct Scene {
    pub(crate) zone: PathBuf,
    pub(crate) store: Store,
    pub(crate) recorder: Recorder,
    _dirs: Vec<tempfile::TempDir>,
}

impl Scene {
    /// A zone and a store on the same file system.
    pub(crate) fn new() -> Self {
        Self::with(Bounds::for_disk(1 << 40), None, 0o700)
    }

    /// A zone and its parent with this mode, in a directory or beside the store.
    pub(crate) fn with(bounds: Bounds, zone_in: Option<&Path>, mode: u32) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut dirs = Vec::new();
        let base = home.path().canonicalize().unwrap();
        let zone = match zone_in {
            None => base.join("zone"),
            Some(place) => {
                let dir = tempfile::tempdir_in(place).unwrap();
                let zone = dir.path().canonicalize().unwrap().join("zone");
                dirs.push(dir);
                zone
            }
        };
        fs::create_dir(&zone).unwrap();
        set_mode(&zone, mode);
        set_mode(zone.parent().unwrap(), mode);
        dirs.push(home);
        let store = Store::at(base.join("undo"));
        let began = Began {
            command: "agent".into(),
            zones: vec![BytePath::from(zone.as_os_str().as_bytes())],
            ..Began::default()
        };
        let bounds = whatever_is_free(bounds);
        let recorder = Recorder::begin(&store, "5e551011", began, bounds, now_ns()).unwrap();
        Self {
            zone,
            store,
            recorder,
            _dirs: dirs,
        }
    }

    /// Ends the agent's session. The directories remain until what this returns is dropped.
    pub(crate) fn finish(self) -> Vec<tempfile::TempDir> {
        self._dirs
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.zone.join(name)
    }

    /// What the person makes, old enough to be nobody else's.
    pub(crate) fn person_writes(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        let old = UNIX_EPOCH + Duration::from_nanos(1_600_000_000_123_456_789);
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(old)
            .unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| format!("{name}: {error}"))
    }

    /// Calls `act` with the name pinned, as a backend does.
    pub(crate) fn lost<T>(&self, path: &Path, act: impl FnOnce(&Lost<'_>) -> T) -> T {
        let dir = File::open(path.parent().unwrap()).unwrap();
        let name = CString::new(path.file_name().unwrap().as_bytes()).unwrap();
        act(&Lost {
            name: Name {
                dir: dir.as_fd(),
                name: &name,
            },
            path: path.as_os_str().as_bytes(),
            found: None,
            agent: Some("codex"),
            until: None,
            at_ns: now_ns(),
        })
    }

    pub(crate) fn agent_removes(&self, name: &str) -> Preserved {
        let path = self.path(name);
        let kept = self
            .lost(&path, |lost| {
                self.recorder
                    .discard(lost, Discard::Removed, Worth::Always, true)
            })
            .unwrap();
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => fs::remove_dir(&path).unwrap(),
            Ok(_) => fs::remove_file(&path).unwrap(),
            Err(_) => {}
        }
        kept
    }

    /// Opens for writing and writes, making the file if need be.
    pub(crate) fn agent_writes(&self, name: &str, text: &str) -> Result<Preserved, PreserveError> {
        let path = self.path(name);
        let kept = if path.exists() {
            self.lost(&path, |lost| self.recorder.change(lost))
        } else {
            self.recorder.made(path.as_os_str().as_bytes(), now_ns());
            Ok(Preserved::NotNeeded)
        };
        File::create(&path)
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        kept
    }

    pub(crate) fn agent_moves(&self, from: &str, to: &str) {
        let (from, to) = (self.path(from), self.path(to));
        let found = self.lost(&from, |lost| lost.name.stat().unwrap());
        self.lost(&to, |lost| {
            self.recorder
                .discard(lost, Discard::Replaced, Worth::Always, false)
        })
        .unwrap();
        fs::rename(&from, &to).unwrap();
        let moved = Moved {
            from: from.as_os_str().as_bytes(),
            to: to.as_os_str().as_bytes(),
            exchange: false,
            found,
            agent: Some("codex"),
        };
        self.recorder.renamed(&moved, now_ns()).unwrap();
    }

    pub(crate) fn session(&self) -> Session {
        self.recorder.flush();
        self.store.session("5e551011").unwrap()
    }

    pub(crate) fn plan(&self, request: &Request) -> Plan {
        Plan::make(&self.session(), request)
    }

    /// Restores by a session of the person's own.
    pub(crate) fn restore(&self, request: &Request) -> Applied {
        let plan = self.plan(request);
        let name = format!("restore{}", now_ns());
        let began = Began {
            kind: guard_undo::journal::SessionKind::Restore,
            ..Began::default()
        };
        let bounds = whatever_is_free(Bounds::for_disk(1 << 40));
        let recorder = Recorder::begin(&self.store, &name, began, bounds, now_ns()).unwrap();
        let applied = plan.apply(&recorder, now_ns());
        recorder.end(now_ns()).unwrap();
        applied
    }

    /// All files of the zone with their contents, modes and times.
    pub(crate) fn picture(&self) -> Vec<String> {
        picture(&self.zone)
    }
}

/// The machine that runs the tests may have little.
fn whatever_is_free(bounds: Bounds) -> Bounds {
    Bounds {
        min_free_percent: 0,
        ..bounds
    }
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

pub(crate) fn os(bytes: &[u8]) -> &OsStr {
    OsStr::from_bytes(bytes)
}
