"""Draws a dashboard as its panels' answers would look, as one HTML page; no scripts, no outside assets.

A preview, so that someone may look: places, titles, units, colours and legends are the dashboard's;
Grafana itself draws finer.
"""

import html
import math

COLOURS = ["#73bf69", "#f2cc0c", "#5794f2", "#ff780a", "#e0535f", "#b877d9", "#37872d", "#8ab8ff", "#fade2a", "#ffa6b0"]
NAMED = {"red": "#e0535f", "green": "#56a64b", "orange": "#ff9830", "blue": "#5794f2", "text": "#ccccdc"}
WIDTH, ROW = 1600, 30
STYLE = """
body { margin: 0; width: 1600px; background: #111217; color: #ccccdc; font: 13px/1.35 system-ui, sans-serif; position: relative; }
h1 { font-size: 20px; font-weight: 500; margin: 0; padding: 14px 12px 0; height: 34px; }
.panel { position: absolute; background: #181b1f; border: 1px solid #25282e; border-radius: 3px; overflow: hidden; box-sizing: border-box; padding: 6px 9px; }
.row { position: absolute; color: #ccccdc; font-weight: 500; padding: 5px 10px; }
.title { font-weight: 500; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; height: 20px; }
.stat { display: flex; align-items: center; justify-content: center; font-size: 30px; font-weight: 600; height: calc(100% - 22px); border-radius: 3px; }
.legend { position: absolute; left: 9px; right: 9px; bottom: 5px; height: 17px; font-size: 11.5px; white-space: nowrap; overflow: hidden; }
.legend i { display: inline-block; width: 14px; height: 4px; border-radius: 2px; margin: 0 5px 2px 0; }
.legend span { margin-right: 13px; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; color: #6e9fff; font-weight: 500; }
th, td { padding: 3px 8px 3px 0; border-bottom: 1px solid #25282e; white-space: nowrap; }
.bar { height: 15px; border-radius: 2px; }
.empty { color: #e0535f; padding: 20px; }
svg { display: block; } text { fill: #9aa0ab; font-size: 11px; }
"""


def shown(value, unit):
    """A number as Grafana would show it."""
    if value is None or math.isnan(value):
        return "–"
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    if unit == "s":
        size = abs(value)
        for scale, name in ((1e-6, "ns"), (1e-3, "µs"), (1, "ms")):
            if 0 < size < scale:
                return f"{value / scale * 1000:.3g} {name}"
        for scale, name in ((86400, "days"), (3600, "hours"), (60, "min")):
            if size >= 2 * scale:
                return f"{value / scale:.3g} {name}"
        return f"{value:.3g} s"
    suffix = {"ops": " ops/s", "bytes": "B", "Bps": "B/s"}.get(unit, "")
    base, names = (1024, ["", "Ki", "Mi", "Gi"]) if suffix.startswith("B") else (1000, ["", " K", " Mil", " Bil"])
    for name in names:
        if abs(value) < base or name == names[-1]:
            text = f"{value:.3g}" if abs(value) < base else f"{value:.0f}"
            return f"{text}{' ' if suffix.startswith('B') else ''}{name}{suffix}"
        value /= base


def legend(target, labels):
    """What a series is called."""
    form = target["legendFormat"]
    if form in ("", "__auto"):
        return ", ".join(value for name, value in sorted(labels.items()) if name != "__name__") or target["refId"]
    for name, value in labels.items():
        form = form.replace("{{" + name + "}}", value)
    return form


def numbers(result):
    return [(float(at), float(value)) for at, value in result["values"]]


def mapped(value, mappings):
    """The words and the colour of a value."""
    for mapping in mappings:
        said = mapping["options"].get(f"{value:g}")
        if said:
            return said["text"], NAMED.get(said.get("color", ""), None)
    return None, None


def threshold(value, defaults):
    colour = "blue"
    for step in defaults.get("thresholds", {}).get("steps", []):
        if step["value"] is None or value >= step["value"]:
            colour = step["color"]
    return NAMED[colour]


def stat(panel, answers, _times):
    defaults = panel["fieldConfig"]["defaults"]
    found = [float(result["value"][1]) for _, results in answers for result in results]
    if not found:
        return '<div class="empty">no data</div>'
    words, _ = mapped(found[0], defaults.get("mappings", []))
    colour = threshold(found[0], defaults)
    style = f"background:{colour};color:#fff" if panel["options"]["colorMode"] == "background" else f"color:{colour}"
    return f'<div class="stat" style="{style}">{words or shown(found[0], defaults["unit"])}</div>'


def bargauge(panel, answers, _times):
    unit = panel["fieldConfig"]["defaults"]["unit"]
    bars = [(legend(target, r["metric"]), float(r["value"][1])) for target, results in answers for r in results]
    bars = sorted((bar for bar in bars if not math.isnan(bar[1])), key=lambda bar: -bar[1])[:9]
    most = max((value for _, value in bars), default=0) or 1
    rows = "".join(
        f'<tr><td style="width:30%">{html.escape(name)}</td><td><div class="bar" style="width:{max(1, 100 * value / most):.1f}%;'
        f'background:{COLOURS[2] if value < most / 2 else COLOURS[4]}"></div></td><td style="width:12%">{shown(value, unit)}</td></tr>'
        for name, value in bars
    )
    return f"<table>{rows}</table>"


def table(panel, answers, _times):
    overrides = {o["matcher"]["options"]: {p["id"]: p["value"] for p in o["properties"]} for o in panel["fieldConfig"]["overrides"]}
    rows, labels, columns = {}, [], []
    for target, results in answers:
        key = "Value" if len(answers) == 1 else f"Value #{target['refId']}"
        columns.append(overrides.get(key, {"displayName": key}))
        for result in results:
            shown_labels = {n: v for n, v in result["metric"].items() if n not in ("__name__", "job", "scope")}
            labels += [name for name in shown_labels if name not in labels]
            rows.setdefault(tuple(sorted(shown_labels.items())), {})[len(columns) - 1] = float(result["value"][1])
    head = "".join(f"<th>{html.escape(name)}</th>" for name in [*labels, *(c["displayName"] for c in columns)])
    body = ""
    for key, values in list(rows.items())[:14]:
        body += "<tr>" + "".join(f"<td>{html.escape(dict(key).get(name, ''))}</td>" for name in labels)
        for number, column in enumerate(columns):
            value = values.get(number, math.nan)
            words, colour = mapped(value, column.get("mappings", [])) if not math.isnan(value) else (None, None)
            text = words or shown(value, column.get("unit", "short"))
            body += f'<td style="color:{colour or "inherit"}">{text}</td>'
        body += "</tr>"
    return f"<table><tr>{head}</tr>{body}</table>"


class Plot:
    """A field with axes: times from left to right, values from below."""

    def __init__(self, panel, times, least, most):
        self.width = panel["gridPos"]["w"] * WIDTH / 24 - 28
        self.height = panel["gridPos"]["h"] * ROW - 76
        self.start, self.end = times
        self.least, self.most = least, most if most > least else least + 1
        self.left = 76

    def x(self, at):
        return self.left + (at - self.start) / (self.end - self.start) * (self.width - self.left)

    def y(self, value):
        return self.height - (value - self.least) / (self.most - self.least) * (self.height - 8)

    def frame(self, unit, inner):
        lines = ""
        for step in range(5):
            value = self.least + (self.most - self.least) * step / 4
            y = self.y(value)
            lines += f'<line x1="{self.left}" x2="{self.width}" y1="{y:.1f}" y2="{y:.1f}" stroke="#25282e"/>'
            lines += f'<text x="{self.left - 6}" y="{y + 4:.1f}" text-anchor="end">{shown(value, unit)}</text>'
        for step in range(5):
            ago = (self.end - self.start) * (4 - step) / 4
            said = "now" if ago == 0 else f"−{ago / 60:.0f} min" if ago >= 120 else f"−{ago:.0f} s"
            x = self.left + (self.width - self.left) * step / 4
            place = "end" if step == 4 else "start" if step == 0 else "middle"
            lines += f'<text x="{x:.0f}" y="{self.height + 15:.0f}" text-anchor="{place}">{said}</text>'
        return f'<svg width="{self.width:.0f}" height="{self.height + 18:.0f}">{lines}{inner}</svg>'


def keys(names):
    marks = "".join(
        f'<span><i style="background:{COLOURS[n % len(COLOURS)]}"></i>{html.escape(name)}</span>' for n, name in enumerate(names)
    )
    return f'<div class="legend">{marks}</div>'


def timeseries(panel, answers, times):
    defaults = panel["fieldConfig"]["defaults"]
    series = [(legend(target, result["metric"]), numbers(result)) for target, results in answers for result in results]
    # A series that is always zero is not drawn, as long as there is another.
    lively = [one for one in series if any(value for _, value in one[1] if not math.isnan(value))] or series
    lively = sorted(lively, key=lambda one: -sum(v for _, v in one[1] if not math.isnan(v)))[:10]
    stack = "stacking" in defaults.get("custom", {})
    sums, lines = {}, []
    for name, points in lively:
        line = []
        for at, value in points:
            if math.isnan(value) or math.isinf(value):
                continue
            base = sums.get(at, 0.0) if stack else 0.0
            sums[at] = base + value
            line.append((at, base, base + value))
        lines.append((name, line))
    values = [top for _, line in lines for _, _, top in line]
    least = 0 if defaults.get("min") == 0 or not values else min(values)
    plot = Plot(panel, times, least, max(values, default=1) * 1.05)
    inner = ""
    for number, (_, line) in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        if not line:
            continue
        top = " ".join(f"{plot.x(at):.1f},{plot.y(value):.1f}" for at, _, value in line)
        bottom = " ".join(f"{plot.x(at):.1f},{plot.y(base):.1f}" for at, base, _ in reversed(line))
        inner += f'<polygon points="{top} {bottom}" fill="{colour}" opacity="{0.3 if stack else 0.08}"/>'
        inner += f'<polyline points="{top}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
    return plot.frame(defaults["unit"], inner) + keys([name for name, _ in lines])


def heatmap(panel, answers, times):
    bounds = {}
    for _, results in answers:
        for result in results:
            bounds[float(result["metric"]["le"])] = dict(numbers(result))
    # Bounds count what is below them; a row is what lies between two.
    counts, below = {}, {}
    for bound in sorted(bound for bound in bounds if not math.isinf(bound)):
        counts[bound] = {at: max(0.0, value - below.get(at, 0.0)) for at, value in bounds[bound].items()}
        below = bounds[bound]
    order = [bound for bound, row in counts.items() if any(row.values())] or list(counts)
    cells = [(at, number, count) for number, bound in enumerate(order) for at, count in counts[bound].items()]
    most = max((count for _, _, count in cells), default=1) or 1
    plot = Plot(panel, times, 0, len(order))
    stamps = sorted({at for at, _, _ in cells})
    width = (plot.width - plot.left) / max(1, len(stamps))
    height = (plot.height - 8) / len(order)
    inner = "".join(
        f'<rect x="{plot.x(at) - width:.1f}" y="{plot.y(number + 1):.1f}" width="{width:.1f}" height="{height:.1f}" fill="#ff780a" opacity="{(count / most) ** 0.5:.2f}"/>'
        for at, number, count in cells
        if count > 0
    )
    inner += "".join(
        f'<text x="{plot.left - 6}" y="{plot.y(number + 0.3):.0f}" text-anchor="end">{shown(bound, "s")}</text>'
        for number, bound in enumerate(order)
    )
    return f'<svg width="{plot.width:.0f}" height="{plot.height + 18:.0f}">{inner}</svg>'


def state_timeline(panel, answers, times):
    mappings = panel["fieldConfig"]["defaults"]["mappings"]
    series = [(legend(target, result["metric"]), numbers(result)) for target, results in answers for result in results][:6]
    plot = Plot(panel, times, 0, len(series))
    inner = ""
    for number, (name, points) in enumerate(series):
        y, height = plot.y(number + 0.85), 0.7 * (plot.height - 8) / len(series)
        width = (plot.width - plot.left) / max(1, len(points))
        for at, value in points:
            _, colour = mapped(value, mappings)
            inner += f'<rect x="{plot.x(at) - width:.1f}" y="{y:.1f}" width="{width + 0.6:.1f}" height="{height:.1f}" fill="{colour}"/>'
        inner += f'<text x="{plot.left - 6}" y="{y + height / 2 + 4:.0f}" text-anchor="end">{html.escape(name[:9])}</text>'
    return f'<svg width="{plot.width:.0f}" height="{plot.height + 18:.0f}">{inner}</svg>'


KINDS = {
    "stat": stat,
    "bargauge": bargauge,
    "table": table,
    "timeseries": timeseries,
    "heatmap": heatmap,
    "state-timeline": state_timeline,
}


def page(dashboard, answers, times):
    """HTML of a dashboard; `answers` has, by panel id, each target with its result."""
    parts, bottom = "", 0
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        top = 48 + place["y"] * ROW
        bottom = max(bottom, top + place["h"] * ROW)
        box = f'left:{place["x"] * WIDTH / 24 + 4:.0f}px;top:{top + 2}px;width:{place["w"] * WIDTH / 24 - 8:.0f}px;height:{place["h"] * ROW - 6}px'
        title = html.escape(panel["title"])
        if panel["type"] == "row":
            parts += f'<div class="row" style="{box}">⌄ {title}</div>'
            continue
        inner = KINDS[panel["type"]](panel, answers[panel["id"]], times)
        parts += f'<div class="panel" style="{box}"><div class="title">{title}</div>{inner}</div>'
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(dashboard["title"])}</title>'
        f'<style>{STYLE}</style><body style="height:{bottom + 10}px"><h1>{html.escape(dashboard["title"])}</h1>{parts}</body></html>'
    )
