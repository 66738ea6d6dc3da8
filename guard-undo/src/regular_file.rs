//! Opening a file that somebody else could have replaced.
//!
//! Root reads the journals of a store that is another user's. Nothing but a regular file is opened:
//! a link could lead to anything, and a pipe would never end.

use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Opens a regular file for reading.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a regular file",
        ))
    }
}

/// Reads the first bytes of a regular file, `most` of them at most.
///
/// # Errors
///
/// Those of `open` and `read`; [`InvalidInput`](io::ErrorKind::InvalidInput) for anything but a
/// regular file.
pub fn read_beginning(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let mut contents = Vec::new();
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    open_regular(path)?.take(most).read_to_end(&mut contents)?;
    Ok(contents)
}

/// Reads a regular file.
pub(crate) fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    let mut contents = Vec::new();
    open_regular(path)?.read_to_end(&mut contents)?;
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_pipes_are_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        std::fs::write(&file, "text").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let pipe = dir.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            Mode::RUSR,
            0,
        )
        .unwrap();
        assert_eq!(read_regular(&file).unwrap(), b"text");
        assert_eq!(read_beginning(&file, 2).unwrap(), b"te");
        assert_eq!(read_beginning(&file, 9).unwrap(), b"text");
        for refused in [&link, &pipe] {
            read_regular(refused).unwrap_err();
        }
    }
}
