"""What the sample is drawn from: measured shares and counts, weights, and places on Chicago's address grid.

`benchmarks/measure_sample_profile.py` measured them on real years and wrote `profile.json` and `places.csv`, which hold
no single crime. Blocks are made up, inside real cells, on the streets of `streets.csv`: eight hundred house numbers
make a mile, counted from State and Madison.
"""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

PROFILE_FILE = Path(__file__).with_name("profile.json")
PLACES_FILE = Path(__file__).with_name("places.csv")

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CENTER_FT = (1_150_000.0, 1_880_000.0)
SCALE_FT = 50_000.0

CLASSES = ("violent", "property", "non_index")

BLOCKS_PER_CELL = 4

ORIGIN_FT = (1_176_350, 1_900_420)
"""State and Madison streets, the origin of Chicago's house numbers; NAD83 Illinois East."""

FEET_PER_NUMBER = 6.6  # 800 numbers a mile


@dataclass(frozen=True)
class Kind:
    """One kind of crime: its codes, its number in the measured years, and its shares of arrests and domestic crimes."""

    iucr: str
    primary_type: str
    description: str
    fbi_code: str
    offense_class: str
    crimes: int
    arrest: float
    domestic: float


@dataclass(frozen=True)
class Profile:
    """Measured shares and counts.

    Attributes:
        rows: year -> rows the City had of it.
        kinds: kinds of crime.
        hours: primary type -> counts of the 24 hours.
        minutes_after_midnight, minutes: counts of the 60 minutes, in hour 0 and in all others.
        locations: primary type -> location description -> count.
        months: crimes a day in each month, January first, without the first of the month.
        weekdays: Monday to Sunday, relative to the mean day.
        first_of_month, first_of_year: relative to the mean day; unknown dates are often recorded as these.
        without_coordinates, without_location_description: shares of rows.
        homicides_with_shared_case: share of homicides with the case number of an earlier one (another victim).
        latitude, longitude: polynomial coefficients, see `polynomial_terms`.
        measured_on: the measured years.
    """

    rows: dict[str, int]
    kinds: list[Kind]
    hours: dict[str, list[int]]
    minutes_after_midnight: list[int]
    minutes: list[int]
    locations: dict[str, dict[str, int]]
    months: list[float]
    weekdays: list[float]
    first_of_month: float
    first_of_year: float
    without_coordinates: float
    without_location_description: float
    homicides_with_shared_case: float
    latitude: list[float]
    longitude: list[float]
    measured_on: list[int]

    def rows_of(self, year: int) -> int:
        """Rows of a whole year; years after the last known one get as many as that."""
        return self.rows[min(str(year), max(self.rows))]

    def day_weights(self, year: int) -> Floats:
        """Expected share of each day of a year, relative to the others."""
        first = date(year, 1, 1)
        days = [first + timedelta(n) for n in range((date(year + 1, 1, 1) - first).days)]
        weights = [self.months[day.month - 1] * self.weekdays[day.weekday()] for day in days]
        factors = [1 if day.day > 1 else self.first_of_year if day == first else self.first_of_month for day in days]
        return np.array(weights) * factors


@dataclass(frozen=True)
class Cells:
    """660 ft cells in which crimes were reported, one array entry each.

    Attributes:
        beat, ward, community_area: the most frequent ones of the cell's crimes.
        x_min, x_max, y_min, y_max: the box around those crimes, NAD83 Illinois East, feet.
        crimes: array of 3 x cells: counts of each offense class, in the order of CLASSES.
    """

    beat: Integers
    ward: Integers
    community_area: Integers
    x_min: Integers
    x_max: Integers
    y_min: Integers
    y_max: Integers
    crimes: Integers


@lru_cache
def profile() -> Profile:
    """The measured profile."""
    values = json.loads(PROFILE_FILE.read_text())
    return Profile(**values | {"kinds": [Kind(*kind) for kind in values["kinds"]]})


@lru_cache
def cells() -> Cells:
    """The measured cells."""
    with PLACES_FILE.open(newline="") as file:
        rows = list(csv.DictReader(file))
    columns = {name: np.array([int(row[name]) for row in rows]) for name in rows[0]}
    areas = {name: columns[name] for name in ("beat", "ward", "community_area", "x_min", "x_max", "y_min", "y_max")}
    return Cells(**areas, crimes=np.stack([columns[name] for name in CLASSES]))


def degrees(x_ft: NDArray, y_ft: NDArray) -> tuple[Floats, Floats]:
    """Latitude and longitude of places in the city, by a polynomial that is exact to a billionth of a degree."""
    terms = polynomial_terms((x_ft - CENTER_FT[0]) / SCALE_FT, (y_ft - CENTER_FT[1]) / SCALE_FT)
    return terms @ np.array(profile().latitude), terms @ np.array(profile().longitude)


def polynomial_terms(u: NDArray, v: NDArray) -> Floats:
    """All products of powers of u and v up to degree 4, an array of places x terms."""
    return np.stack([u**i * v**j for i in range(5) for j in range(5 - i)], axis=-1)


class Weights:
    """Draws options by weight; each row of a two-dimensional array is a group with its own weights."""

    def __init__(self, weights: Floats | Integers | Sequence[Sequence[float]]) -> None:
        table = np.atleast_2d(np.asarray(weights, dtype=float))
        self.groups, self.options = table.shape
        shares = np.cumsum(table, axis=1) / table.sum(axis=1, keepdims=True)
        # One increasing array over all groups, so that a single binary search finds every row's option.
        self._line = (shares + np.arange(self.groups)[:, None]).ravel()

    def draw(self, rng: np.random.Generator, group: Integers) -> Integers:
        """One option per entry, by the weights of the entry's group."""
        found = np.searchsorted(self._line, group + rng.random(len(group)), side="right") - group * self.options
        return np.minimum(found, self.options - 1)


@dataclass(frozen=True)
class SampleWeights:
    """The profile as weights and texts, ready to draw from; types, classes and kinds by their number."""

    kind: Weights
    hour: Weights
    minute: Weights
    location: Weights
    cell: Weights
    type_of_kind: Integers
    class_of_kind: Integers
    is_homicide: np.ndarray
    arrest: Floats
    domestic: Floats
    kind_text: pa.Array
    fbi_text: pa.Array
    location_text: pa.Array


@lru_cache
def load_weights() -> SampleWeights:
    """The measured profile, ready to draw from."""
    measured = profile()
    types = sorted({kind.primary_type for kind in measured.kinds})
    places = sorted({place for name in types for place in measured.locations.get(name, {})})
    share_known = 1 - measured.without_location_description
    locations = np.zeros((len(types), len(places) + 1))
    for row, name in enumerate(types):
        counts = measured.locations.get(name, {})
        for place, count in counts.items():
            locations[row, places.index(place)] = share_known * count / sum(counts.values())
        locations[row, -1] = 1 - locations[row].sum()
    return SampleWeights(
        kind=Weights([[kind.crimes for kind in measured.kinds]]),
        hour=Weights([measured.hours[name] for name in types]),
        minute=Weights([measured.minutes_after_midnight, measured.minutes]),
        location=Weights(locations),
        cell=Weights(cells().crimes),
        type_of_kind=np.array([types.index(kind.primary_type) for kind in measured.kinds]),
        class_of_kind=np.array([CLASSES.index(kind.offense_class) for kind in measured.kinds]),
        is_homicide=np.array([kind.fbi_code == "01A" for kind in measured.kinds]),
        arrest=np.array([kind.arrest for kind in measured.kinds]),
        domestic=np.array([kind.domestic for kind in measured.kinds]),
        kind_text=pa.array([_csv(kind.iucr, kind.primary_type, kind.description) for kind in measured.kinds]),
        fbi_text=pa.array([kind.fbi_code for kind in measured.kinds]),
        location_text=pa.array([_csv(place) for place in places] + [""]),
    )


def _csv(*fields: str) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields)
    return text.getvalue()


@dataclass(frozen=True)
class Blocks:
    """All places of the sample; block b lies in cell b // BLOCKS_PER_CELL.

    Attributes:
        block: the column `block`.
        areas: beat, district, ward and community area, as CSV.
        x_y: the coordinates in feet, as CSV; the second half of the array is empty, for crimes without a place.
        degrees: latitude, longitude and location, as CSV; the second half is empty, too.
    """

    block: pa.Array
    areas: pa.Array
    x_y: pa.Array
    degrees: pa.Array

    def __len__(self) -> int:
        return len(self.block)


@lru_cache
def blocks() -> Blocks:
    """The places, which are the same for every seed and year."""
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


@lru_cache
def _streets() -> dict[str, dict[int, str]]:
    """Streets by direction, and by the house number of the line they run along: negative in the west and the south."""
    found: dict[str, dict[int, str]] = {"north_south": {}, "east_west": {}}
    with PLACES_FILE.with_name("streets.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            found[row["direction"]][int(row["number"])] = row["street"]
    return found


def address(x_ft: int, y_ft: int, along_x: bool) -> str:
    """The block of a place, e.g. `019XX W DEVON AVE`.

    Args:
        x_ft: NAD83 Illinois East, feet.
        y_ft: NAD83 Illinois East, feet.
        along_x: True for a street that runs east and west.
    """
    east = (x_ft - ORIGIN_FT[0]) / FEET_PER_NUMBER
    north = (y_ft - ORIGIN_FT[1]) / FEET_PER_NUMBER
    if along_x:
        number, side, street = abs(east), "E" if east > 0 else "W", _nearest("east_west", north)
    else:
        number, side, street = abs(north), "N" if north > 0 else "S", _nearest("north_south", east)
    return f"{int(number // 100):03}XX {side} {street}"


def _nearest(direction: str, number: float) -> str:
    streets = _streets()[direction]
    return streets[min(streets, key=lambda at: abs(at - number))]
