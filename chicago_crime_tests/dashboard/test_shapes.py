"""Tests of `chicago_crime/dashboard/shapes.py`: outlines made of cells."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from chicago_crime.dashboard.charts.shapes import Cell, Ring, make_shapes


def enclosed(ring: Ring) -> float:
    """Cells inside a ring: positive if it runs anticlockwise."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring)) / 2


def test_a_cell_has_a_square_around_it() -> None:
    shapes = make_shapes({(3, 5): 41})
    assert shapes.geometry(41) == {
        "type": "MultiPolygon",
        "coordinates": [[[(3, 5), (4, 5), (4, 6), (3, 6), (3, 5)]]],
    }


def test_cells_in_a_row_have_no_corners_between_them() -> None:
    [ring] = make_shapes({(0, 0): 1, (1, 0): 1, (2, 0): 1}).rings[1]
    assert set(ring) == {(0, 0), (3, 0), (3, 1), (0, 1)}


def test_a_hole_of_another_area_is_cut_out() -> None:
    block: dict[Cell, int] = {(x, y): 1 for x in range(5) for y in range(5)}
    shapes = make_shapes(block | {(2, 2): 2})
    [[outer, hole]] = shapes.geometry(1)["coordinates"]  # type: ignore[misc, attr-defined]
    assert (enclosed(outer), enclosed(hole)) == (25, -1)


def test_a_cell_without_crime_between_cells_of_an_area_is_filled() -> None:
    ring: dict[Cell, int] = {(x, y): 1 for x in range(3) for y in range(3) if (x, y) != (1, 1)}
    [outline] = make_shapes(ring).rings[1]
    assert enclosed(outline) == 9


def test_an_area_without_cells_has_no_outline() -> None:
    assert make_shapes({(0, 0): 1}).geometry(2) == {"type": "MultiPolygon", "coordinates": []}


@given(st.dictionaries(st.tuples(st.integers(0, 6), st.integers(0, 6)), st.integers(1, 3), min_size=1))
def test_rings_are_closed_and_enclose_at_least_the_cells_of_their_area(area_of: dict[Cell, int]) -> None:
    shapes = make_shapes(area_of)
    for area in set(area_of.values()):
        assert all(ring[0] == ring[-1] for ring in shapes.rings[area])
        inside = sum(enclosed(ring) for ring in shapes.rings[area])
        # More only by cells without crime that were filled.
        assert inside >= sum(1 for one in area_of.values() if one == area)
    everything = sum(enclosed(ring) for rings in shapes.rings.values() for ring in rings)
    assert everything <= 49
