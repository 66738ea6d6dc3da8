//! The lists in `docs/` are those of the code, in both languages.

use crate::markdown::{Document, code_spans};
use crate::repository::{has_word, list, none, read};
use guard_core::policy::FIELDS;
use guard_core::verdict::Reason;
use guard_core::{agents, decision, tools};
use guard_report::record;
use serde_json::Value;
use std::collections::BTreeSet;

const LANGUAGES: [&str; 2] = ["docs", "docs/zh-CN"];

/// Both versions of a document.
fn documents(name: &str) -> [Document; 2] {
    LANGUAGES.map(|directory| Document::parse(&read(&format!("{directory}/{name}"))))
}

fn fields_of(object: &str) -> Vec<&'static str> {
    let found = FIELDS.iter().find(|(name, _)| *name == object);
    found.expect("the policy has such objects").1.to_vec()
}

#[test]
fn policy_fields_are_listed() {
    for document in documents("policy.md") {
        for (object, one_of_them) in [
            ("policy", "protected_zones"),
            ("temporary_overrides", "granted_by"),
            ("trusted_tools", "except_args"),
        ] {
            assert_eq!(
                document.names_beside(one_of_them),
                fields_of(object),
                "{object}"
            );
        }
        for (object, field) in [
            ("protected_zones", "protected_zones"),
            ("identity", "identity"),
        ] {
            let row = document.row(field).join(" ");
            let missing = fields_of(object).into_iter();
            let missing: Vec<&str> = missing
                .filter(|name| !code_spans(&row).contains(name))
                .collect();
            assert!(missing.is_empty(), "{object} lacks {missing:?}");
        }
    }
}

#[test]
fn reasons_are_listed() {
    let reasons = Reason::ALL.map(Reason::as_str);
    for document in documents("decisions.md") {
        assert_eq!(document.names_beside("outside_zones"), reasons);
    }
}

#[test]
fn agents_are_listed() {
    let labels: Vec<&str> = agents::labels().collect();
    for document in documents("agents.md") {
        assert_eq!(document.words_of_block("claude_code"), labels);
    }
}

#[test]
fn trusted_tools_are_listed() {
    for document in documents("tools-and-places.md") {
        let rows: Vec<[BTreeSet<&str>; 2]> = document
            .table_of("git")
            .iter()
            .map(|row| [&row[0], &row[1]].map(|cell| code_spans(cell).into_iter().collect()))
            .collect();
        let mut listed = BTreeSet::new();
        for tool in tools::built_in() {
            let mut having = rows
                .iter()
                .filter(|[names, _]| tool.names.iter().any(|name| names.contains(name)));
            let Some([names, _]) = having.next() else {
                panic!("{:?} are not listed", tool.names);
            };
            if tool.are_compilers {
                // Too many to name, and alike.
                listed.extend(tool.names.iter().filter(|name| names.contains(**name)));
                continue;
            }
            listed.extend(tool.names);
            let missing: Vec<&&str> = tool
                .names
                .iter()
                .filter(|name| !names.contains(**name))
                .collect();
            assert!(missing.is_empty(), "{missing:?} are not listed");
        }
        let named: BTreeSet<&str> = rows.iter().flat_map(|[names, _]| names).copied().collect();
        assert_eq!(named, listed, "no other tool is listed");
    }
}

#[test]
fn suffixes_of_backups_are_listed() {
    let names: Vec<&str> = decision::backup_suffixes()
        .map(|name| str::from_utf8(name).expect("patterns are ASCII"))
        .collect();
    for document in documents("tools-and-places.md") {
        assert_eq!(document.words_of_block(".bak"), names);
    }
}

#[test]
fn names_of_outputs_are_listed() {
    for document in documents("tools-and-places.md") {
        assert_eq!(
            document.words_of_block("builddir"),
            guard_core::places::OUTPUTS
        );
    }
}

#[test]
fn fields_of_the_denial_log_are_listed_in_their_order() {
    // A chained log has two more.
    let fields: Vec<&str> = record::FIELDS.into_iter().chain(["prev", "hash"]).collect();
    for document in documents("denial-log.md") {
        assert_eq!(document.names_beside("schema_version"), fields);
    }
}

#[test]
fn endpoints_and_parameters_are_listed() {
    let api = api();
    let paths = api["paths"].as_object().expect("the API has paths");
    let endpoints: BTreeSet<&str> = paths.keys().map(String::as_str).collect();
    let shared = api["components"]["parameters"]
        .as_object()
        .expect("shared parameters");
    let own = paths
        .values()
        .filter_map(|path| path["get"]["parameters"].as_array())
        .flatten();
    let parameters: BTreeSet<&str> = own
        .chain(shared.values())
        .filter(|parameter| parameter["in"] == "query")
        .filter_map(|parameter| parameter["name"].as_str())
        .collect();
    for document in documents("api.md") {
        let listed: BTreeSet<&str> = document.names_beside("/metrics").into_iter().collect();
        assert_eq!(listed, endpoints);
        let listed: BTreeSet<&str> = document.names_beside("limit").into_iter().collect();
        assert_eq!(listed, parameters);
    }
}

#[test]
fn flags_and_commands_are_listed() {
    let mut flags: BTreeSet<String> = BTreeSet::new();
    for directory in ["guard-daemon/tests/golden", "guard-exporter/tests/golden"] {
        for path in list(directory, ".txt") {
            let help = read(&path);
            let options = help
                .lines()
                .map(str::trim_start)
                .filter(|line| line.starts_with('-'));
            flags.extend(options.flat_map(flags_in));
        }
    }
    flags.retain(|flag| !["--help", "--version"].contains(&flag.as_str()));
    let help = read("guard-daemon/tests/golden/help.txt");
    let (_, commands) = help.split_once("Commands:\n").expect("it has commands");
    let commands = commands.split("\n\n").next().unwrap_or_default().lines();
    let commands: Vec<&str> = commands
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    for document in documents("command-line.md") {
        let tables = document
            .tables
            .iter()
            .flatten()
            .filter_map(|row| row.first());
        let listed: BTreeSet<String> = tables.flat_map(|cell| flags_in(cell)).collect();
        let verify = ["--head", "--json"].map(str::to_owned);
        let missing: Vec<String> = flags.difference(&listed).cloned().collect();
        let missing = missing
            .into_iter()
            .filter(|flag| !verify.contains(flag))
            .collect::<Vec<_>>();
        none("every flag is listed", &missing);
        let others: Vec<String> = listed.difference(&flags).cloned().collect();
        none("every listed flag is there", &others);
        let names = document.names_beside("run").join(" ");
        let missing = commands
            .iter()
            .filter(|name| **name != "help" && !has_word(&names, name));
        let missing: Vec<String> = missing.map(|name| (*name).to_owned()).collect();
        none("every command is listed", &missing);
    }
}

/// The long flags in a line, without their values.
fn flags_in(line: &str) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_lowercase() || c == '-' || c == '.';
    let words = line.split(|c: char| !is_part(c));
    let flags = words
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| word.starts_with("--") && word.len() > 3);
    flags.map(str::to_owned).collect()
}

fn api() -> Value {
    let text = read("guard-exporter/src/http/openapi.json");
    serde_json::from_str(&text).expect("the description is JSON")
}
