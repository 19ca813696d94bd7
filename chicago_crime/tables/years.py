"""Years, the partitions of every table, and the notation for selecting them: `2014-2016,2021`."""

import re
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from chicago_crime.errors import UsageError

FIRST_YEAR = 2001
"""The first year of the City's data set."""

PUBLISHED_AFTER_DAYS = 8
"""The City withholds the most recent seven days."""


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


def missing_months(months: Iterable[str]) -> list[int]:
    """Return the months of a year that are missing before the newest of `months` ("2014-01", ...)."""
    present = {int(month[-2:]) for month in months}
    return sorted({*range(1, max(present))} - present)
