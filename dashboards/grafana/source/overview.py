"""Overview: are agents being stopped, which, where, and is the guard healthy?"""

import layout
from panels import bars, series, stat, table, timeline
from queries import RATE, query

DENIED = 'guard_decisions_total{@,verdict="deny"}'
TO_AGENT = [layout.link_to("guard-agent", "This agent", "agent", "${__field.labels.agent}")]
TO_AGENT_ROW = [layout.link_to("guard-agent", "This agent", "agent", "${__value.text}")]


def dashboard():
    return layout.dashboard(
        "guard-overview",
        "Guard: Overview",
        "Are agents being stopped, which, where, and is the guard healthy?",
        [
            ("Now", state()),
            ("Denials", denials()),
            ("What agents do", behaviour()),
            ("What agents change", changes()),
            ("Guard", guard()),
            ("Denial log", log("denial", "denials.jsonl")),
            ("Change log", log("change", "changes.jsonl")),
            ("Log of requests", log("override", "overrides.jsonl")),
        ],
    )


def state():
    return [
        stat(
            "Guards alive",
            "Guards that are alive. 0 is usual between sessions where no guard runs all the time.",
            "sum(guard_live_rings{@})",
        ),
        stat(
            "Enforcement",
            "Whether every live guard enforces its policy. Targets without a guard count as inactive.",
            "min(guard_enforcement_active{@})",
            good=1,
            words=("inactive", "active"),
        ),
        stat(
            "Policy",
            "Whether the policy in force is the file's. When a file is invalid, the last good policy stays.",
            "min(guard_policy_last_reload_successful{@})",
            good=1,
            words=("invalid", "valid"),
        ),
        stat(
            "Mode",
            "Audit: some guard allows what it would deny, and only records it.",
            "max(guard_policy_audit_mode{@})",
            good=0,
            words=("enforce", "audit"),
        ),
        stat(
            "Agents alive",
            "Agents alive under the live guards.",
            "sum(guard_active_agents{@})",
        ),
        stat(
            "Denials",
            "Operations denied in the time that is shown.",
            f"sum(increase({DENIED}[$__range]))",
        ),
    ]


def denials():
    return [
        series(
            "Denials by agent",
            "Denied operations a second, by the agent in the actor's lineage. Points are exemplars: "
            "each leads to the trace of one denial.",
            "ops",
            query(f"sum by (agent) (rate({DENIED}{RATE}))", "{{agent}}", exemplar=True),
            width=12,
            links=TO_AGENT,
        ),
        series(
            "Denials by operation",
            "Denied operations a second, by operation.",
            "ops",
            query(f"sum by (operation) (rate({DENIED}{RATE}))", "{{operation}}"),
            width=12,
            stack=True,
        ),
        bars(
            "Where: denials by zone",
            "Denials in the time that is shown, by the protected zone that they touched.",
            "short",
            'topk(15, sum by (protected_zone) (increase(guard_zone_decisions_total{@,verdict="deny"}[$__range])))',
            "{{protected_zone}}",
        ),
        bars(
            "Why: denials by reason",
            "Denials and audited operations in the time that is shown, by their one reason.",
            "short",
            'sum by (reason) (increase(guard_decision_reasons_total{@,verdict=~"deny|audit"}[$__range]))',
            "{{reason}}",
        ),
        table(
            "Who: agents by denials",
            "Each agent's decisions in the time that is shown.",
            [
                ("Denied", f"sum by (agent) (increase({DENIED}[$__range]))", "short", None),
                (
                    "Audited",
                    'sum by (agent) (increase(guard_decisions_total{@,verdict="audit"}[$__range]))',
                    "short",
                    None,
                ),
                (
                    "Allowed",
                    'sum by (agent) (increase(guard_decisions_total{@,verdict="allow"}[$__range]))',
                    "short",
                    None,
                ),
            ],
            by="agent",
            width=8,
            height=8,
            links=TO_AGENT_ROW,
        ),
    ]


def behaviour():
    return [
        series(
            "Retry storms",
            "An agent tries the same denied operation on the same path repeatedly.",
            "short",
            query(f"sum by (agent) (increase(guard_retry_storms_total{{@}}{RATE}))", "{{agent}}"),
            links=TO_AGENT,
        ),
        series(
            "Mass deletions",
            "An agent removes very many files in a short time: of a zone, of a zone and preserved, or outside all "
            "zones; deny when all were refused.",
            "short",
            query(
                f"sum by (agent, place, verdict) (increase(guard_mass_deletions_total{{@}}{RATE}))",
                "{{agent}}, {{place}}, {{verdict}}",
            ),
            links=TO_AGENT,
        ),
        series(
            "Attempts on the guard itself",
            "Denied attempts on the guards' own files and processes.",
            "short",
            query(
                f"sum by (instance) (increase(guard_protected_writes_denied_total{{@}}{RATE}))",
                "{{instance}}",
            ),
        ),
        series(
            "Allowed, by reason",
            "Allowed operations a second, by why they were allowed: trusted tools, overrides, people.",
            "ops",
            query(
                f'sum by (reason) (rate(guard_decision_reasons_total{{@,verdict="allow"}}{RATE}))',
                "{{reason}}",
            ),
            stack=True,
        ),
        series(
            "Trusted tools",
            "Operations a second that are allowed because a trusted tool does them.",
            "ops",
            query(f"sum by (tool) (rate(guard_trusted_uses_total{{@}}{RATE}))", "{{tool}}"),
            stack=True,
        ),
        series(
            "Overrides",
            "Temporary overrides in force, and operations a second that they allow.",
            "short",
            query("sum(guard_policy_overrides{@})", "in force"),
            query(
                f"sum by (agent) (rate(guard_override_uses_total{{@}}{RATE}))",
                "operations/s let pass for {{agent}}",
            ),
        ),
        series(
            "Requests",
            "What agents ask for and what became of it, and how many requests wait for a person.",
            "short",
            query(
                f"sum by (step) (increase(guard_requests_total{{@}}{RATE})) > 0",
                "{{step}}",
            ),
            query("sum(guard_open_requests{@})", "wait for a person"),
        ),
        series(
            "Time until a person answers",
            "The 90th percentile of the time from a request to its answer, and the age of the oldest that waits.",
            "s",
            query(
                "histogram_quantile(0.9, sum by (le, answer) "
                "(increase(guard_request_wait_seconds_bucket{@}[$__range])))",
                "{{answer}}",
            ),
            query(
                "max(time() - (guard_oldest_open_request_timestamp_seconds{@} > 0)) or vector(0)",
                "oldest that waits",
            ),
        ),
    ]


def changes():
    return [
        stat(
            "Files changed",
            "Kept files that agents removed, replaced or changed in the time that is shown. What was "
            "preserved can be had again: codex-es-guard undo.",
            "sum(increase(guard_file_changes_total{@}[$__range]))",
        ),
        stat(
            "Not preserved",
            "Files of which no copy could be kept, in the time that is shown.",
            "sum(increase(guard_unpreserved_files_total{@}[$__range]))",
            bad_from=1,
        ),
        stat(
            "Undo store",
            "Whether every live guard that should preserve has a store.",
            "max(guard_undo_store_unavailable{@})",
            good=0,
            words=("available", "unavailable"),
        ),
        stat(
            "Store filled",
            "Bytes in the undo store, as a part of what it may have. From seven eighths on the oldest "
            "sessions are evicted, but none of the last day.",
            "max(guard_undo_store_bytes{@} / (guard_undo_store_limit_bytes{@} > 0))",
            unit="percentunit",
            bad_from=0.9,
        ),
        stat(
            "Objects in the store",
            "Files that the undo store has.",
            "max(guard_undo_store_files{@})",
        ),
        stat(
            "Restores",
            "Times a person restored something, in the time that is shown.",
            "sum(increase(guard_undo_restores_total{@}[$__range]))",
        ),
        series(
            "Changes by agent",
            "Kept files that agents removed, replaced or changed, a second.",
            "ops",
            query(f"sum by (agent) (rate(guard_file_changes_total{{@}}{RATE}))", "{{agent}}"),
            stack=True,
            links=TO_AGENT,
        ),
        series(
            "Changes by kind",
            "Kept files a second, by what agents did to them. Shrunk: cut or replaced by less than a "
            "tenth; programs that save in place cut a file before they write it.",
            "ops",
            query(f"sum by (kind) (rate(guard_file_changes_total{{@}}{RATE}))", "{{kind}}"),
            stack=True,
        ),
        series(
            "Preserved by method",
            "Files a second that were preserved, by how. Hard links, renames and reflinks copy nothing.",
            "ops",
            query(f"sum by (method) (rate(guard_preserved_files_total{{@}}{RATE}))", "{{method}}"),
            stack=True,
        ),
        series(
            "Bytes preserved",
            "Bytes a second of the files that were preserved, by how.",
            "Bps",
            query(f"sum by (method) (rate(guard_preserved_bytes_total{{@}}{RATE}))", "{{method}}"),
            stack=True,
        ),
        series(
            "Not preserved, by cause",
            "Files of which no copy could be kept, by cause; deny when the operation was denied for it.",
            "short",
            query(
                f"sum by (cause, verdict) (increase(guard_unpreserved_files_total{{@}}{RATE})) > 0",
                "{{cause}}, {{verdict}}",
            ),
            query(f"sum(increase(guard_unpreserved_files_total{{@}}{RATE}))", "all"),
        ),
        series(
            "Time that operations wait for preserving",
            "The 99th percentile, by how it was preserved.",
            "s",
            query(
                "histogram_quantile(0.99, sum by (le, method) "
                f"(rate(guard_preserving_duration_seconds_bucket{{@}}{RATE})))",
                "{{method}}",
            ),
            query(
                f"sum(rate(guard_preserving_duration_seconds_sum{{@}}{RATE})) / "
                f"(sum(rate(guard_preserving_duration_seconds_count{{@}}{RATE})) > 0) or vector(0)",
                "mean",
            ),
        ),
        series(
            "Bytes in the undo store",
            "Bytes that are kept, and the most that may be.",
            "bytes",
            query("max by (instance) (guard_undo_store_bytes{@})", "{{instance}}"),
            query("max by (instance) (guard_undo_store_limit_bytes{@})", "{{instance}}, limit"),
        ),
        series(
            "Evicted from the undo store",
            "Sessions that were evicted for age or for room.",
            "short",
            query(
                f"sum by (instance) (increase(guard_undo_evicted_sessions_total{{@}}{RATE}))",
                "{{instance}}",
            ),
        ),
        series(
            "Evicted and restored",
            "Bytes a second evicted from the undo store, and files a second that persons restored.",
            "short",
            query(f"sum(rate(guard_undo_evicted_bytes_total{{@}}{RATE}))", "bytes evicted/s"),
            query(f"sum(rate(guard_undo_restored_files_total{{@}}{RATE}))", "files restored/s"),
        ),
    ]


def guard():
    return [
        timeline(
            "Guard and enforcement",
            "Whether a guard is alive, and whether it enforces its policy, over time.",
            ("no", "yes"),
            query("min by (instance) (guard_up{@})", "{{instance}} alive"),
            query("min by (instance) (guard_enforcement_active{@})", "{{instance}} enforcing"),
        ),
        series(
            "Heartbeat",
            "Age of the oldest heartbeat of the live guards. Guards update it every second.",
            "s",
            query(
                "max by (instance) ((time() - guard_heartbeat_timestamp_seconds{@}) * guard_up{@})",
                "{{instance}}",
            ),
            width=12,
        ),
        stat(
            "Zones", "Protected zones, summed over the live guards.", "sum(guard_policy_zones{@})"
        ),
        stat(
            "Traced denials",
            "Denials in the time that is shown whose process carried a trace context, so that they "
            "are part of the agent's own trace.",
            "sum(increase(guard_traced_denials_total{@}[$__range]))",
        ),
        stat(
            "Malformed traces",
            "Denials in the time that is shown whose process carried a malformed trace context.",
            "sum(increase(guard_malformed_traces_total{@}[$__range]))",
        ),
        stat(
            "Policy age",
            "How long ago a policy was last put in force.",
            "min(time() - (guard_policy_last_reload_success_timestamp_seconds{@} > 0))",
            unit="s",
        ),
        stat(
            "Bad policies",
            "Policy files that could not be read in the time that is shown.",
            "sum(increase(guard_policy_reload_failures_total{@}[$__range]))",
            bad_from=1,
        ),
        stat(
            "Unresolved paths",
            "Decisions on a path that could not be resolved, in the time that is shown.",
            "sum(increase(guard_unresolved_paths_total{@}[$__range]))",
        ),
        stat(
            "Files that are no ring",
            "Files in ring directories that are no ring of this user's guards, in the time that is shown.",
            "sum(increase(guard_ring_rejected_total{@}[$__range]))",
            bad_from=1,
        ),
        series(
            "Policies put in force",
            "Policies read and put in force, and those that could not be read.",
            "short",
            query(f"sum(increase(guard_policy_reloads_total{{@}}{RATE}))", "put in force"),
            query(f"sum(increase(guard_policy_reload_failures_total{{@}}{RATE}))", "invalid"),
            width=12,
        ),
        table(
            "Policies",
            "The revision and the mode of the policies in force, and how many guards have each.",
            [("Guards", "count by (revision, mode) (guard_policy_info{@})", "short", None)],
            by="revision",
            width=12,
            height=8,
        ),
    ]


def log(name, file):
    """The log that is called so; its file."""
    repeats = f"sum(rate(guard_{name}_log_repeats_total{{@}}{RATE}))"
    return [
        series(
            "Lines written",
            f"Lines a second written to {file}, and attempts a second that failed. "
            "Lines that could not be written stay pending.",
            "ops",
            query(f"sum(rate(guard_{name}_log_records_total{{@}}{RATE}))", "lines"),
            query(
                f"sum(rate(guard_{name}_log_write_failures_total{{@}}{RATE}))", "failed attempts"
            ),
            *([query(repeats, "repeats that share a line")] if name == "denial" else []),
            width=6,
        ),
        series(
            "Bytes written",
            f"Bytes a second written to {file}.",
            "Bps",
            query(f"sum(rate(guard_{name}_log_written_bytes_total{{@}}{RATE}))", "bytes"),
            width=6,
        ),
        series(
            "Waiting to be written",
            "Bytes of lines that wait to be written, after a failed attempt.",
            "bytes",
            query(f"sum by (instance) (guard_{name}_log_pending_bytes{{@}})", "{{instance}}"),
            width=6,
        ),
        series(
            "Rotations",
            "Times the log was moved to a numbered file. Old files are dropped, so frequent rotation "
            "shortens what is kept.",
            "short",
            query(f"sum(increase(guard_{name}_log_rotations_total{{@}}{RATE}))", "rotations"),
            width=6,
        ),
    ]
