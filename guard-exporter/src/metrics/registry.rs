//! Registering metrics of the catalogue with a Prometheus registry.
//!
//! Registering the same metric twice is a programming error and panics.

use super::catalogue::Metric;
use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{
    Counter, Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// All metrics of an exporter, and the counters among them by name. A clone is the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Registry {
    all: prometheus::Registry,
    counters: Arc<Mutex<HashMap<&'static str, CounterFamily>>>,
}

/// The series of a counter.
#[derive(Clone, Debug)]
enum CounterFamily {
    Whole(IntCounter),
    Float(Counter),
    Labelled(IntCounterVec),
}

// === impl Registry ===

impl Registry {
    /// The families with their current values.
    pub(super) fn gather(&self) -> Vec<MetricFamily> {
        self.all.gather()
    }

    /// Adds to one series of the counter `name`, which is created if it does not exist. A counter that
    /// is not here, or that has other labels, stays as it is.
    pub(super) fn add(&self, name: &str, labels: &[String], value: f64) {
        let counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        match counters.get(name) {
            Some(CounterFamily::Whole(counter)) if labels.is_empty() => {
                counter.inc_by(whole(value));
            }
            Some(CounterFamily::Float(counter)) if labels.is_empty() => {
                counter.inc_by(value.max(0.0));
            }
            Some(CounterFamily::Labelled(family)) => {
                if let Ok(counter) = family.get_metric_with_label_values(labels) {
                    counter.inc_by(whole(value));
                }
            }
            _ => {}
        }
    }

    fn keep(&self, metric: Metric, family: CounterFamily) {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        counters.insert(metric.name, family);
    }
}

pub(super) fn counter(registry: &Registry, metric: Metric) -> IntCounter {
    let counter = IntCounter::with_opts(options(metric)).expect(WELL_FORMED);
    registry.keep(metric, CounterFamily::Whole(counter.clone()));
    registered(registry, counter)
}

pub(super) fn float_counter(registry: &Registry, metric: Metric) -> Counter {
    let counter = Counter::with_opts(options(metric)).expect(WELL_FORMED);
    registry.keep(metric, CounterFamily::Float(counter.clone()));
    registered(registry, counter)
}

pub(super) fn counter_vec(registry: &Registry, metric: Metric) -> IntCounterVec {
    let family = IntCounterVec::new(options(metric), metric.labels).expect(WELL_FORMED);
    registry.keep(metric, CounterFamily::Labelled(family.clone()));
    registered(registry, family)
}

pub(super) fn gauge(registry: &Registry, metric: Metric) -> Gauge {
    registered(
        registry,
        Gauge::with_opts(options(metric)).expect(WELL_FORMED),
    )
}

pub(super) fn int_gauge(registry: &Registry, metric: Metric) -> IntGauge {
    registered(
        registry,
        IntGauge::with_opts(options(metric)).expect(WELL_FORMED),
    )
}

pub(super) fn int_gauge_vec(registry: &Registry, metric: Metric) -> IntGaugeVec {
    registered(
        registry,
        IntGaugeVec::new(options(metric), metric.labels).expect(WELL_FORMED),
    )
}

pub(super) fn histogram(registry: &Registry, metric: Metric) -> Histogram {
    registered(
        registry,
        Histogram::with_opts(histogram_options(metric)).expect(WELL_FORMED),
    )
}

pub(super) fn histogram_vec(registry: &Registry, metric: Metric) -> HistogramVec {
    registered(
        registry,
        HistogramVec::new(histogram_options(metric), metric.labels).expect(WELL_FORMED),
    )
}

fn histogram_options(metric: Metric) -> HistogramOpts {
    HistogramOpts::from(options(metric)).buckets(metric.bounds().into())
}

pub(super) fn options(metric: Metric) -> Opts {
    Opts::new(metric.name, metric.help)
}

pub(super) fn registered<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> C {
    let all = &registry.all;
    all.register(Box::new(collector.clone()))
        .expect("each metric is registered once");
    collector
}

/// The count that a carried value is: below 2⁵³, where floats are exact.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a value out of range becomes the nearest"
)]
fn whole(value: f64) -> u64 {
    value as u64
}

pub(super) const WELL_FORMED: &str = "catalogue entries are well-formed";
