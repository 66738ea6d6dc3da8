"""Fleet: many hosts, one line each."""

import layout
from panels import series, stat, table
from queries import RATE, query

# By reason there is a handful of series on each host; by agent and operation hundreds.
DENIED = 'guard_decision_reasons_total{@,verdict="deny"}'
DENIED_BY_AGENT = 'agent_verdict:guard_decisions:rate5m{@,verdict="deny"}'
NO_YES = (("no", "red"), ("yes", "green"))


def dashboard():
    return layout.dashboard(
        "guard-fleet",
        "Guard: Fleet",
        "Many hosts, one line each: which are guarded, under which policy, and where agents are denied.",
        [("Hosts", numbers() + [hosts()]), ("Denials", denials()), ("Versions", versions())],
    )


def numbers():
    return [
        stat("Hosts", "Exporters in the selection.", "count(up{@})"),
        stat(
            "Not answering",
            "Exporters that do not answer.",
            "count(up{@} == 0) or vector(0)",
            bad_from=1,
        ),
        stat(
            "Without a guard",
            "Exporters that find no live guard. Usual between sessions where no guard runs all the time.",
            "count(guard_up{@} == 0) or vector(0)",
        ),
        stat(
            "Not enforcing",
            "Hosts whose guard is alive and enforces nothing.",
            "count((guard_enforcement_active{@} == 0) and (guard_up{@} == 1)) or vector(0)",
            bad_from=1,
        ),
        stat(
            "Invalid policies",
            "Hosts whose guard is alive and whose policy file is invalid.",
            "count((guard_policy_last_reload_successful{@} == 0) and (guard_up{@} == 1)) or vector(0)",
            bad_from=1,
        ),
        stat(
            "Auditing",
            "Hosts where some policy only audits.",
            "count(guard_policy_audit_mode{@} == 1) or vector(0)",
            good=0,
        ),
    ]


def hosts():
    each = "by (instance)"
    return table(
        "Hosts",
        "The state of each host. A host's name leads to its overview.",
        [
            ("Answers", f"min {each} (up{{@}})", "short", NO_YES),
            ("Guards", f"sum {each} (guard_live_rings{{@}})", "short", None),
            ("Enforcing", f"min {each} (guard_enforcement_active{{@}})", "short", NO_YES),
            (
                "Policy valid",
                f"min {each} (guard_policy_last_reload_successful{{@}})",
                "short",
                NO_YES,
            ),
            (
                "Auditing",
                f"max {each} (guard_policy_audit_mode{{@}})",
                "short",
                (("no", "green"), ("yes", "orange")),
            ),
            ("Agents", f"sum {each} (guard_active_agents{{@}})", "short", None),
            ("Denied", f"sum {each} (increase({DENIED}[$__range]))", "short", None),
            (
                "p99",
                "histogram_quantile(0.99, sum by (instance, le)"
                " (increase(guard_decision_duration_seconds_bucket{@}[$__range])))",
                "s",
                None,
            ),
            (
                "Records lost",
                f"sum {each} (increase(guard_ring_lost_records_total{{@}}[$__range]))",
                "short",
                None,
            ),
            (
                "Heartbeat",
                f"max {each} ((time() - guard_heartbeat_timestamp_seconds{{@}}) * guard_up{{@}})",
                "s",
                None,
            ),
        ],
        by="instance",
        height=12,
        links=[layout.link_to("guard-overview", "This host", "instance", "${__value.text}")],
    )


def denials():
    return [
        series(
            "Denials by host",
            "Denied operations a second, on the ten hosts with most.",
            "ops",
            query(f"topk(10, sum by (instance) (rate({DENIED}{RATE})))", "{{instance}}"),
            width=12,
        ),
        series(
            "Denials by agent",
            "Denied operations a second in the whole fleet, by agent, as means of five minutes. Needs the "
            "recording rules.",
            "ops",
            query(f"sum by (agent) ({DENIED_BY_AGENT})", "{{agent}}"),
            width=12,
            stack=True,
        ),
        series(
            "Slowest hosts",
            "The 99th percentile of the time to a verdict, on the ten slowest hosts. Needs the "
            "recording rules.",
            "s",
            query(
                "topk(10, max by (instance) (operation:guard_decision_duration_seconds:p99_rate5m{@}))",
                "{{instance}}",
            ),
            width=12,
        ),
        series(
            "Retry storms and mass deletions",
            "Detections of both kinds in the whole fleet.",
            "short",
            query(f"sum(increase(guard_retry_storms_total{{@}}{RATE}))", "retry storms"),
            query(f"sum(increase(guard_mass_deletions_total{{@}}{RATE}))", "mass deletions"),
            width=12,
        ),
    ]


def versions():
    return [
        table(
            "Exporters",
            "How many hosts run which exporter.",
            [("Hosts", "count by (version) (guard_exporter_build_info{@})", "short", None)],
            by="version",
            width=8,
            height=8,
        ),
        table(
            "Builds of the guard",
            "How many hosts run which build of the guard.",
            [
                (
                    "Hosts",
                    "count by (version) (guard_daemon_build_info{@})",
                    "short",
                    None,
                )
            ],
            by="version",
            width=8,
            height=8,
        ),
        table(
            "Policies",
            "How many hosts have which policy in force. Hosts of one kind with different revisions have drifted.",
            [("Hosts", "count by (revision, mode) (guard_policy_info{@})", "short", None)],
            by="revision",
            width=8,
            height=8,
        ),
    ]
