//! This repository's files, and what stands in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The workspace's crates.
pub(crate) const CRATES: [&str; 9] = [
    "endpoint-sec",
    "endpoint-sec-sim",
    "endpoint-sec-sys",
    "guard-core",
    "guard-daemon",
    "guard-es",
    "guard-exporter",
    "guard-linux",
    "guard-report",
];

/// One file: its path from the repository's root, and its text.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

// === impl Source ===

impl Source {
    /// The lines that are no comment, with their numbers.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = (1..).zip(self.text.lines());
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// The places of lines of code that hold one of these words.
    pub(crate) fn places_of(&self, words: &[&str]) -> Vec<String> {
        self.code()
            .filter(|(_, line)| words.iter().any(|word| has_word(line, word)))
            .map(|(number, line)| format!("{}:{number}: {}", self.path, line.trim()))
            .collect()
    }
}

/// The text of a file of the repository.
pub(crate) fn read(path: &str) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every Rust file below a directory.
pub(crate) fn rust_files(below: &str) -> Vec<Source> {
    let mut found = Vec::new();
    collect(&root().join(below), &mut found);
    found.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    found.sort();
    let sources: Vec<Source> = found
        .iter()
        .map(|path| {
            let path = path
                .strip_prefix(root())
                .expect("it was found below the root");
            let path = path.to_str().expect("names here are ASCII");
            Source {
                path: path.to_owned(),
                text: read(path),
            }
        })
        .collect();
    assert!(!sources.is_empty(), "no Rust file below {below}");
    sources
}

/// Every Rust file of every crate's `src`.
pub(crate) fn sources() -> Vec<Source> {
    let crates = CRATES.iter();
    crates
        .flat_map(|name| rust_files(&format!("{name}/src")))
        .collect()
}

/// The quoted words of a constant's value, or of any text.
pub(crate) fn quoted(text: &str) -> Vec<&str> {
    text.split('"').skip(1).step_by(2).collect()
}

/// What stands between two marks, the first time.
pub(crate) fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let (_, rest) = text
        .split_once(start)
        .unwrap_or_else(|| panic!("`{start}` is not there any more"));
    rest.split_once(end)
        .unwrap_or_else(|| panic!("`{end}` does not follow `{start}`"))
        .0
}

/// Every package that a package needs, by `Cargo.lock`: also for tests, and through others.
pub(crate) fn needs(package: &str) -> BTreeSet<String> {
    let lock = read("Cargo.lock");
    let mut direct: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for entry in lock.split("[[package]]").skip(1) {
        let name = between(entry, "name = \"", "\"");
        let list = entry.split_once("dependencies = [");
        let list = list.map_or("", |(_, rest)| rest.split(']').next().unwrap_or(rest));
        let names = quoted(list)
            .into_iter()
            .filter_map(|words| words.split(' ').next());
        direct.entry(name).or_default().extend(names);
    }
    assert!(direct.contains_key(package), "{package} is in Cargo.lock");
    let mut needed = BTreeSet::new();
    let mut open = vec![package];
    while let Some(name) = open.pop() {
        for next in direct.get(name).into_iter().flatten() {
            if needed.insert((*next).to_owned()) {
                open.push(next);
            }
        }
    }
    needed
}

/// Whether a line holds a word that is not part of a longer one.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(joins) && !after.is_some_and(joins)
    })
}

/// Asserts that there is nothing to complain of.
#[track_caller]
pub(crate) fn none(rule: &str, complaints: &[String]) {
    assert!(complaints.is_empty(), "{rule}:\n{}", complaints.join("\n"));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate lies in the workspace")
}

fn collect(directory: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("the directory is there") {
        let path = entry.expect("it can be listed").path();
        let name = path.file_name().and_then(|name| name.to_str());
        let hidden = name.is_none_or(|name| name.starts_with('.') || name == "target");
        if hidden {
            continue;
        }
        if path.is_dir() {
            collect(&path, into);
        } else {
            into.push(path);
        }
    }
}
