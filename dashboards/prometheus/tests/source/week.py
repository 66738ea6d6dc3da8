"""A normal week, in which no alert fires: a laptop whose exporter comes and goes with ten sessions a day and
goes on from old counts, with some denials, one denied rm -rf of 400 files, a new agent, a suspension and a
weekend off; and a machine that is always guarded, with restarts and a reboot."""

from series import DAY, Machine, document

DAYS = 7
HOUR = 60
WORKING = 5
# A session begins every fifty minutes; its exporter ends ten minutes after it.
FIRST, EVERY, LASTS, STAYS = 9 * HOUR, 50, 25, 10
# Commands that are denied something in each session of a day.
DENIED = [2, 0, 1, 4, 0, 3, 0, 0, 5, 1]
TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = 1, 2, 3, 4
# What was counted before the first scrape of the week, in the weeks before.
OLD = -30 * DAY
COUNTED = {
    "panics": 2,
    "protected_writes_denied": 3,
    "deadline_misses": 1,
    "kernel_events_dropped": 9,
    "lineage_evictions": 30,
    "unresolved_paths": 70,
    "denial_log_write_failures": 4,
    "change_log_write_failures": 4,
    "override_log_write_failures": 4,
    "denial_log_rotations": 17,
    "exporter_capped_values": 7,
    "ring_rejected": 1,
}
LABELLED = [
    ("guard_retry_storms_total", 4, {"agent": "codex"}),
    ("guard_mass_deletions_total", 1, {"agent": "codex", "place": "zone", "verdict": "allow"}),
    ("guard_mass_deletions_total", 2, {"agent": "codex", "place": "preserved", "verdict": "allow"}),
    ("guard_mass_deletions_total", 5, {"agent": "codex", "place": "outside", "verdict": "allow"}),
    ("guard_mass_deletions_total", 0, {"agent": "codex", "place": "zone", "verdict": "deny"}),
    ("guard_override_uses_total", 500, {"agent": "codex"}),
    ("guard_decisions_total", 40, {"agent": "other", "operation": "unlink", "verdict": "allow"}),
    ("guard_unpreserved_files_total", 9, {"cause": "full", "verdict": "allow"}),
    ("guard_file_changes_total", 900, {"agent": "codex", "kind": "replaced"}),
    ("guard_file_changes_total", 700, {"agent": "codex", "kind": "shrunk"}),
    ("guard_ring_lost_records_total", 120, {"lane": "deny"}),
    ("guard_otlp_export_failures_total", 50, {"signal": "traces"}),
    ("guard_otlp_dropped_items_total", 90, {"signal": "traces"}),
    ("guard_denied_commands_total", 33, {"agent": "codex"}),
    ("guard_requests_total", 60, {"agent": "codex", "step": "granted"}),
]
CODEX = {"agent": "codex"}
DELETION = {"agent": "codex", "place": "zone", "verdict": "deny"}


def text():
    machines = [laptop(), server()]
    seen = "max by (instance, counter) (max_over_time(counter:guard_events:increase10m[7d]))"
    # That the week is not silent for lack of events: the most that was counted in ten minutes.
    samples = [
        ("laptop", "denied_commands", 5),
        ("laptop", "mass_deletions", 1),
        ("laptop", "file_changes", 50),
        ("laptop", "requests", 1),
        ("laptop", "unresolved_paths", 3),
        ("laptop", "otlp_export_failures", 2),
        ("laptop", "denial_log_write_failures", 1),
        ("server", "denied_commands", 2),
    ]
    labels = [(f'{{instance="{machine}", counter="{counter}"}}', count) for machine, counter, count in samples]
    end = DAYS * DAY - 1
    return document(
        "A normal week, in which no alert fires.",
        "no alert fires",
        machines,
        [
            ('count by (alertname, instance) (count_over_time(ALERTS{alertstate="firing"}[7d]))', end, []),
            (seen, end, labels),
        ],
    )


def old_counts(machine):
    for name, count in COUNTED.items():
        machine.begin(f"guard_{name}_total", OLD, count)
    for metric, count, labels in LABELLED:
        machine.begin(metric, OLD, count, **labels)


def guarded(machine, start, end, guards=1):
    """Guards are alive from one minute to another. Each has the policy's six overrides."""
    for metric, value in {
        "guard_up": 1,
        "guard_live_rings": guards,
        "guard_enforcement_active": 1,
        "guard_policy_last_reload_successful": 1,
        "guard_policy_overrides": 6 * guards,
        "guard_heartbeat_timestamp_seconds": lambda minute: minute * 60,
    }.items():
        machine.during(metric, value, start, end, 0)


def steady(machine):
    """What does not change."""
    machine.set("guard_exporter_ready", 1)
    for kind in ("landlock", "seccomp"):
        machine.set("guard_exporter_confined", 1, kind=kind)
    for metric, value in {
        "guard_undo_store_unavailable": 0,
        "guard_undo_store_bytes": 80,
        "guard_undo_store_limit_bytes": 100,
        "guard_policy_audit_mode": 0,
        "guard_oldest_open_request_timestamp_seconds": 0,
    }.items():
        machine.set(metric, value)
    machine.set("guard_ring_lag_records", 3, lane="deny")
    machine.set("guard_ring_capacity_bytes", 4194304, lane="deny")
    for bound, share in (("0.0001", 990), ("0.005", 999), ("+Inf", 1000)):
        grows = lambda minute, share=share: share * minute
        machine.set("guard_decision_duration_seconds_bucket", grows, operation="unlink", le=bound)


def laptop():
    machine = Machine(DAYS, job="guard", instance="laptop", scope="session")
    old_counts(machine)
    steady(machine)
    present = [False] * machine.minutes
    for day in range(WORKING):
        for number, denied in enumerate(DENIED):
            # On Wednesday the seventh is missing: the sixth was suspended for so long.
            if (day, number) != (WEDNESDAY, 6):
                session(machine, present, day, number, denied)
    for minute, there in enumerate(present):
        machine.away[minute] = not there
    return machine


def session(machine, present, day, number, denied):
    start = day * DAY + FIRST + number * EVERY
    end = start + LASTS
    suspended = (day, number) == (WEDNESDAY, 5)
    if suspended:
        end += 40
    two = (day, number) == (THURSDAY, 2)
    guarded(machine, start, end, guards=2 if two else 1)
    for minute in range(start, end + STAYS):
        present[minute] = not (suspended and start + 10 <= minute < start + 50)
    if suspended:
        # The first heartbeat after it is the last before it.
        machine.during("guard_heartbeat_timestamp_seconds", (start + 9) * 60, start + 50, start + 51, beats)
        machine.set("guard_heartbeat_timestamp_seconds", 0, end)
    if not number:
        machine.during("guard_exporter_ready", 0, start, start + 1, 1)
    if day == 0 and number in (6, 7):
        machine.during("guard_policy_audit_mode", 1, start, end, 0)
    # Half of them before the first scrape of the exporter.
    at = start if number % 2 else start + 10
    if denied:
        machine.add("guard_denied_commands_total", denied, at, **CODEX)
    machine.add("guard_file_changes_total", 50, start + 10, **CODEX, kind="replaced")
    machine.add("guard_file_changes_total", 30, start + 10, **CODEX, kind="shrunk")
    machine.add("guard_unresolved_paths_total", 3, start + 15)
    event(machine, day, number, start)


def event(machine, day, number, start):
    """What happens once in the week, or once a day."""
    if (day, number) == (TUESDAY, 4):
        # rm -rf of 400 files, denied: one command.
        machine.add("guard_denied_commands_total", 1, start + 5, **CODEX)
        machine.add("guard_mass_deletions_total", 1, start + 5, **DELETION)
    if (day, number) == (WEDNESDAY, 3):
        machine.begin("guard_denied_commands_total", start, 1, start + 1, agent="aider")
    if (day, number) == (THURSDAY, 1):
        # The collector is restarted.
        machine.add("guard_otlp_export_failures_total", 2, start + 5, signal="traces")
    if (day, number) == (FRIDAY, 0):
        machine.add("guard_denial_log_write_failures_total", 1, start + 5)
    if number == 5:
        # A request is answered in ten minutes.
        oldest = "guard_oldest_open_request_timestamp_seconds"
        machine.during(oldest, (start + 2) * 60, start + 2, start + 12, 0)
        machine.add("guard_requests_total", 1, start + 12, agent="codex", step="granted")
    if number == 8:
        machine.add("guard_denial_log_rotations_total", 1, start + 12)


def beats(minute):
    return minute * 60


def server():
    machine = Machine(DAYS, job="guard", instance="server", scope="machine")
    old_counts(machine)
    steady(machine)
    guarded(machine, 0, machine.minutes - 1)
    for hour in range(2, DAYS * 24, 5):
        machine.add("guard_denied_commands_total", 1 + hour % 2, hour * HOUR, **CODEX)
    # The guard is restarted, and a policy is read half-written.
    at = WEDNESDAY * DAY + 12 * HOUR
    for metric in ("guard_up", "guard_live_rings", "guard_enforcement_active", "guard_policy_overrides"):
        machine.during(metric, 0, at, at + 1, 6 if metric.endswith("overrides") else 1)
    machine.during("guard_policy_last_reload_successful", 0, at + 90, at + 91, 1)
    # Its exporter is restarted on Tuesday, the machine on Thursday.
    machine.leave(TUESDAY * DAY + 3 * HOUR, TUESDAY * DAY + 3 * HOUR + 1)
    machine.leave(THURSDAY * DAY + 4 * HOUR, THURSDAY * DAY + 4 * HOUR + 3)
    return machine
