//! Log files with numbers: `denials.jsonl`, `denials.jsonl.1` (newest) to `.8` (oldest).
//!
//! [`rotate`](rotate()) moves a full file on, [`remove_older`] removes by age, [`read_newest`] reads
//! the end of a log and [`read_all`] all of it, and
//! [`LogFollower`] gives every line once while another process writes and rotates.

mod follow;
mod rotate;

pub use follow::LogFollower;
pub use rotate::{remove_older, rotate};

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The numbered files of the denial log that are kept.
pub const KEPT: u32 = 8;

/// The denial log is rotated before it reaches this size.
pub const MAX_BYTES: u64 = 1_000_000;

/// The file of `log` with this number; 0 is the log itself.
#[must_use]
pub fn numbered(log: &Path, number: u32) -> PathBuf {
    if number == 0 {
        return log.to_owned();
    }
    let mut name = log.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

/// The text of the newest files of the denial log, oldest first: as many files as it takes to have
/// `lines` lines or `bytes` bytes, or all of them.
///
/// A file that cannot be read, or is not UTF-8, counts as empty; of a file that is larger than a log
/// may be, the beginning is read.
#[must_use]
pub fn read_newest(log: &Path, lines: usize, bytes: usize) -> Vec<String> {
    let mut texts = Vec::new();
    let (mut found_lines, mut found_bytes) = (0, 0);
    for number in 0..=KEPT {
        if found_lines >= lines || found_bytes >= bytes {
            break;
        }
        let text = read(&numbered(log, number));
        found_lines += text.lines().count();
        found_bytes += text.len();
        texts.push(text);
    }
    texts.reverse();
    texts
}

/// The texts of the log and its numbered files, oldest first, each read when it is asked for; as
/// [`read_newest`] reads them.
pub fn read_all(log: &Path) -> impl Iterator<Item = String> {
    (0..=KEPT).rev().map(|number| read(&numbered(log, number)))
}

fn read(path: &Path) -> String {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes));
    match read {
        Ok(_) => String::from_utf8(bytes).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_newest_files_that_are_enough_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        for (number, text) in [(0, "g\nh\n"), (1, "e\nf\n"), (3, "a\nb\n")] {
            fs::write(numbered(&log, number), text).unwrap();
        }
        fs::write(numbered(&log, 4), b"\xff\n").unwrap();
        assert_eq!(read_newest(&log, 1, 100), ["g\nh\n"]);
        assert_eq!(read_newest(&log, 3, 100), ["e\nf\n", "g\nh\n"]);
        assert_eq!(read_newest(&log, 100, 5), ["e\nf\n", "g\nh\n"]);
        assert_eq!(read_newest(&log, 100, 100).concat(), "a\nb\ne\nf\ng\nh\n");
        assert_eq!(read_newest(&dir.path().join("none"), 1, 1).concat(), "");
        let all: Vec<String> = read_all(&log).collect();
        assert_eq!(
            (all.len(), all.concat().as_str()),
            (9, "a\nb\ne\nf\ng\nh\n")
        );
    }
}
