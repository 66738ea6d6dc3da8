//! Keeping a store within its bounds: by age, by size, and by what is left of the disk.
//!
//! Whole sessions are evicted, the oldest first. A session that runs is never evicted, and for room
//! none that wrote anything within the last day is.

use crate::files::is_absence;
use crate::journal::writer_is_alive;
use crate::store::bounds::DiskSpace;
use crate::store::layout::JOURNAL;
use crate::store::{Bounds, Session, SessionState, Store};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// What a sweep found and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Sessions evicted.
    pub evicted: u64,
    /// Bytes that they took.
    pub evicted_bytes: u64,
    /// Bytes that are kept now.
    pub kept_bytes: u64,
    /// Objects that are kept now.
    pub kept_files: u64,
    /// Free bytes of the store's disk above `min_free`.
    pub spare_bytes: u64,
}

struct Candidate {
    session: Session,
    objects: Objects,
}

/// What the objects of a session are together.
#[derive(Clone, Copy, Debug, Default)]
struct Objects {
    files: u64,
    bytes: u64,
}

/// Brings a store back within its bounds.
///
/// # Errors
///
/// When the store cannot be read.
pub fn sweep(store: &Store, bounds: &Bounds, now_ns: u64) -> io::Result<Swept> {
    store.remove_remains();
    let mut candidates: Vec<_> = store
        .sessions()?
        .into_iter()
        .map(|session| Candidate {
            objects: Objects::of_session(&session),
            session,
        })
        .collect();
    let mut swept = Swept {
        kept_bytes: candidates.iter().map(|found| found.objects.bytes).sum(),
        kept_files: candidates.iter().map(|found| found.objects.files).sum(),
        spare_bytes: spare_bytes(store, bounds),
        ..Swept::default()
    };
    // The oldest last, to be popped first.
    candidates.retain(|candidate| candidate.session.state != SessionState::Running);
    candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.session.last_ns()));
    let keep_ns = u64::try_from(bounds.keep.as_nanos()).unwrap_or(u64::MAX);
    while let Some(Candidate { session, objects }) = candidates.pop() {
        let age_ns = now_ns.saturating_sub(session.last_ns());
        let too_old = age_ns > keep_ns;
        let too_much = swept.kept_bytes > bounds.max_bytes / 8 * 7 || swept.spare_bytes == 0;
        if !too_old && (!too_much || age_ns < DAY_NS) {
            if age_ns < DAY_NS {
                break;
            }
            continue;
        }
        if remove(&session).is_ok() {
            swept.evicted += 1;
            swept.evicted_bytes += objects.bytes;
            swept.kept_bytes = swept.kept_bytes.saturating_sub(objects.bytes);
            swept.kept_files = swept.kept_files.saturating_sub(objects.files);
            swept.spare_bytes = spare_bytes(store, bounds);
        }
    }
    Ok(swept)
}

/// Removes a session and all that it keeps, which took as many bytes of the disk.
///
/// # Errors
///
/// When it runs, or cannot be removed.
pub fn forget(session: &Session) -> io::Result<u64> {
    let bytes = Objects::of_session(session).bytes;
    remove(session).map(|()| bytes)
}

fn remove(session: &Session) -> io::Result<()> {
    if writer_is_alive(&session.dir().join(JOURNAL)) {
        return Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            "the session still runs",
        ));
    }
    // The journal last: until then, the rest of a half-removed session is still found and removed.
    for objects in session.object_directories() {
        match fs::remove_dir_all(objects) {
            Err(error) if !is_absence(&error) => return Err(error),
            _ => {}
        }
    }
    match fs::remove_dir_all(session.dir()) {
        // The directory itself is in one of root's, which removes it in its next sweep.
        Err(error)
            if error.kind() == io::ErrorKind::PermissionDenied
                && !session.dir().join(JOURNAL).exists() =>
        {
            Ok(())
        }
        removed => removed,
    }
}

/// What the files in a directory take on the disk.
pub(crate) fn directory_bytes(dir: &Path) -> u64 {
    Objects::in_directory(dir).bytes
}

// === impl Objects ===

impl Objects {
    /// Of a session, wherever they are.
    fn of_session(session: &Session) -> Self {
        let directories = session.object_directories().iter();
        directories.fold(Self::default(), |sum, dir| {
            let found = Self::in_directory(dir);
            Self {
                files: sum.files + found.files,
                bytes: sum.bytes + found.bytes,
            }
        })
    }

    fn in_directory(dir: &Path) -> Self {
        let Ok(entries) = fs::read_dir(dir) else {
            return Self::default();
        };
        let found = entries.flatten().filter_map(|entry| entry.metadata().ok());
        found.fold(Self::default(), |sum, found| Self {
            files: sum.files + 1,
            bytes: sum.bytes + found.blocks().saturating_mul(512),
        })
    }
}

/// What copies may take of the store's disk now.
fn spare_bytes(store: &Store, bounds: &Bounds) -> u64 {
    disk(store).map_or(0, |disk| disk.spare(bounds, u64::MAX))
}

/// The size of the disk that a store is on, or will be, in bytes.
///
/// # Errors
///
/// When not even its parent is there.
pub fn disk_bytes(store: &Store) -> io::Result<u64> {
    Ok(disk(store)?.total)
}

fn disk(store: &Store) -> io::Result<DiskSpace> {
    let mut dir = store.root();
    loop {
        match (rustix::fs::statvfs(dir), dir.parent()) {
            (Ok(found), _) => return Ok(DiskSpace::from(found)),
            (Err(rustix::io::Errno::NOENT), Some(parent)) => dir = parent,
            (Err(error), _) => return Err(error.into()),
        }
    }
}

const DAY_NS: u64 = 24 * 3600 * 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Recorder;
    use crate::files::Name;
    use crate::journal::Began;
    use crate::store::recorder::{Discard, Lost, Worth};
    use std::fs::File;
    use std::os::fd::AsFd as _;
    use std::time::Duration;

    /// A session that keeps one file of 1 MiB, last written at `at_ns`.
    fn session(base: &Path, store: &Store, name: &str, at_ns: u64) -> Recorder {
        let bounds = Bounds::for_disk(1 << 40);
        let recorder = Recorder::begin(store, name, Began::default(), bounds, at_ns).unwrap();
        fs::write(base.join("file"), vec![b'x'; 1 << 20]).unwrap();
        let dir = File::open(base).unwrap();
        let lost = Lost {
            name: Name {
                dir: dir.as_fd(),
                name: c"file",
            },
            path: b"/z/file",
            found: None,
            agent: None,
            until: None,
            at_ns,
        };
        recorder
            .discard(&lost, Discard::Removed, Worth::Always, true)
            .unwrap();
        fs::remove_file(base.join("file")).ok();
        recorder
    }

    fn names(store: &Store) -> Vec<String> {
        let sessions = store.sessions().unwrap();
        sessions
            .iter()
            .map(|found| found.name().to_owned())
            .collect()
    }

    #[test]
    fn age_and_size_evict_the_oldest_first_and_nothing_of_the_last_day() {
        let base = tempfile::tempdir().unwrap();
        let store = Store::at(base.path().join("undo"));
        let now_ns = 100 * DAY_NS;
        for (name, age_ns) in [
            ("a", 20 * DAY_NS),
            ("b", 3 * DAY_NS),
            ("c", 2 * DAY_NS),
            ("d", 1),
        ] {
            session(base.path(), &store, name, now_ns - age_ns)
                .end(now_ns - age_ns)
                .unwrap();
        }
        let running = session(base.path(), &store, "e", now_ns - 30 * DAY_NS);
        let bounds = Bounds {
            min_free_percent: 0,
            ..Bounds::for_disk(1 << 40)
        };
        let swept = sweep(&store, &bounds, now_ns).unwrap();
        assert_eq!((swept.evicted, swept.evicted_bytes), (1, 1 << 20));
        assert_eq!((swept.kept_files, swept.kept_bytes), (4, 4 << 20));
        assert_eq!(names(&store), ["d", "c", "b", "e"]);
        let tight = Bounds {
            max_bytes: 4 << 20,
            ..bounds
        };
        sweep(&store, &tight, now_ns).unwrap();
        assert_eq!(names(&store), ["d", "c", "e"]);
        let nothing = Bounds {
            max_bytes: 0,
            ..bounds
        };
        sweep(&store, &nothing, now_ns).unwrap();
        assert_eq!(
            names(&store),
            ["d", "e"],
            "the last day's and the running one stay"
        );
        running.end(now_ns - 30 * DAY_NS).unwrap();
        assert!(forget(&store.session("e").unwrap()).is_err());
        drop(running);
        forget(&store.session("e").unwrap()).unwrap();
        assert_eq!(names(&store), ["d"]);
    }

    #[test]
    fn a_short_keeping_evicts_by_age() {
        let base = tempfile::tempdir().unwrap();
        let store = Store::at(base.path().join("undo"));
        session(base.path(), &store, "a", 1).end(1).unwrap();
        let bounds = Bounds {
            keep: Duration::from_secs(1),
            ..Bounds::for_disk(1 << 40)
        };
        assert_eq!(sweep(&store, &bounds, 1_000_000_000).unwrap().evicted, 0);
        assert_eq!(sweep(&store, &bounds, 2_000_000_000).unwrap().evicted, 1);
    }
}
