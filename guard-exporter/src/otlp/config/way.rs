//! Where a signal is sent, and how.

use std::time::Duration;

/// What becomes of a signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It is not wanted.
    Off,
    /// It is wanted, and what was said cannot be used.
    Unusable,
    /// It is sent.
    To(Target),
}

/// Where a signal goes, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The whole address; for gRPC without a path.
    pub(crate) url: String,
    pub(crate) protocol: Protocol,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) timeout: Duration,
    pub(crate) gzip: bool,
}

/// How a signal is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http,
    Grpc,
}

/// What the command line says cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--otlp.endpoint {endpoint}: {why}")]
pub struct ConfigError {
    pub(super) endpoint: String,
    pub(super) why: String,
}

// === impl Way ===

impl Way {
    /// Where it goes, if it does.
    pub(crate) const fn target(&self) -> Option<&Target> {
        match self {
            Self::To(target) => Some(target),
            Self::Off | Self::Unusable => None,
        }
    }
}
