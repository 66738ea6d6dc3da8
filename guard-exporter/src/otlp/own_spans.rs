//! The exporter's own spans, from `tracing`.
//!
//! | span | when it is sent |
//! |---|---|
//! | `drain` | a pass over the rings that read something; at most one pass a second is traced |
//! | `write`, `rotate`, `attach`, `finish` | within a pass that is sent |
//! | `export` | a failed attempt to send metrics or log records |
//!
//! A pass that read nothing is not sent. Only spans of this crate are exported: those of the HTTP
//! client would make further spans without end.

use super::item::SpanItem;
use super::signal_queue::SignalQueue;
use super::{names, spans};
use opentelemetry::Context;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, Span, SpanData, SpanProcessor};
use std::time::Duration;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;

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
    let layer = tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(Targets::new().with_target("guard_exporter", LevelFilter::INFO));
    let subscriber = tracing_subscriber::registry().with(layer);
    // Already set in a process that runs more than one exporter, as tests do.
    drop(tracing::subscriber::set_global_default(subscriber));
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
