"""The page Where: a map of areas, cells or hot spots, and a table with the same numbers."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from chicago_crime.dashboard import caveats
from chicago_crime.dashboard.charts import charts
from chicago_crime.dashboard.charts.shapes import Shapes, make_shapes
from chicago_crime.dashboard.hot_spots import HOT, MANY_TESTS, WHAT_HOT_MEANS, Counts, gi_star
from chicago_crime.dashboard.page_request import PageRequest
from chicago_crime.dashboard.view import Column, Number, PageTable, Section, View, as_text, columnar, share
from chicago_crime.tables import CELL_FT

YEARS_OUTLINED = 5
"""How many of the newest years define the outlines: more would not change them."""


def where(request: PageRequest) -> View:
    """Build the page."""
    rows = request.answer("where")
    crimes = rows["crimes"].to_numpy()
    request.require_matches(int(crimes.sum()))
    is_placed = np.asarray(rows["cell_x"].is_valid())
    x, y = (rows[name].fill_null(0).to_numpy()[is_placed] for name in ("cell_x", "cell_y"))
    cells, inverse = np.unique(np.stack([x, y]), axis=1, return_inverse=True)
    by_cell = np.bincount(inverse.ravel(), weights=crimes[is_placed], minlength=cells.shape[1]).astype(np.int64)
    shapes = request.data.derived("shapes", lambda: _shapes(request))
    section = {"areas": _areas, "cells": _cells, "hot_spots": _hot_spots}[request.filters.map]
    shown = section(request, rows, cells, by_cell, shapes)
    nowhere = int(crimes[~is_placed].sum())
    total = int(crimes.sum())
    no_area = int(crimes[np.asarray(rows["community_area"].is_null())].sum())
    return View(
        "Where is crime reported, and where does it cluster?",
        numbers=[
            Number("Reported crimes", as_text(total, "count"), f"in {request.years_text}"),
            Number(
                "Without a location",
                as_text(nowhere, "count"),
                f"{as_text(share(nowhere, total), 'percent')}, in no cell",
            ),
            Number(
                "Without an area",
                as_text(no_area, "count"),
                f"{as_text(share(no_area, total), 'percent')}, in no area",
            ),
        ],
        sections=shown,
    )


def _shapes(request: PageRequest) -> Shapes:
    newest = list(request.facts.years)[-YEARS_OUTLINED:]
    rows = request.data.answer("cells", {"years": newest}).to_pylist()
    return make_shapes({(row["cell_x"], row["cell_y"]): row["community_area"] for row in rows})


def _area_rows(request: PageRequest, rows: pa.Table, by_rate: bool) -> list[dict[str, Any]]:
    """Every selected area with its crimes and its yearly rate."""
    counts = rows.group_by("community_area").aggregate([("crimes", "sum")]).to_pylist()
    by_area = {row["community_area"]: row["crimes_sum"] for row in counts}
    found = []
    for number, name in request.facts.areas.items():
        if request.filters.area and number not in request.filters.area:
            continue
        crimes, residents = by_area.get(number, 0), request.residents(request.years, [number])
        resident_years = request.resident_years(request.years, [number])
        found.append(
            {
                "name": name,
                "community_area": number,
                "side": request.facts.sides[number],
                "crimes": crimes,
                "rate": None if request.filters.district else share(1000 * crimes, resident_years),
                "residents": residents / len(request.years),
                "is_small": crimes < caveats.SMALL or request.has_few_residents(request.years, number),
                "link": request.toggled("area", number),
            }
        )
    return sorted(found, key=lambda row: (-row["rate" if by_rate else "crimes"], row["name"]))


def _areas(request: PageRequest, rows: pa.Table, cells: Counts, by_cell: Counts, shapes: Shapes) -> list[Section]:
    by_rate = request.filters.measure == "rate" and not request.filters.district
    found = _area_rows(request, rows, by_rate)
    chosen = {row["community_area"]: row | {"value": row["rate"] if by_rate else row["crimes"]} for row in found}
    unknown = {"crimes": None, "rate": None, "value": None, "is_small": False}
    drawn = [
        chosen.get(number, {"community_area": number, "name": name} | unknown)
        for number, name in request.facts.areas.items()
    ]
    data = columnar(drawn, "name", "community_area", "crimes", "rate", "value")
    data |= {"is_pale": [by_rate and row["is_small"] for row in drawn]}
    data |= {"type": ["Feature"] * len(drawn), "geometry": [shapes.geometry(row["community_area"]) for row in drawn]}
    what = "Crimes per 1,000 residents per year" if by_rate else "Crimes"
    if request.filters.district:
        rates = "No rates while districts are selected: there are no population figures by district."
    else:
        rates = f"Gray: {caveats.SMALL_RATE}."
    columns = (
        Column("name", "Area"),
        Column("crimes", "Crimes", "count"),
        Column("rate", "Per 1,000 residents per year", "decimal", is_small="is_small"),
        Column("residents", "Residents", "count"),
        Column("side", "Side", is_shown=False),
    )
    return [
        Section(
            "map",
            f"{what} by community area, {request.years_text}",
            "Click an area on the map, or its name in the table, to add or remove it as a filter.",
            [*([f"Pale with a dashed border: {caveats.SMALL_RATE}."] if by_rate else []), caveats.AREAS_FROM_CELLS],
            [charts.areas_map("areas", f"Map: {what.lower()} by community area", data)],
        ),
        Section(
            "table",
            "By community area",
            "",
            [
                rates,
                caveats.POPULATION,
                *caveats.partial(request.facts, request.years),
                *caveats.provisional(request.facts, request.years),
            ],
            tables=[
                PageTable("areas", f"{what} by community area, {request.years_text}", columns, found, is_open=True)
            ],
        ),
    ]


def _cell_data(
    request: PageRequest, rows: pa.Table, cells: Counts, shapes: Shapes, keep: npt.NDArray[np.bool_]
) -> dict[str, list[Any]]:
    x, y = cells[0][keep].tolist(), cells[1][keep].tolist()
    areas = [shapes.area_of.get(cell) for cell in zip(x, y, strict=True)]
    if None in areas:  # no crime in the years that define the outlines: use the area of the shown crimes
        own = zip(*(rows[name].to_pylist() for name in ("cell_x", "cell_y", "community_area")), strict=True)
        area_of = {(x, y): area for x, y, area in own if area}
        areas = [area or area_of.get(cell) for area, cell in zip(areas, zip(x, y, strict=True), strict=True)]
    return {
        "x": x,
        "y": y,
        "x2": [one + 1 for one in x],
        "y2": [one + 1 for one in y],
        "community_area": areas,
        "name": [request.area_name(area) for area in areas],
    }


CELL_COLUMNS = (Column("rank", "Rank", "plain"), Column("name", "Area"), Column("crimes", "Crimes", "count"))
CENTER = (Column("x_ft", "X, ft", "count"), Column("y_ft", "Y, ft", "count"))
WHAT_CENTER_MEANS = "X and Y are the center of the cell: NAD83 Illinois East, in feet."


def _cell_table(request: PageRequest, title: str, table: PageTable, intro: str = "") -> Section:
    notes = [caveats.BLOCK, *caveats.provisional(request.facts, request.years)]
    return Section("table", title, f"{intro}{WHAT_CENTER_MEANS}", notes, tables=[table])


def _cell_rows(data: dict[str, list[Any]], order: npt.NDArray[np.int64], *names: str) -> list[dict[str, Any]]:
    return [
        {"rank": rank, "x_ft": (data["x"][i] + 0.5) * CELL_FT, "y_ft": (data["y"][i] + 0.5) * CELL_FT}
        | {name: data[name][i] for name in ("name", *names)}
        for rank, i in enumerate(order.tolist(), 1)
    ]


def _cells(request: PageRequest, rows: pa.Table, cells: Counts, by_cell: Counts, shapes: Shapes) -> list[Section]:
    keep = by_cell > 0
    crimes = by_cell[keep]
    data = _cell_data(request, rows, cells, shapes, keep) | {"crimes": crimes.tolist()}
    listed = _cell_rows(data, np.argsort(-crimes, kind="stable"), "crimes")
    caption, columns = f"Crimes by cell, {request.years_text}", (*CELL_COLUMNS, *CENTER)
    return [
        Section(
            "map",
            f"Crimes by 660-foot cell, {request.years_text}",
            "A cell is about one city block. Click a cell to filter by its area. Colors are on a log scale.",
            [caveats.BLOCK, caveats.AREAS_FROM_CELLS],
            [charts.cells_map("cells", "Map: crimes by 660-foot cell", data, shapes.lines())],
        ),
        _cell_table(request, "By cell", PageTable("cells", caption, columns, listed, shown=50, is_open=True)),
    ]


def _hot_spots(request: PageRequest, rows: pa.Table, cells: Counts, by_cell: Counts, shapes: Shapes) -> list[Section]:
    z, near = gi_star(cells, by_cell)
    data = _cell_data(request, rows, cells, shapes, np.ones(len(z), dtype=bool)) | {"crimes": by_cell.tolist()}
    hot, cold = int((z > HOT).sum()), int((z < -HOT).sum())
    in_hot = share(int(by_cell[z > HOT].sum()), int(by_cell.sum()))
    order = np.argsort(-z, kind="stable")
    scores = {"neighborhood_crimes": near.tolist(), "gi_star": z.tolist()}
    listed = _cell_rows(data | scores, order[z[order] > HOT], "crimes", *scores)
    drawn = data | {"gi_star": np.round(z, 2).tolist()}
    near_columns = (Column("neighborhood_crimes", "With neighbors", "count"), Column("gi_star", "Gi*", "score"))
    columns = (*CELL_COLUMNS, *near_columns, *CENTER)
    return [
        Section(
            "map",
            f"Hot and cold spots, {request.years_text}",
            WHAT_HOT_MEANS,
            [MANY_TESTS, caveats.AREAS_FROM_CELLS],
            [charts.hot_spots_map("hot-spots", "Map: hot and cold spots by Gi*", drawn, shapes.lines())],
        ),
        _cell_table(
            request,
            f"{as_text(hot, 'count')} hot cells hold {as_text(in_hot, 'percent')} of the crimes",
            PageTable("hot-spots", f"Hot cells, {request.years_text}", columns, listed, shown=50, is_open=True),
            f"{as_text(cold, 'count')} cells are cold. ",
        ),
    ]
