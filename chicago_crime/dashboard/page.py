"""What all pages start from: the filters, what is loaded, and the years that both leave."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa

from chicago_crime.dashboard.data import Data
from chicago_crime.dashboard.facts import Facts
from chicago_crime.dashboard.filters import Filters
from chicago_crime.dashboard.view import View
from chicago_crime.errors import PlatformError
from chicago_crime.tables.years import format_years


class NothingMatchesError(PlatformError):
    """The filters leave nothing to show; the message says what to do."""


@dataclass
class Asked:
    """What a person asked for.

    Attributes:
        data: the warehouse.
        filters: the choice.
        notes: what to tell about the choice.
    """

    data: Data
    filters: Filters
    notes: list[str] = field(default_factory=list)

    @cached_property
    def facts(self) -> Facts:
        """What is loaded."""
        return self.data.facts()

    @cached_property
    def years(self) -> list[int]:
        """The chosen years that are loaded, all loaded ones if none is chosen.

        Raises:
            NothingMatchesError: none of the chosen ones is loaded.
        """
        loaded = list(self.facts.years)
        missing = [year for year in self.filters.year if year not in loaded]
        if missing:
            self.notes.append(
                f"{format_years(missing)} is not loaded: chicago-crime run --years {format_years(missing)}"
            )
        if not self.filters.year:
            return loaded
        if not (chosen := [year for year in self.filters.year if year in loaded]):
            raise NothingMatchesError(
                f"{format_years(missing)} is not loaded. Loaded: {format_years(loaded)}. "
                f"Load it with: chicago-crime run --years {format_years(missing)}"
            )
        return chosen

    @property
    def newest(self) -> int:
        """The newest of the years."""
        return self.years[-1]

    @property
    def in_years(self) -> str:
        """The years, as people write them."""
        return format_years(self.years).replace(",", ", ")

    def answer(self, name: str, years: Iterable[int] | None = None, **more: object) -> pa.Table:
        """The answer of a page's statement for the filters."""
        chosen = self.years if years is None else years
        return self.data.answer(name, self.filters.parameters(chosen) | more)

    def refuse_nothing(self, crimes: float) -> None:
        """Raise NothingMatchesError if no crime matches."""
        if not crimes:
            raise NothingMatchesError(f"No crime of {self.in_years} matches these filters. Take one of them off.")

    def area_name(self, area: int | None) -> str:
        """The name of a community area."""
        return self.facts.areas.get(area, f"Area {area}") if area is not None else "No community area"

    def filter_label(self, name: str, value: object) -> str:
        """A filter that is on, in words."""
        match name:
            case "area":
                return self.area_name(int(str(value)))
            case "district":
                return f"District {value}"
            case "arrest":
                return "With the arrest flag" if value else "Without the arrest flag"
            case "domestic":
                return "Domestic" if value else "Not domestic"
        return str(value).replace("non_index", "other (non-index)").capitalize()

    def toggled(self, name: str, value: object) -> str:
        """The query string with a filter switched on, or off if it is on."""
        return self.filters.toggled(name, value).query()

    def residents(self, years: Iterable[int], areas: Iterable[int] = ()) -> float:
        """Residents of the areas (of all if none is named), added up over years."""
        chosen = set(areas) or set(self.facts.areas)
        return sum(self.facts.residents.get((year, area), 0.0) for year in years for area in chosen)

    def has_few_residents(self, years: Iterable[int], area: int) -> bool:
        """Whether an area has too few residents in any of the years for its rate to mean much."""
        return any((year, area) in self.facts.few_residents for year in years)


Page = Callable[[Asked], View]
