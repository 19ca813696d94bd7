"""What a year's new file must not lose of the year that is published. It is compared before anything is replaced."""

from collections.abc import Mapping, Sequence
from pathlib import Path

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

LARGEST_LOSS = 0.01
"""Share of a year's published crimes that its new file may lack."""

LARGEST_LOSS_OF_AREA = 0.05
"""The same for each community area."""

LEAST_LOST = 5
"""Fewer crimes than this may vanish from any year or area: shares of small numbers mean little."""

ACCEPT_TAG = "chicago_crime/accept"
"""Tag of a run: the reason why its years are published although an audit fails."""

HOW_TO_ACCEPT = (
    f"If the file is right, run again with --accept and the reason, or in the UI with it as the tag {ACCEPT_TAG}"
)


def mixture(source: str, years: Sequence[int], published: Mapping[int, PublishedYear]) -> str | None:
    """Why one run cannot publish years of a source with what is there: readers would add real and SYNTHETIC rows up."""
    others = [year for year, held in published.items() if held.is_synthetic != (source == "sample")]
    if source == "sample" and others:
        return (
            f"real rows of {format_years(others)} are published in this data folder, and SYNTHETIC ones would be added "
            "to them: choose another --source, or another --data-dir for the sample"
        )
    if kept := [year for year in others if year not in years]:
        return (
            f"SYNTHETIC rows of {format_years(kept)} are published in this data folder, and real ones would be added "
            "to them: choose another --data-dir, or remove this one"
        )
    return None


def compare(rows: Path, year: int, published: PublishedYear | None, store: ObjectStore, staging: Path) -> list[str]:
    """What a canonical CSV lacks of the year that is published, in words; nothing where that is little.

    Sample data protect nothing: real ones may replace them.

    Args:
        rows: the CSV.
        year: its year.
        published: the year as it is published; None if it is not.
        store: where the published files are.
        staging: folder for copies of them.

    Raises:
        DamagedError: what is published cannot be read.
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
        areas = connection.execute(
            to_duckdb(statement("audit/lost_crimes"), {"year": year}, tables.__getitem__)
        ).fetchall()
        months = exp.select("MONTH(date) AS month").group_by("ALL")
        held = months.from_(tables["crimes"]).having(f"COUNT(*) >= {LEAST_LOST}")
        gone = exp.except_(held, months.from_("new_crimes")).order_by("month").sql("duckdb")
        lost_months = [f"{year}-{month:02}" for (month,) in connection.execute(gone).fetchall()]
        values = [exp.Count(this=exp.column(name)) for name in _COMPARED]
        counts = exp.select(*values, "COUNT_IF(date != DATE_TRUNC('day', date))")
        [before], [now] = (connection.execute(counts.from_(one).sql("duckdb")).fetchall() for one in tables.values())
    lost = sum(of_area for _, _, of_area, _ in areas)
    if lost > there.rows * LARGEST_LOSS and lost >= LEAST_LOST:
        found = [
            f"{lost:,} of the {there.rows:,} crimes that are published of {year} are not in the new file, or have a "
            f"date of another year there, e.g. the one with id {areas[0][3]}"
        ]
    else:
        found = [
            f"{of_area:,} of the {held:,} crimes that are published of {year} in community area {area} are not in the "
            "new file"
            for area, held, of_area, _ in areas
            if area is not None and of_area > held * LARGEST_LOSS_OF_AREA and of_area >= LEAST_LOST
        ][:3]
    if lost_months:
        found.append(f"{', '.join(lost_months)} has crimes in the published year, and none in the new file")
    compared = [*_COMPARED, "the time of day in date"]
    emptied = [name for name, old, new in zip(compared, before, now, strict=True) if old and not new]
    return [
        *found,
        *(f"{name} has values in the published {year}, and none in the new file" for name in emptied),
    ]
