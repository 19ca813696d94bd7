"""Spark on Dataproc: one cluster or batch per run, removed when the job ends.

All names derive from the run's id, so a repeated request starts nothing twice.
"""

import logging
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from google.api_core.exceptions import NotFound
from typing_extensions import override

from chicago_crime.errors import PlatformError
from chicago_crime.storage.google.bucket import BucketStore
from chicago_crime.storage.google.dataproc.backends import SUCCEEDED_STATES, TERMINAL_STATES, Backend, JobState
from chicago_crime.storage.leases import abandoned, lease
from chicago_crime.storage.spark import PROGRAM, SparkError, SparkRunner, Workspace

STAGING = "staging"
"""Folder in the bucket with the workspaces of all runs."""


@dataclass(frozen=True)
class DataprocSpark(SparkRunner):
    """Runs the job on Dataproc.

    Attributes:
        backend: runs programs there.
        store: bucket for programs and workspaces, where a rule may delete files of earlier runs.
        leases: local folder with a note for each run that holds something in the cloud.
        program: file of the job.
    """

    backend: Backend
    store: BucketStore
    leases: Path
    program: Path = PROGRAM
    engine = "dataproc"

    @override
    @contextmanager
    def workspace(self, run_id: str, log: logging.Logger) -> Iterator[Workspace]:
        """Also clean up after runs on this machine that died."""
        name, folder = name_of(run_id), f"{STAGING}/{run_id}"
        with lease(self.leases, run_id, name) as note:
            for dead in abandoned(self.leases):
                log.info(f"cleaning up after the run {dead.name}, which died while its Spark job was running")
                if self._clean_up(dead.read_text(), log, f"{STAGING}/{dead.name}"):
                    dead.unlink()
            try:
                yield Workspace(self.store.uri(f"{folder}/input"), self.store.uri(f"{folder}/output"))
            finally:
                if self._clean_up(name, log, folder):
                    note.unlink()

    @override
    def run(self, run_id: str, workspace: Workspace, log: logging.Logger) -> Mapping[str, str]:
        name = name_of(run_id)

        def upload(file: Path) -> str:
            return self.store.uri(self.store.add(f"{STAGING}/{run_id}/job", file).key)

        program = {"main_python_file_uri": upload(self.program), "args": workspace.job_options(upload)}
        labels = {"platform": "chicago-crime", "run": run_id.lower(), "asset": "enrich-crimes"}
        try:
            self.backend.start(name, program, labels, log.info)
            self._wait(name, log)
        finally:
            self._clean_up(name, log)
        return {"dataproc": self.backend.page(name)}

    def _wait(self, name: str, log: logging.Logger) -> None:
        """Wait until a job ends, and log its states."""
        began, job = time.monotonic(), JobState("")
        while job.state not in TERMINAL_STATES:
            self.backend.pause(began)
            before, found = job.state, self.backend.find(name)
            if found is None:
                raise SparkError(f"{name} no longer exists: run again")
            job = found
            if job.state != before:
                log.info(" ".join(filter(None, (f"{name} is {job.state}", job.message))))
        if job.state not in SUCCEEDED_STATES:
            reason = job.message or "Google gives no reason"
            message = self.backend.explain(f"the Spark job {name} failed with the state {job.state}: {reason}")
            raise SparkError(f"{message}\n{self.backend.page(name)}{self._end_of_log(job.output)}")

    def _end_of_log(self, output: str) -> str:
        """Return the end of a driver's output, which Dataproc writes to numbered files."""
        try:
            store, prefix = self.store.at(output)
            files = [store.read(item.key) for item in store.list(prefix)[-2:]] if prefix else []
        except (PlatformError, NotFound):  # the bucket may not be ours
            files = []
        text = b"".join(found[0] for found in files if found).decode(errors="replace")
        return f"\nThe end of its log:\n{text[-4000:]}" if text else ""

    def _clean_up(self, name: str, log: logging.Logger, folder: str | None = None) -> bool:
        """Stop a program and, if a folder is given, delete it. Returns whether nothing is left.

        Errors are only logged, so that they do not hide an earlier one.
        """
        try:
            self.backend.end(name, log.info)
        except PlatformError as error:
            log.error(f"{name} may still be running, and billed, until the next run stops it: {error}")
            return False
        try:
            if folder:
                self.store.delete_prefix(f"{folder}/")
        except PlatformError as error:
            log.error(f"{folder} in the bucket could not be deleted; the next run tries again: {error}")
            return False
        return True


def name_of(run_id: str) -> str:
    """Return the name of a run's job: letters, digits and dashes, short enough for a cluster's name."""
    return f"enrich-crimes-{re.sub(r'[^a-z0-9]', '', run_id.lower())[:32]}"
