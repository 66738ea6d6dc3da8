//! Reading a log and its numbered files while another process writes and rotates them.
//!
//! A rotation moves the file that is being read to `.1`, with what was written last; it is found
//! again by its identity, read to its end, and then the newer files are read. Nothing is written.

use super::{KEPT, numbered};
use std::fs::File;
use std::io::{Read as _, Result, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Gives every whole line of a log once, oldest first: those that are there, then those that come.
#[derive(Debug)]
pub struct LogFollower {
    path: PathBuf,
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    file: File,
    identity: (u64, u64),
    /// The beginning of a line whose end is not there yet.
    partial: Vec<u8>,
}

// === impl LogFollower ===

impl LogFollower {
    /// Begins with the oldest line that is kept.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            current: None,
        }
    }

    /// Passes the lines that came since the last call to `line`, one by one.
    ///
    /// # Errors
    ///
    /// When a file that is there cannot be read.
    pub fn read(&mut self, mut line: impl FnMut(&str)) -> Result<()> {
        loop {
            let Some(current) = &mut self.current else {
                match self.oldest()? {
                    Some(oldest) => self.current = Some(oldest),
                    None => return Ok(()),
                }
                continue;
            };
            // Checked before reading: what is written to the file after that is read by the next call.
            let newer = newer(&self.path, current.identity)?;
            current.lines(&mut line)?;
            match newer {
                Some(newer) => self.current = Some(newer),
                None => return Ok(()),
            }
        }
    }

    fn oldest(&self) -> Result<Option<Current>> {
        for number in (0..=KEPT).rev() {
            if let Some(found) = Current::open(&numbered(&self.path, number))? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// The file that follows the one with this identity; `None` while that is the newest.
fn newer(path: &Path, identity: (u64, u64)) -> Result<Option<Current>> {
    let is_it = |number: &u32| identity_at(&numbered(path, *number)) == Some(identity);
    match (0..=KEPT).find(is_it) {
        Some(0) => Ok(None),
        // A number may be free after a rotation that was interrupted.
        Some(number) => {
            for next in (0..number).rev() {
                if let Some(found) = Current::open(&numbered(path, next))? {
                    return Ok(Some(found));
                }
            }
            Ok(None)
        }
        // It is no longer among the kept files, or was removed.
        None => Current::open(path),
    }
}

// === impl Current ===

impl Current {
    fn open(path: &Path) -> Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let found = file.metadata()?;
        Ok(Some(Self {
            file,
            identity: (found.dev(), found.ino()),
            partial: Vec::new(),
        }))
    }

    fn lines(&mut self, mut line: impl FnMut(&str)) -> Result<()> {
        if self.file.metadata()?.len() < self.file.stream_position()? {
            // Truncated by hand.
            self.file.seek(SeekFrom::Start(0))?;
            self.partial.clear();
        }
        self.file.read_to_end(&mut self.partial)?;
        let Some(end) = self.partial.iter().rposition(|&byte| byte == b'\n') else {
            return Ok(());
        };
        let rest = self.partial.split_off(end + 1);
        let whole = std::mem::replace(&mut self.partial, rest);
        String::from_utf8_lossy(&whole).lines().for_each(&mut line);
        Ok(())
    }
}

fn identity_at(path: &Path) -> Option<(u64, u64)> {
    let found = path.symlink_metadata().ok()?;
    Some((found.dev(), found.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_files::rotate;
    use std::fs::{self, OpenOptions};
    use std::io::Write as _;

    fn append(path: &Path, text: &str) {
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn every_line_comes_once_over_rotations() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut log = LogFollower::new(path.clone());
        let mut read = || {
            let mut lines = String::new();
            log.read(|line| lines.push_str(line)).unwrap();
            lines
        };
        assert_eq!(read(), "");
        append(&numbered(&path, 2), "a\n");
        append(&path, "b\nc");
        assert_eq!(read(), "ab");
        assert_eq!(read(), "");
        append(&path, "c\nd\n");
        assert_eq!(read(), "ccd");
        // Written to the old file until it moved, then to two new ones.
        append(&path, "e\n");
        rotate(&path, KEPT).unwrap();
        assert_eq!(read(), "e");
        append(&path, "f\n");
        rotate(&path, KEPT).unwrap();
        append(&path, "g\n");
        assert_eq!(read(), "fg");
        fs::remove_file(&path).unwrap();
        assert_eq!(read(), "");
        append(&path, "h\n");
        assert_eq!(read(), "h");
        fs::write(&path, "i\n").unwrap();
        assert_eq!(read(), "");
        fs::write(&path, "").unwrap();
        assert_eq!(read(), "");
        append(&path, "j\n");
        assert_eq!(read(), "j");
    }
}
