"""Filters and how they are written in the query string of a page, which is the only state of the dashboard."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from chicago_crime.errors import UsageError
from chicago_crime.published.catalog import read_as_of
from chicago_crime.tables.columns import OFFENSE_CLASSES
from chicago_crime.tables.years import YearsError, parse_years

MAPS = ("areas", "cells", "hot_spots")
MEASURES = ("count", "rate")
ROWS = ("area", "district", "type")
MAX_VALUES = 200
"""More than there are choices, and few enough for links that each repeat all of them."""

VALUES: dict[str, Any] = {
    "offense_class": Literal[OFFENSE_CLASSES],
    "type": Annotated[str, StringConstraints(to_upper=True)],
    "area": Annotated[int, Field(ge=1, le=77)],
    "district": Annotated[int, Field(ge=1, le=31)],
    "arrest": bool,
    "domestic": bool,
    "source_labels": bool,
    "map": Literal[MAPS],
    "measure": Literal[MEASURES],
    "rows": Literal[ROWS],
    "end": date,
}
"""What one value of each filter may be; years are ranges, and read by `parse_years`."""


@dataclass(frozen=True)
class Filters:
    """The chosen filters. An empty filter matches everything.

    Attributes:
        year: years.
        offense_class: violent, property, non_index.
        type: crime types, under the labels that `source_labels` chooses.
        area: community area numbers.
        district: police district numbers.
        arrest: only crimes with (True) or without (False) the arrest flag.
        domestic: the same for the domestic flag.
        source_labels: use the source's own labels of types instead of one label for all years.
        map: what the map of the page Where shows.
        measure: whether that map shows counts or rates.
        rows: what one row of the page Compare stands for.
        end: the last day of the periods on Compare; None for the newest day.
        as_of: which snapshot the pages show: the newest at the end of a day, or one by its id; None for the newest.
    """

    year: tuple[int, ...] = ()
    offense_class: tuple[str, ...] = ()
    type: tuple[str, ...] = ()
    area: tuple[int, ...] = ()
    district: tuple[int, ...] = ()
    arrest: bool | None = None
    domestic: bool | None = None
    source_labels: bool = False
    map: str = "areas"
    measure: str = "count"
    rows: str = "area"
    end: date | None = None
    as_of: date | str | None = None

    def query(self) -> str:
        """The query string that `read_filters` reads back; defaults are left out."""
        return urlencode(list(self.pairs()))

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Names and values in the query string."""
        for field in fields(self):
            value = getattr(self, field.name)
            if value == field.default:
                continue
            for one in value if isinstance(value, tuple) else (value,):
                yield field.name, {True: "yes", False: "no"}[one] if isinstance(one, bool) else str(one)

    def without(self, name: str, value: object) -> "Filters":
        """The same filters without one value."""
        chosen = getattr(self, name)
        left = tuple(one for one in chosen if one != value) if isinstance(chosen, tuple) else getattr(Filters, name)
        changes: dict[str, Any] = {name: left}
        return replace(self, **changes)

    def toggled(self, name: str, value: object) -> "Filters":
        """The same filters with a value added, or removed if it is active."""
        chosen = getattr(self, name)
        changes: dict[str, Any] = {name: (*chosen, value)}
        return self.without(name, value) if value in chosen else replace(self, **changes)

    def active(self) -> list[tuple[str, Any]]:
        """The active filters, value by value, without the years and what applies to one page only."""
        several = ("offense_class", "type", "area", "district")
        chosen = [(name, value) for name in several for value in getattr(self, name)]
        single = ("arrest", "domestic", "as_of")
        return chosen + [(name, value) for name in single if (value := getattr(self, name)) is not None]

    def none_chosen(self) -> "Filters":
        """No filters, on the same snapshot."""
        return Filters(as_of=self.as_of)

    def parameters(self, years: Iterable[int]) -> dict[str, object]:
        """The parameters of `sql/pages/matches_filters.sql`, for these years."""
        return {
            "years": sorted(years),
            "classes": list(self.offense_class),
            "types": list(self.type),
            "areas": list(self.area),
            "districts": list(self.district),
            "arrest": self.arrest,
            "domestic": self.domestic,
            "source_labels": self.source_labels,
        }


def read_filters(pairs: Iterable[tuple[str, str]]) -> tuple[Filters, list[str]]:
    """Read a query string.

    Returns:
        The filters, and a sentence for each part of the query string that was ignored because it is not valid.

    Raises:
        UsageError: there are more than MAX_VALUES values, or no snapshot can be meant: any other would mislead.
    """
    pairs = [(name, text.strip()) for name, text in pairs if text.strip()]
    if len(pairs) > MAX_VALUES:
        raise UsageError(f"The filters have {len(pairs):,} values; at most {MAX_VALUES} are possible. Remove some.")
    values: dict[str, Any] = {}
    notes = []
    for name, text in pairs:
        if name == "as_of":
            values[name] = read_as_of(text)
            continue
        if name != "year" and name not in VALUES:
            notes.append(f"Ignored “{name}”: this dashboard has no such filter.")
            continue
        try:
            found = parse_years(text) if name == "year" else [TypeAdapter(VALUES[name]).validate_python(text)]
        except YearsError as error:
            notes.append(f"Ignored “{name}={text}”: {error}.")
        except ValidationError as error:
            notes.append(f"Ignored “{name}={text}”: {error.errors()[0]['msg']}.")
        else:
            is_single = not isinstance(getattr(Filters, name), tuple)
            values[name] = found[-1] if is_single else tuple(sorted({*values.get(name, ()), *found}))
    return Filters(**values), notes
