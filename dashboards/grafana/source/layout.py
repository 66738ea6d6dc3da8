"""Dashboards: rows of panels, with the variables, annotations and links that all of them have."""

from queries import RATE, SELECTION, SOURCE, selected

TAG = "codex-es-guard"


def variable(name, label, definition):
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": SOURCE,
        "definition": definition,
        "query": {"query": definition, "refId": f"{name}-values"},
        "refresh": 2,
        "sort": 1,
        "includeAll": True,
        "allValue": ".+",
        "multi": True,
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }


def annotation(name, expression, colour, text, *, enable=True):
    return {
        "name": name,
        "datasource": SOURCE,
        "enable": enable,
        "hide": False,
        "iconColor": colour,
        "expr": selected(expression),
        "step": "60s",
        "titleFormat": name,
        "textFormat": text,
    }


def dashboard(uid, title, description, rows, *, agent=False, logs=False, period="now-6h"):
    variables = [
        {
            "name": "datasource",
            "label": "Data source",
            "type": "datasource",
            "query": "prometheus",
            "refresh": 1,
            "current": {},
        },
        variable("job", "Job", "label_values(guard_up, job)"),
        variable("instance", "Instance", 'label_values(guard_up{job=~"$job"}, instance)'),
    ]
    if agent:
        known = f"label_values(guard_decisions_total{{{SELECTION}}}, agent)"
        variables.append(variable("agent", "Agent", known))
    if logs:
        variables.append(
            {
                "name": "logs",
                "label": "Log store",
                "type": "datasource",
                "query": "loki",
                "refresh": 1,
                "current": {},
            }
        )
    return {
        "uid": uid,
        "id": None,
        "title": title,
        "description": description,
        "tags": [TAG],
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "schemaVersion": 39,
        "version": 1,
        "timezone": "browser",
        "time": {"from": period, "to": "now"},
        "templating": {"list": variables},
        "annotations": {
            "list": [
                annotation(
                    "Policy put in force",
                    f"sum by (instance) (increase(guard_policy_reloads_total{{@}}{RATE})) > 0",
                    "blue",
                    "on {{instance}}",
                ),
                annotation(
                    "Override granted",
                    f"sum by (instance) (delta(guard_policy_overrides{{@}}{RATE})) > 0",
                    "orange",
                    "on {{instance}}",
                ),
                annotation(
                    "Alert",
                    'ALERTS{@,alertname=~"Guard.+",alertstate="firing"}',
                    "red",
                    "{{alertname}} on {{instance}}",
                ),
            ]
        },
        "links": [
            {
                "type": "dashboards",
                "title": "Guard",
                "tags": [TAG],
                "asDropdown": False,
                "includeVars": True,
                "keepTime": True,
            }
        ],
        "panels": placed(rows),
    }


def placed(rows):
    """Panels with their numbers and places, from left to right and top to bottom."""
    panels = []
    top = 0
    for name, members in rows:
        place = {"x": 0, "y": top, "w": 24, "h": 1}
        panels.append(
            {"type": "row", "title": name, "collapsed": False, "gridPos": place, "panels": []}
        )
        top += 1
        left = height = 0
        for member in members:
            size = member["gridPos"]
            if left + size["w"] > 24:
                top, left, height = top + height, 0, 0
            panels.append({**member, "gridPos": {"x": left, "y": top, **size}})
            left += size["w"]
            height = max(height, size["h"])
        top += height
    for number, member in enumerate(panels, start=1):
        member["id"] = number
    return panels


def link_to(uid, title, label, value):
    keep = "${datasource:queryparam}&${job:queryparam}&${__url_time_range}"
    return {"title": title, "url": f"/d/{uid}?var-{label}={value}&{keep}"}
