//! The directory of the files, and all of them read together.

use super::file::{Entry, MadeFile};
use crate::files::is_absence;
use crate::store::private;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// A user's store of what agents made. Holding one opens nothing.
#[derive(Clone, Debug)]
pub struct MadeStore {
    root: PathBuf,
}

/// The files of a store, as they were when they were read.
#[derive(Debug, Default)]
pub struct MadeFiles {
    files: Vec<MadeFile>,
}

/// Why the store could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MadeStoreError {
    /// The directory.
    #[error("reading {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A file.
    #[error("writing {}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

// === impl MadeStore ===

impl MadeStore {
    /// The store in this directory, which need not be there yet. Its parent must be such that nobody
    /// else can put another directory in its place.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Reads what is there. What is not a whole file is passed over.
    ///
    /// # Errors
    ///
    /// When the directory is there and cannot be read.
    pub fn read(&self) -> Result<MadeFiles, MadeStoreError> {
        let files = self.paths().map_err(|source| MadeStoreError::Read {
            path: self.root.clone(),
            source,
        })?;
        let files = files.iter().filter_map(|path| open(path).ok());
        Ok(MadeFiles {
            files: files.filter(|file| !file.is_empty()).collect(),
        })
    }

    /// Writes the entries of a session, in place of those that it wrote before.
    ///
    /// # Errors
    ///
    /// When the disk refuses. What was written before remains.
    pub fn write(&self, session: &str, entries: Vec<Entry>) -> Result<(), MadeStoreError> {
        self.replace(session, |file| MadeFile::write(entries, file))
    }

    /// Puts the files together if there are many, and drops the oldest entries. `today` is in days
    /// since 1970.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or the disk refuses. Nothing is lost then.
    pub fn compact(&self, today: u32) -> Result<(), MadeStoreError> {
        let failed = |source| MadeStoreError::Read {
            path: self.root.clone(),
            source,
        };
        let paths = self.paths().map_err(failed)?;
        if paths.len() < MANY_FILES {
            return Ok(());
        }
        let lock = self.open_private(LOCK).map_err(failed)?;
        if lock.try_lock().is_err() {
            // Another guard is at it.
            return Ok(());
        }
        let files: Vec<MadeFile> = paths.iter().filter_map(|path| open(path).ok()).collect();
        let oldest_day = oldest_kept(&files, today, MAX_ENTRIES);
        self.replace(MERGED, |file| MadeFile::merge(&files, oldest_day, file))?;
        for path in paths {
            if path.file_name().is_some_and(|name| name != MERGED) {
                // Another guard may have removed it; what is in it is in the merged file, too.
                let _gone = fs::remove_file(path);
            }
        }
        Ok(())
    }

    fn replace(
        &self,
        name: &str,
        write: impl FnOnce(&File) -> io::Result<()>,
    ) -> Result<(), MadeStoreError> {
        let path = self.root.join(name);
        let unfinished = format!(".{name}");
        let written = private::make(&self.root).and_then(|()| {
            let file = self.open_private(&unfinished)?;
            file.set_len(0)?;
            write(&file)?;
            fs::rename(self.root.join(&unfinished), &path)
        });
        written.map_err(|source| MadeStoreError::Write { path, source })
    }

    fn open_private(&self, name: &str) -> io::Result<File> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(self.root.join(name))
    }

    /// The files, but no lock and nothing unfinished.
    fn paths(&self) -> io::Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if is_absence(&error) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let is_file = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().as_encoded_bytes();
            !name.starts_with(b".")
        };
        let paths = entries.flatten().map(|entry| entry.path());
        Ok(paths.filter(is_file).collect())
    }
}

// === impl MadeFiles ===

impl MadeFiles {
    /// Whether there is nothing to be found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The entry of this object in this state, the one that doubts, if several sessions wrote one; else
    /// one with the same contents, of which only the inode changed since.
    #[must_use]
    pub fn find(&self, wanted: &Entry) -> Option<Entry> {
        let found = self.files.iter().filter_map(|file| file.find(wanted));
        found.max_by_key(|entry| (entry.is_same(wanted), entry.is_doubtful))
    }
}

fn open(path: &Path) -> io::Result<MadeFile> {
    MadeFile::open(File::open(path)?)
}

/// The first day of which entries are kept, so that there are `max` at most.
fn oldest_kept(files: &[MadeFile], today: u32, max: u64) -> u32 {
    let by_age = today.saturating_sub(KEEP_DAYS);
    let total: u64 = files.iter().map(MadeFile::len).sum();
    if total <= max {
        return by_age;
    }
    let mut by_day = std::collections::BTreeMap::new();
    for entry in files.iter().flat_map(MadeFile::entries) {
        *by_day.entry(entry.day).or_insert(0u64) += 1;
    }
    let mut kept = 0;
    let fits = by_day.iter().rev().take_while(|(_, count)| {
        kept += **count;
        kept <= max
    });
    let oldest = fits.last().map_or(u32::MAX, |(day, _)| *day);
    oldest.max(by_age)
}

const LOCK: &str = ".lock";

/// The file into which others are put.
const MERGED: &str = "merged";

/// From how many files on they are put together: each costs a look-up.
const MANY_FILES: usize = 8;

/// How many entries are kept: half a gigabyte.
const MAX_ENTRIES: u64 = 10_000_000;

/// How long entries are kept.
const KEEP_DAYS: u32 = 180;

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn entry(inode: u64, day: u32) -> Entry {
        Entry {
            path: 3,
            device: 1,
            inode,
            born_ns: 4,
            changed_ns: 5,
            modified_ns: 5,
            size: 6,
            is_doubtful: false,
            day,
        }
    }

    #[test]
    fn what_sessions_write_is_read_by_later_ones() {
        let dir = tempfile::tempdir().unwrap();
        let store = MadeStore::at(dir.path().join("made"));
        assert!(store.read().unwrap().is_empty());
        store.write("one", vec![entry(1, 20_000)]).unwrap();
        store.write("one", vec![entry(2, 20_000)]).unwrap();
        let doubtful = Entry {
            is_doubtful: true,
            ..entry(2, 20_001)
        };
        store
            .write("two", vec![doubtful, entry(3, 20_001)])
            .unwrap();
        fs::write(dir.path().join("made/broken"), "broken").unwrap();
        fs::write(dir.path().join("made/.three"), "unfinished").unwrap();
        let files = store.read().unwrap();
        assert_eq!(files.find(&entry(1, 0)), None, "it was written again");
        assert_eq!(files.find(&entry(2, 0)), Some(doubtful));
        assert_eq!(files.find(&entry(3, 0)), Some(entry(3, 20_001)));
        let changed = Entry {
            changed_ns: 7,
            ..entry(3, 0)
        };
        assert_eq!(files.find(&changed), Some(entry(3, 20_001)));
        let mode = fs::metadata(dir.path().join("made/one"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn many_files_become_one_and_keep_what_is_young() {
        let dir = tempfile::tempdir().unwrap();
        let store = MadeStore::at(dir.path().join("made"));
        for number in 0..10 {
            let day = if number == 0 { 1_000 } else { 20_000 };
            store
                .write(&number.to_string(), vec![entry(number, day)])
                .unwrap();
        }
        store.compact(20_001).unwrap();
        assert_eq!(store.paths().unwrap(), [dir.path().join("made/merged")]);
        let files = store.read().unwrap();
        let found = (0..10).filter(|&inode| files.find(&entry(inode, 0)).is_some());
        assert_eq!(found.collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        store.write("next", vec![entry(11, 20_001)]).unwrap();
        store.compact(20_001).unwrap();
        assert_eq!(store.paths().unwrap().len(), 2, "two files are not many");
    }

    #[test]
    fn the_oldest_days_go_when_there_are_too_many() {
        let file = |days: std::ops::Range<u32>| {
            let file = tempfile::tempfile().unwrap();
            let entries = days.map(|day| entry(u64::from(day), day)).collect();
            MadeFile::write(entries, &file).unwrap();
            MadeFile::open(file).unwrap()
        };
        let files = [file(100..110), file(110..120)];
        assert_eq!(oldest_kept(&files, 120, 100), 0);
        assert_eq!(oldest_kept(&files, 120, 5), 115);
        assert_eq!(oldest_kept(&files, 120, 0), u32::MAX);
        assert_eq!(oldest_kept(&files, 300, 100), 120);
    }
}
