"""The lake in a bucket: how many writes a year costs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance, materialize

from chicago_crime.graph.assets.lake import crime_object
from chicago_crime.graph.assets.source import crime_csv
from chicago_crime.graph.progress import ignore_progress
from chicago_crime.graph.years_of_run import YearsOfRun
from chicago_crime.installation import Installation, build_bucket_store
from chicago_crime_tests.servers.credentials import service_account_file
from chicago_crime_tests.servers.storage_server import StorageServer
from chicago_crime_tests.support import crimes_of_months, folder_settings, write_csv

BUCKET, YEARS = "chicago-test", (2014, 2015, 2016)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StorageServer]:
    with StorageServer(tmp_path / "buckets", [BUCKET]).answering() as server:
        yield server


def put_years(server: StorageServer, folder: Path) -> int:
    """Materialize the objects of the years in one run, and count the writes."""
    settings = folder_settings(
        folder / "data",
        folder / "in",
        gcp_project=BUCKET,
        gcs_bucket=BUCKET,
        gcs_endpoint=server.url,
        gcp_credentials=service_account_file(folder, server.token_uri),
    )
    installation = Installation(settings)
    resources = installation.resources() | {
        "object_store": build_bucket_store(settings),
        "publisher": installation.publisher(installation.warehouse),
        "of_run": YearsOfRun(ignore_progress),
    }
    before = len(server.requests)
    range_ = {"dagster/asset_partition_range_start": str(YEARS[0]), "dagster/asset_partition_range_end": str(YEARS[-1])}
    with DagsterInstance.ephemeral() as instance:
        assert materialize([crime_csv, crime_object], instance=instance, resources=resources, tags=range_).success
    return sum(request.method != "GET" and request.call != "token" for request in server.requests[before:])


def test_rows_and_quarantine_are_written_only_when_they_changed(server: StorageServer, tmp_path: Path) -> None:
    files = {year: write_csv(tmp_path / "in" / f"{year}.csv", crimes_of_months(year)) for year in YEARS}
    record = 2  # of what the object was made: it is removed before the object changes, and written after it
    assert put_years(server, tmp_path) == (2 + record) * len(YEARS)
    for year, file in files.items():
        assert server.read(BUCKET, f"crimes/{year}.csv") == file.read_bytes()
        assert server.read(BUCKET, f"quarantine/{year}.csv").count(b"\n") == 1
    assert put_years(server, tmp_path) == record * len(YEARS)
    write_csv(files[2015], crimes_of_months(2015, per_month=4))
    assert put_years(server, tmp_path) == record * len(YEARS) + 1
    assert server.read(BUCKET, "crimes/2015.csv") == files[2015].read_bytes()
