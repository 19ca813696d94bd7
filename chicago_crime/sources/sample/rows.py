"""Drawing the sample's rows and writing them as the City does: some days at a time, as arrays, never row by row.

What is drawn from belongs in `sample_profile.py`; damage done on purpose in `sample_dirt.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from chicago_crime.sources.base import Progress
from chicago_crime.sources.sample.blocks import BLOCKS_PER_CELL, blocks
from chicago_crime.sources.sample.dice import load_dice
from chicago_crime.sources.sample.profile import Integers, profile
from chicago_crime.tables.years import FIRST_YEAR

HEADER = (
    "ID,Case Number,Date,Block,IUCR,Primary Type,Description,Location Description,Arrest,Domestic,Beat,District,Ward,"
    "Community Area,FBI Code,X Coordinate,Y Coordinate,Year,Updated On,Latitude,Longitude,Location"
)

MOST_ROWS = 2_000_000
"""Rows that a year may have: so many ids lie between one year's first and the next one's."""

ROWS_AT_ONCE = 50_000

REPORTED_AFTER_DAYS = 8
"""The City publishes a crime a week after it was reported."""

_CASE_LETTERS = "GHJKLMNPRSTVWXYZ"  # I, O, Q and U look like others


@dataclass(frozen=True)
class YearPlan:
    """What to write of a year: which days, and how many rows on each.

    Attributes:
        year: which.
        rows: by day, from 1 January on.
        snapshot: the day the file is said to be of: no row was changed after it.
    """

    year: int
    rows: Integers
    snapshot: date


def plan_year(year: int, rows: int | None, newest: date, rng: np.random.Generator) -> YearPlan:
    """Spread a year's rows over its days. A year that is not over on the day `newest` has its share of them.

    Args:
        year: which.
        rows: of the whole year; None for as many as the City had.
        newest: the day of the snapshot; the last crimes are of a week before.
        rng: where chance comes from.
    """
    weights = profile().day_weights(year)
    days = min(len(weights), (newest - timedelta(REPORTED_AFTER_DAYS) - date(year, 1, 1)).days + 1)
    of_year = rows if rows is not None else profile().rows_of(year)
    so_far = round(of_year * weights[:days].sum() / weights.sum())
    counts = rng.multinomial(so_far, weights[:days] / weights[:days].sum())
    # An older year was last looked at in the March after it, whenever today is: so its file stays the same.
    return YearPlan(year, counts, min(newest, date(year + 1, 3, 1)))


def write_rows(plan: YearPlan, rng: np.random.Generator, file: BinaryIO, progress: Progress) -> None:
    """Write the planned rows, sorted by time, under the City's header."""
    file.write(HEADER.encode() + b"\n")
    total, done = int(plan.rows.sum()), 0
    for days in _groups_of_days(plan.rows):
        lines = _lines(plan, _draw(days, plan.rows[days], rng), done, rng)
        _, offsets, text = lines.buffers()
        ends = np.frombuffer(offsets, dtype=np.int32)
        file.write(memoryview(text)[: ends[len(lines)]])
        done += len(lines)
        progress(file.tell(), file.tell() * total // done)


@dataclass
class _Drawn:
    """Some days' crimes, one array entry each, sorted by time; `case` counts the cases of these days."""

    day: Integers
    minute: Integers
    kind: Integers
    block: Integers
    location: Integers
    case: Integers


def _draw(days: slice, counts: Integers, rng: np.random.Generator) -> _Drawn:
    dice, total = load_dice(), int(counts.sum())
    day = np.repeat(np.arange(days.start, days.stop), counts)
    kind = dice.kind.draw(rng, np.zeros(total, dtype=np.int64))
    type_ = dice.type_of_kind[kind]
    hour = dice.hour.draw(rng, type_)
    minute = hour * 60 + dice.minute.draw(rng, (hour > 0).astype(np.int64))
    block = dice.cell.draw(rng, dice.class_of_kind[kind]) * BLOCKS_PER_CELL + rng.integers(BLOCKS_PER_CELL, size=total)
    drawn = _Drawn(day, minute, kind, block, dice.location.draw(rng, type_), np.arange(total))
    _share_cases(drawn, np.flatnonzero(dice.is_homicide[kind]), rng)
    order = np.lexsort((drawn.minute, drawn.day))
    # Cases are numbered as they come; a case's further victims keep its number.
    number = np.empty(total, dtype=np.int64)
    number[order] = np.arange(total)
    case = number[drawn.case]
    return _Drawn(*(values[order] for values in (drawn.day, drawn.minute, kind, drawn.block, drawn.location, case)))


def _share_cases(drawn: _Drawn, homicides: Integers, rng: np.random.Generator) -> None:
    """Make some homicides a further victim of the one before: same case, time and place."""
    further = rng.random(max(len(homicides) - 1, 0)) < profile().homicides_with_shared_case
    for first, other in zip(homicides[:-1][further], homicides[1:][further], strict=True):
        for values in (drawn.day, drawn.minute, drawn.block, drawn.location, drawn.case):
            values[other] = values[first]


def _lines(plan: YearPlan, drawn: _Drawn, done: int, rng: np.random.Generator) -> pa.StringArray:
    """The rows as CSV lines, each with its end."""
    dice, places, total = load_dice(), blocks(), len(drawn.day)
    days, minutes = _day_texts(plan.year), _minute_texts()
    known = rng.random(total) >= profile().without_coordinates
    coordinates = pa.array(drawn.block + np.where(known, 0, len(places)))
    flags = 2 * (rng.random(total) < dice.arrest[drawn.kind]) + (rng.random(total) < dice.domestic[drawn.kind])
    lag = np.where(rng.random(total) < 0.8, REPORTED_AFTER_DAYS, rng.integers(REPORTED_AFTER_DAYS, 300, size=total))
    last_day = (plan.snapshot - date(plan.year, 1, 1)).days
    updated = np.minimum(drawn.day + lag, last_day)
    first = (plan.year - FIRST_YEAR) * MOST_ROWS + 1_000_000 + done
    letters = _case_letters(plan.year)
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
        dice.kind_text.take(pa.array(drawn.kind)),
        pa.scalar(","),
        dice.location_text.take(pa.array(drawn.location)),
        pa.array([",false,false,", ",false,true,", ",true,false,", ",true,true,"]).take(pa.array(flags)),
        places.areas.take(pa.array(drawn.block)),
        pa.scalar(","),
        dice.fbi_text.take(pa.array(drawn.kind)),
        pa.scalar(","),
        places.x_y.take(coordinates),
        pa.scalar(f",{plan.year},"),
        days.take(pa.array(updated)),
        pa.scalar("03:50:01 PM,"),
        places.degrees.take(coordinates),
        pa.scalar("\n"),
    ]
    return pc.binary_join_element_wise(*pieces, "")


def _groups_of_days(rows: Integers) -> Iterator[slice]:
    """Consecutive days that have about ROWS_AT_ONCE rows together."""
    group = (np.cumsum(rows) - rows) // ROWS_AT_ONCE
    starts = [0, *(np.flatnonzero(np.diff(group)) + 1).tolist(), len(rows)]
    for start, stop in pairwise(starts):
        if rows[start:stop].any():
            yield slice(start, stop)


@lru_cache
def _day_texts(year: int) -> pa.Array:
    """The days of a year and those of the next, in which records are still changed."""
    first = date(year, 1, 1)
    return pa.array([f"{first + timedelta(n):%m/%d/%Y} " for n in range(366 + 366)])


@lru_cache
def _minute_texts() -> pa.Array:
    return pa.array([f"{(n // 60 + 11) % 12 + 1:02}:{n % 60:02}:00 {'AM' if n < 720 else 'PM'}" for n in range(1440)])


def _case_letters(year: int) -> str:
    """The City's two letters: HY stands for 2015, JA for 2017."""
    if year < 2014:
        return f"H{_CASE_LETTERS[year - FIRST_YEAR]}"
    if year < 2017:
        return f"H{'XYZ'[year - 2014]}"
    return f"J{'ABCDEFGHJKLMNPRSTVWXYZ'[(year - 2017) % 22]}"
