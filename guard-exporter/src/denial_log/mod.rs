//! The denial log: `denials.jsonl` and its numbered files.
//!
//! Guarantees:
//!
//! - A line stands in the log whole or not at all, once, in its ring's order, whenever the exporter
//!   is killed; see [`recover`] and [`rotate`].
//! - `denials.jsonl` stays under [`MAX_BYTES`]; [`KEPT`] numbered files are kept.
//! - A failed write (a full disk, say) loses nothing: lines stay [pending](DenialLog::append), are
//!   tried again with growing pauses, and when no more fit into memory the denials stay in their
//!   rings.
//! - A log that someone moves or removes is made anew for the next denial.
//!
//! It is flushed to the medium (`fdatasync`) at most once a second, and always before a ring file is
//! removed. A power cut may therefore cost the last second's lines of a ring that is itself lost.
//!
//! It deliberately follows no symbolic link and writes to nothing but a regular file, so that the
//! log cannot be made to clobber something else.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! use guard_exporter::denial_log::DenialLog;
//! use guard_exporter::metrics::Metrics;
//! use std::time::Instant;
//!
//! let metrics = Metrics::new();
//! let path = dir.path().join("denials.jsonl");
//! let (mut log, next) = DenialLog::open(&path, metrics.denial_log.clone())?;
//! assert!(next.is_empty(), "a new log holds no ring's denials");
//! log.append(b"{\"ring\":\"00ff\",\"seq\":0}\n");
//! assert!(log.flush(Instant::now()));
//! assert_eq!(std::fs::read(&path)?, b"{\"ring\":\"00ff\",\"seq\":0}\n");
//! # Ok(()) }
//! ```

pub mod line;
pub mod recover;
pub mod rotate;

use crate::metrics::LogMetrics;
use crate::notice::Notice;
use recover::NextSequences;
use rotate::KEPT;
use std::collections::VecDeque;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Writes denials, rotates, and remembers what is not yet written.
#[derive(Debug)]
pub struct DenialLog {
    path: PathBuf,
    live: Option<Live>,
    /// Whole lines not yet in the file, oldest first.
    pending: Vec<u8>,
    /// Former live files that the medium may not have whole.
    unsynced: VecDeque<File>,
    live_unsynced: bool,
    directory_unsynced: bool,
    trouble: Option<Trouble>,
    failing: Notice,
    recovered: Notice,
    metrics: LogMetrics,
}

/// Why the denial log cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenLogError {
    /// Its directory cannot be made.
    #[error("cannot make directory {}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The path is a symbolic link, a directory, a device, ….
    #[error("{} is not a regular file; move it away or choose another log with --denials", path.display())]
    NotRegular {
        /// The log's path.
        path: PathBuf,
    },
    /// Anything else.
    #[error("cannot use {}", path.display())]
    Io {
        /// The log's path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// `denials.jsonl` stays below this, as the seed's did.
pub const MAX_BYTES: u64 = 1_000_000;

/// Bytes of lines kept in memory while the log cannot be written. Beyond, denials wait in their
/// rings, which hold more and outlive the exporter.
pub const MAX_PENDING_BYTES: usize = 4 * 1024 * 1024;

/// The open `denials.jsonl`.
#[derive(Debug)]
struct Live {
    file: File,
    /// Which file it is: device and inode.
    identity: (u64, u64),
    /// Bytes of whole lines.
    length: u64,
    /// A failed write may have left part of a line behind `length`.
    torn: bool,
}

#[derive(Debug)]
struct Trouble {
    error: String,
    pause: Duration,
    retry: Instant,
}

// === impl DenialLog ===

impl DenialLog {
    /// Opens or makes the log at `path`, cuts a partial last line, and says where each ring's
    /// denials go on.
    ///
    /// # Errors
    ///
    /// [`OpenLogError`]
    pub fn open(path: &Path, metrics: LogMetrics) -> Result<(Self, NextSequences), OpenLogError> {
        if let Some(directory) = path.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(directory)
                .map_err(|source| OpenLogError::Directory {
                    path: directory.to_owned(),
                    source,
                })?;
        }
        let live = Live::open(path)?;
        let next = recover::next_sequences(path).map_err(|source| OpenLogError::Io {
            path: path.to_owned(),
            source,
        })?;
        let log = Self {
            path: path.to_owned(),
            live: Some(live),
            pending: Vec::new(),
            unsynced: VecDeque::new(),
            // What a killed predecessor wrote may not be on the medium either.
            live_unsynced: true,
            directory_unsynced: true,
            trouble: None,
            failing: Notice::default(),
            recovered: Notice::default(),
            metrics,
        };
        Ok((log, next))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes one or more whole lines to be written by the next [`flush`](Self::flush).
    pub fn append(&mut self, lines: &[u8]) {
        debug_assert!(
            lines.is_empty() || lines.ends_with(b"\n"),
            "only whole lines"
        );
        self.pending.extend_from_slice(lines);
    }

    /// The buffer behind [`append`](Self::append), to encode a line in place.
    pub fn pending(&mut self) -> &mut Vec<u8> {
        &mut self.pending
    }

    /// Whether more lines should be appended before a flush.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.pending.len() < MAX_PENDING_BYTES
    }

    /// Why the last write failed; `None` when all is well.
    #[must_use]
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_ref().map(|trouble| trouble.error.as_str())
    }

    /// Writes what is pending, unless a failure was so recent that it waits. Returns whether
    /// nothing is pending any more.
    pub fn flush(&mut self, now: Instant) -> bool {
        if self
            .trouble
            .as_ref()
            .is_some_and(|trouble| now < trouble.retry)
        {
            self.show_pending();
            return false;
        }
        let result = self.write_pending();
        self.note(now, result);
        self.show_pending();
        self.pending.is_empty() && self.trouble.is_none()
    }

    /// Flushes, then brings all that was written to the medium; free when nothing was. Returns
    /// whether all is there.
    pub fn sync(&mut self, now: Instant) -> bool {
        if !self.flush(now) {
            return false;
        }
        let result = self.sync_written();
        self.note(now, result);
        self.trouble.is_none()
    }

    fn show_pending(&self) {
        let bytes = i64::try_from(self.pending.len()).unwrap_or(i64::MAX);
        self.metrics.pending.set(bytes);
    }

    fn write_pending(&mut self) -> Result<(), OpenLogError> {
        let is_moved = |live: &mut Live| !live.is_still_at(&self.path);
        if !self.pending.is_empty() && self.live.as_mut().is_some_and(is_moved) {
            self.retire();
        }
        while !self.pending.is_empty() {
            let live = match &mut self.live {
                Some(live) => live,
                live @ None => {
                    self.directory_unsynced = true;
                    live.insert(Live::open(&self.path)?)
                }
            };
            let written = live
                .write_lines(&self.pending)
                .map_err(|source| self.error(source))?;
            if written == 0 {
                self.rotate().map_err(|source| self.error(source))?;
                continue;
            }
            self.live_unsynced = true;
            let records = self.pending[..written]
                .iter()
                .filter(|&&byte| byte == b'\n')
                .count();
            self.metrics.records.inc_by(records as u64);
            self.metrics.written_bytes.inc_by(written as u64);
            self.pending.drain(..written);
        }
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        let _span = tracing::info_span!("rotate").entered();
        rotate::rotate(&self.path)?;
        self.retire();
        self.metrics.rotations.inc();
        Ok(())
    }

    /// Lets go of the live file, keeping it for the next sync.
    fn retire(&mut self) {
        self.live_unsynced = false;
        self.unsynced.extend(self.live.take().map(|live| live.file));
        // More than these are no longer kept at all.
        while self.unsynced.len() > KEPT as usize {
            self.unsynced.pop_front();
        }
    }

    fn sync_written(&mut self) -> Result<(), OpenLogError> {
        while let Some(file) = self.unsynced.front() {
            file.sync_data().map_err(|source| self.error(source))?;
            self.unsynced.pop_front();
        }
        if let Some(live) = &self.live
            && self.live_unsynced
        {
            live.file.sync_data().map_err(|source| self.error(source))?;
            self.live_unsynced = false;
        }
        if self.directory_unsynced
            && let Some(directory) = self.path.parent()
        {
            File::open(directory)
                .and_then(|directory| directory.sync_all())
                .map_err(|source| self.error(source))?;
            self.directory_unsynced = false;
        }
        Ok(())
    }

    fn note(&mut self, now: Instant, result: Result<(), OpenLogError>) {
        let Err(error) = result else {
            if self.trouble.take().is_some() {
                let path = self.path.display();
                self.recovered
                    .say_at(now, format_args!("{path} is written again"));
            }
            return;
        };
        self.metrics.write_failures.inc();
        let pause = self
            .trouble
            .as_ref()
            .map_or(FIRST_PAUSE, |trouble| trouble.pause * 2);
        let pause = pause.min(LONGEST_PAUSE);
        let error = format!("{:#}", anyhow::Error::new(error));
        self.failing
            .say_at(now, format_args!("denials wait in their rings: {error}"));
        self.trouble = Some(Trouble {
            error,
            pause,
            retry: now + pause,
        });
    }

    fn error(&self, source: io::Error) -> OpenLogError {
        OpenLogError::Io {
            path: self.path.clone(),
            source,
        }
    }
}

// === impl Live ===

impl Live {
    fn open(path: &Path) -> Result<Self, OpenLogError> {
        let wrap = |source: io::Error| match source.raw_os_error() {
            Some(libc::ELOOP | libc::EISDIR) => OpenLogError::NotRegular {
                path: path.to_owned(),
            },
            _ => OpenLogError::Io {
                path: path.to_owned(),
                source,
            },
        };
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            // A FIFO put in the log's place must not hang the exporter.
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(path)
            .map_err(wrap)?;
        let metadata = file.metadata().map_err(wrap)?;
        if !metadata.is_file() {
            return Err(OpenLogError::NotRegular {
                path: path.to_owned(),
            });
        }
        let length = recover::cut_partial_line(&mut file).map_err(wrap)?;
        Ok(Self {
            file,
            identity: (metadata.dev(), metadata.ino()),
            length,
            torn: false,
        })
    }

    /// Whether this file is the one at `path`. Takes note of a change of its length.
    fn is_still_at(&mut self, path: &Path) -> bool {
        let Ok(metadata) = path.symlink_metadata() else {
            return false;
        };
        if !self.torn {
            self.length = metadata.len();
        }
        self.identity == (metadata.dev(), metadata.ino())
    }

    /// Writes as many of the whole `lines` as fit and returns their bytes; 0 when it is full. A
    /// line longer than a file may be is written whole into a file of its own.
    fn write_lines(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.mend()?;
        let room = (MAX_BYTES - 1).saturating_sub(self.length);
        let room = usize::try_from(room).unwrap_or(usize::MAX).min(lines.len());
        let fitting = lines[..room]
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1);
        let size = match fitting {
            0 if self.length > 0 => return Ok(0),
            0 => lines
                .iter()
                .position(|&byte| byte == b'\n')
                .map_or(lines.len(), |at| at + 1),
            size => size,
        };
        self.torn = true;
        let written = self.file.write_all(&lines[..size]);
        if written.is_ok() {
            self.torn = false;
            self.length += size as u64;
        } else {
            // Now if possible: a reader should not meet half a line. Else before the next write.
            drop(self.mend());
        }
        written.map(|()| size)
    }

    /// Cuts what a failed write left.
    fn mend(&mut self) -> io::Result<()> {
        if self.torn {
            if self.file.metadata()?.len() > self.length {
                self.file.set_len(self.length)?;
            }
            self.torn = false;
        }
        Ok(())
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;
    use crate::testing::denial;
    use rotate::numbered;
    use std::fs;

    fn open(path: &Path) -> (DenialLog, NextSequences) {
        DenialLog::open(path, Metrics::new().denial_log.clone()).unwrap()
    }

    fn append(log: &mut DenialLog, sequences: std::ops::Range<u64>) {
        for sequence in sequences {
            line::encode(&denial(sequence), "aa", log.pending());
        }
    }

    /// The numbers in the log, oldest file first.
    fn sequences(path: &Path) -> Vec<u64> {
        let files = (0..=KEPT)
            .rev()
            .filter_map(|n| fs::read_to_string(numbered(path, n)).ok());
        let text: String = files.collect();
        let number =
            |line| serde_json::from_str::<serde_json::Value>(line).unwrap()["seq"].as_u64();
        text.lines().map(|line| number(line).unwrap()).collect()
    }

    #[test]
    fn lines_survive_reopening_and_rotation_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/denials.jsonl");
        let mut last = 0;
        for round in 1..=4 {
            let (mut log, next) = open(&path);
            assert_eq!(next.get("aa").copied().unwrap_or(0), last);
            append(&mut log, last..round * 1000);
            assert!(log.sync(Instant::now()));
            last = round * 1000;
        }
        assert_eq!(sequences(&path), (0..4000).collect::<Vec<_>>());
        for number in 0..=2 {
            let metadata = fs::metadata(numbered(&path, number)).unwrap();
            assert!(metadata.len() < MAX_BYTES);
            assert_eq!(metadata.mode() & 0o777, 0o600);
        }
        assert_eq!(
            fs::metadata(path.parent().unwrap()).unwrap().mode() & 0o777,
            0o700
        );
    }

    #[test]
    fn a_line_longer_than_a_file_is_not_cut() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let (mut log, _) = open(&path);
        append(&mut log, 0..1);
        let long = "x".repeat(1_000_000) + "\n";
        log.append(long.as_bytes());
        append(&mut log, 1..2);
        assert!(log.flush(Instant::now()));
        assert_eq!(fs::read_to_string(numbered(&path, 1)).unwrap(), long);
    }

    #[test]
    fn what_is_no_regular_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("target");
        fs::write(&target, "precious").unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&target, &link).unwrap();
        for path in [link.as_path(), dir.path(), Path::new("/dev/null")] {
            let error = DenialLog::open(path, Metrics::new().denial_log.clone()).unwrap_err();
            assert!(
                matches!(error, OpenLogError::NotRegular { .. }),
                "{error:?}"
            );
        }
        assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
    }

    #[test]
    fn a_log_moved_away_is_made_anew_and_a_link_in_its_place_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let (mut log, _) = open(&path);
        append(&mut log, 0..1);
        let mut now = Instant::now();
        assert!(log.flush(now));
        fs::rename(&path, dir.path().join("moved")).unwrap();
        append(&mut log, 1..2);
        assert!(log.flush(now));
        assert_eq!(sequences(&path), [1]);

        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(dir.path().join("moved"), &path).unwrap();
        append(&mut log, 2..3);
        assert!(!log.flush(now));
        assert!(log.trouble().unwrap().contains("not a regular file"));
        fs::remove_file(&path).unwrap();
        assert!(!log.flush(now), "it pauses after a failure");
        now += FIRST_PAUSE;
        assert!(log.flush(now));
        assert_eq!(sequences(&path), [2]);
        assert_eq!(sequences(&dir.path().join("moved")), [0]);
        assert_eq!(log.metrics.write_failures.get(), 1);
    }

    #[test]
    fn a_log_cut_by_hand_goes_on_from_its_new_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let (mut log, _) = open(&path);
        append(&mut log, 0..1000);
        assert!(log.flush(Instant::now()));
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(0)
            .unwrap();
        append(&mut log, 1000..2000);
        assert!(log.flush(Instant::now()));
        assert_eq!(sequences(&path), (1000..2000).collect::<Vec<_>>());
        assert_eq!(log.metrics.rotations.get(), 0);
    }
}
