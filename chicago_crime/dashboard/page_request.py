"""A request for a page: its filters, what is loaded, and the years that both leave."""

from calendar import day_name, monthrange
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from itertools import islice
from typing import Any

import pyarrow as pa

from chicago_crime.dashboard.data import Data, Facts
from chicago_crime.dashboard.filters import Filters
from chicago_crime.dashboard.known import require_known
from chicago_crime.dashboard.view import Number, View, as_text
from chicago_crime.errors import PlatformError, UsageError
from chicago_crime.reference import offense_groups
from chicago_crime.tables.years import format_years, parse_years

BLOCKS_SUGGESTED = 20
NO_TYPE = "NOT GIVEN"


class NothingMatchesError(PlatformError):
    """The filters leave nothing to show; the message says what to do."""


class NoCrimesError(NothingMatchesError):
    """What is asked for makes sense, but there is no such crime."""


@dataclass
class PageRequest:
    """A request for a page.

    Attributes:
        data: the snapshot that everything on the page is from.
        filters: the chosen filters.
        notes: sentences about the filters that the page shows above its content.
        refused: sentences about values that no crime can have; nothing is shown then.
        download: the table that is to be downloaded; empty if the page is to be shown.
        is_waited_for: whether somebody waits for the page in a browser: what takes long is left for a click.
        unused: names of chosen filters that do not apply to the page, as it finds out.
    """

    data: Data
    filters: Filters
    notes: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    download: str = ""
    is_waited_for: bool = False
    unused: list[str] = field(default_factory=list)

    @cached_property
    def facts(self) -> Facts:
        """What is loaded."""
        return self.data.facts()

    @cached_property
    def years(self) -> list[int]:
        """The chosen years that are loaded and that the dates leave; all that are loaded if nothing is chosen.

        Raises:
            NothingMatchesError: there is no such year.
        """
        loaded, filters = list(self.facts.years), self.filters
        first, last = (filters.start or date.min).year, (filters.finish or date.max).year
        chosen = [year for year in loaded if year in (filters.year or loaded) and first <= year <= last]
        missing = self.missing_years
        if not chosen:
            problem = " ".join(missing) or "No loaded year matches these dates and years."
            raise NothingMatchesError(f"{problem} (loaded: {format_years(loaded)})")
        self.notes += missing
        return chosen

    @property
    def missing_years(self) -> list[str]:
        """Which of the chosen years are not loaded, and how to load them."""
        return self.not_loaded([year for year in self.filters.year if year not in self.facts.years])

    def not_loaded(self, years: list[int]) -> list[str]:
        """A note that these years are not loaded, and how to load them; none for no years.

        Raises:
            YearsError: there can be no such year.
        """
        if not years:
            return []
        text = format_years(years)
        parse_years(text)
        how = self.data.catalog.how_to_load(text)
        return [f"{text} {'is' if len(years) == 1 else 'are'} not loaded. To load: {how}"]

    def note_unused(self, used: Collection[str]) -> None:
        """Note which of the chosen filters do not apply to this page: all but those it uses."""
        chosen = {"year": self.filters.year} | dict(self.filters.active())
        self.unused = sorted({name for name, value in chosen.items() if value} - {*used, "as_of"})
        if self.unused:
            self.notes.append(f"These filters do not apply to this page: {', '.join(self.unused)}.")

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
        """The newest day that the years and the dates leave."""
        return min(self.facts.years[self.newest_year].last_day, self.filters.finish or date.max)

    @property
    def default_end(self) -> date:
        """The newest day of the chosen years; of all years, of the newest with a year before it to compare with."""
        loaded = self.facts.years
        chosen = [year for year in self.filters.year if year in loaded]
        return loaded[max(chosen or [year for year in loaded if year - 1 in loaded] or loaded)].last_day

    @property
    def years_text(self) -> str:
        """The years as text, such as 2014-2016, 2021. Lines do not break at its hyphens."""
        return format_years(self.years).replace(",", ", ").replace("-", "\u2011")

    @property
    def period_text(self) -> str:
        """The years as text, and that only some of their days are chosen, if so."""
        return f"the chosen days of {self.years_text}" if self.filters.has_dates else self.years_text

    @property
    def months(self) -> list[tuple[date, date]]:
        """The first and the last day of each month that is loaded and, where days are chosen, has some of them."""
        start, finish = self.filters.start or date.min, self.filters.finish or date.max
        months = [
            (date(year, month, 1), date(year, month, monthrange(year, month)[1]))
            for year in self.years
            for month in range(1, self.facts.years[year].last_day.month + 1)
        ]
        return [(first, last) for first, last in months if first <= finish and last >= start]

    @property
    def citation(self) -> str:
        """How to cite what the page shows."""
        return self.data.catalog.cite(as_text(self.facts.newest_day, "date"))

    def answer(self, name: str, years: Iterable[int] | None = None, **more: object) -> pa.Table:
        """The result of a page's statement under the filters."""
        chosen = self.years if years is None else years
        return self.data.answer(name, self.filters.parameters(chosen) | more)

    def totals(self, by: str, years: Iterable[int] | None = None) -> defaultdict[Any, Counter[str]]:
        """The counts of `sql/pages/totals.sql`, added up by `year`, `month` or `type` (NO_TYPE if it is not known)."""
        counts = ("crimes", "arrests", "flagged", "without_location", "without_area")
        found = self.answer("totals", years).group_by(by).aggregate([(name, "sum") for name in counts]).to_pylist()
        added_up = {row[by] or NO_TYPE: Counter({name: row[f"{name}_sum"] for name in counts}) for row in found}
        return defaultdict(Counter, added_up)

    def require_sense(self) -> None:
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
        hint = f"There are some in {format_years(sorted(found))}." if found else "Remove one of them."
        raise NoCrimesError(f"No crimes in {self.period_text} match these filters. {hint}")

    def blocks_like(self, parts: Iterable[str]) -> list[str]:
        """Blocks that contain one of these texts, those with most crimes first, under no filter."""
        found: dict[str, None] = {}
        for part in parts:
            alike = (block for block in self.data.blocks() if part.strip().upper() in block.upper())
            found |= dict.fromkeys(islice(alike, BLOCKS_SUGGESTED))
        return list(found)

    def area_name(self, area: int | None) -> str:
        """The name of a community area."""
        return self.facts.areas.get(area, f"Area {area}") if area is not None else "No community area"

    def filter_label(self, name: str, value: object) -> str:
        """An active filter in words."""
        match name:
            case "area":
                return self.area_name(int(str(value)))
            case "district" | "ward" | "beat":
                return f"{name.capitalize()} {value}"
            case "cell":
                x, y = map(int, str(value).split(","))
                return f"Cell {value}, {self.data.cell_blocks().get((x, y), 'without a crime')}"
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
        """The values of a filter with their names and whether each is chosen; those that are come first."""
        chosen = getattr(self.filters, name)
        others = (value for value in values if value not in chosen)
        return [(value, self.filter_label(name, value), value in chosen) for value in (*chosen, *others)]

    @property
    def offense_groups(self) -> list[str]:
        """The offense groups, by their names on the page."""
        return sorted(offense_groups(), key=lambda name: offense_groups()[name].label)

    def toggled(self, name: str, value: object) -> str:
        """The query string with a filter added, or removed if it is active."""
        return self.filters.toggled(name, value).query()

    def arranged(self, sort: str, page: int = 1) -> str:
        """The query string with another order of a table's rows, or of another part of a long one."""
        return replace(self.filters, sort=sort, page=page).query()

    def incidents(self, **values: object) -> str:
        """The query string of the incidents that have these values besides the filters.

        A value replaces those of its filter, as each row of a table stands for one of them.
        """
        several = {name for name in values if isinstance(getattr(Filters, name), tuple)}
        changes: dict[str, Any] = {
            name: (value,) if name in several and not isinstance(value, tuple) else value
            for name, value in values.items()
        }
        return replace(self.filters, sort="", page=1, **changes).query()

    def by_year(
        self, counts: Mapping[int, int], years: Iterable[int], chosen: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        """The count of each year, for a row of a table, and the incidents behind it if they can be `chosen`."""
        row: dict[str, Any] = {}
        for year in years:
            row[str(year)] = counts.get(year, 0)
            row[f"of_{year}"] = "" if chosen is None else self.incidents(year=year, **chosen)
        return row

    def incidents_between(self, first: date, last: date, **values: object) -> str:
        """The same for the days from `first` to `last` that the filters leave."""
        start, finish = max(first, self.filters.start or first), min(last, self.filters.finish or last)
        return self.incidents(year=(), start=start, finish=finish, **values)

    def reported(self, crimes: float, caveat: str = "") -> Number:
        """How many crimes match, as a key figure that leads to them."""
        where = f"/incidents?{self.incidents()}"
        return Number("Reported crimes", as_text(crimes, "count"), f"in {self.period_text}", caveat, where)

    def residents(self, years: Iterable[int], areas: Iterable[int] = ()) -> float:
        """Residents of the areas (of all areas by default), summed over years."""
        chosen = set(areas) or set(self.facts.areas)
        return sum(self.facts.residents.get((year, area), 0.0) for year in years for area in chosen)

    def resident_years(self, years: Iterable[int], areas: Iterable[int] = ()) -> float:
        """The same, but a year that is not over counts only as far as its data goes: what a yearly rate divides by."""
        days = self.filters.start or date.min, self.filters.finish or date.max
        return sum(self.residents([year], areas) * self.facts.years[year].covered(*days) for year in years)

    def has_few_residents(self, years: Iterable[int], area: int) -> bool:
        """Whether an area has too few residents in any of the years for a meaningful rate."""
        return any((year, area) in self.facts.few_residents for year in years)


Page = Callable[[PageRequest], View]
