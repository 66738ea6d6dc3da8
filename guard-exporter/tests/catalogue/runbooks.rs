//! Runbooks, and the page that lists the alerts.

use crate::files::{self, none};
use crate::{grafana, known, rules};
use std::collections::{BTreeMap, BTreeSet};

const RUNBOOKS: &str = "dashboards/runbooks";
const README: &str = "dashboards/README.md";

#[test]
fn every_alert_has_its_runbook_and_every_runbook_its_alert() {
    let pages: BTreeSet<String> = files::list(RUNBOOKS, ".md")
        .iter()
        .map(|path| files::stem(path).to_owned())
        .collect();
    let alerts: BTreeSet<String> = rules::alerts()
        .into_iter()
        .map(|alert| alert.name)
        .collect();
    assert_eq!(pages, alerts);
}

#[test]
fn runbooks_say_what_it_means_where_to_look_and_what_to_do() {
    let mut complaints = Vec::new();
    for path in files::list(RUNBOOKS, ".md") {
        let text = files::read(&path);
        let name = files::stem(&path);
        let heads: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
        let begins = [&*format!("# {name}"), "## Diagnosis", "## Resolution"];
        if !heads.starts_with(&begins) {
            complaints.push(format!("{path}: {heads:?}"));
        }
    }
    none("a runbook has the usual parts", &complaints);
}

#[test]
fn the_list_of_alerts_is_theirs() {
    let listed: BTreeMap<String, String> = files::read(README)
        .lines()
        .filter_map(|line| line.strip_prefix("| ["))
        .map(|line| {
            let (name, rest) = line.split_once("](").unwrap();
            let severity = rest.split('|').nth(1).unwrap().trim();
            (name.to_owned(), severity.to_owned())
        })
        .collect();
    let alerts: BTreeMap<String, String> = rules::alerts()
        .into_iter()
        .map(|alert| (alert.name.clone(), alert.value("severity").to_owned()))
        .collect();
    assert_eq!(listed, alerts);
}

#[test]
fn texts_name_panels_and_metrics_that_are_there() {
    let titles = grafana::titles();
    let recorded = rules::recorded();
    let mut complaints = Vec::new();
    for path in files::list(RUNBOOKS, ".md")
        .into_iter()
        .chain([README.to_owned()])
    {
        let text = files::read(&path);
        for title in emphasised(&text).filter(|title| !titles.contains(*title)) {
            complaints.push(format!("{path}: no dashboard or panel is called {title}"));
        }
        for name in words(&text).filter(|word| word.starts_with("guard_")) {
            // `guard_files` is a reason, which the denial log has.
            let is_there = known::metric_of(name).is_some()
                || recorded.contains(name)
                || name == "guard_files";
            if !is_there {
                complaints.push(format!("{path}: nothing is called {name}"));
            }
        }
    }
    none("a text names what is there", &complaints);
}

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    for path in files::list(RUNBOOKS, ".md")
        .into_iter()
        .chain([README.to_owned()])
    {
        let (directory, _) = path.rsplit_once('/').unwrap();
        let text = files::read(&path);
        for target in text.split("](").skip(1) {
            let target = target.split([')', '#']).next().unwrap_or_default();
            if !target.contains("://") && !files::has(&format!("{directory}/{target}")) {
                broken.push(format!("{path}: {target}"));
            }
        }
    }
    none("a link leads to a file", &broken);
}

/// The text between single asterisks, outside code.
fn emphasised(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("```").step_by(2);
    let prose = prose.flat_map(|prose| prose.split('`').step_by(2));
    prose.flat_map(|prose| prose.split('*').skip(1).step_by(2))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':')
}
