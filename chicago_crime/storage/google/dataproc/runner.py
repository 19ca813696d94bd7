"""Spark on Dataproc: one cluster or batch per run, removed when the job is over.

All names derive from the id of the Dagster run, so a run that is restarted after a crash finds the job that it started
and waits for it.
"""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster_pipes
from dagster import AssetExecutionContext, MetadataValue, PipesEnvContextInjector, open_pipes_session
from google.api_core.exceptions import NotFound
from typing_extensions import override

import spark_jobs
from chicago_crime.errors import PlatformError
from chicago_crime.storage.google.bucket import BucketStore
from chicago_crime.storage.google.dataproc.api import DataprocApi
from chicago_crime.storage.google.dataproc.backends import Backend, JobState, Launch, start_id
from chicago_crime.storage.google.dataproc.files import BucketMessageReader, DriverLog
from chicago_crime.storage.leases import abandoned, lease
from chicago_crime.storage.spark import JobReport, SparkError, SparkRunner, Workspace, as_options

STAGING = "staging"
"""Folder of the bucket with the workspaces of all runs."""


@dataclass(frozen=True)
class DataprocSpark(SparkRunner):
    """Runs jobs on Dataproc.

    Attributes:
        api: client of Dataproc.
        backend: runs programs there.
        store: the bucket, for programs and workspaces.
        leases: folder on this machine with a note of each run that holds something in the cloud.
        programs: folder of the jobs.
    """

    api: DataprocApi
    backend: Backend
    store: BucketStore
    leases: Path
    programs: Path = Path(spark_jobs.__path__[0])
    engine = "dataproc"

    @override
    @contextmanager
    def workspace(self, context: AssetExecutionContext, job: str) -> Iterator[Workspace]:
        """Also cleans up after runs of this machine that died."""
        run, name = context.run.run_id, name_of(context, job)
        folder = f"{STAGING}/{run}"
        with lease(self.leases, run, name) as note:
            self._clean_up_after_dead_runs(context)
            _, state = self._last_start(name, folder)
            if state is None:
                self.store.delete_prefix(f"{folder}/")  # for example of an export that was interrupted
            try:
                yield Workspace(self.store.uri(f"{folder}/input"), self.store.uri(f"{folder}/output"), bool(state))
            finally:
                if self._clean_up(context, name, folder):
                    note.unlink()

    @override
    def run(self, context: AssetExecutionContext, job: str, **arguments: Path | str) -> JobReport:
        began, name, folder = time.monotonic(), name_of(context, job), f"{STAGING}/{context.run.run_id}"
        number, state = self._last_start(name, folder)
        reader = BucketMessageReader(self.store, f"{folder}/messages/{number}")
        with open_pipes_session(context, PipesEnvContextInjector(), reader) as session:
            try:
                if state is None:
                    pipes = [text for pair in session.get_bootstrap_cli_arguments().items() for text in pair]
                    launch = self._launch(context, job, arguments, pipes)
                    self.backend.start(name, number, launch, context.log.info)
                else:
                    context.log.info(f"{start_id(name, number)}, which this run started before, is {state.state}")
                self._wait(context, name, number, reader)
            finally:
                self._clean_up(context, name)
            messages = session.get_custom_messages()
        return JobReport(
            time.monotonic() - began,
            {"dataproc": MetadataValue.url(self.backend.page(name, number))},
            {(m["table"], int(m["year"])): {"job_rows": m["rows"], "job_seconds": m["seconds"]} for m in messages},
        )

    def _last_start(self, name: str, folder: str) -> tuple[int, JobState | None]:
        """The start that is running, or succeeded and left its output; else the number of the next start, and None."""
        number = 0
        while state := self.backend.find(name, number):
            if not state.is_over or (state.is_good and self.store.list(f"{folder}/output/")):
                break
            number += 1
        return number, state

    def _launch(
        self, context: AssetExecutionContext, job: str, arguments: Mapping[str, Path | str], pipes: list[str]
    ) -> Launch:
        def upload(file: Path, name: str = "") -> str:
            return self.store.upload(file, "jobs", name)

        uploaded = {name: upload(value) if isinstance(value, Path) else value for name, value in arguments.items()}
        return Launch(
            main=upload(Path(spark_jobs.__path__[0]) / "with_pipes.py"),
            modules=[upload(self.programs / f"{job}.py"), upload(Path(dagster_pipes.__file__), "dagster_pipes.py")],
            arguments=[job, *as_options(uploaded), *pipes],
            labels={"platform": "chicago-crime", "run": context.run.run_id.lower(), "asset": _dashed(job)},
        )

    def _wait(self, context: AssetExecutionContext, name: str, number: int, reader: BucketMessageReader) -> None:
        """Wait for the end of a job; log its output and pass on its messages."""
        driver, id_ = DriverLog(self.store), start_id(name, number)
        began, last_state, is_readable = time.monotonic(), "", True
        while True:
            state = self.backend.find(name, number)
            if state is None:
                raise SparkError(f"{id_} is gone: run again")
            if state.state != last_state:
                context.log.info(" ".join(filter(None, (f"{id_} is {state.state}", state.message))))
                last_state = state.state
            try:
                reader.read_new()  # before the log, which may be in a bucket that is not ours
                if state.output and (lines := driver.new_lines(state.output, state.is_over)):
                    context.log.info(lines)
                is_readable = True
            except (PlatformError, NotFound) as error:
                if is_readable:
                    context.log.warning(f"the log and messages of {id_} cannot be read now: {error}")
                is_readable = False
            if state.is_over:
                break
            self.api.pause(began)
        if not state.is_good:
            log = f"\nThe end of its log:\n{driver.tail}" if driver.tail else ""
            reason = state.message or "Google gives no reason"
            message = self.api.explain(f"the Spark job {id_} ended as {state.state}: {reason}")
            raise SparkError(f"{message}\n{self.backend.page(name, number)}{log}")

    def _clean_up(self, context: AssetExecutionContext, name: str, folder: str | None = None) -> bool:
        """Stop what runs under a name, delete its workspace, and say whether nothing is left.

        An error here must not hide an earlier one.
        """
        try:
            self.backend.end(name, context.log.info)
            if folder:
                self.store.delete_prefix(f"{folder}/")
        except PlatformError as error:
            context.log.error(f"{name} may still run and cost money, until the next run stops it: {error}")
            return False
        return True

    def _clean_up_after_dead_runs(self, context: AssetExecutionContext) -> None:
        for note in abandoned(self.leases, besides=context.run.run_id):
            context.log.info(f"cleaning up after the run {note.name}, which died while its Spark job was running")
            if self._clean_up(context, note.read_text(), f"{STAGING}/{note.name}"):
                note.unlink()


def name_of(context: AssetExecutionContext, job: str) -> str:
    """The name of a job of a run: letters, digits and dashes, short enough for a cluster's name."""
    run = re.sub(r"[^a-z0-9]", "", context.run.run_id.lower())
    return f"{_dashed(job)[:18].strip('-')}-{run[:32]}"


def _dashed(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower())
