//! The catalogue of all metrics: name, kind, labels and help.
//!
//! Code, golden file, dashboards and rules use these names. Label values are bounded and never hold a
//! path, a process id, a command or a user:
//!
//! | label | values |
//! |---|---|
//! | `agent` | labels of the agent catalogue, `custom`, `none`, and `other` past [`MAX_AGENTS`] |
//! | `operation`, `verdict`, `reason`, `answer` | `as_str` of the guard-core type; the answer to a request: `granted`, `rejected` |
//! | `lane` | `deny` (verdicts deny and audit), `allow`, `change` (allowed, with a preservation), `request` |
//! | `step` | of requests: `requested`, `granted`, `rejected`, `unanswered`, `used`, `expired`, `spent`, `withdrawn` |
//! | `protected_zone` | names of zones without a slash, and `other` past [`MAX_NAMES`] |
//! | `kind` | of changes: `removed`, `replaced`, `changed`, `shrunk`; of confinement: `landlock`, `seccomp` |
//! | `method` | `hardlink`, `rename`, `reflink`, `copy`, `record`; `none` for what could not be preserved |
//! | `cause` | `full`, `too_large`, `low_disk`, `file_system`, `journal`, `unavailable`, `no_time`, `other` |
//! | `signal` | `traces`, `metrics`, `logs` |
//! | `tool` | names of trusted tools, likewise |
//! | `revision`, `mode`, `version` | of the live guards, at most [`MAX_INFOS`] |
//!
//! ```
//! use guard_exporter::metrics::catalogue;
//!
//! assert_eq!(catalogue::DECISIONS.name, "guard_decisions_total");
//! assert_eq!(catalogue::DECISIONS.labels, ["agent", "operation", "verdict"]);
//! ```

/// One metric family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Full name, with the unit and, for counters, `_total`.
    pub name: &'static str,
    pub kind: MetricKind,
    /// Label names, in the order of their values.
    pub labels: &'static [&'static str],
    /// One sentence.
    pub help: &'static str,
}

/// The type of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only increases, from 0 when the exporter starts.
    Counter,
    /// Increases and decreases.
    Gauge,
    /// Counts observations in [`Metric::bounds`].
    Histogram,
}

/// An OpenTelemetry signal: the values of the `signal` label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Traces,
    Metrics,
    Logs,
}

/// Distinct `agent` values before the rest become `other`.
pub const MAX_AGENTS: usize = 64;

/// Distinct values of `protected_zone` and of `tool` before the rest become `other`.
pub const MAX_NAMES: usize = 64;

/// Series of an info metric of the live guards at most.
pub const MAX_INFOS: usize = 16;

/// Upper bounds of duration buckets, seconds: 1-2.5-5 steps from half a microsecond to a second.
pub const DURATION_BOUNDS: [f64; 20] = [
    5e-7, 1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2,
    2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1.0,
];

/// Upper bounds of the time left until a deadline, seconds: deadlines are seconds to a minute away.
pub const MARGIN_BOUNDS: [f64; 12] = [
    1e-3, 1e-2, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0,
];

/// Upper bounds of the time that a person takes, seconds: a glance to a day.
pub const WAIT_BOUNDS: [f64; 12] = [
    1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 86_400.0,
];

// === impl Metric ===

impl Metric {
    /// The upper bounds of a histogram's buckets, seconds.
    #[must_use]
    pub fn bounds(&self) -> &'static [f64] {
        if *self == DEADLINE_MARGIN {
            &MARGIN_BOUNDS
        } else if *self == REQUEST_WAIT {
            &WAIT_BOUNDS
        } else {
            &DURATION_BOUNDS
        }
    }

    /// The base unit that the name ends with; `None` for plain numbers.
    #[must_use]
    pub fn unit(&self) -> Option<&'static str> {
        let name = self.name.strip_suffix("_total").unwrap_or(self.name);
        ["seconds", "bytes"]
            .into_iter()
            .find(|unit| name.ends_with(unit))
    }
}

// === impl Signal ===

impl Signal {
    /// All signals, in the order of their series.
    pub const ALL: [Self; 3] = [Self::Traces, Self::Metrics, Self::Logs];

    /// The label value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
        }
    }
}

macro_rules! catalogue {
    ($($constant:ident $kind:ident $name:literal $labels:expr, $help:literal;)+) => {
        $(
            #[doc = $help]
            pub const $constant: Metric =
                Metric { name: $name, kind: MetricKind::$kind, labels: &$labels, help: $help };
        )+

        /// All metrics, in the order of this file.
        pub const ALL: &[Metric] = &[$($constant),+];

        /// The names of their constants, in the same order.
        pub const CONSTANTS: &[&str] = &[$(stringify!($constant)),+];
    };
}

catalogue! {
    DECISIONS Counter "guard_decisions_total" ["agent", "operation", "verdict"],
        "Decisions taken, by the agent in the actor's lineage.";
    DECISION_REASONS Counter "guard_decision_reasons_total" ["reason", "verdict"],
        "Decisions taken, by reason.";
    ANSWERS Counter "guard_answers_total" ["answer"],
        "Decisions taken, by how the answer was carried out.";
    DECISION_DURATION Histogram "guard_decision_duration_seconds" ["operation"],
        "Time from the receipt of an operation to its verdict.";
    DEADLINE_MARGIN Histogram "guard_deadline_margin_seconds" [],
        "Time left until the kernel's deadline at the verdict, where the platform has one.";
    ZONE_DECISIONS Counter "guard_zone_decisions_total" ["protected_zone", "verdict"],
        "Decisions that touched a protected zone, by its configured name.";
    TRUSTED_USES Counter "guard_trusted_uses_total" ["tool"],
        "Operations of agents that were allowed for a trusted tool.";
    OVERRIDE_USES Counter "guard_override_uses_total" ["agent"],
        "Operations that a temporary override allowed.";
    TRACED_DENIALS Counter "guard_traced_denials_total" [],
        "Denials whose process carried a trace context.";
    MALFORMED_TRACES Counter "guard_malformed_traces_total" [],
        "Denials whose process carried a malformed trace context.";
    RETRY_STORMS Counter "guard_retry_storms_total" ["agent"],
        "Retry storms: times an agent began to repeat a denied operation.";
    MASS_DELETIONS Counter "guard_mass_deletions_total" ["agent", "place", "verdict"],
        "Mass deletions: times a session began to remove many names; deny when all were denied.";
    DENIED_COMMANDS Counter "guard_denied_commands_total" ["agent"],
        "Processes that were denied something, each counted once.";

    FILE_CHANGES Counter "guard_file_changes_total" ["agent", "kind"],
        "Kept files that agents removed, replaced or changed, whether they were preserved or not.";
    PRESERVED_FILES Counter "guard_preserved_files_total" ["agent", "method"],
        "Files, links and directories that were preserved before an agent's operation.";
    PRESERVED_BYTES Counter "guard_preserved_bytes_total" ["agent", "method"],
        "Bytes of the files that were preserved, by their lengths.";
    UNPRESERVED_FILES Counter "guard_unpreserved_files_total" ["cause", "verdict"],
        "Files that could not be preserved; deny when the operation was denied for that.";
    PRESERVING_DURATION Histogram "guard_preserving_duration_seconds" ["method"],
        "Time that an operation waited for preserving; none when it failed.";
    UNDO_STORE_UNAVAILABLE Gauge "guard_undo_store_unavailable" [],
        "Whether a live guard should preserve and has no undo store.";
    UNDO_STORE_BYTES Gauge "guard_undo_store_bytes" [],
        "Bytes in the undo store, as a live guard last knew.";
    UNDO_STORE_FILES Gauge "guard_undo_store_files" [],
        "Objects in the undo store, as of the last sweep of a live guard.";
    UNDO_STORE_LIMIT Gauge "guard_undo_store_limit_bytes" [],
        "The most bytes that the undo store may have, as a live guard last knew.";
    UNDO_EVICTED_SESSIONS Counter "guard_undo_evicted_sessions_total" [],
        "Sessions that were evicted from the undo store for age or for room.";
    UNDO_EVICTED_BYTES Counter "guard_undo_evicted_bytes_total" [],
        "Bytes that were evicted from the undo store.";
    UNDO_RESTORES Counter "guard_undo_restores_total" [],
        "Times a person restored something by codex-es-guard undo.";
    UNDO_RESTORED_FILES Counter "guard_undo_restored_files_total" [],
        "Files that were restored.";

    REQUEST_STEPS Counter "guard_requests_total" ["agent", "step"],
        "Steps of requests and overrides: requested, granted, rejected, used, and how they ended.";
    REQUEST_WAIT Histogram "guard_request_wait_seconds" ["answer"],
        "Time from a request to a person's answer.";
    OPEN_REQUESTS Gauge "guard_open_requests" [],
        "Requests that wait for a person, summed over the live guards.";
    OLDEST_REQUEST Gauge "guard_oldest_open_request_timestamp_seconds" [],
        "When the oldest request that waits for a person was made, Unix time; 0 when none waits.";

    UP Gauge "guard_up" [],
        "Whether at least one guard is alive.";
    LIVE_RINGS Gauge "guard_live_rings" [],
        "Guards that are alive, each with one ring.";
    ENFORCEMENT_ACTIVE Gauge "guard_enforcement_active" [],
        "Whether every live guard enforces its policy; 0 when none is alive.";
    HEARTBEAT Gauge "guard_heartbeat_timestamp_seconds" [],
        "Oldest heartbeat of the live guards, Unix time; 0 when none is alive.";

    RING_RECORDS Counter "guard_ring_records_total" ["lane"],
        "Records read from rings.";
    RING_LOST_RECORDS Counter "guard_ring_lost_records_total" ["lane"],
        "Records overwritten before they were read.";
    RING_LAG Gauge "guard_ring_lag_records" ["lane"],
        "Records committed to rings and not yet read.";
    RING_CAPACITY Gauge "guard_ring_capacity_bytes" ["lane"],
        "Room for records in the rings that are read.";
    RING_REJECTED Counter "guard_ring_rejected_total" [],
        "Files in ring directories that are not a ring of this user's guards.";

    NOTIFICATIONS Counter "guard_notifications_total" [],
        "Notifications of operations from the kernel, before any decision.";
    DEADLINE_MISSES Counter "guard_deadline_misses_total" [],
        "Answers that came after the kernel's deadline.";
    KERNEL_EVENTS_DROPPED Counter "guard_kernel_events_dropped_total" [],
        "Events that the kernel reported as dropped.";
    UNRESOLVED_PATHS Counter "guard_unresolved_paths_total" [],
        "Decisions on a path that could not be resolved.";
    PROTECTED_WRITES_DENIED Counter "guard_protected_writes_denied_total" [],
        "Denied attempts on the guards' own files and processes.";
    EVENTS_CUT Counter "guard_events_cut_total" [],
        "Events with a field that was cut to its limit.";
    PANICS Counter "guard_panics_total" [],
        "Panics in the guards' code, each answered by the policy's on_deadline.";
    DELIVERY_DELAY Counter "guard_delivery_delay_seconds_total" [],
        "Time between the kernel's notifications and their receipt by the guards.";
    LONGEST_DELIVERY_DELAY Gauge "guard_longest_delivery_delay_seconds" [],
        "Longest delivery delay since a live guard started.";
    TRACKED_PROCESSES Gauge "guard_tracked_processes" [],
        "Processes in the lineage tables of the live guards.";
    LINEAGE_EVICTIONS Counter "guard_lineage_evictions_total" [],
        "Processes dropped from full lineage tables.";
    ACTIVE_AGENTS Gauge "guard_active_agents" [],
        "Agents alive under the live guards.";

    DAEMON_BUILD_INFO Gauge "guard_daemon_build_info" ["version"],
        "Always 1; the labels are the builds of the live guards.";

    POLICY_INFO Gauge "guard_policy_info" ["mode", "revision"],
        "Always 1; the labels are the policies of the live guards.";
    POLICY_ZONES Gauge "guard_policy_zones" [],
        "Protected zones, summed over the live guards.";
    POLICY_OVERRIDES Gauge "guard_policy_overrides" [],
        "Temporary overrides in force, summed over the live guards.";
    POLICY_AUDIT_MODE Gauge "guard_policy_audit_mode" [],
        "Whether the policy of any live guard is in audit mode.";
    POLICY_RELOADS Counter "guard_policy_reloads_total" [],
        "Policies loaded.";
    POLICY_RELOAD_FAILURES Counter "guard_policy_reload_failures_total" [],
        "Policies that could not be loaded; the last good one stayed in force.";
    POLICY_LAST_RELOAD_SUCCESSFUL Gauge "guard_policy_last_reload_successful" [],
        "Whether every live guard has loaded its current policy file; 0 when none is alive.";
    POLICY_LAST_RELOAD_TIME Gauge "guard_policy_last_reload_success_timestamp_seconds" [],
        "When a live guard last loaded a policy, Unix time; 0 when none is alive.";

    LOG_RECORDS Counter "guard_denial_log_records_total" [],
        "Lines written to the denial log.";
    REPEATED_DENIALS Counter "guard_denial_log_repeats_total" [],
        "Denials that are only counted in a line of the denial log, because they repeat others.";
    LOG_WRITE_FAILURES Counter "guard_denial_log_write_failures_total" [],
        "Failed attempts to write the denial log; the lines stay pending.";
    LOG_WRITTEN_BYTES Counter "guard_denial_log_written_bytes_total" [],
        "Bytes written to the denial log.";
    LOG_PENDING Gauge "guard_denial_log_pending_bytes" [],
        "Bytes of lines waiting to be written to the denial log.";
    LOG_ROTATIONS Counter "guard_denial_log_rotations_total" [],
        "Times the denial log was moved to a numbered file.";

    CHANGE_LOG_RECORDS Counter "guard_change_log_records_total" [],
        "Lines written to the change log.";
    CHANGE_LOG_WRITE_FAILURES Counter "guard_change_log_write_failures_total" [],
        "Failed attempts to write the change log; the lines stay pending.";
    CHANGE_LOG_WRITTEN_BYTES Counter "guard_change_log_written_bytes_total" [],
        "Bytes written to the change log.";
    CHANGE_LOG_PENDING Gauge "guard_change_log_pending_bytes" [],
        "Bytes of lines waiting to be written to the change log.";
    CHANGE_LOG_ROTATIONS Counter "guard_change_log_rotations_total" [],
        "Times the change log was moved to a numbered file.";

    OVERRIDE_LOG_RECORDS Counter "guard_override_log_records_total" [],
        "Lines written to the log of requests and overrides.";
    OVERRIDE_LOG_WRITE_FAILURES Counter "guard_override_log_write_failures_total" [],
        "Failed attempts to write the log of requests and overrides; the lines stay pending.";
    OVERRIDE_LOG_WRITTEN_BYTES Counter "guard_override_log_written_bytes_total" [],
        "Bytes written to the log of requests and overrides.";
    OVERRIDE_LOG_PENDING Gauge "guard_override_log_pending_bytes" [],
        "Bytes of lines waiting to be written to the log of requests and overrides.";
    OVERRIDE_LOG_ROTATIONS Counter "guard_override_log_rotations_total" [],
        "Times the log of requests and overrides was moved to a numbered file.";

    OTLP_EXPORTED Counter "guard_otlp_exported_items_total" ["signal"],
        "Spans, metric points and log records that a collector accepted.";
    OTLP_FAILURES Counter "guard_otlp_export_failures_total" ["signal"],
        "Failed attempts to export to a collector.";
    OTLP_DROPPED Counter "guard_otlp_dropped_items_total" ["signal"],
        "Items that did not reach a collector: queue full, refused, or not sent before the exit.";
    OTLP_QUEUED Gauge "guard_otlp_queued_items" ["signal"],
        "Items waiting to be sent, including those being sent.";

    SCRAPE_DURATION Gauge "guard_scrape_duration_seconds" [],
        "Time to encode the previous scrape.";
    BUILD_INFO Gauge "guard_exporter_build_info" ["version"],
        "Always 1; the label is the exporter's build.";
    BIND_FAILURES Counter "guard_exporter_bind_failures_total" [],
        "Failed attempts to listen on the configured address.";
    READY Gauge "guard_exporter_ready" [],
        "Whether the rings are drained and the denial log can be written.";
    CONFINED Gauge "guard_exporter_confined" ["kind"],
        "Whether the exporter is confined, by landlock and by seccomp.";
    LAST_PASS Gauge "guard_exporter_last_pass_timestamp_seconds" [],
        "When the rings were last read, Unix time.";
    CAPPED_VALUES Counter "guard_exporter_capped_values_total" [],
        "Decisions counted under other because a label had too many values.";
    EVENT_CLIENTS Gauge "guard_exporter_event_clients" [],
        "Clients of /api/v1/events.";
    EVENT_DROPS Counter "guard_exporter_event_drops_total" [],
        "Events dropped for clients that read too slowly.";
    CONNECTIONS Gauge "guard_exporter_connections" [],
        "Open HTTP connections.";
    CONNECTIONS_SHED Counter "guard_exporter_connections_shed_total" [],
        "Connections closed to make room for new ones.";
    CONNECTIONS_STALLED Counter "guard_exporter_connections_stalled_total" [],
        "Connections closed because the client did not read the response.";
    PROCESS_START_TIME Gauge "process_start_time_seconds" [],
        "When the exporter started, Unix time.";
    PROCESS_CPU Counter "process_cpu_seconds_total" [],
        "User and system CPU time of the exporter.";
    PROCESS_RESIDENT_MEMORY Gauge "process_resident_memory_bytes" [],
        "Resident memory of the exporter.";
    PROCESS_VIRTUAL_MEMORY Gauge "process_virtual_memory_bytes" [],
        "Virtual memory of the exporter.";
    PROCESS_MAX_FDS Gauge "process_max_fds" [],
        "Maximum number of open file descriptors of the exporter.";
    PROCESS_OPEN_FDS Gauge "process_open_fds" [],
        "Open file descriptors of the exporter.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_follow_the_conventions() {
        let mut seen = HashSet::new();
        for metric in ALL {
            assert!(seen.insert(metric.name), "{} is there twice", metric.name);
            assert!(
                metric.name.starts_with("guard_") || metric.name.starts_with("process_"),
                "{}",
                metric.name
            );
            assert_eq!(
                metric.name.ends_with("_total"),
                metric.kind == MetricKind::Counter,
                "{metric:?}"
            );
            assert!(metric.help.ends_with('.'), "{}", metric.help);
            for label in metric.labels {
                assert!(!metric.name.contains(label) || *label == "answer" || *label == "reason");
            }
        }
    }

    #[test]
    fn units_are_in_names() {
        assert_eq!(DECISION_DURATION.unit(), Some("seconds"));
        assert_eq!(LOG_WRITTEN_BYTES.unit(), Some("bytes"));
        assert_eq!(DECISIONS.unit(), None);
    }

    #[test]
    fn bounds_are_ascending() {
        for bounds in ALL.iter().map(Metric::bounds) {
            assert!(bounds.is_sorted_by(|a, b| a < b));
        }
        assert_eq!(DEADLINE_MARGIN.bounds(), MARGIN_BOUNDS);
    }
}
