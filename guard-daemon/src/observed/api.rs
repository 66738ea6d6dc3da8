//! What the exporter's API answers, as far as it is shown here.

use super::guards::Guard;
use serde::{Deserialize, Serialize};

/// `/api/v1/status`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Status {
    pub(crate) version: String,
    pub(crate) pid: u32,
    pub(crate) started: String,
    pub(crate) ready: bool,
    pub(crate) obstacle: Option<String>,
    pub(crate) denial_log: DenialLog,
    #[serde(skip_serializing)]
    pub(crate) agents: Vec<Agent>,
    #[serde(skip_serializing)]
    pub(crate) guards: Vec<Guard>,
}

/// Where the log is, and the hash of its last line while its lines are chained.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct DenialLog {
    pub(crate) path: String,
    pub(crate) head: Option<String>,
}

/// What was decided for an agent.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Agent {
    pub(crate) agent: String,
    /// Within the last minute.
    #[serde(rename = "1m")]
    pub(crate) minute: Decisions,
}

/// Decisions by verdict.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub(crate) struct Decisions {
    pub(crate) allow: u64,
    pub(crate) deny: u64,
    pub(crate) audit: u64,
}

/// `/api/v1/latency`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Latencies {
    pub(crate) spans: Vec<Span>,
}

/// The latencies of one span of time.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Span {
    pub(crate) series: Vec<Latency>,
}

/// The latency of one operation and verdict, nanoseconds.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Latency {
    pub(crate) operation: String,
    pub(crate) verdict: String,
    pub(crate) count: u64,
    pub(crate) p50_ns: u64,
    pub(crate) p99_ns: u64,
    pub(crate) max_ns: u64,
}

/// `/api/v1/denials`.
#[derive(Debug, Deserialize)]
pub(crate) struct Denials<'a> {
    #[serde(borrow)]
    pub(crate) denials: Vec<guard_report::record::DenialRecord<'a>>,
}
