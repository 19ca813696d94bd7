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
    titles = {"crimes": "Crimes", "before": "A year earlier"}
    base = alt.Chart(alt.NamedData("trend")).encode(
        x=alt.X("month:T", title=None, axis=alt.Axis(labelFlush=True, tickCount=8)),
        y=alt.Y(
            f"{fields[0]}:Q", axis=alt.Axis(format="~s", tickCount=5, title="Crimes per month", labelExpr=PLAIN_ZERO)
        ),
        detail="run:N",
        tooltip=[
            alt.Tooltip("month:T", format="%B %Y", title="Month"),
            *(alt.Tooltip(f"{name}:Q", format=",d", title=titles[name]) for name in fields),
        ],
    )
    line = base.mark_line(style="before", strokeWidth=2) if fields == ("before",) else base.mark_line(strokeWidth=2.5)
    return [line, base.mark_point(size=90, opacity=0, filled=True)]


@built_once
def ranked() -> alt.Chart:
    """The most frequent. Dataset `ranked`: name, crimes, share, in order."""
    return (
        alt.Chart(alt.NamedData("ranked"))
        .mark_bar()
        .encode(
            y=alt.Y("name:N", sort=None, title=None),
            x=alt.X("crimes:Q", title="Crimes", axis=alt.Axis(format="~s", tickCount=5, labelExpr=PLAIN_ZERO)),
            tooltip=[
                alt.Tooltip("name:N", title="Type"),
                alt.Tooltip("crimes:Q", format=",d", title="Crimes"),
                alt.Tooltip("share:Q", format=".1%", title="Share"),
            ],
        )
        .properties(width=WIDE, height=HEIGHT)
    )


@built_once
def moved() -> alt.Chart:
    """What rose and fell. Dataset `moved`: name, change, share, now, before, direction (rose or fell), in order."""
    return _changes("change:Q", "Change in crimes", "+~s")


@built_once
def moved_by_share() -> alt.Chart:
    """The same with bars by relative change, for places that differ in size."""
    return _changes("share:Q", "Change, year to date", "+.0%")


def _changes(length: str, title: str, format: str) -> alt.Chart:
    return (
        alt.Chart(alt.NamedData("moved"))
        .mark_bar()
        .encode(
            y=alt.Y("name:N", sort=None, title=None),
            x=alt.X(length, title=title, axis=alt.Axis(format=format, tickCount=5, labelExpr=PLAIN_ZERO)),
            color=alt.Color("direction:N", title=None, scale=alt.Scale(domain=["rose", "fell"])),
            tooltip=[
                alt.Tooltip("name:N", title="Name"),
                alt.Tooltip("now:Q", format=",d", title="Now"),
                alt.Tooltip("before:Q", format=",d", title="A year earlier"),
                alt.Tooltip("change:Q", format="+,d", title="Change"),
                alt.Tooltip("share:Q", format="+.1%", title="Change, %"),
            ],
        )
        .properties(width=WIDE, height=HEIGHT)
    )


@built_once
def season() -> alt.Chart:
    """Each month relative to the average day. Dataset `season`: month_name, above (a share)."""
    return (
        alt.Chart(alt.NamedData("season"))
        .mark_bar()
        .encode(
            x=alt.X("month_name:O", sort=None, title=None, axis=MONTH_AXIS),
            y=alt.Y(
                "above:Q",
                title="Crimes per day, relative to average",
                axis=alt.Axis(format="+.0%", tickCount=5, labelExpr=PLAIN_ZERO),
            ),
            tooltip=[
                alt.Tooltip("month_name:N", title="Month"),
                alt.Tooltip("above:Q", format="+.1%", title="Relative to average"),
            ],
        )
        .properties(width=WIDE, height=HEIGHT)
    )


@built_once
def hours() -> alt.Chart:
    """Hours of the week. Dataset `hours`: weekday, hour, crimes."""
    return (
        alt.Chart(alt.NamedData("hours"))
        .mark_rect()
        .encode(
            x=alt.X("hour:O", title="Hour of the day", axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            y=alt.Y("weekday:N", sort=None, title=None),
            color=alt.Color("crimes:Q", title="Crimes", legend=alt.Legend(format=",d")),
            tooltip=[
                alt.Tooltip("weekday:N", title="Day"),
                alt.Tooltip("hour:O", title="Hour"),
                alt.Tooltip("crimes:Q", format=",d", title="Crimes"),
            ],
        )
        .properties(width=WIDE, height=HEIGHT)
    )


@built_once
def months() -> alt.Chart:
    """Months by year. Dataset `months`: year, month_name, crimes."""
    return (
        alt.Chart(alt.NamedData("months"))
        .mark_rect()
        .encode(
            x=alt.X("month_name:O", sort=None, title=None, axis=MONTH_AXIS),
            y=alt.Y("year:O", title=None),
            color=alt.Color("crimes:Q", title="Crimes", legend=alt.Legend(format="~s", labelExpr=PLAIN_ZERO)),
            tooltip=[
                alt.Tooltip("month_name:N", title="Month"),
                alt.Tooltip("year:O", title="Year"),
                alt.Tooltip("crimes:Q", format=",d", title="Crimes"),
            ],
        )
        .properties(width=WIDE, height=HEIGHT)
    )


@built_once
def areas_map() -> AnyChart:
    """Areas by value. Dataset `areas`: GeoJSON features with community_area, name, crimes, rate, value, is_pale."""
    base = alt.Chart(alt.NamedData("areas")).project(type="identity", reflectY=True)
    name = alt.Tooltip("name:N", title="Area")
    # An area that the filters exclude has no value: it stays gray, and can be clicked.
    unchosen = base.mark_geoshape(style="unchosen", cursor="pointer").encode(tooltip=[name])
    chosen = (
        base.transform_filter("isValid(datum.value)")
        .mark_geoshape(style="area", cursor="pointer")
        .encode(
            opacity=alt.condition("datum.is_pale", alt.value(0.35), alt.value(1)),
            color=alt.Color(
                "value:Q", title=None, scale=alt.Scale(zero=True), legend=alt.Legend(format="~s", labelExpr=PLAIN_ZERO)
            ),
            tooltip=[
                name,
                alt.Tooltip("crimes:Q", format=",d", title="Crimes"),
                alt.Tooltip("rate:Q", format=",.1f", title="Per 1,000 residents per year"),
            ],
        )
    )
    dashed = base.transform_filter("datum.is_pale").mark_geoshape(
        style="outline", fill="transparent", strokeDash=[3, 2], cursor="pointer"
    )
    return _map(alt.layer(unchosen, chosen, dashed.encode(tooltip=chosen.encoding.tooltip)))


@built_once
def cells_map() -> AnyChart:
    """Cells by crimes. Datasets `cells`: x, y, x2, y2, crimes, community_area, name; `borders`: outlines of areas."""
    color = alt.Color(
        "crimes:Q", title="Crimes in the cell", scale=alt.Scale(type="log"), legend=alt.Legend(format=",d")
    )
    return _cells(color, alt.Tooltip("crimes:Q", format=",d", title="Crimes"))


@built_once
def hot_spots_map() -> AnyChart:
    """Cells by z-score. Datasets as in `cells_map`, with gi_star."""
    scale = alt.Scale(type="threshold", domain=list(HOT_FROM), range="diverging")
    color = alt.Color("gi_star:Q", title="Gi* z-score", scale=scale, legend=alt.Legend(format=".2f"))
    return _cells(
        color,
        alt.Tooltip("crimes:Q", format=",d", title="Crimes"),
        alt.Tooltip("gi_star:Q", format="+.1f", title="Gi* z-score"),
    )


def _cells(color: alt.Color, *tooltips: alt.Tooltip) -> AnyChart:
    x = alt.Scale(domain=[edge / CELL_FT for edge in X_FT], nice=False)
    y = alt.Scale(domain=[edge / CELL_FT for edge in Y_FT], nice=False)
    cells = (
        alt.Chart(alt.NamedData("cells"))
        .mark_rect(cursor="pointer", x2Offset=0.5, y2Offset=-0.5)  # no seams between cells
        .encode(
            x=alt.X("x:Q", scale=x, axis=None),
            x2="x2:Q",
            y=alt.Y("y:Q", scale=y, axis=None),
            y2="y2:Q",
            color=color,
            tooltip=[alt.Tooltip("name:N", title="Area"), *tooltips],
        )
    )
    borders = (
        alt.Chart(alt.NamedData("borders"))
        .mark_line(style="outline")
        .encode(
            x=alt.X("x:Q", scale=x, axis=None),
            y=alt.Y("y:Q", scale=y, axis=None),
            order="order:Q",
            detail="ring:N",
        )
    )
    return _map(alt.layer(cells, borders))


def _map(chart: AnyChart) -> AnyChart:
    # static/app.js computes the height from the width and this aspect ratio, so that the map is not distorted.
    return chart.properties(width=WIDE, height=500, usermeta={"aspect": MAP_ASPECT, "filter": "area"})
