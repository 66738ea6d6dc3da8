//! What the source must and must not hold.

use crate::repository::{CRATES, Source, between, has_word, needs, none, quoted, read};
use crate::repository::{rust_files, sources};

/// Where unsafe code may stand.
const UNSAFE: [&str; 13] = [
    "endpoint-sec/src/raw/",
    "endpoint-sec-sim/src/abi/",
    "endpoint-sec-sim/src/memory/",
    "endpoint-sec-sys/src/block.rs",
    "endpoint-sec-sys/src/functions.rs",
    "endpoint-sec-sys/src/layout/mod.rs",
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

/// What each crate must not need, not even through another.
const ARROWS: [(&str, &[&str]); 3] = [
    (
        "guard-core",
        &[
            "axum",
            "endpoint-sec",
            "codex-es-guard",
            "guard-exporter",
            "hyper",
            "prometheus",
            "tokio",
        ],
    ),
    (
        "codex-es-guard",
        &["axum", "guard-exporter", "hyper", "prometheus", "tokio"],
    ),
    ("guard-exporter", &["endpoint-sec", "codex-es-guard"]),
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
    let elsewhere = |source: &Source| !UNSAFE.iter().any(|place| source.path.starts_with(place));
    let found: Vec<String> = sources()
        .iter()
        .filter(|source| elsewhere(source))
        .flat_map(|source| source.places_of(&["unsafe"]))
        .collect();
    none("unsafe code stands in the listed modules only", &found);

    let has = |path: &str, attribute: &str| read(path).lines().any(|line| line == attribute);
    for root in ["guard-exporter/src/lib.rs", "guard-exporter/src/main.rs"] {
        assert!(has(root, "#![forbid(unsafe_code)]"), "{root}");
    }
    assert!(has("guard-core/src/lib.rs", "#![deny(unsafe_code)]"));
    let no_panics = "    deny(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)";
    assert!(has("guard-core/src/lib.rs", no_panics));
}

#[test]
fn every_crate_keeps_the_workspace_s_lints() {
    for name in CRATES {
        let manifest = read(&format!("{name}/Cargo.toml"));
        let inherits = manifest.contains("[lints]\nworkspace = true");
        assert!(inherits, "{name} does not inherit the lints");
    }
}

#[test]
fn arrows_point_one_way() {
    for (package, forbidden) in ARROWS {
        let needed = needs(package);
        let found: Vec<String> = forbidden
            .iter()
            .filter(|name| needed.contains(**name))
            .map(|name| format!("{package} needs {name}"))
            .collect();
        none("the core knows no runtime, the daemon no server", &found);
    }
}

#[test]
fn the_core_reads_no_clock_and_opens_only_rings() {
    const NOWHERE: [&str; 5] = [
        "SystemTime",
        "Instant::now",
        "std::env",
        "std::process",
        "std::net",
    ];
    let mut found = Vec::new();
    for source in rust_files("guard-core/src") {
        found.extend(source.places_of(&NOWHERE));
        if !source.path.starts_with("guard-core/src/ring/") {
            found.extend(source.places_of(&["std::fs", "std::io", "libc"]));
        }
    }
    none("guard-core is told time, processes and files", &found);
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
    let crates = CRATES.iter().chain(&["fuzz"]);
    crates.flat_map(|name| rust_files(name)).collect()
}
