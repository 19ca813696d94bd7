"""Filters and how they are written in the query string of a page, which is the only state of the dashboard."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, Literal, cast
from urllib.parse import urlencode

from chicago_crime.errors import PlatformError
from chicago_crime.tables.years import YearsError, parse_years

CLASSES = ("violent", "property", "non_index")
MAPS = ("areas", "cells", "hot_spots")
MEASURES = ("count", "rate")
ROWS = ("area", "district", "type")
MAX_VALUES = 100
"""Values of one filter: more than there are areas, and few enough for links that each repeat all of them."""

_WORDS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


class TooManyValuesError(PlatformError):
    """A filter has more values than a page can carry."""


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

    def replaced(self, **changes: Any) -> "Filters":
        """The same filters with some of them changed."""
        return replace(self, **changes)

    def without(self, name: str, value: object) -> "Filters":
        """The same filters without one value."""
        chosen = getattr(self, name)
        left = tuple(one for one in chosen if one != value) if isinstance(chosen, tuple) else _default(name)
        return self.replaced(**{name: left})

    def toggled(self, name: str, value: object) -> "Filters":
        """The same filters with a value added, or removed if it is active."""
        chosen = getattr(self, name)
        return self.without(name, value) if value in chosen else self.replaced(**{name: (*chosen, value)})

    def active(self) -> list[tuple[str, Any]]:
        """The active filters, value by value, without the years and what applies to one page only."""
        names: tuple[Literal["offense_class", "type", "area", "district"], ...]
        names = ("offense_class", "type", "area", "district")
        chosen: list[tuple[str, Any]] = [(name, value) for name in names for value in getattr(self, name)]
        return chosen + [(name, value) for name in ("arrest", "domestic") if (value := getattr(self, name)) is not None]

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
        TooManyValuesError: a filter has more than MAX_VALUES values.
    """
    chosen: dict[str, list[Any]] = {}
    notes = []
    known = {field.name for field in fields(Filters)}
    pairs = list(pairs)
    for name, count in Counter(name for name, _ in pairs).items():
        if count > MAX_VALUES:
            raise TooManyValuesError(
                f"The filter “{name}” has {count:,} values; at most {MAX_VALUES} are possible. Remove some of them."
            )
    for name, text in pairs:
        if not text.strip():
            continue
        if name not in known:
            notes.append(f"Ignored “{name}”: this dashboard has no such filter.")
            continue
        try:
            chosen.setdefault(name, []).extend(_read(name, text.strip()))
        except ValueError as error:
            notes.append(f"Ignored “{name}={text}”: {error}.")
    values: dict[str, Any] = {}
    for name, found in chosen.items():
        if isinstance(_default(name), tuple):
            values[name] = tuple(dict.fromkeys(sorted(found)))
        elif found:
            values[name] = found[-1]
    return Filters(**values), notes


def _read(name: str, text: str) -> list[Any]:
    choices = {"offense_class": CLASSES, "map": MAPS, "measure": MEASURES, "rows": ROWS}
    if name == "year":
        try:
            return parse_years(text)
        except YearsError as error:
            raise ValueError(str(error)) from None
    if name in choices:
        return [_one_of(text, choices[name])]
    if name in ("area", "district"):
        low, high = (1, 77) if name == "area" else (1, 31)
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ValueError(f"it must be a number from {low} to {high}")
        return [int(text)]
    if name in ("arrest", "domestic", "source_labels"):
        return [_WORDS[_one_of(text.lower(), tuple(_WORDS))]]
    if name == "end":
        try:
            return [date.fromisoformat(text)]
        except ValueError:
            raise ValueError("write a date such as 2016-06-30") from None
    return [text.upper()]


def _one_of(text: str, choices: tuple[str, ...]) -> str:
    if text not in choices:
        raise ValueError(f"it must be one of {', '.join(choices)}")
    return text


def _default(name: str) -> object:
    return cast(object, Filters.__dataclass_fields__[name].default)
