//! OTLP over gRPC.
//!
//! The SDK's exporters try again by themselves where a collector says when (`RetryInfo`); what is
//! left is told apart by its code. What a collector rejects of a request it takes, the SDK does not
//! tell, so it counts as exported, but for metrics.

use super::answer::Answer;
use super::config::Target;
use opentelemetry_otlp::{
    ExporterBuildError, LogExporter, SpanExporter, WithExportConfig as _, WithTonicConfig as _,
};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_sdk::error::OTelSdkResult;
use std::future::Future;
use tokio::runtime::Runtime;
use tonic::codec::CompressionEncoding;
use tonic::metadata::{AsciiMetadataKey, MetadataMap};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};

/// A channel to one target, and the runtime that moves it.
#[derive(Debug)]
pub(super) struct Grpc {
    runtime: Runtime,
    channel: Channel,
    metadata: MetadataMap,
    target: Target,
}

// === impl Grpc ===

impl Grpc {
    /// A connection is made when something is sent.
    ///
    /// # Errors
    ///
    /// When there is no runtime, or a header is no metadata.
    pub(super) fn new(target: &Target) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let endpoint = Endpoint::from_shared(target.url.clone())
            .map_err(|error| error.to_string())?
            .timeout(target.timeout)
            .connect_timeout(target.timeout);
        let endpoint = secured(endpoint, &target.url)?;
        let channel = {
            let _entered = runtime.enter();
            endpoint.connect_lazy()
        };
        let mut metadata = MetadataMap::new();
        for (name, value) in &target.headers {
            let key = AsciiMetadataKey::from_bytes(name.to_ascii_lowercase().as_bytes());
            let key = key.map_err(|_| format!("the header {name} is no metadata"))?;
            let value = value.parse();
            let value = value.map_err(|_| format!("the header {name} is no metadata"))?;
            metadata.insert(key, value);
        }
        Ok(Self {
            runtime,
            channel,
            metadata,
            target: target.clone(),
        })
    }

    /// The SDK's exporter of spans, by this channel.
    pub(super) fn spans(&self) -> Result<SpanExporter, ExporterBuildError> {
        let _entered = self.runtime.enter();
        let builder = SpanExporter::builder()
            .with_tonic()
            .with_channel(self.channel.clone())
            .with_timeout(self.target.timeout)
            .with_metadata(self.metadata.clone());
        if self.target.gzip {
            return builder
                .with_compression(opentelemetry_otlp::Compression::Gzip)
                .build();
        }
        builder.build()
    }

    /// The SDK's exporter of log records, by this channel.
    pub(super) fn records(&self) -> Result<LogExporter, ExporterBuildError> {
        let _entered = self.runtime.enter();
        let builder = LogExporter::builder()
            .with_tonic()
            .with_channel(self.channel.clone())
            .with_timeout(self.target.timeout)
            .with_metadata(self.metadata.clone());
        if self.target.gzip {
            return builder
                .with_compression(opentelemetry_otlp::Compression::Gzip)
                .build();
        }
        builder.build()
    }

    /// What the collector answers to an export of one of these exporters.
    pub(super) fn wait(&self, export: impl Future<Output = OTelSdkResult>) -> Answer {
        match self.runtime.block_on(export) {
            Ok(()) => Answer::TAKEN,
            Err(error) => failed(error.to_string()),
        }
    }

    /// Sends metrics, once.
    pub(super) fn metrics(&self, metrics: ExportMetricsServiceRequest) -> Answer {
        let mut client = MetricsServiceClient::new(self.channel.clone());
        if self.target.gzip {
            client = client.send_compressed(CompressionEncoding::Gzip);
        }
        let mut request = Request::new(metrics);
        *request.metadata_mut() = self.metadata.clone();
        match self.runtime.block_on(client.export(request)) {
            Ok(response) => {
                let partial = response.into_inner().partial_success.unwrap_or_default();
                Answer::Taken {
                    rejected: u64::try_from(partial.rejected_data_points).unwrap_or(0),
                    why: partial.error_message,
                }
            }
            Err(status) => failed(format!("gRPC code: {:?}", status.code())),
        }
    }
}

#[cfg(feature = "otlp-tls")]
fn secured(endpoint: Endpoint, url: &str) -> Result<Endpoint, String> {
    if !url.starts_with("https://") {
        return Ok(endpoint);
    }
    let tls = tonic::transport::ClientTlsConfig::new().with_native_roots();
    endpoint.tls_config(tls).map_err(|error| error.to_string())
}

#[cfg(not(feature = "otlp-tls"))]
#[expect(clippy::unnecessary_wraps, reason = "with TLS it can fail")]
fn secured(endpoint: Endpoint, _url: &str) -> Result<Endpoint, String> {
    Ok(endpoint)
}

/// The SDK tells the code in words only.
fn failed(why: String) -> Answer {
    let again = AGAIN.iter().any(|code| {
        let told = format!("gRPC code: {code:?}");
        why.split_once(&told)
            .is_some_and(|(_, rest)| !rest.starts_with(char::is_alphanumeric))
    });
    if again {
        Answer::Again { after: None, why }
    } else {
        Answer::Refused { why }
    }
}

/// Those that OTLP/gRPC has tried again.
const AGAIN: [Code; 6] = [
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
    fn what_may_be_tried_again_is() {
        let failed = |why: &str| failed(why.to_owned());
        for why in [
            "TonicTracesClient export failed with gRPC code: Unavailable",
            "Operation failed: x export failed with gRPC code: Cancelled: transport error",
        ] {
            assert!(matches!(failed(why), Answer::Again { .. }), "{why}");
        }
        for why in [
            "x export failed with gRPC code: InvalidArgument",
            "x export failed with gRPC code: Unauthenticated",
            "something else",
        ] {
            assert!(matches!(failed(why), Answer::Refused { .. }), "{why}");
        }
    }
}
