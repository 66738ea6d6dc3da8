//! Converts the families of the Prometheus registry to OTLP metrics, so that nothing is counted twice.
//!
//! Labels and bounds are the catalogue's. `guard_decisions_total` becomes `guard.decisions` with the
//! unit `{decision}`, and `guard_decision_duration_seconds` becomes `guard.decision.duration` in `s`.
//! A Prometheus that receives OTLP translates them back to the catalogue's names, so that the same
//! dashboards and alerts work with both. The `process_*` metrics get the names of the semantic
//! conventions.
//!
//! Everything is cumulative since the exporter's start. It deliberately does not use the SDK's meters,
//! which do not accept a histogram that was counted elsewhere.

use crate::metrics::catalogue::{self, Metric, MetricKind};
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, InstrumentationScope, KeyValue, any_value::Value,
};
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric as OtlpMetric,
    NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, metric::Data, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prometheus::proto::{LabelPair, MetricFamily};

/// The time that cumulative values cover; wall clock nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct CollectionInterval {
    pub(super) start_ns: u64,
    pub(super) end_ns: u64,
}

/// The metrics of `families` under `resource`, and how many points they have.
pub(super) fn convert(
    families: &[MetricFamily],
    resource: Resource,
    scope: &str,
    interval: CollectionInterval,
) -> (ResourceMetrics, u64) {
    let metrics: Vec<OtlpMetric> = families
        .iter()
        .filter_map(|family| {
            let mut all = catalogue::ALL.iter();
            let metric = all.find(|metric| metric.name == family.name())?;
            Some(metric_of(family, metric, name(metric)?, interval))
        })
        .collect();
    let points = metrics.iter().map(points).sum();
    let scope_metrics = ScopeMetrics {
        scope: Some(InstrumentationScope {
            name: scope.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..InstrumentationScope::default()
        }),
        metrics,
        ..ScopeMetrics::default()
    };
    let metrics = ResourceMetrics {
        resource: Some(resource),
        scope_metrics: vec![scope_metrics],
        ..ResourceMetrics::default()
    };
    (metrics, points)
}

/// The OTLP name of a metric; `None` when it is not sent.
fn name(metric: &Metric) -> Option<String> {
    let conventional = [
        (catalogue::PROCESS_CPU, Some("process.cpu.time")),
        (
            catalogue::PROCESS_RESIDENT_MEMORY,
            Some("process.memory.usage"),
        ),
        (
            catalogue::PROCESS_VIRTUAL_MEMORY,
            Some("process.memory.virtual"),
        ),
        (
            catalogue::PROCESS_OPEN_FDS,
            Some("process.unix.file_descriptor.count"),
        ),
        // Every point has the start time, and the conventions have no name for the limit.
        (catalogue::PROCESS_START_TIME, None),
        (catalogue::PROCESS_MAX_FDS, None),
    ];
    if let Some((_, name)) = conventional.iter().find(|(known, _)| known == metric) {
        return name.map(str::to_owned);
    }
    Some(stem(metric).replace('_', "."))
}

/// The name without the suffixes for kind and unit that Prometheus requires.
fn stem(metric: &Metric) -> &'static str {
    let name = metric.name;
    let name = name.strip_suffix("_total").unwrap_or(name);
    let bare = metric
        .unit()
        .and_then(|unit| name.strip_suffix(unit)?.strip_suffix('_'));
    bare.unwrap_or(name)
}

/// The UCUM unit: seconds, bytes, or what is counted, in braces.
fn unit(metric: &Metric) -> String {
    match metric.unit() {
        Some("seconds") => "s".to_owned(),
        Some("bytes") => "By".to_owned(),
        _ => {
            let word = stem(metric).rsplit('_').next().unwrap_or_default();
            let singular = match word {
                "misses" | "processes" => word.strip_suffix("es"),
                _ => word.strip_suffix('s'),
            };
            singular.map_or_else(String::new, |word| format!("{{{word}}}"))
        }
    }
}

fn metric_of(
    family: &MetricFamily,
    metric: &Metric,
    name: String,
    interval: CollectionInterval,
) -> OtlpMetric {
    let series = family.get_metric();
    let data = match metric.kind {
        MetricKind::Counter => Data::Sum(Sum {
            data_points: series
                .iter()
                .map(|series| {
                    let value = series.get_counter().get_value();
                    number(series.get_label(), value, interval)
                })
                .collect(),
            aggregation_temporality: CUMULATIVE,
            is_monotonic: true,
        }),
        MetricKind::Gauge => Data::Gauge(Gauge {
            data_points: series
                .iter()
                .map(|series| {
                    let value = series.get_gauge().get_value();
                    number(series.get_label(), value, interval)
                })
                .collect(),
        }),
        MetricKind::Histogram => Data::Histogram(Histogram {
            data_points: series
                .iter()
                .map(|series| histogram(series.get_label(), series.get_histogram(), interval))
                .collect(),
            aggregation_temporality: CUMULATIVE,
        }),
    };
    OtlpMetric {
        name,
        description: metric.help.to_owned(),
        unit: unit(metric),
        data: Some(data),
        ..OtlpMetric::default()
    }
}

fn number(labels: &[LabelPair], value: f64, interval: CollectionInterval) -> NumberDataPoint {
    NumberDataPoint {
        attributes: attributes(labels),
        start_time_unix_nano: interval.start_ns,
        time_unix_nano: interval.end_ns,
        value: Some(number_data_point::Value::AsDouble(value)),
        ..NumberDataPoint::default()
    }
}

fn histogram(
    labels: &[LabelPair],
    counted: &prometheus::proto::Histogram,
    interval: CollectionInterval,
) -> HistogramDataPoint {
    let buckets = counted.get_bucket();
    let finite = buckets
        .iter()
        .filter(|bucket| bucket.upper_bound().is_finite());
    let (mut explicit_bounds, mut bucket_counts, mut below) = (Vec::new(), Vec::new(), 0);
    for bucket in finite {
        explicit_bounds.push(bucket.upper_bound());
        bucket_counts.push(bucket.cumulative_count().saturating_sub(below));
        below = bucket.cumulative_count();
    }
    // Counting goes on while families are gathered: the count must be the sum of the buckets.
    let all = counted.get_sample_count().max(below);
    bucket_counts.push(all - below);
    HistogramDataPoint {
        attributes: attributes(labels),
        start_time_unix_nano: interval.start_ns,
        time_unix_nano: interval.end_ns,
        count: all,
        sum: Some(counted.get_sample_sum()),
        bucket_counts,
        explicit_bounds,
        ..HistogramDataPoint::default()
    }
}

fn attributes(labels: &[LabelPair]) -> Vec<KeyValue> {
    labels
        .iter()
        .map(|label| string(label.name(), label.value()))
        .collect()
}

/// An attribute with a text.
pub(super) fn string(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue {
            value: Some(Value::StringValue(value.to_owned())),
        }),
        ..KeyValue::default()
    }
}

fn points(metric: &OtlpMetric) -> u64 {
    let points = match &metric.data {
        Some(Data::Sum(sum)) => sum.data_points.len(),
        Some(Data::Gauge(gauge)) => gauge.data_points.len(),
        Some(Data::Histogram(histogram)) => histogram.data_points.len(),
        _ => 0,
    };
    points as u64
}

const CUMULATIVE: i32 = AggregationTemporality::Cumulative as i32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;
    use guard_testing::events::denial;
    use opentelemetry_semantic_conventions::metric as conventions;

    /// The name that a Prometheus that receives OTLP makes of name and unit.
    fn translated(metric: &Metric) -> String {
        let mut name = name(metric).unwrap().replace('.', "_");
        match unit(metric).as_str() {
            "s" => name += "_seconds",
            "By" => name += "_bytes",
            _ => {}
        }
        if metric.kind == MetricKind::Counter {
            name += "_total";
        }
        name
    }

    #[test]
    fn prometheus_translates_names_back_to_the_catalogue_s() {
        let is_of_guard = |metric: &&Metric| metric.name.starts_with("guard_");
        for metric in catalogue::ALL.iter().filter(is_of_guard) {
            assert_eq!(translated(metric), metric.name);
        }
        let named = |metric: &Metric| (name(metric).unwrap(), unit(metric));
        let expected = |name: &str, unit: &str| (name.to_owned(), unit.to_owned());
        assert_eq!(
            named(&catalogue::DECISIONS),
            expected("guard.decisions", "{decision}")
        );
        assert_eq!(
            named(&catalogue::DECISION_DURATION),
            expected("guard.decision.duration", "s")
        );
        assert_eq!(
            named(&catalogue::DEADLINE_MISSES),
            expected("guard.deadline.misses", "{miss}")
        );
        assert_eq!(named(&catalogue::UP), expected("guard.up", ""));
    }

    #[test]
    fn process_metrics_have_the_names_of_the_conventions() {
        let known = [
            conventions::PROCESS_CPU_TIME,
            conventions::PROCESS_MEMORY_USAGE,
            conventions::PROCESS_MEMORY_VIRTUAL,
            conventions::PROCESS_UNIX_FILE_DESCRIPTOR_COUNT,
        ];
        let is_of_process = |metric: &&Metric| metric.name.starts_with("process_");
        let sent: Vec<String> = catalogue::ALL
            .iter()
            .filter(is_of_process)
            .filter_map(name)
            .collect();
        assert_eq!(sent.len(), known.len());
        assert!(
            sent.iter().all(|name| known.contains(&name.as_str())),
            "{sent:?}"
        );
    }

    #[test]
    fn the_values_of_the_registry_are_sent() {
        let metrics = Metrics::new();
        let mut decisions = metrics.decisions();
        decisions.count(&denial(0));
        let interval = CollectionInterval {
            start_ns: 1,
            end_ns: 2,
        };
        let (sent, points) = convert(&metrics.families(), Resource::default(), "guard", interval);
        assert!(points > 100);
        let find = |name: &str| {
            let metrics = &sent.scope_metrics[0].metrics;
            let metric = metrics.iter().find(|metric| metric.name == name);
            metric.unwrap().data.clone().unwrap()
        };
        let labelled =
            |attributes: &[KeyValue], value: &str| attributes.contains(&string("operation", value));
        let Data::Histogram(durations) = find("guard.decision.duration") else {
            panic!("no histogram");
        };
        let mut points = durations.data_points.iter();
        let point = points
            .find(|point| labelled(&point.attributes, "rename"))
            .unwrap();
        assert_eq!(point.explicit_bounds, catalogue::DURATION_BOUNDS);
        assert_eq!(
            point.bucket_counts.len(),
            catalogue::DURATION_BOUNDS.len() + 1
        );
        assert_eq!((point.count, point.sum), (1, Some(12.5e-6)));
        // 12.5 µs is between 10 and 25.
        assert_eq!(point.bucket_counts[5], 1);
        assert_eq!(point.bucket_counts.iter().sum::<u64>(), 1);
        assert_eq!((point.start_time_unix_nano, point.time_unix_nano), (1, 2));
        let Data::Sum(counted) = find("guard.decisions") else {
            panic!("no sum");
        };
        assert!(counted.is_monotonic);
        let denied = counted.data_points.iter().find(|point| {
            labelled(&point.attributes, "rename")
                && point.attributes.contains(&string("agent", "claude_code"))
                && point.attributes.contains(&string("verdict", "deny"))
        });
        assert_eq!(
            denied.unwrap().value,
            Some(number_data_point::Value::AsDouble(1.0))
        );
    }
}
