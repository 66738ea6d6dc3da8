//! Counters that outlive the exporter, and when each of them began.
//!
//! An exporter that a session starts ends with the last session. Its counters go on from where they
//! were when the next one starts, so that an increase between two scrapes is seen however often the
//! exporter was started between them. Histograms and what describes the process itself begin at 0
//! with each exporter.
//!
//! It guarantees that a file with made-up counters creates no more series than events could: labels
//! of agents are subject to the same limit.
//!
//! It deliberately does not carry counters by zone or by tool: their names come from policies, and
//! those of one session would stay for good.

use super::catalogue::{PROCESS_CPU, TRUSTED_USES, ZONE_DECISIONS};
use super::decisions::DecisionMetrics;
use super::exemplars::key;
use super::registry::Registry;
use crate::units::seconds;
use guard_report::time::now_ns;
use prometheus::proto::{LabelPair, MetricFamily, MetricType};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A counter of an exporter that ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CarriedCounter {
    /// Its name in the catalogue.
    name: String,
    /// The values of its labels, in the order of the series in a scrape: by the labels' names.
    labels: Vec<String>,
    value: f64,
    /// When it began, Unix time in seconds.
    created: f64,
}

/// When counters began. A clone is the same.
#[derive(Clone, Debug)]
pub(super) struct CreatedTimes(Arc<Mutex<Times>>);

#[derive(Debug)]
struct Times {
    by_series: HashMap<Box<str>, f64>,
    /// A counter that is new began after it.
    last: f64,
}

// === impl CreatedTimes ===

impl CreatedTimes {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Times {
            by_series: HashMap::new(),
            last: seconds(now_ns()),
        })))
    }

    /// Notes the counters among `families` that are new.
    pub(super) fn note(&self, families: &[MetricFamily]) {
        let now = seconds(now_ns());
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = std::mem::replace(&mut times.last, now);
        for (name, labels, _) in counters(families) {
            let series = key(name, labels.iter().map(LabelPair::value), None);
            times.by_series.entry(series.into()).or_insert(last);
        }
    }

    /// When this counter began, Unix time in seconds.
    pub(super) fn of(&self, name: &str, labels: &[LabelPair]) -> Option<f64> {
        let times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let series = key(name, labels.iter().map(LabelPair::value), None);
        times.by_series.get(series.as_str()).copied()
    }

    fn set(&self, name: &str, labels: &[String], created: f64) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let series = key(name, labels.iter().map(String::as_str), None);
        times.by_series.insert(series.into(), created);
    }
}

/// What the next exporter goes on from.
pub(super) fn carry(families: &[MetricFamily], created: &CreatedTimes) -> Vec<CarriedCounter> {
    created.note(families);
    let is_carried = |name: &str| {
        ![PROCESS_CPU, TRUSTED_USES, ZONE_DECISIONS]
            .map(|it| it.name)
            .contains(&name)
    };
    counters(families)
        .filter(|&(name, _, _)| is_carried(name))
        .map(|(name, labels, value)| CarriedCounter {
            name: name.to_owned(),
            labels: labels
                .iter()
                .map(|label| label.value().to_owned())
                .collect(),
            value,
            created: created.of(name, labels).unwrap_or_default(),
        })
        .collect()
}

/// Goes on from what an earlier exporter carried.
pub(super) fn restore(
    carried: &[CarriedCounter],
    registry: &Registry,
    decisions: &mut DecisionMetrics,
    created: &CreatedTimes,
) {
    for CarriedCounter {
        name,
        labels,
        value,
        created: began,
    } in carried
    {
        let metric = super::catalogue::ALL
            .iter()
            .find(|metric| metric.name == name);
        let Some(metric) = metric else { continue };
        // A scrape has labels by name, the catalogue in its own order.
        let mut by_name: Vec<_> = metric.labels.iter().enumerate().collect();
        by_name.sort_by_key(|&(_, name)| name);
        if by_name.len() != labels.len() || !value.is_finite() {
            continue;
        }
        let mut values = vec![String::new(); labels.len()];
        for ((place, label), value) in by_name.into_iter().zip(labels) {
            values[place] = match *label {
                "agent" => decisions.known_label(value).to_owned(),
                _ => value.clone(),
            };
        }
        registry.add(name, &values, *value);
        created.set(name, labels, *began);
    }
}

/// The name, the labels and the value of each counter.
fn counters(families: &[MetricFamily]) -> impl Iterator<Item = (&str, &[LabelPair], f64)> {
    let counters = families
        .iter()
        .filter(|family| family.get_field_type() == MetricType::COUNTER);
    counters.flat_map(|family| {
        let series = family.get_metric().iter();
        series.map(|series| {
            (
                family.name(),
                series.get_label(),
                series.get_counter().get_value(),
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::Metrics;
    use super::super::exposition::Format;
    use guard_testing::events::denial;

    #[test]
    fn the_next_exporter_goes_on_from_there() {
        let first = Metrics::new();
        let mut decisions = first.decisions();
        decisions.count(&denial(0));
        decisions.count(&denial(1));
        first.exporter.bind_failures.inc();
        let carried = first.carry();
        let json = serde_json::to_string(&carried).unwrap();

        let next = Metrics::new();
        let mut decisions = next.decisions();
        next.restore(
            &serde_json::from_str::<Vec<_>>(&json).unwrap(),
            &mut decisions,
        );
        decisions.count(&denial(2));
        let text = next.encode(Format::OpenMetrics);
        let labels = "{agent=\"claude_code\",operation=\"rename\",verdict=\"deny\"}";
        assert!(
            text.contains(&format!("\nguard_decisions_total{labels} 3.0 ")),
            "{text}"
        );
        assert!(text.contains("\nguard_exporter_bind_failures_total 1.0\n"));
        let created = |text: &str| {
            let line = text
                .lines()
                .find(|line| line.starts_with("guard_decisions_created"));
            line.unwrap().to_owned()
        };
        assert_eq!(created(&text), created(&first.encode(Format::OpenMetrics)));
        // Their names are policies'.
        assert!(text.contains("protected_zone=\"project\",verdict=\"deny\"} 1.0"));
    }

    #[test]
    fn made_up_counters_make_no_series() {
        let agents: Vec<_> = (0..500)
            .map(|number| {
                format!(
                    "{{\"name\":\"guard_retry_storms_total\",\"labels\":[\"a{number}\"],\
                     \"value\":1,\"created\":1}}"
                )
            })
            .collect();
        let json = format!(
            "[{},{{\"name\":\"made_up\",\"labels\":[],\"value\":1,\"created\":1}},\
             {{\"name\":\"guard_panics_total\",\"labels\":[\"x\"],\"value\":1,\"created\":1}}]",
            agents.join(",")
        );
        let metrics = Metrics::new();
        let mut decisions = metrics.decisions();
        metrics.restore(
            &serde_json::from_str::<Vec<_>>(&json).unwrap(),
            &mut decisions,
        );
        let text = metrics.encode(Format::Text);
        assert!(
            text.matches("\nguard_retry_storms_total{").count() < 70,
            "{text}"
        );
        assert!(text.contains("guard_retry_storms_total{agent=\"other\"}"));
        assert!(text.contains("\nguard_panics_total 0\n"));
        assert!(!text.contains("made_up"));
    }
}
