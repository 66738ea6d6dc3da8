"""Panels: a kind, a title, what it shows, a unit and its queries."""

from queries import LOGS, SOURCE, column, now, query


def panel(kind, title, description, unit, queries, *, width=8, height=8, **more):
    defaults = {"unit": unit, **more.pop("defaults", {})}
    made = {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": SOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": more.pop("overrides", [])},
        "targets": [
            {"refId": chr(ord("A") + number), **target} for number, target in enumerate(queries)
        ],
        "gridPos": {"w": width, "h": height},
    }
    made.update(more)
    return made


def series(title, description, unit, *queries, width=8, stack=False, links=(), **more):
    custom = {"fillOpacity": 20 if stack else 8, "lineWidth": 1, "showPoints": "never"}
    if stack:
        custom["stacking"] = {"mode": "normal", "group": "A"}
    return panel(
        "timeseries",
        title,
        description,
        unit,
        queries,
        width=width,
        defaults={"custom": custom, "min": 0, "links": list(links)},
        options={
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        **more,
    )


def stat(title, description, expression, *, unit="short", good=None, bad_from=None, words=None, width=4):
    """One number. `good` colours that value green and others red; `bad_from` red from there on."""
    steps = [{"color": "blue", "value": None}]
    if good == 1:
        steps = [{"color": "red", "value": None}, {"color": "green", "value": 1}]
    elif good == 0:
        steps = [{"color": "green", "value": None}, {"color": "orange", "value": 1}]
    elif bad_from is not None:
        steps = [{"color": "green", "value": None}, {"color": "red", "value": bad_from}]
    mappings = []
    if words:
        options = {str(value): {"text": text, "index": value} for value, text in enumerate(words)}
        mappings = [{"type": "value", "options": options}]
    return panel(
        "stat",
        title,
        description,
        unit,
        [now(expression)],
        width=width,
        height=4,
        defaults={
            "thresholds": {"mode": "absolute", "steps": steps},
            "mappings": mappings,
            "color": {"mode": "thresholds"},
        },
        options={
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "colorMode": "background" if good is not None or bad_from is not None else "value",
            "graphMode": "none",
            "textMode": "auto",
        },
    )


def timeline(title, description, words, *queries, width=12):
    """A state over time: 0 is the first word and 1 the second."""
    bad, good = words
    options = {"0": {"text": bad, "color": "red"}, "1": {"text": good, "color": "green"}}
    return panel(
        "state-timeline",
        title,
        description,
        "short",
        queries,
        width=width,
        defaults={
            "mappings": [{"type": "value", "options": options}],
            "custom": {"fillOpacity": 70, "lineWidth": 0},
        },
        options={"showValue": "never", "mergeValues": True, "rowHeight": 0.8},
    )


def heatmap(title, description, expression, *, width=12):
    return panel(
        "heatmap",
        title,
        description,
        "s",
        [query(expression, "{{le}}", exemplar=True, form="heatmap")],
        width=width,
        options={
            "calculate": False,
            "cellGap": 1,
            "exemplars": {"color": "rgba(255,0,255,0.7)"},
            "filterValues": {"le": 1e-9},
            "legend": {"show": True},
            "showValue": "never",
            "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64},
            "yAxis": {"unit": "s", "axisPlacement": "left"},
            "tooltip": {"mode": "single", "yHistogram": True},
        },
    )


def bars(title, description, unit, expression, legend, *, width=8):
    return panel(
        "bargauge",
        title,
        description,
        unit,
        [now(expression, legend)],
        width=width,
        defaults={"min": 0, "color": {"mode": "continuous-BlYlRd"}},
        options={
            "orientation": "horizontal",
            "displayMode": "basic",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        },
    )


def lines(title, description, log_query, *, width=24, height=12):
    """Lines of a log, the newest first."""
    made = panel(
        "logs",
        title,
        description,
        "short",
        [log_query],
        width=width,
        height=height,
        options={
            "dedupStrategy": "none",
            "enableLogDetails": True,
            "prettifyLogMessage": False,
            "showCommonLabels": False,
            "showLabels": False,
            "showLogContextToggle": False,
            "showTime": True,
            "sortOrder": "Descending",
            "wrapLogMessage": True,
        },
    )
    return {**made, "datasource": LOGS}


def table(title, description, columns, *, by, width=24, height=10, links=()):
    """One line for each value of the label `by`. Columns: (name, expression, unit, words)."""
    letters = [chr(ord("A") + number) for number in range(len(columns))]
    overrides = []
    for letter, (name, _, unit, words) in zip(letters, columns):
        properties = [
            {"id": "displayName", "value": name},
            {"id": "unit", "value": unit},
        ]
        if words:
            options = {
                str(value): {"text": text, "color": colour, "index": value}
                for value, (text, colour) in enumerate(words)
            }
            properties += [
                {"id": "mappings", "value": [{"type": "value", "options": options}]},
                {"id": "custom.cellOptions", "value": {"type": "color-text"}},
            ]
        # So Grafana calls the values of one query, and of each of many.
        value = "Value" if len(columns) == 1 else f"Value #{letter}"
        overrides.append({"matcher": {"id": "byName", "options": value}, "properties": properties})
    if links:
        overrides.append(
            {
                "matcher": {"id": "byName", "options": by},
                "properties": [{"id": "links", "value": list(links)}],
            }
        )
    return panel(
        "table",
        title,
        description,
        "short",
        [column(expression) for _, expression, _, _ in columns],
        width=width,
        height=height,
        overrides=overrides,
        options={"showHeader": True, "cellHeight": "sm"},
        transformations=[
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {"excludeByName": {"Time": True}}},
        ],
    )
