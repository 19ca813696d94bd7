"""The interface between the assets and Spark: run one file of `spark_jobs/`, Parquet in and Parquet out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dagster import AssetExecutionContext

from chicago_crime.errors import PlatformError


class SparkError(PlatformError):
    """A job failed or cannot be started; the message has the end of its log, or what to do."""


@dataclass(frozen=True)
class Workspace:
    """Fresh folders for one job: fill `input` before it runs, take its tables from `output` afterwards.

    Both are what the warehouse of the same deployment reads and writes: paths or URIs.

    Attributes:
        input, output: the folders.
        is_filled: whether the job runs already, for an earlier start of the same run: leave `input` alone.
    """

    input: str
    output: str
    is_filled: bool = False


@dataclass(frozen=True)
class JobReport:
    """What is known of a job that ended well.

    Attributes:
        seconds: how long it took, with the wait for machines.
        about: metadata of the job as a whole.
        told: (table, year) -> metadata that the job itself told while it ran; empty where nobody asked it to.
    """

    seconds: float
    about: Mapping[str, Any] = field(default_factory=dict)
    told: Mapping[tuple[str, int], Mapping[str, Any]] = field(default_factory=dict)


class SparkRunner(ABC):
    """Runs jobs of `spark_jobs/`, each for the Dagster run that asks for it."""

    engine = "spark"

    @abstractmethod
    def workspace(self, context: AssetExecutionContext, job: str) -> AbstractContextManager[Workspace]:
        """Folders for one job of one run, gone afterwards."""

    @abstractmethod
    def run(self, context: AssetExecutionContext, job: str, **arguments: Path | str) -> JobReport:
        """Run a job to its end, inside of its workspace.

        Args:
            context: of the Dagster run.
            job: name of its file, without `.py`.
            arguments: its options, with underscores for dashes. A Path is a local file; where the job runs elsewhere,
                it is taken there.

        Raises:
            SparkError: the job failed.
        """


def as_options(arguments: Mapping[str, object]) -> list[str]:
    """A job's arguments as its command line has them."""
    return [text for name, value in arguments.items() for text in (f"--{name.replace('_', '-')}", str(value))]
