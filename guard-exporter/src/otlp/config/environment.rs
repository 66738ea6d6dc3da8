//! Reads the variables one by one and reports each value that cannot be used.

use super::super::names;
use super::super::queue::Limits;
use super::super::resource::Attributes;
use super::destination::{CollectorConfig, ConfigError, Destination};
use super::encoding::{parse_ratio, percent_decoded};
use super::endpoint::{EndpointError, EndpointText, Protocol};
use crate::metrics::catalogue::Signal;
use std::collections::HashSet;
use std::ffi::OsString;
use std::time::Duration;

/// The environment, and where invalid values are reported.
pub(super) struct Environment<V, W> {
    variable: V,
    warn: W,
    /// Warnings given already: signals share variables.
    warned: HashSet<String>,
}

// === impl Environment ===

impl<V: Fn(&str) -> Option<OsString>, W: FnMut(String)> Environment<V, W> {
    pub(super) fn new(variable: V, warn: W) -> Self {
        Self {
            variable,
            warn,
            warned: HashSet::new(),
        }
    }

    fn warn(&mut self, text: String) {
        if self.warned.insert(text.clone()) {
            (self.warn)(text);
        }
    }

    /// The text of a variable, of the guard's own if that is set. An empty one counts as unset, as
    /// OpenTelemetry specifies.
    fn text(&mut self, name: &str) -> Option<String> {
        self.own_text(name).or_else(|| self.exact_text(name))
    }

    /// The text of the variable that is the guard's own: an agent in the same environment has those
    /// without the prefix for itself.
    fn own_text(&mut self, name: &str) -> Option<String> {
        self.exact_text(&format!("{OWN}{name}"))
    }

    fn exact_text(&mut self, name: &str) -> Option<String> {
        let value = (self.variable)(name)?;
        match value.into_string() {
            Ok(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Err(_) => {
                self.warn(format!("{name} is not UTF-8; it is ignored"));
                None
            }
        }
    }

    /// The value of a variable; one that `parse` does not accept is reported and ignored.
    fn value<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
        expected: &str,
    ) -> Option<T> {
        let text = self.text(name)?;
        let value = parse(&text);
        if value.is_none() {
            self.warn(format!("{name}={text} is not {expected}; it is ignored"));
        }
        value
    }

    pub(super) fn boolean(&mut self, name: &str) -> bool {
        let parse = |text: &str| match text.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        };
        self.value(name, parse, "true or false").unwrap_or(false)
    }

    fn milliseconds(&mut self, name: &str) -> Option<Duration> {
        let parse = |text: &str| {
            let milliseconds = text.parse().ok().filter(|&number: &u64| number > 0)?;
            Some(Duration::from_millis(milliseconds.min(MAX_MILLISECONDS)))
        };
        self.value(name, parse, "a number of milliseconds above 0")
    }

    fn count(&mut self, name: &str) -> Option<usize> {
        let parse = |text: &str| text.parse().ok().filter(|&number: &usize| number > 0);
        self.value(name, parse, "a number above 0")
    }

    /// The variable of the signal, else that of all signals.
    fn by_signal<T>(
        &mut self,
        signal: Signal,
        name: &str,
        mut read: impl FnMut(&mut Self, &str) -> Option<T>,
    ) -> Option<T> {
        let of_signal = format!("OTEL_EXPORTER_OTLP_{}_{name}", upper_case(signal));
        read(self, &of_signal).or_else(|| read(self, &format!("OTEL_EXPORTER_OTLP_{name}")))
    }

    /// Where a signal is sent; `flag` is the endpoint of the command line, which overrides those of
    /// the environment.
    pub(super) fn destination(
        &mut self,
        signal: Signal,
        flag: Option<&EndpointText>,
    ) -> Result<Destination, ConfigError> {
        let is_wanted = self.is_wanted(signal);
        if is_wanted == Some(false) {
            return Ok(Destination::Disabled);
        }
        let of_signal = match flag {
            Some(_) => None,
            None => self.endpoint(&format!(
                "OTEL_EXPORTER_OTLP_{}_ENDPOINT",
                upper_case(signal)
            )),
        };
        let of_all = match flag {
            Some(flag) => Some(flag.clone()),
            None => self.endpoint("OTEL_EXPORTER_OTLP_ENDPOINT"),
        };
        if is_wanted.is_none() && of_signal.is_none() && of_all.is_none() {
            return Ok(Destination::Disabled);
        }
        let protocol = self.protocol(signal);
        let is_for_signal = of_signal.is_some();
        let endpoint = of_signal.or(of_all);
        let endpoint = endpoint.unwrap_or_else(|| match protocol {
            Protocol::Http => "http://localhost:4318".into(),
            Protocol::Grpc => "http://localhost:4317".into(),
        });
        let (protocol, endpoint) = if protocol == Protocol::Grpc && !HAS_GRPC {
            let instead = endpoint.over_http();
            self.warn(format!(
                "this guard-exporter is built without gRPC (cargo build --features otlp-grpc): {} for \
                 {endpoint} are sent to {instead} as http/protobuf",
                signal.as_str()
            ));
            (Protocol::Http, instead)
        } else {
            (protocol, endpoint)
        };
        match self.target(signal, protocol, &endpoint, is_for_signal) {
            Ok(target) => Ok(Destination::Collector(target)),
            Err(source) if flag.is_some() => Err(ConfigError { endpoint, source }),
            Err(error) => {
                let signal = signal.as_str();
                self.warn(format!(
                    "{signal} cannot be sent to {endpoint}: {:#}; they are dropped and counted",
                    anyhow::Error::new(error)
                ));
                Ok(Destination::Unusable)
            }
        }
    }

    fn endpoint(&mut self, name: &str) -> Option<EndpointText> {
        self.text(name).map(|text| text.as_str().into())
    }

    /// Whether the signal is wanted, where that is configured.
    fn is_wanted(&mut self, signal: Signal) -> Option<bool> {
        let name = format!("OTEL_{}_EXPORTER", upper_case(signal));
        let text = self.text(&name)?;
        let exporters: Vec<&str> = text.split(',').map(str::trim).collect();
        let unknown: Vec<&str> = exporters
            .iter()
            .copied()
            .filter(|exporter| !["otlp", "none"].contains(exporter))
            .collect();
        if !unknown.is_empty() {
            let unknown = unknown.join(", ");
            self.warn(format!(
                "{name}: {unknown} is not supported, only otlp and none"
            ));
        }
        Some(exporters.contains(&"otlp"))
    }

    fn protocol(&mut self, signal: Signal) -> Protocol {
        match self.by_signal(signal, "PROTOCOL", Self::text).as_deref() {
            None | Some("http/protobuf") => Protocol::Http,
            Some("grpc") => Protocol::Grpc,
            Some(other) => {
                self.warn(format!(
                    "the protocol {other} is not supported; {} are sent as http/protobuf",
                    signal.as_str()
                ));
                Protocol::Http
            }
        }
    }

    fn target(
        &mut self,
        signal: Signal,
        protocol: Protocol,
        endpoint: &EndpointText,
        is_for_signal: bool,
    ) -> Result<CollectorConfig, EndpointError> {
        let endpoint = endpoint.parse()?;
        let gzip = |environment: &mut Self, name: &str| {
            let parse = |text: &str| match text {
                "gzip" => Some(true),
                "none" => Some(false),
                _ => None,
            };
            environment.value(name, parse, "gzip or none")
        };
        let timeout = self.by_signal(signal, "TIMEOUT", Self::milliseconds);
        let timeout = timeout.unwrap_or(DEFAULT_TIMEOUT);
        let processor = match signal {
            Signal::Traces => "OTEL_BSP_EXPORT_TIMEOUT",
            Signal::Metrics => "OTEL_METRIC_EXPORT_TIMEOUT",
            Signal::Logs => "OTEL_BLRP_EXPORT_TIMEOUT",
        };
        let limit = self.milliseconds(processor);
        let headers = self.by_signal(signal, "HEADERS", |environment, name| {
            let text = environment.text(name)?;
            Some(environment.headers(name, &text))
        });
        let mut headers = headers.unwrap_or_default();
        if let Some(authorization) = endpoint.authorization() {
            let is_authorization = |(name, _): &(String, String)| {
                name.eq_ignore_ascii_case(http::header::AUTHORIZATION.as_str())
            };
            if headers.iter().any(is_authorization) {
                self.warn(format!(
                    "{}: the user name and password of the endpoint are not used, since the \
                     headers have an authorization",
                    signal.as_str()
                ));
            } else {
                headers.push(("authorization".to_owned(), authorization.to_owned()));
            }
        }
        Ok(CollectorConfig {
            url: match protocol {
                Protocol::Http => endpoint.url(signal, is_for_signal),
                Protocol::Grpc => endpoint.base_url().clone(),
            },
            protocol,
            headers,
            timeout: limit.map_or(timeout, |limit| timeout.min(limit)),
            gzip: self.by_signal(signal, "COMPRESSION", gzip).unwrap_or(false),
        })
    }

    /// Values of headers are secrets more often than not: warnings show only names.
    fn headers(&mut self, variable: &str, text: &str) -> Vec<(String, String)> {
        let mut headers = Vec::new();
        for (name, value) in self.pairs(variable, text) {
            let is_valid = http::HeaderName::try_from(&name).is_ok()
                && http::HeaderValue::try_from(&value).is_ok();
            if is_valid {
                headers.push((name, value));
            } else {
                self.warn(format!("{variable}: {name} is not a header; it is ignored"));
            }
        }
        headers
    }

    /// `name=value` pairs, separated by commas, values percent-encoded.
    fn pairs(&mut self, variable: &str, text: &str) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        let parts = text.split(',').map(str::trim);
        for (number, part) in (1..).zip(parts.filter(|part| !part.is_empty())) {
            let pair = part.split_once('=').and_then(|(name, value)| {
                let name = name.trim();
                let value = percent_decoded(value.trim())?;
                (!name.is_empty()).then(|| (name.to_owned(), value))
            });
            match pair {
                Some(pair) => pairs.push(pair),
                None => self.warn(format!(
                    "{variable}: entry {number} is not NAME=VALUE; it is ignored"
                )),
            }
        }
        pairs
    }

    /// The attributes of the resource. Which service it is, only the guard's own variables say: that
    /// of the others is the agent.
    pub(super) fn resource(&mut self) -> Attributes {
        let variable = "OTEL_RESOURCE_ATTRIBUTES";
        let own = format!("{OWN}{variable}");
        let shared = self.exact_text(variable).unwrap_or_default();
        let mut attributes: Attributes = self.pairs(variable, &shared).into_iter().collect();
        attributes.retain(|name, _| !IDENTITY.contains(&&**name));
        let text = self.exact_text(&own).unwrap_or_default();
        attributes.extend(self.pairs(&own, &text));
        if let Some(name) = self.own_text("OTEL_SERVICE_NAME") {
            attributes.insert(names::SERVICE_NAME.to_owned(), name);
        }
        attributes
    }

    /// The ratio of allowed operations that become spans. Denials are always sampled.
    pub(super) fn sampling_ratio(&mut self) -> f64 {
        let Some(sampler) = self.text("OTEL_TRACES_SAMPLER") else {
            return 0.0;
        };
        match sampler.as_str() {
            "always_on" | "parentbased_always_on" => 1.0,
            "always_off" | "parentbased_always_off" => 0.0,
            "traceidratio" | "parentbased_traceidratio" => {
                let parse = |text: &str| parse_ratio(text).ok();
                let expected = "a number from 0 to 1";
                let ratio = self.value("OTEL_TRACES_SAMPLER_ARG", parse, expected);
                ratio.unwrap_or(1.0)
            }
            _ => {
                self.warn(format!(
                    "OTEL_TRACES_SAMPLER={sampler} is not supported; allowed operations are not \
                     sampled"
                ));
                0.0
            }
        }
    }

    pub(super) fn limits(&mut self, prefix: &str) -> Limits {
        let name = |name: &str| format!("{prefix}_{name}");
        let items = self.count(&name("MAX_QUEUE_SIZE")).unwrap_or(DEFAULT_ITEMS);
        let batch = self
            .count(&name("MAX_EXPORT_BATCH_SIZE"))
            .unwrap_or(DEFAULT_BATCH);
        let bytes = items.saturating_mul(DEFAULT_BYTES / DEFAULT_ITEMS);
        Limits {
            items,
            // Never less than some of the longest items need.
            bytes: bytes.clamp(DEFAULT_BYTES, MAX_BYTES),
            batch: batch.min(items),
            delay: self
                .milliseconds(&name("SCHEDULE_DELAY"))
                .unwrap_or(DEFAULT_DELAY),
        }
    }

    pub(super) fn interval(&mut self) -> Duration {
        let interval = self.milliseconds("OTEL_METRIC_EXPORT_INTERVAL");
        interval.unwrap_or(DEFAULT_INTERVAL)
    }

    /// Reports variables that have no effect.
    pub(super) fn warn_of_unsupported(&mut self) {
        for name in UNSUPPORTED {
            if self.text(name).is_some() {
                self.warn(format!("{name} is not supported and has no effect"));
            }
        }
        let name = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
        let cumulative = |text: &str| text.eq_ignore_ascii_case("cumulative").then_some(());
        self.value(
            name,
            cumulative,
            "cumulative, which is the only temporality supported",
        );
    }
}

/// The signal as it is written in the names of variables.
fn upper_case(signal: Signal) -> String {
    signal.as_str().to_ascii_uppercase()
}

/// The prefix of the guard's own variables, which go first.
/// Whether this program can send over gRPC.
const HAS_GRPC: bool = cfg!(feature = "otlp-grpc");
const OWN: &str = "GUARD_";
/// What makes a service another one.
const IDENTITY: [&str; 3] = [
    names::SERVICE_NAME,
    names::SERVICE_VERSION,
    names::SERVICE_INSTANCE_ID,
];

const UNSUPPORTED: [&str; 16] = [
    "OTEL_CONFIG_FILE",
    "OTEL_EXPERIMENTAL_CONFIG_FILE",
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CLIENT_KEY",
    "OTEL_EXPORTER_OTLP_INSECURE",
    "OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_LOGS_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY",
    "OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY",
    "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
    "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
];

/// A day: a larger number is a mistake.
const MAX_MILLISECONDS: u64 = 24 * 60 * 60 * 1000;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// Enough for a burst of denials while a batch is being sent.
const DEFAULT_ITEMS: usize = 65_536;
/// A denial has some 300 bytes, which both queues share.
const DEFAULT_BYTES: usize = 8 * 1024 * 1024;
const MAX_BYTES: usize = 1024 * 1024 * 1024;
const DEFAULT_BATCH: usize = 512;
/// A denial is sent within a second.
const DEFAULT_DELAY: Duration = Duration::from_secs(1);
const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);
