//! Appending to a journal.

use super::{Record, line};
use crate::regular_file::open_regular;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// The one writer of a journal. It holds the journal's lock for as long as it lives, which is how
/// others know that its session runs.
#[derive(Debug)]
pub struct JournalWriter {
    file: File,
    /// How much of the file is whole lines.
    length: u64,
    buffer: Vec<u8>,
}

/// Why a record could not be written. The journal is as it was before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteJournalError {
    /// The record is not representable.
    #[error("writing the record as JSON")]
    Encode(#[source] serde_json::Error),
    /// The file system refused.
    #[error("appending to the journal")]
    Append(#[source] io::Error),
}

// === impl JournalWriter ===

impl JournalWriter {
    /// Makes a new journal.
    ///
    /// # Errors
    ///
    /// When the file exists already or cannot be made or locked.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        lock(&file)?;
        Ok(Self {
            file,
            length: 0,
            buffer: Vec::new(),
        })
    }

    /// Goes on with the journal of a session that is over.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] when its session still runs.
    pub fn reopen(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).open(path)?;
        lock(&file)?;
        let length = line::read(&std::fs::read(path)?).whole_bytes;
        file.set_len(length)?;
        Ok(Self {
            file,
            length,
            buffer: Vec::new(),
        })
    }

    /// Appends one record. It is the kernel's when this returns, so that it outlives this process,
    /// and the disk's when the kernel writes it back.
    ///
    /// # Errors
    ///
    /// When the disk is full or worse. What was written of the line is taken back, and if even that
    /// fails, the line's checksum does not hold.
    pub fn append(&mut self, record: &Record) -> Result<(), WriteJournalError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let appended = line::append(record, &mut buffer)
            .map_err(WriteJournalError::Encode)
            .and_then(|()| self.append_lines(&buffer));
        self.buffer = buffer;
        appended
    }

    /// Appends whole lines.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append). Then none of them is there, or some are.
    pub(crate) fn append_lines(&mut self, lines: &[u8]) -> Result<(), WriteJournalError> {
        if let Err(error) = self.file.write_all(lines) {
            if self.file.set_len(self.length).is_err() {
                // So that the next record has a line of its own.
                let _full = self.file.write_all(b"\n");
            }
            return Err(WriteJournalError::Append(error));
        }
        self.length += u64::try_from(lines.len()).unwrap_or(0);
        Ok(())
    }
}

/// Whether somebody writes this journal now.
pub(crate) fn is_locked(path: &Path) -> bool {
    let Ok(file) = open_regular(path) else {
        return false;
    };
    let lock = rustix::fs::FlockOperation::NonBlockingLockShared;
    rustix::fs::flock(file.as_fd(), lock) == Err(rustix::io::Errno::WOULDBLOCK)
}

fn lock(file: &File) -> io::Result<()> {
    let lock = rustix::fs::FlockOperation::NonBlockingLockExclusive;
    Ok(rustix::fs::flock(file.as_fd(), lock)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Event;

    fn ended(at_ns: u64) -> Record {
        Record {
            at_ns,
            event: Event::Ended,
        }
    }

    #[test]
    fn one_writer_at_a_time_and_a_torn_end_is_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let mut writer = JournalWriter::create(&path).unwrap();
        writer.append(&ended(1)).unwrap();
        assert!(is_locked(&path));
        assert_eq!(
            JournalWriter::reopen(&path).unwrap_err().kind(),
            io::ErrorKind::WouldBlock
        );
        drop(writer);
        assert!(!is_locked(&path));
        let mut torn = OpenOptions::new().append(true).open(&path).unwrap();
        torn.write_all(b"0123").unwrap();
        let mut writer = JournalWriter::reopen(&path).unwrap();
        writer.append(&ended(2)).unwrap();
        let reading = line::read(&std::fs::read(&path).unwrap());
        assert_eq!(reading.records, [ended(1), ended(2)]);
        assert_eq!(reading.skipped, 0);
    }
}
