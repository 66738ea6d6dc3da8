//! The exporter's own `process_*` metrics, read from `/proc/self` at each scrape.
//!
//! Where there is no `/proc` only the start time is told.

use super::{Metric, catalogue, options};
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Counter, Gauge};
use std::fs;
use std::time::SystemTime;

/// Looks at `/proc/self` when asked.
#[derive(Clone, Debug)]
pub(super) struct ProcessCollector {
    start_time: Gauge,
    cpu: Counter,
    resident_memory: Gauge,
    open_fds: Gauge,
}

// === impl ProcessCollector ===

impl ProcessCollector {
    /// Made at the start of the process, whose start time it takes.
    pub(super) fn new() -> Self {
        let start_time = gauge(catalogue::PROCESS_START_TIME);
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        start_time.set(since_epoch.unwrap_or_default().as_secs_f64());
        Self {
            start_time,
            cpu: Counter::with_opts(options(catalogue::PROCESS_CPU)).expect(super::WELL_FORMED),
            resident_memory: gauge(catalogue::PROCESS_RESIDENT_MEMORY),
            open_fds: gauge(catalogue::PROCESS_OPEN_FDS),
        }
    }
}

impl Collector for ProcessCollector {
    fn desc(&self) -> Vec<&Desc> {
        let gauges = [&self.start_time, &self.resident_memory, &self.open_fds];
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
        if let Some(bytes) = resident_bytes() {
            self.resident_memory.set(bytes);
            families.extend(self.resident_memory.collect());
        }
        if let Some(count) = open_fds() {
            self.open_fds.set(count);
            families.extend(self.open_fds.collect());
        }
        families
    }
}

fn gauge(metric: Metric) -> Gauge {
    Gauge::with_opts(options(metric)).expect(super::WELL_FORMED)
}

fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field, a name in parentheses, may hold anything; fields are counted after it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let user: f64 = fields.get(11)?.parse().ok()?;
    let system: f64 = fields.get(12)?.parse().ok()?;
    Some((user + system) / USER_HZ)
}

fn resident_bytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024.0)
}

fn open_fds() -> Option<f64> {
    let count = fs::read_dir("/proc/self/fd").ok()?.count();
    // The directory being read is one of them.
    u32::try_from(count.saturating_sub(1)).ok().map(f64::from)
}

/// Clock ticks per second in `/proc`: 100 on every Linux that Rust runs on.
const USER_HZ: f64 = 100.0;
