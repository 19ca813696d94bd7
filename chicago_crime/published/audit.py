"""What a year's new file must not lose of the year that is published. It is compared before anything is replaced."""

from pathlib import Path
from typing import Any

import duckdb

from chicago_crime.intake.staging import staging_folder
from chicago_crime.published.catalog import PublishedYear
from chicago_crime.sql import statement
from chicago_crime.sql.duckdb_dialect import to_duckdb
from chicago_crime.sql.duckdb_scans import csv_scan
from chicago_crime.storage.object_store import ObjectStore
from chicago_crime.tables import CRIMES
from chicago_crime.tables.columns import SOURCE_COLUMNS

_NAMES = [column.name for column in SOURCE_COLUMNS]
_COMPARED = [name for name in _NAMES if name not in ("location", "year")]

LARGEST_LOSS = 0.01
"""Share of a year's published crimes that its new file may lack."""

LARGEST_LOSS_OF_AREA = 0.05
"""The same for each community area."""

LEAST_LOST = 5
"""Fewer crimes than this may vanish from any year or area: shares of small numbers mean little."""

HOW_TO_ACCEPT = "If the file is right, run again with --accept and the reason"

_LOST = """
SELECT COUNT(*), ANY_VALUE(id) FROM published ANTI JOIN fresh USING (id)
"""
_LOST_OF_AREAS = f"""
SELECT community_area, COUNT(*) FILTER (fresh.id IS NULL) AS lost, COUNT(*) AS held
FROM published LEFT JOIN (SELECT DISTINCT id FROM fresh) AS fresh USING (id)
WHERE community_area IS NOT NULL
GROUP BY community_area
HAVING lost > held * {LARGEST_LOSS_OF_AREA} AND lost >= {LEAST_LOST}
ORDER BY lost DESC
LIMIT 3
"""


def compare(rows: Path, year: int, published: PublishedYear | None, store: ObjectStore, staging: Path) -> list[str]:
    """What a canonical CSV lacks of the year that is published, in words; nothing where that is little.

    Sample data protect nothing: real ones may replace them.

    Args:
        rows: the CSV.
        year: its year.
        published: the year as it is published; None if it is not.
        store: where the published files are.
        staging: folder for copies of them.
    """
    if published is None or published.is_synthetic:
        return []
    there = published.tables[CRIMES.name]
    parsed = to_duckdb(statement("fragments/parsed_crimes"), {"year": year}, lambda _: csv_scan(rows, _NAMES))
    with staging_folder(staging) as folder, duckdb.connect(config={"threads": 2}) as connection:
        connection.read_parquet(str(store.get(there.key, folder))).create_view("published")
        connection.execute(f"CREATE TEMP TABLE fresh AS SELECT {', '.join(_COMPARED)} FROM ({parsed})")
        lost, example = _one_row(connection, _LOST)
        found = []
        if lost > there.rows * LARGEST_LOSS and lost >= LEAST_LOST:
            found.append(
                f"{lost:,} of the {there.rows:,} crimes that are published of {year} are not in the new file, e.g. the "
                f"one with id {example}"
            )
        else:
            found += [
                f"{lost:,} of the {held:,} crimes that are published of {year} in community area {area} are not in the "
                "new file"
                for area, lost, held in connection.execute(_LOST_OF_AREAS).fetchall()
            ]
        counts = ", ".join(f"COUNT({name})" for name in _COMPARED)
        before = _one_row(connection, f"SELECT {counts} FROM published")
        now = _one_row(connection, f"SELECT {counts} FROM fresh")
    emptied = [name for name, old, new in zip(_COMPARED, before, now, strict=True) if old and not new]
    return [
        *found,
        *(f"{name} has values in the published {year}, and none in the new file" for name in emptied),
    ]


def _one_row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row = connection.execute(query).fetchone()
    assert row, "an aggregate has one row"
    return row
