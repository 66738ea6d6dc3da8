"""Series of a Prometheus test, one value a minute, in promtool's notation: a line for each day."""

DAY = 24 * 60
STALE = "stale"


class Machine:
    """The series of one exporter. A value holds until another is set; while it is away there is none."""

    def __init__(self, days, **target):
        self.target = target
        self.minutes = days * DAY
        self.away = [False] * self.minutes
        self.changes = {}
        self.answers = []

    def set(self, metric, value, at=0, **labels):
        """From this minute on, the series has this value. None: it does not exist."""
        self.changes.setdefault((metric, tuple(labels.items())), []).append((at, value))

    def during(self, metric, value, start, end, otherwise, **labels):
        """The value from one minute to another, and the other one from then on."""
        self.set(metric, value, start, **labels)
        self.set(metric, otherwise, end, **labels)

    def add(self, metric, count, at, **labels):
        """A counter increases. It must have been set before."""
        before = self.changes[metric, tuple(labels.items())]
        at_last, last = before[-1]
        assert at >= at_last, f"{metric} at {at}, after {at_last}"
        before.append((at, last + count))

    def begin(self, metric, created, value, at=0, **labels):
        """A counter that began at this minute has this value."""
        self.set(metric, value, at, **labels)
        self.set(metric.removesuffix("_total") + "_created", created * 60, at, **labels)

    def leave(self, start, end):
        """It is not scraped from one minute to another."""
        self.away[start:end] = [True] * (end - start)

    def series(self):
        """Each series with its values, and `up`."""
        yield self.named("up", ()), lines([0 if gone else 1 for gone in self.away])
        for (metric, labels), changes in self.changes.items():
            values = [None] * self.minutes
            for at, value in sorted(changes, key=lambda change: change[0]):
                for minute in range(at, self.minutes):
                    values[minute] = value(minute) if callable(value) else value
            yield self.named(metric, labels), lines(scraped(values, self.away))

    def named(self, metric, labels):
        labels = [*self.target.items(), *labels]
        return metric + "{" + ", ".join(f'{name}="{value}"' for name, value in labels) + "}"


def scraped(values, away):
    """Values as they are stored: the first scrape without one marks the series stale."""
    stored, was = [], False
    for value, gone in zip(values, away):
        present = value is not None and not gone
        stored.append(value if present else STALE if was else None)
        was = present
    return stored


def lines(values):
    return [" ".join(notation(values[day : day + DAY])) for day in range(0, len(values), DAY)]


def notation(values):
    """promtool's: `_xN` N gaps, `vxN` a value and N more, `v+dxN` and N that grow by d."""
    at = 0
    while at < len(values):
        value, end = values[at], at + 1
        if value is None or value == STALE:
            while end < len(values) and values[end] == value:
                end += 1
            yield STALE if value == STALE else f"_x{end - at}"
        else:
            step = None
            while end < len(values) and not isinstance(values[end], (str, type(None))):
                grown = values[end] - values[end - 1]
                if step is not None and grown != step:
                    break
                step, end = grown, end + 1
            # A step to the first of another run is not part of this one.
            if step and end == at + 2:
                step, end = 0, at + 1
            sign = f"{step:+g}" if step else ""
            yield f"{value}{sign}x{end - at - 1}" if end > at + 1 else f"{value}"
        at = end


def document(comment, name, machines, checks):
    """A file of one test."""
    text = f"# {comment}\n# Written by python3 dashboards/prometheus/tests/source.\n"
    text += "rule_files: [../rules/recording.yml, ../rules/alerts.yml]\nevaluation_interval: 1m\n"
    groups = "memory counters recording denials changes requests enforcement capacity telemetry".split()
    text += f"group_eval_order: [{', '.join(f'guard.{group}' for group in groups)}]\n"
    text += f"tests:\n  - name: {name}\n    interval: 1m\n    input_series:\n"
    for machine in machines:
        for series, values in machine.series():
            text += f"      - series: '{series}'\n        values: >-\n"
            text += "".join(f"          {line}\n" for line in values)
    text += "    promql_expr_test:\n"
    for expression, at, samples in checks:
        text += f"      - expr: {expression}\n        eval_time: {at}m\n        exp_samples:"
        text += " []\n" if not samples else "\n"
        for labels, value in samples:
            text += f"          - labels: '{labels}'\n            value: {value}\n"
    return text
