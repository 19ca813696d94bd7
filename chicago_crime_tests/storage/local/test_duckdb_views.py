"""Tests of `chicago_crime/storage/local/duckdb_views.py`."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from chicago_crime.storage.local.duckdb_views import VIEWS_FILE, tables_present, write_views


def test_views_are_of_the_tables_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "crimes").mkdir()
    (tmp_path / "hot_spots").mkdir()
    for year in (2014, 2015):
        pq.write_table(pa.table({"year": [year]}), tmp_path / "crimes" / f"{year}.parquet")
    assert tables_present(tmp_path) == {"crimes"}
    write_views(tmp_path, tmp_path / "staging")
    with duckdb.connect(str(tmp_path / VIEWS_FILE), read_only=True) as client:
        assert sorted(client.sql("SELECT year FROM crimes").fetchall()) == [(2014,), (2015,)]
        names = client.sql("SELECT table_name FROM information_schema.tables ORDER BY 1").fetchall()
    assert names == [("community_areas",), ("comparable_types",), ("crimes",), ("fbi_codes",)]
