"""The page Where: a map of areas or of cells, hot spots, and a table that says the same."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from chicago_crime.dashboard import caveats
from chicago_crime.dashboard.charts import maps
from chicago_crime.dashboard.charts.shapes import Shapes, make_shapes
from chicago_crime.dashboard.page import Asked
from chicago_crime.dashboard.pages.hot_spots import HOT, MANY_TESTS, WHAT_HOT_MEANS, Counts, gi_star
from chicago_crime.dashboard.view import Column, Figure, Number, Section, Shown, View, columnar, share, write
from chicago_crime.tables import CELL_FT

YEARS_OUTLINED = 5
"""How many of the newest years the outlines of areas are made of: more would not change them, and cost on BigQuery."""


def where(asked: Asked) -> View:
    """Make the page."""
    rows = asked.answer("where")
    crimes = rows["crimes"].to_numpy()
    asked.refuse_nothing(int(crimes.sum()))
    is_placed = np.asarray(rows["cell_x"].is_valid())
    x, y = (rows[name].fill_null(0).to_numpy()[is_placed] for name in ("cell_x", "cell_y"))
    cells, inverse = np.unique(np.stack([x, y]), axis=1, return_inverse=True)
    by_cell = np.bincount(inverse.ravel(), weights=crimes[is_placed], minlength=cells.shape[1]).astype(np.int64)
    shapes = _shapes(asked)
    section = {"areas": _areas, "cells": _cells, "hot_spots": _hot_spots}[asked.filters.map]
    shown = section(asked, rows, cells, by_cell, shapes)
    nowhere = int(crimes[~is_placed].sum())
    total = int(crimes.sum())
    no_area = int(crimes[np.asarray(rows["community_area"].is_null())].sum())
    return View(
        "where",
        "Where",
        "Where is it reported, and where does it cluster?",
        numbers=[
            Number("Reported crimes", write(total, "count"), f"in {asked.in_years}"),
            Number(
                "Without a place", write(nowhere, "count"), f"{write(share(nowhere, total), 'percent')}: in no cell"
            ),
            Number(
                "Without an area", write(no_area, "count"), f"{write(share(no_area, total), 'percent')}: in no area"
            ),
        ],
        sections=shown,
    )


def _shapes(asked: Asked) -> Shapes:
    newest = list(asked.facts.years)[-YEARS_OUTLINED:]
    rows = asked.data.answer("cells", {"years": newest})
    return asked.data.derived("shapes", lambda: _make_shapes(rows))


def _make_shapes(rows: pa.Table) -> Shapes:
    x, y, area = (rows[name].to_pylist() for name in ("cell_x", "cell_y", "community_area"))
    return make_shapes(dict(zip(zip(x, y, strict=True), area, strict=True)))


def area_rows(asked: Asked, rows: pa.Table) -> list[dict[str, Any]]:
    """Every area of the choice with its crimes and its rate a year."""
    counts = rows.group_by("community_area").aggregate([("crimes", "sum")]).to_pylist()
    by_area = {row["community_area"]: row["crimes_sum"] for row in counts}
    found = []
    for number, name in asked.facts.areas.items():
        if asked.filters.area and number not in asked.filters.area:
            continue
        crimes, residents = by_area.get(number, 0), asked.residents(asked.years, [number])
        found.append(
            {
                "name": name,
                "community_area": number,
                "side": asked.facts.sides[number],
                "crimes": crimes,
                "rate": None if asked.filters.district else share(1000 * crimes, residents),
                "residents": residents / len(asked.years),
                "is_small": crimes < caveats.SMALL or asked.has_few_residents(asked.years, number),
                "link": asked.toggled("area", number),
            }
        )
    by = "rate" if asked.filters.measure == "rate" and not asked.filters.district else "crimes"
    return sorted(found, key=lambda row: (-row[by], row["name"]))


def _areas(asked: Asked, rows: pa.Table, cells: Counts, by_cell: Counts, shapes: Shapes) -> list[Section]:
    found = area_rows(asked, rows)
    by_rate = asked.filters.measure == "rate" and not asked.filters.district
    chosen = {row["community_area"]: row | {"value": row["rate"] if by_rate else row["crimes"]} for row in found}
    unknown = {"crimes": None, "rate": None, "value": None, "is_small": False}
    drawn = [
        chosen.get(number, {"community_area": number, "name": name} | unknown)
        for number, name in asked.facts.areas.items()
    ]
    data = columnar(drawn, "name", "community_area", "crimes", "rate", "value")
    data |= {"is_pale": [by_rate and row["is_small"] for row in drawn]}
    data |= {"type": ["Feature"] * len(drawn), "geometry": [shapes.geometry(row["community_area"]) for row in drawn]}
    what = "Crimes per 1,000 residents a year" if by_rate else "Crimes"
    notes = ["Residents by district are not known: no rates while districts are chosen."] * bool(asked.filters.district)
    columns = (
        Column("name", "Area"),
        Column("crimes", "Crimes", "count"),
        Column("rate", "Per 1,000 residents a year", "decimal", is_small="is_small"),
        Column("residents", "Residents", "count"),
        Column("side", "Side", is_shown=False),
    )
    return [
        Section(
            "map",
            f"{what} by community area, {asked.in_years}",
            "Click an area to filter by it, and again to take the filter off; or follow its name in the table.",
            [*([f"Pale, with a dashed border: {caveats.SMALL_RATE}."] if by_rate else []), caveats.AREAS_FROM_CELLS],
            [Figure("areas", f"Map: {what.lower()} by community area", maps.areas_map(), {"areas": data})],
        ),
        Section(
            "table",
            "The same as a table",
            "",
            [
                *notes,
                *([] if asked.filters.district else [f"Grey: {caveats.SMALL_RATE}."]),
                caveats.POPULATION,
                *caveats.partial(asked.facts, asked.years),
                *caveats.provisional(asked.facts, asked.years),
            ],
            tables=[Shown("areas", f"{what} by community area, {asked.in_years}", columns, found, is_open=True)],
        ),
    ]


def _cell_data(
    asked: Asked, rows: pa.Table, cells: Counts, shapes: Shapes, keep: npt.NDArray[np.bool_]
) -> dict[str, list[Any]]:
    x, y = cells[0][keep].tolist(), cells[1][keep].tolist()
    areas = [shapes.area_of.get(cell) for cell in zip(x, y, strict=True)]
    if None in areas:  # cells without a crime in the years that are outlined: as the shown crimes have it
        own = zip(*(rows[name].to_pylist() for name in ("cell_x", "cell_y", "community_area")), strict=True)
        area_of = {(x, y): area for x, y, area in own if area}
        areas = [area or area_of.get(cell) for area, cell in zip(areas, zip(x, y, strict=True), strict=True)]
    return {
        "x": x,
        "y": y,
        "x2": [one + 1 for one in x],
        "y2": [one + 1 for one in y],
        "community_area": areas,
        "name": [asked.area_name(area) for area in areas],
    }


CELL_COLUMNS = (
    Column("rank", "Rank", "plain"),
    Column("name", "Area"),
    Column("crimes", "Crimes", "count"),
)
MIDDLE = (Column("x_ft", "Middle, X ft", "count"), Column("y_ft", "Middle, Y ft", "count"))


def _cell_rows(data: dict[str, list[Any]], order: npt.NDArray[np.int64], **more: list[Any]) -> list[dict[str, Any]]:
    return [
        {
            "rank": rank,
            "name": data["name"][i],
            "x_ft": (data["x"][i] + 0.5) * CELL_FT,
            "y_ft": (data["y"][i] + 0.5) * CELL_FT,
        }
        | {name: values[i] for name, values in more.items()}
        for rank, i in enumerate(order.tolist(), 1)
    ]


def _cells(asked: Asked, rows: pa.Table, cells: Counts, by_cell: Counts, shapes: Shapes) -> list[Section]:
    keep = by_cell > 0
    data = _cell_data(asked, rows, cells, shapes, keep)
    crimes = by_cell[keep]
    listed = _cell_rows(data, np.argsort(-crimes, kind="stable"), crimes=crimes.tolist())
    drawn = {"cells": data | {"crimes": crimes.tolist()}, "borders": shapes.lines()}
    return [
        Section(
            "map",
            f"Crimes by 660-foot cell, {asked.in_years}",
            "A cell is about one city block. Click a cell to filter by its area. The colours are on a log scale.",
            [caveats.BLOCK, caveats.AREAS_FROM_CELLS],
            [Figure("cells", "Map: crimes by 660-foot cell", maps.cells_map(), drawn)],
        ),
        Section(
            "table",
            "The same as a table",
            "Cells by number of crimes; X and Y are NAD83 Illinois East, in feet.",
            [caveats.BLOCK, *caveats.provisional(asked.facts, asked.years)],
            tables=[
                Shown(
                    "cells",
                    f"Crimes by cell, {asked.in_years}",
                    (*CELL_COLUMNS, *MIDDLE),
                    listed,
                    shown=50,
                    is_open=True,
                )
            ],
        ),
    ]


def _hot_spots(asked: Asked, rows: pa.Table, cells: Counts, by_cell: Counts, shapes: Shapes) -> list[Section]:
    z, near = gi_star(cells, by_cell)
    everything = np.ones(len(z), dtype=bool)
    data = _cell_data(asked, rows, cells, shapes, everything)
    hot, cold = int((z > HOT).sum()), int((z < -HOT).sum())
    in_hot = share(int(by_cell[z > HOT].sum()), int(by_cell.sum()))
    order = np.argsort(-z, kind="stable")
    listed = _cell_rows(
        data, order[z[order] > HOT], crimes=by_cell.tolist(), neighborhood_crimes=near.tolist(), gi_star=z.tolist()
    )
    drawn = {
        "cells": data | {"crimes": by_cell.tolist(), "gi_star": np.round(z, 2).tolist()},
        "borders": shapes.lines(),
    }
    columns = (
        *CELL_COLUMNS,
        Column("neighborhood_crimes", "With its neighbors", "count"),
        Column("gi_star", "Gi*", "score"),
        *MIDDLE,
    )
    return [
        Section(
            "map",
            f"Hot and cold spots, {asked.in_years}",
            WHAT_HOT_MEANS,
            [MANY_TESTS, caveats.AREAS_FROM_CELLS],
            [Figure("hot-spots", "Map: hot and cold spots by Gi*", maps.hot_spots_map(), drawn)],
        ),
        Section(
            "table",
            f"{write(hot, 'count')} hot cells hold {write(in_hot, 'percent')} of the crimes",
            f"{write(cold, 'count')} cells are cold. X and Y are NAD83 Illinois East, in feet.",
            [caveats.BLOCK, *caveats.provisional(asked.facts, asked.years)],
            tables=[Shown("hot-spots", f"Hot cells, {asked.in_years}", columns, listed, shown=50, is_open=True)],
        ),
    ]
