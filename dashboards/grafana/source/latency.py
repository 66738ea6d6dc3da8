"""Latency and capacity: what a decision costs, and how near to their bounds things are."""

import layout
from panels import heatmap, series, stat, timeline
from queries import NEAREST, RATE, SLOWEST, quantiles, query

DURATION = "guard_decision_duration_seconds"


def dashboard():
    return layout.dashboard(
        "guard-latency",
        "Guard: Latency and capacity",
        "What a decision costs, and how near to their limits the guard and the exporter are.",
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
            "Percentiles over all operations, from the receipt of an operation to its verdict. "
            "Points are exemplars: each leads to the trace of one denial.",
            "s",
            *quantiles(DURATION, SLOWEST),
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
            query(
                f"sum by (instance) (rate(guard_notifications_total{{@}}{RATE}))", "{{instance}}"
            ),
        ),
        series(
            "Answers",
            "Answers a second, by how they were carried out.",
            "ops",
            query(f"sum by (answer) (rate(guard_answers_total{{@}}{RATE}))", "{{answer}}"),
            stack=True,
        ),
        series(
            "Left until the deadline",
            "Time left until the kernel's deadline at the verdict: of the decisions that came nearest "
            "to it, one in a thousand, in a hundred and in ten. Only where the platform has deadlines.",
            "s",
            *quantiles("guard_deadline_margin_seconds", NEAREST),
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
            "Events that the kernel reported as dropped, in the time that is shown.",
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
        series(
            "Delay of delivery",
            "Time between the kernel's notification of operations and their receipt by the guard: the "
            "share of each second that this takes, and the longest since a guard started.",
            "s",
            query(
                f"sum by (instance) (rate(guard_delivery_delay_seconds_total{{@}}{RATE}))",
                "{{instance}} a second",
            ),
            query(
                "max by (instance) (guard_longest_delivery_delay_seconds{@})",
                "{{instance}} longest",
            ),
        ),
        stat(
            "Panics",
            "Panics in the guards' code, in the time that is shown. Each was answered as the policy "
            "answers at a deadline.",
            "sum(increase(guard_panics_total{@}[$__range]))",
            bad_from=1,
            width=6,
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
            "Unread records, as a part of the rings' capacity; a record takes some 320 bytes.",
            "percentunit",
            query(
                "320 * sum by (instance) (guard_ring_lag_records{@})"
                " / (sum by (instance) (guard_ring_capacity_bytes{@}) > 0)",
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
            "Events with a field beyond its limit, in the time that is shown.",
            "sum(increase(guard_events_cut_total{@}[$__range]))",
            width=6,
        ),
        series(
            "Lost records",
            "Records overwritten before they were read, by lane. Those of the lane deny are gaps in "
            "the denial log.",
            "short",
            query(
                f"sum by (lane) (increase(guard_ring_lost_records_total{{@}}{RATE}))", "{{lane}}"
            ),
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
            "Processes dropped from full lineage tables. They are queried again when they act.",
            "short",
            query(
                f"sum by (instance) (increase(guard_lineage_evictions_total{{@}}{RATE}))",
                "{{instance}}",
            ),
            width=12,
        ),
    ]


def telemetry():
    rates = [
        series(
            title,
            description,
            "ops",
            query(f"sum by (signal) (rate({metric}{{@}}{RATE}))", "{{signal}}"),
            width=6,
        )
        for title, description, metric in (
            (
                "Exported over OTLP",
                "Spans, metrics and log records a second that a collector accepted.",
                "guard_otlp_exported_items_total",
            ),
            (
                "Failed exports",
                "Exports a second that failed.",
                "guard_otlp_export_failures_total",
            ),
            (
                "Dropped items",
                "Items a second that do not reach a collector: the queue was full, or the collector refused them.",
                "guard_otlp_dropped_items_total",
            ),
        )
    ]
    waiting = series(
        "Waiting for the collector",
        "Spans and log records that are not sent yet.",
        "short",
        query("sum by (signal) (guard_otlp_queued_items{@})", "{{signal}}"),
        width=6,
    )
    return [*rates, waiting]


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
            "Resident and virtual memory of the exporter.",
            "bytes",
            query("sum by (instance) (process_resident_memory_bytes{@})", "{{instance}} resident"),
            query("sum by (instance) (process_virtual_memory_bytes{@})", "{{instance}} virtual"),
        ),
        series(
            "Open file descriptors",
            "Open file descriptors of the exporter, as a part of its limit.",
            "percentunit",
            query(
                "max by (instance) (process_open_fds{@} / (process_max_fds{@} > 0))", "{{instance}}"
            ),
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
            "Last look at the rings",
            "How long ago the exporter last scanned its rings.",
            "s",
            query(
                "max by (instance) (time() - (guard_exporter_last_pass_timestamp_seconds{@} > 0))",
                "{{instance}}",
            ),
        ),
        timeline(
            "Ready",
            "Whether the rings are drained and the denial log can be written.",
            ("no", "yes"),
            query("min by (instance) (guard_exporter_ready{@})", "{{instance}}"),
            width=8,
        ),
        timeline(
            "Confined",
            "Whether the exporter has confined itself, by Landlock and by seccomp.",
            ("no", "yes"),
            query("min by (instance, kind) (guard_exporter_confined{@})", "{{instance}} {{kind}}"),
            width=8,
        ),
        series(
            "Connections",
            "Open HTTP connections, and clients that listen to live events.",
            "short",
            query("sum(guard_exporter_connections{@})", "connections"),
            query("sum(guard_exporter_event_clients{@})", "listeners to events"),
        ),
        series(
            "What clients lost",
            "Connections closed to make room or because the client did not read, messages not handed "
            "to slow listeners, and failed attempts to listen.",
            "short",
            *(
                query(f"sum(increase(guard_exporter_{name}_total{{@}}{RATE}))", legend)
                for name, legend in (
                    ("connections_shed", "closed to make room"),
                    ("connections_stalled", "closed since it did not read"),
                    ("event_drops", "messages dropped"),
                    ("bind_failures", "failures to listen"),
                )
            ),
        ),
        series(
            "Label values beyond the bound",
            "Decisions a second counted under other, since a label had too many values.",
            "ops",
            query(
                f"sum by (instance) (rate(guard_exporter_capped_values_total{{@}}{RATE}))",
                "{{instance}}",
            ),
        ),
    ]
