//! What a log counts.

use prometheus::{IntCounter, IntGauge};

/// Counters that a log is given when it is opened; see the `guard_denial_log_*` and
/// `guard_change_log_*` metrics.
#[derive(Clone, Debug)]
pub struct LogCounters {
    pub records: IntCounter,
    pub write_failures: IntCounter,
    pub written_bytes: IntCounter,
    pub rotations: IntCounter,
    pub pending: IntGauge,
}
