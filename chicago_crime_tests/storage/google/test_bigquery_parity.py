"""BigQuery and DuckDB make the same tables from the same rows, value by value; a year takes nine writes."""

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
from chicago_crime_tests.storage.google.cloud import Cloud, cloud_in
from chicago_crime_tests.support import NAMES, append_quoted, crime, write_csv
from chicago_crime_tests.whole_cloud import BUCKET

SPARK = (ENRICHED_CRIMES, CRIME_TYPE_COUNT, CRIMES_DAILY, HOT_SPOTS)
MARTS = tuple(table for table in TABLES.values() if table.upstream == (ENRICHED_CRIMES,) and table.made_by == "sql")


@dataclass
class Both:
    """The same years in both warehouses, and the writes to BigQuery meanwhile."""

    cloud: Cloud
    bigquery: BigQueryWarehouse
    duckdb: DuckDBWarehouse
    writes: list[str]


def fill(cloud: Cloud, duckdb: DuckDBWarehouse, files: Mapping[int, Path], earlier: Mapping[int, Path]) -> Both:
    """Load years into every table of both, as the assets do; `earlier` files first."""
    bigquery, folder = cloud.warehouse(), cloud.folder
    before = len(cloud.bigquery.writes())
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
    return Both(cloud, bigquery, duckdb, cloud.bigquery.writes()[before:])


def dirty_rows(folder: Path, year: int) -> Path:
    """A sample with every known kind of dirt, some of it rejected, for every reason."""
    sample = SampleSource(rows=800).fetch(year, folder).path
    with sample.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, NAMES))[1:]
    again = rows[0]["id"]
    day = f"03/15/{year} 02:30:00 PM"
    dirty = [
        crime(id="", date=day),
        crime(id="x7", date=day),
        crime(id=5, date="yesterday"),
        crime(id=6, date=f"03/15/{year - 1} 02:30:00 PM"),
        crime(id=again, date=day, updated_on="01/01/2001 01:00:00 AM"),
        crime(
            id="8.0",
            date=f"{year}-03-15T14:30:00.000",
            beat="111.0",
            iucr="820",
            fbi_code="6",
            arrest="Y",
            domestic="1",
        ),
        crime(id=9, date=f"{year}-03-15 00:01:00 UTC", beat="x", ward="", community_area="0", arrest="False"),
        crime(id=10, date=f"3/5/{year} 14:30", latitude="36.619446395", longitude="-91.686565684"),
        crime(id=11, date=day, x_coordinate="0", y_coordinate="0", latitude="41.8835001870000001"),
        crime(id=12, date=day, block='a "quoted",\nblock', description="  Zoë ", location_description="", location=""),
        crime(id=13, date=day, primary_type="CRIM SEXUAL ASSAULT", fbi_code="8b", case_number="' OR 1=1 --"),
    ]
    quoted = [
        crime(id=14, date=day, ward="", arrest="", location_description="", latitude="", longitude="", location=""),
        crime(id="", date="", block="", updated_on=""),
    ]
    return append_quoted(write_csv(folder / f"dirty-{year}.csv", [*rows, *dirty]), quoted)


def changed(file: Path, target: Path) -> Path:
    """A file's rows as of an earlier snapshot: some missing, some that vanish later, some with other values."""
    with file.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))[20:]
    for row in rows[::7]:
        row["arrest"] = {"true": "false"}.get(row["arrest"], "true")
    for row in rows[::11]:
        row["block"], row["updated_on"] = "001XX W LAKE ST", "01/02/2017 03:50:01 PM"
    return write_csv(target, [*rows, crime(id=99, date="03/15/2016 02:30:00 PM")])


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("parity")
    with pytest.MonkeyPatch.context() as patch, cloud_in(folder) as cloud:
        patch.setenv("NO_PROXY", "127.0.0.1,localhost")
        duckdb = DuckDBWarehouse(folder=folder / "warehouse", staging=folder / "staging", threads=2, memory="500MB")
        files = {2016: dirty_rows(folder, 2016), 2021: SampleSource(rows=300).fetch(2021, folder).path}
        earlier = {2016: changed(files[2016], folder / "earlier.csv")}
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


def test_a_year_takes_few_writes(both: Both) -> None:
    """A statement and a label each, and for Spark's four tables a staging table and a load job before.

    Of two years and an earlier snapshot of one, which loses four labels; `revisions` begins with a label only. Making
    the dataset, the tables and two reference tables, and the export, are there once for all years.
    """
    once, removed_labels, begun = 5, 4, 2
    statements_and_labels = 2 * (4 * 3 + (4 + len(MARTS)) * 2)
    assert len(both.writes) == once + removed_labels + statements_and_labels + 2 * 4 * 2 - begun
