//! Recovers the state of a log of decisions, which is its own durable cursor.
//!
//! Every line has the id of its ring and its number in that ring, so reading continues after the
//! highest number of each ring's lane in the live and the numbered files: allowed operations, which
//! only the change log has, are numbered in the change lane, steps of requests in theirs, and all others
//! in the deny lane. A process killed during a write
//! leaves at most one line without its newline, at the end of the live file; it is cut off, and its
//! decision is read from its ring again.
//!
//! Lines that are not decisions, such as those edited by hand, are skipped.

use guard_core::Verdict;
use guard_report::log_files::{KEPT, numbered};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// The numbers after the last decisions of a ring in the log, by lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NextNumbers {
    pub deny: u64,
    pub change: u64,
    /// Of the log of requests and overrides.
    pub request: u64,
}

/// For each ring, by its id in hex, where it continues.
pub type NextSequences = HashMap<String, NextNumbers>;

/// Reads the log and its numbered files.
///
/// # Errors
///
/// When one that exists cannot be read.
pub fn next_sequences(log: &Path) -> io::Result<NextSequences> {
    let mut next = NextSequences::new();
    for number in 0..=KEPT {
        match File::open(numbered(log, number)) {
            Ok(file) => scan(BufReader::with_capacity(256 * 1024, file), &mut next)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(next)
}

/// The newest whole line of the log and its numbered files, without its newline.
///
/// # Errors
///
/// When one that exists cannot be read.
pub fn last_line(log: &Path) -> io::Result<Option<Vec<u8>>> {
    for number in 0..=KEPT {
        match std::fs::read(numbered(log, number)) {
            Ok(bytes) => {
                let end = bytes.iter().rposition(|&byte| byte == b'\n').unwrap_or(0);
                let whole = &bytes[..end];
                let start = whole
                    .iter()
                    .rposition(|&byte| byte == b'\n')
                    .map_or(0, |at| at + 1);
                if end > 0 {
                    return Ok(Some(whole[start..].to_owned()));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Cuts off what follows the last newline of `file`. Returns the remaining length.
///
/// # Errors
///
/// When `file` cannot be read or cut.
pub fn cut_partial_line(file: &mut File) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let mut end = length;
    let mut chunk = [0; 4096];
    while end > 0 {
        let start = end.saturating_sub(4096);
        let size = usize::try_from(end - start).expect("at most 4096");
        let part = &mut chunk[..size];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(part)?;
        if let Some(newline) = part.iter().rposition(|&byte| byte == b'\n') {
            end = start + newline as u64 + 1;
            break;
        }
        end = start;
    }
    if end < length {
        file.set_len(end)?;
    }
    Ok(end)
}

#[derive(Deserialize)]
struct Identity<'a> {
    #[serde(borrow)]
    ring: Cow<'a, str>,
    seq: u64,
    #[serde(borrow, default)]
    verdict: Cow<'a, str>,
    /// Of steps of requests only.
    #[serde(borrow, default)]
    step: Option<Cow<'a, str>>,
}

fn scan(mut lines: impl BufRead, next: &mut NextSequences) -> io::Result<()> {
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        if line.ends_with(b"\n")
            && let Ok(identity) = serde_json::from_slice::<Identity<'_>>(&line)
        {
            let known = match next.get_mut(identity.ring.as_ref()) {
                Some(known) => known,
                None => next.entry(identity.ring.into_owned()).or_default(),
            };
            let number = if identity.step.is_some() {
                &mut known.request
            } else if identity.verdict == Verdict::Allow.as_str() {
                &mut known.change
            } else {
                &mut known.deny
            };
            *number = identity.seq.saturating_add(1).max(*number);
        }
        line.clear();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_highest_number_of_each_ring_is_found_in_any_file() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let line =
            |ring: &str, seq: u64| format!("{{\"ts\":1,\"ring\":\"{ring}\",\"seq\":{seq}}}\n");
        fs::write(numbered(&log, 3), line("aa", 9) + "not a line\n").unwrap();
        fs::write(
            &log,
            line("bb", 0)
                + &line("aa", 4)
                + "{\"ring\":\"bb\",\"seq\":3,\"verdict\":\"allow\"}\n"
                + "{\"step\":\"used\",\"ring\":\"bb\",\"seq\":7}\n"
                + "{\"ring\":\"aa\",\"seq\":99}",
        )
        .unwrap();
        let next = next_sequences(&log).unwrap();
        assert_eq!(
            next,
            NextSequences::from([
                (
                    "aa".into(),
                    NextNumbers {
                        deny: 10,
                        ..NextNumbers::default()
                    }
                ),
                (
                    "bb".into(),
                    NextNumbers {
                        deny: 1,
                        change: 4,
                        request: 8
                    }
                )
            ])
        );
    }

    #[test]
    fn the_newest_whole_line_is_found_in_any_file() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let last = || {
            last_line(&log)
                .unwrap()
                .map(|line| String::from_utf8(line).unwrap())
        };
        assert_eq!(last(), None);
        fs::write(numbered(&log, 2), "a\nb\n").unwrap();
        assert_eq!(last().as_deref(), Some("b"));
        fs::write(numbered(&log, 1), "").unwrap();
        fs::write(&log, "half").unwrap();
        assert_eq!(last().as_deref(), Some("b"));
        fs::write(&log, "c\nhalf").unwrap();
        assert_eq!(last().as_deref(), Some("c"));
    }

    #[test]
    fn a_partial_line_of_any_length_is_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let long = "x".repeat(10_000);
        for (before, after) in [
            (String::new(), String::new()),
            ("a\nb\n".into(), "a\nb\n".into()),
            ("a\nb".into(), "a\n".into()),
            (format!("{long}\n{long}"), format!("{long}\n")),
            (long.clone(), String::new()),
        ] {
            fs::write(&path, before).unwrap();
            let mut file = File::options().read(true).write(true).open(&path).unwrap();
            assert_eq!(cut_partial_line(&mut file).unwrap(), after.len() as u64);
            assert_eq!(fs::read_to_string(&path).unwrap(), after);
        }
    }
}
