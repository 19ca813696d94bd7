"""A request for a page: filters, snapshot, and the resulting years."""

from calendar import day_name
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from itertools import islice
from typing import Any

import pyarrow as pa

from chicago_crime.analysis.signals import MAX_UNPLACED_SHARE
from chicago_crime.dashboard.data import Data, Facts, last_of_month
from chicago_crime.dashboard.filters import KINDS, LABELS, Filters
from chicago_crime.dashboard.known import require_known
from chicago_crime.dashboard.view import Number, View, as_text
from chicago_crime.errors import PlatformError, UsageError
from chicago_crime.reference import offense_groups
from chicago_crime.tables.years import format_years, parse_years

BLOCKS_SUGGESTED = 20
NO_TYPE = "NOT GIVEN"
REWORDED = (2019, 2020)
"""When the City reworded descriptions and location types."""


class NothingMatchesError(PlatformError):
    """The filters leave nothing to show; the message suggests what to change."""


class NoCrimesError(NothingMatchesError):
    """The filters are valid, but no crime matches them."""


@dataclass
class PageRequest:
    """A request for a page.

    Attributes:
        notes: messages about the filters, shown above the content.
        refused: messages about values that no crime can have; if there are any, nothing else is shown.
        download: the table to download; empty to show the page.
        is_interactive: whether it is for a browser, so that slow parts are deferred to a click.
        unused: names of chosen filters that do not apply; set by the page.
    """

    data: Data
    filters: Filters
    notes: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    download: str = ""
    is_interactive: bool = False
    unused: list[str] = field(default_factory=list)

    @cached_property
    def facts(self) -> Facts:
        """Facts about the snapshot."""
        return self.data.facts()

    @cached_property
    def years(self) -> list[int]:
        """The loaded years that match the chosen years and dates; all loaded years if none are chosen.

        Raises:
            NothingMatchesError: no year matches.
        """
        loaded, filters = list(self.facts.years), self.filters
        first, last = (filters.start or date.min).year, (filters.finish or date.max).year
        chosen = [year for year in loaded if year in (filters.year or loaded) and first <= year <= last]
        missing = self.not_loaded(filters.year)
        if not chosen:
            problem = " ".join(missing) or "No loaded year matches these dates and years."
            raise NothingMatchesError(f"{problem} (loaded: {format_years(loaded)})")
        self.notes += missing
        return chosen

    def not_loaded(self, years: Iterable[int]) -> list[str]:
        """Note which of the years are not loaded, and how to load them.

        Raises:
            YearsError: a year is out of range.
        """
        missing = sorted({*years} - self.facts.years.keys())
        if not missing:
            return []
        text = format_years(missing)
        parse_years(text)
        how = self.data.catalog.how_to_load(text)
        return [f"{text} {'is' if len(missing) == 1 else 'are'} not loaded. To load: {how}"]

    def note_unused(self, used: Collection[str]) -> None:
        """Note which chosen filters the page does not use."""
        chosen = {"year": self.filters.year} | dict(self.filters.active())
        self.unused = [name for name, value in chosen.items() if value and name not in {*used, "as_of"}]
        if self.unused:
            names = ", ".join(LABELS.get(name, name) for name in self.unused)
            self.notes.append(f"These filters do not apply to this page: {names}.")

    @property
    def applied(self) -> list[tuple[str, Any]]:
        """The active filters that apply to the page."""
        return [(name, value) for name, value in self.filters.active() if name not in self.unused]

    @property
    def newest_year(self) -> int:
        """The newest of the years."""
        return self.years[-1]

    @cached_property
    def last_day(self) -> date:
        """The newest day within the years and dates."""
        return min(self.facts.years[self.newest_year].last_day, self.filters.finish or date.max)

    @property
    def default_end(self) -> date:
        """The newest day of the chosen years; of all loaded years if none are chosen."""
        loaded = self.facts.years
        return loaded[max({*self.filters.year} & loaded.keys() or loaded)].last_day

    @property
    def years_text(self) -> str:
        """The years as text, such as 2014-2016, 2021 (to April 30), with non-breaking hyphens."""
        return self.facts.years_text(self.years).replace("-", "\u2011")

    @property
    def period_text(self) -> str:
        """The years as text, noting a selection of days."""
        has_dates = dict(self.applied).keys() & {"start", "finish"}
        return f"the selected days of {self.years_text}" if has_dates else self.years_text

    @property
    def months(self) -> list[tuple[date, date]]:
        """First and last day of each loaded month that overlaps the chosen days, except months that the file lacks."""
        start, finish = self.filters.start or date.min, self.filters.finish or date.max
        loaded = [self.facts.years[year] for year in self.years]
        months = [
            (first, last)
            for year in loaded
            for month in range(1, year.last_day.month + 1)
            if year.days_missing(first := date(year.last_day.year, month, 1), last := last_of_month(first)) < last.day
        ]
        return [(first, last) for first, last in months if first <= finish and last >= start]

    @property
    def days(self) -> list[date]:
        """The loaded days within the chosen years and dates."""
        start, finish, loaded = self.filters.start or date.min, self.filters.finish or date.max, self.facts.years
        spans = [(max(one, start), min(last, finish, loaded[one.year].last_day)) for one, last in self.months]
        days = (first + timedelta(n) for first, last in spans for n in range((last - first).days + 1))
        return [day for day in days if not loaded[day.year].days_missing(day, day)]

    @property
    def citation(self) -> str:
        """How to cite the page."""
        return self.data.catalog.cite(as_text(self.facts.newest_day, "date"))

    def answer(self, name: str, years: Iterable[int] | None = None, **more: object) -> pa.Table:
        """Return the result of a page's query under the filters."""
        chosen = self.years if years is None else years
        return self.data.answer(name, self.facts.every_spelling(self.filters).parameters(chosen) | more)

    def totals(self, by: str, years: Iterable[int] | None = None) -> defaultdict[Any, Counter[str]]:
        """Sum the counts of `sql/pages/totals.sql` by `year`, `month` or `type` (NO_TYPE if unknown)."""
        counts = ("crimes", "arrests", "flagged", "without_location", "without_area")
        found = self.answer("totals", years).group_by(by).aggregate([(name, "sum") for name in counts]).to_pylist()
        sums = {row[by] or NO_TYPE: Counter({name: row[f"{name}_sum"] for name in counts}) for row in found}
        return defaultdict(Counter, sums)

    def matching(self, by: str) -> tuple[defaultdict[Any, Counter[str]], Counter[str]]:
        """Return these sums of the request's years, and those of all; raise NoCrimesError if no crime matches."""
        sums = self.totals(by)
        total = sum(sums.values(), Counter[str]())
        self.require_matches(total["crimes"])
        return sums, total

    def require_valid(self) -> None:
        """Raise NothingMatchesError if a filter has a value that no crime can have."""
        if self.refused:
            raise NothingMatchesError(" ".join(self.refused))

    def require_matches(self, crimes: float) -> None:
        """Raise NoCrimesError if no crime matches."""
        if crimes:
            return
        try:
            require_known(self.data, self.filters)
        except UsageError as error:
            raise NoCrimesError(f"No crimes match: {error}.") from error
        found = self.answer("totals", self.facts.years, start=None, finish=None)["year"].unique().to_pylist()
        hint = f"Matching years: {format_years(sorted(found))}." if found else "Remove a filter."
        unplaced = [one for kind in KINDS if getattr(self.filters, kind) for one in self.unplaced(kind, self.years)]
        hints = [hint, *self.reworded([*self.years, *found]), *unplaced]
        raise NoCrimesError(f"No crimes in {self.period_text} match these filters. {' '.join(hints)}")

    def reworded(self, years: Iterable[int]) -> list[str]:
        """Caveat on chosen descriptions and location types that were reworded within these years."""
        years, has_labels = sorted(years), self.filters.description or self.filters.location
        if not has_labels or years[0] > REWORDED[-1] or years[-1] < REWORDED[0]:
            return []
        return [
            f"The City reworded many descriptions and location types in {' and '.join(map(str, REWORDED))}. Labels "
            "that differ only in punctuation are counted together, others are not, so a change may reflect the wording."
        ]

    @cached_property
    def _shares_unplaced(self) -> dict[int, dict[str, float]]:
        """Year -> kind of place -> share without one of the crimes that match the other filters."""
        anywhere = replace(self, filters=self.filters.anywhere)
        rows = anywhere.answer("unplaced", self.facts.years, start=None, finish=None).to_pylist()
        return {row["year"]: {kind: row[kind] / row["crimes"] for kind in KINDS} for row in rows}

    def unplaced(self, kind: str, years: Collection[int]) -> list[str]:
        """Caveat on years in which more than 1% of the crimes that match the other filters lack a kind of place."""
        found = {year: of[kind] for year, of in self._shares_unplaced.items() if year in years}
        lacking = {year: share for year, share in found.items() if share > MAX_UNPLACED_SHARE}
        if not lacking:
            return []
        most, name = as_text(max(lacking.values()), "percent"), LABELS.get(kind, kind)
        return [
            f"In {format_years([*lacking])}, {'up to ' if len(lacking) > 1 else ''}{most} of otherwise matching crimes "
            f"have no {name}: counts by {name} are too low and cannot be compared."
        ]

    def blocks_like(self, part: str) -> list[str]:
        """Find blocks that contain a text, those with the most crimes first, ignoring filters."""
        matches = (block for block in self.data.blocks() if part.strip().upper() in block.upper())
        return list(islice(matches, BLOCKS_SUGGESTED))

    def area_name(self, area: int | None) -> str:
        """Return the name of a community area."""
        return self.facts.areas.get(area, f"Area {area}") if area is not None else "No community area"

    def filter_label(self, name: str, value: object) -> str:
        """Describe an active filter."""
        match name:
            case "area":
                return self.area_name(int(str(value)))
            case "district" | "ward" | "beat":
                return f"{name.capitalize()} {value}"
            case "cell":
                x, y = map(int, str(value).split(","))
                return f"Cell {value}, {self.data.cell_blocks().get((x, y), 'no crimes')}"
            case "group":
                return offense_groups()[str(value)].label
            case "hour":
                return f"{value}:00 to {value}:59"
            case "weekday":
                return day_name[int(str(value)) - 1]
            case "start" | "finish":
                return f"{'From' if name == 'start' else 'To'} {as_text(value, 'date')}"
            case "arrest":
                return "Arrest flag set" if value else "Arrest flag not set"
            case "domestic":
                return "Domestic" if value else "Not domestic"
            case "as_of":
                return f"As of {value}"
            case "block":
                return str(value)
        return str(value).replace("non_index", "other (non-index)").capitalize()

    def options(self, name: str, values: Iterable[Any]) -> list[tuple[Any, str, bool]]:
        """List the values of a filter with label and whether each is chosen, chosen ones first."""
        chosen = getattr(self.filters, name)
        others = (value for value in values if value not in chosen)
        return [(value, self.filter_label(name, value), value in chosen) for value in (*chosen, *others)]

    @property
    def offense_groups(self) -> list[str]:
        """Names of the offense groups, sorted by label."""
        return sorted(offense_groups(), key=lambda name: offense_groups()[name].label)

    def toggled(self, name: str, value: object) -> str:
        """Return the query string with a filter added, or removed if it is active."""
        return self.filters.toggled(name, value).query()

    def reordered(self, sort: str, page: int = 1) -> str:
        """Return the query string for another sort order, or another page of a long table."""
        return replace(self.filters, sort=sort, page=page).query()

    def incidents(self, **values: object) -> str:
        """Return the query string of the incidents with these values in addition to the filters.

        A value replaces those of its filter, because each row of a table has one of them.
        """
        multivalued = {name for name in values if isinstance(getattr(Filters, name), tuple)}
        changes = {
            name: (value,) if name in multivalued and not isinstance(value, tuple) else value
            for name, value in values.items()
        }
        return self.filters.changed(sort="", page=1, **changes).query()

    def by_year(
        self, counts: Mapping[int, int], years: Collection[int], chosen: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        """Build the cells of a row: a count per year, linked to its incidents if filters (`chosen`) select them."""
        links = {} if chosen is None else {f"of_{year}": self.incidents(year=year, **chosen) for year in years}
        return {str(year): counts.get(year, 0) for year in years} | links

    def incidents_between(self, first: date, last: date) -> str:
        """Return the same for the days from `first` to `last` within the filters."""
        start, finish = max(first, self.filters.start or first), min(last, self.filters.finish or last)
        return self.incidents(year=(), start=start, finish=finish)

    def reported(self, crimes: float, caveats: Iterable[str] = ()) -> Number:
        """Build the key figure of matching crimes, which links to them."""
        where = f"/incidents?{self.incidents()}"
        return Number("Reported crimes", as_text(crimes, "count"), f"in {self.period_text}", " ".join(caveats), where)

    def residents(self, years: Iterable[int], areas: Iterable[int]) -> float:
        """Sum the residents of areas (if none are given, all) over years."""
        chosen = set(areas) or set(self.facts.areas)
        return sum(self.facts.residents.get((year, area), 0.0) for year in years for area in chosen)

    def resident_years(self, areas: Iterable[int]) -> float:
        """Sum the same, weighting incomplete years by the share covered: the denominator of yearly rates."""
        days = self.filters.start or date.min, self.filters.finish or date.max
        return sum(self.residents([year], areas) * self.facts.years[year].covered(*days) for year in self.years)

    def has_few_residents(self, area: int) -> bool:
        """Whether an area has too few residents for a meaningful rate in any of the years."""
        return any((year, area) in self.facts.few_residents for year in self.years)


Page = Callable[[PageRequest], View]
