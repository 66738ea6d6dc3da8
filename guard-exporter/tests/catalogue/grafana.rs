//! The dashboards: Grafana's own linter's rules, and some of ours.

use crate::files::{self, none};
use crate::known;
use crate::promql::{self, Query, RATE_INTERVAL, WHOLE_RANGE};
use guard_exporter::metrics::catalogue::MetricKind;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const DASHBOARDS: [&str; 5] = ["agent", "fleet", "latency", "overview", "words"];

/// One dashboard, and its file.
struct Dashboard {
    path: String,
    json: Value,
}

// === impl Dashboard ===

impl Dashboard {
    fn all() -> Vec<Self> {
        let paths = files::list("dashboards/grafana", ".json");
        let names: Vec<&str> = paths.iter().map(|path| files::stem(path)).collect();
        assert_eq!(names, DASHBOARDS);
        let read = |path: String| Self {
            json: serde_json::from_str(&files::read(&path)).unwrap(),
            path,
        };
        paths.into_iter().map(read).collect()
    }

    /// All panels but the headings of rows.
    fn panels(&self) -> impl Iterator<Item = &Value> {
        let panels = list(&self.json["panels"]).iter();
        panels.filter(|panel| panel["type"] != "row")
    }

    fn place(&self, panel: &Value) -> String {
        format!("{}: {}", self.path, panel["title"])
    }

    fn variable(&self, name: &str) -> &Value {
        let variables = list(&self.json["templating"]["list"]);
        let found = variables.iter().find(|variable| variable["name"] == name);
        found.unwrap_or(&Value::Null)
    }
}

/// What panels ask a log store.
pub(crate) fn log_queries() -> Vec<Query> {
    let mut queries = Vec::new();
    for dashboard in Dashboard::all() {
        for panel in dashboard.panels().filter(|panel| is_of_logs(panel)) {
            queries.extend(list(&panel["targets"]).iter().map(|target| Query {
                place: dashboard.place(panel),
                text: text(&target["expr"]).to_owned(),
            }));
        }
    }
    queries
}

/// All expressions of panels and annotations, but those for a log store.
pub(crate) fn queries() -> Vec<Query> {
    let mut queries = Vec::new();
    for dashboard in Dashboard::all() {
        for panel in dashboard.panels().filter(|panel| !is_of_logs(panel)) {
            queries.extend(list(&panel["targets"]).iter().map(|target| Query {
                place: dashboard.place(panel),
                text: text(&target["expr"]).to_owned(),
            }));
        }
        let annotations = list(&dashboard.json["annotations"]["list"]).iter();
        queries.extend(annotations.map(|annotation| Query {
            place: format!("{}: annotation {}", dashboard.path, annotation["name"]),
            text: text(&annotation["expr"]).to_owned(),
        }));
    }
    queries
}

/// The dashboards' identities in links.
pub(crate) fn uids() -> BTreeSet<String> {
    let dashboards = Dashboard::all().into_iter();
    dashboards
        .map(|dashboard| text(&dashboard.json["uid"]).to_owned())
        .collect()
}

/// The names by which texts may call dashboards and panels.
pub(crate) fn titles() -> BTreeSet<String> {
    let mut titles = BTreeSet::new();
    for dashboard in Dashboard::all() {
        let title = text(&dashboard.json["title"]);
        titles.insert(title.trim_start_matches("Guard: ").to_owned());
        titles.extend(
            dashboard
                .panels()
                .map(|panel| text(&panel["title"]).to_owned()),
        );
    }
    titles
}

#[test]
fn dashboards_are_fixed_and_lead_to_each_other() {
    assert_eq!(uids().len(), DASHBOARDS.len());
    for Dashboard { path, json } in Dashboard::all() {
        assert_eq!(json["editable"], false, "{path}");
        assert_eq!(json["id"], Value::Null, "{path}");
        assert_eq!(json["tags"], json!(["codex-es-guard"]), "{path}");
        assert_eq!(json["links"][0]["tags"], json["tags"], "{path}");
        assert_eq!(json["links"][0]["includeVars"], true, "{path}");
        let schema = json["schemaVersion"].as_u64().unwrap();
        assert!((39..=42).contains(&schema), "{path}");
        for field in ["uid", "title", "description", "refresh"] {
            assert!(!text(&json[field]).is_empty(), "{path}: {field}");
        }
        assert!(
            json["time"]["from"].is_string() && json["__inputs"].is_null(),
            "{path}"
        );
    }
}

#[test]
fn dashboards_have_the_usual_variables() {
    for dashboard in Dashboard::all() {
        let path = &dashboard.path;
        let source = dashboard.variable("datasource");
        assert_eq!(source["type"], "datasource", "{path}");
        assert_eq!(source["query"], "prometheus", "{path}");
        assert_eq!(source["label"], "Data source", "{path}");
        let mut names = vec![("job", "Job"), ("instance", "Instance")];
        let has_logs = dashboard.panels().any(is_of_logs);
        let store = dashboard.variable("logs");
        assert_eq!(store["query"] == "loki", has_logs, "{path}");
        if path.ends_with("/agent.json") || has_logs {
            names.push(("agent", "Agent"));
        }
        for (name, label) in names {
            let variable = dashboard.variable(name);
            assert_eq!(variable["label"], label, "{path}: {name}");
            assert_eq!(variable["type"], "query", "{path}: {name}");
            assert_eq!(variable["datasource"], source_of_all(), "{path}: {name}");
            assert_eq!(variable["refresh"], 2, "{path}: {name}");
            assert_eq!(variable["multi"], true, "{path}: {name}");
            assert_eq!(variable["includeAll"], true, "{path}: {name}");
            assert_eq!(variable["allValue"], ".+", "{path}: {name}");
            let query = text(&variable["query"]["query"]);
            assert_eq!(variable["definition"], query, "{path}: {name}");
            let series = query.strip_prefix("label_values(").and_then(|rest| {
                let (series, label) = rest.strip_suffix(')')?.rsplit_once(", ")?;
                (label == name).then_some(series)
            });
            let series = promql::parse(series.unwrap_or_default()).unwrap();
            let unknown = known::unknown(&series, &BTreeSet::new());
            none(&format!("{path}: {name}"), &unknown);
        }
    }
}

#[test]
fn panels_say_what_they_show() {
    let mut complaints = Vec::new();
    for dashboard in Dashboard::all() {
        let mut numbers = BTreeSet::new();
        for panel in dashboard.panels() {
            let mut demand = |holds: bool, what: &str| {
                if !holds {
                    complaints.push(format!("{}: {what}", dashboard.place(panel)));
                }
            };
            demand(!text(&panel["title"]).is_empty(), "title");
            demand(text(&panel["description"]).ends_with('.'), "description");
            let source = source_of(panel);
            demand(panel["datasource"] == source, "data source");
            let unit = text(&panel["fieldConfig"]["defaults"]["unit"]);
            demand(UNITS.contains(&unit), "unit");
            demand(!list(&panel["targets"]).is_empty(), "queries");
            demand(numbers.insert(panel["id"].as_u64()), "number");
            for target in list(&panel["targets"]) {
                demand(target["datasource"] == source, "query's data source");
            }
        }
    }
    none("panels keep the linter's rules", &complaints);
}

#[test]
fn changes_of_policy_and_overrides_are_marked() {
    for Dashboard { path, json } in Dashboard::all() {
        for (name, metric) in [
            ("Policy put in force", "guard_policy_reloads_total"),
            ("Override granted", "guard_policy_overrides"),
        ] {
            let mut marks = list(&json["annotations"]["list"]).iter();
            let mark = marks.find(|mark| mark["name"] == name);
            let mark = mark.unwrap_or_else(|| panic!("{path}: {name} is marked"));
            assert!(text(&mark["expr"]).contains(metric), "{path}: {mark}");
            assert_eq!(mark["datasource"], source_of_all(), "{path}: {name}");
            assert_eq!(mark["enable"], true, "{path}: {name}");
        }
    }
}

#[test]
fn panels_do_not_overlap() {
    for dashboard in Dashboard::all() {
        let mut taken = BTreeSet::new();
        for panel in list(&dashboard.json["panels"]) {
            let [x, y, w, h] =
                ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap());
            assert!(x + w <= 24, "{}", dashboard.place(panel));
            for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
                assert!(taken.insert(cell), "{}", dashboard.place(panel));
            }
        }
    }
}

#[test]
fn queries_select_by_job_and_instance_and_rate_counters() {
    let mut complaints = Vec::new();
    for query in queries() {
        let expression = promql::parse(&query.text).unwrap();
        for selection in promql::selections(&expression) {
            let mut demand = |holds: bool, what: &str| {
                if !holds {
                    complaints.push(format!("{}: {what}: {}", query.place, query.text));
                }
            };
            for label in ["job", "instance"] {
                let wanted = format!("{label}=~\"${label}\"");
                let selects = selection
                    .matched
                    .iter()
                    .any(|(_, matcher)| *matcher == wanted);
                demand(selects, label);
            }
            let function = selection.function.as_deref().unwrap_or_default();
            if let Some(range) = selection.range {
                let whole = range == WHOLE_RANGE && function != "rate";
                demand(range == RATE_INTERVAL || whole, "range");
            }
            let metric = known::metric_of(&selection.metric);
            let counts = metric.is_some_and(|metric| metric.kind != MetricKind::Gauge);
            let is_rated = ["rate", "increase"].contains(&function);
            demand(
                metric.is_none() || counts == is_rated,
                "counters, and only they, are rated",
            );
        }
    }
    none("queries keep the linter's rules", &complaints);
}

#[test]
fn latencies_and_denials_ask_for_exemplars() {
    let mut with = 0;
    for dashboard in Dashboard::all() {
        for panel in dashboard.panels() {
            for target in list(&panel["targets"]) {
                let is_quantile = text(&target["expr"])
                    .contains("guard_decision_duration_seconds_bucket")
                    && text(&target["expr"]).starts_with("histogram_quantile")
                    && target["instant"] == false;
                let has = target["exemplar"] == true;
                assert!(has || !is_quantile, "{}", dashboard.place(panel));
                with += usize::from(has);
            }
        }
    }
    assert!(with >= 8, "{with}");
    let provisioned = files::read("dashboards/grafana/provisioning/datasources/guard.yml");
    assert!(provisioned.contains("- name: trace_id\n"));
}

fn is_of_logs(panel: &Value) -> bool {
    panel["type"] == "logs"
}

fn source_of(panel: &Value) -> Value {
    if is_of_logs(panel) {
        json!({"type": "loki", "uid": "${logs}"})
    } else {
        source_of_all()
    }
}

fn source_of_all() -> Value {
    json!({"type": "prometheus", "uid": "${datasource}"})
}

#[track_caller]
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Units that panels use, as Grafana calls them.
const UNITS: [&str; 6] = ["Bps", "bytes", "ops", "percentunit", "s", "short"];
