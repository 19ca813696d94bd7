"""BigQuery and DuckDB make the same tables from the same rows, value by value."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from dagster import build_asset_context

from chicago_crime import reference
from chicago_crime.sources.sample.source import SampleSource
from chicago_crime.storage.google.bigquery.warehouse import BigQueryWarehouse
from chicago_crime.storage.local.duckdb_warehouse import DuckDBWarehouse
from chicago_crime.storage.local.spark import EmbeddedSpark
from chicago_crime.tables import (
    CRIME_TYPE_COUNT,
    CRIMES,
    CRIMES_DAILY,
    ENRICHED_CRIMES,
    HOT_SPOTS,
    RAW_CRIMES,
    REJECTED_CRIMES,
    REVISIONS,
    TABLES,
    Table,
)
from chicago_crime_tests.sql.dirt import edge_rows
from chicago_crime_tests.storage.google.cloud import Cloud, cloud_in
from chicago_crime_tests.support import NAMES, append_quoted, crime, write_csv
from chicago_crime_tests.whole_cloud import BUCKET

SPARK = (ENRICHED_CRIMES, CRIME_TYPE_COUNT, CRIMES_DAILY, HOT_SPOTS)
MARTS = tuple(table for table in TABLES.values() if table.upstream == (ENRICHED_CRIMES,) and table.made_by == "sql")


@dataclass
class Both:
    """The same years in both warehouses."""

    bigquery: BigQueryWarehouse
    duckdb: DuckDBWarehouse


def fill(cloud: Cloud, duckdb: DuckDBWarehouse, files: Mapping[int, Path], earlier: Mapping[int, Path]) -> Both:
    """Load years into every table of both, as the assets do; `earlier` files first."""
    bigquery, folder = cloud.warehouse(), cloud.folder
    for year, file in (*earlier.items(), *files.items()):
        address = cloud.put_file(f"crimes/{year}.csv", file)
        for warehouse, place in ((duckdb, str(file)), (bigquery, address)):
            warehouse.load_csv(RAW_CRIMES, year, place, cloud.checksum(address))
            if warehouse.stored(CRIMES).get(year):
                warehouse.replace_year(REVISIONS, year)
            else:
                warehouse.clear_year(REVISIONS, year)
            warehouse.replace_year(CRIMES, year)
            warehouse.replace_year(REJECTED_CRIMES, year)
    bigquery.export_parquet(CRIMES, list(files), f"gs://{BUCKET}/staging/in")
    spark = EmbeddedSpark(folder / "staging", 2)
    exported = cloud.storage.path(BUCKET, "staging/in")
    spark.run(
        build_asset_context(),
        "enrich_crimes",
        crimes=exported,
        community_areas=reference.file("community_areas"),
        fbi_codes=reference.file("fbi_codes"),
        comparable_types=reference.file("comparable_types"),
        output=folder / "made",
        tables=",".join(table.name for table in SPARK),
    )
    for file in (folder / "made").rglob("*.parquet"):
        cloud.put_file(f"staging/out/{file.relative_to(folder / 'made')}", file)
    for year in files:
        bigquery.load_parquets({table: f"gs://{BUCKET}/staging/out/{table.name}/{year}" for table in SPARK}, year)
        duckdb.load_parquets({table: str(folder / "made" / table.name / str(year)) for table in SPARK}, year)
        for table in MARTS:
            duckdb.replace_year(table, year)
            bigquery.replace_year(table, year)
    return Both(bigquery, duckdb)


def dirty_rows(folder: Path) -> Path:
    """A sample of 2014, with rows that hold every known kind of dirt, and some that are quoted."""
    sample = SampleSource(rows=800).fetch(2014, folder).path
    with sample.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, NAMES))[1:]
    changed_label = crime(id=13, primary_type="CRIM SEXUAL ASSAULT", case_number="' OR 1=1 --")
    quoted = [
        crime(id=14, ward="", arrest="", location_description="", latitude="", longitude="", location=""),
        crime(id="", date="", block="", updated_on=""),
    ]
    return append_quoted(write_csv(folder / "dirty.csv", [*rows, *edge_rows(), changed_label]), quoted)


def changed(file: Path, target: Path) -> Path:
    """A file's rows as of an earlier snapshot: some missing, some that vanish later, some with other values."""
    with file.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))[20:]
    for row in rows[::7]:
        row["arrest"] = {"true": "false"}.get(row["arrest"], "true")
    for row in rows[::11]:
        row["block"], row["updated_on"] = "001XX W LAKE ST", "01/02/2017 03:50:01 PM"
    return write_csv(target, [*rows, crime(id=99)])


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("parity")
    with pytest.MonkeyPatch.context() as patch, cloud_in(folder) as cloud:
        patch.setenv("NO_PROXY", "127.0.0.1,localhost")
        duckdb = DuckDBWarehouse(folder=folder / "warehouse", staging=folder / "staging", threads=2, memory="500MB")
        files = {2014: dirty_rows(folder), 2021: SampleSource(rows=300).fetch(2021, folder).path}
        earlier = {2014: changed(files[2014], folder / "earlier.csv")}
        yield fill(cloud, duckdb, files, earlier)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_table_is_the_same_value_by_value(both: Both, table: Table) -> None:
    columns = [column.name for column in table.columns]
    expected = both.duckdb.query(f"SELECT {', '.join(columns)} FROM {table.name}").to_pylist()
    assert expected
    read = both.bigquery.query(f"SELECT {', '.join(columns)} FROM {table.name}").to_pylist()
    assert sorted(map(repr, read)) == sorted(map(repr, expected))


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_years_measures_and_counts_are_the_same(both: Both, table: Table) -> None:
    stored = both.bigquery.stored(table)
    assert {year: s.rows for year, s in stored.items()} == {y: s.rows for y, s in both.duckdb.stored(table).items()}
    measures = {c.name: f"COUNTIF({c.name} IS NULL)" for c in table.columns} | {"year_": "COUNTIF(@year > 2015)"}
    years = sorted(stored)
    assert both.bigquery.measure(table, years, measures) == both.duckdb.measure(table, years, measures)
    if texts := [column.name for column in table.columns if column.type == "STRING"]:
        by_bigquery, by_duckdb = (one.count_by(table, years, texts[0]) for one in (both.bigquery, both.duckdb))
        assert {y: list(n.items()) for y, n in by_bigquery.items()} == {
            y: list(n.items()) for y, n in by_duckdb.items()
        }
    assert both.bigquery.outdated(table) == []
