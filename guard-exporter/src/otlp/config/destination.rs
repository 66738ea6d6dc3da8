//! Where a signal is sent, and how.

use super::endpoint::{EndpointError, EndpointText, Protocol, redacted};
use std::fmt;
use std::time::Duration;
use url::Url;

/// The destination of a signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// The signal is not sent.
    Disabled,
    /// The signal is wanted, and its endpoint cannot be used.
    Unusable,
    Collector(CollectorConfig),
}

/// A collector, and how to send to it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct CollectorConfig {
    /// The whole URL; for gRPC without a path.
    pub(crate) url: Url,
    pub(crate) protocol: Protocol,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) timeout: Duration,
    pub(crate) gzip: bool,
}

/// `--otlp.endpoint` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--otlp.endpoint {endpoint}")]
pub struct ConfigError {
    pub(super) endpoint: EndpointText,
    pub(super) source: EndpointError,
}

// === impl Destination ===

impl Destination {
    pub(crate) const fn target(&self) -> Option<&CollectorConfig> {
        match self {
            Self::Collector(target) => Some(target),
            Self::Disabled | Self::Unusable => None,
        }
    }
}

// === impl CollectorConfig ===

impl CollectorConfig {
    /// The URL without its secrets.
    pub(crate) fn shown(&self) -> String {
        redacted(self.url.as_str())
    }

    /// A text from elsewhere, with the URL in it shown without its secrets.
    pub(crate) fn redact(&self, text: &str) -> String {
        text.replace(self.url.as_str(), &redacted(self.url.as_str()))
    }
}

/// Values of headers are secrets more often than not; only their names are shown.
impl fmt::Debug for CollectorConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| &**name).collect();
        formatter
            .debug_struct("CollectorConfig")
            .field("url", &redacted(self.url.as_str()))
            .field("protocol", &self.protocol)
            .field("headers", &names)
            .field("timeout", &self.timeout)
            .field("gzip", &self.gzip)
            .finish()
    }
}
