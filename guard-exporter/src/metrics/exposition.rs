//! The two formats in which Prometheus reads metrics: the text format 0.0.4, and OpenMetrics 1.0.0 for
//! scrapers that prefer it.
//!
//! OpenMetrics has units, exemplars, the time when each counter began, and an end marker, so that a
//! truncated scrape is detected. A counter's family is named without `_total` in it.
//!
//! It guarantees that a bucket's bound is written alike in both, so that its series stays the same
//! when the format of scrapes changes.

use super::carried::CreatedTimes;
use super::catalogue::{self, Metric};
use super::exemplars::{Exemplars, key, may_have_exemplars};
use prometheus::proto::{LabelPair, MetricFamily, MetricType};
use std::fmt::Write as _;

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The text format 0.0.4.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

// === impl Format ===

impl Format {
    /// All formats.
    pub const ALL: [Self; 2] = [Self::Text, Self::OpenMetrics];

    /// The content type; Prometheus 3 refuses a scrape without it.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Encodes the families that a registry gathered, in OpenMetrics with `exemplars` and the times when
/// counters were `created`.
pub(super) fn encode(
    families: &[MetricFamily],
    format: Format,
    exemplars: &Exemplars,
    created: &CreatedTimes,
) -> String {
    let mut text = String::with_capacity(families.len() * 512);
    let is_open = format == Format::OpenMetrics;
    let exemplars = (is_open && !exemplars.is_empty()).then_some(exemplars);
    for family in families {
        let exemplars = exemplars.filter(|_| may_have_exemplars(family.name()));
        let metric = catalogue::ALL
            .iter()
            .find(|metric| metric.name == family.name());
        encode_family(family, format, metric, exemplars, created, &mut text).expect(NO_FAILURE);
    }
    if is_open {
        text.push_str("# EOF\n");
    }
    text
}

fn encode_family(
    family: &MetricFamily,
    format: Format,
    metric: Option<&Metric>,
    exemplars: Option<&Exemplars>,
    created: &CreatedTimes,
    text: &mut String,
) -> std::fmt::Result {
    let full = family.name();
    let is_open = format == Format::OpenMetrics;
    let kind = family.get_field_type();
    let base = full.strip_suffix("_total").filter(|_| is_open);
    let (name, kind_name) = match kind {
        MetricType::COUNTER => (base.unwrap_or(full), "counter"),
        MetricType::HISTOGRAM => (full, "histogram"),
        MetricType::GAUGE => (full, "gauge"),
        // The catalogue has no others.
        _ => (full, "unknown"),
    };
    if !is_open {
        writeln!(text, "# HELP {name} {}", Escaped(family.help()))?;
    }
    writeln!(text, "# TYPE {name} {kind_name}")?;
    if is_open {
        if let Some(unit) = metric.and_then(Metric::unit) {
            writeln!(text, "# UNIT {name} {unit}")?;
        }
        writeln!(text, "# HELP {name} {}", Escaped(family.help()))?;
    }
    for series in family.get_metric() {
        let labels = series.get_label();
        let mut sample = |suffix: &str, bucket: Option<(usize, f64)>, value: SampleValue| {
            write!(text, "{name}{suffix}")?;
            write_labels(labels, bucket.map(|(_, bound)| bound), text)?;
            match format {
                Format::Text => write!(text, " {}", value.plain())?,
                Format::OpenMetrics => write!(text, " {value}")?,
            }
            if let Some(exemplars) = exemplars {
                let values = labels.iter().map(LabelPair::value);
                let key = key(full, values, bucket.map(|(number, _)| number));
                if let Some(exemplar) = exemplars.get(&key) {
                    let (value, time) = (SampleValue::Float(exemplar.value), exemplar.time);
                    write!(text, " # {} {value} {time:.3}", exemplar.labels())?;
                }
            }
            text.push('\n');
            Ok::<_, std::fmt::Error>(())
        };
        match kind {
            MetricType::COUNTER => {
                let suffix = if is_open { "_total" } else { "" };
                let value = SampleValue::Float(series.get_counter().get_value());
                sample(suffix, None, value)?;
                if is_open && let Some(time) = created.of(full, labels) {
                    write!(text, "{name}_created")?;
                    write_labels(labels, None, text)?;
                    writeln!(text, " {time:.3}")?;
                }
            }
            MetricType::HISTOGRAM => {
                let histogram = series.get_histogram();
                let buckets = histogram.get_bucket();
                for (number, bucket) in buckets.iter().enumerate() {
                    let place = (number, bucket.upper_bound());
                    sample(
                        "_bucket",
                        Some(place),
                        SampleValue::Count(bucket.cumulative_count()),
                    )?;
                }
                let all = histogram.get_sample_count();
                if buckets
                    .last()
                    .is_none_or(|last| last.upper_bound().is_finite())
                {
                    let place = (buckets.len(), f64::INFINITY);
                    sample("_bucket", Some(place), SampleValue::Count(all))?;
                }
                sample("_sum", None, SampleValue::Float(histogram.get_sample_sum()))?;
                sample("_count", None, SampleValue::Count(all))?;
            }
            _ => sample("", None, SampleValue::Float(series.get_gauge().get_value()))?,
        }
    }
    Ok(())
}

fn write_labels(labels: &[LabelPair], bound: Option<f64>, text: &mut String) -> std::fmt::Result {
    if labels.is_empty() && bound.is_none() {
        return Ok(());
    }
    let mut separator = '{';
    for label in labels {
        write!(
            text,
            "{separator}{}=\"{}\"",
            label.name(),
            Escaped(label.value())
        )?;
        separator = ',';
    }
    if let Some(bound) = bound {
        write!(text, "{separator}le=\"{}\"", SampleValue::Float(bound))?;
    }
    text.push('}');
    Ok(())
}

/// A sample's value. Floats are written as Go does, which OpenMetrics calls canonical: `1.0`,
/// `0.0001`, `5e-07`, `+Inf`.
#[derive(Clone, Copy)]
enum SampleValue {
    Count(u64),
    Float(f64),
}

/// Whole numbers below it are exact, and are written without an exponent.
const MOST_EXACT: f64 = 9e15;

// === impl SampleValue ===

impl SampleValue {
    /// As the text format has it: a whole number without a decimal point.
    fn plain(self) -> String {
        let text = self.to_string();
        text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
    }
}

impl std::fmt::Display for SampleValue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = match *self {
            Self::Count(count) => return write!(formatter, "{count}"),
            Self::Float(value) => value,
        };
        if value.is_nan() {
            return formatter.write_str("NaN");
        }
        if value.is_infinite() {
            return formatter.write_str(if value > 0.0 { "+Inf" } else { "-Inf" });
        }
        // Most values are counts, which need no scientific notation.
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and small")]
        if value.fract() == 0.0 && value.abs() < MOST_EXACT && value.is_sign_positive() {
            return write!(formatter, "{}.0", value as i64);
        }
        let scientific = format!("{value:e}");
        let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        if value != 0.0 && !(-4..21).contains(&exponent) {
            let sign = if exponent < 0 { '-' } else { '+' };
            return write!(formatter, "{digits}e{sign}{:02}", exponent.abs());
        }
        // The shortest form, with a decimal point.
        write!(formatter, "{value:?}")
    }
}

/// A text with the characters escaped that would end it.
struct Escaped<'a>(&'a str);

// === impl Escaped ===

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(['\\', '"', '\n']) {
            let (plain, special) = rest.split_at(at);
            formatter.write_str(plain)?;
            formatter.write_str(match special.as_bytes()[0] {
                b'\\' => "\\\\",
                b'"' => "\\\"",
                _ => "\\n",
            })?;
            rest = &special[1..];
        }
        formatter.write_str(rest)
    }
}

const NO_FAILURE: &str = "writing to a string does not fail";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;
    use guard_testing::events::denial;

    #[test]
    fn floats_are_canonical() {
        for (value, text) in [
            (0.0, "0.0"),
            (1.0, "1.0"),
            (5e-7, "5e-07"),
            (2.5e-6, "2.5e-06"),
            (1e-5, "1e-05"),
            (1e-4, "0.0001"),
            (0.25, "0.25"),
            (1.718e9, "1718000000.0"),
            (1e21, "1e+21"),
            (f64::INFINITY, "+Inf"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(SampleValue::Float(value).to_string(), text);
        }
    }

    #[test]
    fn a_bound_is_written_alike_in_both_formats() {
        let metrics = Metrics::new();
        metrics.decisions().count(&denial(0));
        let bounds = |format| {
            let text = metrics.encode(format);
            let bounds = text.split("le=\"").skip(1);
            let bounds = bounds.map(|rest| rest.split('"').next().unwrap().to_owned());
            bounds.collect::<Vec<_>>()
        };
        assert!(bounds(Format::Text).contains(&"1.0".to_owned()));
        assert_eq!(bounds(Format::Text), bounds(Format::OpenMetrics));
    }

    #[test]
    fn a_traced_denial_is_an_exemplar_of_its_series_and_bucket() {
        let metrics = Metrics::new();
        metrics.decisions().count(&denial(0));
        let text = metrics.encode(Format::OpenMetrics);
        let trace = "trace_id=\"0af7651916cd43dd8448eb211c80319c\",span_id=\"b7ad6b7169203331\"";
        let counted = "guard_decisions_total{agent=\"claude_code\",operation=\"rename\",\
                       verdict=\"deny\"} 1.0";
        let bucket =
            "guard_decision_duration_seconds_bucket{operation=\"rename\",le=\"2.5e-05\"} 1";
        for (sample, value) in [(counted, "1.0"), (bucket, "1.25e-05")] {
            let line = format!("\n{sample} # {{{trace}}} {value} 1718000000.000\n");
            assert!(text.contains(&line), "no {line} in {text}");
        }
        assert_eq!(text.matches(" # {").count(), 2);
        assert!(text.contains("# TYPE guard_decisions counter\n"));
        assert!(text.contains("# UNIT guard_decision_duration_seconds seconds\n"));
        assert!(text.ends_with("\n# EOF\n"));
        assert!(
            !metrics.encode(Format::Text).contains("trace_id"),
            "the text format has no exemplars"
        );
    }
}
