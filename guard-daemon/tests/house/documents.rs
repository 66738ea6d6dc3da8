//! What the documents say, against the code they speak of.

use crate::code::metrics;
use crate::markdown::{Document, code_spans};
use crate::repository::{CRATES, between, none, quoted, read, rust_files, sources};
use guard_core::agents;
use guard_core::policy::Policy;
use guard_core::verdict::Reason;
use std::collections::BTreeSet;

const README: &str = "README.md";
const READMES: [&str; 2] = [README, "README.zh-CN.md"];

#[test]
fn both_readmes_are_in_step() {
    let [ours, theirs] = READMES.map(|path| Document::parse(&read(path)));
    assert_eq!(ours.levels, theirs.levels, "headings");
    assert_eq!(ours.blocks, theirs.blocks, "code blocks");
    assert_eq!(ours.items, theirs.items, "list items");
    let shape = |document: &Document| -> Vec<Vec<usize>> {
        let tables = document.tables.iter();
        tables
            .map(|rows| rows.iter().map(Vec::len).collect())
            .collect()
    };
    assert_eq!(shape(&ours), shape(&theirs), "tables");
    assert_eq!(ours.first_cells(), theirs.first_cells(), "names in tables");
}

#[test]
fn the_readme_s_policies_are_good() {
    let readme = Document::parse(&read(README));
    let policies: Vec<&String> = readme
        .blocks
        .iter()
        .filter(|(language, _)| language == "json")
        .map(|(_, text)| text)
        .collect();
    assert!(!policies.is_empty());
    for text in policies {
        if let Err(error) = Policy::parse(text.as_bytes()) {
            panic!("{error}:\n{text}");
        }
    }
}

#[test]
fn every_field_reason_and_agent_is_in_the_readme() {
    let parser = read("guard-core/src/policy/parse.rs");
    let line = read("guard-exporter/src/denial_log/line.rs");
    let fields = [
        "POLICY_FIELDS",
        "OVERRIDE_FIELDS",
        "TOOL_FIELDS",
        "ZONE_FIELDS",
        "IDENTITY_FIELDS",
    ]
    .map(|name| between(&parser, &format!("const {name}: &[&str]"), ";"));
    let log = between(&line, "struct Line<'a> {", "\n}");
    let log = log
        .lines()
        .filter_map(|line| line.trim().split_once(": "))
        .map(|(name, _)| name);
    let reasons = Reason::ALL.map(Reason::as_str);
    let names = fields
        .into_iter()
        .flat_map(quoted)
        .chain(log)
        .chain(reasons);

    let text = read(README);
    let readme = Document::parse(&text);
    let told: BTreeSet<&str> = readme
        .tables
        .iter()
        .flatten()
        .flatten()
        .flat_map(|cell| code_spans(cell))
        .collect();
    let mut missing: Vec<String> = names
        .filter(|name| !told.contains(name))
        .map(str::to_owned)
        .collect();
    let listed: BTreeSet<&str> = readme
        .blocks
        .iter()
        .flat_map(|(_, text)| text.split_whitespace())
        .collect();
    missing.extend(
        agents::labels()
            .filter(|label| !listed.contains(label))
            .map(str::to_owned),
    );
    none("no table or list of README.md names it", &missing);
}

#[test]
fn every_trusted_tool_and_scratch_name_is_in_the_readme() {
    let tools = read("guard-core/src/tools/catalogue.rs");
    let tools = between(&tools, "const BUILT_INS", "\n];");
    // Compilers and linkers are too many to name, and alike.
    let rows = tools.split("BuiltIn {");
    let rows = rows.filter(|row| !row.contains("Naming::Cross"));
    let scratch = read("guard-core/src/decision/scratch.rs");
    let scratch = between(&scratch, "const SCRATCH_NAMES", "\n];");
    let scratch = scratch.lines().filter_map(|line| line.split_once("(b\""));
    let scratch = scratch.filter_map(|(_, rest)| rest.split('"').next());
    let readme = read(README);
    let told: BTreeSet<&str> = code_spans(&readme)
        .into_iter()
        .chain(readme.split_whitespace())
        .collect();
    let missing: Vec<String> = rows
        .flat_map(quoted)
        .chain(scratch)
        .filter(|name| !told.contains(name))
        .map(str::to_owned)
        .collect();
    none("README.md does not name it", &missing);
}

#[test]
fn the_readmes_list_the_metrics() {
    let mut catalogue: Vec<(String, String, Vec<String>)> = metrics()
        .into_iter()
        .map(|metric| (metric.name, metric.kind, metric.labels))
        .collect();
    catalogue.sort();
    for path in READMES {
        let readme = Document::parse(&read(path));
        let mut listed: Vec<(String, String, Vec<String>)> = readme
            .tables
            .iter()
            .flatten()
            .filter_map(|row| match row.as_slice() {
                [name, kind, labels, _] if ["counter", "gauge", "histogram"].contains(&&**kind) => {
                    let labels = code_spans(labels).into_iter().map(str::to_owned);
                    Some((
                        name.trim_matches('`').to_owned(),
                        kind.clone(),
                        labels.collect(),
                    ))
                }
                _ => None,
            })
            .collect();
        listed.sort();
        assert_eq!(listed, catalogue, "{path}");
    }
}

#[test]
fn every_promise_names_what_keeps_it() {
    let keepers = Keepers::gather();
    let architecture = read("ARCHITECTURE.md");
    let invariants: Vec<&str> = architecture
        .lines()
        .filter(|line| line.starts_with("**Architecture Invariant:**"))
        .collect();
    let tables = read("SPECIFICATION.md") + &read("endpoint-sec/README.md");
    let specification = Document::parse(&tables);
    let promises: Vec<(&str, Vec<&str>)> = invariants
        .iter()
        .map(|line| match line.split_once("Kept by ") {
            Some((promise, kept)) => (promise, code_spans(kept)),
            None => (*line, Vec::new()),
        })
        .chain(
            specification
                .tables
                .iter()
                .flat_map(|rows| rows.iter().skip(1))
                .filter_map(|row| Some((row.first()?.as_str(), code_spans(row.last()?)))),
        )
        .collect();
    assert!(invariants.len() > 10 && promises.len() > invariants.len());
    let mut complaints = Vec::new();
    for (promise, kept_by) in promises {
        if kept_by.is_empty() {
            complaints.push(format!("nothing keeps: {promise}"));
        }
        for name in kept_by.iter().filter(|name| !keepers.has(name)) {
            complaints.push(format!("no `{name}` keeps: {promise}"));
        }
    }
    none(
        "a promise names the test, bench or lint that keeps it",
        &complaints,
    );
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut broken = Vec::new();
    for path in DOCUMENTS {
        let text = read(path);
        for target in text.split("](").skip(1) {
            let target = target.split([')', '#']).next().unwrap_or_default();
            let local = !target.is_empty() && !target.contains("://");
            if local && !repository_has(target) {
                broken.push(format!("{path}: {target}"));
            }
        }
    }
    none("a link leads to a file", &broken);
}

/// What may keep a promise.
struct Keepers {
    /// All Rust files, as one text.
    code: String,
    /// Paths of tests, benches and scripts.
    paths: Vec<String>,
    /// The workspace's lints, and those of crates' roots.
    lints: String,
}

// === impl Keepers ===

impl Keepers {
    fn gather() -> Self {
        let files: Vec<_> = CRATES.iter().flat_map(|name| rust_files(name)).collect();
        let attributes = sources()
            .into_iter()
            .flat_map(|source| {
                let lines = source.text.lines();
                lines
                    .filter(|line| line.starts_with("#![") || line.starts_with("    deny("))
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .collect::<Vec<_>>();
        Self {
            paths: files.iter().map(|file| file.path.clone()).collect(),
            code: files.into_iter().map(|file| file.text).collect(),
            lints: read("Cargo.toml") + &attributes.join("\n"),
        }
    }

    fn has(&self, name: &str) -> bool {
        if name.contains('/') {
            let ends = format!("/{name}");
            return repository_has(name) || self.paths.iter().any(|path| path.ends_with(&ends));
        }
        self.code.contains(&format!("fn {name}("))
            || self.lints.contains(&format!("{name} = "))
            || self.lints.contains(&format!("({name})"))
            || self.lints.contains(&format!("clippy::{name}"))
    }
}

fn repository_has(path: &str) -> bool {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.join(path).exists()
}

const DOCUMENTS: [&str; 7] = [
    README,
    "README.zh-CN.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "SPECIFICATION.md",
];
