"""Queries: what a panel asks Prometheus, or a Loki that has the guard's logs.

`{@}` and `{@,...}` are replaced by the selection by job and instance.
"""

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
LOGS = {"type": "loki", "uid": "${logs}"}
SELECTION = 'job=~"$job",instance=~"$instance"'
RATE = "[$__rate_interval]"
SLOWEST = ((0.5, "p50"), (0.9, "p90"), (0.99, "p99"), (0.999, "p99.9"))
NEAREST = ((0.001, "p0.1"), (0.01, "p1"), (0.1, "p10"))


def selected(expression):
    return expression.replace("{@", "{" + SELECTION)


def query(expression, legend="", *, exemplar=False, instant=False, form="time_series"):
    return {
        "datasource": SOURCE,
        "editorMode": "code",
        "exemplar": exemplar,
        "expr": selected(expression),
        "format": form,
        "instant": instant,
        "legendFormat": legend or "__auto",
        "range": not instant,
    }


def now(expression, legend=""):
    return query(expression, legend, instant=True)


def column(expression):
    return query(expression, instant=True, form="table")


def quantiles(histogram, levels):
    """Quantiles of a histogram over all that is selected."""
    buckets = f"sum by (le) (rate({histogram}_bucket{{@}}{RATE}))"
    return [
        query(f"histogram_quantile({level}, {buckets})", name, exemplar=True)
        for level, name in levels
    ]


def log_query(log, fields, sentence):
    """Lines of a log as sentences. The fields of a line that the template names have their own names,
    but `agent`, which is a label already, is called `who`."""
    extracted = ", ".join([*(f'{field}="{field}"' for field in fields), 'who="agent"'])
    selected = f'{{job="guard", log="{log}", agent=~"$agent"}}'
    return {
        "datasource": LOGS,
        "editorMode": "code",
        "expr": f"{selected} | json {extracted} | line_format `{sentence}`",
        "maxLines": 1000,
        "queryType": "range",
    }
