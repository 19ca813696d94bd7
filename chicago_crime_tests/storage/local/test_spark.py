"""Tests of `chicago_crime/storage/local/spark.py`; `end_to_end/test_engines.py` compares the rows of both engines."""

import logging
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chicago_crime.installation import Installation
from chicago_crime.settings import load_settings
from chicago_crime.storage.local.spark import EmbeddedSpark, JvmSpark
from chicago_crime.storage.spark import SparkError
from chicago_crime_tests.waiting import TIMEOUT_S


def test_the_settings_choose_the_engine(tmp_path: Path) -> None:
    assert Installation(load_settings(data_dir=tmp_path)).spark.engine == "embedded"
    assert Installation(load_settings(data_dir=tmp_path, spark_engine="jvm")).spark.engine == "jvm"


def test_a_failed_job_on_the_embedded_engine_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SparkError, match="enrich_crimes failed on the embedded engine"):
        EmbeddedSpark(tmp_path, threads=2).run(
            "a-run",
            "enrich_crimes",
            logging.getLogger(),
            crimes=tmp_path / "nothing",
            community_areas="a",
            fbi_codes="b",
            comparable_types="c",
            output=tmp_path / "out",
        )


def test_the_embedded_engine_ends_with_a_process_that_is_killed() -> None:
    starts = "import os, signal; from chicago_crime.storage.local import sail; sail.prepare(); os.kill(os.getpid(), 9)"
    # The engine has the same standard error, which is read until nobody has it.
    found = subprocess.run([sys.executable, "-c", starts], stderr=subprocess.PIPE, timeout=TIMEOUT_S, check=False)
    assert found.returncode == -signal.SIGKILL, found.stderr


def test_without_java_the_jvm_engine_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(SparkError, match=r"needs Java 17 or 21, whose folder JAVA_HOME or CHICAGO_CRIME_JAVA_HOME"):
        JvmSpark(tmp_path, 2, java_home=tmp_path / "no java").run(
            "a-run",
            "enrich_crimes",
            logging.getLogger(),
            crimes=tmp_path,
            community_areas="a",
            fbi_codes="b",
            comparable_types="c",
            output=tmp_path / "out",
        )
