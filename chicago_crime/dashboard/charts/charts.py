"""How each kind of chart is drawn: Vega-Lite specifications, made once, that name their data and hold none.

Colours are named by role and come from `theme.py`, so that light and dark are one specification. Which rows a chart
gets is the page's part; drawing it is the browser's (`static/app.js`) or the report's.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

import altair as alt

HEIGHT = 240
ROW_HEIGHT = 24
WIDE = "container"
MONTH_AXIS = alt.Axis(labelAngle=0, labelOverlap=True, labelSeparation=4)
"""On a narrow screen every other month is named: names that touch are one long word."""


AnyChart = alt.Chart | alt.LayerChart | alt.FacetChart


def in_rows(spec: dict[str, Any], rows: int) -> dict[str, Any]:
    """A chart that has a row per name, high enough for so many of them."""
    return spec | {"height": max(rows, 2) * ROW_HEIGHT}


def made_once(make: Callable[[], AnyChart]) -> Callable[[], dict[str, Any]]:
    """A specification that is made at its first use."""

    @lru_cache
    @wraps(make)
    def spec() -> dict[str, Any]:
        found = make().to_dict()
        del found["config"]  # Altair's own look; ours is `theme`
        return found

    return spec


@made_once
def trend() -> AnyChart:
    """Crimes by month: `trend` has month, crimes, run."""
    return alt.layer(*_lines("crimes")).properties(width=WIDE, height=HEIGHT)


@made_once
def trend_and_before() -> AnyChart:
    """The same with the year before in grey behind: `trend` has before, too."""
    now, points = _lines("crimes", "before")
    [before, _] = _lines("before")
    return alt.layer(before, now, points).properties(width=WIDE, height=HEIGHT)


def _lines(*fields: str) -> list[alt.Chart]:
    """A line of the first field, and points to hover over that tell all of them."""
    titles = {"crimes": "Crimes", "before": "A year before"}
    base = alt.Chart(alt.NamedData("trend")).encode(
        x=alt.X("month:T", title=None, axis=alt.Axis(labelFlush=True, tickCount=8)),
        y=alt.Y(f"{fields[0]}:Q", axis=alt.Axis(format="~s", tickCount=5, title="Crimes a month")),
        detail="run:N",
        tooltip=[
            alt.Tooltip("month:T", format="%B %Y", title="Month"),
            *(alt.Tooltip(f"{name}:Q", format=",d", title=titles[name]) for name in fields),
        ],
    )
    line = base.mark_line(style="before", strokeWidth=2) if fields == ("before",) else base.mark_line(strokeWidth=2.5)
    return [line, base.mark_point(size=90, opacity=0, filled=True)]


@made_once
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


@made_once
def moved() -> alt.Chart:
    """What rose and what fell: `moved` has name, change, share, now, before, direction (rose or fell), in order."""
    return _changes("change:Q", "Change in crimes", "+~s")


@made_once
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


@made_once
def season() -> alt.Chart:
    """The months against the mean day: `season` has month_name, above (as a share)."""
    return (
        alt.Chart(alt.NamedData("season"))
        .mark_bar()
        .encode(
            x=alt.X("month_name:O", sort=None, title=None, axis=MONTH_AXIS),
            y=alt.Y("above:Q", title="Crimes a day against the mean", axis=alt.Axis(format="+.0%", tickCount=5)),
            tooltip=[
                alt.Tooltip("month_name:N", title="Month"),
                alt.Tooltip("above:Q", format="+.1%", title="Against the mean day"),
            ],
        )
        .properties(width=WIDE, height=HEIGHT)
    )


@made_once
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


@made_once
def months() -> alt.Chart:
    """Months by years: `months` has year, month_name, crimes."""
    return (
        alt.Chart(alt.NamedData("months"))
        .mark_rect()
        .encode(
            x=alt.X("month_name:O", sort=None, title=None, axis=MONTH_AXIS),
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
