"""The interface of Spark runners. A job is a file of `spark_jobs/` that reads and writes Parquet."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from chicago_crime.errors import PlatformError


class SparkError(PlatformError):
    """A job failed or could not be started; the message includes the end of its log, or the fix."""


@dataclass(frozen=True)
class Workspace:
    """Empty folders for one job: write to `input` before it runs, and read its tables from `output` afterwards.

    Both are paths or URIs that the warehouse of the same deployment can read and write.

    Attributes:
        input, output: the folders.
    """

    input: str
    output: str


class SparkRunner(ABC):
    """Runs jobs of `spark_jobs/` for a run of the graph."""

    engine = "spark"

    @abstractmethod
    def workspace(self, run_id: str, job: str, log: logging.Logger) -> AbstractContextManager[Workspace]:
        """Create the folders for one job of one run, and delete them on exit."""

    @abstractmethod
    def run(self, run_id: str, job: str, log: logging.Logger, **arguments: Path | str) -> Mapping[str, str]:
        """Run a job in its workspace and wait for it. Returns links to pages about the job, by name.

        The arguments are the options of the job's file, with underscores for dashes. A Path is a local file, which is
        uploaded if the job runs elsewhere.

        Raises:
            SparkError: the job failed.
        """


def as_options(arguments: Mapping[str, object]) -> list[str]:
    """Convert a job's arguments to command-line options."""
    return [text for name, value in arguments.items() for text in (f"--{name.replace('_', '-')}", str(value))]
