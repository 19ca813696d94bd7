"""Runs a PySpark program as on a Dataproc machine: with Spark, and without `chicago_crime` or Dagster.

python spark_driver.py MAIN.py [ARGUMENTS]
"""

import importlib.abc
import os
import runpy
import sys
from collections.abc import Sequence
from typing import Any

ABSENT = {"chicago_crime", "chicago_crime_tests", "dagster", "spark_jobs"}


class _Absent(importlib.abc.MetaPathFinder):
    """Hides packages that Dataproc's machines do not have."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> None:
        if name in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def main(program: str, *arguments: str) -> None:
    sys.path.pop(0)
    sys.meta_path.insert(0, _Absent())
    sys.argv = [program, *arguments]
    os.environ |= {"RUST_LOG": "error", "SAIL_EXECUTION__DEFAULT_PARALLELISM": "1"}
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    os.environ["SPARK_REMOTE"] = f"sc://127.0.0.1:{server.listening_address[1]}"
    try:
        runpy.run_path(program, run_name="__main__")
    finally:
        server.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
