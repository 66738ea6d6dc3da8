//! What the source must and must not hold.

use crate::repository::{Source, all_tokens, between, has_word, none, packages, quoted, read};
use crate::repository::{rust_files, sources};
use crate::rust::tokens::contains_word;

/// Where unsafe code may stand.
const UNSAFE: [&str; 13] = [
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
    "guard-linux/src/sys/",
    "guard-daemon/src/macos/sys.rs",
    "guard-es/src/processes/sys.rs",
];

/// Label names that metrics may have: none of them holds a path, a process id, a command or a user.
const LABELS: [&str; 13] = [
    "agent",
    "operation",
    "verdict",
    "reason",
    "answer",
    "kind",
    "lane",
    "mode",
    "protected_zone",
    "revision",
    "signal",
    "tool",
    "version",
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
    none("a file has one idea, told in 600 lines", &long);
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

#[test]
fn every_metric_is_counted_and_in_the_golden_file() {
    let golden = read("guard-exporter/src/metrics/golden.txt");
    let code: String = rust_files("guard-exporter/src")
        .into_iter()
        .filter(|source| !source.path.ends_with("metrics/catalogue.rs"))
        .map(|source| source.text)
        .collect();
    for metric in metrics() {
        assert!(
            has_word(&code, &metric.constant),
            "{} is never used",
            metric.name
        );
        // The exporter's own figures differ from run to run.
        let is_steady = !metric.name.starts_with("process_");
        let typed = format!("# TYPE {} {}\n", metric.name, metric.kind);
        assert!(!is_steady || golden.contains(&typed), "no `{typed}`");
    }
}

#[test]
fn labels_are_the_listed_ones() {
    for metric in metrics() {
        for label in &metric.labels {
            let known = LABELS.contains(&label.as_str());
            assert!(known, "{} has the label {label}", metric.name);
        }
    }
}

/// One row of the exporter's catalogue.
pub(crate) struct Metric {
    pub(crate) constant: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) labels: Vec<String>,
}

/// The exporter's catalogue of metrics.
pub(crate) fn metrics() -> Vec<Metric> {
    let catalogue = read("guard-exporter/src/metrics/catalogue.rs");
    let rows = between(&catalogue, "\ncatalogue! {", "\n}\n");
    let metrics: Vec<Metric> = rows
        .split("\";")
        .filter_map(|row| {
            let mut words = row.split_whitespace();
            let (constant, kind) = (words.next()?, words.next()?);
            let labels = quoted(between(row, "[", "]"));
            Some(Metric {
                constant: constant.to_owned(),
                kind: kind.to_lowercase(),
                name: between(row, "\"", "\"").to_owned(),
                labels: labels.into_iter().map(str::to_owned).collect(),
            })
        })
        .collect();
    assert!(!metrics.is_empty());
    metrics
}

/// Every Rust file, tests and benches too.
fn everything() -> Vec<Source> {
    let packages = packages().into_iter().map(|package| package.directory);
    let directories = packages.chain(["fuzz".to_owned()]);
    directories.flat_map(|name| rust_files(&name)).collect()
}
