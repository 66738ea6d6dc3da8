//! The exporter's own log on standard error, and where its spans are exported.
//!
//! Events of this crate become lines of the log; its spans are exported once `export_spans` is given
//! a layer. Events and spans of other crates are ignored: those of the HTTP client that exports spans
//! would make further spans without end.

use guard_report::log_format::{self, LogFormat};
use opentelemetry_sdk::trace::SdkTracer;
use std::sync::OnceLock;
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, Registry, reload};

/// Exports spans.
pub(crate) type SpanLayer = OpenTelemetryLayer<Registry, SdkTracer>;

static SPANS: OnceLock<reload::Handle<Option<SpanLayer>, Registry>> = OnceLock::new();

/// Logs events of `level` or more severe in `format` from now on. Only the first call has an effect.
pub fn init(level: LevelFilter, format: LogFormat) {
    let (spans, handle) = reload::Layer::new(None);
    if SPANS.set(handle).is_err() {
        return;
    }
    let is_own_span = |metadata: &Metadata<'_>| metadata.is_span() && is_own(metadata);
    let is_own_event = |metadata: &Metadata<'_>| metadata.is_event() && is_own(metadata);
    let spans = spans.with_filter(filter_fn(is_own_span).and(LevelFilter::INFO));
    let log = log_format::layer(format, level, std::io::stderr);
    let log = log.with_filter(filter_fn(is_own_event));
    let subscriber = tracing_subscriber::registry().with(spans).with(log);
    // A process that embeds the exporter may have a subscriber of its own.
    let _already_set = tracing::subscriber::set_global_default(subscriber);
}

/// Exports spans by `layer` from now on.
pub(crate) fn export_spans(layer: SpanLayer) {
    if let Some(handle) = SPANS.get() {
        let _gone = handle.reload(Some(layer));
    }
}

fn is_own(metadata: &Metadata<'_>) -> bool {
    let krate = metadata.target().split("::").next();
    krate.is_some_and(|krate| ["guard_exporter", "guard_report"].contains(&krate))
}
