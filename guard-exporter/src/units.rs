//! Nanoseconds as the seconds of Prometheus and OpenTelemetry.

/// Seconds, precise to a nanosecond up to 104 days and to a quarter of a microsecond as a time of day.
#[expect(
    clippy::cast_precision_loss,
    reason = "the precision of a float is enough for metrics"
)]
pub(crate) fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}
