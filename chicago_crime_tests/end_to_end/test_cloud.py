"""Whole runs in the cloud, against servers on loopback: the same tables as on a laptop, in few calls, on one cluster.

Faults are in `test_cloud_faults.py`, crashes and runs at once in `test_cloud_crashes.py`.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from chicago_crime.graph.run import RunReport
from chicago_crime.settings import Settings, load_settings
from chicago_crime.tables import TABLES
from chicago_crime_tests.end_to_end.cloud import Cloud, cloud_in, writes_in
from chicago_crime_tests.support import REAL_DATA, crimes_of_months, run_well, write_csv

YEARS = (2014, 2015, 2016)
MOST_WRITES_A_YEAR = 12


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with cloud_in(tmp_path) as made:
        yield made


def differences(cloud: Cloud, laptop: Settings, years: Sequence[int]) -> dict[str, str]:
    """By table, in what the cloud's differs from the laptop's: rows that only one of them has, or types.

    Rows have no order in BigQuery, so they are compared as bags; every value must be the same, floats to the last bit.
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


@pytest.mark.parametrize("mode", ["cluster", "serverless"])
def test_a_dirty_sample_makes_the_tables_of_the_laptop(cloud: Cloud, tmp_path: Path, mode: str) -> None:
    laptop = load_settings(data_dir=tmp_path / "laptop", sample_rows=6000, sample_dirt=True)
    run_well(laptop, 2014, 2015)
    sample = ["--sample-rows", "6000", "--sample-dirt"]
    ended = cloud.command("run", "--years", "2014-2015", *sample, CHICAGO_CRIME_DATAPROC_MODE=mode)
    assert ended.code == 0, ended.output
    dataproc = cloud.dataproc.dataproc
    assert (len(dataproc.clusters_made), len(dataproc.batches)) == ((1, 0) if mode == "cluster" else (0, 1))
    assert differences(cloud, laptop, (2014, 2015)) == {}
    assert sum(cloud.crimes("raw_crimes").values()) > 11_900
    assert len(cloud.rows("rejected_crimes")) > 5
    assert cloud.left() == []


def test_real_years_make_the_tables_of_the_laptop(cloud: Cloud, real_years: tuple[Settings, list[RunReport]]) -> None:
    laptop, _ = real_years
    ended = cloud.command("run", "--years", "2014-2016", "--folder", str(REAL_DATA / "real"))
    assert ended.code == 0, ended.output
    assert differences(cloud, laptop, YEARS) == {}
    assert len(cloud.dataproc.dataproc.clusters_made) == 1
    assert cloud.left() == []


def test_a_backfill_of_22_years_makes_few_writes_and_one_cluster(cloud: Cloud, tmp_path: Path) -> None:
    """What counts as a write is in `writes_in`. It is the first backfill, which makes the tables, too."""
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
