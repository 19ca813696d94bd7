"""What to mind about the numbers, in one sentence each: shown where the number is, never in a footer."""

from collections.abc import Iterable

from chicago_crime.dashboard.facts import Facts
from chicago_crime.dashboard.filters import Filters
from chicago_crime.dashboard.view import write
from chicago_crime.tables.years import format_years

ARREST = "The arrest flag says that an arrest was made, not that the case was cleared: it is no clearance rate."
BLOCK = "Places are those of the block, not of the address: a point may lie on the wrong side of a border."
POPULATION = (
    "Residents lie on a straight line between the censuses of 2010 and 2020 and are held flat outside; people who work "
    "in an area or visit it are not counted."
)
AREAS_FROM_CELLS = (
    "The outlines are no official borders: they are made of the data's own 660-foot cells, each given to the community "
    "area that most of its crimes of the newest five years have."
)
SMALL = 20
SMALL_NUMBERS = f"Grey: fewer than {SMALL} crimes to compare with, so that a few more or fewer look like a trend."

FEW_RESIDENTS = "fewer than 10,000 residents, where one crime more or less moves the rate by more than 0.1"
SMALL_RATE = f"{FEW_RESIDENTS}; or fewer than {SMALL} crimes"


def provisional(facts: Facts, years: Iterable[int]) -> list[str]:
    """That reports still arrive for the newest days, if any of these years has such days."""
    starts = [start for year in years if (start := facts.years[year].provisional_from)]
    if not starts:
        return []
    return [f"Provisional from {write(max(starts), 'date')} on: reports of the last 28 days still arrive and change."]


def labels(facts: Facts, filters: Filters) -> list[str]:
    """Which labels the types go by, if some were merged."""
    if not facts.merged:
        return []
    if filters.source_labels:
        return ["Types go by the source's own labels; some changed over the years, and a trend may break there."]
    merged = ", ".join(f"{old} in {new}" for old, new in sorted(facts.merged.items()))
    return [f"Labels that changed over the years are merged ({merged}); switch on “Source labels” to see them apart."]


def partial(facts: Facts, years: Iterable[int]) -> list[str]:
    """Which years do not reach their end."""
    cut = [year for year in sorted(years) if not facts.years[year].is_whole]
    return [f"{year} ends on {write(facts.years[year].last_day, 'date')}: it is no whole year." for year in cut]


def made_up(facts: Facts) -> str:
    """Which of the years are sample data; empty if none is."""
    return format_years([year for year in facts.synthetic if year in facts.years])
