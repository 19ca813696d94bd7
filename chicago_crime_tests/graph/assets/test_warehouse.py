"""The typed table and its rejects add up to the raw table, and revisions record changes."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from chicago_crime.graph.instance import open_instance
from chicago_crime.settings import Settings
from chicago_crime.storage.leases import years_locked
from chicago_crime.storage.local.duckdb_warehouse import DuckDBWarehouse
from chicago_crime.storage.warehouse import TableYear, WarehouseError
from chicago_crime.tables import CRIMES, RAW_CRIMES, REVISIONS, Table
from chicago_crime_tests.support import crime, crimes_of_months, rows_of, run, run_well, warehouse_of, write_csv

WRONG_DATE = crime(id=7, date="12/31/2013 11:00:00 PM")
TYPING = "crime_csv,crime_object,raw_crimes,crimes"
"""The step that makes crimes also makes rejected_crimes and revisions."""


def test_the_metadata_has_first_rows_and_shares_of_null(settings: Settings) -> None:
    write_csv(settings.folder / "2014.csv", [*(months := crimes_of_months(2014)), crime(id=7, ward="")])
    [report] = run_well(settings, 2014, assets=TYPING)
    shown = report.metadata["crimes", 2014]
    assert shown["null_shares"] == {"ward": round(1 / (len(months) + 1), 4)}
    header, _, *rows = shown["preview"].splitlines()
    assert header.split(" | ") == [column.name for column in CRIMES.columns]
    assert len(rows) == 3


def test_rejects_are_computed_from_the_raw_table_and_not_an_older_typed_table(loaded_copy: Settings) -> None:
    """The typed table is from an older file with the same number of rows."""
    write_csv(loaded_copy.folder / "2014.csv", [*crimes_of_months(2014)[:-1], WRONG_DATE])
    run_well(loaded_copy, 2014, assets="crime_csv,crime_object,raw_crimes")
    run_well(loaded_copy, 2014, assets="rejected_crimes")
    assert [row["id"] for row in rows_of(loaded_copy, "rejected_crimes", 2014)] == ["7"]

    write_csv(loaded_copy.folder / "2014.csv", crimes_of_months(2014))
    run_well(loaded_copy, 2014, assets=TYPING)
    assert rows_of(loaded_copy, "rejected_crimes", 2014) == []


def kinds_and_arrests(settings: Settings) -> tuple[list[str], int]:
    kinds = [row["kind"] for row in rows_of(settings, "revisions", 2014)]
    return kinds, sum(row["arrest"] for row in rows_of(settings, "crimes", 2014))


@pytest.fixture
def loaded(loaded_copy: Settings) -> Settings:
    """2014 loaded once, with its next file in the folder: one more arrest and one more crime."""
    rows = crimes_of_months(2014)
    rows[5]["arrest"] = "true"
    write_csv(loaded_copy.folder / "2014.csv", [*rows, rows[7] | {"id": "7"}])
    return loaded_copy


def test_the_first_load_has_no_revisions_and_the_next_counts_changes(loaded: Settings) -> None:
    revisions, crimes = (warehouse_of(loaded).stored(table)[2014] for table in (REVISIONS, CRIMES))
    assert revisions.rows == 0
    assert revisions.replaced_at < crimes.replaced_at, "revisions are computed before crimes is replaced"
    [report] = run_well(loaded, 2014, assets=TYPING)
    assert report.metadata["revisions", 2014]["revisions_by_kind"] == {"added": 1, "arrest_turned": 1}
    assert report.metadata["revisions", 2014]["dagster/partition_row_count"] == 2


def test_typing_the_same_rows_again_keeps_the_revisions(loaded: Settings) -> None:
    for assets in ("crime_csv,crime_object,raw_crimes,revisions", TYPING):
        run_well(loaded, 2014, assets=assets)
        assert kinds_and_arrests(loaded) == (["added", "arrest_turned"], 1)


def test_an_error_that_may_pass_does_not_erase_the_revisions(loaded: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    run_well(loaded, 2014)
    write_csv(loaded.folder / "2014.csv", [*crimes_of_months(2014), crime(id=8, date="01/05/2014 11:00:00 PM")])

    def full_disk(warehouse: DuckDBWarehouse, table: Table, year: int) -> TableYear:
        if table == REVISIONS:
            raise WarehouseError("the disk is full")
        return replace_year(warehouse, table, year)

    replace_year = DuckDBWarehouse.replace_year
    monkeypatch.setattr(DuckDBWarehouse, "replace_year", full_disk)
    [report] = run(loaded, 2014)
    assert "the disk is full" in report.reasons[0]
    assert kinds_and_arrests(loaded)[0] == ["added", "arrest_turned"]


@pytest.mark.parametrize("table", ["crimes", "revisions"])
def test_a_table_of_an_older_version_is_restored_from_the_snapshot(loaded: Settings, table: str) -> None:
    file = warehouse_of(loaded).file(table, 2014)
    duckdb.execute(f"COPY (SELECT year, id FROM '{file}') TO '{file}.new' (FORMAT parquet)")
    Path(f"{file}.new").replace(file)
    run_well(loaded, 2014, assets=TYPING)
    assert kinds_and_arrests(loaded) == (["added", "arrest_turned"], 1)


def messages(settings: Settings) -> str:
    with open_instance(settings) as instance:
        return "\n".join(event.user_message for run in instance.get_runs() for event in instance.all_logs(run.run_id))


def test_a_run_waits_for_another_run_of_the_same_year(loaded: Settings) -> None:
    """Otherwise, tables of two runs could be mixed."""
    stored = warehouse_of(loaded).stored
    with ThreadPoolExecutor() as pool:
        with years_locked(loaded.data_dir / "locks", [2013, 2014], "another", lambda year, run: None):
            run_well(loaded, 2015, assets=TYPING)  # other years are free
            before = stored(CRIMES), stored(RAW_CRIMES)
            run = pool.submit(run_well, loaded, 2014, assets=TYPING)
            while "Waiting for the run another, which is processing 2014" not in messages(loaded):
                assert not run.done(), "it did not wait"
                time.sleep(0.1)
            assert (stored(CRIMES), stored(RAW_CRIMES)) == before
        run.result()
    assert (stored(CRIMES), stored(RAW_CRIMES)) != before
