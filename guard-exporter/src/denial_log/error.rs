//! Why a log cannot be opened or written.

use std::io;
use std::path::PathBuf;

/// A log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenLogError {
    #[error("cannot create the directory {}", path.display())]
    Directory { path: PathBuf, source: io::Error },
    /// The path is a symbolic link, a directory, a device, ….
    #[error("{} is not a regular file; move it away or choose another log with --denials or --changes", path.display())]
    NotRegular { path: PathBuf },
    #[error("cannot open {}", path.display())]
    Open { path: PathBuf, source: io::Error },
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
}

/// Lines cannot be written to a log, or not be synced to disk.
#[derive(Debug, thiserror::Error)]
pub enum WriteLogError {
    #[error(transparent)]
    Open(#[from] OpenLogError),
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot rename {} to a numbered file", path.display())]
    Rotate { path: PathBuf, source: io::Error },
    #[error("cannot remove the old files of {}", path.display())]
    Expire { path: PathBuf, source: io::Error },
    #[error("cannot sync {}", path.display())]
    Sync { path: PathBuf, source: io::Error },
}
