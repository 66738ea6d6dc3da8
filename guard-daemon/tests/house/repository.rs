//! This repository's files.

use crate::rust::tokens::Tree;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A crate of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    /// Its directory.
    pub(crate) directory: String,
    /// The text of its `Cargo.toml`.
    pub(crate) manifest: String,
}

// === impl Package ===

impl Package {
    /// The files that the compiler begins with: of the library, programs, tests, benches, examples.
    pub(crate) fn roots(&self) -> Vec<String> {
        let prefix = format!("{}/", self.directory);
        let is_root = |path: &&String| {
            let parts = path.strip_prefix(&prefix).map(|path| path.split('/'));
            let parts: Vec<&str> = parts.into_iter().flatten().collect();
            match parts.as_slice() {
                ["src", "lib.rs" | "main.rs"] => true,
                ["tests" | "benches" | "examples", file] => file.ends_with(".rs"),
                ["tests" | "benches" | "examples", _, "main.rs"] => true,
                _ => false,
            }
        };
        all_tokens().keys().filter(is_root).cloned().collect()
    }
}

/// The workspace's crates.
pub(crate) fn packages() -> Vec<Package> {
    let manifest = read("Cargo.toml");
    let members = quoted(between(&manifest, "members = [", "]"));
    let packages = members.into_iter().map(|directory| Package {
        directory: directory.to_owned(),
        manifest: read(&format!("{directory}/Cargo.toml")),
    });
    packages.collect()
}

/// The tokens of a Rust file, if there is such a file.
pub(crate) fn tokens(path: &str) -> Option<&'static [Tree]> {
    all_tokens().get(path).map(Vec::as_slice)
}

/// The tokens of every Rust file of the workspace, by path.
pub(crate) fn all_tokens() -> &'static BTreeMap<String, Vec<Tree>> {
    static TOKENS: OnceLock<BTreeMap<String, Vec<Tree>>> = OnceLock::new();
    TOKENS.get_or_init(|| {
        let files = packages()
            .into_iter()
            .flat_map(|package| rust_files(&package.directory));
        let read = files.map(|file| (file.path, Tree::parse(&file.text)));
        read.collect()
    })
}

/// One file: its path from the repository's root, and its text.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The text of a file of the repository.
pub(crate) fn read(path: &str) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Whether the repository has a file or a directory.
pub(crate) fn exists(path: &str) -> bool {
    root().join(path).exists()
}

/// The paths of a directory's files whose names end so, sorted.
pub(crate) fn list(directory: &str, ending: &str) -> Vec<String> {
    let entries =
        fs::read_dir(root().join(directory)).unwrap_or_else(|error| panic!("{directory}: {error}"));
    let names = entries.map(|entry| entry.expect("it can be listed").file_name());
    let names = names.filter_map(|name| name.into_string().ok());
    let mut paths: Vec<String> = names
        .filter(|name| name.ends_with(ending))
        .map(|name| format!("{directory}/{name}"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no {ending} in {directory}");
    paths
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
    let packages = packages().into_iter();
    packages
        .flat_map(|package| rust_files(&format!("{}/src", package.directory)))
        .collect()
}

/// The quoted words of a constant's value, or of any text.
pub(crate) fn quoted(text: &str) -> Vec<&str> {
    text.split('"').skip(1).step_by(2).collect()
}

/// What is between two marks, the first time.
pub(crate) fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let (_, rest) = text
        .split_once(start)
        .unwrap_or_else(|| panic!("`{start}` is not there any more"));
    rest.split_once(end)
        .unwrap_or_else(|| panic!("`{end}` does not follow `{start}`"))
        .0
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
