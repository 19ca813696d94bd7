"""The interface of Spark runners. The job, `spark_jobs/enrich_crimes.py`, reads and writes Parquet."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import spark_jobs
from chicago_crime import reference
from chicago_crime.errors import PlatformError

PROGRAM = Path(spark_jobs.__path__[0]) / "enrich_crimes.py"


class SparkError(PlatformError):
    """The job failed or could not be started; the message includes the end of its log, or the fix."""


@dataclass(frozen=True)
class Workspace:
    """Empty folders for the job: write to `input` before it runs, and read its tables from `output` afterwards.

    Both are paths or URIs that the warehouse of the same deployment can read and write.

    Attributes:
        input, output: the folders.
    """

    input: str
    output: str

    def job_options(self, upload: Callable[[Path], str] = str) -> list[str]:
        """Return the job's command-line options; `upload` returns where the job can read a local file."""
        files = {name: upload(reference.file(name)) for name in ("community_areas", "fbi_codes", "comparable_types")}
        options = {"crimes": self.input, **files, "output": self.output}
        return [text for name, value in options.items() for text in (f"--{name.replace('_', '-')}", value)]


class SparkRunner(ABC):
    """Runs the Spark job for a run of the graph."""

    engine = "spark"

    @abstractmethod
    def workspace(self, run_id: str, log: logging.Logger) -> AbstractContextManager[Workspace]:
        """Create the folders for the job of one run, and delete them on exit."""

    @abstractmethod
    def run(self, run_id: str, workspace: Workspace, log: logging.Logger) -> Mapping[str, str]:
        """Run the job in its workspace and wait for it. Returns links to pages about the job, by name.

        Raises:
            SparkError: the job failed.
        """
