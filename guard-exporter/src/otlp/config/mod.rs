//! What is sent where, from the command line and the standard `OTEL_*` variables.
//!
//! | variables | meaning |
//! |---|---|
//! | `OTEL_SDK_DISABLED` | `true`: nothing is sent |
//! | `OTEL_{TRACES,METRICS,LOGS}_EXPORTER` | `otlp` or `none` |
//! | `OTEL_EXPORTER_OTLP_[SIGNAL_]ENDPOINT`, `_PROTOCOL`, `_HEADERS`, `_TIMEOUT`, `_COMPRESSION` | where to and how |
//! | `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` | who sends |
//! | `OTEL_TRACES_SAMPLER`, `_ARG` | how many allowed operations become spans |
//! | `OTEL_BSP_*`, `OTEL_BLRP_*`, `OTEL_METRIC_EXPORT_INTERVAL`, `_TIMEOUT` | how much waits, and how long |
//!
//! Nothing is sent unless an endpoint, or `otlp` for a signal, is said. A value that cannot be used
//! is told, and the default stands in for it; a signal whose address cannot be used is not sent, and
//! what it would have been is counted as dropped. The denial log never depends on any of this.

mod values;
mod way;

pub use values::parse_ratio;
pub use way::ConfigError;
pub(super) use way::{Protocol, Target, Way};

use super::queue::Bounds;
use super::resource::Attributes;
use crate::metrics::catalogue::Signal;
use std::ffi::OsString;
use std::time::Duration;
use values::Source;

/// What was said on the command line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flags {
    /// Where to send all signals.
    pub endpoint: Option<String>,
    /// The part of allowed operations that become spans, 0 to 1.
    pub allowed_ratio: Option<f64>,
}

/// What is sent where.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where spans go.
    pub(super) traces: Way,
    /// Where metrics go.
    pub(super) metrics: Way,
    /// Where log records go.
    pub(super) logs: Way,
    /// What is said of the resource.
    pub(super) resource: Attributes,
    /// The part of allowed operations that become spans.
    pub(super) allowed_ratio: f64,
    /// Of the queue of spans.
    pub(super) spans: Bounds,
    /// Of the queue of log records.
    pub(super) records: Bounds,
    /// Between two exports of metrics.
    pub(super) interval: Duration,
}

// === impl Config ===

impl Config {
    /// The ports of the collectors.
    pub fn ports(&self) -> impl Iterator<Item = u16> {
        let ways = [&self.traces, &self.metrics, &self.logs];
        ways.into_iter()
            .filter_map(Way::target)
            .filter_map(|target| {
                let url: http::Uri = target.url.parse().ok()?;
                let usual = if url.scheme_str() == Some("https") {
                    443
                } else {
                    80
                };
                Some(url.port_u16().unwrap_or(usual))
            })
    }

    /// Reads `flags` and the environment, for which `variable` answers. `None` when nothing is to be
    /// sent. What cannot be used is told to `warn`.
    ///
    /// # Errors
    ///
    /// When the endpoint of the command line cannot be used.
    pub fn read(
        flags: &Flags,
        variable: impl Fn(&str) -> Option<OsString>,
        warn: impl FnMut(String),
    ) -> Result<Option<Self>, ConfigError> {
        let mut source = Source::new(variable, warn);
        if source.boolean("OTEL_SDK_DISABLED") {
            return Ok(None);
        }
        let [traces, metrics, logs] = [
            source.way(Signal::Traces, flags.endpoint.as_deref())?,
            source.way(Signal::Metrics, flags.endpoint.as_deref())?,
            source.way(Signal::Logs, flags.endpoint.as_deref())?,
        ];
        if [&traces, &metrics, &logs] == [&Way::Off; 3] {
            return Ok(None);
        }
        source.unsupported();
        Ok(Some(Self {
            traces,
            metrics,
            logs,
            resource: source.resource(),
            allowed_ratio: match flags.allowed_ratio {
                Some(ratio) => ratio,
                None => source.sampler(),
            },
            spans: source.bounds("OTEL_BSP"),
            records: source.bounds("OTEL_BLRP"),
            interval: source.interval(),
        }))
    }
}

#[cfg(test)]
mod tests;
