//! Finding ring files.
//!
//! Directories are scanned repeatedly, since rings come and go with guards; that is simpler than a
//! watch, and the same on every system. [`guard_report::rings`] defines which directories and files
//! are read.

use guard_report::rings::{self, FileId, ListRingsError, RingFile};
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// Scans directories for rings.
#[derive(Debug)]
pub struct Discovery {
    directories: Vec<PathBuf>,
    uid: u32,
    foreign: Vec<PathBuf>,
    rejected: HashMap<FileId, Option<SystemTime>>,
}

/// Whether its writer may still be preparing the file.
#[must_use]
pub fn is_fresh(file: &RingFile) -> bool {
    // A time in the future does not count: it is not known when it would end.
    let age = file.modified.and_then(|modified| modified.elapsed().ok());
    age.is_some_and(|age| age < PREPARATION)
}

// === impl Discovery ===

impl Discovery {
    /// Scans for files of user `uid` in these directories, which need not exist yet.
    #[must_use]
    pub fn new(directories: Vec<PathBuf>, uid: u32) -> Self {
        Self {
            directories,
            uid,
            foreign: Vec::new(),
            rejected: HashMap::new(),
        }
    }

    /// The existing files, except those that were [rejected](Self::reject) and have not changed.
    pub fn scan(&mut self) -> Vec<RingFile> {
        let mut found: Vec<RingFile> = Vec::new();
        for directory in &self.directories {
            match rings::files_in(directory, self.uid) {
                Ok(files) => found.extend(files),
                Err(foreign @ ListRingsError::Foreign(_)) => {
                    if !self.foreign.contains(directory) {
                        tracing::warn!("{foreign}");
                        self.foreign.push(directory.clone());
                    }
                }
                Err(_) => {}
            }
        }
        self.rejected
            .retain(|id, _| found.iter().any(|file| file.id == *id));
        found.retain(|file| self.rejected.get(&file.id) != Some(&file.modified));
        found
    }

    /// Skips this file until it changes, since all of it was read.
    pub fn done(&mut self, file: &RingFile) {
        self.rejected.insert(file.id, file.modified);
    }

    /// Whether this file was skipped at the last scan, and so still exists.
    #[must_use]
    pub fn skips(&self, id: FileId) -> bool {
        self.rejected.contains_key(&id)
    }

    /// Skips this file until it changes, and logs that once.
    pub fn reject(&mut self, file: &RingFile, why: impl std::fmt::Display) {
        tracing::warn!("ignoring {}: {why}", file.path.display());
        self.rejected.insert(file.id, file.modified);
    }
}

/// How long a writer may take to prepare a ring.
const PREPARATION: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;

    fn names(found: &[RingFile]) -> Vec<(String, Option<&'static str>)> {
        let name = |file: &RingFile| {
            (
                file.path
                    .file_name()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned(),
                file.unfit,
            )
        };
        let mut names: Vec<_> = found.iter().map(name).collect();
        names.sort();
        names
    }

    #[test]
    fn a_rejected_file_is_skipped_until_it_changes() {
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
        for file in &found {
            discovery.reject(file, "a test");
        }
        assert!(discovery.scan().is_empty());

        let file = fs::File::options().write(true).open(&ring).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        let found = discovery.scan();
        assert_eq!(names(&found), [("ring".to_owned(), None)]);
        assert!(!is_fresh(&found[0]));

        if uid != 0 {
            let mut other = Discovery::new(directories, uid + 1);
            assert!(other.scan().is_empty(), "a directory of another user");
        }
    }

    #[test]
    fn a_file_read_to_the_end_is_skipped_while_it_exists() {
        let dir = tempfile::tempdir().unwrap();
        let uid = dir.path().metadata().unwrap().uid();
        let ring = dir.path().join("ring");
        fs::write(&ring, "").unwrap();
        let mut discovery = Discovery::new(vec![dir.path().to_owned()], uid);
        let found = discovery.scan();
        discovery.done(&found[0]);
        assert!(discovery.scan().is_empty());
        assert!(discovery.skips(found[0].id));
        fs::remove_file(&ring).unwrap();
        assert!(discovery.scan().is_empty());
        assert!(!discovery.skips(found[0].id));
    }
}
