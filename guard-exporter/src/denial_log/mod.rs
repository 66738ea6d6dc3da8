//! The logs of what rings hold: `denials.jsonl`, `changes.jsonl`, `overrides.jsonl`, and their numbered
//! files.
//!
//! It guarantees that
//!
//! - each line is in the log whole and once, in the order of its ring, whenever the exporter is killed;
//!   see [`recover`] and [`log_files`];
//! - the live file is smaller than [`MAX_BYTES`](log_files::MAX_BYTES), and [`KEPT`] numbered files are kept;
//! - with a [greatest age](DecisionLog::expire) lines do not outlive it by more than an eighth;
//! - a failed write, such as on a full disk, loses nothing: lines stay [pending](DecisionLog::append) and
//!   are retried with growing pauses, and when no more fit into memory the decisions stay in their rings;
//! - a log that someone moves or removes is created again for the next line;
//! - with a [hash chain](chain) each line has the hash of the one before, over rotations and restarts.
//!
//! It is synced to disk (`fdatasync`) at most once a second, and always before a ring file is removed.
//! A power failure may therefore lose the last second's lines of a ring that is itself lost.
//!
//! It deliberately follows no symbolic link and writes only to a regular file, so that the log cannot
//! be used to overwrite something else.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! use guard_exporter::denial_log::DecisionLog;
//! use guard_exporter::metrics::Metrics;
//! use std::time::Instant;
//!
//! let metrics = Metrics::new();
//! let path = dir.path().join("denials.jsonl");
//! let (mut log, next) = DecisionLog::open(&path, metrics.denial_log.clone())?;
//! assert!(next.is_empty(), "a new log holds no ring's denials");
//! log.append(b"{\"ring\":\"00ff\",\"seq\":0}\n");
//! assert!(log.flush(Instant::now()));
//! assert_eq!(std::fs::read(&path)?, b"{\"ring\":\"00ff\",\"seq\":0}\n");
//! # Ok(()) }
//! ```

pub mod chain;
mod counters;
mod error;
mod live_file;
pub mod recover;
pub mod repeats;
pub mod verify;

pub use counters::LogCounters;
pub use error::{OpenLogError, WriteLogError};

use crate::rate_limited::RateLimited;
use chain::{Chain, Digest, Seal};
use guard_report::log_files::{self, KEPT};
use live_file::LiveFile;
use recover::NextSequences;
use std::collections::VecDeque;
use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// Writes and rotates the log, and keeps what is not written yet.
#[derive(Debug)]
pub struct DecisionLog {
    path: PathBuf,
    live: Option<LiveFile>,
    /// Whole lines that are not in the file yet, oldest first.
    pending: Vec<u8>,
    /// The chain after what is pending; `None` while it is off.
    chain: Option<Chain>,
    /// The hash of the last written line.
    head: Option<Digest>,
    /// Former live files that may not be on disk.
    unsynced: VecDeque<File>,
    live_unsynced: bool,
    directory_unsynced: bool,
    /// How old lines may become.
    max_age: Option<Duration>,
    trouble: Option<Trouble>,
    failing: RateLimited,
    recovered: RateLimited,
    counters: LogCounters,
}

/// Whether lines are chained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Chaining {
    /// If the last line of the log is.
    #[default]
    Keep,
    On,
    Off,
}

/// Bytes of lines kept in memory while the log cannot be written. Further decisions wait in their rings,
/// which hold more and outlive the exporter.
pub const MAX_PENDING_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of lines after which they are written, while the log can be.
pub const FLUSH_BYTES: usize = 512 * 1024;

/// A failed write, and when it is retried.
#[derive(Debug)]
struct Trouble {
    error: String,
    pause: Duration,
    retry: Instant,
}

// === impl DecisionLog ===

impl DecisionLog {
    /// Opens or creates the log at `path`, cuts off a partial last line, and returns where reading each
    /// ring continues.
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
        let live = LiveFile::open(path)?;
        let next = recover::next_sequences(path).map_err(|source| OpenLogError::Read {
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
            // What a killed predecessor wrote may not be on disk either.
            live_unsynced: true,
            directory_unsynced: true,
            max_age: None,
            trouble: None,
            failing: RateLimited::default(),
            recovered: RateLimited::default(),
            counters,
        };
        Ok((log, next))
    }

    /// Sets whether the next lines are chained. The chain continues after the last line, whether that
    /// is sealed or not.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub fn chain(&mut self, chaining: Chaining) -> Result<(), OpenLogError> {
        let last = recover::last_line(&self.path).map_err(|source| OpenLogError::Read {
            path: self.path.clone(),
            source,
        })?;
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

    /// Sets how old lines may become before [`expire`](Self::expire) removes them; `None` for as old as
    /// they become before newer ones take their place.
    pub fn keep_for(&mut self, max_age: Option<Duration>) {
        self.max_age = max_age;
    }

    /// Removes numbered files all of whose lines are too old, and moves the log on to a numbered file
    /// when its first line has an eighth of the greatest age, so that none becomes much older than that.
    pub fn expire(&mut self, now: Instant, wall: SystemTime) {
        let Some(max_age) = self.max_age.filter(|_| self.trouble.is_none()) else {
            return;
        };
        if let Err(error) = self.expire_files(max_age, wall) {
            self.note(now, Err(error));
        }
    }

    /// Whether the next lines are chained.
    #[must_use]
    pub const fn is_chained(&self) -> bool {
        self.chain.is_some()
    }

    /// The hash of the last written line while the chain is on. Copied elsewhere, it reveals whether
    /// the chain was recomputed or its end cut off.
    #[must_use]
    pub fn head(&self) -> Option<Digest> {
        self.head
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds whole lines, which the next [`flush`](Self::flush) writes.
    pub fn append(&mut self, lines: &[u8]) {
        debug_assert!(
            lines.is_empty() || lines.ends_with(b"\n"),
            "only whole lines"
        );
        self.pending.extend_from_slice(lines);
    }

    /// Like [`append`](Self::append) for a line that is encoded in place. Returns it as it will be
    /// written.
    pub fn encode(&mut self, line: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
        let start = self.pending.len();
        line(&mut self.pending);
        if let Some(chain) = &mut self.chain {
            chain.seal(&mut self.pending, start);
        }
        &self.pending[start..]
    }

    /// Whether more lines may be appended before a flush: more while the log cannot be written.
    #[must_use]
    pub fn has_room(&self) -> bool {
        let most = if self.trouble.is_none() {
            FLUSH_BYTES
        } else {
            MAX_PENDING_BYTES
        };
        self.pending.len() < most
    }

    /// Why the last write failed; `None` when it did not.
    #[must_use]
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_ref().map(|trouble| trouble.error.as_str())
    }

    /// Writes what is pending, unless it pauses after a failure. Returns whether nothing is pending any
    /// more.
    pub fn flush(&mut self, now: Instant) -> bool {
        let pauses = |trouble: &Trouble| now < trouble.retry;
        if self.trouble.as_ref().is_some_and(pauses) {
            self.count_pending();
            return false;
        }
        let result = self.write_pending();
        self.note(now, result);
        self.count_pending();
        if self.pending.is_empty() && self.pending.capacity() > 2 * FLUSH_BYTES {
            // Frees what trouble had filled.
            self.pending = Vec::new();
        }
        self.pending.is_empty() && self.trouble.is_none()
    }

    /// Closes the log and opens it again by its path, as programs that rotate logs expect on SIGHUP.
    /// Nothing pending is lost; a log that cannot be opened is retried at the next flush.
    pub fn reopen(&mut self, now: Instant) {
        self.retire();
        let result = self.open_live();
        self.note(now, result);
    }

    /// Flushes, then syncs everything written to disk; does nothing when nothing was written. Returns
    /// whether all of it is on disk.
    pub fn sync(&mut self, now: Instant) -> bool {
        if !self.flush(now) {
            return false;
        }
        let result = self.sync_written();
        self.note(now, result);
        self.trouble.is_none()
    }

    fn count_pending(&self) {
        let bytes = i64::try_from(self.pending.len()).unwrap_or(i64::MAX);
        self.counters.pending.set(bytes);
    }

    fn write_pending(&mut self) -> Result<(), WriteLogError> {
        let is_moved = |live: &mut LiveFile| !live.is_at(&self.path);
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
            let written = written.map_err(|source| WriteLogError::Write {
                path: self.path.clone(),
                source,
            })?;
            if written == 0 {
                self.rotate()?;
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

    fn open_live(&mut self) -> Result<(), WriteLogError> {
        if self.live.is_none() {
            self.directory_unsynced = true;
            self.live = Some(LiveFile::open(&self.path)?);
        }
        Ok(())
    }

    fn rotate(&mut self) -> Result<(), WriteLogError> {
        let _span = tracing::info_span!("rotate").entered();
        log_files::rotate(&self.path, KEPT).map_err(|source| WriteLogError::Rotate {
            path: self.path.clone(),
            source,
        })?;
        self.retire();
        self.counters.rotations.inc();
        Ok(())
    }

    fn expire_files(&mut self, max_age: Duration, wall: SystemTime) -> Result<(), WriteLogError> {
        let seconds = |since: Duration| {
            let oldest = wall.checked_sub(since)?;
            Some(
                oldest
                    .duration_since(SystemTime::UNIX_EPOCH)
                    .ok()?
                    .as_secs(),
            )
        };
        let oldest = self.live.as_ref().and_then(LiveFile::oldest);
        if oldest.is_some_and(|oldest| Some(oldest) < seconds(max_age / PARTS_OF_AGE)) {
            self.rotate()?;
        }
        let Some(before) = wall.checked_sub(max_age) else {
            return Ok(());
        };
        log_files::remove_older(&self.path, KEPT, before).map_err(|source| WriteLogError::Expire {
            path: self.path.clone(),
            source,
        })
    }

    /// Closes the live file after the next sync.
    fn retire(&mut self) {
        self.live_unsynced = false;
        self.unsynced
            .extend(self.live.take().map(LiveFile::into_file));
        // Older files are not kept at all.
        while self.unsynced.len() > KEPT as usize {
            self.unsynced.pop_front();
        }
    }

    fn sync_written(&mut self) -> Result<(), WriteLogError> {
        let wrap = |source| WriteLogError::Sync {
            path: self.path.clone(),
            source,
        };
        while let Some(file) = self.unsynced.front() {
            file.sync_data().map_err(wrap)?;
            self.unsynced.pop_front();
        }
        if let Some(live) = &self.live
            && self.live_unsynced
        {
            live.sync().map_err(wrap)?;
            self.live_unsynced = false;
        }
        if self.directory_unsynced
            && let Some(directory) = self.path.parent()
        {
            File::open(directory)
                .and_then(|directory| directory.sync_all())
                .map_err(wrap)?;
            self.directory_unsynced = false;
        }
        Ok(())
    }

    /// Takes note of the result of writing.
    fn note(&mut self, now: Instant, result: Result<(), WriteLogError>) {
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
            .warn(now, format_args!("decisions wait in their rings: {error}"));
        self.trouble = Some(Trouble {
            error,
            pause,
            retry: now + pause,
        });
    }
}

/// The last of whole lines, without its newline.
fn last_of(lines: &[u8]) -> Option<&[u8]> {
    lines
        .strip_suffix(b"\n")?
        .rsplit(|&byte| byte == b'\n')
        .next()
}

/// Of the greatest age: how old the first line of the live file may become. As many as there are
/// numbered files, so that none is pushed out before its time.
const PARTS_OF_AGE: u32 = KEPT;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;
