"""Tests of outlines made of cells."""

import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import shape

from chicago_crime.dashboard.charts.shapes import Cell, make_shapes


def test_an_outline_has_points_at_corners_only() -> None:
    shapes = make_shapes({(0, 0): 1, (1, 0): 1, (2, 0): 1})
    [[ring]] = shapes.geometry(1)["coordinates"]  # type: ignore[misc, attr-defined]
    assert (len(ring), set(ring)) == (5, {(0, 0), (3, 0), (3, 1), (0, 1)})
    assert set(zip(shapes.lines()["x"], shapes.lines()["y"], strict=True)) == set(ring)
    assert shapes.geometry(2) == {"type": "MultiPolygon", "coordinates": []}


def test_holes_are_cut_out_for_other_areas_and_filled_where_no_crime_is() -> None:
    block: dict[Cell, int] = {(x, y): 1 for x in range(7) for y in range(5)} | {(2, 2): 2}
    del block[4, 2]
    [[_, hole]] = make_shapes(block).geometry(1)["coordinates"]  # type: ignore[misc, attr-defined]
    assert set(hole) == {(2, 2), (3, 2), (3, 3), (2, 3)}


@given(st.dictionaries(st.tuples(st.integers(0, 6), st.integers(0, 6)), st.integers(1, 3), min_size=1))
def test_outlines_are_valid_cover_their_cells_and_do_not_overlap(area_of: dict[Cell, int]) -> None:
    shapes = make_shapes(area_of)
    outlines = {area: shape(shapes.geometry(area)) for area in shapes.polygons}
    assert all(outline.is_valid for outline in outlines.values())
    for (x, y), area in area_of.items():
        assert outlines[area].covers(shapely.box(x, y, x + 1, y + 1))
    assert sum(outline.area for outline in outlines.values()) == shapely.union_all(list(outlines.values())).area <= 49
