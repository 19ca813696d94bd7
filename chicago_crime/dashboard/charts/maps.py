"""How maps are drawn: Vega-Lite specifications as in `charts.py`, in feet or cells, north up, without any base map."""

import altair as alt

from chicago_crime.dashboard.charts.charts import WIDE, AnyChart, made_once
from chicago_crime.dashboard.pages.hot_spots import HOT
from chicago_crime.tables import CELL_FT
from chicago_crime.tables.columns import X_FT, Y_FT

MAP_ASPECT = (Y_FT[1] - Y_FT[0]) / (X_FT[1] - X_FT[0])

HOT_FROM = (-2.576, -HOT, HOT, 2.576)
"""Where a z-score leaves the 99 % and the 95 % of what chance alone would give."""


@made_once
def areas_map() -> AnyChart:
    """Areas by value: `areas` has GeoJSON features, with community_area, name, crimes, rate, value, is_pale."""
    base = alt.Chart(alt.NamedData("areas")).project(type="identity", reflectY=True)
    name = alt.Tooltip("name:N", title="Area")
    # An area that the filters leave out has no value: it stays grey, to be clicked.
    unchosen = base.mark_geoshape(style="unchosen", cursor="pointer").encode(tooltip=[name])
    chosen = (
        base.transform_filter("isValid(datum.value)")
        .mark_geoshape(style="area", cursor="pointer")
        .encode(
            opacity=alt.condition("datum.is_pale", alt.value(0.35), alt.value(1)),
            color=alt.Color("value:Q", title=None, scale=alt.Scale(zero=True), legend=alt.Legend(format="~s")),
            tooltip=[
                name,
                alt.Tooltip("crimes:Q", format=",d", title="Crimes"),
                alt.Tooltip("rate:Q", format=",.1f", title="Per 1,000 residents a year"),
            ],
        )
    )
    dashed = base.transform_filter("datum.is_pale").mark_geoshape(
        style="outline", fill="transparent", strokeDash=[3, 2], cursor="pointer"
    )
    return _map(alt.layer(unchosen, chosen, dashed.encode(tooltip=chosen.encoding.tooltip)))


@made_once
def cells_map() -> AnyChart:
    """Cells by crimes: `cells` has x, y, x2, y2 (cells), crimes, community_area, name; `borders` lines of the areas."""
    colour = alt.Color(
        "crimes:Q", title="Crimes in the cell", scale=alt.Scale(type="log"), legend=alt.Legend(format=",d")
    )
    return _cells(colour, alt.Tooltip("crimes:Q", format=",d", title="Crimes"))


@made_once
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
