"""Tests of official outlines, outlines of cells, and their coordinates."""

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from chicago_crime.dashboard.charts.projection import tile_coordinates, tile_polynomials, to_feet
from chicago_crime.dashboard.charts.shapes import Cell, outlines_from_cells
from chicago_crime.tables import CELL_FT
from chicago_crime_tests.support import real_year


def test_holes_are_kept_for_other_places_and_filled_if_without_crimes() -> None:
    block: dict[Cell, int] = {(x, y): 1 for x in range(7) for y in range(5)} | {(2, 2): 2}
    del block[4, 2]
    outline = outlines_from_cells(block)[1]
    assert len(outline.exterior.coords) == 5, "it has points only at corners"
    [hole] = outline.interiors
    assert hole.bounds == tuple(CELL_FT * n for n in (2, 2, 3, 3))


@given(st.dictionaries(st.tuples(st.integers(0, 6), st.integers(0, 6)), st.integers(1, 3), min_size=1))
def test_outlines_are_valid_cover_their_cells_and_do_not_overlap(place_of: dict[Cell, int]) -> None:
    outlines = outlines_from_cells(place_of)
    assert all(outline.is_valid for outline in outlines.values())
    for (x, y), place in place_of.items():
        assert outlines[place].covers(shapely.box(*(CELL_FT * n for n in (x, y, x + 1, y + 1))))
    total = sum(outline.area for outline in outlines.values())
    assert total == shapely.union_all(list(outlines.values())).area <= 49 * CELL_FT**2


def test_projection_agrees_with_the_coordinates_of_the_city() -> None:
    """The City publishes both coordinates of each crime, rounded to a foot and to nine decimals of a degree."""
    crimes = pd.read_csv(real_year(2021)).dropna(subset="Latitude")
    assert len(crimes) > 50_000
    computed = to_feet(crimes[["Longitude", "Latitude"]].to_numpy())
    published = crimes[["X Coordinate", "Y Coordinate"]].to_numpy()
    assert np.abs(computed - published).max() < 0.01


@pytest.mark.parametrize("place", [(-87.90, 41.98), (-87.54, 41.66), (-87.63, 41.88)])
def test_the_tile_polynomials_are_inverse(place: tuple[float, float]) -> None:
    point = np.array([place])
    found = tile_polynomials(10)
    tile, feet = tile_coordinates(point)[0], to_feet(point)[0] / 10 * [1, -1]
    (tile0, feet0), terms = found["center"], lambda u, v: [1, u, v, u * u, u * v, v * v]
    there = np.array(found["to"]) @ terms(*(tile - tile0) * 10_000) + feet0
    assert there == pytest.approx(feet, abs=0.01)
    back = np.array(found["from"]) @ terms(*(feet - feet0) / 10_000) + tile0
    assert back == pytest.approx(tile, abs=1e-8)
