//! Why no client of a collector can be built.

/// A collector cannot be reached, whatever it answers.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("the HTTP client cannot be built")]
    Client(#[source] reqwest::Error),
    #[error("the HTTP client cannot be built: its thread panicked")]
    ClientPanicked,
    #[error("the exporter of spans cannot be built: {reason}")]
    SpanExporter {
        /// Redacted, so not a source: the error shows the URL.
        reason: String,
    },
    #[cfg(not(feature = "otlp-grpc"))]
    #[error("this guard-exporter is built without gRPC")]
    NoGrpc,
    #[cfg(feature = "otlp-grpc")]
    #[error("the runtime of the gRPC client cannot be built")]
    Runtime(#[source] std::io::Error),
    #[cfg(feature = "otlp-grpc")]
    #[error("the gRPC client cannot be built")]
    Channel(#[source] tonic::transport::Error),
    #[cfg(feature = "otlp-grpc")]
    #[error("the header {name} is not valid metadata")]
    Header { name: String },
}
