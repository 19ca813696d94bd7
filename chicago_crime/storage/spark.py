"""The interface of Spark: run one file of `spark_jobs/`, which reads and writes Parquet."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from chicago_crime.errors import PlatformError


class SparkError(PlatformError):
    """A job failed or cannot be started; the message has the end of its log or says what to do."""


@dataclass(frozen=True)
class Workspace:
    """Fresh folders for one job: fill `input` before it runs, read its tables from `output` afterwards.

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
        """Folders for one job of one run, deleted on exit."""

    @abstractmethod
    def run(self, run_id: str, job: str, log: logging.Logger, **arguments: Path | str) -> Mapping[str, str]:
        """Run a job in its workspace, wait for its end, and return links to pages about it, by name.

        Args:
            run_id: of the run.
            job: name of its file, without `.py`.
            log: of the run.
            arguments: its options, with underscores for dashes. A Path is a local file; it is uploaded if the job runs
                elsewhere.

        Raises:
            SparkError: the job failed.
        """


def as_options(arguments: Mapping[str, object]) -> list[str]:
    """A job's arguments as options of its command line."""
    return [text for name, value in arguments.items() for text in (f"--{name.replace('_', '-')}", str(value))]
