"""Audits of a year's new file against the published year, before any data is replaced."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb
from sqlglot import exp

from chicago_crime.intake.staging import staging_folder
from chicago_crime.published.catalog import DamagedError, PublishedYear
from chicago_crime.sql import statement
from chicago_crime.sql.duckdb_dialect import to_duckdb
from chicago_crime.sql.duckdb_scans import csv_scan, parquet_scan
from chicago_crime.storage.object_store import ObjectStore
from chicago_crime.tables import CRIMES
from chicago_crime.tables.columns import SOURCE_NAMES
from chicago_crime.tables.years import format_years

_COMPARED = [name for name in SOURCE_NAMES if name not in ("location", "year")]

MAX_LOSS = 0.01
"""Largest share of a year's published crimes that may be missing from its new file."""

MAX_LOSS_OF_AREA = 0.05
"""Largest share for each community area."""

MIN_LOST = 5
"""Losses of fewer crimes than this are ignored, because shares of small numbers mean little."""

ACCEPT_TAG = "chicago_crime/accept"
"""Run tag with the reason for publishing years that fail an audit."""

HOW_TO_ACCEPT = (
    f"If the file is correct, run again with --accept and the reason; in the UI, set the tag {ACCEPT_TAG} to the reason"
)


class _Area(NamedTuple):
    """A row of `audit/lost_crimes`."""

    area: int | None
    published: int
    lost: int
    example: int | None
    older: int


def is_large(lost: int, of: int, share: float = MAX_LOSS) -> bool:
    """Whether a loss of rows is too large to be corrections by the City."""
    return lost > of * share and lost >= MIN_LOST


def mixing_problem(source: str, years: Sequence[int], published: Mapping[int, PublishedYear]) -> str | None:
    """Return why a run would mix real and SYNTHETIC years in one snapshot; None if it would not."""
    others = [year for year, held in published.items() if held.is_synthetic != (source == "sample")]
    if source == "sample" and others:
        return (
            f"this data folder has published real rows of {format_years(others)}, which must not be mixed with "
            "SYNTHETIC rows: choose another --source, or another --data-dir for the sample"
        )
    if kept := [year for year in others if year not in years]:
        return (
            f"this data folder has published SYNTHETIC rows of {format_years(kept)}, which must not be mixed with real "
            "rows: choose another --data-dir, or remove this one"
        )
    return None


def compare(rows: Path, year: int, published: PublishedYear | None, store: ObjectStore, staging: Path) -> list[str]:
    """Return a description of each significant loss in a canonical CSV, compared with the published year.

    A published year of sample data is not compared, because real data may replace it.

    Raises:
        DamagedError: a published file cannot be read.
    """
    if published is None or published.is_synthetic:
        return []
    there = published.tables[CRIMES.name]
    if not store.is_intact(there.key, there.bytes, there.sha256):
        raise DamagedError(published.damage(year, there.key))
    parsed = to_duckdb(statement("fragments/parsed_crimes"), {}, lambda _: csv_scan(rows, SOURCE_NAMES))
    with staging_folder(staging) as folder, duckdb.connect(config={"threads": 2}) as connection:
        connection.sql(parsed).select(*_COMPARED).to_table("new_crimes")
        tables = {"crimes": parquet_scan(store.get(there.key, folder)), "new_crimes": exp.to_table("new_crimes")}
        query = to_duckdb(statement("audit/lost_crimes"), {"year": year}, tables.__getitem__)
        areas = [*map(_Area._make, connection.execute(query).fetchall())]
        months = exp.select("MONTH(date) AS month").where(f"YEAR(date) = {year}").group_by("ALL")
        published_months = months.from_(tables["crimes"]).having(f"COUNT(*) >= {MIN_LOST}")
        gone = exp.except_(published_months, months.from_("new_crimes")).order_by("month").sql("duckdb")
        lost_months = [f"{year}-{month:02}" for (month,) in connection.execute(gone).fetchall()]
        values = [exp.Count(this=exp.column(name)) for name in _COMPARED]
        counts = exp.select(*values, "COUNT_IF(date != DATE_TRUNC('day', date))")
        [before], [now] = (connection.execute(counts.from_(one).sql("duckdb")).fetchall() for one in tables.values())
    lost, older = sum(one.lost for one in areas), sum(one.older for one in areas)
    if is_large(lost, there.rows):
        found = [
            f"{lost:,} of the {there.rows:,} published crimes of {year} are missing from the new file, or dated in "
            f"another year there, such as id {areas[0].example}"
        ]
    else:
        found = [
            f"{one.lost:,} of the {one.published:,} published crimes of {year} in community area {one.area} are "
            "missing from the new file"
            for one in areas
            if one.area is not None and is_large(one.lost, one.published, MAX_LOSS_OF_AREA)
        ][:3]
    if older >= MIN_LOST:
        found.append(f"{older:,} crimes have an older update in the new file than in the published {year}")
    if lost_months:
        found.append(
            f"the new file has no crimes in {', '.join(lost_months)}, but the published year does. If another file has "
            "them, put it into the same folder"
        )
    compared = [*_COMPARED, "the time of day in date"]
    emptied = [name for name, old, new in zip(compared, before, now, strict=True) if old and not new]
    return [*found, *(f"{name} has values in the published {year}, but none in the new file" for name in emptied)]
