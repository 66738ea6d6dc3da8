//! The exporter's metrics: those of the [`catalogue`], in one Prometheus registry.
//!
//! Every family without labels is exported from the first scrape, at 0; the series of an agent, of an
//! operation's duration and of a way to preserve begin, all together, when it is first seen. Counters
//! never decrease, also when a ring is removed or the exporter starts again ([`carried`]).
//!
//! It deliberately keeps no event: a record is counted and dropped.
//!
//! ```
//! use guard_exporter::metrics::Metrics;
//! use guard_exporter::metrics::exposition::Format;
//!
//! let text = Metrics::new().encode(Format::Text);
//! assert!(text.contains("\nguard_denial_log_records_total 0\n"));
//! ```

pub mod carried;
pub mod catalogue;
mod changes;
mod decisions;
mod exemplars;
pub mod exposition;
pub mod groups;
mod named;
mod process;
mod registry;
mod rings;

pub use decisions::DecisionMetrics;
pub use groups::{ConnectionMetrics, ExporterMetrics, OtlpMetrics, SignalMetrics, StreamMetrics};
pub use rings::{GuardState, Infos, RingMetrics};

use crate::denial_log::LogCounters;
use carried::{CarriedCounter, CreatedTimes};
use exemplars::Exemplars;
use exposition::Format;
use prometheus::proto::MetricFamily;
use registry::{Registry, counter, int_gauge, registered};
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
    created: CreatedTimes,
}

// === impl Metrics ===

impl Metrics {
    /// All metrics except those of decisions and of the process.
    #[must_use]
    pub fn new() -> Self {
        let registry = Registry::default();
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
            created: CreatedTimes::new(),
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

    /// All metrics in `format`.
    #[must_use]
    pub fn encode(&self, format: Format) -> String {
        let started = Instant::now();
        let families = self.families();
        if format == Format::OpenMetrics {
            self.created.note(&families);
        }
        let text = exposition::encode(&families, format, &self.exemplars, &self.created);
        self.exporter
            .scrape_duration
            .set(started.elapsed().as_secs_f64());
        text
    }

    /// The counters as the next exporter is to go on from them.
    #[must_use]
    pub fn carry(&self) -> Vec<CarriedCounter> {
        carried::carry(&self.families(), &self.created)
    }

    /// Goes on from the counters of an earlier exporter. To be called before anything is counted.
    pub fn restore(&self, carried: &[CarriedCounter], decisions: &mut DecisionMetrics) {
        carried::restore(carried, &self.registry, decisions, &self.created);
    }

    /// The families with their current values.
    pub(crate) fn families(&self) -> Vec<MetricFamily> {
        self.registry.gather()
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
    use crate::detect::DetectionPlace;
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
        allowed.deadline_left_ns = Some(7_000_000_000);
        decisions.count(&allowed);
        let human = decisions.count(&allowed);
        decisions.retry_storm(human);
        decisions.mass_deletion(human, DetectionPlace::Outside, Verdict::Allow);
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
            .encode(Format::Text)
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
        let agents = 3;
        assert_eq!(
            series,
            agents * OperationKind::ALL.len() * Verdict::ALL.len()
        );
    }

    #[test]
    fn a_fresh_exporter_has_few_series() {
        let metrics = Metrics::new();
        let _decisions = metrics.decisions();
        metrics.watch_process();
        let scrape = metrics.encode(Format::Text);
        let series = scrape.lines().filter(|line| !line.starts_with('#')).count();
        assert!((1..400).contains(&series), "{series} series");
    }

    #[test]
    fn every_entry_of_the_catalogue_is_exported() {
        let metrics = Metrics::new();
        let mut event = denial(0);
        event.reason = Reason::TrustedTool;
        event.tool = Some(b"git");
        event.deadline_left_ns = Some(1);
        let mut decisions = metrics.decisions();
        decisions.count(&event);
        decisions.count(&CHANGE);
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
        let scrape = metrics.encode(Format::Text);
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
