//! The guard's own log: what a supervisor without a terminal has to say.
//!
//! One line an event, with the time and the process, appended to `guard.log` in the state
//! directory. Beyond [`MAX_BYTES`] the file moves to `guard.log.1`, once. A log that cannot be
//! written loses a line and nothing else.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where the guard's own messages go.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    path: PathBuf,
}

// === impl Journal ===

impl Journal {
    /// The journal in this state directory.
    pub(crate) fn open(state: &Path) -> Self {
        let journal = Self {
            path: state.join("guard.log"),
        };
        if fs::metadata(&journal.path).is_ok_and(|found| found.len() > MAX_BYTES) {
            let _kept_whole = fs::rename(&journal.path, state.join("guard.log.1"));
        }
        journal
    }

    /// Writes one line.
    pub(crate) fn write(&self, message: &str) {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let line = format!("{} [{}] {message}\n", since.as_secs(), std::process::id());
        if let Some(mut file) = self.append() {
            let _lost = file.write_all(line.as_bytes());
        }
    }

    /// The file, for a process's standard streams.
    pub(crate) fn file(&self) -> Option<OwnedFd> {
        self.append().map(OwnedFd::from)
    }

    fn append(&self) -> Option<File> {
        let flags = libc::O_NOFOLLOW;
        File::options()
            .append(true)
            .create(true)
            .mode(0o600)
            .custom_flags(flags)
            .open(&self.path)
            .ok()
    }
}

/// Enough for months of messages.
const MAX_BYTES: u64 = 1 << 20;
