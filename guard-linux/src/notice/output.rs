//! The standard error of a process, as far as something may be written there for it.
//!
//! A pipe is opened again, not to wait. That makes the guard one of its writers, so that a reader
//! does not see the end before the line; it is closed once the line is written, and for a count
//! later on only pinned (`O_PATH`), which is no writer. A file and a socket are taken as the process has them
//! open (`pidfd_getfd(2)`): what is written goes where the process writes next, with the access that
//! the process has. Opened again by the guard, a file that the process has open for reading could be
//! one that it may not write.

use crate::files;
use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{SendFlags, send};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};

/// Something that a line can be written to without waiting.
#[derive(Debug)]
pub(super) enum Output {
    /// A pipe.
    Pipe {
        /// `O_PATH`.
        pin: OwnedFd,
        /// Its writing end, until the first line is written.
        writer: Option<OwnedFd>,
    },
    /// A regular file, by the process's own open file.
    File(OwnedFd),
    /// A socket, by the process's own open file.
    Socket(OwnedFd),
}

/// A process that was denied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Process<'a> {
    /// The directory in `/proc` of the thread that was denied.
    pub(super) base: BorrowedFd<'a>,
    pub(super) pid: u32,
}

/// What the standard error of a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) device: u64,
    pub(super) inode: u64,
    kind: FileType,
}

// === impl Output ===

impl Output {
    /// What the standard error of a caller is; `None` for what nothing is written to.
    pub(super) fn find(process: Process<'_>) -> Option<Found> {
        let found = files::stat_path(process.base, c"fd/2").ok()?;
        let kind = found.file_type;
        matches!(
            kind,
            FileType::Fifo | FileType::RegularFile | FileType::Socket
        )
        .then_some(Found {
            device: found.identity.device,
            inode: found.identity.inode,
            kind,
        })
    }

    /// Pins what was found, if it is still that.
    pub(super) fn pin(process: Process<'_>, found: Found) -> Option<Self> {
        let fd = match found.kind {
            FileType::Fifo => files::pin_following(process.base, c"fd/2").ok()?,
            _ => taken_from(process).ok()?,
        };
        let now = files::stat_pin(fd.as_fd()).ok()?;
        let is_same = (now.identity.device, now.identity.inode, now.file_type)
            == (found.device, found.inode, found.kind);
        if !is_same || (found.kind == FileType::RegularFile && may_wait(&fd)) {
            return None;
        }
        Some(match found.kind {
            FileType::Fifo => Self::Pipe {
                writer: Some(open_pipe(&fd).ok()?),
                pin: fd,
            },
            FileType::Socket => Self::Socket(fd),
            _ => Self::File(fd),
        })
    }

    /// A pipe that is already pinned.
    #[cfg(test)]
    pub(super) fn of_pipe(pin: OwnedFd) -> Self {
        Self::Pipe { pin, writer: None }
    }

    /// The same for a count later on; not for a socket, whose end the other side would not see while
    /// the guard holds it.
    pub(super) fn for_later(&self) -> Option<Self> {
        match self {
            Self::Pipe { pin, .. } => Some(Self::Pipe {
                pin: files::duplicate(pin.as_fd()).ok()?,
                writer: None,
            }),
            Self::File(fd) => files::duplicate(fd.as_fd()).ok().map(Self::File),
            Self::Socket(_) => None,
        }
    }

    /// Whether it takes a line, or refuses it, without any delay.
    pub(super) const fn is_written_at_once(&self) -> bool {
        !matches!(self, Self::File(_))
    }

    /// Writes a line, at once or not at all.
    pub(super) fn write(&mut self, line: &[u8]) {
        if line.is_empty() || line.len() > MAX_NOTICE_BYTES {
            return;
        }
        // A reader that is gone, a pipe that is full: the denial itself is in the log.
        let _written: Result<usize, Errno> = match self {
            Self::Pipe { pin, writer } => {
                let pipe = writer.take().map_or_else(|| open_pipe(pin), Ok);
                pipe.and_then(|pipe| rustix::io::write(pipe, line))
            }
            Self::File(file) => rustix::io::write(file, line),
            Self::Socket(socket) => send(socket, line, SendFlags::DONTWAIT | SendFlags::NOSIGNAL),
        };
    }
}

/// The standard error of a process, as it has it open.
fn taken_from(process: Process<'_>) -> rustix::io::Result<OwnedFd> {
    let pid = Pid::from_raw(process.pid.cast_signed()).ok_or(Errno::SRCH)?;
    let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
    pidfd_getfd(pidfd, STANDARD_ERROR, PidfdGetfdFlags::empty())
}

/// Opens a pinned pipe to write at once or not at all. Without a reader the kernel refuses it.
fn open_pipe(pin: &OwnedFd) -> rustix::io::Result<OwnedFd> {
    let path = format!("/proc/self/fd/{}", pin.as_raw_fd());
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, path, flags, Mode::empty())
}

/// Whether a write to this file waits for whom the session could make wait for it.
fn may_wait(file: &OwnedFd) -> bool {
    rustix::fs::fstatfs(file).map_or(true, |found| found.f_type == FUSE_SUPER_MAGIC)
}

/// Longer notices are not written: Linux writes so many bytes into a pipe as one piece (`PIPE_BUF`).
pub const MAX_NOTICE_BYTES: usize = 4096;

const STANDARD_ERROR: i32 = 2;

/// `include/uapi/linux/magic.h`.
const FUSE_SUPER_MAGIC: rustix::fs::FsWord = 0x6573_5546;

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Read as _;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    fn pinned(pipe: &impl AsFd) -> Output {
        let path = format!("/proc/self/fd/{}", pipe.as_fd().as_raw_fd());
        let pin = rustix::fs::openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
        Output::of_pipe(pin.unwrap())
    }

    #[test]
    fn a_pinned_pipe_ends_when_its_writers_are_gone() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut output = pinned(&writer);
        output.write(b"kept\n");
        let later = output.for_later();
        drop(writer);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "kept\n");
        drop(reader);
        later.unwrap().write(b"nobody reads\n");
    }

    #[test]
    fn a_full_pipe_is_not_waited_for_and_its_flags_stay() {
        let (reader, writer) = std::io::pipe().unwrap();
        let flags = rustix::fs::fcntl_getfl(&writer).unwrap();
        let mut output = pinned(&writer);
        for _ in 0..64 {
            output.write(&[b'x'; MAX_NOTICE_BYTES]);
        }
        assert_eq!(rustix::fs::fcntl_getfl(&writer).unwrap(), flags);
        drop(reader);
    }

    #[test]
    fn a_file_is_continued_where_the_process_is() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let theirs = File::options().write(true).open(file.path()).unwrap();
        let mut output = Output::File(theirs.try_clone().unwrap().into());
        rustix::io::write(&theirs, b"before\n").unwrap();
        output.write(b"kept\n");
        rustix::io::write(&theirs, b"after\n").unwrap();
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert_eq!(text, "before\nkept\nafter\n");
    }

    #[test]
    fn a_full_socket_is_not_waited_for_and_what_is_too_long_is_not_written() {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let mut output = Output::Socket(theirs.into());
        output.write(&[b'x'; MAX_NOTICE_BYTES + 1]);
        output.write(b"kept\n");
        let mut text = [0; 5];
        ours.read_exact(&mut text).unwrap();
        assert_eq!(&text, b"kept\n");
        for _ in 0..1024 {
            output.write(&[b'x'; MAX_NOTICE_BYTES]);
        }
        assert!(output.for_later().is_none());
    }
}
