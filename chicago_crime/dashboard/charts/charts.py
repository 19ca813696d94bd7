"""All charts, as Vega-Lite specifications.

Colors come from the theme in `vega.py`, so that one specification works in light and dark mode. Maps are in `map.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from chicago_crime.dashboard.view import Figure

Spec = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]

HEIGHT = 240
ROW_HEIGHT = 24

PLAIN_ZERO = {"labelExpr": "datum.value === 0 ? '0' : datum.label"}
"""Without this, the formats below write 0 as 0k or +0%."""

WHOLE = {"labelExpr": f"datum.value % 1 ? '' : {PLAIN_ZERO['labelExpr']}"}
"""The same for counts, without labels for fractions of a crime."""

FACTORS = [0, 0.5, *(2**power for power in range(12))]
"""Ticks on an axis of counts relative to a mean."""

MONTHS_NAMED = 36
"""Longest span in months whose axis names months; longer ones are labeled by year."""


def _field(name: str, type: str, title: str | None = None, **more: Any) -> Spec:
    return {"field": name, "type": type, "title": title} | more


def _count(name: str, title: str) -> Spec:
    """Encode a field on an axis of counts."""
    return _field(name, "quantitative", title, axis={"format": "~s", "tickCount": 5, **WHOLE})


AMOUNT = _field("crimes", "quantitative", "Crimes", legend={"format": ",d", **WHOLE})
TOOLTIPS = {
    "name": _field("name", "nominal", "Name"),
    "month": _field("month", "temporal", "Month", format="%B %Y"),
    "month_name": _field("month_name", "nominal", "Month"),
    "year": _field("year", "ordinal", "Year"),
    "weekday": _field("weekday", "nominal", "Day"),
    "hour": _field("hour", "ordinal", "Hour"),
    "crimes": _field("crimes", "quantitative", "Crimes", format=",d"),
    "now": _field("now", "quantitative", "Now", format=",d"),
    "low": _field("low", "quantitative", "Expected from", format=",d"),
    "high": _field("high", "quantitative", "Expected to", format=",d"),
    "share": _field("share", "quantitative", "Share", format=".1%"),
}


def _part(mark: Spec, tooltips: Sequence[str] = (), **encoding: Spec) -> Spec:
    """Combine a mark with its encoding."""
    if tooltips:
        encoding["tooltip"] = [TOOLTIPS[name] for name in tooltips]  # type: ignore[assignment]
    return {"mark": mark, "encoding": encoding}


def _plot(name: str, label: str, rows: Rows, columns: Sequence[str], spec: Spec, height: int = HEIGHT) -> Figure:
    """Chart some columns of rows."""
    common: Spec = {"$schema": "https://vega.github.io/schema/vega-lite/v6.json", "description": label}
    common |= {"width": "container", "height": height}
    values = [{column: row[column] for column in columns} for row in rows]
    return Figure(name, label, common | {"data": {"values": values}} | spec)


def _height(rows: int) -> int:
    return max(rows, 2) * ROW_HEIGHT


def trend(name: str, label: str, rows: Rows, has_range: bool) -> Figure:
    """Chart crimes by month, in front of the expected range if there is one.

    The month nearest to the pointer is highlighted.
    """
    # The first label includes the year, and the year stands for January: narrow screens have no room for both.
    with_year = "datum.index == 0 ? '%b %Y' : month(datum.value) == 0 ? '%Y' : '%b'"
    axis: Spec = {"labelFlush": True, "tickCount": 8, "labelOverlap": "greedy", "labelSeparation": 8}
    first, last = rows[0]["month"], rows[-1]["month"]
    span = 12 * (last.year - first.year) + last.month - first.month + 1
    if span <= MONTHS_NAMED:
        axis["labelExpr"] = f"timeFormat(datum.value, {with_year})"
        axis["tickCount"] = {"interval": "month", "step": 1 if span <= 12 else 3}

    def part(mark: Spec, field: str, *fields: str, **more: Spec) -> Spec:
        return _part(
            mark,
            ("month", *fields),
            x=_field("month", "temporal", axis=axis),
            y=_count(field, "Crimes per month"),
            detail={"field": "run", "type": "nominal"},
            **more,
        )

    fields = ("crimes", "low", "high") if has_range else ("crimes",)
    layers = []
    if has_range:
        band = part({"type": "area", "style": "before", "opacity": 0.3, "strokeWidth": 0}, "low", y2={"field": "high"})
        layers.append(band | {"transform": [{"filter": "isValid(datum.low)"}]})
    layers.append(part({"type": "line", "strokeWidth": 2.5}, "crimes", *fields))
    shown = {"condition": {"param": "nearest", "empty": False, "value": 1}, "value": 0}
    nearest = part({"type": "point", "size": 90, "filled": True}, "crimes", *fields, opacity=shown)
    select = {"type": "point", "on": "pointerover", "nearest": True, "encodings": ["x"], "clear": "pointerout"}
    layers.append(nearest | {"params": [{"name": "nearest", "select": select}]})
    timed = [{**row, "month": f"{row['month']}T00:00:00"} for row in rows]  # browsers read a bare date as UTC
    return _plot(name, label, timed, ("month", "crimes", "low", "high", "run"), {"layer": layers})


def ranked(name: str, label: str, rows: Rows) -> Figure:
    """Draw a bar for each row, in order."""
    columns = ("name", "crimes", "share")
    y = _field("name", "nominal", sort=None)
    bars = _part({"type": "bar"}, columns, y=y, x=_count("crimes", "Crimes"))
    return _plot(name, label, rows, columns, bars, _height(len(rows)))


def ranges(name: str, label: str, rows: Rows) -> Figure:
    """Chart counts and expected ranges, relative to the mean of earlier years. Rows: now, low, high, mean."""
    drawn = []
    for row in rows:
        mean = max(row["mean"], 1)  # it can be 0
        relative = {f"{key}_share": row[key] / mean for key in ("now", "low", "high")}
        drawn.append({**row, **relative, "direction": "rose" if row["now"] > mean else "fell"})
    columns = ("name", "now", "low", "high", "now_share", "low_share", "high_share", "direction")
    tooltips = ("name", "now", "low", "high")
    # On narrow screens, the place moves to a second line.
    in_lines = "containerSize()[0] < 600 ? split(datum.label, /, (?=[^,]*$)/) : datum.label"
    limit = {"expr": "0.45 * containerSize()[0]"}
    y = _field("name", "nominal", sort=None, axis={"labelLimit": limit, "labelExpr": in_lines, "labelLineHeight": 14})
    color = _field("direction", "nominal", scale={"domain": ["rose", "fell"]})
    axis = {"format": "~%", "values": FACTORS, **PLAIN_ZERO}
    x = _field("low_share", "quantitative", "Relative to the mean of earlier years", axis=axis, scale={"type": "sqrt"})
    bar, point = {"type": "bar", "style": "before", "height": 8}, {"type": "point", "filled": True, "size": 110}
    layers = [
        _part({"type": "rule", "style": "before", "aria": False}, x={"datum": 1}),
        _part(bar, tooltips, y=y, x=x, x2={"field": "high_share"}),
        _part(point, tooltips, y=y, x=x | {"field": "now_share"}, color=color),
    ]
    return _plot(name, label, drawn, columns, {"layer": layers}, _height(len(drawn)) * 4 // 3)


def hours(name: str, label: str, rows: Rows) -> Figure:
    """Heat map of the hours of the week."""
    columns = ("weekday", "hour", "crimes")
    x = _field("hour", "ordinal", "Hour of the day", axis={"labelAngle": 0, "labelOverlap": True})
    cells = _part({"type": "rect"}, columns, x=x, y=_field("weekday", "nominal", sort=None), color=AMOUNT)
    return _plot(name, label, rows, columns, cells)


def months(name: str, label: str, rows: Rows) -> Figure:
    """Heat map of months by year."""
    columns = ("month_name", "year", "crimes")
    # Narrow screens label every other month.
    axis = {"labelAngle": 0, "labelOverlap": True, "labelSeparation": 4}
    x = _field("month_name", "ordinal", "Month", sort=None, axis=axis)
    cells = _part({"type": "rect"}, columns, x=x, y=_field("year", "ordinal", "Year"), color=AMOUNT)
    return _plot(name, label, rows, columns, cells, _height(len({row["year"] for row in rows})))
