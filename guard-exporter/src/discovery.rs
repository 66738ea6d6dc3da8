//! Finding ring files.
//!
//! A directory is looked through again and again, since rings come and go with guards; that is
//! cheaper to get right than a watch, and the same on every system. Only directories of this
//! exporter's own user are looked into, and root's, where a guard that runs as root puts its rings;
//! what another user writes is nobody's decision here.
//! Names beginning with a dot are passed over, so that a writer may prepare a file under one.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A file, whatever name it has: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileId {
    device: u64,
    inode: u64,
}

/// A file that may be a ring.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Where it is.
    pub path: PathBuf,
    /// Which it is.
    pub id: FileId,
    modified: Option<SystemTime>,
    /// Why it cannot be a ring of this user's guards, by its looks.
    pub unfit: Option<&'static str>,
    /// Whether it is this user's, and so to be removed by whoever has read it.
    pub is_own: bool,
}

/// Looks through directories.
#[derive(Debug)]
pub struct Discovery {
    directories: Vec<PathBuf>,
    uid: u32,
    foreign: Vec<PathBuf>,
    rejected: HashMap<FileId, Option<SystemTime>>,
}

// === impl FileId ===

impl FileId {
    /// Of the file at `path`, not following a symbolic link.
    #[must_use]
    pub fn at(path: &Path) -> Option<Self> {
        path.symlink_metadata()
            .ok()
            .map(|metadata| Self::of(&metadata))
    }

    /// Of the file that `path` leads to.
    #[must_use]
    pub fn behind(path: &Path) -> Option<Self> {
        path.metadata().ok().map(|metadata| Self::of(&metadata))
    }

    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }
}

// === impl Candidate ===

impl Candidate {
    /// Whether its writer may still be preparing it.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        // A time in the future is not fresh: nothing says when it would cease to be.
        let age = self.modified.and_then(|modified| modified.elapsed().ok());
        age.is_some_and(|age| age < PREPARATION)
    }
}

// === impl Discovery ===

impl Discovery {
    /// Of files of user `uid` in these directories, whether they are there yet or not.
    #[must_use]
    pub fn new(directories: Vec<PathBuf>, uid: u32) -> Self {
        Self {
            directories,
            uid,
            foreign: Vec::new(),
            rejected: HashMap::new(),
        }
    }

    /// The files that are there now and were not [rejected](Self::reject) as they are.
    pub fn scan(&mut self) -> Vec<Candidate> {
        let mut found: Vec<Candidate> = Vec::new();
        for directory in self.directories.clone() {
            if !self.is_trusted(&directory) {
                continue;
            }
            let entries = fs::read_dir(&directory).into_iter().flatten().flatten();
            let visible =
                entries.filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
            found.extend(visible.filter_map(|entry| self.candidate(entry.path())));
        }
        self.rejected
            .retain(|id, _| found.iter().any(|candidate| candidate.id == *id));
        found.retain(|candidate| self.rejected.get(&candidate.id) != Some(&candidate.modified));
        found
    }

    /// Passes over this file until it changes, since all of it was read.
    pub fn done(&mut self, candidate: &Candidate) {
        self.rejected.insert(candidate.id, candidate.modified);
    }

    /// Whether this file was passed over at the last scan, and so is still there.
    #[must_use]
    pub fn passes_over(&self, id: FileId) -> bool {
        self.rejected.contains_key(&id)
    }

    /// Passes over this file until it changes. Says so once.
    pub fn reject(&mut self, candidate: &Candidate, why: impl std::fmt::Display) {
        tracing::warn!("leaving {} alone: {why}", candidate.path.display());
        self.rejected.insert(candidate.id, candidate.modified);
    }

    fn is_trusted(&mut self, directory: &Path) -> bool {
        let Ok(metadata) = directory.metadata() else {
            return false;
        };
        let trusted = is_of(&metadata, self.uid);
        if !trusted && !self.foreign.iter().any(|known| known == directory) {
            tracing::warn!("{} belongs to another user", directory.display());
            self.foreign.push(directory.to_owned());
        }
        trusted
    }

    fn candidate(&self, path: PathBuf) -> Option<Candidate> {
        let metadata = path.symlink_metadata().ok()?;
        let unfit = if !metadata.is_file() {
            Some("it is not a regular file")
        } else if !is_of(&metadata, self.uid) {
            Some("it belongs to another user")
        } else {
            None
        };
        Some(Candidate {
            path,
            id: FileId::of(&metadata),
            modified: metadata.modified().ok(),
            unfit,
            is_own: metadata.uid() == self.uid,
        })
    }
}

/// Whether only this user, or root, can have written what this is the metadata of.
fn is_of(metadata: &Metadata, uid: u32) -> bool {
    let only_root_writes = || metadata.uid() == 0 && metadata.mode() & OTHERS_MAY_WRITE == 0;
    metadata.uid() == uid || only_root_writes()
}

/// Group and others.
const OTHERS_MAY_WRITE: u32 = 0o022;

/// How long a writer may take from making a file to a ring that can be attached.
const PREPARATION: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn names(found: &[Candidate]) -> Vec<(String, Option<&'static str>)> {
        let name = |candidate: &Candidate| {
            (
                candidate
                    .path
                    .file_name()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned(),
                candidate.unfit,
            )
        };
        let mut names: Vec<_> = found.iter().map(name).collect();
        names.sort();
        names
    }

    #[test]
    fn a_rejected_file_is_passed_over_until_it_changes() {
        let dir = tempfile::tempdir().unwrap();
        let uid = dir.path().metadata().unwrap().uid();
        let ring = dir.path().join("ring");
        fs::write(&ring, "").unwrap();
        fs::write(dir.path().join(".preparing"), "").unwrap();
        std::os::unix::fs::symlink(&ring, dir.path().join("link")).unwrap();
        let directories = vec![dir.path().to_owned(), dir.path().join("missing")];

        let mut discovery = Discovery::new(directories.clone(), uid);
        let found = discovery.scan();
        let link = ("link".to_owned(), Some("it is not a regular file"));
        assert_eq!(names(&found), [link, ("ring".to_owned(), None)]);
        for candidate in &found {
            discovery.reject(candidate, "a test");
        }
        assert!(discovery.scan().is_empty());

        let file = fs::File::options().write(true).open(&ring).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        let found = discovery.scan();
        assert_eq!(names(&found), [("ring".to_owned(), None)]);
        assert!(!found[0].is_fresh());

        if uid != 0 {
            let mut other = Discovery::new(directories, uid + 1);
            assert!(other.scan().is_empty(), "a directory of another user");
        }
    }

    #[test]
    fn what_only_root_can_write_is_everyone_s_to_read() {
        let dir = tempfile::tempdir().unwrap();
        let uid = dir.path().metadata().unwrap().uid();
        let ring = dir.path().join("ring");
        fs::write(&ring, "").unwrap();
        let open_to = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        open_to(&ring, 0o644);
        // As another user sees it, who reaches it.
        let scan = || Discovery::new(vec![dir.path().to_owned()], uid + 1).scan();
        if uid != 0 {
            assert!(scan().is_empty(), "another user's, who is not root");
            return;
        }
        let found = scan();
        assert_eq!(names(&found), [("ring".to_owned(), None)]);
        assert!(!found[0].is_own);
        open_to(&ring, 0o666);
        let other = Some("it belongs to another user");
        assert_eq!(names(&scan()), [("ring".to_owned(), other)]);
        open_to(dir.path(), 0o777);
        assert!(scan().is_empty(), "anybody may have put it there");
    }

    #[test]
    fn what_was_read_to_the_end_is_passed_over_while_it_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let uid = dir.path().metadata().unwrap().uid();
        let ring = dir.path().join("ring");
        fs::write(&ring, "").unwrap();
        let mut discovery = Discovery::new(vec![dir.path().to_owned()], uid);
        let found = discovery.scan();
        discovery.done(&found[0]);
        assert!(discovery.scan().is_empty());
        assert!(discovery.passes_over(found[0].id));
        fs::remove_file(&ring).unwrap();
        assert!(discovery.scan().is_empty());
        assert!(!discovery.passes_over(found[0].id));
    }
}
