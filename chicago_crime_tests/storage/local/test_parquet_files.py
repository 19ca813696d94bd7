"""Tests of `chicago_crime/storage/local/parquet_files.py`."""

from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from chicago_crime.storage.local.parquet_files import (
    BY_DUCKDB,
    ROWS_PER_GROUP,
    contract,
    is_as_written_here,
    table_year,
)
from chicago_crime.tables import CRIME_TYPE_COUNT, CRIMES_HOURLY

ROWS = """
    (VALUES (2014, 'ARSON', 1, 0, 0.0, 0), (2014, 'THEFT', 7, 2, 2 / 7, 1))
    AS t (year, primary_type, crimes, arrests, arrest_rate, domestic_crimes)
"""
WELL = f"SELECT {contract(CRIME_TYPE_COUNT)} FROM {ROWS} ORDER BY crimes"


def test_the_contract_gives_just_the_columns_of_the_table(tmp_path: Path) -> None:
    query = f"SELECT {contract(CRIME_TYPE_COUNT)} FROM (SELECT *, 1 AS more FROM {ROWS})"
    rows = duckdb.sql(query)
    assert rows.columns == [column.name for column in CRIME_TYPE_COUNT.columns]
    assert list(map(str, rows.types)) == ["BIGINT", "VARCHAR", "BIGINT", "BIGINT", "DOUBLE", "BIGINT"]


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        (WELL, True),
        (WELL + " DESC", False),
        (f"SELECT CAST(year AS INTEGER) AS year, * EXCLUDE (year) FROM ({WELL})", False),
        (f"SELECT * EXCLUDE (year), year FROM ({WELL})", False),
        (f"SELECT * EXCLUDE (arrests) FROM ({WELL})", False),
    ],
    ids=["well", "another order of rows", "another type", "another order of columns", "a column too few"],
)
def test_only_a_file_of_the_tables_own_columns_types_and_order_is_as_written_here(
    tmp_path: Path, query: str, fits: bool
) -> None:
    file = tmp_path / "year.parquet"
    duckdb.execute(f"COPY ({query}) TO '{file}' ({BY_DUCKDB})")
    assert is_as_written_here(CRIME_TYPE_COUNT, duckdb.read_parquet(str(file))) is fits


def test_a_table_without_an_order_is_taken_in_any() -> None:
    assert CRIMES_HOURLY.order == ()
    assert is_as_written_here(replace(CRIME_TYPE_COUNT, order=()), duckdb.sql(WELL + " DESC"))


def test_a_file_tells_its_rows_and_size_and_is_in_row_groups(tmp_path: Path) -> None:
    file, rows = tmp_path / "year.parquet", 3 * ROWS_PER_GROUP
    duckdb.execute(f"COPY (FROM range({rows})) TO '{file}' ({BY_DUCKDB})")
    held = table_year(file)
    assert (held.rows, held.bytes, held.replaced_at) == (rows, file.stat().st_size, file.stat().st_mtime)
    assert pq.read_metadata(file).num_row_groups == 3
