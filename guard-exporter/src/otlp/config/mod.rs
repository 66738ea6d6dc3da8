//! What is sent where, from the command line and the standard `OTEL_*` variables.
//!
//! | variables | meaning |
//! |---|---|
//! | `OTEL_SDK_DISABLED` | `true`: nothing is sent |
//! | `OTEL_{TRACES,METRICS,LOGS}_EXPORTER` | `otlp` or `none` |
//! | `OTEL_EXPORTER_OTLP_[SIGNAL_]ENDPOINT`, `_PROTOCOL`, `_HEADERS`, `_TIMEOUT`, `_COMPRESSION` | where to send, and how |
//! | `GUARD_OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` | the resource |
//! | `OTEL_TRACES_SAMPLER`, `_ARG` | the ratio of allowed operations that become spans |
//! | `OTEL_BSP_*`, `OTEL_BLRP_*`, `OTEL_METRIC_EXPORT_INTERVAL`, `_TIMEOUT` | queues, batches and intervals |
//!
//! Each may have the prefix `GUARD_`, which goes first: a session has the agent's environment, and the
//! variables without it are the agent's, too.
//!
//! Nothing is sent unless an endpoint, or `otlp` for a signal, is configured. An invalid value is
//! reported and the default is used; a signal whose endpoint is invalid is not sent, and its items are
//! counted as dropped. The denial log never depends on any of this.

mod destination;
mod encoding;
mod endpoint;
mod environment;

pub use destination::ConfigError;
pub(super) use destination::{CollectorConfig, Destination};
pub use encoding::{ParseRatioError, parse_ratio};
pub(super) use endpoint::Protocol;
pub use endpoint::{EndpointError, EndpointText};

use super::queue::Limits;
use super::resource::Attributes;
use crate::metrics::catalogue::Signal;
use environment::Environment;
use std::ffi::OsString;
use std::time::Duration;

/// The options of the command line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flags {
    /// The endpoint of all signals.
    pub endpoint: Option<EndpointText>,
    /// The ratio of allowed operations that become spans, 0 to 1.
    pub allowed_ratio: Option<f64>,
}

/// What is sent where.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub(super) traces: Destination,
    pub(super) metrics: Destination,
    pub(super) logs: Destination,
    /// Configured attributes of the resource.
    pub(super) resource: Attributes,
    /// The ratio of allowed operations that become spans.
    pub(super) allowed_ratio: f64,
    pub(super) span_limits: Limits,
    pub(super) log_limits: Limits,
    /// The interval between two exports of metrics.
    pub(super) interval: Duration,
}

// === impl Config ===

impl Config {
    /// Where each signal that is wanted goes, shown without secrets; `None` where it cannot be sent.
    pub fn destinations(&self) -> impl Iterator<Item = (Signal, Option<String>)> {
        let destinations = [&self.traces, &self.metrics, &self.logs];
        let by_signal = Signal::ALL.into_iter().zip(destinations);
        by_signal.filter_map(|(signal, destination)| match destination {
            Destination::Disabled => None,
            Destination::Unusable => Some((signal, None)),
            Destination::Collector(target) => Some((signal, Some(target.shown()))),
        })
    }

    /// The ports of the collectors.
    pub fn ports(&self) -> impl Iterator<Item = u16> {
        [&self.traces, &self.metrics, &self.logs]
            .into_iter()
            .filter_map(Destination::target)
            .filter_map(|target| target.url.port_or_known_default())
    }

    /// Reads `flags` and the environment, which `variable` reads. `None` when nothing is sent.
    /// Invalid values are reported to `warn`.
    ///
    /// # Errors
    ///
    /// When the endpoint of the command line cannot be used.
    pub fn read(
        flags: &Flags,
        variable: impl Fn(&str) -> Option<OsString>,
        warn: impl FnMut(String),
    ) -> Result<Option<Self>, ConfigError> {
        let mut environment = Environment::new(variable, warn);
        if environment.boolean("OTEL_SDK_DISABLED") {
            return Ok(None);
        }
        let flag = flags.endpoint.as_ref();
        let [traces, metrics, logs] = [
            environment.destination(Signal::Traces, flag)?,
            environment.destination(Signal::Metrics, flag)?,
            environment.destination(Signal::Logs, flag)?,
        ];
        if [&traces, &metrics, &logs] == [&Destination::Disabled; 3] {
            return Ok(None);
        }
        environment.warn_of_unsupported();
        Ok(Some(Self {
            traces,
            metrics,
            logs,
            resource: environment.resource(),
            allowed_ratio: match flags.allowed_ratio {
                Some(ratio) => ratio,
                None => environment.sampling_ratio(),
            },
            span_limits: environment.limits("OTEL_BSP"),
            log_limits: environment.limits("OTEL_BLRP"),
            interval: environment.interval(),
        }))
    }
}

#[cfg(test)]
mod tests;
