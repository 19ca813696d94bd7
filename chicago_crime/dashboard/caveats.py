"""Caveats, one sentence each, shown next to the numbers rather than in a footer."""

from collections.abc import Collection, Iterable
from datetime import date
from itertools import combinations

from chicago_crime.dashboard.data import Facts
from chicago_crime.dashboard.filters import KINDS
from chicago_crime.dashboard.page_request import PageRequest
from chicago_crime.dashboard.view import Column, Link, as_text
from chicago_crime.tables.years import MAX_RATIO_OF_YEARS, MIN_ROWS_A_MONTH, SAMPLE, format_years

ARREST = (
    "Share of crimes with the arrest flag, which means that an arrest was made. It is not a clearance rate, and recent "
    "crimes have had less time for an arrest."
)
BLOCK = "Locations are blocks, not addresses, so a point may fall on the wrong side of a boundary."
MIN_LATE = 100
"""Late reports needed for an estimate."""
SMALL = 20
"""Number of crimes below which a change, rate or share gets a caveat."""
SMALL_NUMBERS = f"Gray: fewer than {SMALL} crimes to compare with, so small differences can look like a trend."

MAX_RATIO = 3
"""Ratio of the monthly counts of two years above which one must be incomplete. The largest real one was 2.3."""

LABELS = "Each type has one label for all years, although the City has changed some labels."
MANY_TESTS = "Pages can disagree on a count, because its verdict also depends on the other counts of the page."
NO_VERDICT = "No verdict (\u2013): too few crimes or too few comparable earlier years to tell."
HOW_TESTED = Link("How verdicts are made", "/methods#is-it-more-than-chance")

MAX_DRIFTING_SHARE = 0.01
"""Share of crimes with codes not used in all years, above which trends have a caveat."""

REDRAWN = {"district": [(2011, 2013)], "beat": [(2011, 2013)], "ward": [(2016, 2021), (2022, 2024)]}
"""The last year with old boundaries, and the first with only new ones. Community areas do not change.

Districts 13, 21 and 23 were merged in 2012. Records kept the wards of before 2015 at least through 2016.
"""

UNPLACED = "Offenses of which more than 1% have no community area in one of these years are only tested citywide."
FEW_RESIDENTS = "fewer than 10,000 residents, so a few crimes move the rate a lot"
SMALL_RATE = f"{FEW_RESIDENTS}, or fewer than {SMALL} crimes"


def few(crimes: int) -> list[str]:
    """Caveat for a change or rate of few crimes."""
    return [f"Fewer than {SMALL} crimes: one more or one fewer would change this a lot."] if crimes < SMALL else []


def leap_day(*spans: tuple[date, date]) -> str:
    """Say which of two spans, the same days of two years, has one day more; empty if neither has."""
    lengths = {last.year: last - first for first, last in spans}
    longer = max(lengths, key=lengths.__getitem__)
    return f"only {longer} has a February 29" if len({*lengths.values()}) > 1 else ""


def tested(verdicts: Iterable[str | None]) -> list[str]:
    """Caveats for counts that were tested together, if there are several."""
    counts = sum(verdict is not None for verdict in verdicts)
    together = f"{counts:,} counts were tested together: at most 5% of those called unusual are expected to be chance."
    return [together, MANY_TESTS] if counts > 1 else []


def rates(request: PageRequest) -> list[str]:
    """Caveats on rates: extrapolation, and the source of population figures."""
    last = request.facts.residents_to
    known = "the 2010 and 2020 censuses" + (f" and estimates through {last}" if last > 2020 else "")
    extrapolated = "Rates are extrapolated from the days covered to full years, without regard to seasons."
    return [
        *([extrapolated] if is_extrapolated(request) else []),
        f"Population is interpolated between {known} and held constant after {last}. People who only work in or visit "
        "an area are not counted.",
    ]


def no_rates(request: PageRequest, *shown: str) -> str:
    """Why rates of the areas, shown or chosen by a filter, are unknown; empty if they are known."""
    if request.filters.places.keys() - {"area"}:
        return "Population is only known for whole community areas."
    return " ".join(_about_places(request, request.years, *shown))


def is_extrapolated(request: PageRequest) -> bool:
    """Whether yearly rates are based on parts of years."""
    return request.filters.has_dates or any(request.facts.years[year].coverage for year in request.years)


def samples(request: PageRequest) -> list[str]:
    """Caveat on all loaded years whose file was a sample or an extract: any of them may be compared with."""
    years = request.data.catalog.samples
    return [f"{format_years(years)}: {SAMPLE}"] if years else []


def on_records(request: PageRequest) -> list[str]:
    """Caveats on the records: years that are only a sample, and provisional days."""
    starts = [start for year in request.years if (start := request.facts.years[year].provisional_from)]
    late = "reports for the latest 28 days are still being added and corrected."
    return [
        *samples(request),
        *([f"Provisional from {as_text(max(starts), 'date')}: {late}"] if starts else []),
    ]


def still_growing(request: PageRequest) -> list[str]:
    """Estimate of how much the latest four weeks will grow, if loads over four weeks ago had enough late reports."""
    [found] = request.answer("late_reports", request.facts.years, start=None, finish=None).to_pylist()
    had = found["known"] - found["missing"]
    if found["late"] < MIN_LATE or not had:
        return []
    growth = as_text(found["missing"] / had, "percent")
    return [
        f"Late reports will raise the latest four weeks by about {growth} in all, some offenses by more, judging by "
        "loads more than four weeks ago."
    ]


def drifting(request: PageRequest, years: Iterable[int]) -> list[str]:
    """Caveat on the share of chosen offenses whose codes were not used in all of the years, if it is above 1%."""
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
    if affected <= MAX_DRIFTING_SHARE * total:
        return []
    codes = sorted(missing, key=lambda code: (-missing[code], code))
    names = ", ".join(f"{code} in {format_years(sorted(by_code[code]))}" for code in codes[:4])
    return [
        f"{as_text(affected / total, 'percent')} of these crimes have codes that were not used in all years "
        f"({names}{', ...' if len(codes) > 4 else ''}), so a trend may reflect changes in coding."
    ]


def changes_of(kind: str, years: Collection[int]) -> list[tuple[int, int]]:
    """List the changes of a kind of place within years; without any, the years are comparable."""
    first, last = min(years), max(years)
    return [(old, new) for old, new in REDRAWN.get(kind, ()) if first < last and first < new and last > old]


def incomparable(request: PageRequest, years: Collection[int], *shown: str) -> list[str]:
    """Caveats on incomplete files, the arrest filter, and kinds of places (`shown` or in a filter) that changed or are
    often unknown.

    No verdict or change in percent compares years that have one.
    """
    return [*incomplete(request.facts, years), *_young(request, years), *_about_places(request, years, *shown)]


def incomplete(facts: Facts, years: Iterable[int]) -> list[str]:
    """Caveats on the days that the files of these years lack, and on years with far fewer crimes than others."""
    years = [*years]
    lacking = [facts.years[year] for year in sorted(years) if year in facts.years and facts.years[year].gaps]
    days = "; ".join(f"{one.last_day.year} lacks {one.missing_text}" for one in lacking)
    which = "this year" if len(lacking) == 1 else "these years"
    found = [f"{days}: the file is incomplete, so nothing is compared with {which}."] if lacking else []
    loaded = ((year, one.crimes, 12 * one.covered()) for year, one in facts.years.items() if year in years)
    a_month = {year: crimes / months for year, crimes, months in loaded if months > 1}
    for pair in combinations(sorted(a_month), 2):
        least, most = sorted(pair, key=a_month.__getitem__)
        limit = min(MAX_RATIO_OF_YEARS ** abs(most - least), MAX_RATIO)
        if a_month[most] >= max(MIN_ROWS_A_MONTH, limit * a_month[least]):
            few = f"{least} has {a_month[least]:,.0f} crimes a month, but {most} has {a_month[most]:,.0f}"
            return [*found, f"{few}: a file must be incomplete or filtered, so nothing is compared."]
    return found


def _young(request: PageRequest, years: Iterable[int]) -> list[str]:
    """Caveat on the arrest filter in years with recent crimes."""
    loaded = request.facts.years
    young = [year for year in sorted(years) if year in loaded and loaded[year].provisional_from]
    if not young or request.filters.arrest is None:
        return []
    recent = f"Recent crimes of {format_years(young)} have had less time for an arrest"
    return [f"{recent}: with the arrest filter, nothing is compared with them."]


def _about_places(request: PageRequest, years: Collection[int], *shown: str) -> list[str]:
    kinds = [kind for kind in KINDS if kind in shown or getattr(request.filters, kind)]
    return [caveat for kind in kinds for caveat in (*_redrawn(kind, years), *request.unplaced(kind, years))]


def _redrawn(kind: str, years: Collection[int]) -> list[str]:
    changes = changes_of(kind, years)
    when = " and ".join(f"in {new - 1}" if new - old == 2 else f"between {old} and {new}" for old, new in changes)
    places = f"{kind.capitalize()}s in the records changed {when}: counts before and after are of different places"
    return [f"{places} and cannot be compared."] if when else []


def year_columns(facts: Facts, years: Iterable[int]) -> list[Column]:
    """Columns for years; the header of an incomplete year says what it covers."""
    labels = {year: ", ".join(filter(None, [str(year), facts.years[year].coverage])) for year in years}
    return [Column(str(year), label, "count", incidents=f"of_{year}") for year, label in labels.items()]
