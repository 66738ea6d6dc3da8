"""A bad day: every half hour something else goes wrong, and each alert fires once."""

from series import Machine, document

HOUR = 60
EXPRESSION = (
    'count by (alertname) (ALERTS{alertstate="firing"} unless ALERTS{alertstate="firing"} offset 1m)'
)


def text():
    mac = Machine(1, job="guard", instance="mac")
    quiet(mac)
    happens = [
        *denials(mac),
        *changes(mac),
        *requests(mac),
        *capacity(mac),
        *telemetry(mac),
        *enforcement(mac),
    ]
    # How often each alert began to fire, in the whole day.
    begun = f"sum by (alertname) (count_over_time(({EXPRESSION})[1d:1m]))"
    samples = [(f'{{alertname="{alert}"}}', 1) for alert in happens]
    return document(
        "A bad day, on which each alert fires once.",
        "each alert fires once",
        [mac],
        [(begun, 24 * HOUR - 1, samples)],
    )


def quiet(mac):
    """All is well, and counters are old."""
    for metric in (
        "panics protected_writes_denied deadline_misses kernel_events_dropped lineage_evictions unresolved_paths "
        "denial_log_write_failures change_log_write_failures override_log_write_failures denial_log_rotations "
        "exporter_capped_values ring_rejected"
    ).split():
        mac.begin(f"guard_{metric}_total", -9000, 1)
    for agent in ("codex", "aider"):
        mac.begin("guard_denied_commands_total", -9000, 1, agent=agent)
        mac.begin("guard_retry_storms_total", -9000, 1, agent=agent)
    mac.set("guard_up", 1)
    mac.set("guard_live_rings", 1)
    mac.set("guard_heartbeat_timestamp_seconds", beats)


def beats(minute):
    return minute * 60


def once(machine, metric, alert, at, count=1, **labels):
    """A counter increases at once."""
    if (metric, tuple(labels.items())) not in machine.changes:
        machine.begin(metric, -9000, 1, **labels)
    machine.add(metric, count, at, **labels)
    return alert


def denials(mac):
    commands = "guard_denied_commands_total"
    yield once(mac, commands, "GuardDenyBurst", 1 * HOUR, 25, agent="codex")
    deleted = {"metric": "guard_mass_deletions_total", "machine": mac, "agent": "codex"}
    yield once(alert="GuardMassDeletion", at=2 * HOUR, place="zone", verdict="allow", **deleted)
    yield once(alert="GuardMassDeletionOutside", at=150, place="outside", verdict="allow", **deleted)
    yield once(alert="GuardMassDeletionPreserved", at=3 * HOUR, place="preserved", verdict="allow", **deleted)
    for minute in (210, 212, 214):
        once(mac, commands, "", minute, agent="codex")
        once(alert="", at=minute, place="zone", verdict="deny", **deleted)
    yield "GuardMassDeletionDenied"
    yield once(mac, "guard_retry_storms_total", "GuardRetryStorm", 4 * HOUR, agent="codex")
    yield once(mac, "guard_protected_writes_denied_total", "GuardProtectedWritesDenied", 270)
    yield once(mac, commands, "GuardDenialsAboveBaseline", 5 * HOUR, 12, agent="aider")
    unknown = {"agent": "other", "operation": "unlink", "verdict": "allow"}
    yield once(mac, "guard_decisions_total", "GuardUnknownAgent", 330, 5, **unknown)
    mac.set("guard_policy_overrides", 1)
    mac.set("guard_policy_overrides", 6, 6 * HOUR)
    yield "GuardOverrideBurst"
    yield once(mac, "guard_override_uses_total", "GuardOverridesUsedHeavily", 390, 150, agent="codex")


def changes(mac):
    failed = {"cause": "full", "verdict": "allow"}
    yield once(mac, "guard_unpreserved_files_total", "GuardPreservingFails", 7 * HOUR, 9, **failed)
    mac.set("guard_undo_store_unavailable", 0)
    mac.during("guard_undo_store_unavailable", 1, 450, 455, 0)
    yield "GuardUndoStoreUnavailable"
    mac.set("guard_undo_store_limit_bytes", 100)
    mac.set("guard_undo_store_bytes", 50)
    mac.during("guard_undo_store_bytes", 95, 8 * HOUR, 500, 80)
    yield "GuardUndoStoreNearlyFull"
    yield once(mac, "guard_file_changes_total", "GuardFilesReplaced", 510, 300, agent="codex", kind="shrunk")


def requests(mac):
    granted = {"agent": "codex", "step": "granted"}
    yield once(mac, "guard_requests_total", "GuardGrantBurst", 405, 20, **granted)
    oldest = "guard_oldest_open_request_timestamp_seconds"
    mac.set(oldest, 0)
    mac.during(oldest, 20 * 60, 20, 45, 0)
    yield "GuardRequestUnanswered"


def capacity(mac):
    yield once(mac, "guard_deadline_misses_total", "GuardDeadlineMisses", 9 * HOUR)
    yield once(mac, "guard_kernel_events_dropped_total", "GuardKernelEventsDropped", 570, 9)
    bucket, fast = "guard_decision_duration_seconds_bucket", 10 * HOUR
    slow = fast + 30
    for bound in ("0.0001", "0.01", "+Inf"):
        mac.set(bucket, lambda minute: minute * 100, operation="unlink", le=bound)
    # For half an hour, half of the decisions take more than a tenth of a millisecond.
    lagging = lambda minute: fast * 100 + (minute - fast) * 50
    mac.set(bucket, lagging, fast, operation="unlink", le="0.0001")
    mac.set(bucket, lambda minute: lagging(slow) + (minute - slow) * 100, slow, operation="unlink", le="0.0001")
    yield "GuardDecisionLatencyHigh"
    yield once(mac, "guard_ring_lost_records_total", "GuardRingRecordsLost", 11 * HOUR, 90, lane="deny")
    mac.set("guard_ring_capacity_bytes", 4194304, lane="deny")
    mac.set("guard_ring_lag_records", 0, lane="deny")
    mac.during("guard_ring_lag_records", 8192, 690, 700, 0, lane="deny")
    yield "GuardRingFilling"
    yield once(mac, "guard_lineage_evictions_total", "GuardLineageEvictions", 12 * HOUR, 9)
    yield once(mac, "guard_unresolved_paths_total", "GuardUnresolvedPaths", 750, 40)


def telemetry(mac):
    yield once(mac, "guard_denial_log_write_failures_total", "GuardDenialLogFailing", 13 * HOUR, 30)
    yield once(mac, "guard_change_log_write_failures_total", "GuardChangeLogFailing", 810, 30)
    yield once(mac, "guard_override_log_write_failures_total", "GuardOverrideLogFailing", 825, 30)
    for minute in range(14 * HOUR, 860, 4):
        once(mac, "guard_denial_log_rotations_total", "", minute)
    yield "GuardDenialLogTurnsOver"
    mac.set("guard_exporter_ready", 1)
    mac.during("guard_exporter_ready", 0, 15 * HOUR, 910, 1)
    yield "GuardExporterNotReady"
    mac.set("guard_exporter_confined", 1, kind="landlock")
    mac.during("guard_exporter_confined", 0, 930, 960, 1, kind="landlock")
    yield "GuardExporterUnconfined"
    yield once(mac, "guard_exporter_capped_values_total", "GuardLabelsCapped", 990, 5)
    for minute in range(17 * HOUR, 1040):
        once(mac, "guard_otlp_export_failures_total", "", minute, signal="traces")
    yield "GuardOtlpExportFailing"
    yield once(mac, "guard_otlp_dropped_items_total", "GuardOtlpItemsDropped", 18 * HOUR, 90, signal="traces")
    yield once(mac, "guard_ring_rejected_total", "GuardRingRejected", 1110)


def enforcement(mac):
    yield once(mac, "guard_panics_total", "GuardPanics", 19 * HOUR)
    mac.set("guard_policy_last_reload_successful", 1)
    mac.during("guard_policy_last_reload_successful", 0, 1170, 1175, 1)
    yield "GuardPolicyReloadFailed"
    mac.set("guard_policy_audit_mode", 0)
    mac.during("guard_policy_audit_mode", 1, 6 * HOUR, 650, 0)
    yield "GuardAuditModeActive"
    mac.set("guard_enforcement_active", 1)
    mac.during("guard_enforcement_active", 0, 20 * HOUR, 1205, 1)
    yield "GuardEnforcementInactive"
    mac.during("guard_heartbeat_timestamp_seconds", beats(1230), 1230, 1236, beats)
    yield "GuardHung"
    mac.during("guard_up", 0, 21 * HOUR, 1270, 1)
    yield "GuardDown"
    # And all that was counted is there again.
    mac.leave(22 * HOUR, 1340)
    yield "GuardExporterDown"
