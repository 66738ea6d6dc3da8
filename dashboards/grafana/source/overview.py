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
            ("Guard", guard()),
            ("Denial log", log()),
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
            "An agent removes very many files in a short time, inside zones or outside; deny when all were refused.",
            "short",
            query(
                f"sum by (agent, verdict) (increase(guard_mass_deletions_total{{@}}{RATE}))",
                "{{agent}}, {{verdict}}",
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
            "Age of the newest heartbeat of a live guard. Guards update it every second.",
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


def log():
    return [
        series(
            "Lines written",
            "Lines a second written to denials.jsonl, and attempts a second that failed. "
            "Lines that could not be written stay pending.",
            "ops",
            query(f"sum(rate(guard_denial_log_records_total{{@}}{RATE}))", "lines"),
            query(
                f"sum(rate(guard_denial_log_write_failures_total{{@}}{RATE}))", "failed attempts"
            ),
            width=6,
        ),
        series(
            "Bytes written",
            "Bytes a second written to denials.jsonl.",
            "Bps",
            query(f"sum(rate(guard_denial_log_written_bytes_total{{@}}{RATE}))", "bytes"),
            width=6,
        ),
        series(
            "Waiting to be written",
            "Bytes of lines that wait to be written, after a failed attempt.",
            "bytes",
            query("sum by (instance) (guard_denial_log_pending_bytes{@})", "{{instance}}"),
            width=6,
        ),
        series(
            "Rotations",
            "Times the log was moved to a numbered file. Old files are dropped, so frequent rotation "
            "shortens what is kept.",
            "short",
            query(f"sum(increase(guard_denial_log_rotations_total{{@}}{RATE}))", "rotations"),
            width=6,
        ),
    ]
