"""Tests of `chicago_crime/storage/local/duckdb_warehouse.py`."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chicago_crime.sources.sample.source import SampleSource
from chicago_crime.storage.local.duckdb_warehouse import DuckDBWarehouse
from chicago_crime.storage.local.parquet_files import DUCKDB_TYPES
from chicago_crime.storage.warehouse import WarehouseError, is_computed_from
from chicago_crime.tables import CRIME_TYPE_COUNT, CRIMES, ENRICHED_CRIMES, RAW_CRIMES, REJECTED_CRIMES
from chicago_crime_tests.support import crime, crimes_of_months, files_below, write_csv


def load(warehouse: DuckDBWarehouse, tmp_path: Path, year: int, rows: list[dict[str, str]]) -> None:
    """Load rows into the raw table, and from there into the typed ones."""
    warehouse.load_csv(RAW_CRIMES, year, str(write_csv(tmp_path / f"{year}.csv", rows)), "a checksum")
    warehouse.replace_year(CRIMES, year)
    warehouse.replace_year(REJECTED_CRIMES, year)


def test_the_raw_table_keeps_every_value_as_a_string(warehouse: DuckDBWarehouse, tmp_path: Path) -> None:
    row = crime(id="007", arrest="", beat="0111", block='a "quoted", block', date=" 1/2/2014")
    stored = warehouse.load_csv(RAW_CRIMES, 2014, str(write_csv(tmp_path / "f.csv", [row])), "a checksum")
    table = pq.read_table(warehouse.file("raw_crimes", 2014))
    assert table.to_pylist() == [row | {"arrest": None}]
    assert set(table.schema.types) == {pa.string()}
    assert (stored.rows, stored.bytes) == (1, warehouse.file("raw_crimes", 2014).stat().st_size)


def test_typed_rows_are_sorted_so_that_row_groups_prune(warehouse: DuckDBWarehouse, tmp_path: Path) -> None:
    file = SampleSource(rows=100_000).fetch(2014, tmp_path)
    warehouse.load_csv(RAW_CRIMES, 2014, str(file.path), "a checksum")
    warehouse.replace_year(CRIMES, 2014)
    stored = pq.ParquetFile(warehouse.file("crimes", 2014))
    months = stored.schema_arrow.get_field_index("month")
    groups = [stored.metadata.row_group(n).column(months).statistics for n in range(stored.num_row_groups)]
    ranges = [(group.min, group.max) for group in groups]
    assert len(ranges) >= 3
    assert ranges == sorted(ranges)
    assert all(last.month - first.month <= 4 for first, last in ranges)
    keys = stored.read(columns=list(CRIMES.order)).to_pylist()
    assert keys == sorted(keys, key=lambda row: tuple(row.values()))


def test_a_changed_byte_is_damage_and_not_published(tmp_path: Path, warehouse: DuckDBWarehouse) -> None:
    file = SampleSource(rows=20_000).fetch(2014, tmp_path)
    before = warehouse.load_csv(RAW_CRIMES, 2014, str(file.path), "a checksum")
    assert warehouse.damage(RAW_CRIMES.name, 2014) is None
    content = bytearray(warehouse.file(RAW_CRIMES.name, 2014).read_bytes())
    content[100_000] ^= 4
    warehouse.file(RAW_CRIMES.name, 2014).write_bytes(content)
    assert warehouse.stored(RAW_CRIMES)[2014].lineage == before.lineage
    with pytest.raises(WarehouseError, match=r"raw_crimes/2014\.parquet is damaged \(wrong checksum\)"):
        warehouse.fetch_parquet([RAW_CRIMES], [2014], tmp_path)


def test_a_failed_load_and_a_missing_table_leave_the_old_year(warehouse: DuckDBWarehouse, tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="nothing is loaded"):
        warehouse.first_rows("SELECT 1", None)
    load(warehouse, tmp_path, 2014, crimes_of_months(2014))
    before = files_below(warehouse.folder)
    broken = tmp_path / "broken.csv"
    broken.write_text("id,date\n1\n")
    with pytest.raises(WarehouseError, match=r"cannot load .*broken\.csv into raw_crimes"):
        warehouse.load_csv(RAW_CRIMES, 2014, str(broken), "a checksum")
    with pytest.raises(WarehouseError, match=r"raw_crimes has no year 2015.*run --years 2015`"):
        warehouse.replace_year(CRIMES, 2015)
    assert files_below(warehouse.folder) == before
    with pytest.raises(WarehouseError, match="there is no table enriched_crims: correct its name"):
        warehouse.count_by(replace(CRIMES, name="enriched_crims"), [2014], "id")


def test_a_file_that_does_not_match_its_note_is_stale(warehouse: DuckDBWarehouse, tmp_path: Path) -> None:
    """A process may be killed after it replaced the note and before it replaced the file."""
    load(warehouse, tmp_path, 2014, crimes_of_months(2014))
    before = warehouse.file(CRIMES.name, 2014).read_bytes()
    load(warehouse, tmp_path, 2014, crimes_of_months(2014, ward=7))
    raw, typed = (warehouse.stored(table)[2014] for table in (RAW_CRIMES, CRIMES))
    assert is_computed_from(typed, [raw])
    warehouse.file(CRIMES.name, 2014).write_bytes(before)
    assert not is_computed_from(warehouse.stored(CRIMES)[2014], [raw])


def test_a_sorted_file_from_spark_is_used_unchanged(warehouse: DuckDBWarehouse, tmp_path: Path) -> None:
    load(warehouse, tmp_path, 2014, crimes_of_months(2014))
    added = [c for c in ENRICHED_CRIMES.columns if c not in CRIMES.columns]
    values = ", ".join(
        f"CAST({c.between[0] if c.between else 'NULL'} AS {DUCKDB_TYPES[c.type]}) AS {c.name}" for c in added
    )
    (tmp_path / "out").mkdir()
    made = f"SELECT *, {values} FROM crimes ORDER BY month, primary_type, date, id"
    warehouse.write(made, tmp_path / "out" / "part.parquet", "parquet")
    rows = pq.read_table(tmp_path / "out" / "part.parquet")
    warehouse.load_parquet(ENRICHED_CRIMES, 2014, str(tmp_path / "out"))
    assert warehouse.file("enriched_crimes", 2014).samefile(tmp_path / "out" / "part.parquet")
    (tmp_path / "other").mkdir()
    pq.write_table(rows.select(rows.column_names[::-1]), tmp_path / "other" / "part.parquet")
    warehouse.load_parquet(ENRICHED_CRIMES, 2014, str(tmp_path / "other"))
    assert pq.read_table(warehouse.file("enriched_crimes", 2014)).to_pylist() == rows.to_pylist()


def test_parquet_of_another_year_or_shape_is_refused(warehouse: DuckDBWarehouse, tmp_path: Path) -> None:
    names = [column.name for column in CRIME_TYPE_COUNT.columns]
    row = dict(zip(names, (2013, "ARSON", 1, 0, 0.0, 0), strict=True))
    for name, rows, problem in (("a", row, "not from 2014"), ("b", {"year": 2014}, "cannot load 2014 into crime_ty")):
        (tmp_path / name).mkdir()
        pq.write_table(pa.Table.from_pylist([rows]), tmp_path / name / "part.parquet")
        with pytest.raises(WarehouseError, match=problem):
            warehouse.load_parquet(CRIME_TYPE_COUNT, 2014, str(tmp_path / name))
    assert warehouse.stored(CRIME_TYPE_COUNT) == {}
    assert warehouse.load_parquet(CRIME_TYPE_COUNT, 2014, str(tmp_path / "no files")).rows == 0


def test_queries_cannot_change_anything_and_may_run_in_threads(warehouse: DuckDBWarehouse, tmp_path: Path) -> None:
    load(warehouse, tmp_path, 2014, crimes_of_months(2014))
    before = files_below(warehouse.folder)
    changes = ("DROP VIEW crimes", "COPY crimes TO 'copy.csv'", "SELECT 1; DROP VIEW crimes")
    for statement in (*changes, "", "SELECT nothing FROM crimes"):
        with pytest.raises(WarehouseError):
            warehouse.first_rows(statement, None)
        assert files_below(warehouse.folder) == before
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda _: warehouse.first_rows("SELECT COUNT(*) FROM crimes", None).rows, range(40))
        assert {row for rows in found for row in rows} == {(36,)}


def test_ctrl_c_ends_a_query(warehouse: DuckDBWarehouse, tmp_path: Path) -> None:
    load(warehouse, tmp_path, 2014, crimes_of_months(2014))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # pytest's workers ignore it
    endless = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) FROM n, crimes"
    timer = threading.Timer(1, signal.pthread_kill, [threading.get_ident(), signal.SIGINT])
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            warehouse.first_rows(endless, None)
    finally:
        signal.signal(signal.SIGINT, before)
