//! The exporter's own `process_*` metrics, read from `/proc/self` at each scrape.
//!
//! Without `/proc` only the start time is exported.

use super::catalogue::{self, Metric};
use super::registry::{WELL_FORMED, options};
use crate::units::seconds;
use guard_report::time::now_ns;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Counter, Gauge};
use std::fs;

/// Reads `/proc/self` when collected.
#[derive(Clone, Debug)]
pub(super) struct ProcessCollector {
    start_time: Gauge,
    cpu: Counter,
    resident_memory: Gauge,
    virtual_memory: Gauge,
    open_fds: Gauge,
    max_fds: Gauge,
}

// === impl ProcessCollector ===

impl ProcessCollector {
    /// To be called when the process starts, since it records the start time.
    pub(super) fn new() -> Self {
        let start_time = gauge(catalogue::PROCESS_START_TIME);
        start_time.set(seconds(now_ns()));
        Self {
            start_time,
            cpu: Counter::with_opts(options(catalogue::PROCESS_CPU)).expect(WELL_FORMED),
            resident_memory: gauge(catalogue::PROCESS_RESIDENT_MEMORY),
            virtual_memory: gauge(catalogue::PROCESS_VIRTUAL_MEMORY),
            open_fds: gauge(catalogue::PROCESS_OPEN_FDS),
            max_fds: gauge(catalogue::PROCESS_MAX_FDS),
        }
    }
}

impl Collector for ProcessCollector {
    fn desc(&self) -> Vec<&Desc> {
        let gauges = [
            &self.start_time,
            &self.resident_memory,
            &self.virtual_memory,
            &self.open_fds,
            &self.max_fds,
        ];
        gauges
            .into_iter()
            .flat_map(Collector::desc)
            .chain(self.cpu.desc())
            .collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut families = self.start_time.collect();
        if let Some(seconds) = cpu_seconds() {
            self.cpu.inc_by((seconds - self.cpu.get()).max(0.0));
            families.extend(self.cpu.collect());
        }
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        for (gauge, value) in [
            (&self.resident_memory, kibibytes(&status, "VmRSS:")),
            (&self.virtual_memory, kibibytes(&status, "VmSize:")),
            (&self.open_fds, open_fds()),
            (&self.max_fds, max_fds()),
        ] {
            if let Some(value) = value {
                gauge.set(value);
                families.extend(gauge.collect());
            }
        }
        families
    }
}

fn gauge(metric: Metric) -> Gauge {
    Gauge::with_opts(options(metric)).expect(WELL_FORMED)
}

fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field, a name in parentheses, may contain anything; fields are counted after it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let user: f64 = fields.get(11)?.parse().ok()?;
    let system: f64 = fields.get(12)?.parse().ok()?;
    Some((user + system) / USER_HZ)
}

/// The bytes of a line of `/proc/self/status`.
fn kibibytes(status: &str, field: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kibibytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024.0)
}

/// The soft limit; `None` when there is none.
fn max_fds() -> Option<f64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

fn open_fds() -> Option<f64> {
    let count = fs::read_dir("/proc/self/fd").ok()?.count();
    // The directory being read is one of them.
    u32::try_from(count.saturating_sub(1)).ok().map(f64::from)
}

/// Clock ticks per second in `/proc`: 100 on every Linux that Rust runs on.
const USER_HZ: f64 = 100.0;
