"""The distributions of the sample: measured shares and counts, weights, and places on Chicago's address grid.

`benchmarks/measure_sample_profile.py` measures them on the real years 2014 to 2016, and writes `profile.json` and
`places.parquet`. Neither contains any real crime: blocks are made up, within real grid cells.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from chicago_crime.sources.records import csv_line
from chicago_crime.tables.columns import OFFENSE_CLASSES

PROFILE_FILE = Path(__file__).with_name("profile.json")
PLACES_FILE = Path(__file__).with_name("places.parquet")

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

BLOCKS_PER_CELL = 4


@dataclass(frozen=True)
class Kind:
    """A kind of crime: its codes, count in the measured years, and shares of arrests and domestic crimes."""

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
        rows: year -> number of rows in the City's data.
        kinds: kinds of crime.
        hours: primary type -> counts of the 24 hours.
        minutes_after_midnight, minutes: counts of the 60 minutes, in hour 0 and in all others.
        locations: primary type -> location description -> count.
        months: crimes per day by month from January, excluding the first of the month.
        weekdays: Monday to Sunday, relative to the mean day.
        first_of_month, first_of_year: relative to the mean day; unknown dates are often recorded as such.
        without_coordinates, without_location_description: shares of rows.
        homicides_with_shared_case: share of homicides with the case number of an earlier one (another victim).
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

    def rows_of(self, year: int) -> int:
        """Return the rows of a full year; years after the last known one have the same number."""
        return self.rows[min(str(year), max(self.rows))]

    def day_weights(self, year: int) -> Floats:
        """Return the relative weight of each day of a year."""
        first = date(year, 1, 1)
        days = [first + timedelta(n) for n in range((date(year + 1, 1, 1) - first).days)]
        weights = [self.months[day.month - 1] * self.weekdays[day.weekday()] for day in days]
        factors = [1 if day.day > 1 else self.first_of_year if day == first else self.first_of_month for day in days]
        return np.array(weights) * factors


@lru_cache
def profile() -> Profile:
    """Load the measured profile."""
    values = json.loads(PROFILE_FILE.read_text(encoding="utf-8"))
    return Profile(**values | {"kinds": [Kind(*kind) for kind in values["kinds"]]})


class Weights:
    """Draws options by weight; each row of a two-dimensional array is a group with separate weights."""

    def __init__(self, weights: Floats | Integers | Sequence[Sequence[float]]) -> None:
        table = np.atleast_2d(np.asarray(weights, dtype=float))
        self.groups, self.options = table.shape
        shares = np.cumsum(table, axis=1) / table.sum(axis=1, keepdims=True)
        # One increasing array over all groups, so a single binary search finds the option of every row.
        self._line = (shares + np.arange(self.groups)[:, None]).ravel()

    def draw(self, rng: np.random.Generator, group: Integers) -> Integers:
        """Draw one option per entry, with the weights of its group."""
        found = np.searchsorted(self._line, group + rng.random(len(group)), side="right") - group * self.options
        return np.minimum(found, self.options - 1)


class SampleWeights:
    """A profile as weights and texts to draw from; types, classes and kinds are indices."""

    def __init__(self, measured: Profile) -> None:
        kinds = measured.kinds
        types = sorted({kind.primary_type for kind in kinds})
        places = sorted({place for name in types for place in measured.locations.get(name, {})})
        share_known = 1 - measured.without_location_description
        locations = np.zeros((len(types), len(places) + 1))
        for row, name in enumerate(types):
            counts = measured.locations.get(name, {})
            for place, count in counts.items():
                locations[row, places.index(place)] = share_known * count / sum(counts.values())
            locations[row, -1] = 1 - locations[row].sum()
        self.kind = Weights([[kind.crimes for kind in kinds]])
        self.hour = Weights([measured.hours[name] for name in types])
        self.minute = Weights([measured.minutes_after_midnight, measured.minutes])
        self.location = Weights(locations)
        self.cell = Weights(blocks().crimes)
        self.type_of_kind = np.array([types.index(kind.primary_type) for kind in kinds])
        self.class_of_kind = np.array([OFFENSE_CLASSES.index(kind.offense_class) for kind in kinds])
        self.is_homicide = np.array([kind.fbi_code == "01A" for kind in kinds])
        self.arrest = np.array([kind.arrest for kind in kinds])
        self.domestic = np.array([kind.domestic for kind in kinds])
        self.kind_text = pa.array([_csv(kind.iucr, kind.primary_type, kind.description) for kind in kinds])
        self.fbi_text = pa.array([kind.fbi_code for kind in kinds])
        self.location_text = pa.array([_csv(place) for place in places] + [""])


@lru_cache
def load_weights() -> SampleWeights:
    """Load the measured profile as weights."""
    return SampleWeights(profile())


def _csv(*fields: str) -> str:
    return csv_line(fields).decode().removesuffix("\n")


@dataclass(frozen=True)
class Blocks:
    """All places of the sample; block b lies in cell b // BLOCKS_PER_CELL.

    Attributes:
        block: the column `block`.
        areas: beat, district, ward and community area, as CSV.
        x_y: the coordinates in feet, as CSV; the second half of the array is empty, for crimes without coordinates.
        degrees: latitude, longitude and location, as CSV; the second half is empty, too.
        crimes: array of 3 x cells with the count of each offense class, in the order of OFFENSE_CLASSES.
    """

    block: pa.Array
    areas: pa.Array
    x_y: pa.Array
    degrees: pa.Array
    crimes: Integers

    def __len__(self) -> int:
        return len(self.block)


@lru_cache
def blocks() -> Blocks:
    """Load the places, which are the same for every seed and year."""
    read = pq.ParquetFile(PLACES_FILE).read().combine_chunks()  # `read_table` would import pandas

    def column(name: str, nowhere: str | None = None) -> pa.Array:
        [values] = read[name].chunks
        return values if nowhere is None else pa.concat_arrays([values, pa.array([nowhere] * len(values))])

    crimes = np.stack([column(name).to_numpy()[::BLOCKS_PER_CELL] for name in OFFENSE_CLASSES])
    return Blocks(column("block"), column("areas"), column("x_y", ","), column("degrees", ",,"), crimes)
