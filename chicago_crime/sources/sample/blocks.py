"""The sample's places: blocks of made-up streets on Chicago's real address grid, inside real cells.

Eight hundred house numbers make a mile, counted from State and Madison; here belongs turning X and Y into such an
address, and into the texts of all columns that hang on the place.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa

from chicago_crime.sources.sample.profile import Integers, cells, degrees

BLOCKS_PER_CELL = 4

ORIGIN_FT = (1_176_350, 1_900_420)
"""State and Madison streets, where Chicago's house numbers begin; NAD83 Illinois East."""

FEET_PER_NUMBER = 6.6  # 800 numbers a mile

# Streets by the house number at which they cross the other direction's zero line.
_NORTH_SOUTH_WEST = {
    0: "STATE ST", 300: "WELLS ST", 800: "HALSTED ST", 1200: "RACINE AVE", 1600: "ASHLAND AVE", 2000: "DAMEN AVE",
    2400: "WESTERN AVE", 2800: "CALIFORNIA AVE", 3200: "KEDZIE AVE", 3600: "CENTRAL PARK AVE", 4000: "PULASKI RD",
    4400: "KOSTNER AVE", 4800: "CICERO AVE", 5200: "LARAMIE AVE", 5600: "CENTRAL AVE", 6000: "AUSTIN AVE",
    6400: "NARRAGANSETT AVE", 7200: "HARLEM AVE", 8000: "PACIFIC AVE", 8800: "CUMBERLAND AVE",
}  # fmt: skip
_NORTH_SOUTH_EAST = {
    0: "STATE ST", 300: "MICHIGAN AVE", 400: "DR MARTIN LUTHER KING JR DR", 800: "COTTAGE GROVE AVE",
    1200: "WOODLAWN AVE", 1600: "STONY ISLAND AVE", 2000: "JEFFERY BLVD", 2600: "COLFAX AVE", 3000: "COMMERCIAL AVE",
    3600: "AVENUE O",
}  # fmt: skip
_EAST_WEST_NORTH = {
    0: "MADISON ST", 400: "KINZIE ST", 800: "CHICAGO AVE", 1200: "DIVISION ST", 1600: "NORTH AVE",
    2000: "ARMITAGE AVE", 2400: "FULLERTON AVE", 2800: "DIVERSEY AVE", 3200: "BELMONT AVE", 3600: "ADDISON ST",
    4000: "IRVING PARK RD", 4400: "MONTROSE AVE", 4800: "LAWRENCE AVE", 5200: "FOSTER AVE", 5600: "BRYN MAWR AVE",
    6000: "PETERSON AVE", 6400: "DEVON AVE", 6800: "PRATT AVE", 7200: "TOUHY AVE", 7600: "HOWARD ST",
}  # fmt: skip
_EAST_WEST_SOUTH = {0: "MADISON ST", 300: "JACKSON BLVD", 1200: "ROOSEVELT RD", 2200: "CERMAK RD"}


@dataclass(frozen=True)
class Blocks:
    """All places of the sample; block b lies in cell b // BLOCKS_PER_CELL.

    Attributes:
        block: the column `block`.
        areas: beat, district, ward and community area, as CSV.
        x_y: the coordinates in feet, as CSV; a second half of the array, for crimes without a place, is empty.
        degrees: latitude, longitude and location, as CSV; likewise with a second half.
    """

    block: pa.Array
    areas: pa.Array
    x_y: pa.Array
    degrees: pa.Array

    def __len__(self) -> int:
        return len(self.block)


@lru_cache
def blocks() -> Blocks:
    """The places. They are the same for every seed, as a city's are for every year."""
    of_cell, rng = cells(), np.random.default_rng(2001)
    cell = np.repeat(np.arange(len(of_cell.beat)), BLOCKS_PER_CELL)
    x = rng.integers(of_cell.x_min[cell], of_cell.x_max[cell] + 1)
    y = rng.integers(of_cell.y_min[cell], of_cell.y_max[cell] + 1)
    latitudes, longitudes = (np.round(values, 9) for values in degrees(x, y))
    nowhere = [""] * len(cell)
    areas = zip(of_cell.beat[cell], of_cell.ward[cell], of_cell.community_area[cell], strict=True)
    return Blocks(
        pa.array([address(a, b, bool(n % 2)) for n, (a, b) in enumerate(zip(x.tolist(), y.tolist(), strict=True))]),
        pa.array([f"{beat:04},{beat // 100:03},{ward},{area}" for beat, ward, area in areas]),
        pa.array([f"{a},{b}" for a, b in zip(x, y, strict=True)] + ["," for _ in nowhere]),
        pa.array(
            [f'{a},{b},"({a}, {b})"' for a, b in zip(latitudes.tolist(), longitudes.tolist(), strict=True)]
            + [",," for _ in nowhere]
        ),
    )


def address(x_ft: int, y_ft: int, along_x: bool) -> str:
    """The block of a place, e.g. `019XX W DEVON AVE`.

    Args:
        x_ft: NAD83 Illinois East, feet.
        y_ft: likewise.
        along_x: True for a street that runs east and west.
    """
    east = (x_ft - ORIGIN_FT[0]) / FEET_PER_NUMBER
    north = (y_ft - ORIGIN_FT[1]) / FEET_PER_NUMBER
    if along_x:
        number, side = abs(east), "E" if east > 0 else "W"
        street = _nearest(_EAST_WEST_NORTH, north) if north > 0 else _south_street(-north)
    else:
        number, side = abs(north), "N" if north > 0 else "S"
        street = _nearest(_NORTH_SOUTH_EAST, east) if east > 0 else _nearest(_NORTH_SOUTH_WEST, -east)
    return f"{int(number // 100):03}XX {side} {street}"


def _south_street(number: float) -> str:
    """South of 26th Street, streets bear the number of their block."""
    if number < 2600:
        return _nearest(_EAST_WEST_SOUTH, number)
    count = round(number / 100)
    ending = "TH" if 11 <= count % 100 <= 13 else {1: "ST", 2: "ND", 3: "RD"}.get(count % 10, "TH")
    return f"{count}{ending} ST"


def _nearest(streets: dict[int, str], number: float) -> str:
    return streets[min(streets, key=lambda at: abs(at - number))]


def cell_of(block: Integers) -> Integers:
    """The cell that each block lies in."""
    return block // BLOCKS_PER_CELL
