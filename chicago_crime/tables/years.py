"""Years, the partitions of every table, and the notation for selecting them: `2014-2016,2021`."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from math import log
from zoneinfo import ZoneInfo

from chicago_crime.errors import UsageError

FIRST_YEAR = 2001
"""The first year of the City's dataset."""

PUBLISHED_AFTER_DAYS = 8
"""The City withholds the most recent seven days."""

MIN_SURPRISE, MIN_SURPRISE_OF_FEW, MIN_SURPRISE_OF_HOLIDAYS = 20, 40, 80
"""Days without rows are a gap if chance would leave them empty with a probability of at most e to the minus this.

The second is for files with fewer than `DENSE_ROWS_A_DAY` rows a day, such as those of one kind of crime: their rows
cluster. The third is for up to `MAX_HOLIDAYS` days in such a file: schools, for example, are closed.
`sql/tables/area_rates.sql` has the same rule.
"""

DENSE_ROWS_A_DAY, MAX_HOLIDAYS = 50, 7

MAX_RATIO_OF_MONTHS, MAX_RATIO_OF_YEARS = 2, 1.6
"""Largest ratio between the rows per day of two months, or two successive years, of files that can be complete.

In real files of 2014 to 2016, they are at most 1.6 (thefts of 2015) and 1.3 (arrests, 2015 to 2016).
"""

MIN_ROWS_A_MONTH = 5_000
"""Minimum rows per month of the larger one to apply these ratios; filtered files have fewer."""

MIN_ROWS_A_DAY = 400
"""Crimes per day below which a file is a sample or an extract. In whole years, the City's fewest were 572, in 2021."""

SAMPLE = (
    f"fewer than {MIN_ROWS_A_DAY} crimes a day, but the City reports over 500: the file is a sample or an extract, and "
    "counts and rates are of its crimes only."
)


def current_year() -> int:
    """Return the current year in Chicago."""
    return datetime.now(ZoneInfo("America/Chicago")).year


class YearsError(UsageError):
    """A selection of years is invalid. The message quotes it and shows the notation."""


def parse_years(text: str) -> list[int]:
    """Parse a selection of years such as `2014-2016,2021`.

    Returns:
        The years in ascending order, without duplicates.

    Raises:
        YearsError: the text is malformed, or a year is before 2001 or after the current year.
    """
    years: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{4})(?:\s*-\s*(\d{4}))?\s*", part)
        if match is None:
            raise YearsError(f"cannot read {part.strip()!r} in years {text!r}: write years like 2014-2016,2021")
        first, last = int(match[1]), int(match[2] or match[1])
        if first > last:
            raise YearsError(f"the range {part.strip()!r} is reversed: write {last}-{first}")
        if first < FIRST_YEAR or last > current_year():
            raise YearsError(f"{part.strip()!r} is outside {FIRST_YEAR}-{current_year()}, the years the City publishes")
        years.update(range(first, last + 1))
    return sorted(years)


def contiguous_ranges(years: Iterable[int]) -> list[tuple[int, int]]:
    """Group years into contiguous ranges (first, last), because a Dagster run covers one such range."""
    ranges: list[tuple[int, int]] = []
    for year in sorted(set(years)):
        if ranges and ranges[-1][1] == year - 1:
            ranges[-1] = (ranges[-1][0], year)
        else:
            ranges.append((year, year))
    return ranges


def format_years(years: Iterable[int]) -> str:
    """Format years in the notation of `parse_years`, such as `2014-2016,2021`."""
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in contiguous_ranges(years))


def find_gaps(rows: Mapping[date, int]) -> list[tuple[date, date]]:
    """Return the first and last day of each gap in a year's file, oldest first.

    A gap is a run of days without rows, before the newest day with rows, that cannot be chance: if each row were as
    likely on any day up to the newest, none would fall on these days with a probability of at most e^-20. With fewer
    than 50 rows a day, the limit is e^-40, or e^-80 for up to 7 days.

    Args:
        rows: number of rows by day, of at least one day of one year; without days that have none.
    """
    with_rows, one = sorted(rows), timedelta(1)
    year_before = date(with_rows[0].year - 1, 12, 31)
    days, total = (with_rows[-1] - year_before).days, sum(rows.values())
    runs = [(before + one, after - one) for before, after in pairwise([year_before, *with_rows])]

    def is_gap(empty: int) -> bool:
        of_few = MIN_SURPRISE_OF_HOLIDAYS if empty <= MAX_HOLIDAYS else MIN_SURPRISE_OF_FEW
        limit = MIN_SURPRISE if total >= DENSE_ROWS_A_DAY * days else of_few
        return total * log(days / (days - empty)) >= limit

    return [(first, last) for first, last in runs if is_gap((last - first).days + 1)]
