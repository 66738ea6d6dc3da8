//! What a grant would open, for the person who is about to give it.
//!
//! The walk below a directory is bounded: what is beyond is "at least".

use guard_core::ring::Counter;
use guard_report::paths::StatePaths;
use guard_report::rings;
use guard_report::size;
use std::fs;
use std::path::Path;

/// What is at a path.
#[derive(Debug, Default, PartialEq, Eq)]
struct Extent {
    files: u64,
    bytes: u64,
    /// Whether there is more.
    is_part: bool,
}

/// What is at `path`, and what undo would keep of it in this session.
pub(super) fn describe(path: &Path, session: &str, paths: &StatePaths) -> String {
    let (what, bytes) = match path.symlink_metadata() {
        Ok(found) if found.is_dir() => {
            let extent = below(path);
            let at_least = if extent.is_part { "at least " } else { "" };
            let (files, bytes) = (extent.files, extent.bytes);
            let what = format!(
                "a directory with {at_least}{files} files of {} below it",
                size(bytes)
            );
            (what, bytes)
        }
        Ok(found) if found.is_file() => (format!("a file of {}", size(found.len())), found.len()),
        Ok(_) => ("no regular file".to_owned(), 0),
        Err(_) => ("nothing is there now".to_owned(), 0),
    };
    format!("{what}; {}", kept(session, bytes, paths))
}

/// What undo would keep.
fn kept(session: &str, bytes: u64, paths: &StatePaths) -> String {
    let uid = rustix::process::geteuid().as_raw();
    let mut rings = rings::readers(&paths.readable_rings(), uid).into_iter();
    let of_session = rings.find(|ring| ring.header().session == session.as_bytes());
    let Some(ring) = of_session else {
        return "whether undo keeps it is not known".to_owned();
    };
    if ring.counter(Counter::UndoUnavailable) != 0 {
        return "undo keeps NOTHING of it: the session has no undo store".to_owned();
    }
    let limit = ring.counter(Counter::UndoStoreLimitBytes);
    if limit == 0 {
        return "undo keeps NOTHING of it: the policy has it off".to_owned();
    }
    let room = limit.saturating_sub(ring.counter(Counter::UndoStoreBytes));
    if bytes > room {
        return format!(
            "undo keeps what goes, as far as its store has room ({} are left)",
            size(room)
        );
    }
    "undo keeps what goes".to_owned()
}

fn below(directory: &Path) -> Extent {
    let mut extent = Extent::default();
    let (mut waiting, mut seen) = (vec![directory.to_owned()], 0);
    while let Some(directory) = waiting.pop() {
        let Ok(entries) = fs::read_dir(&directory) else {
            extent.is_part = true;
            continue;
        };
        for entry in entries.flatten() {
            seen += 1;
            if seen > MAX_SEEN {
                extent.is_part = true;
                return extent;
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => waiting.push(entry.path()),
                _ => {
                    extent.files += 1;
                    extent.bytes += entry.metadata().map_or(0, |found| found.len());
                }
            }
        }
    }
    extent
}

/// Names that are looked at.
const MAX_SEEN: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_counted_with_all_below_it() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("a")).unwrap();
        fs::write(directory.path().join("a/x"), "four").unwrap();
        fs::write(directory.path().join("y"), "123").unwrap();
        let found = below(directory.path());
        assert_eq!((found.files, found.bytes, found.is_part), (2, 7, false));
        assert!(below(&directory.path().join("none")).is_part);
    }
}
