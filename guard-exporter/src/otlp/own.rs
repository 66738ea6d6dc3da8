//! The exporter's own work as spans, by `tracing`.
//!
//! | span | when it is sent |
//! |---|---|
//! | `drain` | a pass over the rings that read something; at most one a second is looked at |
//! | `write`, `rotate`, `save`, `attach`, `finish` | within a pass that is sent |
//! | `export` | an attempt to send metrics or log records that failed |
//!
//! A pass that found nothing makes nothing. Only this crate's spans are taken: those of the client
//! that sends them would never end.

use super::item::SpanItem;
use super::outlet::Outlet;
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

/// Puts finished spans into the queue.
#[derive(Debug)]
struct Enqueue(Outlet<SpanItem>);

/// Has this process's spans put into the queue of spans, for as long as the provider lives.
pub(super) fn trace(outlet: Outlet<SpanItem>) -> SdkTracerProvider {
    let provider = SdkTracerProvider::builder()
        .with_sampler(Sampler::AlwaysOn)
        .with_span_processor(Enqueue(outlet))
        .build();
    let tracer = provider.tracer_with_scope(spans::scope(names::OWN_SCOPE));
    let layer = tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(Targets::new().with_target("guard_exporter", LevelFilter::INFO));
    let subscriber = tracing_subscriber::registry().with(layer);
    // Set already in a process that runs more than one exporter, as tests may.
    drop(tracing::subscriber::set_global_default(subscriber));
    provider
}

impl SpanProcessor for Enqueue {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        if is_worth_sending(&span) {
            let size = size_of::<SpanData>() + span.attributes.len() * BYTES_PER_ATTRIBUTE;
            self.0.offer(size, || SpanItem::Own(Box::new(span)));
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
        "drain" => attributes.any(|told| told.key.as_str() == "guard.records"),
        "export" => attributes.any(|told| told.key.as_str() == names::ERROR_TYPE),
        _ => true,
    }
}

/// About.
const BYTES_PER_ATTRIBUTE: usize = 100;
