"""Outlines of the community areas, built from the data's own cells: the project ships no boundary files.

A cell belongs to the area in which most of its crimes lie. Coordinates are in cells, north up.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely import LinearRing, Polygon

Cell = tuple[int, int]

MAX_FILLS = 4
"""How many times holes shrink by a cell: a park without a crime should not punch a hole into its area."""


@dataclass(frozen=True)
class Shapes:
    """The area of each cell, and the polygons around the cells of each area."""

    area_of: Mapping[Cell, int]
    polygons: Mapping[int, Sequence[Polygon]]

    def geometry(self, area: int) -> dict[str, object]:
        """The area as a GeoJSON geometry."""
        polygons = [[_points(ring) for ring in _rings(polygon)] for polygon in self.polygons.get(area, ())]
        return {"type": "MultiPolygon", "coordinates": polygons}

    def lines(self) -> dict[str, list[int]]:
        """All rings as columns of points: x, y, ring, order."""
        rings = [ring for polygons in self.polygons.values() for polygon in polygons for ring in _rings(polygon)]
        points = [
            (x, y, number, order) for number, ring in enumerate(rings) for order, (x, y) in enumerate(_points(ring))
        ]
        return {name: [point[i] for point in points] for i, name in enumerate(("x", "y", "ring", "order"))}


def make_shapes(area_of: Mapping[Cell, int]) -> Shapes:
    """Outline the areas; the result does not depend on the order of the cells."""
    cells: dict[int, list[Cell]] = defaultdict(list)
    for cell, area in _fill_holes(dict(sorted(area_of.items()))).items():
        cells[area].append(cell)
    return Shapes(area_of, {area: _outline(cells[area]) for area in sorted(cells)})


def _fill_holes(area_of: dict[Cell, int]) -> dict[Cell, int]:
    for _ in range(MAX_FILLS):
        empty = {near for cell in area_of for near in _neighbors(cell) if near not in area_of}
        found = {}
        for cell in empty:
            around = Counter(area_of[near] for near in _neighbors(cell) if near in area_of)
            area, sides = around.most_common(1)[0]
            if sides >= 3:
                found[cell] = area
        area_of |= found
    return area_of


def _neighbors(cell: Cell) -> list[Cell]:
    x, y = cell
    return [(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)]


def _outline(cells: Sequence[Cell]) -> list[Polygon]:
    x, y = np.array(cells).T
    union = shapely.coverage_union_all(shapely.box(x, y, x + 1, y + 1))
    # Normalized rings start at a corner of the area, so that simplifying drops every point on a straight edge.
    return list(shapely.get_parts(shapely.simplify(shapely.normalize(union), 0)))


def _rings(polygon: Polygon) -> Iterator[LinearRing]:
    yield polygon.exterior
    yield from polygon.interiors


def _points(ring: LinearRing) -> list[Cell]:
    return [(int(x), int(y)) for x, y in ring.coords]
