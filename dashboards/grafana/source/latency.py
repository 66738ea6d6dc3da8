"""Latency and capacity: what a decision costs, and how near to their bounds things are."""

import layout
from panels import heatmap, series, stat
from queries import RATE, percentiles, query

DURATION = "guard_decision_duration_seconds"


def dashboard():
    return layout.dashboard(
        "guard-latency",
        "Guard: Latency and capacity",
        "What a decision costs, and how near to their bounds the guard and its sidecar are.",
        [
            ("Decisions", decisions()),
            ("Kernel", kernel()),
            ("Ring", ring()),
            ("Lineage", lineage()),
            ("Telemetry", telemetry()),
            ("Exporter", exporter()),
        ],
    )


def decisions():
    by_operation = f"sum by (operation, le) (rate({DURATION}_bucket{{@}}{RATE}))"
    mean = f"sum by (operation) (rate({DURATION}_sum{{@}}{RATE})) / sum by (operation) (rate({DURATION}_count{{@}}{RATE}))"
    return [
        series(
            "Time to a verdict",
            "Percentiles over all operations, from the guard's first sight of an operation to its "
            "verdict. Points are exemplars: each leads to the trace of one denial.",
            "s",
            *percentiles(DURATION),
            width=12,
        ),
        heatmap(
            "Time to a verdict, all of it",
            "How many decisions took how long.",
            f"sum by (le) (increase({DURATION}_bucket{{@}}{RATE}))",
        ),
        series(
            "p99 by operation",
            "The 99th percentile of each kind of operation.",
            "s",
            query(f"histogram_quantile(0.99, {by_operation})", "{{operation}}", exemplar=True),
        ),
        series(
            "Mean by operation",
            "The mean time to a verdict of each kind of operation.",
            "s",
            query(mean, "{{operation}}"),
        ),
        series(
            "Decisions",
            "Decisions a second, by verdict.",
            "ops",
            query(f"sum by (verdict) (rate(guard_decisions_total{{@}}{RATE}))", "{{verdict}}"),
            stack=True,
        ),
    ]


def kernel():
    return [
        series(
            "Operations seen",
            "Operations a second that the kernel asked about, before any decision.",
            "ops",
            query(f"sum by (instance) (rate(guard_notifications_total{{@}}{RATE}))", "{{instance}}"),
        ),
        series(
            "Answers",
            "Answers a second, by how they were carried out.",
            "ops",
            query(f"sum by (answer) (rate(guard_answers_total{{@}}{RATE}))", "{{answer}}"),
            stack=True,
        ),
        series(
            "Delay before the guard",
            "Percentiles of the time from the kernel's stamp to the guard's first sight of an operation.",
            "s",
            *percentiles("guard_event_delay_seconds"),
        ),
        stat(
            "Deadline misses",
            "Answers that came after the kernel's deadline, in the time that is shown.",
            "sum(increase(guard_deadline_misses_total{@}[$__range]))",
            bad_from=1,
            width=6,
        ),
        stat(
            "Dropped by the kernel",
            "Events that the kernel said it dropped, in the time that is shown.",
            "sum(increase(guard_kernel_events_dropped_total{@}[$__range]))",
            bad_from=1,
            width=6,
        ),
        series(
            "Misses and drops",
            "Deadline misses and dropped events, over time.",
            "short",
            query(
                f"sum by (instance) (increase(guard_deadline_misses_total{{@}}{RATE}))",
                "{{instance}} misses",
            ),
            query(
                f"sum by (instance) (increase(guard_kernel_events_dropped_total{{@}}{RATE}))",
                "{{instance}} drops",
            ),
            width=12,
        ),
    ]


def ring():
    return [
        series(
            "Records read",
            "Records a second read from rings, by lane.",
            "ops",
            query(f"sum by (lane) (rate(guard_ring_records_total{{@}}{RATE}))", "{{lane}}"),
        ),
        series(
            "Filled",
            "Records that wait to be read, as a part of what rings hold.",
            "percentunit",
            query(
                "sum by (instance) (guard_ring_lag_records{@})"
                " / sum by (instance) (guard_ring_capacity_records{@} > 0)",
                "{{instance}}",
            ),
        ),
        series(
            "Waiting",
            "Records committed to rings and not yet read, by lane.",
            "short",
            query("sum by (lane) (guard_ring_lag_records{@})", "{{lane}}"),
        ),
        stat(
            "Records lost",
            "Records overwritten before they were read, in the time that is shown.",
            "sum(increase(guard_ring_lost_records_total{@}[$__range]))",
            bad_from=1,
            width=6,
        ),
        stat(
            "Events cut",
            "Events with a field beyond its bound, in the time that is shown.",
            "sum(increase(guard_events_cut_total{@}[$__range]))",
            width=6,
        ),
        series(
            "Lost records",
            "Records overwritten before they were read, by lane. Those of the lane deny are gaps in "
            "the denial log.",
            "short",
            query(f"sum by (lane) (increase(guard_ring_lost_records_total{{@}}{RATE}))", "{{lane}}"),
            width=12,
        ),
    ]


def lineage():
    return [
        series(
            "Processes tracked",
            "Processes in the lineage tables of the live guards.",
            "short",
            query("sum by (instance) (guard_tracked_processes{@})", "{{instance}}"),
            width=12,
        ),
        series(
            "Evictions",
            "Processes dropped from full lineage tables. They are looked up again when they act.",
            "short",
            query(
                f"sum by (instance) (increase(guard_lineage_evictions_total{{@}}{RATE}))",
                "{{instance}}",
            ),
            width=12,
        ),
    ]


def telemetry():
    return [
        series(
            title,
            tells,
            "ops",
            query(f"sum by (signal) (rate({metric}{{@}}{RATE}))", "{{signal}}"),
        )
        for title, tells, metric in (
            (
                "Exported over OTLP",
                "Spans, metrics and log records a second that a collector took.",
                "guard_otlp_exported_items_total",
            ),
            (
                "Failed exports",
                "Exports a second that failed.",
                "guard_otlp_export_failures_total",
            ),
            (
                "Dropped items",
                "Items a second dropped because the queue was full.",
                "guard_otlp_dropped_items_total",
            ),
        )
    ]


def exporter():
    return [
        series(
            "CPU",
            "Cores that the exporter uses.",
            "short",
            query(
                f"sum by (instance) (rate(process_cpu_seconds_total{{@}}{RATE}))", "{{instance}}"
            ),
        ),
        series(
            "Memory",
            "Resident memory of the exporter.",
            "bytes",
            query("sum by (instance) (process_resident_memory_bytes{@})", "{{instance}}"),
        ),
        series(
            "Open file descriptors",
            "Open file descriptors of the exporter.",
            "short",
            query("sum by (instance) (process_open_fds{@})", "{{instance}}"),
        ),
        series(
            "Scrape",
            "How long the exporter took to answer its previous scrape.",
            "s",
            query("max by (instance) (guard_scrape_duration_seconds{@})", "{{instance}}"),
        ),
        series(
            "Up since",
            "How long ago the exporter started.",
            "s",
            query("max by (instance) (time() - process_start_time_seconds{@})", "{{instance}}"),
        ),
        series(
            "Failures to listen",
            "Failed attempts to listen on the configured address.",
            "short",
            query(
                f"sum by (instance) (increase(guard_exporter_bind_failures_total{{@}}{RATE}))",
                "{{instance}}",
            ),
        ),
    ]
