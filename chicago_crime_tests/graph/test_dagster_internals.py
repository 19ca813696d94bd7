"""The batching event log compared with Dagster's own; `end_to_end/test_stack.py` tests the run launcher further."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from queue import Queue
from traceback import TracebackException

import pytest
import yaml
from dagster import AssetKey, DagsterInstance, DagsterInvariantViolationError, DagsterRunStatus, asset, materialize
from dagster._check import CheckError
from dagster._core.launcher.base import WorkerStatus
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._core.test_utils import create_run_for_test
from dagster._utils.error import SerializableErrorInfo

from chicago_crime.graph.dagster_internals import BATCH_SIZE, BatchingEventLog, message_of
from chicago_crime.graph.instance import DAGSTER, open_instance
from chicago_crime.settings import Settings
from chicago_crime.sources.base import SourceError
from chicago_crime_tests.end_to_end.browsing import free_port

LAUNCHER = "run_launcher:\n  module: chicago_crime.graph.dagster_internals\n  class: WatchedRunLauncher\n"


@asset
def a_table() -> None:
    """An asset without data."""


def test_the_batching_log_and_dagsters_own_read_each_others_events(settings: Settings) -> None:
    with open_instance(settings) as batching, DagsterInstance.from_config(str(settings.home)) as own:
        assert type(batching.event_log_storage) is BatchingEventLog
        assert type(own.event_log_storage) is SqliteEventLogStorage
        assert int(os.environ[BATCH_SIZE]) > 1
        for writer, reader in ((batching, own), (own, batching)):
            run_id = materialize([a_table], instance=writer).run_id
            assert [*reader.all_logs(run_id)] == [*writer.all_logs(run_id)]
            latest = reader.get_latest_materialization_event(AssetKey("a_table"))
            assert latest and latest.run_id == run_id


def test_the_ui_notices_the_events_of_a_running_run(settings: Settings) -> None:
    """It watches the database file, but the events are in the write-ahead log."""
    with open_instance(settings) as instance, DagsterInstance.from_config(str(settings.home)) as ui:
        run_id = materialize([a_table], instance=instance).run_id
        [event] = [e for e in instance.all_logs(run_id) if e.dagster_event and e.dagster_event.is_step_materialization]
        noticed: Queue[str] = Queue()
        known = ui.get_records_for_run(run_id).cursor
        ui.watch_event_logs(run_id, known, lambda entry, cursor: noticed.put(cursor))
        for _ in range(2):
            instance.event_log_storage.store_event(event)
            assert noticed.get(timeout=30) != known


def test_configured_storage_is_kept(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    config = settings.folder / "dagster.yaml"
    consolidated = {
        "module": "dagster._core.storage.event_log",
        "class": "ConsolidatedSqliteEventLogStorage",
        "config": {"base_dir": str(settings.data_dir / "elsewhere")},
    }
    config.write_text(yaml.dump({"event_log_storage": consolidated}))
    monkeypatch.setattr("chicago_crime.graph.instance.CONFIG", config)
    for one in (settings, settings.model_copy(update={"dagster_home": settings.home})):
        with open_instance(one) as instance:
            assert type(instance.event_log_storage).__name__ == "ConsolidatedSqliteEventLogStorage"
        config.write_text("")  # the user's file in their own home of Dagster is kept


def test_a_batch_is_stored_completely_or_not_at_all(settings: Settings) -> None:
    with open_instance(settings) as instance:
        run_id = materialize([a_table], instance=instance).run_id

        def stored() -> tuple[int, int]:
            """Count the run's events, and those in the database shared by all runs."""
            [file] = settings.data_dir.rglob("index.db")
            with closing(sqlite3.connect(file)) as connection:
                [(count,)] = connection.execute("SELECT COUNT(*) FROM event_logs").fetchall()
            return len(instance.all_logs(run_id)), count

        [event] = [e for e in instance.all_logs(run_id) if e.dagster_event and e.dagster_event.is_step_materialization]
        before = stored()
        with pytest.raises(CheckError):
            instance.event_log_storage.store_event_batch([event, "not an event"])
        assert stored() == before
        instance.event_log_storage.store_event_batch([event, event])
        assert stored() == (before[0] + 2, before[1] + 2)


def test_the_message_of_an_error_is_its_own_not_that_of_dagster_or_of_its_cause() -> None:
    def message(error: BaseException) -> str:
        return message_of(SerializableErrorInfo.from_traceback(TracebackException.from_exception(error)))

    own = SourceError("crimes.csv: line 3: no date")
    own.__cause__ = ValueError("year")
    wrapper = DagsterInvariantViolationError("Error in a sensor")
    wrapper.__cause__ = own
    assert message(wrapper) == message(own) == "crimes.csv: line 3: no date"
    assert message(KeyError("year")) == "KeyError: 'year'"


def test_runs_without_a_code_location_that_responds_are_healthy(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text(LAUNCHER)
    nobody = {GRPC_INFO_TAG: json.dumps({"host": "127.0.0.1", "port": free_port()})}
    with DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.run_launcher.supports_check_run_worker_health
        for tags, message in (({}, ""), (nobody, "does not respond")):  # a run of the command line has no location
            run = create_run_for_test(instance, status=DagsterRunStatus.STARTED, tags=tags)
            found = instance.run_launcher.check_run_worker_health(run)
            assert (found.status, message in (found.msg or "")) == (WorkerStatus.RUNNING, True)


def test_ctrl_c_during_the_import_of_dagster_prints_no_traceback() -> None:
    command = [sys.executable, "-X", "importtime", "-c", DAGSTER, "--version"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as dagster:
        assert dagster.stderr
        while "dagster" not in dagster.stderr.readline():
            pass
        dagster.send_signal(signal.SIGINT)
        assert ("Traceback" in dagster.stderr.read(), dagster.wait()) == (False, -signal.SIGINT)
