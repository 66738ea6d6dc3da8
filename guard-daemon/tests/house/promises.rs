//! A promise names what keeps it, and what it names can fail.
//!
//! Promises are the rows of SPECIFICATION.md and of `endpoint-sec/README.md`, and the invariants of
//! ARCHITECTURE.md. Keepers are tests, by the name of their function; lints that are denied; and
//! files: benches, programs of tests, and scripts of `.ci/`, which a test of xtask finds among CI's
//! tasks. A test that is commented out, ignored, empty or renamed keeps nothing. `.ci/promises` asks
//! the same of the built test programs.

use crate::markdown::{Document, code_spans};
use crate::repository::{all_tokens, exists, none, packages, read, tokens};
use crate::rust::modules::{Modules, ReadFile, Scope};
use crate::rust::test_functions::{REFUSED, TestFunction};
use crate::rust::tokens::{Tree, contains_word};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn every_promise_names_what_keeps_it() {
    let keepers = Keepers::gather();
    let architecture = read("ARCHITECTURE.md");
    let invariants: Vec<&str> = architecture
        .split("\n\n")
        .filter(|paragraph| paragraph.starts_with("**Architecture Invariant:**"))
        .collect();
    let tables = read("SPECIFICATION.md") + &read("endpoint-sec/README.md");
    let tables = Document::parse(&tables).tables;
    let rows = tables.iter().flat_map(|rows| rows.iter().skip(1));
    let rows: Vec<(&str, Vec<&str>)> = rows
        .filter_map(|row| Some((row.first()?.as_str(), code_spans(row.last()?))))
        .collect();
    assert!(invariants.len() > 10 && rows.len() > invariants.len());
    let invariants = invariants
        .into_iter()
        .map(|text| match text.split_once("Kept by ") {
            Some((promise, kept)) => (promise, code_spans(kept)),
            None => (text, Vec::new()),
        });
    let mut complaints = Vec::new();
    for (promise, kept_by) in invariants.chain(rows) {
        if kept_by.is_empty() {
            complaints.push(format!("nothing keeps: {promise}"));
        }
        let faults = kept_by.iter().filter_map(|name| keepers.fault(name));
        complaints.extend(faults.map(|fault| format!("{fault}: {promise}")));
    }
    none("a promise names what keeps it", &complaints);
}

#[test]
fn no_test_is_ignored_or_may_panic() {
    let mut complaints = Vec::new();
    for (path, trees) in all_tokens() {
        for word in REFUSED {
            if has_attribute(trees, word) {
                complaints.push(format!("{path}: `#[{word}]`"));
            }
        }
    }
    none("a test runs, and fails by failing", &complaints);
}

/// What may keep a promise.
struct Keepers {
    tests: BTreeMap<String, Vec<TestFunction>>,
    lints: BTreeSet<String>,
    /// Files of the workspace's crates, by their paths.
    files: Vec<String>,
}

// === impl Keepers ===

impl Keepers {
    fn gather() -> Self {
        let mut keepers = Self {
            tests: BTreeMap::new(),
            lints: BTreeSet::new(),
            files: all_tokens().keys().cloned().collect(),
        };
        let workspace = read("Cargo.toml");
        let lints = workspace
            .split("\n[")
            .filter(|table| table.starts_with("workspace.lints"));
        let lints = lints
            .flat_map(str::lines)
            .filter_map(|line| line.split_once(" = \"deny\""));
        keepers.lints.extend(lints.map(|(name, _)| name.to_owned()));
        for package in packages() {
            for root in package.roots() {
                keepers.add_lints(tokens(&root).unwrap_or_default());
                if has_harness(&root, &package.manifest) {
                    keepers.add_tests(&root, &|path| tokens(path));
                }
            }
        }
        keepers
    }

    /// Adds the tests of the crate with this root.
    fn add_tests(&mut self, root: &str, read: ReadFile<'_>) {
        for module in Modules::of(root, Scope::Tests, read).0 {
            for test in module.tests {
                self.tests.entry(test.name.clone()).or_default().push(test);
            }
        }
    }

    /// Adds what a crate's root denies or forbids.
    fn add_lints(&mut self, trees: &[Tree]) {
        for (at, tree) in trees.iter().enumerate() {
            let level = at.checked_sub(1).and_then(|before| trees[before].word());
            match (level, tree) {
                (Some("deny" | "forbid"), Tree::Group('(', inside)) => {
                    self.lints
                        .extend(inside.iter().filter_map(Tree::word).map(str::to_owned));
                }
                (_, Tree::Group('[' | '(', inside)) => self.add_lints(inside),
                _ => {}
            }
        }
    }

    /// Why a name keeps nothing, if it does not.
    fn fault(&self, name: &str) -> Option<String> {
        if name.contains('/') {
            let ends = format!("/{name}");
            let is_there = exists(name) || self.files.iter().any(|path| path.ends_with(&ends));
            return (!is_there).then(|| format!("there is no `{name}`"));
        }
        if self.lints.contains(name) {
            return None;
        }
        let Some(tests) = self.tests.get(name) else {
            return Some(format!("there is no test `{name}`"));
        };
        let fault = tests.iter().find_map(|test| test.fault);
        fault.map(|fault| format!("`{name}` {fault}"))
    }
}

/// Whether `cargo test` builds a test program around this root.
fn has_harness(root: &str, manifest: &str) -> bool {
    let mut parts = root.rsplit('/');
    let file = parts.next().unwrap_or_default();
    let directory = parts.next().unwrap_or_default();
    let name = if file == "main.rs" {
        directory
    } else {
        file.trim_end_matches(".rs")
    };
    let in_tests = root.contains("/tests/");
    let own_main = manifest.split("\n[").any(|table| {
        table.starts_with("[test]]")
            && table.contains(&format!("name = \"{name}\""))
            && table.contains("harness = false")
    });
    root.contains("/src/") || (in_tests && !own_main)
}

fn has_attribute(trees: &[Tree], word: &str) -> bool {
    trees
        .iter()
        .enumerate()
        .any(|(at, tree)| match (&trees[..at], tree) {
            ([.., Tree::Sign('#')], Tree::Group('[', inside)) => contains_word(inside, word),
            (_, Tree::Group(_, inside)) => has_attribute(inside, word),
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with `promised` as a keeper, in a crate whose `lib.rs` is this.
    fn fault(lib: &str) -> Option<String> {
        let files = BTreeMap::from([
            ("src/lib.rs", Tree::parse(lib)),
            (
                "src/model.rs",
                Tree::parse("#[test] fn promised() { assert!(true); }"),
            ),
        ]);
        let mut keepers = Keepers {
            tests: BTreeMap::new(),
            lints: BTreeSet::new(),
            files: Vec::new(),
        };
        keepers.add_tests("src/lib.rs", &|path| files.get(path).map(Vec::as_slice));
        keepers.fault("promised")
    }

    #[test]
    fn a_test_that_can_fail_keeps_a_promise() {
        for lib in [
            "#[test] fn promised() { assert_eq!(1, 1); }",
            "#[test]\n#[cfg(unix)]\nfn promised() { run(&ROWS); }",
            "mod tests { #[tokio::test(flavor = \"current_thread\")] async fn promised() { go().await } }",
            "proptest! { #![proptest_config(C)] #[test] fn promised(a in 0..9u8) { check(a)?; } }",
            "mod model;",
        ] {
            assert_eq!(fault(lib), None, "{lib}");
        }
    }

    #[test]
    fn a_test_that_cannot_fail_keeps_none() {
        let body = "{ assert!(true); }";
        for (lib, expected) in [
            // Commented out.
            (format!("// #[test]\n// fn promised() {body}"), "no test"),
            (format!("/* #[test] fn promised() {body} */"), "no test"),
            // Ignored.
            (format!("#[test] #[ignore] fn promised() {body}"), "ignored"),
            (
                format!("#[ignore = \"slow\"] #[test] fn promised() {body}"),
                "ignored",
            ),
            (
                format!("#[cfg_attr(unix, ignore)] #[test] fn promised() {body}"),
                "ignored",
            ),
            (
                format!("#[test] #[should_panic] fn promised() {body}"),
                "should panic",
            ),
            // Empty.
            ("#[test] fn promised() {}".to_owned(), "asserts nothing"),
            (
                "#[test] fn promised() { let _ = 1; // assert!(true)\n }".to_owned(),
                "asserts nothing",
            ),
            // Renamed.
            (format!("#[test] fn promised_more() {body}"), "no test"),
            (
                format!("#[test] fn other() {{ fn promised() {body} }}"),
                "no test",
            ),
            // No test at all.
            (format!("fn promised() {body}"), "no test"),
            (
                format!("#[test] fn other() {body} fn promised() {body}"),
                "no test",
            ),
            (
                format!("impl T {{ #[inline] fn promised() {body} }}"),
                "no test",
            ),
            // In a string.
            (
                format!("const A: &str = \"#[test] fn promised() {body}\";"),
                "no test",
            ),
            (
                format!("const A: &str = r#\"#[test] fn promised() {body}\"#;"),
                "no test",
            ),
            // Never compiled by `cargo test`.
            (
                format!("#[cfg(any())] #[test] fn promised() {body}"),
                "nowhere",
            ),
            (
                format!("#[cfg(loom)] mod tests {{ #[test] fn promised() {body} }}"),
                "no test",
            ),
            ("#[cfg(all(test, loom))] mod model;".to_owned(), "no test"),
            ("// mod model;".to_owned(), "no test"),
        ] {
            let found = fault(&lib).unwrap_or_default();
            assert!(found.contains(expected), "{lib}: {found}");
        }
    }

    #[test]
    fn programs_of_their_own_have_no_test_functions() {
        let manifest = "[package]\n\n[[test]]\nname = \"kill\"\nharness = false\n\n\
                        [[bench]]\nname = \"rest\"\nharness = false\n";
        assert!(!has_harness("a/tests/kill.rs", manifest));
        assert!(!has_harness("a/tests/kill/main.rs", manifest));
        assert!(!has_harness("a/benches/rest.rs", manifest));
        assert!(has_harness("a/tests/rest.rs", manifest));
        assert!(has_harness("a/src/main.rs", manifest));
    }

    #[test]
    fn only_what_a_root_denies_is_a_lint() {
        let mut keepers = Keepers::gather();
        keepers.lints.clear();
        let root =
            "#![deny(a)] #![cfg_attr(not(test), forbid(clippy::b))] #![warn(c)] #![allow(d)]";
        keepers.add_lints(&Tree::parse(root));
        assert!(keepers.lints.contains("a") && keepers.lints.contains("b"));
        assert!(!keepers.lints.contains("c") && !keepers.lints.contains("d"));
    }
}
