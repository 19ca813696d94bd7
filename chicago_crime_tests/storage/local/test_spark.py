"""Tests of `chicago_crime/storage/local/spark.py`; `end_to_end/test_engines.py` compares the rows of both engines."""

import logging
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chicago_crime.cli.app import app
from chicago_crime.storage.local import sail
from chicago_crime.storage.local.spark import EmbeddedSpark, JvmSpark, LocalSpark
from chicago_crime.storage.spark import SparkError
from chicago_crime_tests.waiting import TIMEOUT_S


@pytest.mark.parametrize(
    ("engine", "message"),
    [
        (EmbeddedSpark(Path()), "enrich_crimes failed on the embedded engine"),
        (
            JvmSpark(Path(), 2, Path("no java")),
            "needs Java 17 or 21, whose folder JAVA_HOME or CHICAGO_CRIME_JAVA_HOME",
        ),
    ],
)
def test_a_failed_job_is_an_error(tmp_path: Path, engine: LocalSpark, message: str) -> None:
    files = dict.fromkeys(("crimes", "community_areas", "fbi_codes", "comparable_types", "output"), tmp_path / "none")
    with pytest.raises(SparkError, match=message):
        engine.run("a-run", "enrich_crimes", logging.getLogger(), **files)


def test_without_the_extra_spark_a_run_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setattr(sail, "_idle", [])
    result = CliRunner().invoke(app, ["run", "--years=2014", f"--data-dir={tmp_path}"], env={"COLUMNS": "200"})
    assert result.exit_code == 1 and "pip install 'chicago-crime[pipeline,spark]'" in result.output


def test_the_embedded_engine_ends_with_a_process_that_is_killed() -> None:
    starts = "import os, signal; from chicago_crime.storage.local import sail; sail.prepare(); os.kill(os.getpid(), 9)"
    # The engine has the same standard error, which is read until nobody has it.
    found = subprocess.run([sys.executable, "-c", starts], stderr=subprocess.PIPE, timeout=TIMEOUT_S, check=False)
    assert found.returncode == -signal.SIGKILL, found.stderr
