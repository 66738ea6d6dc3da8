//! Registering metrics of the catalogue with a Prometheus registry.
//!
//! Registering the same metric twice is a programming error and panics.

use super::catalogue::Metric;
use prometheus::core::Collector;
use prometheus::{
    Counter, Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry,
};

pub(super) fn counter(registry: &Registry, metric: Metric) -> IntCounter {
    registered(
        registry,
        IntCounter::with_opts(options(metric)).expect(WELL_FORMED),
    )
}

pub(super) fn float_counter(registry: &Registry, metric: Metric) -> Counter {
    registered(
        registry,
        Counter::with_opts(options(metric)).expect(WELL_FORMED),
    )
}

pub(super) fn counter_vec(registry: &Registry, metric: Metric) -> IntCounterVec {
    registered(
        registry,
        IntCounterVec::new(options(metric), metric.labels).expect(WELL_FORMED),
    )
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
    registry
        .register(Box::new(collector.clone()))
        .expect("each metric is registered once");
    collector
}

pub(super) const WELL_FORMED: &str = "catalogue entries are well-formed";
