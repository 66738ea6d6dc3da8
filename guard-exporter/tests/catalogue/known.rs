//! The names that expressions may use.

use crate::promql;
use guard_exporter::metrics::catalogue::{self, Metric, MetricKind};
use promql_parser::parser::Expr;
use std::collections::BTreeSet;

/// Labels that Prometheus puts on every series of a target, and the one by which targets state whether
/// a guard is always there.
pub(crate) const TARGET_LABELS: [&str; 3] = ["job", "instance", "scope"];

/// Series that Prometheus makes by itself.
const OWN: [(&str, &[&str]); 2] = [("up", &[]), ("ALERTS", &["alertname", "alertstate"])];

/// The level of what is recorded of many counters, each named by a label that is called so. All labels
/// of counters are left.
pub(crate) const COUNTER: &str = "counter";

/// The names of a metric's series. OpenMetrics has, beside each counter, the time when it began.
pub(crate) fn series_of(metric: &Metric) -> impl Iterator<Item = String> {
    let endings: &[&str] = match metric.kind {
        MetricKind::Histogram => &["_bucket", "_sum", "_count"],
        MetricKind::Counter => &["_total", "_created"],
        MetricKind::Gauge => &[""],
    };
    let name = metric.name;
    let base = match metric.kind {
        MetricKind::Counter => name.strip_suffix("_total").unwrap_or(name),
        MetricKind::Histogram | MetricKind::Gauge => name,
    };
    endings.iter().map(move |ending| format!("{base}{ending}"))
}

/// The metric of the catalogue that has this series.
pub(crate) fn metric_of(series: &str) -> Option<&'static Metric> {
    catalogue::ALL
        .iter()
        .find(|metric| series_of(metric).any(|name| name == series))
}

/// What an expression names and nobody has. `recorded` are the names of recording rules.
pub(crate) fn unknown(expression: &Expr, recorded: &BTreeSet<String>) -> Vec<String> {
    let mut unknown = Vec::new();
    for selection in promql::selections(expression) {
        let Some(labels) = labels_of(&selection.metric, recorded) else {
            unknown.push(format!("no metric is called {:?}", selection.metric));
            continue;
        };
        for (label, _) in &selection.matched {
            if !labels.contains(label) {
                unknown.push(format!("{} has no label {label}", selection.metric));
            }
        }
    }
    for (labels, grouped) in promql::groupings(expression) {
        let present: BTreeSet<String> = promql::selections(grouped)
            .iter()
            .filter_map(|selection| labels_of(&selection.metric, recorded))
            .flatten()
            .collect();
        for label in labels.iter().filter(|label| !present.contains(*label)) {
            unknown.push(format!("nothing in `{grouped}` has the label {label}"));
        }
    }
    unknown
}

/// The labels of a series; `None` when there is no such series.
fn labels_of(series: &str, recorded: &BTreeSet<String>) -> Option<BTreeSet<String>> {
    let listed = |list: &[(&str, &'static [&'static str])]| {
        let entry = list.iter().find(|(name, _)| *name == series);
        entry.map(|(_, labels)| labels.to_vec())
    };
    let own: Vec<&str> = if let Some(metric) = metric_of(series) {
        let bucket = series.ends_with("_bucket").then_some("le");
        metric.labels.iter().copied().chain(bucket).collect()
    } else if recorded.contains(series) {
        // A recorded name begins with the labels that are left.
        let level = series.split(':').next()?;
        let counters = catalogue::ALL
            .iter()
            .filter(|metric| level == COUNTER && metric.kind == MetricKind::Counter);
        let labels = counters.flat_map(|metric| metric.labels.iter().copied());
        level.split('_').chain(labels).collect()
    } else {
        listed(&OWN)?
    };
    let all = own.into_iter().chain(TARGET_LABELS);
    Some(all.map(str::to_owned).collect())
}
