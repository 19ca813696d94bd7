"""Outlines of the City's places in feet: official ones, or drawn around the cells of each place.

A cell belongs to the place with most of its crimes.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from chicago_crime.dashboard.charts.projection import to_feet
from chicago_crime.tables import CELL_FT

Cell = tuple[int, int]
Outlines = Mapping[int, BaseGeometry]
"""The outline of each place by number: NAD83 Illinois East, in feet."""

MAX_FILLS = 4
"""How often holes shrink by one cell: a park without crimes should not be a hole in its area."""


def read_official(geojson: bytes) -> dict[str, Outlines]:
    """Read the official outlines by kind of place (see `sources/boundaries.py`)."""
    found: dict[str, dict[int, BaseGeometry]] = defaultdict(dict)
    for feature in json.loads(geojson)["features"]:
        shape = shapely.transform(shapely.geometry.shape(feature["geometry"]), to_feet)
        found[feature["properties"]["kind"]][feature["properties"]["number"]] = shape
    return dict(found)


def outlines_from_cells(place_of: Mapping[Cell, int]) -> Outlines:
    """Outline the cells of each place, regardless of their order."""
    cells: dict[int, list[Cell]] = defaultdict(list)
    for cell, place in _fill_holes(dict(sorted(place_of.items()))).items():
        cells[place].append(cell)
    return {place: _outline(cells[place]) for place in sorted(cells)}


def _fill_holes(place_of: dict[Cell, int]) -> dict[Cell, int]:
    for _ in range(MAX_FILLS):
        empty = {near for cell in place_of for near in _neighbors(cell) if near not in place_of}
        found = {}
        for cell in empty:
            around = Counter(place_of[near] for near in _neighbors(cell) if near in place_of)
            place, sides = around.most_common(1)[0]
            if sides >= 3:
                found[cell] = place
        place_of |= found
    return place_of


def _neighbors(cell: Cell) -> list[Cell]:
    x, y = cell
    return [(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)]


def _outline(cells: Sequence[Cell]) -> BaseGeometry:
    x, y = np.array(cells).T * CELL_FT
    union = shapely.coverage_union_all(shapely.box(x, y, x + CELL_FT, y + CELL_FT))
    # Normalized rings start at a corner, so that simplification drops all points on straight edges.
    return shapely.simplify(shapely.normalize(union), 0)
