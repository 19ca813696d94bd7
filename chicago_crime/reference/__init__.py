"""Reference tables that ship with the package: small facts that rarely change.

- `community_areas`: the City's 77 community areas with their census populations of 2010 and 2020.
- `fbi_codes`: the FBI codes of the Chicago Police Department. `ucr_part1_class` is the offense class; empty: non_index.
- `comparable_types`: crime types that the City renamed, each with the label that stands for all years.
"""

import csv
from pathlib import Path

TABLES = ("community_areas", "fbi_codes", "comparable_types")


def file(table: str) -> Path:
    """The CSV of a reference table."""
    return Path(__file__).parent / f"{table}.csv"


def rows(table: str) -> list[dict[str, str]]:
    """The rows of a reference table, as text."""
    with file(table).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def comparable_types() -> dict[str, str]:
    """The label for all years, by the label that the City no longer uses."""
    return {row["primary_type"]: row["primary_type_comparable"] for row in rows("comparable_types")}
