//! A connection to one collector, over HTTP or gRPC, and the resource of what is sent.

use super::config::{CollectorConfig, Protocol};
use super::connect_error::ConnectError;
#[cfg(feature = "otlp-grpc")]
use super::grpc::Grpc;
use super::http::Http;
use super::metrics::string;
use super::outcome::ExportOutcome;
use super::resource::Attributes;
use opentelemetry::KeyValue;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::logs::v1::ResourceLogs;
use opentelemetry_proto::tonic::metrics::v1::ResourceMetrics;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::SpanExporter as _;
use prost::Message as _;
use std::future::Future;

/// A connection to a collector. It is established when something is sent.
#[derive(Debug)]
pub(super) struct Connection {
    transport: Transport,
    resource: Attributes,
}

#[derive(Debug)]
enum Transport {
    Http(Http),
    #[cfg(feature = "otlp-grpc")]
    Grpc(Grpc),
}

// === impl Connection ===

impl Connection {
    pub(super) fn new(
        target: &CollectorConfig,
        resource: &Attributes,
    ) -> Result<Self, ConnectError> {
        let transport = match target.protocol {
            Protocol::Http => Transport::Http(Http::new(target)?),
            #[cfg(feature = "otlp-grpc")]
            Protocol::Grpc => Transport::Grpc(Grpc::new(target)?),
            #[cfg(not(feature = "otlp-grpc"))]
            Protocol::Grpc => return Err(ConnectError::NoGrpc),
        };
        Ok(Self {
            transport,
            resource: resource.clone(),
        })
    }

    /// The resource that everything sent belongs to.
    pub(super) fn resource(&self) -> Resource {
        let attributes = self.resource.iter();
        Resource {
            attributes: attributes
                .map(|(name, value)| string(name, value))
                .collect(),
            ..Resource::default()
        }
    }

    /// The SDK's exporter of spans, on this connection.
    pub(super) fn span_exporter(&self) -> Result<SpanExporter, ConnectError> {
        let mut exporter = match &self.transport {
            Transport::Http(http) => http.span_exporter(),
            #[cfg(feature = "otlp-grpc")]
            Transport::Grpc(grpc) => grpc.span_exporter(),
        }?;
        let attributes = self.resource.iter();
        let resource = opentelemetry_sdk::Resource::builder_empty()
            .with_attributes(
                attributes.map(|(name, value)| KeyValue::new(name.clone(), value.clone())),
            )
            .build();
        exporter.set_resource(&resource);
        Ok(exporter)
    }

    /// The collector's response to an export of [`span_exporter`](Self::span_exporter).
    pub(super) fn export_spans(
        &self,
        export: impl Future<Output = OTelSdkResult>,
    ) -> ExportOutcome {
        match &self.transport {
            Transport::Http(http) => http.export_spans(export),
            #[cfg(feature = "otlp-grpc")]
            Transport::Grpc(grpc) => grpc.export_spans(export),
        }
    }

    /// Sends log records, once.
    pub(super) fn export_logs(&self, logs: ResourceLogs) -> ExportOutcome {
        let request = ExportLogsServiceRequest {
            resource_logs: vec![logs],
        };
        match &self.transport {
            Transport::Http(http) => http.post(request.encode_to_vec()),
            #[cfg(feature = "otlp-grpc")]
            Transport::Grpc(grpc) => grpc.export_logs(request),
        }
    }

    /// Sends metrics, once.
    pub(super) fn export_metrics(&self, metrics: ResourceMetrics) -> ExportOutcome {
        let request = ExportMetricsServiceRequest {
            resource_metrics: vec![metrics],
        };
        match &self.transport {
            Transport::Http(http) => http.post(request.encode_to_vec()),
            #[cfg(feature = "otlp-grpc")]
            Transport::Grpc(grpc) => grpc.export_metrics(request),
        }
    }
}
