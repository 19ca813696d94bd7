"""Tests of `chicago_crime/storage/local/spark.py`; `end_to_end/test_engines.py` compares the engines' rows."""

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chicago_crime.settings import Settings
from chicago_crime.storage.local import sail
from chicago_crime.storage.local.spark import EmbeddedSpark, JvmSpark, LocalSpark
from chicago_crime.storage.spark import SparkError, Workspace
from chicago_crime_tests.support import command
from chicago_crime_tests.waiting import TIMEOUT_S


@pytest.mark.parametrize(
    ("engine", "message"),
    [
        (EmbeddedSpark(Settings()), "the Spark job failed on the embedded engine"),
        (JvmSpark(Settings(java_home="no java")), r"needs Java 17 or 21 \(set JAVA_HOME or CHICAGO_CRIME_JAVA_HOME"),
    ],
)
def test_a_failed_job_is_an_error(tmp_path: Path, engine: LocalSpark, message: str) -> None:
    with pytest.raises(SparkError, match=message):
        engine.run("a-run", Workspace(str(tmp_path / "none"), str(tmp_path / "none")), logging.getLogger())


def test_a_run_without_the_spark_extra_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setattr(sail, "_idle", [])
    result = command("run", "--years", 2014, "--data-dir", tmp_path)
    assert result.exit_code == 1 and "pip install '.[pipeline,spark]'" in result.output


def test_the_embedded_engine_survives_pauses_between_jobs() -> None:
    script = (
        "import os, time; from pyspark.sql import SparkSession; from chicago_crime.storage.local import sail\n"
        "with sail.embedded_server() as address:\n"
        "    session = SparkSession.builder.remote(address).getOrCreate()\n"
        "    try:\n"
        "        session.sql('SELECT 1').collect(); time.sleep(4); session.sql('SELECT 1').collect()\n"
        "        print('survived', flush=True)\n"
        "    finally:\n"
        "        os._exit(0)  # Spark's client would wait for the server\n"
    )
    soon = os.environ | {"SAIL_SPARK__SESSION_TIMEOUT_SECS": "1"}
    assert subprocess.check_output([sys.executable, "-c", script], env=soon, timeout=TIMEOUT_S) == b"survived\n"


def test_the_embedded_engine_exits_when_its_parent_is_killed() -> None:
    starts = "import os, signal; from chicago_crime.storage.local import sail; sail.prepare(); os.kill(os.getpid(), 9)"
    # The engine inherits standard error, so `run` returns only when the engine has exited, too.
    found = subprocess.run([sys.executable, "-c", starts], stderr=subprocess.PIPE, timeout=TIMEOUT_S, check=False)
    assert found.returncode == -signal.SIGKILL, found.stderr
