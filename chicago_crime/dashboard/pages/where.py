"""The page Where: a map of places, cells or hot spots, and a table with the same numbers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from chicago_crime.analysis.expected import adjusted
from chicago_crime.dashboard import caveats
from chicago_crime.dashboard.charts.map import Legend, Map, Mark, cells_map, classes, places_map
from chicago_crime.dashboard.charts.shapes import Outlines, outlines_from_cells, read_official
from chicago_crime.dashboard.filters import KINDS, LABELS, Filters
from chicago_crime.dashboard.hot_spots import RATES, WHAT_HOT_MEANS, gi_star
from chicago_crime.dashboard.page_request import NO_TYPE, PageRequest
from chicago_crime.dashboard.view import (
    CRIMES,
    Column,
    PageTable,
    Section,
    View,
    as_text,
    crimes_text,
    part_number,
    rate_unit,
    share,
)
from chicago_crime.tables import CELL_FT
from chicago_crime.tables.columns import X_FT, Y_FT

YEARS_OUTLINED = 5
"""Years that define outlines from cells: more would not change them."""

GET_OFFICIAL = "For official boundaries: chicago-crime boundaries"

PLACES = {f"{kind}s": kind for kind in KINDS}
"""Map of places -> the kind of place."""

LEGEND = [
    ("hot99", "hot (1% by chance)"),
    ("hot95", "hot (5% by chance)"),
    ("even", "not significant"),
    ("cold95", "cold (5% by chance)"),
    ("cold99", "cold (1% by chance)"),
]
"""Colors of hot and cold cells."""

Row = dict[str, Any]
"""A row of a table; a cell has its place `at` (x, y), too."""

RANK = Column("rank", "Rank")
CELL_COLUMNS = (Column("cell", "Cell"), Column("block", "Block"), Column("name", "Area"), CRIMES)
CENTER = tuple(Column(f"{name.lower()}_ft", f"{name}, ft", "count", is_shown=False) for name in "XY")
WHAT_CELLS_SAY = (
    "Block: the one with most crimes of all types and years in the cell. Cells can share a block, so each has a "
    "number. Downloads include the cell's center (NAD83 Illinois East, feet)."
)


def where(request: PageRequest) -> View:
    """Build the page."""
    by_type, total = request.matching("type")
    crimes, nowhere, no_area = (total[name] for name in ("crimes", "without_location", "without_area"))
    shown = request.filters.map
    if request.filters.measure == "rate" and shown != "areas":
        by = PLACES.get(shown, "cell")
        request.notes.append(f"The map shows counts, not rates: there is no population data by {by}.")
    if crimes == nowhere:
        request.notes.append("These crimes are in no cell: their records have no X and Y coordinates.")
    if shown in PLACES:
        sections = _places(request, shown)
    else:
        sections = _cells(request) if shown == "cells" else _hot_spots(request)
    return View(
        "Where is crime reported, and where does it cluster?",
        numbers=[
            request.reported(crimes, [*caveats.samples(request), *caveats.incomparable(request, request.years)]),
            part_number("Without a location", nowhere, crimes),
            part_number("Without an area", no_area, crimes),
        ],
        sections=[*sections, _unplaced(request, by_type)],
    )


def _outlines(request: PageRequest, kind: str) -> tuple[Outlines, list[str]]:
    """Return the outlines of all places of a kind, with caveats.

    They are the official boundaries, unless those were redrawn after the chosen years.
    """
    data, newest = request.data, request.newest_year
    file = data.derived("boundaries", lambda: read_official(content) if (content := data.reader.boundaries()) else {})
    [*_, (_, redrawn)] = caveats.REDRAWN.get(kind, [(0, 0)])
    if kind in file and newest >= redrawn:
        return file[kind], []

    def from_cells() -> Outlines:
        earlier = [year for year in request.facts.years if year <= newest]
        years = [year for year in earlier if not caveats.changes_of(kind, (year, newest))][-YEARS_OUTLINED:]
        rows = data.answer("outlines", {"years": years, "place": kind}).to_pylist()
        return outlines_from_cells({(row["cell_x"], row["cell_y"]): row["place"] for row in rows})

    reason = f"The official boundaries were redrawn in {redrawn - 1}." if kind in file else GET_OFFICIAL
    about = f"Approximate boundaries of {newest}: each 660-foot cell belongs to the place with most of its crimes."
    return data.derived(f"outlines of {kind} in {newest}", from_cells), [f"{about} {reason}"]


def _around(request: PageRequest, kind: str) -> tuple[Outlines, Outlines, list[str]]:
    """Return the outlines of all places of a kind, and of the smallest chosen places if any, with caveats."""
    outlines, notes = _outlines(request, kind)
    for smallest in ("beat", "ward", "area", "district"):
        if numbers := getattr(request.filters, smallest):
            found, more = _outlines(request, smallest)
            return outlines, {n: shape for n, shape in found.items() if n in numbers}, [*dict.fromkeys(notes + more)]
    return outlines, {}, notes


def _place_rows(request: PageRequest, kind: str, by_rate: bool) -> tuple[list[Row], int]:
    """Return the selected places with crimes (areas also with rates), highest first, and the unit of the rates."""
    by_place: Counter[int | None] = Counter()
    for row in request.answer("places", place=kind).to_pylist():
        by_place[row["place"]] += row["crimes"]
    numbers = request.facts.areas if kind == "area" else {*by_place, *_outlines(request, kind)[0]}
    if places_only := request.filters.places:  # keep only places that overlap the selected ones
        within = replace(request, filters=Filters(year=tuple(request.years), **places_only))
        numbers = within.answer("places", place=kind)["place"].to_pylist()
    places = sorted({*numbers} - {None})
    lived = request.resident_years(places) if kind == "area" else 0
    unit = rate_unit(sum(by_place[number] for number in places), lived)
    rows: list[Row] = []
    for number in places:
        row = {"name": request.filter_label(kind, number), "number": number, "crimes": by_place[number]}
        row |= {"link": _inside(request.filters, kind, number), "incidents": request.incidents(**{kind: number})}
        if kind == "area":
            rate = share(unit * row["crimes"], request.resident_years([number]))
            row |= {
                "side": request.facts.sides.get(number),  # outlines from cells include invalid numbers
                f"rate_per_{unit}": None if caveats.no_rates(request, "area") else rate,
                "residents": request.residents(request.years, [number]) / len(request.years),
                "is_small": row["crimes"] < caveats.SMALL or request.has_few_residents(number),
            }
        rows.append(row)
    by = f"rate_per_{unit}" if by_rate else "crimes"
    return sorted(rows, key=lambda row: (-row[by], row["name"])), unit


def _inside(filters: Filters, kind: str, number: int) -> str:
    """Return the query string of the map of a place's cells."""
    return filters.changed(**{kind: (number,)}, map="cells", page=1).query()


def _place_map(request: PageRequest, shown: str, label: str, rows: Sequence[Row], unit: int, by_rate: bool) -> Map:
    kind, rate = PLACES[shown], f"rate_per_{unit}"
    colors, legend = classes([row[rate if by_rate else "crimes"] for row in rows], "decimal" if by_rate else "count")
    everywhere, chosen, _ = _around(request, kind)
    marks = {}
    elsewhere = request.filters.anywhere
    for number in everywhere.keys() - {row["number"] for row in rows}:  # excluded by a filter, but can be chosen
        link = f"/where?{_inside(elsewhere, kind, number)}"
        marks[number] = Mark("", "unknown", request.filter_label(kind, number), link)
    for row, color in zip(rows, colors, strict=True):
        text = f"{row['name']}: {crimes_text(row['crimes'])}"
        if by_rate:
            text += f", {as_text(row[rate], 'decimal')} per {unit:,} residents a year"
        css = f"{color} pale" if by_rate and row["is_small"] else color
        marks[row["number"]] = Mark("", css, text, f"/where?{row['link']}")
    return places_map(shown, label, everywhere, marks, legend, chosen)


def _places(request: PageRequest, shown: str) -> list[Section]:
    kind = PLACES[shown]
    called = LABELS.get(kind, kind)
    no_rates = caveats.no_rates(request, kind)
    by_rate = shown == "areas" and request.filters.measure == "rate" and not no_rates
    rows, unit = _place_rows(request, kind, by_rate)
    what = f"Crimes per {unit:,} residents a year" if by_rate else "Crimes"
    columns = [Column("name", kind.capitalize()), CRIMES]
    notes = []
    if kind == "area":
        columns += [
            Column(f"rate_per_{unit}", f"Per {unit:,} residents a year", "decimal", is_small="is_small"),
            Column("residents", "Residents", "count"),
            Column("side", "Side", is_shown=False),
        ]
        about_rates = [f"Gray: {caveats.SMALL_RATE}.", *caveats.rates(request)]
        notes = [f"Rates are unknown. {no_rates}"] if no_rates else about_rates
    title = f"{what} by {called}, {request.period_text}"
    return [
        Section(
            "map",
            title,
            f"Click a {called} to see its 660-foot cells.",
            [
                *([f"Pale with a dashed border: {caveats.SMALL_RATE}."] if by_rate else []),
                *caveats.incomparable(request, request.years, kind),
                *_around(request, kind)[2],
            ],
            map=_place_map(request, shown, f"Map: {what.lower()} by {called}", rows, unit, by_rate),
            is_wide=False,
        ),
        Section(
            "table",
            f"By {called}",
            "",
            [*notes, *caveats.on_records(request)],
            tables=[PageTable(shown, title, columns, rows, shown=300)],
            is_wide=False,
        ),
    ]


def _found_cells(request: PageRequest) -> list[Row]:
    """Return the cells with matching crimes, each with the area and block of most of its crimes."""
    (west, east), (south, north) = ((low // CELL_FT, high // CELL_FT) for low, high in (X_FT, Y_FT))
    blocks, cells, elsewhere = request.data.cell_blocks(), [], 0
    for x, y, area, crimes in zip(*request.answer("where").to_pydict().values(), strict=True):
        if west <= x <= east and south <= y <= north:
            name = request.area_name(area)
            cells.append({"at": (x, y), "block": blocks.get((x, y)), "name": name, "crimes": crimes})
        else:
            elsewhere += crimes
    if elsewhere:
        request.notes.append(f"Not on the map: {crimes_text(elsewhere)} with coordinates outside Chicago.")
    return cells


def study_area(request: PageRequest) -> list[Row]:
    """Return all cells of the chosen places with their matching crimes, which may be 0."""
    places = Filters(year=tuple(request.years)).changed(**{kind: getattr(request.filters, kind) for kind in KINDS})
    crimes = {cell["at"]: cell["crimes"] for cell in _found_cells(request)}
    around = _found_cells(replace(request, filters=places, notes=[]))
    return [cell | {"crimes": crimes.get(cell["at"], 0)} for cell in around]


def _cells(request: PageRequest) -> list[Section]:
    cells = _found_cells(request)
    colors, legend = classes([cell["crimes"] for cell in cells], "count")
    for cell, color in zip(cells, colors, strict=True):
        cell |= {"color": color, "text": crimes_text(cell["crimes"])}
    listed, columns = _ranked(request, cells, "crimes"), (RANK, *CELL_COLUMNS, *CENTER)
    table = PageTable("cells", f"Crimes by cell, {request.period_text}", columns, listed, shown=50)
    intro = "A cell is about one city block. Click a cell to see its incidents."
    return [
        _cell_map(request, "cells", "Crimes by 660-foot cell", intro, caveats.BLOCK, cells, legend),
        _cell_table(request, "By cell", table),
    ]


def _hot_spots(request: PageRequest) -> list[Section]:
    cells = study_area(request)
    crimes = np.array([cell["crimes"] for cell in cells], dtype=np.int64)
    z, near, p = gi_star(np.array([cell["at"] for cell in cells]).T, crimes)
    for cell, score, around, chance in zip(cells, z.tolist(), near.tolist(), adjusted(p).tolist(), strict=True):
        sign = "hot" if score > 0 else "cold"
        color = f"{sign}{99 if chance <= RATES[0] else 95}" if score and chance <= RATES[1] else "even"
        text = f"{crimes_text(cell['crimes'])}, Gi* {as_text(score, 'score')}"
        cell |= {"gi_star": score, "neighborhood_crimes": around, "color": color, "text": text}
    hot, cold = ([cell for cell in cells if cell["color"].startswith(kind)] for kind in ("hot", "cold"))
    in_hot = share(sum(cell["crimes"] for cell in hot), int(crimes.sum()))
    near_columns = (Column("neighborhood_crimes", "With neighbors", "count"), Column("gi_star", "Gi*", "score"))
    columns = (replace(RANK, is_shown=False), *CELL_COLUMNS, *near_columns, *CENTER)
    listed = _ranked(request, hot, "gi_star")
    table = PageTable("hot-spots", f"Hot cells, {request.period_text}", columns, listed, shown=50)
    within = " and ".join(chosen_places(request)) or "the city"
    study = f"Study area: the {as_text(len(cells), 'count')} cells of {within} with any crime in these years."
    title = f"{as_text(len(hot), 'count')} hot cells hold {as_text(in_hot, 'percent')} of the crimes on the map"
    return [
        _cell_map(request, "hot-spots", "Hot and cold spots", WHAT_HOT_MEANS, study, cells, LEGEND),
        _cell_table(request, title, table, f"{as_text(len(cold), 'count')} cells are cold. "),
    ]


def _ranked(request: PageRequest, cells: Sequence[Row], by: str) -> list[Row]:
    link, listed = request.incidents(cell=None), []
    for rank, cell in enumerate(sorted(cells, key=lambda cell: -cell[by]), 1):
        x, y = cell["at"]
        center = {"x_ft": (x + 0.5) * CELL_FT, "y_ft": (y + 0.5) * CELL_FT}
        listed.append(cell | center | {"rank": rank, "cell": f"{x},{y}", "incidents": f"{link}&cell={x},{y}"})
    return listed


def chosen_places(request: PageRequest) -> list[str]:
    """List the names of the chosen places."""
    return [request.filter_label(kind, number) for kind in KINDS for number in getattr(request.filters, kind)]


def _cell_map(
    request: PageRequest, name: str, title: str, intro: str, note: str, cells: Sequence[Row], legend: Legend
) -> Section:
    """Map cells by `color`, with their `text`, within the outlines of the chosen places or all areas."""
    tips = [f"{cell['block'] or 'No block'}, {cell['name']}: {cell['text']}" for cell in cells]
    at, colors = ([cell[key] for cell in cells] for key in ("at", "color"))
    everywhere, chosen, about = _around(request, "area")
    link = f"/incidents?{request.incidents(cell=None)}&cell="
    drawn = cells_map(name, f"Map: {title.lower()}", at, colors, legend, everywhere, chosen, tips, link)
    notes = [note, *caveats.incomparable(request, request.years), *about]
    return Section("map", f"{title}, {request.period_text}", intro, notes, map=drawn, is_wide=False)


def _cell_table(request: PageRequest, title: str, table: PageTable, intro: str = "") -> Section:
    notes = [caveats.BLOCK, *caveats.on_records(request)]
    return Section("table", title, f"{intro}{WHAT_CELLS_SAY}", notes, tables=[table], is_wide=False)


def _unplaced(request: PageRequest, by_type: Mapping[str, Counter[str]]) -> Section:
    """Crimes without a location, by type."""
    rows: list[Row] = [
        {
            **counts,
            "share": counts["without_location"] / counts["crimes"],
            "name": name,
            "incidents": request.incidents(type=name) if name != NO_TYPE else "",
            "is_small": counts["crimes"] < caveats.SMALL,
        }
        for name, counts in by_type.items()
    ]
    rows.sort(key=lambda row: (row["is_small"], -row["share"], row["name"]))
    columns = (
        Column("name", "Type", "type"),
        CRIMES,
        Column("without_location", "Without a location", "count"),
        Column("share", "Share", "percent", is_small="is_small"),
        Column("without_area", "Without an area", "count"),
    )
    caption = f"Crimes without a location by type, {request.period_text}"
    return Section(
        "unplaced",
        "Crimes not on the maps",
        "The City withholds some locations, of some types more often than of others.",
        tables=[PageTable("unplaced", caption, columns, rows, is_open=False)],
    )
