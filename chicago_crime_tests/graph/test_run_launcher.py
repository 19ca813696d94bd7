"""Tests of `chicago_crime/run_launcher.py` where no code location answers; with one, `end_to_end/test_stack.py`."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._core.test_utils import create_run_for_test

from chicago_crime_tests.end_to_end.browsing import free_port

CONFIG = "run_launcher:\n  module: chicago_crime.graph.run_launcher\n  class: WatchedRunLauncher\n"


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    (tmp_path / "dagster.yaml").write_text(CONFIG)
    with DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


def started(instance: DagsterInstance, **tags: str) -> DagsterRun:
    return create_run_for_test(instance, status=DagsterRunStatus.STARTED, tags=tags)


def health(instance: DagsterInstance, run: DagsterRun) -> CheckRunHealthResult:
    assert instance.run_launcher.supports_check_run_worker_health
    return instance.run_launcher.check_run_worker_health(run)


def test_while_the_code_location_does_not_answer_nothing_is_decided(instance: DagsterInstance) -> None:
    nobody = json.dumps({"host": "127.0.0.1", "port": free_port()})
    found = health(instance, started(instance, **{GRPC_INFO_TAG: nobody}))
    assert found.status is WorkerStatus.RUNNING
    assert "does not answer" in (found.msg or "")


def test_a_run_of_a_command_line_is_left_alone(instance: DagsterInstance) -> None:
    assert health(instance, started(instance)).status is WorkerStatus.RUNNING
