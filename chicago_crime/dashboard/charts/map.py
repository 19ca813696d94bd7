"""Maps as server-side SVG: links work by keyboard and without JavaScript, and the report prints the same maps.

A map unit is ten feet; y points down. Colors are classes of `static/map.css`. `static/map.js` adds zoom and pan.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from chicago_crime.dashboard.charts.shapes import Outlines
from chicago_crime.tables import CELL_FT
from chicago_crime.tables.columns import X_FT, Y_FT

Legend = Sequence[tuple[str, str]]
"""Classes of colors, and their meanings."""

UNIT_FT = 10
CELL = CELL_FT // UNIT_FT
COLORS = 6
"""Most colors for amounts: each covers about a sixth of the places, and equal amounts share one."""

CITY = shapely.box(X_FT[0], Y_FT[0], X_FT[1], Y_FT[1])
"""What a map without any outlines shows."""

MARGIN = 0.04
"""Margin around a map, as a share of its size."""


@dataclass(frozen=True)
class Mark:
    """A shape (SVG path) of one color (class); its label, if any, is for tooltips and screen readers."""

    path: str
    css: str
    label: str = ""
    link: str = ""


@dataclass(frozen=True)
class Map:
    """A map.

    Attributes:
        name, label: as in a chart.
        view: initial SVG view box: x, y, width, height.
        whole: view box of the whole map.
        marks: shapes in drawing order.
        lines: outlines on top, as an SVG path.
        legend: colors and their meanings.
        cells: columns of cells: `key` (cell_x,cell_y) and `tip`, the tooltip; `link` is completed by a key.
    """

    name: str
    label: str
    view: str
    whole: str
    marks: Sequence[Mark]
    lines: str = ""
    legend: Legend = ()
    cells: Mapping[str, Any] = field(default_factory=dict)


def places_map(
    name: str,
    label: str,
    outlines: Outlines,
    marks: Mapping[int, Mark],
    legend: Legend,
    chosen: Outlines,
) -> Map:
    """Draw places by color. `marks` lack their paths; the view is zoomed to the `chosen` places."""
    drawn = [Mark(_path(shape), of.css, of.label, of.link) for n, shape in outlines.items() if (of := marks.get(n))]
    edges = _path(shapely.union_all(list(chosen.values()))) if chosen else ""
    return Map(name, label, _box(chosen or outlines), _box(outlines), drawn, edges, legend)


def cells_map(
    name: str,
    label: str,
    cells: Sequence[tuple[int, int]],
    colors: Sequence[str],
    legend: Legend,
    outlines: Outlines,
    chosen: Outlines,
    tips: Sequence[str],
    link: str,
) -> Map:
    """Draw cells by color below the outlines of all places, or of the `chosen` ones, to which the view is zoomed.

    A click opens `link` + the key of the cell: cell_x,cell_y.
    """
    marks = []
    for css in dict(legend):
        if here := [cell for cell, color in zip(cells, colors, strict=True) if color == css]:
            marks.append(Mark(_cells_path(here), f"cell {css}"))
    lines = "".join(_path(shape) for shape in (chosen or outlines).values())
    data = {"key": [f"{x},{y}" for x, y in cells], "tip": list(tips), "link": link}
    return Map(name, label, _box(chosen or outlines), _box(outlines), marks, lines, legend, data)


def classes(values: Sequence[float], kind: str) -> tuple[list[str], Legend]:
    """Classify values by quantile; return the color of each value, darker for more, and the legend.

    The kind is the format of the legend: count or decimal.
    """
    if not values:
        return [], []
    cuts = [_rounded(cut, kind) for cut in np.quantile(values, np.linspace(0, 1, COLORS + 1)[1:-1])]
    least, most = min(values), max(values)
    breaks = sorted({cut for cut in cuts if least < cut <= most})
    colors = [f"c{int(i * (COLORS - 1) / max(len(breaks), 1))}" for i in range(len(breaks) + 1)]
    found = [colors[number] for number in np.searchsorted(breaks, values, side="right")]
    step, form = (1, "{:,.0f}") if kind == "count" else (0.1, "{:,.1f}")
    edges = [least, *breaks]
    ends = [*(cut - step for cut in breaks), most]
    texts = ["\u2013".join(dict.fromkeys(map(form.format, span))) for span in zip(edges, ends, strict=True)]
    return found, list(zip(colors, texts, strict=True))


def _rounded(value: float, kind: str) -> float:
    """Round to two significant digits, and counts to whole numbers."""
    digits = 1 - int(np.floor(np.log10(value))) if value > 0 else 0
    return float(round(value, min(digits, 0) if kind == "count" else min(digits, 1)))


def _path(shape: BaseGeometry) -> str:
    """Convert a shape to an SVG path with relative coordinates, which are shorter."""
    rings = []
    for polygon in shapely.get_parts(shape):
        for ring in (polygon.exterior, *polygon.interiors):
            points = np.rint(np.asarray(ring.coords) / UNIT_FT * [1, -1]).astype(int)[:-1]
            steps = np.diff(points, axis=0)
            moved = steps[np.any(steps != 0, axis=1)].tolist()
            start = points[0].tolist()
            rings.append(f"M{start[0]} {start[1]}l{' '.join(f'{x} {y}' for x, y in moved)}z".replace(" -", "-"))
    return "".join(rings)


def _cells_path(cells: Iterable[tuple[int, int]]) -> str:
    """Draw cells of one color, merging vertical runs into rectangles."""
    runs: list[list[int]] = []
    for x, y in sorted(cells):
        if runs and runs[-1][0] == x and runs[-1][1] + runs[-1][2] == y:
            runs[-1][2] += 1
        else:
            runs.append([x, y, 1])
    return "".join(f"M{CELL * x}-{CELL * y}h{CELL}v-{CELL * n}h-{CELL}z" for x, y, n in runs)


def _box(outlines: Outlines) -> str:
    west, south, east, north = shapely.total_bounds(list(outlines.values()) or [CITY]) / UNIT_FT
    margin = MARGIN * max(east - west, north - south)
    size = (west - margin, -north - margin, east - west + 2 * margin, north - south + 2 * margin)
    return " ".join(f"{value:.0f}" for value in size)
