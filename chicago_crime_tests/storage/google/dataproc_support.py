"""What the tests of Dataproc share: the two servers with settings that lead to them, and a run with one Spark job."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from dagster import (
    AssetExecutionContext,
    DagsterInstance,
    Definitions,
    MaterializeResult,
    RetryPolicy,
    asset,
    define_asset_job,
)

from chicago_crime import reference
from chicago_crime.installation import build_dataproc
from chicago_crime.settings import Settings, load_settings
from chicago_crime.storage.google.access import GooglePatience
from chicago_crime.storage.google.dataproc.runner import DataprocSpark
from chicago_crime.storage.spark import JobReport, Workspace
from chicago_crime.tables import CRIMES
from chicago_crime_tests.servers.credentials import PROJECT_ID, service_account_file
from chicago_crime_tests.servers.dataproc_server import DataprocServer
from chicago_crime_tests.servers.storage_server import StorageServer

BUCKET = "chicago-test"
YEARS = (2014, 2015, 2016)
TABLES = ("enriched_crimes", "crime_type_count", "crimes_daily", "hot_spots")

_ARROW = {
    "INT64": pa.int64(),
    "STRING": pa.string(),
    "FLOAT64": pa.float64(),
    "BOOL": pa.bool_(),
    "DATETIME": pa.timestamp("us"),
    "DATE": pa.date32(),
}


@dataclass
class Cloud:
    """The servers and what leads to them."""

    storage: StorageServer
    dataproc: DataprocServer
    settings: Settings

    def spark(self, **settings: object) -> DataprocSpark:
        """The runner as the settings build it, but in a hurry."""
        built = build_dataproc(self.settings.model_copy(update=settings))
        patience = GooglePatience(timeout_s=2, first_wait_s=0.01, give_up_s=5)
        api = replace(built.api, pause_s=0.02, patience=patience)
        files = replace(built.files, store=replace(built.files.store, patience=patience))
        return replace(built, api=api, work=replace(built.work, api=api), files=files)  # type: ignore[type-var]

    def local(self, uri: str) -> Path:
        """Where an object or a folder of the bucket is on this machine."""
        return self.storage.path(BUCKET, uri.removeprefix(f"gs://{BUCKET}/"))

    def staged(self) -> list[str]:
        """What is left in the bucket besides programs."""
        return [name for name in self.storage.names(BUCKET) if not name.startswith("jobs/")]

    def calls(self, name: str) -> int:
        """How many calls of this name there were."""
        return sum(asked.call == name for asked in self.dataproc.calls)


@contextmanager
def cloud_in(folder: Path, engine: str) -> Iterator[Cloud]:
    """The servers, in a folder."""
    storage = StorageServer(folder / "buckets", [BUCKET])
    dataproc = DataprocServer(storage, engine)
    settings = load_settings(
        deployment="gcp",
        data_dir=folder / "data",
        gcp_project=PROJECT_ID,
        gcs_bucket=BUCKET,
        gcp_credentials=service_account_file(folder, storage.token_uri),
        gcs_endpoint=storage.url,
        dataproc_endpoint=dataproc.url,
        dataproc_service_account=f"spark@{PROJECT_ID}.iam.gserviceaccount.com",
        dataproc_subnet=f"projects/{PROJECT_ID}/regions/us-central1/subnetworks/crime",
    )
    with storage.answering(), dataproc.answering():
        yield Cloud(storage, dataproc, settings)


def write_crimes(folder: Path, years: tuple[int, ...] = YEARS) -> None:
    """Some typed crimes of every year, as the warehouse exports them."""
    folder.mkdir(parents=True, exist_ok=True)
    types = ("THEFT", "BATTERY", "CRIM SEXUAL ASSAULT")
    for year in years:
        rows = [
            {
                "id": year * 1000 + n,
                "date": datetime(year, n % 12 + 1, n % 28 + 1, n % 24, n % 2),
                "primary_type": types[n % 3],
                "fbi_code": ("06", "08B", None)[n % 3],
                "community_area": n % 77 + 1,
                "arrest": n % 4 == 0,
                "domestic": n % 5 == 0,
                "x_coordinate": 1_176_352.0 + 700 * (n % 6),
                "y_coordinate": 1_900_927.0 + 700 * (n % 7),
                "latitude": 41.88 + n % 7 / 1000,
                "longitude": -87.63 + n % 6 / 1000,
                "year": year,
                "updated_on": datetime(year + 1, 2, 10),
            }
            for n in range(60)
        ]
        schema = pa.schema([(column.name, _ARROW[column.type]) for column in CRIMES.columns])
        pq.write_table(pa.Table.from_pylist(rows, schema), folder / f"{year}.parquet")


def arguments(workspace: Workspace) -> dict[str, Path | str]:
    """Those of the job."""
    return {
        "crimes": workspace.input,
        "community_areas": reference.file("community_areas"),
        "fbi_codes": reference.file("fbi_codes"),
        "comparable_types": reference.file("comparable_types"),
        "output": workspace.output,
    }


@dataclass
class Ran:
    """A Dagster run of the Spark job.

    Attributes:
        success: whether it ended well.
        log: what it logged, a message a line.
        reason: why it failed.
        tables: what was taken of the output.
        report: what the runner told.
        live_at_load: clusters there were when the output was taken.
    """

    success: bool = False
    log: str = ""
    reason: str = ""
    tables: Mapping[tuple[str, int], Any] = field(default_factory=dict)
    report: JobReport | None = None
    live_at_load: list = field(default_factory=list)


def start(
    cloud: Cloud,
    spark: DataprocSpark,
    run_id: str | None = None,
    fill: Callable[[Path], object] = write_crimes,
    job: str = "enrich_crimes",
    retries: int = 0,
) -> Ran:
    """A Dagster run with one asset that runs a Spark job, as the platform's own does.

    Args:
        cloud: the servers.
        spark: what runs it.
        run_id: of the run, to start one again.
        fill: fills the input's folder.
        job: which.
        retries: how often the step is tried again.
    """
    ran = Ran()

    @asset(retry_policy=RetryPolicy(max_retries=retries) if retries else None)
    def enrich(context: AssetExecutionContext) -> Iterator[MaterializeResult]:
        with spark.workspace(context, job) as workspace:
            if not workspace.is_filled:
                fill(cloud.local(workspace.input))
            ran.report = spark.run(context, job, **arguments(workspace))
            ran.live_at_load = cloud.dataproc.live_clusters()
            if cloud.local(workspace.output).is_dir():
                ran.tables = rows_of(cloud.local(workspace.output))
        yield MaterializeResult()

    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    described = Definitions([enrich], jobs=[define_asset_job("job", [enrich])]).resolve_job_def("job")
    run_id = run_id or str(uuid4())
    instance = _instance() if not _instance().get_run_by_id(run_id) else DagsterInstance.ephemeral()
    result = described.execute_in_process(quiet, run_id=run_id, instance=instance, raise_on_error=False)
    ran.success = result.success
    entries = instance.all_logs(run_id)
    ran.log = "\n".join(entry.user_message for entry in entries)
    for entry in entries:
        if entry.dagster_event and entry.dagster_event.is_step_failure:
            error = entry.dagster_event.step_failure_data.error
            ran.reason = "".join(part.message for part in (error, error and error.cause) if part)
    return ran


@cache
def _instance() -> DagsterInstance:
    """The instance of most runs; one that starts again needs another, as it would be known already."""
    return DagsterInstance.ephemeral()


def rows_of(folder: Path, years: tuple[int, ...] = YEARS) -> Mapping[tuple[str, int], list[dict[str, Any]]]:
    """The rows of every table and year below a folder, in an order of their own."""
    return {
        (table, year): sorted(
            ds.dataset(folder / table / str(year), format="parquet", partitioning=None).to_table().to_pylist(),
            key=lambda row: str(list(row.values())),
        )
        for table in TABLES
        for year in years
    }
