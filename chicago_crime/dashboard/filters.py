"""What a person chose, and how it is written in the address of a page: the address is the only state there is.

Here belongs reading and writing the query string. What there is to choose from belongs in `data.py`; what a choice
does, in the pages.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, Literal, cast
from urllib.parse import urlencode

from chicago_crime.tables.years import YearsError, parse_years

CLASSES = ("violent", "property", "non_index")
MAPS = ("areas", "cells", "hot_spots")
MEASURES = ("count", "rate")
ROWS = ("area", "district", "type")
_WORDS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


@dataclass(frozen=True)
class Filters:
    """A choice. Nothing chosen stands for everything.

    Attributes:
        year: years.
        offense_class: violent, property, non_index.
        type: crime types, under the label that `source_labels` says.
        area: numbers of community areas.
        district: numbers of police districts.
        arrest: only crimes with (True) or without (False) the arrest flag.
        domestic: likewise for the domestic flag.
        source_labels: types under the source's own labels, not under one label for all years.
        map: what the map on Where shows.
        measure: whether it shows counts or rates.
        rows: what a row of Compare is.
        end: the day on which the spans of Compare end; None for the newest.
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
        """The query string that `read_filters` reads back; what is as by default is left out."""
        return urlencode(list(self.pairs()))

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Names and values of the query string."""
        for field in fields(self):
            value = getattr(self, field.name)
            if value == field.default:
                continue
            for one in value if isinstance(value, tuple) else (value,):
                yield field.name, {True: "yes", False: "no"}[one] if isinstance(one, bool) else str(one)

    def having(self, **changes: Any) -> "Filters":
        """The same choice with some of it changed."""
        return replace(self, **changes)

    def without(self, name: str, value: object) -> "Filters":
        """The same choice without one of its values."""
        chosen = getattr(self, name)
        left = tuple(one for one in chosen if one != value) if isinstance(chosen, tuple) else _default(name)
        return self.having(**{name: left})

    def toggled(self, name: str, value: object) -> "Filters":
        """The same choice with a value chosen that was not, or the other way round."""
        chosen = getattr(self, name)
        return self.without(name, value) if value in chosen else self.having(**{name: (*chosen, value)})

    def active(self) -> list[tuple[str, Any]]:
        """The filters that are on, value by value; the years and what only one page knows are not among them."""
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
        The choice, and a sentence for everything in the query string that could not be read: it is left out.
    """
    chosen: dict[str, list[Any]] = {}
    notes = []
    known = {field.name for field in fields(Filters)}
    for name, text in pairs:
        if not text.strip():
            continue
        if name not in known:
            notes.append(f"“{name}” is no filter of this dashboard; it is left out.")
            continue
        try:
            chosen.setdefault(name, []).extend(_read(name, text.strip()))
        except ValueError as error:
            notes.append(f"“{name}={text}” is left out: {error}.")
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
            raise ValueError("write the day like 2016-06-30") from None
    return [text.upper()]


def _one_of(text: str, choices: tuple[str, ...]) -> str:
    if text not in choices:
        raise ValueError(f"it must be one of {', '.join(choices)}")
    return text


def _default(name: str) -> object:
    return cast(object, Filters.__dataclass_fields__[name].default)
