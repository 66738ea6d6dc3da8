//! Who writes the files that agents make and change: `inotify(7)` on their directories.
//!
//! The guard is asked about an agent's opens, but not about its writes, nor about anything outside the
//! session. The kernel reports each write and each end of writing in a watched directory, in their
//! order, but not by whom: a write that comes while no agent has the file open is somebody else's
//! ([`Recorder::written`]).
//!
//! Guarantees: what is reported only adds to what is preserved. What is not reported leaves a file to
//! the times of its changes, as if nothing was watched: writes through a memory mapping or by a name
//! in another directory, and all that a full queue or a limit of the kernel's costs.

use crate::arguments::SplitPath;
use guard_core::guard::Guard;
use guard_undo::Recorder;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use std::collections::{HashMap, VecDeque};
use std::ffi::CString;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, OnceLock, PoisonError};

/// The directories in which a session's agents opened files for writing.
#[derive(Debug, Default)]
pub(crate) struct FileWrites {
    /// The kernel's queue of events, made for the first directory; `None` if it makes none.
    queue: OnceLock<Option<OwnedFd>>,
    directories: Mutex<Directories>,
}

#[derive(Debug, Default)]
struct Directories {
    /// Their canonical paths by the numbers that the kernel gave them.
    paths: HashMap<i32, Vec<u8>>,
    /// These numbers, the oldest first.
    order: VecDeque<i32>,
}

/// What was seen of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// It was written.
    Written,
    /// Somebody who had it open for writing closed it.
    Closed,
}

// === impl FileWrites ===

impl FileWrites {
    /// From now on writes in the directory of the file at this canonical path are seen.
    pub(crate) fn watch(&self, path: &[u8]) {
        let flags = CreateFlags::NONBLOCK | CreateFlags::CLOEXEC;
        let queue = self.queue.get_or_init(|| inotify::init(flags).ok());
        let directory = SplitPath::new(path).parent;
        let (Some(queue), Ok(name)) = (queue, CString::new(directory)) else {
            return;
        };
        let wanted = WatchFlags::MODIFY
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::EXCL_UNLINK
            | WatchFlags::ONLYDIR
            | WatchFlags::DONT_FOLLOW;
        let Ok(number) = inotify::add_watch(queue, &name, wanted) else {
            return;
        };
        let mut directories = self
            .directories
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(dropped) = directories.insert(number, directory) {
            // The kernel may have dropped it with its directory.
            let _gone = inotify::remove_watch(queue, dropped);
        }
    }

    /// Takes into account what was written until now.
    pub(crate) fn take_into_account(&self, recorder: &Recorder, guard: &Guard) {
        self.drain(|seen, path| match seen {
            Seen::Written => {
                if recorder.written(path) {
                    guard.ownership.written_by_others(path);
                }
            }
            Seen::Closed => recorder.closed(path),
        });
    }

    /// Reports what was seen since the last time.
    fn drain(&self, mut report: impl FnMut(Seen, &[u8])) {
        let Some(Some(queue)) = self.queue.get() else {
            return;
        };
        // Held all the time, so that whoever comes second finds all of it reported.
        let mut directories = self
            .directories
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut room = [MaybeUninit::uninit(); QUEUE_BYTES];
        let mut events = Reader::new(queue, &mut room);
        let mut path = Vec::new();
        while let Ok(event) = events.next() {
            if event.events().contains(ReadFlags::IGNORED) {
                directories.remove(event.wd());
                continue;
            }
            let directory = directories.paths.get(&event.wd());
            let (Some(directory), Some(name)) = (directory, event.file_name()) else {
                continue;
            };
            path.clear();
            path.extend_from_slice(directory);
            path.push(b'/');
            path.extend_from_slice(name.to_bytes());
            if event.events().contains(ReadFlags::MODIFY) {
                report(Seen::Written, &path);
            }
            if event.events().contains(ReadFlags::CLOSE_WRITE) {
                report(Seen::Closed, &path);
            }
        }
    }
}

// === impl Directories ===

impl Directories {
    /// Remembers a directory. Returns the number of another that is watched no more.
    fn insert(&mut self, number: i32, path: &[u8]) -> Option<i32> {
        let path = path.strip_suffix(b"/").unwrap_or(path);
        if self.paths.insert(number, path.to_vec()).is_some() {
            return None;
        }
        self.order.push_back(number);
        if self.order.len() <= MAX_DIRECTORIES {
            return None;
        }
        let oldest = self.order.pop_front()?;
        self.paths.remove(&oldest);
        Some(oldest)
    }

    fn remove(&mut self, number: i32) {
        if self.paths.remove(&number).is_some() {
            self.order.retain(|&known| known != number);
        }
    }
}

/// How many directories are watched: a user's programs share what the kernel allows.
const MAX_DIRECTORIES: usize = 1024;

/// Room for a good hundred events.
const QUEUE_BYTES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};
    use std::io::Write as _;
    use std::os::unix::ffi::OsStrExt as _;

    fn drained(writes: &FileWrites) -> Vec<(Seen, Vec<u8>)> {
        let mut all = Vec::new();
        writes.drain(|seen, path| all.push((seen, path.to_vec())));
        all
    }

    #[test]
    fn writes_and_their_ends_are_seen_in_their_order() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap().join("a");
        let bytes = path.as_os_str().as_bytes();
        let writes = FileWrites::default();
        assert_eq!(drained(&writes), []);
        writes.watch(bytes);
        let mut first = File::create(&path).unwrap();
        first.write_all(b"one").unwrap();
        drop(first);
        // By whoever: the same events again, and none is lost among them.
        let mut second = File::options().append(true).open(&path).unwrap();
        second.write_all(b"two").unwrap();
        second.write_all(b"three").unwrap();
        drop(second);
        let once = [
            (Seen::Written, bytes.to_vec()),
            (Seen::Closed, bytes.to_vec()),
        ];
        assert_eq!(drained(&writes), [once.clone(), once].concat());
        fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!(
            drained(&writes),
            [],
            "neither a reader nor a removal writes"
        );
    }

    #[test]
    fn a_directory_that_is_gone_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().canonicalize().unwrap().join("d");
        fs::create_dir(&inner).unwrap();
        let writes = FileWrites::default();
        writes.watch(inner.join("a").as_os_str().as_bytes());
        writes.watch(b"/no/such/directory/a");
        let count = || writes.directories.lock().unwrap().paths.len();
        assert_eq!(count(), 1);
        fs::remove_dir(&inner).unwrap();
        assert_eq!(drained(&writes), []);
        assert_eq!(count(), 0);
    }

    #[test]
    fn the_oldest_directories_go_first() {
        let mut directories = Directories::default();
        let last = i32::try_from(MAX_DIRECTORIES).unwrap();
        assert!((0..last).all(|number| directories.insert(number, b"/d").is_none()));
        assert_eq!(directories.insert(7, b"/e"), None, "it is known");
        assert_eq!(directories.insert(last, b"/d"), Some(0));
        directories.remove(1);
        assert_eq!(directories.insert(0, b"/d"), None);
        assert_eq!(directories.paths.len(), MAX_DIRECTORIES);
    }
}
