"""Filters and their query string, which is the only state of the dashboard."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter, ValidationError

from chicago_crime.errors import UsageError
from chicago_crime.published.catalog import read_as_of
from chicago_crime.reference import offense_groups, renamed_types, rows
from chicago_crime.tables.columns import OFFENSE_CLASSES
from chicago_crime.tables.years import FIRST_YEAR, YearsError, parse_years

VIEWS = {
    "map": "where",
    "measure": "where",
    "rows": "compare",
    "end": "compare",
    "sort": "incidents",
    "page": "incidents",
}
"""Filters that control the display rather than select crimes -> the page whose API accepts them."""

LABELS = {
    "group": "offense group",
    "offense_class": "offense class",
    "type": "crime type",
    "area": "community area",
    "location": "location type",
    "weekday": "day of the week",
    "start": "first day",
    "finish": "last day",
}
"""Labels of filters whose names are not self-explanatory."""

MAPS = ("areas", "districts", "beats", "wards", "cells", "hot_spots")
MEASURES = ("count", "rate")
KINDS = ("area", "district", "ward", "beat")
"""The filters of a kind of place."""
ROWS = (*KINDS, "type")
ALTERNATIVES = (("group", "type", "description"), ("year", "start", "finish", "end"))
"""Filters that express the same thing in several ways: offense, and time."""
PLACE_NUMBERS = {"ge": 0, "le": 9999}
"""Range of districts, wards and beats: the snapshot has some that are on no map, such as district 61."""
MAX_VALUES = 200
"""Enough for all practical choices, and few enough for the links, each of which repeats them."""


def _filter(default: object, kind: Any, description: str, **conditions: Any) -> Any:
    """Define a filter: its default, and the type and description of one value."""
    one = Annotated[kind, Field(description=description, **conditions)]
    return field(default=default, metadata={"one": one})


def plain(text: str) -> str:
    """Normalize to lowercase letters and digits, keeping the sign of a number."""
    return re.sub(r"(?!^-\d)[^a-z0-9]", "", text.lower())


def _block(text: str) -> str:
    """Spell a block as typed tables do."""
    return re.sub("^000XX ", "0000X ", text.upper())


@dataclass(frozen=True)
class Filters:
    """The chosen filters. An empty filter matches everything. Years may be ranges, parsed by `parse_years`."""

    year: tuple[int, ...] = _filter((), int, "calendar years", ge=FIRST_YEAR)
    group: tuple[str, ...] = _filter((), Literal[tuple(offense_groups())], "offense groups, across crime types")
    offense_class: tuple[str, ...] = _filter((), Literal[OFFENSE_CLASSES], "violent, property, non_index")
    type: tuple[str, ...] = _filter(
        (),
        Annotated[str, StringConstraints(to_upper=True), AfterValidator(lambda one: renamed_types().get(one, one))],
        "crime types, such as BURGLARY, with one label for all years",
    )
    description: tuple[str, ...] = _filter((), str, "subdivisions of types, such as RETAIL THEFT, in any punctuation")
    area: tuple[int, ...] = _filter((), int, "community areas, by number or name", ge=1, le=77)
    district: tuple[int, ...] = _filter((), int, "police districts", **PLACE_NUMBERS)
    ward: tuple[int, ...] = _filter((), int, "wards", **PLACE_NUMBERS)
    beat: tuple[int, ...] = _filter((), int, "police beats", **PLACE_NUMBERS)
    block: tuple[str, ...] = _filter(
        (), Annotated[str, AfterValidator(_block)], "blocks as written by the City, such as 001XX N STATE ST"
    )
    cell: str | None = _filter(None, str, "a 660-foot cell, as `cell_x,cell_y`", pattern=r"^\d{1,4},\d{1,4}$")
    location: tuple[str, ...] = _filter((), str, "location types, such as STREET, in any punctuation")
    hour: tuple[int, ...] = _filter((), int, "hours of the day; crimes with an unknown time are in none", ge=0, le=23)
    weekday: tuple[int, ...] = _filter((), int, "days of the week, 1 (Monday) to 7", ge=1, le=7)
    start: date | None = _filter(None, date, "the first day")
    finish: date | None = _filter(None, date, "the last day")
    arrest: bool | None = _filter(None, bool, "only crimes with or without the arrest flag")
    domestic: bool | None = _filter(None, bool, "only crimes with or without the domestic flag")
    map: str = _filter("areas", Literal[MAPS], "what the map on Where shows")
    measure: str = _filter("count", Literal[MEASURES], "whether the map shows counts or rates")
    rows: str = _filter("area", Literal[ROWS], "what each row on Compare is")
    end: date | None = _filter(None, date, "the last day of the periods on Compare; default: the newest")
    sort: str = _filter(
        "", str, "order of a table: table:column, or table:-column for descending", pattern=r"^[\w-]+:-?\w+$"
    )
    page: int = _filter(1, int, "page of a long table", ge=1, le=100_000)
    as_of: date | str | None = _filter(None, date | str, "a snapshot: its id, or a day for the newest at its end")

    def query(self) -> str:
        """Write the query string that `read_filters` reads, without defaults."""
        return urlencode(list(self.pairs()))

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield the names and values of the query string."""
        for name, value in self._chosen():
            yield name, {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)

    def _chosen(self) -> Iterator[tuple[str, Any]]:
        """Yield the filters that differ from their default, value by value."""
        for one in fields(self):
            chosen = getattr(self, one.name)
            if chosen != one.default:
                yield from ((one.name, value) for value in (chosen if isinstance(chosen, tuple) else (chosen,)))

    def changed(self, **values: Any) -> "Filters":
        """Return the filters with some values replaced."""
        return replace(self, **values)

    def without(self, name: str, value: object) -> "Filters":
        """Return the filters without one value."""
        chosen = getattr(self, name)
        left = tuple(one for one in chosen if one != value) if isinstance(chosen, tuple) else getattr(Filters, name)
        return self.changed(**{name: left}, page=1)

    def toggled(self, name: str, value: object) -> "Filters":
        """Return the filters with a value of a list added, or removed if it is active."""
        chosen = getattr(self, name)
        return self.without(name, value) if value in chosen else self.changed(**{name: (*chosen, value)}, page=1)

    def with_search(self, found: "Filters") -> "Filters":
        """Return the filters with those of a search, which replace earlier values and alternatives."""
        named = {name for name, _ in found._chosen()}
        named = named.union(*(kind for kind in ALTERNATIVES if named & {*kind}))
        return self.changed(**{name: getattr(found, name) for name in named}, page=1)

    def active(self) -> list[tuple[str, Any]]:
        """List the active filters, value by value, except years and display options."""
        return [(name, value) for name, value in self._chosen() if name not in ("year", *VIEWS)]

    @property
    def places(self) -> dict[str, Any]:
        """The active filters that select places, by name."""
        return {name: chosen for name in (*KINDS, "block", "cell") if (chosen := getattr(self, name))}

    @property
    def anywhere(self) -> "Filters":
        """The filters without those that select places."""
        return self.changed(**{name: getattr(Filters, name) for name in self.places})

    @property
    def swapped(self) -> list[str]:
        """A message if the first day is after the last."""
        if not (self.start and self.finish and self.start > self.finish):
            return []
        return [f"The first day, {self.start}, is after the last day, {self.finish}. Swap them."]

    @property
    def has_dates(self) -> bool:
        """Whether days are chosen; then there are no earlier years to compare with."""
        return bool(self.start or self.finish)

    def none_chosen(self) -> "Filters":
        """Return no filters, on the same snapshot."""
        return Filters(as_of=self.as_of)

    def parameters(self, years: Iterable[int]) -> dict[str, object]:
        """Return the parameters of `sql/fragments/matches_filters.sql` for these years."""
        lists = ("type", "description", "area", "district", "ward", "beat", "block", "location", "hour", "weekday")
        cell_x, cell_y = map(int, self.cell.split(",")) if self.cell else (None, None)
        return {f"{name}s": list(getattr(self, name)) for name in lists} | {
            "years": sorted(years),
            "codes": sorted(set[str]().union(*(offense_groups()[name].codes for name in self.group))),
            "classes": list(self.offense_class),
            "cell_x": cell_x,
            "cell_y": cell_y,
            "start": self.start,
            "finish": self.finish,
            "arrest": self.arrest,
            "domestic": self.domestic,
        }


VALUES: dict[str, Any] = {one.name: one.metadata["one"] for one in fields(Filters)}
"""The type of one value of each filter."""


def read_filters(pairs: Iterable[tuple[str, str]]) -> tuple[Filters, list[str], list[str]]:
    """Read a query string.

    Returns:
        The filters; a message for each part that was ignored because it does not select crimes; and a message for each
        value that no crime can have, such as area=999, without which the page would show too much.

    Raises:
        UsageError: there are more than MAX_VALUES values, or the snapshot is not valid.
    """
    pairs = [(name, text.strip()) for name, text in pairs if text.strip()]
    if len(pairs) > MAX_VALUES:
        raise UsageError(f"The filters have {len(pairs):,} values; the maximum is {MAX_VALUES}. Remove some.")
    values: dict[str, Any] = {}
    ignored, refused = [], []
    for name, text in pairs:
        if name not in VALUES:
            ignored.append(f"Ignored {name!r}: there is no such filter.")
            continue
        try:
            found = _read(name, text)
        except (YearsError, ValidationError) as error:
            reason = str(error) if isinstance(error, YearsError) else _expected(name)
            if name in VIEWS:
                ignored.append(f"Ignored {f'{name}={text}'!r}: {reason}.")
            else:
                refused.append(f"There is no {LABELS.get(name, name)} {text!r}: {reason}.")
        else:
            if isinstance(getattr(Filters, name), tuple):
                values[name] = tuple(sorted({*values.get(name, ()), *found}))
            elif values.setdefault(name, *found) != found[0]:
                only = f"Only one value is possible for {LABELS.get(name, name)}"
                (ignored if name in VIEWS else refused).append(f"{only}: remove {text!r} or the other one.")
    filters = Filters(**values)
    return filters, ignored, [*refused, *filters.swapped]


def _read(name: str, text: str) -> list[Any]:
    """Parse a value of a filter; a range of years is several values."""
    match name:
        case "as_of":
            return [read_as_of(text)]
        case "year":
            return parse_years(text)
        case "area" if not text.isdecimal():
            numbers = {plain(row["name"]): row["community_area"] for row in rows("community_areas")}
            text = numbers.get(plain(text), text)
    return [TypeAdapter(VALUES[name]).validate_python(text)]


def _expected(name: str) -> str:
    """Describe the valid values of a filter."""
    schema = TypeAdapter(VALUES[name]).json_schema()
    if schema.get("format") == "date":
        return "write a day as 2016-05-31"
    if "enum" in schema:
        return f"choose one of {', '.join(map(str, schema['enum']))}"
    if "minimum" in schema:
        return f"write a number from {schema['minimum']} to {schema['maximum']}"
    return "write yes or no" if schema["type"] == "boolean" else f"expected {schema['description']}"
