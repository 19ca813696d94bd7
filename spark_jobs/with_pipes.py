"""Run another job of this folder and report its progress to Dagster, through Dagster Pipes.

Spark itself writes the messages, as small text files next to the job's tables. That takes no library and no permission
that the job lacks, and a reader that starts late, or a second time, finds all of them.

    spark-submit --py-files dagster_pipes.py,JOB.py with_pipes.py JOB [its options] --dagster-pipes-context ...
        --dagster-pipes-messages ...

The last two options come from `PipesSession.get_bootstrap_cli_arguments`; the parameters of the messages are
`{"folder": URI}`.
"""

import argparse
import importlib
import sys
from collections.abc import Mapping, Sequence
from typing import IO, Any

from dagster_pipes import (
    PipesBlobStoreMessageWriter,
    PipesBlobStoreMessageWriterChannel,
    PipesCliArgsParamsLoader,
    open_dagster_pipes,
)
from pyspark.sql import SparkSession

SECONDS_BETWEEN_MESSAGES = 10


class SparkMessageWriter(PipesBlobStoreMessageWriter):
    """Writes messages with Spark."""

    def __init__(self, spark: SparkSession):
        super().__init__(interval=SECONDS_BETWEEN_MESSAGES)
        self._spark = spark

    def make_channel(self, params: Mapping[str, Any]) -> "_Channel":
        """The channel into the folder that the parameters name."""
        return _Channel(self._spark, params["folder"], interval=self.interval)


class _Channel(PipesBlobStoreMessageWriterChannel):
    def __init__(self, spark: SparkSession, folder: str, *, interval: float):
        super().__init__(interval=interval)
        self._spark, self._folder = spark, folder

    def upload_messages_chunk(self, payload: IO[str], index: int) -> None:
        """Write some messages, a line each, as `<folder>/<index>/<any name>.txt`."""
        lines = self._spark.createDataFrame([(payload.read(),)], "value STRING")
        lines.coalesce(1).write.mode("overwrite").text(f"{self._folder}/{index}")


def main(arguments: Sequence[str]) -> None:
    """Run the job that the first argument names, with the rest of the arguments."""
    of_pipes = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    of_pipes.add_argument("--dagster-pipes-context")
    of_pipes.add_argument("--dagster-pipes-messages")
    _, options = of_pipes.parse_known_args(arguments[1:])
    spark = SparkSession.builder.appName(arguments[0]).getOrCreate()
    try:
        with open_dagster_pipes(
            params_loader=PipesCliArgsParamsLoader(), message_writer=SparkMessageWriter(spark)
        ) as pipes:
            pipes.log.info(f"{arguments[0]} runs on Spark {spark.version}")
            importlib.import_module(arguments[0]).main(options, spark, pipes.report_custom_message)
    finally:
        spark.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
