//! What the source must and must not hold.

use crate::repository::{Source, all_tokens, has_word, none, packages, read, rust_files, sources};
use crate::rust::tokens::contains_word;

/// Where unsafe code may be.
pub(crate) const UNSAFE: [&str; 13] = [
    "endpoint-sec/src/raw/",
    "endpoint-sec-sim/src/abi/",
    "endpoint-sec-sim/src/memory/",
    "endpoint-sec-sys/src/block.rs",
    "endpoint-sec-sys/src/functions.rs",
    "endpoint-sec-sys/src/layout/table.rs",
    "endpoint-sec-sys/src/newer.rs",
    "endpoint-sec-sys/src/release.rs",
    "endpoint-sec-sys/src/system.rs",
    "guard-core/src/ring/memory.rs",
    "guard-es/src/processes/sys.rs",
    "guard-es/src/signals.rs",
    "guard-linux/src/sys/",
];

/// Longer files are two ideas.
const MAX_LINES: usize = 600;

#[test]
fn every_module_says_what_it_is() {
    let silent = sources().into_iter();
    let silent = silent.filter(|source| !source.text.starts_with("//! "));
    let silent: Vec<String> = silent.map(|source| source.path).collect();
    none("a file begins with `//!` and what it is", &silent);
}

#[test]
fn files_are_short() {
    let long: Vec<String> = everything()
        .into_iter()
        .map(|source| (source.text.lines().count(), source.path))
        .filter(|(lines, _)| *lines > MAX_LINES)
        .map(|(lines, path)| format!("{path}: {lines} lines"))
        .collect();
    none("a file has one idea, in 600 lines", &long);
}

#[test]
fn nothing_is_put_off() {
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
    ];
    let mut found = Vec::new();
    for source in everything() {
        for (number, line) in (1..).zip(source.text.lines()) {
            if marks.iter().any(|mark| has_word(line, mark)) {
                found.push(format!("{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    none("what is to be done is done, or in the tracker", &found);
}

#[test]
fn unsafe_code_stays_where_it_is_listed() {
    let elsewhere: Vec<String> = all_tokens()
        .iter()
        .filter(|(path, _)| path.contains("/src/"))
        .filter(|(path, _)| !UNSAFE.iter().any(|place| path.starts_with(place)))
        .filter(|(_, trees)| contains_word(trees, "unsafe"))
        .map(|(path, _)| path.clone())
        .collect();
    none("unsafe code is in the listed modules only", &elsewhere);
    let unused = UNSAFE.iter().filter(|place| {
        let mut files = all_tokens()
            .iter()
            .filter(|(path, _)| path.starts_with(**place));
        !files.any(|(_, trees)| contains_word(trees, "unsafe"))
    });
    let unused: Vec<String> = unused.map(|place| (*place).to_owned()).collect();
    none("each listed place has unsafe code", &unused);
}

#[test]
fn crates_without_unsafe_code_forbid_it() {
    let mut complaints = Vec::new();
    for package in packages() {
        let directory = format!("{}/", package.directory);
        if UNSAFE.iter().any(|place| place.starts_with(&directory)) {
            continue;
        }
        let level = "#![forbid(unsafe_code)]";
        let roots = package
            .roots()
            .into_iter()
            .filter(|root| root.contains("/src/"));
        let open = roots.filter(|root| !read(root).lines().any(|line| line == level));
        complaints.extend(open.map(|root| format!("{root} lacks {level}")));
    }
    none("a crate without unsafe code forbids it", &complaints);
}

#[test]
fn the_core_neither_unwraps_panics_nor_indexes() {
    let root = read("guard-core/src/lib.rs");
    let has = |attribute: &str| root.lines().any(|line| line.trim() == attribute);
    assert!(has("#![deny(unsafe_code)]"));
    assert!(has(
        "deny(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)"
    ));
}

#[test]
fn every_crate_keeps_the_workspace_s_lints() {
    for package in packages() {
        let inherits = package.manifest.contains("[lints]\nworkspace = true");
        assert!(inherits, "{} does not inherit the lints", package.directory);
    }
}

/// Every Rust file, tests and benches too.
fn everything() -> Vec<Source> {
    let packages = packages().into_iter().map(|package| package.directory);
    let directories = packages.chain(["fuzz".to_owned()]);
    directories.flat_map(|name| rust_files(&name)).collect()
}
