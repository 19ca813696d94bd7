"""How each kind of chart is drawn: Vega-Lite specifications, made once, that name their data and hold none.

Colours are named by role and come from `theme.py`, so that light and dark are one specification. Which rows a chart
gets is the page's part; drawing it is the browser's (`static/app.js`) or the report's.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

import altair as alt

from chicago_crime.schema import X_FT, Y_FT

CELL_FT = 660
HEIGHT = 240
ROW_HEIGHT = 24
WIDE = "container"
MAP_ASPECT = (Y_FT[1] - Y_FT[0]) / (X_FT[1] - X_FT[0])

HOT_FROM = (-2.576, -1.96, 1.96, 2.576)
"""Where a z-score leaves the 99 % and the 95 % of what chance alone would give."""


AnyChart = alt.Chart | alt.LayerChart | alt.FacetChart


def in_rows(spec: dict[str, Any], rows: int) -> dict[str, Any]:
    """A chart that has a row per name, high enough for so many of them."""
    return spec | {"height": max(rows, 2) * ROW_HEIGHT}


def _made_once(make: Callable[[], AnyChart]) -> Callable[[], dict[str, Any]]:
    @lru_cache
    @wraps(make)
    def spec() -> dict[str, Any]:
        found = make().to_dict()
        del found["config"]  # Altair's own look; ours is `theme`
        return found

    return spec


@_made_once
def trend() -> AnyChart:
    """Crimes by month, with the year before in grey behind: `trend` has month, crimes, before, run."""
    base = alt.Chart(alt.NamedData("trend")).encode(
        x=alt.X("month:T", title=None, axis=alt.Axis(labelFlush=True, tickCount=8)),
        detail="run:N",
        tooltip=[
            alt.Tooltip("month:T", format="%B %Y", title="Month"),
            alt.Tooltip("crimes:Q", format=",d", title="Crimes"),
            alt.Tooltip("before:Q", format=",d", title="A year before"),
        ],
    )
    number = alt.Axis(format="~s", tickCount=5, title="Crimes a month")
    before = base.mark_line(style="before", strokeWidth=2).encode(y=alt.Y("before:Q", axis=number))
    now = base.mark_line(strokeWidth=2.5).encode(y=alt.Y("crimes:Q", axis=number))
    points = base.mark_point(size=90, opacity=0, filled=True).encode(y="crimes:Q")
    return alt.layer(before, now, points).properties(width=WIDE, height=HEIGHT)


@_made_once
def ranked() -> alt.Chart:
    """The most frequent: `ranked` has name, crimes, share, in order."""
    return (
        alt.Chart(alt.NamedData("ranked"))
        .mark_bar()
        .encode(
            y=alt.Y("name:N", sort=None, title=None),
            x=alt.X("crimes:Q", title="Crimes", axis=alt.Axis(format="~s", tickCount=5)),
            tooltip=[
                alt.Tooltip("name:N", title="Type"),
                alt.Tooltip("crimes:Q", format=",d", title="Crimes"),
                alt.Tooltip("share:Q", format=".1%", title="Share"),
            ],
        )
        .properties(width=WIDE, height=HEIGHT)
    )


@_made_once
def moved() -> alt.Chart:
    """What rose and what fell: `moved` has name, change, share, now, before, direction (rose or fell), in order."""
    return _changes("change:Q", "Change in crimes", "+~s")


@_made_once
def moved_by_share() -> alt.Chart:
    """The same with lengths by share: where places differ in size."""
    return _changes("share:Q", "Change, year to date", "+.0%")


def _changes(length: str, title: str, format: str) -> alt.Chart:
    return (
        alt.Chart(alt.NamedData("moved"))
        .mark_bar()
        .encode(
            y=alt.Y("name:N", sort=None, title=None),
            x=alt.X(length, title=title, axis=alt.Axis(format=format, tickCount=5)),
            color=alt.Color("direction:N", title=None, scale=alt.Scale(domain=["rose", "fell"])),
            tooltip=[
                alt.Tooltip("name:N", title="What"),
                alt.Tooltip("now:Q", format=",d", title="Now"),
                alt.Tooltip("before:Q", format=",d", title="A year before"),
                alt.Tooltip("change:Q", format="+,d", title="Change"),
                alt.Tooltip("share:Q", format="+.1%", title="Change, %"),
            ],
        )
        .properties(width=WIDE, height=HEIGHT)
    )


@_made_once
def season() -> alt.Chart:
    """The months against the mean day: `season` has month_name, above (as a share)."""
    return (
        alt.Chart(alt.NamedData("season"))
        .mark_bar()
        .encode(
            x=alt.X("month_name:O", sort=None, title=None, axis=alt.Axis(labelAngle=0)),
            y=alt.Y("above:Q", title="Crimes a day against the mean", axis=alt.Axis(format="+.0%", tickCount=5)),
            tooltip=[
                alt.Tooltip("month_name:N", title="Month"),
                alt.Tooltip("above:Q", format="+.1%", title="Against the mean day"),
            ],
        )
        .properties(width=WIDE, height=HEIGHT)
    )


@_made_once
def areas_map() -> AnyChart:
    """Areas by value: `areas` has GeoJSON features, with community_area, name, crimes, rate, value."""
    base = alt.Chart(alt.NamedData("areas")).project(type="identity", reflectY=True)
    name = alt.Tooltip("name:N", title="Area")
    # An area that the filters leave out has no value: it stays grey, to be clicked.
    unchosen = base.mark_geoshape(style="unchosen", cursor="pointer").encode(tooltip=[name])
    chosen = (
        base.transform_filter("isValid(datum.value)")
        .mark_geoshape(style="area", cursor="pointer")
        .encode(
            color=alt.Color("value:Q", title=None, scale=alt.Scale(zero=True), legend=alt.Legend(format="~s")),
            tooltip=[
                name,
                alt.Tooltip("crimes:Q", format=",d", title="Crimes"),
                alt.Tooltip("rate:Q", format=",.1f", title="Per 1,000 residents a year"),
            ],
        )
    )
    return _map(alt.layer(unchosen, chosen))


@_made_once
def cells_map() -> AnyChart:
    """Cells by crimes: `cells` has x, y, x2, y2 (cells), crimes, community_area, name; `borders` lines of the areas."""
    colour = alt.Color(
        "crimes:Q", title="Crimes in the cell", scale=alt.Scale(type="log"), legend=alt.Legend(format=",d")
    )
    return _cells(colour, alt.Tooltip("crimes:Q", format=",d", title="Crimes"))


@_made_once
def hot_spots_map() -> AnyChart:
    """Cells by z-score: as `cells_map`, with gi_star."""
    scale = alt.Scale(type="threshold", domain=list(HOT_FROM), range="diverging")
    colour = alt.Color("gi_star:Q", title="Gi* z-score", scale=scale, legend=alt.Legend(format=".2f"))
    return _cells(
        colour,
        alt.Tooltip("crimes:Q", format=",d", title="Crimes"),
        alt.Tooltip("gi_star:Q", format="+.1f", title="Gi* z-score"),
    )


def _cells(colour: alt.Color, *tooltips: alt.Tooltip) -> AnyChart:
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
            color=colour,
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
    # The browser knows how wide it is: it makes the height by this aspect, so that a foot is as long up as across.
    return chart.properties(width=WIDE, height=500, usermeta={"aspect": MAP_ASPECT, "filter": "area"})


@_made_once
def hours() -> alt.Chart:
    """A week by hours: `hours` has weekday, hour, crimes."""
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


@_made_once
def months() -> alt.Chart:
    """Months by years: `months` has year, month_name, crimes."""
    return (
        alt.Chart(alt.NamedData("months"))
        .mark_rect()
        .encode(
            x=alt.X("month_name:O", sort=None, title=None, axis=alt.Axis(labelAngle=0)),
            y=alt.Y("year:O", title=None),
            color=alt.Color("crimes:Q", title="Crimes", legend=alt.Legend(format="~s")),
            tooltip=[
                alt.Tooltip("month_name:N", title="Month"),
                alt.Tooltip("year:O", title="Year"),
                alt.Tooltip("crimes:Q", format=",d", title="Crimes"),
            ],
        )
        .properties(width=WIDE, height=HEIGHT)
    )
