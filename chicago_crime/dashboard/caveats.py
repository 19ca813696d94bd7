"""Caveats about the numbers, one sentence each, shown beside the number rather than in a footer."""

from collections.abc import Iterable

from chicago_crime.dashboard.data import Facts
from chicago_crime.dashboard.page_request import PageRequest
from chicago_crime.dashboard.view import Column, Link, as_text
from chicago_crime.tables.years import format_years

ARREST = "The share of crimes with the arrest flag. It says that an arrest was made, and is not a clearance rate."
BLOCK = "Locations are given by block, not by address, so a point may fall on the wrong side of a boundary."
OUTLINES_FROM_CELLS = (
    "These are not official boundaries: each 660-foot cell is assigned to the place in which most of its crimes of the "
    "five years before lie."
)
LEAST_LATE = 100
"""Fewer late reports than this say little."""
SMALL = 20
SMALL_NUMBERS = f"Gray: fewer than {SMALL} crimes to compare with, so small differences can look like a trend."

LABELS = "A type has one label for all years, though the City's own changed."
MANY_TESTS = (
    "Two pages may call one count differently: the more counts a page tests together, the larger an unusual change."
)
NO_VERDICT = "No verdict (\u2013): the numbers, or the earlier years, are too few to tell."
HOW_TESTED = Link("How verdicts are made", "/methods#is-it-more-than-chance")

MOST_DRIFTING = 0.01
"""The share of crimes with codes that were not in use in all years above which a trend says so."""

REDRAWN = {"district": (2012,), "beat": (2012,), "ward": (2015, 2023)}
"""When the boundaries of places moved. Districts 13, 21 and 23 were merged; community areas do not move."""

FEW_RESIDENTS = "fewer than 10,000 residents, so a few crimes move the rate a lot"
SMALL_RATE = f"{FEW_RESIDENTS}, or fewer than {SMALL} crimes"


def few(crimes: int) -> list[str]:
    """That a change or rate is of few crimes, if it is."""
    return [f"Fewer than {SMALL} crimes: one more or less would move this a lot."] if crimes < SMALL else []


def tested(verdicts: Iterable[str | None]) -> list[str]:
    """How many counts were tested together, if several were."""
    counts = sum(verdict is not None for verdict in verdicts)
    together = f"{counts:,} counts were tested together: what would be unusual alone may be chance among so many."
    return [together, MANY_TESTS] if counts > 1 else []


def population(facts: Facts) -> str:
    """Where the number of residents is from."""
    last = facts.residents_to
    known = "the censuses of 2010 and 2020" + (f" and the estimates up to {last}" if last > 2020 else "")
    return (
        f"Residents are interpolated between {known}, and held constant after {last}. People who only work in an area "
        "or visit it are not counted."
    )


def provisional(facts: Facts, years: Iterable[int]) -> list[str]:
    """That the newest days are provisional, if any of these years has such days."""
    starts = [start for year in years if (start := facts.years[year].provisional_from)]
    if not starts:
        return []
    return [
        f"Provisional from {as_text(max(starts), 'date')}: reports for the last 28 days are still being "
        "added and corrected."
    ]


def still_growing(request: PageRequest) -> list[str]:
    """By how much the newest four weeks will still grow, if enough late reports came after loads of four weeks ago."""
    [found] = request.data.answer("late_reports", {}).to_pylist()
    had = found["known"] - found["missing"]
    if found["late"] < LEAST_LATE or not had:
        return []
    growth = as_text(found["missing"] / had, "percent")
    return [f"The newest four weeks will still grow by about {growth}, as those of loads over four weeks ago did."]


def drifting(request: PageRequest, years: Iterable[int]) -> list[str]:
    """Which share of the chosen offenses has codes that were not in use in each of the years, if it is above 1 %."""
    years = sorted(years)
    by_code: dict[str, dict[int, int]] = {}
    total = 0
    for row in request.answer("codes", years).to_pylist():
        total += row["crimes"]
        if row["iucr"] and not row["is_moved"]:
            by_code.setdefault(row["iucr"], {})[row["year"]] = row["crimes"]
    missing = {}
    for code, crimes in by_code.items():
        a_year = sum(crimes.values()) / sum(request.facts.years[year].covered() for year in crimes)
        if any(year not in crimes and a_year * request.facts.years[year].covered() >= SMALL for year in years):
            missing[code] = sum(crimes.values())
    affected = sum(missing.values())
    if affected <= MOST_DRIFTING * total:
        return []
    codes = sorted(missing, key=lambda code: (-missing[code], code))
    names = ", ".join(f"{code} in {format_years(sorted(by_code[code]))}" for code in codes[:4])
    return [
        f"{as_text(affected / total, 'percent')} of these offenses have codes that were not in use in all years "
        f"({names}{', ...' if len(codes) > 4 else ''}), so a trend may follow the codes."
    ]


def places_drift(by: str, years: Iterable[int]) -> list[str]:
    """That districts, beats or wards were redrawn within these years, for a series by them."""
    years = sorted(years)
    found = [year for year in REDRAWN.get(by, ()) if years[0] <= year <= years[-1]]
    if not found:
        return []
    return [f"{by.capitalize()}s were redrawn in {' and '.join(map(str, found))}: a change may be one of the boundary."]


def year_columns(facts: Facts, years: Iterable[int]) -> list[Column]:
    """A column for each year; its header says how far the year goes, if it is incomplete."""
    found = []
    for year in years:
        last = facts.years[year].last_day
        label = str(year) if facts.years[year].is_complete else f"{year}, to {last.day} {last:%b}"
        found.append(Column(str(year), label, "count", incidents=f"of_{year}"))
    return found


def partial(facts: Facts, years: Iterable[int]) -> list[str]:
    """Which years are incomplete."""
    cut = [year for year in sorted(years) if not facts.years[year].is_complete]
    return [f"{year} is incomplete: its data ends on {as_text(facts.years[year].last_day, 'date')}." for year in cut]


def synthetic_years(facts: Facts) -> str:
    """Which of the loaded years are sample data; empty if none is."""
    return format_years([year for year in facts.synthetic if year in facts.years])
