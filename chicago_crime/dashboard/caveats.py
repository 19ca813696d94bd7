"""Caveats about the numbers, one sentence each, shown beside the number rather than in a footer."""

from collections.abc import Iterable

from chicago_crime.dashboard.data import Facts
from chicago_crime.dashboard.filters import Filters
from chicago_crime.dashboard.view import as_text
from chicago_crime.tables.years import format_years

ARREST = "The share of crimes with the arrest flag. It says that an arrest was made, and is not a clearance rate."
BLOCK = "Locations are given by block, not by address, so a point may fall on the wrong side of a boundary."
POPULATION = (
    "Population is interpolated between the 2010 and 2020 censuses and held constant outside them. People who only "
    "work in an area or visit it are not counted."
)
OUTLINES_FROM_CELLS = (
    "These are not official boundaries: each 660-foot cell is assigned to the place in which most of its crimes lie, "
    "over the newest five years. To get the official ones: chicago-crime boundaries"
)
SMALL = 20
SMALL_NUMBERS = f"Gray: fewer than {SMALL} crimes to compare with, so small differences can look like a trend."
SMALL_MONTHS = f"Some months have fewer than {SMALL} crimes, so small differences can look like a season."

FEW_RESIDENTS = "fewer than 10,000 residents, so that a single crime moves the rate by more than 0.1"
SMALL_RATE = f"{FEW_RESIDENTS}, or fewer than {SMALL} crimes"


def provisional(facts: Facts, years: Iterable[int]) -> list[str]:
    """That the newest days are provisional, if any of these years has such days."""
    starts = [start for year in years if (start := facts.years[year].provisional_from)]
    if not starts:
        return []
    return [
        f"Provisional from {as_text(max(starts), 'date')}: reports for the last 28 days are still being "
        "added and corrected."
    ]


def labels(facts: Facts, filters: Filters) -> list[str]:
    """Which labels the types have, if some were merged."""
    if not facts.merged:
        return []
    if filters.source_labels:
        return ["Types have the source's own labels. Some changed over the years, which can break a trend."]
    merged = ", ".join(f"{old} into {new}" for old, new in sorted(facts.merged.items()))
    return [f"Labels that changed over the years are merged ({merged}). Select “Source labels” to see them separately."]


def partial(facts: Facts, years: Iterable[int]) -> list[str]:
    """Which years are incomplete."""
    cut = [year for year in sorted(years) if not facts.years[year].is_complete]
    return [f"{year} is incomplete: its data ends on {as_text(facts.years[year].last_day, 'date')}." for year in cut]


def synthetic_years(facts: Facts) -> str:
    """Which of the loaded years are sample data; empty if none is."""
    return format_years([year for year in facts.synthetic if year in facts.years])
