"""Reference tables that ship with the package."""

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from chicago_crime.errors import UsageError

TABLES = {
    "community_areas": "The City's 77 community areas, and the side of the city of each.",
    "residents": "Population of the community areas in the 2010 and 2020 censuses. `area_rates` also "
    "uses the estimates in CHICAGO_CRIME_POPULATION.",
    "fbi_codes": "The FBI codes of the Chicago Police Department. `ucr_part1_class` is the offense class; empty "
    "means non_index.",
    "comparable_types": "Crime types that the City renamed or moved codes to, each with one label for all years. The "
    "IUCR code `any` matches every code of the type.",
    "offense_groups": "Common groups of offenses within or across the crime types, and their definitions. `also` "
    "lists synonyms for the search, in the singular, separated by semicolons.",
    "offense_group_codes": "The IUCR codes of each offense group, with the reason. A code may be in several groups. "
    "Groups are defined by code, because the City reworded descriptions in 2019 and 2020.",
}
"""Descriptions of the reference tables, by name."""


@dataclass(frozen=True)
class OffenseGroup:
    """A group of offenses with a common name.

    Attributes:
        label: its name on pages.
        also: synonyms.
        note: its definition, in a sentence or two.
        codes: its IUCR codes.
    """

    label: str
    also: tuple[str, ...]
    note: str
    codes: frozenset[str]


def file(table: str) -> Path:
    """Return the CSV of a reference table."""
    return Path(__file__).parent / f"{table}.csv"


def files(table: str, estimates: Path | None = None) -> list[Path]:
    """Return the CSVs of a reference table: for `residents`, including the file of estimates."""
    return [file(table), *([estimates] if estimates and table == "residents" else [])]


def rows(table: str, estimates: Path | None = None) -> list[dict[str, str]]:
    """Return the rows of a reference table, with text values."""
    found: list[dict[str, str]] = []
    for path in files(table, estimates):
        with path.open(newline="", encoding="utf-8-sig") as stream:
            found += csv.DictReader(stream)
    return [{name: row[name] for name in found[0]} for row in found]


def checked_estimates(path: Path | None) -> Path | None:
    """Validate a file of population estimates with the columns community_area, year and population.

    Returns:
        Its absolute path; None without a file.

    Raises:
        UsageError: the file is invalid; the message names the setting, line and column.
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
                raise UsageError(f"{where}, line 1: column {missing[0]} is missing; required: {', '.join(limits)}")
            for row in reader:
                at = f"{where}, line {reader.line_num}"
                for name, (least, most) in limits.items():
                    text = row[name] or ""
                    if not re.fullmatch("[0-9]+", text) or not least <= int(text) <= most:
                        raise UsageError(f"{at}, column {name}: {text!r} is not a whole number from {least} to {most}")
                key = int(row["community_area"]), int(row["year"])
                if key in known:
                    raise UsageError(f"{at}: community area {key[0]} already has a population for {key[1]}")
                known.add(key)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{where} cannot be read as a CSV in UTF-8: {error}") from error
    return path.absolute()


@cache
def renamed_types() -> dict[str, str]:
    """Return the crime types that the City renamed, with their label for all years."""
    found = (row for row in rows("comparable_types") if row["iucr"] == "any")
    return {row["primary_type"]: row["primary_type_comparable"] for row in found}


@cache
def offense_groups() -> dict[str, OffenseGroup]:
    """Return all offense groups by short name, such as `carjacking`."""
    codes: dict[str, set[str]] = {}
    for row in rows("offense_group_codes"):
        codes.setdefault(row["offense_group"], set()).add(row["iucr"])
    found = {}
    for row in rows("offense_groups"):
        name, also = row["offense_group"], tuple(filter(None, row["also"].split("; ")))
        found[name] = OffenseGroup(row["label"], also, row["note"], frozenset(codes[name]))
    return found
