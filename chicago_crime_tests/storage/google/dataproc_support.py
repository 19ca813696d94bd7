"""Shared by the tests of Dataproc: a cloud, and a run of a small Spark job."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

from chicago_crime import reference
from chicago_crime.errors import PlatformError
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

    def spark(self, **settings: object) -> DataprocSpark:
        """The runner for these settings, with short waits and the jobs in `programs`."""
        built = build_dataproc(self.settings.model_copy(update=settings))
        policy = retry.RetryPolicy(timeout_s=2, first_wait_s=0.01, deadline_s=5)
        api = replace(built.api, pause_s=0.02, policy=policy)
        backend = replace(built.backend, api=api)
        store, programs = replace(built.store, policy=policy), self.folder / "programs"
        return replace(built, api=api, backend=backend, store=store, programs=programs)


@contextmanager
def cloud_in(folder: Path, runs: bool) -> Iterator[Cloud]:
    (folder / "programs").mkdir(parents=True)
    (folder / "programs" / "broken.py").write_text(JOB)
    subnet = f"projects/{PROJECT_ID}/regions/us-central1/subnetworks/crime"
    with whole_cloud(folder, runs, Cloud, dataproc_service_account=WORKER, dataproc_subnet=subnet) as cloud:
        yield cloud


@dataclass
class JobRun:
    """A run of the Spark job.

    Attributes:
        log: its log, one message per line.
        reason: why it failed; "" if it succeeded.
        live_at_load: the clusters that existed when the output was read.
    """

    log: str = ""
    reason: str = ""
    live_at_load: list[Any] = field(default_factory=list)


def start(
    cloud: Cloud,
    spark: DataprocSpark,
    run_id: str | None = None,
    before_job: Callable[[Path], object] = lambda folder: None,
) -> JobRun:
    """Run a Spark job, as the platform's asset does; `before_job` is called with the input folder."""
    ran, run_id, output, log = JobRun(), run_id or str(uuid4()), StringIO(), logging.Logger("run")
    log.addHandler(logging.StreamHandler(output))
    files = {name: reference.file(name) for name in ("fbi_codes", "community_areas", "comparable_types")}
    try:
        with spark.workspace(run_id, "broken", log) as workspace:
            before_job(cloud.storage.buckets.path(STAGING, workspace.input.removeprefix(f"gs://{STAGING}/")))
            spark.run(run_id, "broken", log, crimes=workspace.input, output=workspace.output, **files)
            ran.live_at_load = [*cloud.dataproc.dataproc.clusters]
    except (PlatformError, KeyboardInterrupt) as error:
        ran.reason = str(error) or repr(error)
    ran.log = output.getvalue()
    return ran
