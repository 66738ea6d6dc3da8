//! Moving a full log on to its numbered files.
//!
//! A process killed between any two of the renames leaves every line in exactly one file: the
//! numbers below the first free one move up by one, oldest first, and the log itself moves last,
//! into the freed `.1`. An interrupted rotation leaves a free number, which the next rotation
//! fills; only when all are taken does the oldest go.
//!
//! ```text
//! before:   denials.jsonl  .1 .2 __ .4        (.3 free)
//! renames:  .2→.3   .1→.2   denials.jsonl→.1
//! ```

use super::numbered;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Moves `log` to `.1`, of `kept` numbered files, making room for it. Afterwards there is no `log`.
///
/// # Errors
///
/// When a rename fails. Every line is still in exactly one file, and calling again continues.
pub fn rotate(log: &Path, kept: u32) -> io::Result<()> {
    moves(log, kept).try_for_each(|(from, to)| fs::rename(from, to))
}

/// Removes the numbered files of `log` that nobody wrote to since `before`.
///
/// # Errors
///
/// When one cannot be removed.
pub fn remove_older(log: &Path, kept: u32, before: SystemTime) -> io::Result<()> {
    for number in 1..=kept {
        let path = numbered(log, number);
        match path.symlink_metadata().and_then(|found| found.modified()) {
            Ok(written) if written < before => fs::remove_file(path)?,
            _ => {}
        }
    }
    Ok(())
}

/// The renames of a rotation, in their order.
fn moves(log: &Path, kept: u32) -> impl Iterator<Item = (PathBuf, PathBuf)> {
    let is_free = |&number: &u32| numbered(log, number).symlink_metadata().is_err();
    let free = (1..=kept).find(is_free).unwrap_or(kept);
    (0..free)
        .rev()
        .map(|number| (numbered(log, number), numbered(log, number + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_files::KEPT;
    use std::time::Duration;

    fn files(log: &Path) -> Vec<Option<String>> {
        (0..=KEPT)
            .map(|number| fs::read_to_string(numbered(log, number)).ok())
            .collect()
    }

    #[test]
    fn the_oldest_goes_only_when_all_are_taken() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        for round in 0..12 {
            fs::write(&log, round.to_string()).unwrap();
            rotate(&log, KEPT).unwrap();
        }
        let expected: Vec<_> = [None]
            .into_iter()
            .chain((4..12).rev().map(|round| Some(round.to_string())))
            .collect();
        assert_eq!(files(&log), expected);
    }

    #[test]
    fn killed_between_any_two_renames_every_file_is_there_once() {
        for done in 0..=5 {
            let dir = tempfile::tempdir().unwrap();
            let log = dir.path().join("log");
            for number in 0..5 {
                fs::write(numbered(&log, number), number.to_string()).unwrap();
            }
            let whole: Vec<_> = moves(&log, KEPT).collect();
            assert_eq!(whole.len(), 5);
            for (from, to) in whole.into_iter().take(done) {
                fs::rename(from, to).unwrap();
            }
            // The next process finds the live file full, or starts a new one.
            if numbered(&log, 0).exists() {
                rotate(&log, KEPT).unwrap();
            }
            let kept: Vec<String> = files(&log).into_iter().flatten().collect();
            assert_eq!(kept, ["0", "1", "2", "3", "4"], "after {done} renames");
        }
    }

    #[test]
    fn what_nobody_wrote_to_for_long_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let before = SystemTime::now() - Duration::from_secs(3600);
        for (number, age) in [(0, 9000), (1, 0), (2, 9000), (3, 60), (4, 9000)] {
            let file = fs::File::create(numbered(&log, number)).unwrap();
            let written = SystemTime::now() - Duration::from_secs(age);
            file.set_modified(written).unwrap();
        }
        remove_older(&log, KEPT, before).unwrap();
        let left: Vec<u32> = (0..=KEPT)
            .filter(|number| numbered(&log, *number).exists())
            .collect();
        assert_eq!(left, [0, 1, 3], "and never the log itself");
    }

    #[test]
    fn a_gap_is_filled_and_nothing_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        for (number, text) in [(0, "live"), (1, "one"), (2, "two"), (4, "four")] {
            fs::write(numbered(&log, number), text).unwrap();
        }
        rotate(&log, KEPT).unwrap();
        let expected = [None, Some("live"), Some("one"), Some("two"), Some("four")];
        let found = files(&log);
        assert_eq!(found[..5], expected.map(|text| text.map(str::to_owned)));
        assert_eq!(found[5..], [None, None, None, None]);
    }
}
