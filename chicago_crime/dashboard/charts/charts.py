"""Every chart and map as a Vega-Lite specification without data; the page's module supplies the rows.

Colors come from the theme in `vega.py`, so that one specification serves light and dark mode. Maps are drawn in feet or
in 660-foot cells, north up, without a base map.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

import altair as alt

from chicago_crime.dashboard.hot_spots import HOT
from chicago_crime.tables import CELL_FT
from chicago_crime.tables.columns import X_FT, Y_FT

HEIGHT = 240
ROW_HEIGHT = 24
WIDE = "container"
MONTH_AXIS = alt.Axis(labelAngle=0, labelOverlap=True, labelSeparation=4)
"""On a narrow screen only every other month is labeled."""

PLAIN_ZERO = "datum.value === 0 ? '0' : datum.label"
"""A label expression: the formats below would write 0 as 0k, +0k or +0%."""

MAP_ASPECT = (Y_FT[1] - Y_FT[0]) / (X_FT[1] - X_FT[0])

HOT_FROM = (-2.576, -HOT, HOT, 2.576)
"""The z-scores of 99 % and 95 % confidence."""
AnyChart = alt.Chart | alt.LayerChart | alt.FacetChart


def with_rows(spec: dict[str, Any], rows: int) -> dict[str, Any]:
    """The chart, high enough for this many rows."""
    return spec | {"height": max(rows, 2) * ROW_HEIGHT}


def built_once(build: Callable[[], AnyChart]) -> Callable[[], dict[str, Any]]:
    """A specification that is built at its first use and then kept."""

    @lru_cache
    @wraps(build)
    def spec() -> dict[str, Any]:
        found = build().to_dict()
        del found["config"]  # Altair's default theme; ours is in vega.py
        return found

    return spec


TOOLTIPS = {
    "name": alt.Tooltip("name:N", title="Name"),
    "month": alt.Tooltip("month:T", title="Month", format="%B %Y"),
    "month_name": alt.Tooltip("month_name:N", title="Month"),
    "year": alt.Tooltip("year:O", title="Year"),
    "weekday": alt.Tooltip("weekday:N", title="Day"),
    "hour": alt.Tooltip("hour:O", title="Hour"),
    "crimes": alt.Tooltip("crimes:Q", title="Crimes", format=",d"),
    "now": alt.Tooltip("now:Q", title="Now", format=",d"),
    "before": alt.Tooltip("before:Q", title="A year earlier", format=",d"),
    "change": alt.Tooltip("change:Q", title="Change", format="+,d"),
    "growth": alt.Tooltip("share:Q", title="Change, %", format="+.1%"),
    "share": alt.Tooltip("share:Q", title="Share", format=".1%"),
    "above": alt.Tooltip("above:Q", title="Relative to average", format="+.1%"),
    "rate": alt.Tooltip("rate:Q", title="Per 1,000 residents per year", format=",.1f"),
    "gi_star": alt.Tooltip("gi_star:Q", title="Gi* z-score", format="+.1f"),
}


def _tooltips(*names: str) -> list[alt.Tooltip]:
    return [TOOLTIPS[name] for name in names]


def _axis(format: str = "~s", **more: Any) -> alt.Axis:
    return alt.Axis(format=format, tickCount=5, labelExpr=PLAIN_ZERO, **more)


def _chart(dataset: str) -> alt.Chart:
    return alt.Chart(alt.NamedData(dataset)).properties(width=WIDE, height=HEIGHT)


@built_once
def trend() -> AnyChart:
    """Crimes by month. Dataset `trend`: month, crimes, run."""
    return alt.layer(*_lines("crimes")).properties(width=WIDE, height=HEIGHT)


@built_once
def trend_and_before() -> AnyChart:
    """The same, with the year before in gray behind it. Dataset `trend`: also before."""
    now, points = _lines("crimes", "before")
    [before, _] = _lines("before")
    return alt.layer(before, now, points).properties(width=WIDE, height=HEIGHT)


def _lines(*fields: str) -> list[alt.Chart]:
    """A line of the first field, and invisible points whose tooltips show all fields."""
    base = alt.Chart(alt.NamedData("trend")).encode(
        x=alt.X("month:T", title=None, axis=alt.Axis(labelFlush=True, tickCount=8)),
        y=alt.Y(f"{fields[0]}:Q", axis=_axis(title="Crimes per month")),
        detail="run:N",
        tooltip=_tooltips("month", *fields),
    )
    line = base.mark_line(style="before", strokeWidth=2) if fields == ("before",) else base.mark_line(strokeWidth=2.5)
    return [line, base.mark_point(size=90, opacity=0, filled=True)]


@built_once
def ranked() -> AnyChart:
    """The most frequent. Dataset `ranked`: name, crimes, share, in order."""
    bars = _chart("ranked").mark_bar()
    return bars.encode(
        y=alt.Y("name:N", sort=None, title=None),
        x=alt.X("crimes:Q", title="Crimes", axis=_axis()),
        tooltip=_tooltips("name", "crimes", "share"),
    )


@built_once
def moved() -> AnyChart:
    """What rose and fell. Dataset `moved`: name, change, share, now, before, direction (rose or fell), in order."""
    return _changes("change:Q", "Change in crimes", "+~s")


@built_once
def moved_by_share() -> AnyChart:
    """The same with bars by relative change, for places that differ in size."""
    return _changes("share:Q", "Change, year to date", "+.0%")


def _changes(length: str, title: str, format: str) -> alt.Chart:
    bars = _chart("moved").mark_bar()
    return bars.encode(
        y=alt.Y("name:N", sort=None, title=None),
        x=alt.X(length, title=title, axis=_axis(format)),
        color=alt.Color("direction:N", title=None, scale=alt.Scale(domain=["rose", "fell"])),
        tooltip=_tooltips("name", "now", "before", "change", "growth"),
    )


@built_once
def season() -> AnyChart:
    """Each month relative to the average day. Dataset `season`: month_name, above (a share)."""
    bars = _chart("season").mark_bar()
    return bars.encode(
        x=alt.X("month_name:O", sort=None, title=None, axis=MONTH_AXIS),
        y=alt.Y("above:Q", title="Crimes per day, relative to average", axis=_axis("+.0%")),
        tooltip=_tooltips("month_name", "above"),
    )


@built_once
def hours() -> AnyChart:
    """Hours of the week. Dataset `hours`: weekday, hour, crimes."""
    cells = _chart("hours").mark_rect()
    return cells.encode(
        x=alt.X("hour:O", title="Hour of the day", axis=alt.Axis(labelAngle=0, labelOverlap=True)),
        y=alt.Y("weekday:N", sort=None, title=None),
        color=alt.Color("crimes:Q", title="Crimes", legend=alt.Legend(format=",d")),
        tooltip=_tooltips("weekday", "hour", "crimes"),
    )


@built_once
def months() -> AnyChart:
    """Months by year. Dataset `months`: year, month_name, crimes."""
    cells = _chart("months").mark_rect()
    return cells.encode(
        x=alt.X("month_name:O", sort=None, title=None, axis=MONTH_AXIS),
        y=alt.Y("year:O", title=None),
        color=alt.Color("crimes:Q", title="Crimes", legend=alt.Legend(format="~s", labelExpr=PLAIN_ZERO)),
        tooltip=_tooltips("month_name", "year", "crimes"),
    )


@built_once
def areas_map() -> AnyChart:
    """Areas by value. Dataset `areas`: GeoJSON features with community_area, name, crimes, rate, value, is_pale."""
    base = alt.Chart(alt.NamedData("areas")).project(type="identity", reflectY=True)
    # An area that the filters exclude has no value: it stays gray, and can be clicked.
    excluded = base.mark_geoshape(style="unchosen", cursor="pointer").encode(tooltip=_tooltips("name"))
    tooltip = _tooltips("name", "crimes", "rate")
    selected = base.transform_filter("isValid(datum.value)").mark_geoshape(style="area", cursor="pointer")
    legend = alt.Legend(format="~s", labelExpr=PLAIN_ZERO)
    filled = selected.encode(
        opacity=alt.condition("datum.is_pale", alt.value(0.35), alt.value(1)),
        color=alt.Color("value:Q", title=None, scale=alt.Scale(zero=True), legend=legend),
        tooltip=tooltip,
    )
    pale = base.transform_filter("datum.is_pale")
    dashed = pale.mark_geoshape(style="outline", fill="transparent", strokeDash=[3, 2], cursor="pointer")
    return _map(alt.layer(excluded, filled, dashed.encode(tooltip=tooltip)))


@built_once
def cells_map() -> AnyChart:
    """Cells by crimes. Datasets `cells`: x, y, x2, y2, crimes, community_area, name; `borders`: outlines of areas."""
    scale = alt.Scale(type="log")
    color = alt.Color("crimes:Q", title="Crimes in the cell", scale=scale, legend=alt.Legend(format=",d"))
    return _cells(color, "name", "crimes")


@built_once
def hot_spots_map() -> AnyChart:
    """Cells by z-score. Datasets as in `cells_map`, with gi_star."""
    scale = alt.Scale(type="threshold", domain=list(HOT_FROM), range="diverging")
    color = alt.Color("gi_star:Q", title="Gi* z-score", scale=scale, legend=alt.Legend(format=".2f"))
    return _cells(color, "name", "crimes", "gi_star")


def _cells(color: alt.Color, *tooltips: str) -> AnyChart:
    x = alt.X("x:Q", scale=alt.Scale(domain=[edge / CELL_FT for edge in X_FT], nice=False), axis=None)
    y = alt.Y("y:Q", scale=alt.Scale(domain=[edge / CELL_FT for edge in Y_FT], nice=False), axis=None)
    squares = alt.Chart(alt.NamedData("cells")).mark_rect(cursor="pointer", x2Offset=0.5, y2Offset=-0.5)  # no seams
    lines = alt.Chart(alt.NamedData("borders")).mark_line(style="outline")
    return _map(
        alt.layer(
            squares.encode(x=x, x2="x2:Q", y=y, y2="y2:Q", color=color, tooltip=_tooltips(*tooltips)),
            lines.encode(x=x, y=y, order="order:Q", detail="ring:N"),
        )
    )


def _map(chart: AnyChart) -> AnyChart:
    # static/app.js computes the height from the width and this aspect ratio, so that the map is not distorted.
    return chart.properties(width=WIDE, height=500, usermeta={"aspect": MAP_ASPECT, "filter": "area"})
