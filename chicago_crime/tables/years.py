"""Years, the partitions of every table, and the notation for a choice of them: `2014-2016,2021`."""

import re
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from chicago_crime.errors import UsageError

FIRST_YEAR = 2001
"""The City publishes reported crimes from this year on."""

PUBLISHED_AFTER_DAYS = 8
"""The City publishes a crime a week after it was reported."""


def current_year() -> int:
    """The year in Chicago."""
    return datetime.now(ZoneInfo("America/Chicago")).year


class YearsError(UsageError):
    """A choice of years cannot be parsed; the message shows the text and the notation."""


def parse_years(text: str) -> list[int]:
    """Parse a choice of years such as `2014-2016,2021`.

    Returns:
        The chosen years, ascending, each once.

    Raises:
        YearsError: the text does not follow the notation, or a year is outside 2001 to the current year.
    """
    years: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{4})(?:\s*-\s*(\d{4}))?\s*", part)
        if match is None:
            raise YearsError(f"cannot read {part.strip()!r} in years {text!r}: write them like 2014-2016,2021")
        first, last = int(match[1]), int(match[2] or match[1])
        if first > last:
            raise YearsError(f"the range {part.strip()!r} runs backwards: write {last}-{first}")
        if first < FIRST_YEAR or last > current_year():
            raise YearsError(f"{part.strip()!r} is outside {FIRST_YEAR}-{current_year()}, the years the City publishes")
        years.update(range(first, last + 1))
    return sorted(years)


def contiguous_ranges(years: Iterable[int]) -> list[tuple[int, int]]:
    """Group years into ranges (first, last) without gaps: a Dagster run covers one contiguous range."""
    ranges: list[tuple[int, int]] = []
    for year in sorted(set(years)):
        if ranges and ranges[-1][1] == year - 1:
            ranges[-1] = (ranges[-1][0], year)
        else:
            ranges.append((year, year))
    return ranges


def format_years(years: Iterable[int]) -> str:
    """Write years the way `parse_years` reads them, e.g. `2014-2016,2021`."""
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in contiguous_ranges(years))
