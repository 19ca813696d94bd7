"""What the tests of Dataproc share: a cloud, and a Dagster run with one small Spark job."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from dagster import (
    AssetExecutionContext,
    DagsterInstance,
    Definitions,
    MaterializeResult,
    asset,
    define_asset_job,
)

from chicago_crime import reference
from chicago_crime.installation import build_dataproc
from chicago_crime.sources import retry
from chicago_crime.storage.google.dataproc.runner import DataprocSpark
from chicago_crime_tests.servers.credentials import PROJECT_ID
from chicago_crime_tests.whole_cloud import STAGING, WORKER, WholeCloud, whole_cloud

JOB = """
print("It begins.")
raise ValueError("the job is broken")
"""


class Cloud(WholeCloud):
    """The servers, and a runner of the jobs in `programs`."""

    @property
    def programs(self) -> Path:
        """Where the jobs are."""
        return self.folder / "programs"

    def spark(self, **settings: object) -> DataprocSpark:
        """The runner that the settings build, with short waits, for the jobs in `programs`."""
        built = build_dataproc(self.settings.model_copy(update=settings))
        policy = retry.RetryPolicy(timeout_s=2, first_wait_s=0.01, deadline_s=5)
        api = replace(built.api, pause_s=0.02, policy=policy)
        backend = replace(built.backend, api=api)  # type: ignore[type-var]
        return replace(
            built, api=api, backend=backend, store=replace(built.store, policy=policy), programs=self.programs
        )

    def local(self, uri: str) -> Path:
        """Where an object or a folder of the bucket is on this machine."""
        return self.storage.path(STAGING, uri.removeprefix(f"gs://{STAGING}/"))

    def staged(self) -> list[str]:
        """The objects in the workspaces of runs."""
        return [name for name in self.storage.names(STAGING) if name.startswith("staging/")]


@contextmanager
def cloud_in(folder: Path, runs: bool) -> Iterator[Cloud]:
    """The servers, in a folder."""
    (folder / "programs").mkdir(parents=True)
    (folder / "programs" / "broken.py").write_text(JOB)
    subnet = f"projects/{PROJECT_ID}/regions/us-central1/subnetworks/crime"
    with whole_cloud(folder, runs, Cloud, dataproc_service_account=WORKER, dataproc_subnet=subnet) as cloud:
        yield cloud


def nothing_is_left(cloud: Cloud) -> bool:
    """Whether nothing costs money or waits to be removed."""
    state = cloud.dataproc.dataproc
    running = [task for task in (*state.jobs.values(), *state.batches.values()) if not task.is_over]
    notes = list(cloud.settings.data_dir.glob("dataproc/*"))
    return (cloud.dataproc.live_clusters(), running, cloud.staged(), notes) == ([], [], [], [])


@dataclass
class Ran:
    """A Dagster run of the Spark job.

    Attributes:
        success: whether it succeeded.
        log: its log, a message a line.
        reason: why it failed.
        about: what the runner says of the job.
        live_at_load: the clusters that existed when the output was read.
    """

    success: bool = False
    log: str = ""
    reason: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)
    live_at_load: list[Any] = field(default_factory=list)


def start(
    cloud: Cloud,
    spark: DataprocSpark,
    run_id: str | None = None,
    meanwhile: Callable[[Path], object] = lambda folder: None,
) -> Ran:
    """Run an asset that runs a Spark job, as the platform's own asset does.

    Args:
        cloud: the servers.
        spark: the runner.
        run_id: of the run, to restart one.
        meanwhile: called with the input folder, before the job begins.
    """
    ran = Ran()

    @asset
    def enrich(context: AssetExecutionContext) -> Iterator[MaterializeResult]:
        with spark.workspace(context, "broken") as workspace:
            meanwhile(cloud.local(workspace.input))
            files = {name: reference.file(name) for name in ("fbi_codes", "community_areas", "comparable_types")}
            ran.about = spark.run(context, "broken", crimes=workspace.input, output=workspace.output, **files)
            ran.live_at_load = cloud.dataproc.live_clusters()
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
    """The instance of most runs. A restarted run needs another one, which does not know its id."""
    return DagsterInstance.ephemeral()
