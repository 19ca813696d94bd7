"""Whole runs in the cloud, on loopback: the same tables as on a laptop, with few calls and one cluster."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from dagster import AssetKey

from chicago_crime.graph.instance import open_instance
from chicago_crime.settings import Settings, load_settings
from chicago_crime.sources.sample.source import SampleSource
from chicago_crime.tables import TABLES
from chicago_crime_tests.end_to_end.cloud import Cloud, cloud_in, writes_in
from chicago_crime_tests.sources.dirt import add_dirt
from chicago_crime_tests.support import REAL_DATA, crimes_of_months, folder_settings, run_well, write_csv

YEARS = (2014, 2015, 2016)
MOST_WRITES_A_YEAR = 49
"""Of 13 tables a statement and a label each, 12 published files, 4 staging tables with their load jobs, the lake."""


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with cloud_in(tmp_path) as made:
        yield made


def differences(cloud: Cloud, laptop: Settings, years: Sequence[int]) -> dict[str, str]:
    """The tables that differ between cloud and laptop: in types, or in rows that only one of them has.

    BigQuery's rows have no order, so they are compared as bags; every value must be equal, floats to the last bit.
    """
    found = {}
    cursor = cloud.bigquery.catalog.database.cursor()
    for name, table in TABLES.items():
        live = cloud.bigquery.catalog.find("chicago_crime", name)
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        files = [str(laptop.data_dir / "warehouse" / name / f"{year}.parquet") for year in years]
        there, here = f"SELECT {columns} FROM {live.rows_table}", f"SELECT {columns} FROM READ_PARQUET({files})"
        kinds = [cursor.sql(f"DESCRIBE {query}").fetchall() for query in (here, there)]
        if kinds[0] != kinds[1]:
            found[name] = f"types: {kinds}"
        only = [
            cursor.sql(f"SELECT COUNT(*) FROM ({a} EXCEPT ALL {b})").fetchall()[0][0]
            for a, b in ((here, there), (there, here))
        ]
        if any(only):
            example = [cursor.sql(f"{a} EXCEPT ALL {b} LIMIT 1").fetchall() for a, b in ((here, there), (there, here))]
            found[name] = f"only on the laptop {only[0]}, only in the cloud {only[1]}: {example}"
    return found


def test_a_dirty_sample_gives_the_tables_of_the_laptop(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for year in (2014, 2015):
        add_dirt(SampleSource(rows=6000).fetch(year, tmp_path / "in").path)
    laptop = folder_settings(tmp_path / "laptop", tmp_path / "in")
    run_well(laptop, 2014, 2015)
    files = ["--folder", str(tmp_path / "in")]
    ended = cloud.command("run", "--years", "2014-2015", *files, CHICAGO_CRIME_DATAPROC_MODE="serverless")
    assert ended.code == 0, ended.output
    dataproc = cloud.dataproc.dataproc
    assert (len(dataproc.clusters_made), len(dataproc.batches)) == (0, 1)
    assert differences(cloud, laptop, (2014, 2015)) == {}
    assert sum(cloud.crimes("raw_crimes").values()) > 11_900
    assert len(cloud.rows("rejected_crimes")) > 5
    assert cloud.left() == []
    with open_instance(load_settings(data_dir=cloud.data)) as instance:
        event = instance.get_latest_materialization_event(AssetKey("enriched_crimes"))
    assert event and event.asset_materialization
    metadata = {name: entry.value for name, entry in event.asset_materialization.metadata.items()}
    assert metadata["spark_engine"] == "dataproc"
    assert str(metadata["dataproc"]).startswith("https://console.cloud.google.com/dataproc/batches/")


def test_real_years_give_the_tables_of_the_laptop(cloud: Cloud, real_years: Settings) -> None:
    ended = cloud.command("run", "--years", "2014-2016", "--folder", str(REAL_DATA / "real"))
    assert ended.code == 0, ended.output
    assert differences(cloud, real_years, YEARS) == {}
    assert len(cloud.dataproc.dataproc.clusters_made) == 1
    assert cloud.left() == []


def test_a_backfill_of_22_years_makes_few_writes_and_one_cluster(cloud: Cloud, tmp_path: Path) -> None:
    """`writes_in` says what counts as a write. It is the first backfill, which also creates the tables."""
    years = range(2001, 2023)
    for year in years:
        write_csv(tmp_path / "in" / f"{year}.csv", crimes_of_months(year, 1))
    ended = cloud.command("run", "--years", "2001-2022", "--folder", str(tmp_path / "in"))
    assert ended.code == 0, ended.output
    writes = Counter(writes_in(cloud))
    assert sum(writes.values()) <= MOST_WRITES_A_YEAR * len(years), writes
    assert len(cloud.dataproc.dataproc.clusters_made) == 1
    assert cloud.crimes("enriched_crimes") == dict.fromkeys(years, 12)
    assert cloud.left() == []
