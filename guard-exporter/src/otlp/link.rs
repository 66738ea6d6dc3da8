//! The way to one target, whatever it speaks, and the couriers that take it.

use super::answer::Answer;
use super::config::{Protocol, Target};
#[cfg(feature = "otlp-grpc")]
use super::grpc::Grpc;
use super::http::Http;
use super::item::{LogItem, SpanItem};
use super::logs::Scribe;
use super::resource::Attributes;
use super::sender::Courier;
use super::spans;
use opentelemetry::KeyValue;
use opentelemetry_otlp::{LogExporter, SpanExporter};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::ResourceMetrics;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogExporter as _};
use opentelemetry_sdk::trace::SpanExporter as _;
use prost::Message as _;
use std::future::Future;

/// A way to a target, and who sends.
#[derive(Debug)]
pub(super) struct Link {
    transport: Transport,
    resource: Attributes,
}

#[derive(Debug)]
enum Transport {
    Http(Http),
    #[cfg(feature = "otlp-grpc")]
    Grpc(Grpc),
}

/// Sends spans.
#[derive(Debug)]
pub(super) struct Spans {
    transport: Transport,
    exporter: SpanExporter,
}

/// Sends log records.
#[derive(Debug)]
pub(super) struct Records {
    transport: Transport,
    exporter: LogExporter,
    scribe: Scribe,
}

// === impl Link ===

impl Link {
    /// Makes ready to send to `target`; a connection is made when something is sent.
    ///
    /// # Errors
    ///
    /// A sentence, when it cannot be done.
    pub(super) fn new(target: &Target, resource: &Attributes) -> Result<Self, String> {
        let transport = match target.protocol {
            Protocol::Http => Transport::Http(Http::new(target)?),
            #[cfg(feature = "otlp-grpc")]
            Protocol::Grpc => Transport::Grpc(Grpc::new(target)?),
            #[cfg(not(feature = "otlp-grpc"))]
            Protocol::Grpc => return Err("it is built without gRPC".to_owned()),
        };
        Ok(Self {
            transport,
            resource: resource.clone(),
        })
    }

    /// A courier of spans.
    ///
    /// # Errors
    ///
    /// A sentence, when the SDK makes no exporter.
    pub(super) fn into_spans(self) -> Result<Spans, String> {
        let exporter = match &self.transport {
            Transport::Http(http) => http.spans(),
            #[cfg(feature = "otlp-grpc")]
            Transport::Grpc(grpc) => grpc.spans(),
        };
        let mut exporter = exporter.map_err(|error| error.to_string())?;
        exporter.set_resource(&self.sdk_resource());
        Ok(Spans {
            exporter,
            transport: self.transport,
        })
    }

    /// A courier of log records.
    ///
    /// # Errors
    ///
    /// A sentence, when the SDK makes no exporter.
    pub(super) fn into_records(self) -> Result<Records, String> {
        let exporter = match &self.transport {
            Transport::Http(http) => http.records(),
            #[cfg(feature = "otlp-grpc")]
            Transport::Grpc(grpc) => grpc.records(),
        };
        let mut exporter = exporter.map_err(|error| error.to_string())?;
        exporter.set_resource(&self.sdk_resource());
        Ok(Records {
            exporter,
            transport: self.transport,
            scribe: Scribe::new(),
        })
    }

    /// Who sends.
    pub(super) const fn resource(&self) -> &Attributes {
        &self.resource
    }

    /// Sends metrics, once.
    pub(super) fn send_metrics(&self, metrics: ResourceMetrics) -> Answer {
        let request = ExportMetricsServiceRequest {
            resource_metrics: vec![metrics],
        };
        match &self.transport {
            Transport::Http(http) => http.post(request.encode_to_vec()),
            #[cfg(feature = "otlp-grpc")]
            Transport::Grpc(grpc) => grpc.metrics(request),
        }
    }

    fn sdk_resource(&self) -> Resource {
        let attributes = self.resource.iter();
        Resource::builder_empty()
            .with_attributes(
                attributes.map(|(name, value)| KeyValue::new(name.clone(), value.clone())),
            )
            .build()
    }
}

// === impl Transport ===

impl Transport {
    fn wait(&self, export: impl Future<Output = OTelSdkResult>) -> Answer {
        match self {
            Self::Http(http) => http.wait(export),
            #[cfg(feature = "otlp-grpc")]
            Self::Grpc(grpc) => grpc.wait(export),
        }
    }
}

// === impl Spans ===

impl Courier for Spans {
    type Item = SpanItem;

    fn send(&mut self, batch: &[SpanItem]) -> Answer {
        let spans = batch.iter().map(|item| match item {
            SpanItem::Decision(decision) => spans::span(decision),
            SpanItem::Own(span) => (**span).clone(),
        });
        self.transport.wait(self.exporter.export(spans.collect()))
    }
}

// === impl Records ===

impl Courier for Records {
    type Item = LogItem;

    fn send(&mut self, batch: &[LogItem]) -> Answer {
        let scope = Scribe::scope();
        let records = self.scribe.write(batch);
        let batch: Vec<_> = records.iter().map(|record| (record, &scope)).collect();
        self.transport
            .wait(self.exporter.export(LogBatch::new(&batch)))
    }
}
