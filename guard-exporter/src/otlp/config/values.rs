//! Reading variables one by one, and telling of each what cannot be used.

use super::super::queue::Bounds;
use super::super::resource::Attributes;
use super::way::{ConfigError, Protocol, Target, Way};
use crate::metrics::catalogue::Signal;
use std::collections::HashSet;
use std::ffi::OsString;
use std::time::Duration;

/// The environment, and who is told what is wrong with it.
pub(super) struct Source<V, W> {
    variable: V,
    warn: W,
    /// What was said already: signals share variables.
    said: HashSet<String>,
}

/// Why an address cannot be used.
type Unusable = String;

// === impl Source ===

impl<V: Fn(&str) -> Option<OsString>, W: FnMut(String)> Source<V, W> {
    pub(super) fn new(variable: V, warn: W) -> Self {
        Self {
            variable,
            warn,
            said: HashSet::new(),
        }
    }

    fn warn(&mut self, text: String) {
        if self.said.insert(text.clone()) {
            (self.warn)(text);
        }
    }

    /// A variable's text. An empty one is as good as none, as OpenTelemetry has it.
    fn text(&mut self, name: &str) -> Option<String> {
        let value = (self.variable)(name)?;
        match value.into_string() {
            Ok(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Err(_) => {
                self.warn(format!("{name} is not UTF-8; it is left out"));
                None
            }
        }
    }

    /// A variable's value; one that `parse` does not take is told, and left out.
    fn value<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
        expected: &str,
    ) -> Option<T> {
        let text = self.text(name)?;
        let value = parse(&text);
        if value.is_none() {
            self.warn(format!("{name}={text} is not {expected}; it is left out"));
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

    /// The signal's own variable, else that of all signals.
    fn by_signal<T>(
        &mut self,
        signal: Signal,
        name: &str,
        mut read: impl FnMut(&mut Self, &str) -> Option<T>,
    ) -> Option<T> {
        let own = format!(
            "OTEL_EXPORTER_OTLP_{}_{name}",
            signal.as_str().to_ascii_uppercase()
        );
        read(self, &own).or_else(|| read(self, &format!("OTEL_EXPORTER_OTLP_{name}")))
    }

    pub(super) fn way(&mut self, signal: Signal, flag: Option<&str>) -> Result<Way, ConfigError> {
        let choice = self.exporter(signal);
        if choice == Some(false) {
            return Ok(Way::Off);
        }
        let name = format!(
            "OTEL_EXPORTER_OTLP_{}_ENDPOINT",
            signal.as_str().to_ascii_uppercase()
        );
        let own = match flag {
            Some(_) => None,
            None => self.text(&name),
        };
        let is_own = own.is_some();
        let base = flag.map(str::to_owned);
        let base = base.or_else(|| self.text("OTEL_EXPORTER_OTLP_ENDPOINT"));
        if choice.is_none() && own.is_none() && base.is_none() {
            return Ok(Way::Off);
        }
        match self.target(signal, own.or(base), is_own) {
            Ok(target) => Ok(Way::To(target)),
            Err((endpoint, why)) if flag.is_some() => Err(ConfigError { endpoint, why }),
            Err((endpoint, why)) => {
                let signal = signal.as_str();
                self.warn(format!(
                    "{signal} cannot be sent to {endpoint}: {why}; they are dropped and \
                     counted, and everything else goes on"
                ));
                Ok(Way::Unusable)
            }
        }
    }

    /// Whether the signal is wanted, where that is said.
    fn exporter(&mut self, signal: Signal) -> Option<bool> {
        let name = format!("OTEL_{}_EXPORTER", signal.as_str().to_ascii_uppercase());
        let text = self.text(&name)?;
        let words: Vec<&str> = text.split(',').map(str::trim).collect();
        let strange: Vec<&str> = words
            .iter()
            .copied()
            .filter(|word| !["otlp", "none"].contains(word))
            .collect();
        if !strange.is_empty() {
            let strange = strange.join(", ");
            self.warn(format!(
                "{name}: {strange} is not there; there are otlp and none"
            ));
        }
        Some(words.contains(&"otlp"))
    }

    fn target(
        &mut self,
        signal: Signal,
        endpoint: Option<String>,
        is_own: bool,
    ) -> Result<Target, (String, Unusable)> {
        let protocol = self.by_signal(signal, "PROTOCOL", Self::text);
        let protocol = match protocol.as_deref() {
            None | Some("http/protobuf") => Protocol::Http,
            Some("grpc") => Protocol::Grpc,
            Some(other) => {
                self.warn(format!(
                    "the protocol {other} is not there; {} are sent as http/protobuf",
                    signal.as_str()
                ));
                Protocol::Http
            }
        };
        let endpoint = endpoint.unwrap_or_else(|| match protocol {
            Protocol::Http => "http://localhost:4318".to_owned(),
            Protocol::Grpc => "http://localhost:4317".to_owned(),
        });
        let url = address(&endpoint, protocol, signal, is_own).map_err(|why| (endpoint, why))?;
        let gzip = |source: &mut Self, name: &str| {
            let parse = |text: &str| match text {
                "gzip" => Some(true),
                "none" => Some(false),
                _ => None,
            };
            source.value(name, parse, "gzip or none")
        };
        let timeout = self.by_signal(signal, "TIMEOUT", Self::milliseconds);
        let processor = match signal {
            Signal::Traces => "OTEL_BSP_EXPORT_TIMEOUT",
            Signal::Metrics => "OTEL_METRIC_EXPORT_TIMEOUT",
            Signal::Logs => "OTEL_BLRP_EXPORT_TIMEOUT",
        };
        let limit = self.milliseconds(processor);
        let timeout = timeout.unwrap_or(TIMEOUT);
        Ok(Target {
            url,
            protocol,
            headers: self
                .by_signal(signal, "HEADERS", |source, name| {
                    source.text(name).map(|text| source.headers(name, &text))
                })
                .unwrap_or_default(),
            timeout: limit.map_or(timeout, |limit| timeout.min(limit)),
            gzip: self.by_signal(signal, "COMPRESSION", gzip).unwrap_or(false),
        })
    }

    /// Values are secrets more often than not: only names are told.
    fn headers(&mut self, variable: &str, text: &str) -> Vec<(String, String)> {
        let mut headers = Vec::new();
        for (name, value) in self.pairs(variable, text) {
            let is_fit = http::HeaderName::try_from(&name).is_ok()
                && http::HeaderValue::try_from(&value).is_ok();
            if is_fit {
                headers.push((name, value));
            } else {
                self.warn(format!("{variable}: {name} is no header; it is left out"));
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
                let value = decoded(value.trim())?;
                (!name.is_empty()).then(|| (name.to_owned(), value))
            });
            match pair {
                Some(pair) => pairs.push(pair),
                None => self.warn(format!(
                    "{variable}: its entry {number} is not NAME=VALUE; it is left out"
                )),
            }
        }
        pairs
    }

    pub(super) fn resource(&mut self) -> Attributes {
        let variable = "OTEL_RESOURCE_ATTRIBUTES";
        let text = self.text(variable);
        let mut said: Attributes = text
            .map(|text| self.pairs(variable, &text).into_iter().collect())
            .unwrap_or_default();
        if let Some(name) = self.text("OTEL_SERVICE_NAME") {
            said.insert("service.name".to_owned(), name);
        }
        said
    }

    /// The part of allowed operations. Denials are always sampled.
    pub(super) fn sampler(&mut self) -> f64 {
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
                    "OTEL_TRACES_SAMPLER={sampler} is not there; allowed operations are not sampled"
                ));
                0.0
            }
        }
    }

    pub(super) fn bounds(&mut self, prefix: &str) -> Bounds {
        let name = |name: &str| format!("{prefix}_{name}");
        let items = self.count(&name("MAX_QUEUE_SIZE")).unwrap_or(ITEMS);
        let batch = self.count(&name("MAX_EXPORT_BATCH_SIZE")).unwrap_or(BATCH);
        Bounds {
            items,
            // Room for what is said, and never less than for some of the longest items.
            bytes: BYTES.max(items.saturating_mul(BYTES / ITEMS).min(MAX_BYTES)),
            batch: batch.min(items),
            delay: self.milliseconds(&name("SCHEDULE_DELAY")).unwrap_or(DELAY),
        }
    }

    pub(super) fn interval(&mut self) -> Duration {
        let interval = self.milliseconds("OTEL_METRIC_EXPORT_INTERVAL");
        interval.unwrap_or(INTERVAL)
    }

    /// Tells of variables that ask for what is not there.
    pub(super) fn unsupported(&mut self) {
        for name in UNSUPPORTED {
            if self.text(name).is_some() {
                self.warn(format!("{name} has no effect here"));
            }
        }
        let name = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
        let cumulative = |text: &str| text.eq_ignore_ascii_case("cumulative").then_some(());
        self.value(name, cumulative, "cumulative, the only one there is");
    }
}

/// The whole address of a signal.
fn address(
    endpoint: &str,
    protocol: Protocol,
    signal: Signal,
    is_own: bool,
) -> Result<String, Unusable> {
    let Some((scheme, rest)) = endpoint.split_once("://") else {
        return Err("it must begin with http:// or https://".to_owned());
    };
    match scheme {
        "http" => {}
        "https" if cfg!(feature = "otlp-tls") => {}
        "https" => {
            return Err(
                "this guard-exporter is built without TLS (cargo build --features otlp-tls)"
                    .to_owned(),
            );
        }
        _ => return Err("it must begin with http:// or https://".to_owned()),
    }
    if protocol == Protocol::Grpc && !cfg!(feature = "otlp-grpc") {
        return Err(
            "this guard-exporter is built without gRPC (set OTEL_EXPORTER_OTLP_PROTOCOL to \
             http/protobuf, or cargo build --features otlp-grpc)"
                .to_owned(),
        );
    }
    let uri: http::Uri = endpoint
        .parse()
        .map_err(|error| format!("it is no address: {error}"))?;
    if uri.host().is_none_or(str::is_empty) || rest.starts_with(':') {
        return Err("it names no host".to_owned());
    }
    // An address for one signal is used as it stands, one for all gets each signal's path.
    if is_own || protocol == Protocol::Grpc {
        return Ok(endpoint.to_owned());
    }
    let base = endpoint.trim_end_matches('/');
    Ok(format!("{base}/v1/{}", signal.as_str()))
}

/// A number from 0 to 1.
///
/// # Errors
///
/// A sentence, for anything else.
pub fn parse_ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse().ok();
    ratio
        .filter(|ratio| (0.0..=1.0).contains(ratio))
        .ok_or_else(|| "not a number from 0 to 1".to_owned())
}

/// Undoes percent-encoding; `None` when it is none.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            let (high, low) = (digit(rest.next())?, digit(rest.next())?);
            bytes.push(u8::try_from(high << 4 | low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

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

/// A day: more is a slip.
const MAX_MILLISECONDS: u64 = 24 * 60 * 60 * 1000;
const TIMEOUT: Duration = Duration::from_secs(10);
/// For 100,000 denials in a second there is this much time to send the others.
const ITEMS: usize = 65_536;
/// A denial has some 300 bytes; both queues share them.
const BYTES: usize = 24 * 1024 * 1024;
const MAX_BYTES: usize = 1024 * 1024 * 1024;
const BATCH: usize = 512;
/// A denial is seen within a second.
const DELAY: Duration = Duration::from_secs(1);
const INTERVAL: Duration = Duration::from_secs(60);
