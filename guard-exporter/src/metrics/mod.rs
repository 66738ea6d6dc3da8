//! The exporter's metrics: those of the [`catalogue`], in one Prometheus registry.
//!
//! Every family without labels is exported from the first scrape, at 0, and so are all series of every
//! agent that the guard knows; those of another agent begin when it is first seen. So rates and ratios
//! have no gaps, and the first denial is an increase. Counters never decrease while the exporter runs,
//! also when a ring is removed.
//!
//! It deliberately keeps no event: a record is counted and dropped.
//!
//! ```
//! use guard_exporter::metrics::Metrics;
//!
//! let text = Metrics::new().encode();
//! assert!(text.contains("\nguard_denial_log_records_total 0\n"));
//! ```

pub mod catalogue;
mod changes;
mod decisions;
mod exemplars;
pub mod groups;
mod named;
pub mod openmetrics;
mod process;
mod registry;
mod rings;

pub use decisions::DecisionMetrics;
pub use groups::{ConnectionMetrics, ExporterMetrics, OtlpMetrics, SignalMetrics, StreamMetrics};
pub use rings::{GuardState, Infos, RingMetrics};

use crate::denial_log::LogCounters;
use exemplars::Exemplars;
use prometheus::proto::MetricFamily;
use prometheus::{Registry, TextEncoder};
use registry::{counter, int_gauge, registered};
use std::time::Instant;

/// All metrics. Cheap handles: a clone counts into the same registry.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    pub rings: RingMetrics,
    pub denial_log: LogCounters,
    pub change_log: LogCounters,
    pub override_log: LogCounters,
    pub stream: StreamMetrics,
    pub connections: ConnectionMetrics,
    pub otlp: OtlpMetrics,
    pub exporter: ExporterMetrics,
    exemplars: Exemplars,
}

/// The content type of [`Metrics::encode`]; Prometheus 3 refuses a scrape without it.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

// === impl Metrics ===

impl Metrics {
    /// All metrics except those of decisions and of the process.
    #[must_use]
    pub fn new() -> Self {
        let registry = Registry::new();
        Self {
            rings: RingMetrics::new(&registry),
            denial_log: LogCounters {
                records: counter(&registry, catalogue::LOG_RECORDS),
                write_failures: counter(&registry, catalogue::LOG_WRITE_FAILURES),
                written_bytes: counter(&registry, catalogue::LOG_WRITTEN_BYTES),
                rotations: counter(&registry, catalogue::LOG_ROTATIONS),
                pending: int_gauge(&registry, catalogue::LOG_PENDING),
            },
            change_log: LogCounters {
                records: counter(&registry, catalogue::CHANGE_LOG_RECORDS),
                write_failures: counter(&registry, catalogue::CHANGE_LOG_WRITE_FAILURES),
                written_bytes: counter(&registry, catalogue::CHANGE_LOG_WRITTEN_BYTES),
                rotations: counter(&registry, catalogue::CHANGE_LOG_ROTATIONS),
                pending: int_gauge(&registry, catalogue::CHANGE_LOG_PENDING),
            },
            override_log: LogCounters {
                records: counter(&registry, catalogue::OVERRIDE_LOG_RECORDS),
                write_failures: counter(&registry, catalogue::OVERRIDE_LOG_WRITE_FAILURES),
                written_bytes: counter(&registry, catalogue::OVERRIDE_LOG_WRITTEN_BYTES),
                rotations: counter(&registry, catalogue::OVERRIDE_LOG_ROTATIONS),
                pending: int_gauge(&registry, catalogue::OVERRIDE_LOG_PENDING),
            },
            stream: StreamMetrics::new(&registry),
            connections: ConnectionMetrics::new(&registry),
            otlp: OtlpMetrics::new(&registry),
            exporter: ExporterMetrics::new(&registry),
            exemplars: Exemplars::default(),
            registry,
        }
    }

    /// Adds the metrics of decisions, for the thread that counts them.
    #[must_use]
    pub fn decisions(&self) -> DecisionMetrics {
        DecisionMetrics::new(&self.registry, self.exemplars.clone())
    }

    /// Adds the metrics of this process, read from `/proc` at each scrape where it exists.
    pub fn watch_process(&self) {
        registered(&self.registry, process::ProcessCollector::new());
    }

    /// All metrics in the text format 0.0.4.
    #[must_use]
    pub fn encode(&self) -> String {
        self.timed(|families| {
            TextEncoder::new()
                .encode_to_string(families)
                .expect("gathered families have names, and writing to a string does not fail")
        })
    }

    /// All metrics in OpenMetrics 1.0.0, with exemplars.
    #[must_use]
    pub fn encode_openmetrics(&self) -> String {
        self.timed(|families| openmetrics::encode(families, &self.exemplars))
    }

    /// The families with their current values.
    pub(crate) fn families(&self) -> Vec<MetricFamily> {
        self.registry.gather()
    }

    fn timed(&self, encode: impl FnOnce(&[MetricFamily]) -> String) -> String {
        let started = Instant::now();
        let text = encode(&self.families());
        self.exporter
            .scrape_duration
            .set(started.elapsed().as_secs_f64());
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use catalogue::MetricKind;
    use guard_core::OperationKind;
    use guard_core::ring::Lane;
    use guard_core::verdict::{Reason, Verdict};
    use guard_testing::events::{CHANGE, REQUEST, denial};
    use std::collections::BTreeSet;

    fn show(metrics: &Metrics, state: &GuardState) {
        metrics.rings.show(state);
        metrics.rings.show_infos(&Infos::default(), &state.infos);
    }

    #[test]
    fn the_golden_scrape() {
        let metrics = Metrics::new();
        let mut decisions = metrics.decisions();
        decisions.count(&denial(0));
        let mut allowed = denial(0);
        allowed.agent = None;
        allowed.verdict = Verdict::Allow;
        allowed.reason = Reason::Human;
        allowed.latency_ns = 800;
        decisions.count(&allowed);
        let human = decisions.count(&allowed);
        decisions.retry_storm(human);
        decisions.mass_deletion(human, Verdict::Allow);
        allowed.reason = Reason::TrustedTool;
        allowed.tool = Some(b"git");
        decisions.count(&allowed);
        decisions.count(&CHANGE);
        decisions.count_request(&REQUEST);
        metrics.rings.read(Lane::Allow, 2);
        metrics.rings.lost(Lane::Deny, 1);
        show(
            &metrics,
            &GuardState {
                live: 2,
                policy_ok: true,
                infos: Infos {
                    policies: [("enforce", 0xab)].into(),
                    versions: ["VERSION".to_owned()].into(),
                },
                ..GuardState::default()
            },
        );
        let golden = include_str!("golden.txt");
        let scrape = metrics
            .encode()
            .replace(env!("CARGO_PKG_VERSION"), "VERSION");
        // Of the many agents and operations two are enough to see.
        let shown = |line: &&str| {
            let one_of = |label: &str, values: [&str; 2]| {
                let value = line.split_once(label).map(|(_, rest)| rest);
                value.is_none_or(|value| values.iter().any(|known| value.starts_with(known)))
            };
            one_of("agent=\"", ["claude_code\"", "none\""])
                && one_of("operation=\"", ["rename\"", "unlink\""])
        };
        let shown: Vec<&str> = scrape.lines().filter(shown).collect();
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/metrics/golden.txt");
            std::fs::write(path, shown.join("\n") + "\n").unwrap();
            return;
        }
        for (line, golden) in shown.iter().zip(golden.lines()) {
            assert_eq!(*line, golden);
        }
        assert_eq!(shown.len(), golden.lines().count());
        let series = scrape.matches("\nguard_decisions_total{").count();
        let agents = guard_core::agents::labels().count() + 3;
        assert_eq!(
            series,
            agents * OperationKind::ALL.len() * Verdict::ALL.len()
        );
    }

    #[test]
    fn every_entry_of_the_catalogue_is_exported() {
        let metrics = Metrics::new();
        let mut event = denial(0);
        event.reason = Reason::TrustedTool;
        event.tool = Some(b"git");
        metrics.decisions().count(&event);
        show(
            &metrics,
            &GuardState {
                infos: Infos {
                    policies: [("enforce", 1)].into(),
                    versions: ["1.0.0".to_owned()].into(),
                },
                ..GuardState::default()
            },
        );
        metrics.watch_process();
        let scrape = metrics.encode();
        for metric in catalogue::ALL {
            let kind = match metric.kind {
                MetricKind::Counter => "counter",
                MetricKind::Gauge => "gauge",
                MetricKind::Histogram => "histogram",
            };
            let kind = format!("# TYPE {} {kind}\n", metric.name);
            assert!(scrape.contains(&kind), "no {kind}");
            assert!(scrape.contains(&format!("# HELP {} {}\n", metric.name, metric.help)));
        }
        let names: BTreeSet<_> = catalogue::ALL.iter().map(|metric| metric.name).collect();
        let exported = scrape
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE "));
        for name in exported.filter_map(|line| line.split(' ').next()) {
            assert!(names.contains(name), "{name} is not in the catalogue");
        }
    }
}
