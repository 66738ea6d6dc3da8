//! Where guards put their rings, and which files there count as rings.
//!
//! A directory counts when only this user, or root, can have put files there; a file when only they
//! can have written it. Names that begin with a dot do not count, so that a writer can prepare a
//! file under one.

use crate::directories::can_others_write;
use crate::hex;
use crate::record::DecisionRecord;
use guard_core::ring::{Lane, Reader};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A file, whatever name it has: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileId {
    device: u64,
    inode: u64,
}

/// A file in a directory of rings.
#[derive(Clone, Debug)]
pub struct RingFile {
    /// Where it is.
    pub path: PathBuf,
    /// Which it is.
    pub id: FileId,
    /// When it was last written to.
    pub modified: Option<SystemTime>,
    /// Why it cannot be a ring of this user's guards.
    pub unfit: Option<&'static str>,
    /// Whether it is this user's own, and not root's.
    pub is_own: bool,
}

/// Why the files of a directory do not count.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListRingsError {
    /// It cannot be read.
    #[error("reading {}", path.display())]
    Read {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others may have put files there.
    #[error("{} belongs to another user", .0.display())]
    Foreign(PathBuf),
}

/// Where a guard of user `uid`, whose state directory is `state`, puts its ring, best first: the
/// state directory outlives a log-out, the others work when the disk is full. `runtime` is
/// `$XDG_RUNTIME_DIR`.
#[must_use]
pub fn own_directories(state: &Path, runtime: Option<&Path>, uid: u32) -> Vec<PathBuf> {
    let shared = memory().join(format!("codex-es-guard-{uid}/rings"));
    [state.join("rings")]
        .into_iter()
        .chain(runtime.map(|dir| dir.join("codex-es-guard/rings")))
        .chain([shared])
        .collect()
}

/// Where a guard that root runs puts its ring when it protects user `uid`.
#[must_use]
pub fn directories_of_root_for(uid: u32) -> Vec<PathBuf> {
    [
        machine_state().join(uid.to_string()),
        memory().join(format!("codex-es-guard-0-{uid}")),
    ]
    .map(|dir| dir.join("reader/rings"))
    .into()
}

/// The files in `directory`, for user `uid`.
///
/// # Errors
///
/// [`ListRingsError`]
pub fn files_in(directory: &Path, uid: u32) -> Result<Vec<RingFile>, ListRingsError> {
    let reading = |source| ListRingsError::Read {
        path: directory.to_owned(),
        source,
    };
    let found = directory.metadata().map_err(reading)?;
    if !is_written_by(&found, uid) {
        return Err(ListRingsError::Foreign(directory.to_owned()));
    }
    let entries = fs::read_dir(directory).map_err(reading)?;
    Ok(entries
        .flatten()
        .filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
        .filter_map(|entry| RingFile::at(entry.path(), uid))
        .collect())
}

/// The rings in these directories that count for user `uid`, the earliest first. What is no ring is
/// skipped, and one that is in two directories counts once.
#[must_use]
pub fn readers(directories: &[PathBuf], uid: u32) -> Vec<Reader> {
    let mut found: Vec<Reader> = Vec::new();
    let files = directories
        .iter()
        .filter_map(|directory| files_in(directory, uid).ok())
        .flatten();
    for file in files.filter(|file| file.unfit.is_none()) {
        let Ok(reader) = Reader::attach(&file.path) else {
            continue;
        };
        let id = reader.header().id;
        if found.iter().all(|other| other.header().id != id) {
            found.push(reader);
        }
    }
    found.sort_by_key(|reader| reader.header().created_wall_ns);
    found
}

// === impl FileId ===

impl FileId {
    /// Of the file at `path`, not following a symbolic link.
    #[must_use]
    pub fn at(path: &Path) -> Option<Self> {
        let found = path.symlink_metadata().ok()?;
        Some(Self::of(&found))
    }

    /// Of the file that `path` leads to.
    #[must_use]
    pub fn behind(path: &Path) -> Option<Self> {
        let found = path.metadata().ok()?;
        Some(Self::of(&found))
    }

    fn of(found: &Metadata) -> Self {
        Self {
            device: found.dev(),
            inode: found.ino(),
        }
    }
}

// === impl RingFile ===

impl RingFile {
    fn at(path: PathBuf, uid: u32) -> Option<Self> {
        let found = path.symlink_metadata().ok()?;
        let unfit = if !found.is_file() {
            Some("it is not a regular file")
        } else if !is_written_by(&found, uid) {
            Some("it belongs to another user")
        } else {
            None
        };
        Some(Self {
            path,
            id: FileId::of(&found),
            modified: found.modified().ok(),
            unfit,
            is_own: found.uid() == uid,
        })
    }
}

/// Calls `keep` with each decision of a lane that the ring still holds, as a line of its log.
pub fn each_line(ring: &mut Reader, lane: Lane, mut keep: impl FnMut(&str)) {
    let id = hex(&ring.header().id);
    let mut line = Vec::new();
    while let Some(event) = ring.next(lane) {
        line.clear();
        DecisionRecord::new(&event, &id).append_to(&mut line);
        keep(&String::from_utf8_lossy(&line));
    }
}

/// Whether it is user `uid`'s, or nobody but root can write to it.
fn is_written_by(found: &Metadata, uid: u32) -> bool {
    found.uid() == uid || (found.uid() == 0 && !can_others_write(found))
}

/// What root keeps for the users that it guards.
pub(crate) fn machine_state() -> &'static Path {
    Path::new(if cfg!(target_os = "macos") {
        "/private/var/db/codex-es-guard"
    } else {
        "/var/lib/codex-es-guard"
    })
}

/// A directory that no full disk affects. macOS has none in memory; this one is emptied when it
/// starts.
fn memory() -> &'static Path {
    Path::new(if cfg!(target_os = "macos") {
        "/private/var/run"
    } else {
        "/dev/shm"
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::ring::{Producer, RingOptions};
    use std::os::unix::fs::PermissionsExt as _;

    fn names_in(dir: &Path, uid: u32) -> Option<Vec<(String, Option<&'static str>)>> {
        let name = |file: RingFile| {
            let name = file.path.file_name().unwrap().to_string_lossy();
            (name.into_owned(), file.unfit)
        };
        let found = files_in(dir, uid).ok()?;
        let mut names: Vec<_> = found.into_iter().map(name).collect();
        names.sort();
        Some(names)
    }

    #[test]
    fn what_only_root_can_write_is_everyone_s_to_read() {
        let dir = tempfile::tempdir().unwrap();
        let uid = dir.path().metadata().unwrap().uid();
        let ring = dir.path().join("ring");
        fs::write(&ring, "").unwrap();
        fs::write(dir.path().join(".preparing"), "").unwrap();
        let set_mode = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        set_mode(&ring, 0o644);
        assert_eq!(
            names_in(dir.path(), uid),
            Some(vec![("ring".to_owned(), None)])
        );
        // As another user sees it, who reaches it.
        let others = || names_in(dir.path(), uid + 1);
        if uid != 0 {
            assert_eq!(others(), None, "another user's, who is not root");
            return;
        }
        assert_eq!(others(), Some(vec![("ring".to_owned(), None)]));
        set_mode(&ring, 0o666);
        let other = Some("it belongs to another user");
        assert_eq!(others(), Some(vec![("ring".to_owned(), other)]));
        set_mode(dir.path(), 0o777);
        assert_eq!(others(), None, "anybody may have put it there");
    }

    #[test]
    fn a_ring_counts_once_and_a_link_to_it_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let uid = dir.path().metadata().unwrap().uid();
        let options = RingOptions::default();
        let _producer = Producer::create(&dir.path().join("a.ring"), &options).unwrap();
        fs::write(dir.path().join("text"), "no ring").unwrap();
        std::os::unix::fs::symlink("a.ring", dir.path().join("link")).unwrap();
        let twice = [dir.path(), dir.path(), &dir.path().join("missing")].map(Path::to_owned);
        assert_eq!(readers(&twice, uid).len(), 1);
        let link = ("link".to_owned(), Some("it is not a regular file"));
        assert!(names_in(dir.path(), uid).unwrap().contains(&link));
    }

    #[test]
    fn every_place_of_a_ring_is_known() {
        let state = Path::new("/home/u/.codex/es-guard");
        let own = own_directories(state, Some(Path::new("/run/user/7")), 7);
        let all: Vec<PathBuf> = own.into_iter().chain(directories_of_root_for(7)).collect();
        let [lasting, shared] = if cfg!(target_os = "macos") {
            ["/private/var/db/codex-es-guard", "/private/var/run"]
        } else {
            ["/var/lib/codex-es-guard", "/dev/shm"]
        };
        let expected = [
            "/home/u/.codex/es-guard/rings".to_owned(),
            "/run/user/7/codex-es-guard/rings".to_owned(),
            format!("{shared}/codex-es-guard-7/rings"),
            format!("{lasting}/7/reader/rings"),
            format!("{shared}/codex-es-guard-0-7/reader/rings"),
        ];
        assert_eq!(all, expected.map(PathBuf::from));
    }
}
