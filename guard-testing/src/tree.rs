//! What is in a directory, to be compared with what was in it.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Everything below a directory, sorted: paths, modes, and contents with their times.
#[must_use]
pub fn picture(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    add(dir, &mut found);
    found.sort();
    found
}

fn add(dir: &Path, into: &mut Vec<String>) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        let facts = entry.metadata().unwrap();
        let contents = if facts.is_dir() {
            add(&path, into);
            "directory".to_owned()
        } else if facts.is_symlink() {
            format!("-> {}", fs::read_link(&path).unwrap().display())
        } else {
            let contents = fs::read(&path).unwrap();
            format!("{contents:?} {}.{}", facts.mtime(), facts.mtime_nsec())
        };
        into.push(format!("{} {:o} {contents}", path.display(), facts.mode()));
    }
}
