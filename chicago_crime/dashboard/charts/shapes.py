"""The outlines of community areas, made of the data's own cells: the project ships no boundary files.

A cell belongs to the area that most of its crimes have. An area's outline goes around its cells, in feet, north up.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

Cell = tuple[int, int]
Ring = list[Cell]

MOST_FILLED = 4
"""How often holes are filled: cells without a crime, such as those in a park, between cells of one area."""


@dataclass(frozen=True)
class Shapes:
    """Which area each cell belongs to, and the rings around the cells of each area, in cells."""

    area_of: Mapping[Cell, int]
    rings: Mapping[int, list[Ring]]

    def geometry(self, area: int) -> dict[str, object]:
        """The area as a GeoJSON geometry, in cells."""
        rings = self.rings.get(area, [])
        outer = [ring for ring in rings if _is_outer(ring)]
        holes = [ring for ring in rings if not _is_outer(ring)]
        polygons = [[ring, *(hole for hole in holes if _inside(hole[0], ring))] for ring in outer]
        return {"type": "MultiPolygon", "coordinates": polygons}

    def lines(self) -> dict[str, list[int]]:
        """All rings as columns of points: x, y, ring, order."""
        points = [
            (x, y, number, order)
            for number, ring in enumerate(ring for rings in self.rings.values() for ring in rings)
            for order, (x, y) in enumerate(ring)
        ]
        return {name: [point[i] for point in points] for i, name in enumerate(("x", "y", "ring", "order"))}


def make_shapes(area_of: Mapping[Cell, int]) -> Shapes:
    """Outline the areas of some cells: the same outlines in whatever order the cells come."""
    filled = _fill_holes(dict(sorted(area_of.items())))
    return Shapes(area_of, _outlines(filled))


def _fill_holes(area_of: dict[Cell, int]) -> dict[Cell, int]:
    for _ in range(MOST_FILLED):
        empty = {near for cell in area_of for near in _neighbors(cell) if near not in area_of}
        found = {}
        for cell in empty:
            around = Counter(area_of[near] for near in _neighbors(cell) if near in area_of)
            area, sides = around.most_common(1)[0]
            if sides >= 3:
                found[cell] = area
        area_of |= found
    return area_of


def _outlines(area_of: Mapping[Cell, int]) -> dict[int, list[Ring]]:
    """Rings around the cells of each area: the inside lies to the left, so holes run the other way round."""
    edges: dict[int, dict[Cell, list[Cell]]] = defaultdict(lambda: defaultdict(list))
    for (x, y), area in area_of.items():
        corners = ((x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1))
        beside = ((x, y - 1), (x + 1, y), (x, y + 1), (x - 1, y))
        for i, near in enumerate(beside):
            if area_of.get(near) != area:
                edges[area][corners[i]].append(corners[(i + 1) % 4])
    return {area: _rings(of_area) for area, of_area in sorted(edges.items())}


def _rings(edges: dict[Cell, list[Cell]]) -> list[Ring]:
    rings = []
    while edges:
        start = min(edges)
        ring, here = [start], start
        while True:
            ahead = edges[here]
            # Where two cells touch at a corner only, turn left: each keeps its own ring.
            nxt = ahead[0] if len(ahead) == 1 or len(ring) < 2 else max(ahead, key=lambda to: _turn(ring[-2], here, to))
            ahead.remove(nxt)
            if not ahead:
                del edges[here]
            if len(ring) >= 2 and _turn(ring[-2], here, nxt) == 0:
                ring[-1] = nxt  # straight on: the corner between is none
            else:
                ring.append(nxt)
            here = nxt
            if here == start:
                break
        rings.append(ring)
    return rings


def _turn(a: Cell, b: Cell, c: Cell) -> int:
    return (b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0])


def _is_outer(ring: Ring) -> bool:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring)) > 0


def _inside(point: Cell, ring: Ring) -> bool:
    x, y = point[0] + 0.25, point[1] + 0.25
    crossings = 0
    for (ax, ay), (bx, by) in pairwise(ring):
        if (ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax):
            crossings += 1
    return crossings % 2 == 1


def _neighbors(cell: Cell) -> list[Cell]:
    x, y = cell
    return [(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)]
