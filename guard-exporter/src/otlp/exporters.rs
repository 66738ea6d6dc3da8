//! The exporters of spans and of log records.

use super::batch_processor::BatchExporter;
use super::connect_error::ConnectError;
use super::connection::Connection;
use super::item::{LogItem, SpanItem};
use super::outcome::ExportOutcome;
use super::{log_records, names, spans};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_proto::tonic::logs::v1::{ResourceLogs, ScopeLogs};
use opentelemetry_sdk::trace::SpanExporter as _;
use std::time::SystemTime;

/// Exports spans by the SDK's exporter.
#[derive(Debug)]
pub(super) struct SpanBatchExporter {
    connection: Connection,
    exporter: SpanExporter,
}

/// Exports log records.
#[derive(Debug)]
pub(super) struct LogBatchExporter {
    connection: Connection,
}

// === impl SpanBatchExporter ===

impl SpanBatchExporter {
    pub(super) fn new(connection: Connection) -> Result<Self, ConnectError> {
        Ok(Self {
            exporter: connection.span_exporter()?,
            connection,
        })
    }
}

impl BatchExporter for SpanBatchExporter {
    type Item = SpanItem;

    fn export(&mut self, batch: &[SpanItem]) -> ExportOutcome {
        let spans = batch.iter().map(|item| match item {
            SpanItem::Decision(decision) => spans::span(decision),
            SpanItem::Request(request) => spans::request_span(request),
            SpanItem::Own(span) => (**span).clone(),
        });
        self.connection
            .export_spans(self.exporter.export(spans.collect()))
    }
}

// === impl LogBatchExporter ===

impl LogBatchExporter {
    pub(super) const fn new(connection: Connection) -> Self {
        Self { connection }
    }
}

impl BatchExporter for LogBatchExporter {
    type Item = LogItem;

    fn export(&mut self, batch: &[LogItem]) -> ExportOutcome {
        let now = SystemTime::now();
        let records = batch.iter().map(|item| log_records::log_record(item, now));
        let scope_logs = ScopeLogs {
            scope: Some((&spans::scope(names::SCOPE), None).into()),
            log_records: records.collect(),
            ..ScopeLogs::default()
        };
        self.connection.export_logs(ResourceLogs {
            resource: Some(self.connection.resource()),
            scope_logs: vec![scope_logs],
            ..ResourceLogs::default()
        })
    }
}
