//! Reading `denials.jsonl` and its numbered files while an exporter writes and rotates them.
//!
//! [`Log`] gives every whole line once, oldest first: those that are there, then those that come. A
//! rotation moves the file that is read to `.1`, with what came last; it is found again by its
//! identity, read to its end, and then what is newer. It writes nothing.

use std::fs::File;
use std::io::{Read as _, Result, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A log being read.
#[derive(Debug)]
pub(crate) struct Log {
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

// === impl Log ===

impl Log {
    /// A log at its beginning: the oldest line that is kept.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            current: None,
        }
    }

    /// Hands over what came since the last time, line by line.
    ///
    /// # Errors
    ///
    /// When a file that is there cannot be read.
    pub(crate) fn read(&mut self, mut line: impl FnMut(&str)) -> Result<()> {
        loop {
            let Some(current) = &mut self.current else {
                match self.oldest()? {
                    Some(oldest) => self.current = Some(oldest),
                    None => return Ok(()),
                }
                continue;
            };
            // Asked before it is read: what is written to it afterwards is read the next time.
            let newer = newer(&self.path, current.identity)?;
            current.lines(&mut line)?;
            match newer {
                Some(newer) => self.current = Some(newer),
                None => return Ok(()),
            }
        }
    }

    fn oldest(&self) -> Result<Option<Current>> {
        for number in (0..=NUMBERED).rev() {
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
    match (0..=NUMBERED).find(is_it) {
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
        // It has left the kept files, or was removed.
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
            // Cut by hand.
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

fn numbered(log: &Path, number: u32) -> PathBuf {
    if number == 0 {
        return log.to_owned();
    }
    let mut name = log.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

/// The exporter keeps so many numbered files.
const NUMBERED: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;
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

    fn rotate(path: &Path) {
        for number in (0..3).rev() {
            if numbered(path, number).exists() {
                fs::rename(numbered(path, number), numbered(path, number + 1)).unwrap();
            }
        }
    }

    #[test]
    fn every_line_comes_once_over_rotations() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut log = Log::new(path.clone());
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
        rotate(&path);
        assert_eq!(read(), "e");
        append(&path, "f\n");
        rotate(&path);
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
