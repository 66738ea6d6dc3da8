//! The exporter's own spans, from `tracing`.
//!
//! | span | when it is sent |
//! |---|---|
//! | `drain` | a pass over the rings that read something; at most one pass a second is traced |
//! | `write`, `rotate`, `attach`, `finish` | within a pass that is sent |
//! | `export` | a failed attempt to send metrics or log records |
//!
//! A pass that read nothing is not sent.

use super::item::SpanItem;
use super::signal_queue::SignalQueue;
use super::{names, spans};
use crate::log;
use opentelemetry::Context;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, Span, SpanData, SpanProcessor};
use std::time::Duration;

/// Queues finished spans.
#[derive(Debug)]
struct QueueProcessor(SignalQueue<SpanItem>);

/// Queues this process's spans for as long as the provider lives.
pub(super) fn export(queue: SignalQueue<SpanItem>) -> SdkTracerProvider {
    let provider = SdkTracerProvider::builder()
        .with_sampler(Sampler::AlwaysOn)
        .with_span_processor(QueueProcessor(queue))
        .build();
    let tracer = provider.tracer_with_scope(spans::scope(names::OWN_SCOPE));
    log::export_spans(
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false),
    );
    provider
}

impl SpanProcessor for QueueProcessor {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        if is_worth_sending(&span) {
            let size = size_of::<SpanData>() + span.attributes.len() * BYTES_PER_ATTRIBUTE;
            self.0.push(size, || SpanItem::Own(Box::new(span)));
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

fn is_worth_sending(span: &SpanData) -> bool {
    let mut attributes = span.attributes.iter();
    match &*span.name {
        "drain" => attributes.any(|pair| pair.key.as_str() == "guard.records"),
        "export" => attributes.any(|pair| pair.key.as_str() == names::ERROR_TYPE),
        _ => true,
    }
}

/// Approximately.
const BYTES_PER_ATTRIBUTE: usize = 100;
