//! Every metric is counted somewhere, served, and labelled with nothing that should not leave.

use crate::files::{self, none};
use guard_exporter::metrics::catalogue;
use std::collections::BTreeSet;

/// Label names that metrics may have: none of them holds a path, a process id, a command or a user.
const LABELS: [&str; 17] = [
    "agent",
    "operation",
    "place",
    "verdict",
    "reason",
    "answer",
    "cause",
    "kind",
    "lane",
    "method",
    "mode",
    "protected_zone",
    "revision",
    "signal",
    "step",
    "tool",
    "version",
];

#[test]
fn every_metric_is_counted_and_in_the_golden_file() {
    let golden = files::read("guard-exporter/src/metrics/golden.txt");
    let sources = files::below("guard-exporter/src", ".rs");
    let code: String = sources
        .iter()
        .filter(|path| !path.ends_with("metrics/catalogue.rs"))
        .map(|path| files::read(path))
        .collect();
    let words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
    let words: BTreeSet<&str> = words.collect();
    let mut complaints = Vec::new();
    for (metric, constant) in catalogue::ALL.iter().zip(catalogue::CONSTANTS) {
        if !words.contains(constant) {
            complaints.push(format!("nothing counts {}", metric.name));
        }
        // The exporter's own figures differ from run to run.
        let is_steady = !metric.name.starts_with("process_");
        let kind = format!("{:?}", metric.kind).to_lowercase();
        if is_steady && !golden.contains(&format!("# TYPE {} {kind}\n", metric.name)) {
            complaints.push(format!("the golden file has no {kind} {}", metric.name));
        }
    }
    none("a metric is counted and served", &complaints);
}

#[test]
fn labels_are_the_listed_ones() {
    let metrics = catalogue::ALL.iter();
    let labels = metrics.flat_map(|metric| metric.labels.iter().map(|label| (metric.name, *label)));
    let others = labels.filter(|(_, label)| !LABELS.contains(label));
    let others: Vec<String> = others
        .map(|(name, label)| format!("{name} has {label}"))
        .collect();
    none("labels are the listed ones", &others);
}
