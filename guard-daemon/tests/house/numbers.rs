//! Numbers in documents and in the ring's description are those of the code.

use crate::repository::{between, none, read};
use guard_core::{agents, ring};
use guard_report::address::DEFAULT_ADDRESS;
use guard_report::log_files::{KEPT, MAX_BYTES};
use guard_report::record::SCHEMA_VERSION;
use serde_json::Value;

/// Each sentence with a number, as its file must have it.
fn sentences() -> Vec<(&'static str, String)> {
    let manifest = read("Cargo.toml");
    let rust = between(&manifest, "\nrust-version = \"", "\"").to_owned();
    let agents = agents::labels().count();
    let api = read("guard-exporter/src/http/openapi.json");
    let api: Value = serde_json::from_str(&api).expect("the description is JSON");
    let parameters = api["paths"]["/api/v1/denials"]["get"]["parameters"].as_array();
    let mut parameters = parameters.into_iter().flatten();
    let limit = parameters.find(|parameter| parameter["name"] == "limit");
    let limit = &limit.expect("denials have a limit")["schema"];
    let (most, usual) = (&limit["maximum"], &limit["default"]);
    let megabytes = MAX_BYTES / 1_000_000;
    vec![
        (
            "guard-core/src/ring/mod.rs",
            format!("format version, {} ", ring::FORMAT),
        ),
        ("README.md", format!("With Rust {rust} or later")),
        ("README.zh-CN.md", format!("需要 Rust {rust} 及以上")),
        ("docs/agents.md", format!("{agents} labels")),
        ("docs/zh-CN/agents.md", format!("共 {agents} 个标签")),
        ("README.md", format!("<http://{DEFAULT_ADDRESS}/>")),
        ("README.zh-CN.md", format!("<http://{DEFAULT_ADDRESS}/>")),
        ("docs/api.md", format!("`{DEFAULT_ADDRESS}`")),
        ("docs/zh-CN/api.md", format!("`{DEFAULT_ADDRESS}`")),
        (
            "docs/metrics.md",
            format!("<http://{DEFAULT_ADDRESS}/metrics>"),
        ),
        (
            "docs/zh-CN/metrics.md",
            format!("<http://{DEFAULT_ADDRESS}/metrics>"),
        ),
        ("docs/denial-log.md", format!("below {megabytes} MB")),
        ("docs/denial-log.md", format!("`denials.jsonl.{KEPT}`")),
        (
            "docs/denial-log.md",
            format!("| `schema_version` | {SCHEMA_VERSION} |"),
        ),
        ("docs/zh-CN/denial-log.md", format!("{megabytes} MB")),
        (
            "docs/zh-CN/denial-log.md",
            format!("`denials.jsonl.{KEPT}`"),
        ),
        (
            "docs/zh-CN/denial-log.md",
            format!("| `schema_version` | {SCHEMA_VERSION} |"),
        ),
        ("docs/api.md", format!("1 to {most}, by default {usual}")),
        ("docs/zh-CN/api.md", format!("1 到 {most}，默认 {usual}")),
    ]
}

#[test]
fn numbers_are_those_of_the_code() {
    let sentences = sentences().into_iter();
    let missing = sentences.filter(|(path, sentence)| !read(path).contains(sentence));
    let missing: Vec<String> = missing
        .map(|(path, sentence)| format!("{path} lacks {sentence:?}"))
        .collect();
    none("a number is that of the code", &missing);
}
