"""The source `sample`: synthetic years with realistic distributions. No row is a real crime.

Rows are drawn as arrays of several days, from the distributions in `profile.py`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from typing_extensions import override

from chicago_crime.sources.base import CrimeSource, Expected, Progress, SourceError, SourceFile, no_progress
from chicago_crime.sources.sample.profile import BLOCKS_PER_CELL, Floats, Integers, blocks, load_weights, profile
from chicago_crime.tables.years import FIRST_YEAR, PUBLISHED_AFTER_DAYS

HEADER = (
    "ID,Case Number,Date,Block,IUCR,Primary Type,Description,Location Description,Arrest,Domestic,Beat,District,Ward,"
    "Community Area,FBI Code,X Coordinate,Y Coordinate,Year,Updated On,Latitude,Longitude,Location"
)

MAX_ROWS = 2_000_000
"""Maximum rows of a year: the number of ids between the first of one year and of the next."""

ROWS_PER_BATCH = 50_000

_CASE_LETTERS = "GHJKLMNPRSTVWXYZ"  # I, O, Q and U look like other characters


@dataclass(frozen=True)
class SampleSource(CrimeSource):
    """Writes synthetic years. Seed, year and size determine the bytes of all but the two newest years.

    Attributes:
        rows: rows of a full year; None for the real number.
        newest: date of the snapshot, None for today; affects only the current year and the one before.
    """

    rows: int | None = 20_000
    seed: int = 1
    newest: date | None = None
    name = "sample"

    @override
    def years(self) -> list[int]:
        return list(range(FIRST_YEAR, (self._newest - timedelta(PUBLISHED_AFTER_DAYS)).year + 1))

    @override
    def fetch(self, year: int, directory: Path, progress: Progress = no_progress) -> SourceFile:
        if year not in self.years():
            raise SourceError(f"the sample has no year {year}: it has {FIRST_YEAR} to {self.years()[-1]}")
        rng = np.random.default_rng((self.seed, year))
        total, shares = self._rows_so_far(year)
        counts = rng.multinomial(total, shares)
        path = directory / f"synthetic_crimes_{year}.csv"
        with path.open("wb") as file:
            file.write(HEADER.encode() + b"\n")
            done = 0
            for days in _groups_of_days(counts):
                lines = _lines(year, self._newest, _draw(days, counts[days], rng), done, rng)
                _, offsets, text = lines.buffers()
                ends = np.frombuffer(offsets, dtype=np.int32)
                file.write(memoryview(text)[: ends[len(lines)]])
                done += len(lines)
                progress(file.tell(), file.tell() * total // done)
        origin = f"SYNTHETIC sample: {total:,} rows drawn with seed {self.seed}"
        return SourceFile(path, origin, synthetic=True, details={"seed": self.seed, "rows": total})

    @override
    def expect(self, years: Sequence[int]) -> dict[int, Expected]:
        """Return the number of rows to be written."""
        offered = set(years) & set(self.years())
        return {year: Expected("SYNTHETIC rows", rows=self._rows_so_far(year)[0]) for year in offered}

    def _rows_so_far(self, year: int) -> tuple[int, Floats]:
        """Return the number of rows published by the snapshot's date, and the share of each day."""
        weights = profile().day_weights(year)
        so_far = weights[: (self._newest - timedelta(PUBLISHED_AFTER_DAYS) - date(year, 1, 1)).days + 1]
        rows = self.rows if self.rows is not None else profile().rows_of(year)
        return round(rows * so_far.sum() / weights.sum()), so_far / so_far.sum()

    @property
    def _newest(self) -> date:
        return self.newest or date.today()


@dataclass
class _Drawn:
    """Crimes of several days as arrays, sorted by time; `case` numbers the cases of these days."""

    day: Integers
    minute: Integers
    kind: Integers
    block: Integers
    location: Integers
    case: Integers


def _draw(days: slice, counts: Integers, rng: np.random.Generator) -> _Drawn:
    weights, total = load_weights(), int(counts.sum())
    day = np.repeat(np.arange(days.start, days.stop), counts)
    kind = weights.kind.draw(rng, np.zeros(total, dtype=np.int64))
    type_ = weights.type_of_kind[kind]
    hour = weights.hour.draw(rng, type_)
    minute = hour * 60 + weights.minute.draw(rng, (hour > 0).astype(np.int64))
    block = weights.cell.draw(rng, weights.class_of_kind[kind]) * BLOCKS_PER_CELL + rng.integers(
        BLOCKS_PER_CELL, size=total
    )
    drawn = _Drawn(day, minute, kind, block, weights.location.draw(rng, type_), np.arange(total))
    _share_cases(drawn, np.flatnonzero(weights.is_homicide[kind]), rng)
    order = np.lexsort((drawn.minute, drawn.day))
    # Cases are numbered by time; further victims share the number of their case.
    number = np.empty(total, dtype=np.int64)
    number[order] = np.arange(total)
    case = number[drawn.case]
    return _Drawn(*(values[order] for values in (drawn.day, drawn.minute, kind, drawn.block, drawn.location, case)))


def _share_cases(drawn: _Drawn, homicides: Integers, rng: np.random.Generator) -> None:
    """Turn some homicides into further victims of the previous one, with its case, time and place."""
    further = rng.random(max(len(homicides) - 1, 0)) < profile().homicides_with_shared_case
    for first, other in zip(homicides[:-1][further], homicides[1:][further], strict=True):
        for values in (drawn.day, drawn.minute, drawn.block, drawn.location, drawn.case):
            values[other] = values[first]


def _lines(year: int, newest: date, drawn: _Drawn, done: int, rng: np.random.Generator) -> pa.StringArray:
    """Format the rows as CSV lines."""
    weights, places, total = load_weights(), blocks(), len(drawn.day)
    days, minutes = _day_texts(year), _minute_texts()
    known = rng.random(total) >= profile().without_coordinates
    coordinates = pa.array(drawn.block + np.where(known, 0, len(places)))
    flags = 2 * (rng.random(total) < weights.arrest[drawn.kind]) + (rng.random(total) < weights.domestic[drawn.kind])
    lag = np.where(rng.random(total) < 0.8, PUBLISHED_AFTER_DAYS, rng.integers(PUBLISHED_AFTER_DAYS, 300, size=total))
    # Older years are as of the following March, whatever the date, so their files never change.
    last_day = (min(newest, date(year + 1, 3, 1)) - date(year, 1, 1)).days
    updated = np.minimum(drawn.day + lag, last_day)
    first = (year - FIRST_YEAR) * MAX_ROWS + 1_000_000 + done
    letters = _case_letters(year)
    pieces: list[pa.Array | pa.Scalar] = [
        pa.array(np.arange(first, first + total)).cast(pa.string()),
        pa.scalar(f",{letters}"),
        pc.utf8_lpad(pa.array(drawn.case + done).cast(pa.string()), 6, "0"),
        pa.scalar(","),
        days.take(pa.array(drawn.day)),
        minutes.take(pa.array(drawn.minute)),
        pa.scalar(","),
        places.block.take(pa.array(drawn.block)),
        pa.scalar(","),
        weights.kind_text.take(pa.array(drawn.kind)),
        pa.scalar(","),
        weights.location_text.take(pa.array(drawn.location)),
        pa.array([",false,false,", ",false,true,", ",true,false,", ",true,true,"]).take(pa.array(flags)),
        places.areas.take(pa.array(drawn.block)),
        pa.scalar(","),
        weights.fbi_text.take(pa.array(drawn.kind)),
        pa.scalar(","),
        places.x_y.take(coordinates),
        pa.scalar(f",{year},"),
        days.take(pa.array(updated)),
        pa.scalar("03:50:01 PM,"),
        places.degrees.take(coordinates),
        pa.scalar("\n"),
    ]
    return pc.binary_join_element_wise(*pieces, "")


def _groups_of_days(rows: Integers) -> Iterator[slice]:
    """Group consecutive days into batches of about ROWS_PER_BATCH rows."""
    group = (np.cumsum(rows) - rows) // ROWS_PER_BATCH
    starts = [0, *(np.flatnonzero(np.diff(group)) + 1).tolist(), len(rows)]
    for start, stop in pairwise(starts):
        if rows[start:stop].any():
            yield slice(start, stop)


@lru_cache
def _day_texts(year: int) -> pa.Array:
    """Format the days of a year and of the next, in which records are still updated."""
    first = date(year, 1, 1)
    return pa.array([f"{first + timedelta(n):%m/%d/%Y} " for n in range(366 + 366)])


@lru_cache
def _minute_texts() -> pa.Array:
    return pa.array([f"{(n // 60 + 11) % 12 + 1:02}:{n % 60:02}:00 {'AM' if n < 720 else 'PM'}" for n in range(1440)])


def _case_letters(year: int) -> str:
    """Return the two letters of the City's case numbers, such as HY for 2015 and JA for 2017."""
    if year < 2017:
        return f"H{_CASE_LETTERS[year - FIRST_YEAR]}"
    return f"J{'ABCDEFGHJKLMNPRSTVWXYZ'[(year - 2017) % 22]}"
