"""Reference tables that ship with the package: small facts that rarely change.

- `community_areas`: the City's 77 community areas with their census populations of 2010 and 2020.
- `fbi_codes`: the FBI codes of the Chicago Police Department. `ucr_part1_class` is the offense class; empty: non_index.
- `comparable_types`: crime types that the City renamed, or filed a code under, each with the label that stands for all
  years. The IUCR code `any` stands for every code of the type.
- `offense_groups`: offenses that people ask for below or across the crime types, and what each of them means.
- `offense_group_codes`: the IUCR codes of each group, with the reason. A code may be in several groups. Codes decide,
  not descriptions, which the City reworded in 2019 and 2020.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLES = ("community_areas", "fbi_codes", "comparable_types", "offense_groups", "offense_group_codes")


@dataclass(frozen=True)
class OffenseGroup:
    """Offenses that people ask for under one name.

    Attributes:
        label: its name on pages.
        note: a sentence or two on what it holds and what it leaves out.
        codes: its IUCR codes.
    """

    label: str
    note: str
    codes: frozenset[str]


def file(table: str) -> Path:
    """The CSV of a reference table."""
    return Path(__file__).parent / f"{table}.csv"


def rows(table: str) -> list[dict[str, str]]:
    """The rows of a reference table, as text."""
    with file(table).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def comparable_types() -> dict[tuple[str, str], str]:
    """The label for all years, by the label that the source uses and the IUCR code or `any`."""
    return {(row["primary_type"], row["iucr"]): row["primary_type_comparable"] for row in rows("comparable_types")}


@cache
def offense_groups() -> dict[str, OffenseGroup]:
    """Every offense group by its short name, such as `carjacking`."""
    codes: dict[str, set[str]] = {}
    for row in rows("offense_group_codes"):
        codes.setdefault(row["offense_group"], set()).add(row["iucr"])
    return {
        row["offense_group"]: OffenseGroup(row["label"], row["note"], frozenset(codes[row["offense_group"]]))
        for row in rows("offense_groups")
    }
