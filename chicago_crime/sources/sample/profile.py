"""What the sample is drawn from: shares and counts measured on real years, and nothing of any one crime.

Here belongs reading the two files that `benchmarks/measure_sample_profile.py` writes. Drawing from them belongs in
`sample_rows.py`.
"""

import csv
import json
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PROFILE_FILE = Path(__file__).with_name("profile.json")
PLACES_FILE = Path(__file__).with_name("places.csv")

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CENTER_FT = (1_150_000.0, 1_880_000.0)
SCALE_FT = 50_000.0

CLASSES = ("violent", "property", "non_index")


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
        first_of_month, first_of_year: relative to the mean day; dates that are not known are often put there.
        without_coordinates, without_location_description: shares of rows.
        homicides_with_shared_case: share of homicides that are a further victim of one before.
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
        """Rows of a whole year; for years after the last known one, as many as that had."""
        return self.rows[min(str(year), max(self.rows))]

    def day_weights(self, year: int) -> Floats:
        """What to expect of each day of a year, relative to the others."""
        first = date(year, 1, 1)
        days = [first + timedelta(n) for n in range((date(year + 1, 1, 1) - first).days)]
        weights = [self.months[day.month - 1] * self.weekdays[day.weekday()] for day in days]
        factors = [1 if day.day > 1 else self.first_of_year if day == first else self.first_of_month for day in days]
        return np.array(weights) * factors


@dataclass(frozen=True)
class Cells:
    """660 ft cells in which crimes were reported, one array entry each.

    Attributes:
        beat, ward, community_area: those that most of the cell's crimes have.
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
    """Latitude and longitude of places in the city; a polynomial gives them to within a billionth of a degree."""
    terms = polynomial_terms((x_ft - CENTER_FT[0]) / SCALE_FT, (y_ft - CENTER_FT[1]) / SCALE_FT)
    return terms @ np.array(profile().latitude), terms @ np.array(profile().longitude)


def polynomial_terms(u: NDArray, v: NDArray) -> Floats:
    """All products of powers of u and v up to degree 4, an array of places x terms."""
    return np.stack([u**i * v**j for i in range(5) for j in range(5 - i)], axis=-1)
