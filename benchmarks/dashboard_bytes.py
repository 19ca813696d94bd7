"""How many bytes each page of the dashboard reads on BigQuery, under many filters.

    python -m benchmarks.dashboard_bytes --data-dir DATA

DATA is a local installation with many years, such as 22 full-size years of the sample as `benchmarks.run` loads them.
Its tables are copied to the tests' BigQuery server, which builds the three packed marts with the platform's own
statements; then a new dashboard with an empty cache is sent each request. The server counts bytes as a dry run of
BigQuery does: the logical size of the named columns, in the selected partitions. MB are 2^20 bytes, as in Google's
prices.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table as Printed
from starlette.testclient import TestClient

from chicago_crime.dashboard.app import Dashboard
from chicago_crime.dashboard.data import Data
from chicago_crime.intake.source_files import SourceFiles
from chicago_crime.storage.google.bigquery.answers import MB, PAGE
from chicago_crime.storage.google.bigquery.packing import LAYOUTS
from chicago_crime.tables import CRIMES, TABLES
from chicago_crime_tests.servers.bigquery_catalog import WRITTEN
from chicago_crime_tests.servers.bigquery_jobs_server import Job
from chicago_crime_tests.storage.google.cloud import DATASET, Cloud, cloud_in

out = Console(highlight=False, width=120)

NOT_READ = ("raw_crimes", "crimes")
"""Tables of which pages need only the number of rows."""

CHOICES = {
    "nothing chosen": "",
    "one year": "year=2015",
    "8 years": "&".join(f"year={year}" for year in range(2001, 2009)),
    "9 years": "&".join(f"year={year}" for year in range(2001, 2010)),
    "a type": "type=THEFT",
    "an area and a class": "area=25&offense_class=violent",
    "every filter": "offense_class=violent&offense_class=property&type=THEFT&type=ROBBERY&area=8&area=32&district=1"
    "&arrest=yes&domestic=no",
    "every filter, 21 years": "offense_class=violent&offense_class=property&type=THEFT&area=8&area=32&district=1"
    "&arrest=no&domestic=no&" + "&".join(f"year={year}" for year in range(2001, 2022)),
    "source labels": "source_labels=yes&type=CRIM%20SEXUAL%20ASSAULT",
}
PAGES = {
    "overview": "",
    "where": "",
    "where, hot spots": "map=hot_spots",
    "when": "",
    "compare": "",
    "compare, old": "end=2005-03-10&rows=type",
    "data": "",
}


@dataclass
class Measured:
    """What a page read: in all of its statements, and in the largest one."""

    page: str
    choice: str
    bytes: int
    largest: int
    statements: int


@contextmanager
def full_cloud(data_dir: Path, folder: Path) -> Iterator[Cloud]:
    """The tests' BigQuery server with the rows of a local installation."""
    with cloud_in(folder) as cloud:
        warehouse = cloud.warehouse()
        warehouse.tables.make_ready(TABLES.values())
        cursor = cloud.bigquery.catalog.database.cursor()
        for name, table in TABLES.items():
            live = cloud.bigquery.catalog.find(DATASET, name)
            files = f"{data_dir}/warehouse/{name}/*.parquet"
            columns = ", ".join(f'"{column.name}"' for column in table.columns)
            if name in LAYOUTS or name in NOT_READ:
                continue
            # A view instead of a copy: enriched_crimes alone would not fit into memory.
            cursor.execute(f"DROP TABLE {live.rows_table}")
            cursor.execute(
                f"CREATE VIEW {live.rows_table} AS SELECT {columns}, 0::DOUBLE AS {WRITTEN} "
                f"FROM READ_PARQUET('{files}')"
            )
            live.rows_changed()
        years = sorted(int(file.stem) for file in (data_dir / "warehouse" / CRIMES.name).glob("*.parquet"))
        for name in LAYOUTS:
            for year in years:
                warehouse.replace_year(TABLES[name], year)
        yield cloud


def jobs_of(cloud: Cloud, source_files: SourceFiles, address: str) -> list[Job]:
    """The jobs that one page of a dashboard with an empty cache runs in BigQuery."""
    data = Data(cloud.warehouse(), source_files, cloud.folder / "no-dagster")
    client = TestClient(Dashboard(data).application())
    jobs: list[Job] = []
    cloud.bigquery.jobs.before_work = jobs.append
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    assert "would read more than" not in answer.text, address
    return jobs


def address_of(page: str, choice: str) -> str:
    """The address of a page of `PAGES` with the filters of `CHOICES`."""
    return f"/{page.split(',')[0]}?{CHOICES[choice]}&{PAGES[page]}"


def measure(cloud: Cloud, source_files: SourceFiles) -> Iterator[Measured]:
    """Request every page with all filters of `CHOICES`."""
    for page in PAGES:
        for choice in CHOICES:
            read = [job.work.bytes_processed for job in jobs_of(cloud, source_files, address_of(page, choice))]
            yield Measured(page, choice, sum(read), max(read), len(read))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure what the dashboard's pages read on BigQuery.")
    parser.add_argument("--data-dir", type=Path, required=True, help="an installation with many years")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, full_cloud(chosen.data_dir, Path(folder)) as cloud:
        found = list(measure(cloud, SourceFiles(chosen.data_dir / "csv", Path(folder))))
    table = Printed("MB read", *CHOICES, width=118)
    for page in PAGES:
        table.add_row(page, *(f"{one.bytes / MB:.1f}" for one in found if one.page == page))
    out.print(table)
    most = max(found, key=lambda one: one.bytes)
    reached = "reached" if most.bytes <= PAGE else "MISSED"
    out.print(f"the most: {most.bytes / MB:.1f} MB, {most.page} with {most.choice} (goal: {PAGE // MB} MB) {reached}")


if __name__ == "__main__":
    main()
