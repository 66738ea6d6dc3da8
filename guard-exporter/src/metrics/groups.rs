//! Handles of metrics, grouped by the part of the exporter that counts into them.
//!
//! Each field is named for its catalogue entry. A clone counts into the same series.

use super::catalogue::{self, Signal};
use super::registry::{Registry, counter, counter_vec, gauge, int_gauge, int_gauge_vec};
use prometheus::{Gauge, IntCounter, IntGauge, IntGaugeVec};

/// Clients of `/api/v1/events`.
#[derive(Clone, Debug)]
pub struct StreamMetrics {
    pub clients: IntGauge,
    pub drops: IntCounter,
}

/// HTTP connections.
#[derive(Clone, Debug)]
pub struct ConnectionMetrics {
    pub open: IntGauge,
    pub shed: IntCounter,
    pub stalled: IntCounter,
}

/// OTLP exports, by signal.
#[derive(Clone, Debug)]
pub struct OtlpMetrics([SignalMetrics; Signal::ALL.len()]);

/// OTLP exports of one signal.
#[derive(Clone, Debug)]
pub struct SignalMetrics {
    pub exported: IntCounter,
    pub failures: IntCounter,
    pub dropped: IntCounter,
    pub queued: IntGauge,
}

/// The exporter itself.
#[derive(Clone, Debug)]
pub struct ExporterMetrics {
    pub scrape_duration: Gauge,
    pub bind_failures: IntCounter,
    pub ready: IntGauge,
    pub last_pass: Gauge,
    pub confined: IntGaugeVec,
}

// === impl StreamMetrics ===

impl StreamMetrics {
    pub(super) fn new(registry: &Registry) -> Self {
        Self {
            clients: int_gauge(registry, catalogue::EVENT_CLIENTS),
            drops: counter(registry, catalogue::EVENT_DROPS),
        }
    }
}

// === impl ConnectionMetrics ===

impl ConnectionMetrics {
    pub(super) fn new(registry: &Registry) -> Self {
        Self {
            open: int_gauge(registry, catalogue::CONNECTIONS),
            shed: counter(registry, catalogue::CONNECTIONS_SHED),
            stalled: counter(registry, catalogue::CONNECTIONS_STALLED),
        }
    }
}

// === impl OtlpMetrics ===

impl OtlpMetrics {
    pub(super) fn new(registry: &Registry) -> Self {
        let exported = counter_vec(registry, catalogue::OTLP_EXPORTED);
        let failures = counter_vec(registry, catalogue::OTLP_FAILURES);
        let dropped = counter_vec(registry, catalogue::OTLP_DROPPED);
        let queued = int_gauge_vec(registry, catalogue::OTLP_QUEUED);
        Self(Signal::ALL.map(|signal| {
            let labels = [signal.as_str()];
            SignalMetrics {
                exported: exported.with_label_values(&labels),
                failures: failures.with_label_values(&labels),
                dropped: dropped.with_label_values(&labels),
                queued: queued.with_label_values(&labels),
            }
        }))
    }

    /// The metrics of one signal.
    #[must_use]
    pub fn of(&self, signal: Signal) -> SignalMetrics {
        self.0[signal as usize].clone()
    }
}

// === impl ExporterMetrics ===

impl ExporterMetrics {
    pub(super) fn new(registry: &Registry) -> Self {
        let build_info = int_gauge_vec(registry, catalogue::BUILD_INFO);
        build_info
            .with_label_values(&[env!("CARGO_PKG_VERSION")])
            .set(1);
        let confined = int_gauge_vec(registry, catalogue::CONFINED);
        // No other platform can confine the exporter so.
        if cfg!(target_os = "linux") {
            for kind in ["landlock", "seccomp"] {
                confined.with_label_values(&[kind]).set(0);
            }
        }
        Self {
            scrape_duration: gauge(registry, catalogue::SCRAPE_DURATION),
            bind_failures: counter(registry, catalogue::BIND_FAILURES),
            ready: int_gauge(registry, catalogue::READY),
            last_pass: gauge(registry, catalogue::LAST_PASS),
            confined,
        }
    }
}
