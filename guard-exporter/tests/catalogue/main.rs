//! Holds the catalogue of metrics, the dashboards, the rules, their cases, the runbooks and the
//! examples of `dashboards/` together.
//!
//! [`grafana`] has the rules of dashboards, [`rules`] those of recording rules and alerts. A rule
//! that is broken names every place at once.

#![allow(clippy::tests_outside_test_module, reason = "a test binary")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod counted;
mod documents;
mod files;
mod grafana;
mod known;
mod promql;
mod rules;
mod runbooks;
mod words;

use files::none;
use guard_exporter::metrics::catalogue;
use guard_report::address::DEFAULT_ADDRESS;
use std::collections::BTreeSet;

#[test]
fn every_metric_is_shown_or_alerted_on() {
    let mut used = BTreeSet::new();
    for query in grafana::queries().into_iter().chain(rules::queries()) {
        let expression = promql::parse(&query.text).unwrap_or_else(|error| panic!("{error}"));
        let selections = promql::selections(&expression);
        used.extend(selections.into_iter().map(|selection| selection.metric));
    }
    let missing: Vec<String> = catalogue::ALL
        .iter()
        .filter(|metric| !known::series_of(metric).any(|name| used.contains(&name)))
        .map(|metric| metric.name.to_owned())
        .collect();
    none("a metric is shown by a panel or alerted on", &missing);
}

#[test]
fn every_expression_parses_and_names_what_is_there() {
    let recorded = rules::recorded();
    let mut complaints = Vec::new();
    let queries: Vec<_> = grafana::queries()
        .into_iter()
        .chain(rules::queries())
        .collect();
    assert!(queries.len() > 100, "only {} were found", queries.len());
    for query in queries {
        match promql::parse(&query.text) {
            Err(error) => complaints.push(format!("{}: {error}", query.place)),
            Ok(expression) => complaints.extend(
                known::unknown(&expression, &recorded)
                    .into_iter()
                    .map(|unknown| format!("{}: {unknown}", query.place)),
            ),
        }
    }
    none(
        "expressions name metrics and labels of the catalogue",
        &complaints,
    );
}

#[test]
fn examples_scrape_where_the_exporter_serves() {
    let address = DEFAULT_ADDRESS.to_string();
    for path in [
        "dashboards/prometheus/targets/local.yml",
        "dashboards/prometheus/agent.yml",
        "dashboards/prometheus/fleet.yml",
    ] {
        assert!(files::read(path).contains(&address), "{path}");
    }
}
