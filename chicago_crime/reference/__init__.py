"""Reference tables that ship with the package: small facts that rarely change."""

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from chicago_crime.errors import UsageError

TABLES = {
    "community_areas": "The City's 77 community areas, with their side of the city.",
    "residents": "Population of the community areas in the 2010 and 2020 censuses. Installations may add later "
    "estimates.",
    "fbi_codes": "The FBI codes used by the Chicago Police Department. `ucr_part1_class` is the offense class; empty "
    "means non_index.",
    "comparable_types": "Crime types that the City renamed, and codes that it moved to another type, each with one "
    "label for all years. The IUCR code `any` applies to all codes of the type.",
    "offense_groups": "Commonly requested offenses that are subsets of a crime type or span several. `also` lists "
    "other names that the search accepts, in the singular and separated by semicolons.",
    "offense_group_codes": "The IUCR codes of each offense group, with the reason. A code may be in several groups. "
    "Groups are defined by codes because the City reworded descriptions in 2019 and 2020.",
}
"""Descriptions of the reference tables."""


@dataclass(frozen=True)
class OffenseGroup:
    """Offenses that people ask for under one name.

    Attributes:
        label: its name on pages.
        also: what else people call it.
        note: a sentence or two on what it holds and what it leaves out.
        codes: its IUCR codes.
    """

    label: str
    also: tuple[str, ...]
    note: str
    codes: frozenset[str]


def file(table: str) -> Path:
    """The CSV of a reference table."""
    return Path(__file__).parent / f"{table}.csv"


def files(table: str, estimates: Path | None = None) -> list[Path]:
    """The CSVs of a reference table: to `residents`, an installation may add a file of estimates."""
    return [file(table), *([estimates] if estimates and table == "residents" else [])]


def rows(table: str, estimates: Path | None = None) -> list[dict[str, str]]:
    """The rows of a reference table, as text."""
    found: list[dict[str, str]] = []
    for path in files(table, estimates):
        with path.open(newline="", encoding="utf-8-sig") as stream:
            found += csv.DictReader(stream)
    return [{name: row[name] for name in found[0]} for row in found]


def checked_estimates(path: Path | None) -> Path | None:
    """A file of population estimates, if there is one: community_area, year and population in each line.

    Raises:
        UsageError: it cannot be read; the message names the setting, line and column.
    """
    if not path:
        return None
    where = f"CHICAGO_CRIME_POPULATION={path}"
    known = {(int(row["community_area"]), int(row["year"])) for row in rows("residents")}
    first = max(year for _, year in known) + 1
    limits = {"community_area": (1, 77), "year": (first, 2100), "population": (1, 10_000_000)}
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            if missing := [name for name in limits if name not in (reader.fieldnames or ())]:
                raise UsageError(f"{where}, line 1: there is no column {missing[0]}; needed: {', '.join(limits)}")
            for row in reader:
                at = f"{where}, line {reader.line_num}"
                for name, (least, most) in limits.items():
                    text = row[name] or ""
                    if not re.fullmatch("[0-9]+", text) or not least <= int(text) <= most:
                        raise UsageError(f"{at}, column {name}: {text!r} is no whole number from {least} to {most}")
                key = int(row["community_area"]), int(row["year"])
                if key in known:
                    raise UsageError(f"{at}: area {key[0]} has another line for {key[1]}")
                known.add(key)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{where} cannot be read as a CSV in UTF-8: {error}") from error
    return path.absolute()


@cache
def offense_groups() -> dict[str, OffenseGroup]:
    """Every offense group by its short name, such as `carjacking`."""
    codes: dict[str, set[str]] = {}
    for row in rows("offense_group_codes"):
        codes.setdefault(row["offense_group"], set()).add(row["iucr"])
    found = {}
    for row in rows("offense_groups"):
        name, also = row["offense_group"], tuple(filter(None, row["also"].split("; ")))
        found[name] = OffenseGroup(row["label"], also, row["note"], frozenset(codes[name]))
    return found
