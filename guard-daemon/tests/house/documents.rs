//! What the documents say, against the code they speak of.

use crate::code::metrics;
use crate::markdown::{Document, code_spans};
use crate::repository::{between, exists, none, quoted, read};
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
fn links_between_documents_lead_somewhere() {
    let mut broken = Vec::new();
    for path in DOCUMENTS {
        let text = read(path);
        for target in text.split("](").skip(1) {
            let target = target.split([')', '#']).next().unwrap_or_default();
            let local = !target.is_empty() && !target.contains("://");
            if local && !exists(target) {
                broken.push(format!("{path}: {target}"));
            }
        }
    }
    none("a link leads to a file", &broken);
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
