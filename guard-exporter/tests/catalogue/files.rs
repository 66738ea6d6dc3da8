//! Files of this repository.

use std::fs;
use std::path::{Path, PathBuf};

/// The text of a file of the repository.
pub(crate) fn read(path: &str) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Whether the repository has this file.
pub(crate) fn has(path: &str) -> bool {
    root().join(path).exists()
}

/// The paths of a directory's files whose names end so, sorted.
pub(crate) fn list(directory: &str, ending: &str) -> Vec<String> {
    let entries =
        fs::read_dir(root().join(directory)).unwrap_or_else(|error| panic!("{directory}: {error}"));
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(ending))
        .map(|name| format!("{directory}/{name}"))
        .collect();
    names.sort();
    assert!(!names.is_empty(), "no {ending} in {directory}");
    names
}

/// The paths of all files below a directory whose names end so.
pub(crate) fn below(directory: &str, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(directory)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{directory}/{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            found.extend(below(&path, ending));
        } else if path.ends_with(ending) {
            found.push(path);
        }
    }
    found
}

/// The name of a file without its directories and its ending.
pub(crate) fn stem(path: &str) -> &str {
    Path::new(path).file_stem().unwrap().to_str().unwrap()
}

/// Asserts that there is nothing to complain of.
#[track_caller]
pub(crate) fn none(rule: &str, complaints: &[String]) {
    assert!(complaints.is_empty(), "{rule}:\n{}", complaints.join("\n"));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
