"""Spark on Google's Dataproc: one cluster or batch per run, gone when the job is over.

Here belongs the course of a job: upload, start or find, wait and listen, end, clean up. All names derive from the
Dagster run, so a run that starts again, after a crash or a lost answer, finds what it began and waits for that.
"""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path

import dagster_pipes
from dagster import AssetExecutionContext, MetadataValue, PipesEnvContextInjector, open_pipes_session
from google.api_core.exceptions import Conflict, NotFound

import spark_jobs
from chicago_crime.errors import PlatformError
from chicago_crime.storage.google.dataproc.api import DataprocApi
from chicago_crime.storage.google.dataproc.files import BucketFiles, BucketMessageReader, DriverLog
from chicago_crime.storage.google.dataproc.work import Launch, Work, WorkState, start_id
from chicago_crime.storage.leases import LeaseHeldError, abandoned, lease
from chicago_crime.storage.spark import JobReport, SparkError, SparkRunner, Workspace, as_options

STAGING = "staging"
"""Folder of the bucket for all workspaces."""


@dataclass(frozen=True)
class DataprocSpark(SparkRunner):
    """Runs jobs on Dataproc.

    Attributes:
        api: the way to Dataproc.
        work: how programs run there.
        files: the bucket for programs and workspaces.
        leases: folder on this machine with notes of what runs hold in the cloud.
        max_minutes: after so long a job is given up.
        programs: folder of the jobs.
        left_behind: what is older in the staging folder is nobody's: no cluster and no batch lives for more than a day.
    """

    api: DataprocApi
    work: Work
    files: BucketFiles
    leases: Path
    max_minutes: int
    programs: Path = Path(spark_jobs.__path__[0])
    left_behind: timedelta = timedelta(days=2)
    engine = "dataproc"

    @contextmanager
    def workspace(self, context: AssetExecutionContext, job: str) -> Iterator[Workspace]:
        """See `SparkRunner.workspace`. What dead runs of this machine left is cleaned up on the way."""
        run, name = context.run.run_id, name_of(context, job)
        folder = f"{STAGING}/{run}"
        try:
            with lease(self.leases, run, name) as note:
                self._clean_up_after_the_dead(context)
                with self._explained(f"look for the job {name}"):
                    _, state = self._last_start(name, folder)
                    if state is None:
                        self.files.remove(folder)  # an export that was cut short, for one
                try:
                    yield Workspace(self.files.uri(f"{folder}/input"), self.files.uri(f"{folder}/output"), bool(state))
                finally:
                    if self._clean_up(context, name, folder):
                        note.unlink()
        except LeaseHeldError as error:
            raise SparkError(f"the run {run} is at work on its Spark job in another process") from error

    def run(self, context: AssetExecutionContext, job: str, **arguments: Path | str) -> JobReport:
        """See `SparkRunner.run`."""
        began, name, folder = time.monotonic(), name_of(context, job), f"{STAGING}/{context.run.run_id}"
        with self._explained(f"run {name}"):
            number, state = self._last_start(name, folder)
            reader = BucketMessageReader(self.files, self.files.uri(f"{folder}/messages/{number}"))
            with open_pipes_session(context, PipesEnvContextInjector(), reader) as session:
                try:
                    if state is None:
                        pipes = [text for pair in session.get_bootstrap_cli_arguments().items() for text in pair]
                        launch = self._launch(context, job, arguments, pipes)
                        self.work.start(name, number, launch, context.log.info)
                    else:
                        context.log.info(f"{start_id(name, number)} is {state.state}: this run started it before")
                    self._wait(context, name, number, reader)
                finally:
                    self._end(context, name)
                told = session.get_custom_messages()
        return JobReport(
            time.monotonic() - began,
            {"dataproc": MetadataValue.url(self.work.page(name, number))},
            {(m["table"], int(m["year"])): {"job_rows": m["rows"], "job_seconds": m["seconds"]} for m in told},
        )

    def _last_start(self, name: str, folder: str) -> tuple[int, WorkState | None]:
        """The start that is under way, or is over with its output there; else the number of the next one, and None."""
        for number in count():
            state = self.work.find(name, number)
            if state is None:
                return number, None
            if not state.is_over or (state.is_good and not self.files.is_empty(f"{folder}/output")):
                return number, state
        raise AssertionError("count() has no end")

    def _launch(
        self, context: AssetExecutionContext, job: str, arguments: Mapping[str, Path | str], pipes: list[str]
    ) -> Launch:
        upload = self.files.upload_once
        there = {name: upload(value) if isinstance(value, Path) else value for name, value in arguments.items()}
        return Launch(
            main=upload(Path(spark_jobs.__path__[0]) / "with_pipes.py"),
            modules=[upload(self.programs / f"{job}.py"), upload(Path(dagster_pipes.__file__), "dagster_pipes.py")],
            arguments=[job, *as_options(there), *pipes],
            labels={"platform": "chicago-crime", "run": context.run.run_id.lower(), "asset": job.lower()},
            salt=f"retry {context.retry_number}",
        )

    def _wait(self, context: AssetExecutionContext, name: str, number: int, reader: BucketMessageReader) -> None:
        """Wait for the end of a job, and hand on what it prints and tells meanwhile."""
        driver, id_ = DriverLog(self.files), start_id(name, number)
        began, told, is_heard = time.monotonic(), "", True
        deadline = began + self.max_minutes * 60 + 600
        while True:
            state = self.work.find(name, number)
            if state is None or time.monotonic() > deadline:
                raise SparkError(f"{id_} is {'gone' if state is None else 'not over, long after its time'}: run again")
            if state.state != told:
                context.log.info(" ".join(filter(None, (f"{id_} is {state.state}", state.message))))
                told = state.state
            try:
                reader.read_new()  # first: it is there for certain
                if state.output and (lines := driver.new_lines(state.output, state.is_over)):
                    context.log.info(lines)
                is_heard = True
            except (PlatformError, NotFound) as error:
                if is_heard:
                    context.log.warning(f"what {id_} prints and tells cannot be read now: {error}")
                is_heard = False
            if state.is_over:
                break
            self.api.pause(began)
        if not state.is_good:
            log = f"\nThe end of its log:\n{driver.tail}" if driver.tail else ""
            message = self.api.explained(
                f"the Spark job {id_} ended as {state.state}", state.message or "nobody says why"
            )
            raise SparkError(f"{message}\n{self.work.page(name, number)}{log}")

    def _end(self, context: AssetExecutionContext, name: str) -> bool:
        """End what runs under a name, and tell whether that worked. It must not hide what else went wrong."""
        try:
            if left := self.work.end(name, context.log.info):
                self.files.remove(left)
        except PlatformError as error:
            context.log.error(f"{name} may still run and cost: {error}")
            return False
        return True

    def _clean_up(self, context: AssetExecutionContext, name: str, folder: str) -> bool:
        """End what runs under a name, remove its workspace, and tell whether nothing is left."""
        try:
            is_ended = self._end(context, name)
            self.files.remove(folder)
        except PlatformError as error:
            context.log.warning(f"{self.files.uri(folder)} is left for the next run to remove: {error}")
            return False
        return is_ended

    def _clean_up_after_the_dead(self, context: AssetExecutionContext) -> None:
        for note in abandoned(self.leases, besides=context.run.run_id):
            context.log.info(f"the run {note.name} died with its Spark job under way: cleaning up after it")
            name = note.read_text()  # nothing, if it died before it began anything
            if not name or self._clean_up(context, name, f"{STAGING}/{note.name}"):
                note.unlink()
        try:
            self.files.remove_older(STAGING, self.left_behind)
        except PlatformError as error:
            context.log.warning(f"old staging is left for the next run to remove: {error}")

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
            return
        except (NotFound, Conflict) as error:
            problem = f"Dataproc cannot {what}: {error.message}"
        raise SparkError(problem)  # outside of `except`: the original has the request, with its token


def name_of(context: AssetExecutionContext, job: str) -> str:
    """The name of a job of a run: letters, digits and dashes, short enough for everything that Dataproc names."""
    run = re.sub(r"[^a-z0-9]", "", context.run.run_id.lower())
    return f"{re.sub(r'[^a-z0-9]+', '-', job.lower())[:18].strip('-')}-{run[:32]}"
