//! The documents: in step in both languages, with links that lead somewhere, and files that are
//! there.

use crate::code::UNSAFE;
use crate::markdown::{Document, anchors, code_spans};
use crate::repository::{exists, list, none, read};
use guard_core::policy::Policy;

/// Where documents are; each directory with the one that has its Chinese counterparts.
const PAIRS: [(&str, &str); 1] = [("docs", "docs/zh-CN")];

/// English only: for the first person who runs the guard on a Mac.
const ENGLISH_ONLY: [&str; 1] = ["docs/macos-checklist.md"];

/// Documents outside of `docs`.
const OTHERS: [&str; 8] = [
    "README.md",
    "README.zh-CN.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "SPECIFICATION.md",
    "endpoint-sec/README.md",
];

/// The documents that both languages have, in pairs.
fn pairs() -> Vec<(String, String)> {
    let mut pairs = vec![("README.md".to_owned(), "README.zh-CN.md".to_owned())];
    for (ours, theirs) in PAIRS {
        let names = list(ours, ".md").into_iter();
        let names = names.filter(|path| !ENGLISH_ONLY.contains(&path.as_str()));
        pairs.extend(names.map(|path| {
            let name = path.rsplit('/').next().unwrap_or_default();
            (path.clone(), format!("{theirs}/{name}"))
        }));
    }
    pairs
}

/// Every document.
fn all() -> Vec<String> {
    let others = OTHERS.iter().map(|path| (*path).to_owned());
    let directories = PAIRS.iter().flat_map(|(ours, theirs)| [ours, theirs]);
    others
        .chain(directories.flat_map(|directory| list(directory, ".md")))
        .collect()
}

#[test]
fn both_languages_are_in_step() {
    let pairs = pairs();
    let chinese = list("docs/zh-CN", ".md").len();
    assert_eq!(
        pairs.len(),
        chinese + 1,
        "each document has its counterpart"
    );
    for (path, other) in pairs {
        let [ours, theirs] = [&path, &other].map(|path| Document::parse(&read(path)));
        assert_eq!(ours.levels, theirs.levels, "{path}: headings");
        assert_eq!(ours.blocks, theirs.blocks, "{path}: code blocks");
        assert_eq!(ours.items, theirs.items, "{path}: list items");
        assert_eq!(ours.shape(), theirs.shape(), "{path}: tables");
        assert_eq!(
            ours.first_cells(),
            theirs.first_cells(),
            "{path}: names in tables"
        );
    }
}

#[test]
fn the_readmes_are_short() {
    for path in ["README.md", "README.zh-CN.md"] {
        let lines = read(path).lines().count();
        assert!(
            lines <= 100,
            "{path} has {lines} lines: the reference is in docs/"
        );
    }
}

#[test]
fn the_policies_in_documents_are_good() {
    let mut count = 0;
    for path in all() {
        let blocks = Document::parse(&read(&path)).blocks.into_iter();
        for (_, text) in blocks.filter(|(language, _)| language == "json") {
            if let Err(error) = Policy::parse(text.as_bytes()) {
                panic!("{path}: {error}:\n{text}");
            }
            count += 1;
        }
    }
    assert!(count >= 3, "only {count} were found");
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut broken = Vec::new();
    for path in all() {
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        for target in read(&path).split("](").skip(1) {
            let target = target.split(')').next().unwrap_or_default();
            if target.contains("://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = match file {
                "" => path.clone(),
                file if directory.is_empty() => file.to_owned(),
                file => format!("{directory}/{file}"),
            };
            let leads = exists(&file)
                && (anchor.is_empty() || anchors(&read(&file)).iter().any(|own| own == anchor));
            if !leads {
                broken.push(format!("{path}: {target}"));
            }
        }
    }
    none("a link leads to a file, and to a heading in it", &broken);
}

#[test]
fn each_document_is_linked_from_the_readme() {
    for (readme, directory) in [("README.md", "docs"), ("README.zh-CN.md", "docs/zh-CN")] {
        let text = read(readme);
        let missing = list(directory, ".md").into_iter();
        let missing: Vec<String> = missing
            .filter(|path| !text.contains(&format!("]({path})")))
            .collect();
        none("the readme links each document", &missing);
    }
}

#[test]
fn files_that_the_architecture_names_are_there() {
    let text = read("ARCHITECTURE.md");
    let paths = code_spans(&text).into_iter().filter(|span| is_path(span));
    let missing: Vec<String> = paths
        .filter(|path| !exists(path))
        .map(str::to_owned)
        .collect();
    none("a file that is named is there", &missing);
}

#[test]
fn unsafe_places_are_listed() {
    let text = read("ARCHITECTURE.md");
    let named = code_spans(&text);
    let missing = UNSAFE.iter().filter(|place| {
        let in_directory = |name: &&str| name.ends_with('/') && place.starts_with(*name);
        !named
            .iter()
            .any(|name| name == *place || in_directory(name))
    });
    let missing: Vec<String> = missing.map(|place| (*place).to_owned()).collect();
    none("ARCHITECTURE.md lists where unsafe code is", &missing);
}

/// Whether a code span is a path from the root, into a crate or a directory beside the crates.
fn is_path(span: &str) -> bool {
    let is_there = |first: &str| !first.is_empty() && exists(first);
    span.split_once('/')
        .is_some_and(|(first, _)| is_there(first))
}

#[test]
fn where_to_find_what_is_there() {
    let text = read("ARCHITECTURE.md");
    let (_, section) = text
        .split_once("\n## Where is")
        .expect("ARCHITECTURE.md ends with it");
    let tables = Document::parse(section).tables;
    let rows: Vec<&Vec<String>> = tables.iter().flat_map(|rows| rows.iter().skip(1)).collect();
    assert!(rows.len() >= 10, "{} questions", rows.len());
    let mut missing = Vec::new();
    for row in rows {
        let paths = row.last().map(|cell| code_spans(cell)).unwrap_or_default();
        let paths: Vec<&str> = paths
            .into_iter()
            .filter(|span| span.contains('/'))
            .collect();
        if paths.is_empty() {
            missing.push(format!("{} leads nowhere", row[0]));
        }
        missing.extend(
            paths
                .iter()
                .filter(|path| !exists(path))
                .map(|path| (*path).to_owned()),
        );
    }
    none("an answer is a file that is there", &missing);
}
