"""Reference tables that ship with the package: small facts that rarely change.

Sources: `community_areas.csv`, the City's 77 community areas with the census populations of 2010 and 2020;
`fbi_codes.csv`, the FBI codes of the Chicago Police Department with their class. Rows of crimes never belong here.
"""

from pathlib import Path

TABLES = ("community_areas", "fbi_codes")


def file(table: str) -> Path:
    """The CSV of a reference table."""
    return Path(__file__).parent / f"{table}.csv"
