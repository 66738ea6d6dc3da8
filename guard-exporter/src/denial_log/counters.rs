//! What the denial log counts.

use prometheus::{IntCounter, IntGauge};

/// Counters that the log is given when it is opened; see the `guard_denial_log_*` metrics.
#[derive(Clone, Debug)]
pub struct LogCounters {
    pub records: IntCounter,
    pub write_failures: IntCounter,
    pub written_bytes: IntCounter,
    pub rotations: IntCounter,
    pub pending: IntGauge,
}
