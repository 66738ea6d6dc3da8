//! OTLP over gRPC.
//!
//! The SDK's exporter of spans retries by itself where a collector asks for it (`RetryInfo`), and
//! reports the code of any other failure in its message only. It does not report what a collector
//! rejects of spans, so these count as exported.

use super::config::CollectorConfig;
use super::connect_error::ConnectError;
use super::outcome::ExportOutcome;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithTonicConfig as _};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_sdk::error::OTelSdkResult;
use std::future::Future;
use tokio::runtime::Runtime;
use tonic::codec::CompressionEncoding;
use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue, MetadataMap};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

/// A channel to one collector, and the runtime that drives it.
#[derive(Debug)]
pub(super) struct Grpc {
    runtime: Runtime,
    channel: Channel,
    metadata: MetadataMap,
    target: CollectorConfig,
}

// === impl Grpc ===

impl Grpc {
    pub(super) fn new(target: &CollectorConfig) -> Result<Self, ConnectError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(ConnectError::Runtime)?;
        let endpoint = Endpoint::from_shared(target.url.to_string())
            .map_err(ConnectError::Channel)?
            .timeout(target.timeout)
            .connect_timeout(target.timeout);
        let endpoint = secured(endpoint, target)?;
        let channel = {
            let _entered = runtime.enter();
            endpoint.connect_lazy()
        };
        let mut metadata = MetadataMap::new();
        for (name, value) in &target.headers {
            let key = AsciiMetadataKey::from_bytes(name.to_ascii_lowercase().as_bytes()).ok();
            let value: Option<AsciiMetadataValue> = value.parse().ok();
            let (key, value) = key
                .zip(value)
                .ok_or_else(|| ConnectError::Header { name: name.clone() })?;
            metadata.insert(key, value);
        }
        Ok(Self {
            runtime,
            channel,
            metadata,
            target: target.clone(),
        })
    }

    /// The SDK's exporter of spans, on this channel.
    pub(super) fn span_exporter(&self) -> Result<SpanExporter, ConnectError> {
        let _entered = self.runtime.enter();
        let mut builder = SpanExporter::builder()
            .with_tonic()
            .with_channel(self.channel.clone())
            .with_timeout(self.target.timeout)
            .with_metadata(self.metadata.clone());
        if self.target.gzip {
            builder = builder.with_compression(opentelemetry_otlp::Compression::Gzip);
        }
        builder.build().map_err(|error| ConnectError::SpanExporter {
            reason: self.target.redact(&error.to_string()),
        })
    }

    /// The collector's response to an export of [`span_exporter`](Self::span_exporter).
    pub(super) fn export_spans(
        &self,
        export: impl Future<Output = OTelSdkResult>,
    ) -> ExportOutcome {
        match self.runtime.block_on(export) {
            Ok(()) => ExportOutcome::SUCCESS,
            Err(error) => failed(self.target.redact(&error.to_string())),
        }
    }

    /// Sends log records, once.
    pub(super) fn export_logs(&self, logs: ExportLogsServiceRequest) -> ExportOutcome {
        let mut client = LogsServiceClient::new(self.channel.clone());
        if self.target.gzip {
            client = client.send_compressed(CompressionEncoding::Gzip);
        }
        match self.runtime.block_on(client.export(self.request(logs))) {
            Ok(response) => {
                let partial = response.into_inner().partial_success.unwrap_or_default();
                ExportOutcome::partial(partial.rejected_log_records, partial.error_message)
            }
            Err(status) => failed_with(&status),
        }
    }

    /// Sends metrics, once.
    pub(super) fn export_metrics(&self, metrics: ExportMetricsServiceRequest) -> ExportOutcome {
        let mut client = MetricsServiceClient::new(self.channel.clone());
        if self.target.gzip {
            client = client.send_compressed(CompressionEncoding::Gzip);
        }
        match self.runtime.block_on(client.export(self.request(metrics))) {
            Ok(response) => {
                let partial = response.into_inner().partial_success.unwrap_or_default();
                ExportOutcome::partial(partial.rejected_data_points, partial.error_message)
            }
            Err(status) => failed_with(&status),
        }
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        *request.metadata_mut() = self.metadata.clone();
        request
    }
}

#[cfg(feature = "otlp-tls")]
fn secured(endpoint: Endpoint, target: &CollectorConfig) -> Result<Endpoint, ConnectError> {
    if target.url.scheme() != "https" {
        return Ok(endpoint);
    }
    let tls = tonic::transport::ClientTlsConfig::new().with_native_roots();
    endpoint.tls_config(tls).map_err(ConnectError::Channel)
}

#[cfg(not(feature = "otlp-tls"))]
#[expect(clippy::unnecessary_wraps, reason = "with TLS it can fail")]
fn secured(endpoint: Endpoint, _target: &CollectorConfig) -> Result<Endpoint, ConnectError> {
    Ok(endpoint)
}

fn failed_with(status: &Status) -> ExportOutcome {
    failed(format!("gRPC code: {:?}", status.code()))
}

/// The outcome of a failure, by the gRPC code in its text: the SDK reports it nowhere else.
fn failed(reason: String) -> ExportOutcome {
    let is_retryable = RETRYABLE.iter().any(|code| {
        let code = format!("gRPC code: {code:?}");
        reason
            .split_once(&code)
            .is_some_and(|(_, rest)| !rest.starts_with(char::is_alphanumeric))
    });
    if is_retryable {
        ExportOutcome::Retryable {
            retry_after: None,
            reason,
        }
    } else {
        ExportOutcome::Failed { reason }
    }
}

/// The codes that OTLP/gRPC specifies as retryable.
const RETRYABLE: [Code; 6] = [
    Code::Cancelled,
    Code::DeadlineExceeded,
    Code::Aborted,
    Code::OutOfRange,
    Code::Unavailable,
    Code::DataLoss,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_codes_are_retryable_and_all_others_are_final() {
        let failed = |reason: &str| failed(reason.to_owned());
        for reason in [
            "TonicTracesClient export failed with gRPC code: Unavailable",
            "Operation failed: x export failed with gRPC code: Cancelled: transport error",
        ] {
            let outcome = failed(reason);
            assert!(
                matches!(outcome, ExportOutcome::Retryable { .. }),
                "{reason}"
            );
        }
        for reason in [
            "x export failed with gRPC code: InvalidArgument",
            "x export failed with gRPC code: Unauthenticated",
            "something else",
        ] {
            let outcome = failed(reason);
            assert!(matches!(outcome, ExportOutcome::Failed { .. }), "{reason}");
        }
    }
}
