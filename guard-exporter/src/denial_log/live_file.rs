//! The open file of a log.

use super::error::OpenLogError;
use super::recover;
use guard_report::log_files::MAX_BYTES;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// A regular file that ends with a whole line.
#[derive(Debug)]
pub(super) struct LiveFile {
    file: File,
    /// Device and inode.
    identity: (u64, u64),
    /// Bytes of whole lines.
    length: u64,
    /// A failed write may have left part of a line after `length`.
    is_torn: bool,
}

// === impl LiveFile ===

impl LiveFile {
    /// Opens or creates the file, and cuts off a partial last line.
    pub(super) fn open(path: &Path) -> Result<Self, OpenLogError> {
        let wrap = |source: io::Error| match source.raw_os_error() {
            Some(libc::ELOOP | libc::EISDIR) => OpenLogError::NotRegular {
                path: path.to_owned(),
            },
            _ => OpenLogError::Open {
                path: path.to_owned(),
                source,
            },
        };
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            // A FIFO in place of the log must not block the exporter.
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
            is_torn: false,
        })
    }

    /// Whether this is the file at `path`. Takes note of a change of its length.
    pub(super) fn is_at(&mut self, path: &Path) -> bool {
        let Ok(metadata) = path.symlink_metadata() else {
            return false;
        };
        if !self.is_torn {
            self.length = metadata.len();
        }
        self.identity == (metadata.dev(), metadata.ino())
    }

    /// Writes as many of the whole `lines` as fit and returns their bytes; 0 when the file is full. A
    /// line longer than a file may be gets a file of its own.
    pub(super) fn write_lines(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.repair()?;
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
        self.is_torn = true;
        let written = self.file.write_all(&lines[..size]);
        if written.is_ok() {
            self.is_torn = false;
            self.length += size as u64;
        } else {
            // At once if possible, so that no reader sees half a line; else before the next write.
            drop(self.repair());
        }
        written.map(|()| size)
    }

    /// When the first line was made, Unix seconds; `None` when there is none, or it does not say.
    pub(super) fn oldest(&self) -> Option<u64> {
        let mut begin = [0; 64];
        let read = self.file.read_at(&mut begin, 0).ok()?;
        let text = begin[..read].strip_prefix(b"{\"ts\":")?;
        let end = text.iter().position(|byte| !byte.is_ascii_digit())?;
        std::str::from_utf8(&text[..end]).ok()?.parse().ok()
    }

    pub(super) fn into_file(self) -> File {
        self.file
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Cuts off what a failed write left.
    fn repair(&mut self) -> io::Result<()> {
        if self.is_torn {
            if self.file.metadata()?.len() > self.length {
                self.file.set_len(self.length)?;
            }
            self.is_torn = false;
        }
        Ok(())
    }
}
