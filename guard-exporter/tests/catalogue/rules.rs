//! Recording rules, alerts and their cases. `promtool` checks whether they are well-formed and right
//! (`.ci/dashboards`); here they are held to the project's conventions.

use crate::files::{self, none};
use crate::known::COUNTER;
use crate::promql::{self, Query};
use std::collections::{BTreeMap, BTreeSet};

const ALERTS: &str = "dashboards/prometheus/rules/alerts.yml";
const RECORDING: &str = "dashboards/prometheus/rules/recording.yml";
const PAGES: &str = "https://github.com/jiaqiwang969/endpoint-sec/blob/main/dashboards/runbooks";

/// One alert or recording rule, as far as it is read here: its keys, those of `labels` and
/// `annotations` among them, and their values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) values: BTreeMap<String, String>,
}

// === impl Rule ===

impl Rule {
    pub(crate) fn value(&self, key: &str) -> &str {
        self.values.get(key).map_or("", String::as_str)
    }
}

/// All expressions of rules.
pub(crate) fn queries() -> Vec<Query> {
    let rules = alerts().into_iter().chain(read(RECORDING, "record"));
    rules
        .map(|rule| Query {
            text: rule.value("expr").to_owned(),
            place: rule.name,
        })
        .collect()
}

/// The names that recording rules make.
pub(crate) fn recorded() -> BTreeSet<String> {
    let rules = read(RECORDING, "record").into_iter();
    rules.map(|rule| rule.name).collect()
}

/// All alerts.
pub(crate) fn alerts() -> Vec<Rule> {
    read(ALERTS, "alert")
}

#[test]
fn recorded_names_say_their_level_metric_and_operation() {
    let complaints: Vec<String> = recorded()
        .into_iter()
        .filter(|name| {
            let parts: Vec<&str> = name.split(':').collect();
            let [level, metric, operation] = parts.as_slice() else {
                return true;
            };
            level.is_empty()
                || !metric.starts_with("guard_")
                || metric.ends_with("_total")
                || operation.is_empty()
        })
        .collect();
    none(
        "a recorded series is called level:metric:operation",
        &complaints,
    );
}

#[test]
fn alerts_say_what_they_are() {
    let dashboards: BTreeSet<String> = crate::grafana::uids();
    let mut complaints = Vec::new();
    for alert in alerts() {
        let mut demand = |holds: bool, what: &str| {
            if !holds {
                complaints.push(format!("{}: {what}", alert.name));
            }
        };
        let is_camel = alert.name.chars().all(char::is_alphanumeric);
        demand(is_camel && alert.name.starts_with("Guard"), "its name");
        let severity = alert.value("severity");
        demand(
            ["critical", "warning", "info"].contains(&severity),
            "its severity",
        );
        let summary = alert.value("summary");
        let is_static = !summary.contains("{{") && summary.ends_with('.');
        demand(is_static, "its summary is a sentence that never changes");
        let description = alert.value("description");
        demand(
            description.contains("{{ $labels.instance }}") || alert.name == "GuardExporterDown",
            "its description names the place",
        );
        let page = format!("{PAGES}/{}.md", alert.name);
        demand(alert.value("runbook_url") == page, "its runbook_url");
        let uid = alert
            .value("dashboard_url")
            .split("/d/")
            .nth(1)
            .unwrap_or_default();
        let uid = uid.split('?').next().unwrap_or_default();
        demand(
            dashboards.contains(uid),
            "its dashboard_url names a dashboard",
        );
    }
    none("alerts keep the conventions", &complaints);
}

#[test]
fn every_alert_has_a_case_that_fires_and_one_that_stays_silent() {
    let mut fires = BTreeSet::new();
    let mut silent = BTreeSet::new();
    for path in files::list("dashboards/prometheus/tests", ".yml") {
        let text = files::read(&path);
        let mut lines = text.lines().map(str::trim);
        while let Some(line) = lines.next() {
            let Some(alert) = line.strip_prefix("alertname: ") else {
                continue;
            };
            match lines.next() {
                Some("exp_alerts: []") => silent.insert(alert.to_owned()),
                Some("exp_alerts:") => fires.insert(alert.to_owned()),
                other => panic!("{path}: after {alert} comes {other:?}"),
            };
        }
    }
    let all: BTreeSet<String> = alerts().into_iter().map(|alert| alert.name).collect();
    assert_eq!(fires, all, "alerts that fire in a case");
    assert_eq!(silent, all, "alerts that stay silent in a case");
}

#[test]
fn on_a_bad_day_every_alert_fires() {
    let text = files::read("dashboards/prometheus/tests/bad_day.yml");
    let named: BTreeSet<String> = text
        .split("alertname=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect();
    let all: BTreeSet<String> = alerts().into_iter().map(|alert| alert.name).collect();
    assert_eq!(named, all);
}

#[test]
fn counters_are_watched_with_the_times_when_they_began_and_have_alerts() {
    let with_ending = |rule: &str, ending: &str| -> BTreeSet<String> {
        let rules = read(RECORDING, "record").into_iter();
        let names = rules
            .filter(|found| found.name == rule)
            .flat_map(|found| selected(found.value("expr")))
            .filter_map(|selection| {
                let name = selection.metric.strip_suffix(ending)?;
                name.strip_prefix("guard_").map(str::to_owned)
            });
        names.collect()
    };
    let watched = with_ending("counter:guard_events:total", "_total");
    assert!(watched.len() > 10, "{watched:?}");
    let born = with_ending("counter:guard_events:born", "_created");
    assert_eq!(born, watched, "counters whose beginnings are known");
    let alerted: BTreeSet<String> = queries()
        .iter()
        .flat_map(|query| selected(&query.text))
        .flat_map(|selection| selection.matched)
        .filter(|(label, _)| label == COUNTER)
        .filter_map(|(_, matcher)| matcher.split('"').nth(1).map(str::to_owned))
        .collect();
    assert_eq!(alerted, watched, "counters that alerts select");
}

fn selected(expression: &str) -> Vec<promql::Selection> {
    promql::selections(&promql::parse(expression).unwrap())
}

/// Reads a file of rules. `key` begins a rule and gives its name.
fn read(path: &str, key: &str) -> Vec<Rule> {
    let text = files::read(path);
    let begin = format!("- {key}: ");
    let mut rules: Vec<Rule> = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let indent = line.len() - line.trim_start().len();
        let line = line.trim();
        if let Some(name) = line.strip_prefix(&begin) {
            rules.push(Rule {
                name: name.to_owned(),
                ..Rule::default()
            });
        } else if let (Some(rule), Some((key, value))) = (rules.last_mut(), line.split_once(':'))
            && !line.starts_with(['#', '-'])
        {
            let mut value = value.trim().trim_matches('\'').to_owned();
            if value == "|" {
                value.clear();
                while let Some(more) = lines.next_if(|more| {
                    more.trim().is_empty() || more.len() - more.trim_start().len() > indent
                }) {
                    value += more.trim();
                    value += "\n";
                }
            }
            rule.values.insert(key.to_owned(), value);
        }
    }
    assert!(!rules.is_empty(), "no rules in {path}");
    rules
}
