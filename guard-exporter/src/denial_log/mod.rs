//! The denial log: `denials.jsonl` and its numbered files.
//!
//! Guarantees:
//!
//! - A line stands in the log whole or not at all, once, in its ring's order, whenever the exporter
//!   is killed; see [`recover`] and [`log_files`].
//! - `denials.jsonl` stays under [`MAX_BYTES`]; [`KEPT`] numbered files are kept.
//! - A failed write (a full disk, say) loses nothing: lines stay [pending](DenialLog::append), are
//!   tried again with growing pauses, and when no more fit into memory the denials stay in their
//!   rings.
//! - A log that someone moves or removes is made anew for the next denial.
//! - With a [hash chain](chain) each line names the one before it, over rotations and restarts.
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

pub mod chain;
mod counters;
pub mod recover;
pub mod verify;

pub use counters::LogCounters;

use crate::rate_limited::RateLimited;
use chain::{Chain, Digest, Seal};
use guard_report::log_files::{self, KEPT, MAX_BYTES};
use recover::NextSequences;
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
    /// Where the chain stands after what is pending; `None` while it is off.
    chain: Option<Chain>,
    /// The last written line's hash.
    head: Option<Digest>,
    /// Former live files that the medium may not have whole.
    unsynced: VecDeque<File>,
    live_unsynced: bool,
    directory_unsynced: bool,
    trouble: Option<Trouble>,
    failing: RateLimited,
    recovered: RateLimited,
    counters: LogCounters,
}

/// Whether lines are chained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Chaining {
    /// As the log's last line is.
    #[default]
    Keep,
    /// From the next line on.
    On,
    /// Not from the next line on.
    Off,
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
    pub fn open(path: &Path, counters: LogCounters) -> Result<(Self, NextSequences), OpenLogError> {
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
            chain: None,
            head: None,
            unsynced: VecDeque::new(),
            // What a killed predecessor wrote may not be on the medium either.
            live_unsynced: true,
            directory_unsynced: true,
            trouble: None,
            failing: RateLimited::default(),
            recovered: RateLimited::default(),
            counters,
        };
        Ok((log, next))
    }

    /// Chains the lines to come, as `chaining` says. The chain goes on after the last line there is,
    /// sealed or not.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub fn chain(&mut self, chaining: Chaining) -> Result<(), OpenLogError> {
        let last = recover::last_line(&self.path).map_err(|source| self.error(source))?;
        let seal = last.as_deref().and_then(Seal::of);
        let is_on = match chaining {
            Chaining::On => true,
            Chaining::Off => false,
            Chaining::Keep => seal.is_some(),
        };
        self.chain = is_on.then(|| Chain::after(last.as_deref()));
        self.head = seal.filter(|_| is_on).map(|seal| seal.hash);
        Ok(())
    }

    /// The hash of the last line written, while the chain is on: kept elsewhere, it betrays who
    /// makes the chain anew or cuts its end off.
    #[must_use]
    pub fn head(&self) -> Option<Digest> {
        self.head
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

    /// Encodes a line in place, instead of [`append`](Self::append), and returns it as it will be
    /// written.
    pub fn encode(&mut self, line: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
        let start = self.pending.len();
        line(&mut self.pending);
        if let Some(chain) = &mut self.chain {
            chain.seal(&mut self.pending, start);
        }
        &self.pending[start..]
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

    /// Closes the log and opens it again by its path, as programs that rotate logs expect on SIGHUP.
    /// Nothing pending is lost; a log that cannot be opened is tried again at the next flush.
    pub fn reopen(&mut self, now: Instant) {
        self.retire();
        let result = self.open_live();
        self.note(now, result);
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
        self.counters.pending.set(bytes);
    }

    fn write_pending(&mut self) -> Result<(), OpenLogError> {
        let is_moved = |live: &mut Live| !live.is_still_at(&self.path);
        if !self.pending.is_empty() && self.live.as_mut().is_some_and(is_moved) {
            self.retire();
        }
        if self.live.is_none() && self.trouble.is_some() {
            self.open_live()?;
        }
        while !self.pending.is_empty() {
            self.open_live()?;
            let Some(live) = &mut self.live else { break };
            let written = live.write_lines(&self.pending);
            let written = written.map_err(|source| self.error(source))?;
            if written == 0 {
                self.rotate().map_err(|source| self.error(source))?;
                continue;
            }
            self.live_unsynced = true;
            let records = self.pending[..written]
                .iter()
                .filter(|&&byte| byte == b'\n')
                .count();
            self.counters.records.inc_by(records as u64);
            self.counters.written_bytes.inc_by(written as u64);
            if self.chain.is_some() {
                self.head =
                    last_of(&self.pending[..written]).and_then(|last| Some(Seal::of(last)?.hash));
            }
            self.pending.drain(..written);
        }
        Ok(())
    }

    fn open_live(&mut self) -> Result<(), OpenLogError> {
        if self.live.is_none() {
            self.directory_unsynced = true;
            self.live = Some(Live::open(&self.path)?);
        }
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        let _span = tracing::info_span!("rotate").entered();
        log_files::rotate(&self.path, KEPT)?;
        self.retire();
        self.counters.rotations.inc();
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
                    .info(now, format_args!("{path} is written again"));
            }
            return;
        };
        self.counters.write_failures.inc();
        let pause = self
            .trouble
            .as_ref()
            .map_or(FIRST_PAUSE, |trouble| trouble.pause * 2);
        let pause = pause.min(LONGEST_PAUSE);
        let error = format!("{:#}", anyhow::Error::new(error));
        self.failing
            .warn(now, format_args!("denials wait in their rings: {error}"));
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

/// The last of whole lines, without its newline.
fn last_of(lines: &[u8]) -> Option<&[u8]> {
    lines
        .strip_suffix(b"\n")?
        .rsplit(|&byte| byte == b'\n')
        .next()
}

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;
