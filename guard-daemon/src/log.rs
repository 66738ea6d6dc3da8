//! The guard's own log: `guard.log` in the state directory, for a guard that has no terminal.
//!
//! Lines have the format of [`guard_report::log_format`] and name their session, since all guards of a
//! user write to one file, and so does an exporter that a guard started. Beyond [`MAX_BYTES`] the
//! content moves to `guard.log.1` and the file is emptied, so that whoever has it open continues in it.
//!
//! A line that cannot be written is lost, and so may lines be that others write while the content
//! moves. Nothing waits for this log.

use guard_report::log_files::numbered;
use guard_report::log_format::{LogFormat, session_layer};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;

/// The file.
#[derive(Clone, Debug)]
pub(crate) struct GuardLog {
    path: PathBuf,
}

/// Writes this process's events to the log in `state` from now on, each with the name of the session.
pub(crate) fn init(state: &Path, session: &str) -> GuardLog {
    let log = GuardLog::at(state);
    let layer = session_layer(
        LogFormat::Logfmt,
        LevelFilter::INFO,
        Some(session.to_owned()),
        log.clone(),
    );
    let subscriber = tracing_subscriber::registry().with(layer);
    // A process has one log; it cannot be set twice.
    let _already_set = tracing::subscriber::set_global_default(subscriber);
    log
}

// === impl GuardLog ===

impl GuardLog {
    fn at(state: &Path) -> Self {
        Self {
            path: state.join("guard.log"),
        }
    }

    /// The file, for a process's standard streams.
    pub(crate) fn descriptor(&self) -> Option<OwnedFd> {
        self.open().ok().map(OwnedFd::from)
    }

    fn open(&self) -> io::Result<File> {
        File::options()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW)
            .open(&self.path)
    }

    /// Moves the content to `guard.log.1`, if it is too much and no other process is moving it.
    fn rotate(&self, file: &File) -> io::Result<()> {
        let is_full = |file: &File| Ok::<_, io::Error>(file.metadata()?.size() > MAX_BYTES);
        if !is_full(file)? || file.try_lock().is_err() {
            return Ok(());
        }
        // It may have been moved while another had the lock.
        if is_full(file)? {
            fs::copy(&self.path, numbered(&self.path, 1))?;
            file.set_len(0)?;
        }
        file.unlock()
    }
}

impl Write for GuardLog {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.write_all(line)?;
        Ok(line.len())
    }

    /// One call for each line, so that lines of several processes do not mix.
    fn write_all(&mut self, line: &[u8]) -> io::Result<()> {
        let mut file = self.open()?;
        // A log that is too long is better than none.
        let _rotated = self.rotate(&file);
        file.write_all(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for GuardLog {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Enough for months of messages.
const MAX_BYTES: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_log_moves_and_who_has_it_open_continues_in_it() {
        let state = tempfile::tempdir().unwrap();
        let mut log = GuardLog::at(state.path());
        let mut exporter = File::from(log.descriptor().unwrap());
        let line = [b'a'; 1 << 16];
        for _ in 0..=(MAX_BYTES >> 16) {
            log.write_all(&line).unwrap();
        }
        log.write_all(b"guard\n").unwrap();
        exporter.write_all(b"exporter\n").unwrap();
        let text = |name: &str| fs::read_to_string(state.path().join(name)).unwrap();
        assert_eq!(text("guard.log"), "guard\nexporter\n");
        assert_eq!(text("guard.log.1").len(), (1 << 20) + (1 << 16));
    }

    #[test]
    fn what_another_process_moves_is_left_to_it() {
        let state = tempfile::tempdir().unwrap();
        let mut log = GuardLog::at(state.path());
        let other = log.open().unwrap();
        other.set_len(MAX_BYTES + 1).unwrap();
        other.lock().unwrap();
        log.write_all(b"guard\n").unwrap();
        assert!(!state.path().join("guard.log.1").exists());
        other.unlock().unwrap();
        log.write_all(b"again\n").unwrap();
        assert!(state.path().join("guard.log.1").exists());
        let text = fs::read_to_string(state.path().join("guard.log")).unwrap();
        assert_eq!(text, "again\n");
    }

    #[test]
    fn no_link_is_followed() {
        let state = tempfile::tempdir().unwrap();
        let target = state.path().join("target");
        std::os::unix::fs::symlink(&target, state.path().join("guard.log")).unwrap();
        GuardLog::at(state.path()).write_all(b"x\n").unwrap_err();
        assert!(!target.exists());
    }
}
