"""The quicker event log writes what Dagster's own class reads, and stands in for no other storage."""

import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from dagster import AssetKey, AssetMaterialization, DagsterInstance, asset, materialize
from dagster._check import CheckError
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage

from chicago_crime.graph.event_log import BATCH_SIZE, BatchingEventLog
from chicago_crime.graph.instance import open_instance
from chicago_crime.settings import Settings


@asset
def a_table() -> None:
    """Nothing to make."""


def events_of(instance: DagsterInstance, run_id: str) -> list[tuple[str, str | None]]:
    """Type and step of each event of a run, in order."""
    events = [entry.dagster_event for entry in instance.all_logs(run_id)]
    return [(event.event_type_value, event.step_key) for event in events if event]


def test_dagsters_own_class_reads_what_it_wrote(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with open_instance(settings) as quicker:
        assert type(quicker.event_log_storage) is BatchingEventLog
        run = materialize([a_table], instance=quicker)
        written = events_of(quicker, run.run_id)
    with DagsterInstance.from_config(str(settings.home)) as own:
        assert type(own.event_log_storage) is SqliteEventLogStorage
        assert events_of(own, run.run_id) == written
        assert ("ASSET_MATERIALIZATION", "a_table") in written
        assert own.get_latest_materialization_event(AssetKey("a_table")) is not None


def test_it_reads_what_dagsters_own_class_wrote(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with open_instance(settings), DagsterInstance.from_config(str(settings.home)) as own:
        run = materialize([a_table], instance=own)
        written = events_of(own, run.run_id)
    with open_instance(settings) as quicker:
        assert events_of(quicker, run.run_id) == written
        assert quicker.get_latest_materialization_event(AssetKey("a_table")) is not None


def test_threads_and_instances_write_at_once_and_lose_nothing(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with open_instance(settings) as one, open_instance(settings) as other:

        def write(number: int) -> None:
            instance = one if number % 2 else other
            instance.report_runless_asset_event(AssetMaterialization("a_table", partition=str(number)))

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(write, range(40)))
        assert one.get_materialized_partitions(AssetKey("a_table")) == {str(number) for number in range(40)}


def test_the_file_is_up_to_date_after_each_event(tmp_path: Path) -> None:
    """The UI watches the file itself: what waits in a log beside it would be seen late."""
    with open_instance(Settings(data_dir=tmp_path)) as instance:
        instance.report_runless_asset_event(AssetMaterialization("a_table"))
        assert list(tmp_path.rglob("index.db"))
        assert not [file for file in tmp_path.rglob("*-wal") if file.stat().st_size]


def test_another_storage_that_is_configured_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    settings = Settings(data_dir=tmp_path)
    settings.home.mkdir(parents=True)
    consolidated = {
        "module": "dagster._core.storage.event_log",
        "class": "ConsolidatedSqliteEventLogStorage",
        "config": {"base_dir": str(elsewhere)},
    }
    project = tmp_path / "project"
    project.mkdir()
    (project / "dagster.yaml").write_text(yaml.dump({"event_log_storage": consolidated}))
    monkeypatch.setattr("chicago_crime.graph.instance.PROJECT_FOLDER", project)
    with open_instance(settings) as instance:
        assert type(instance.event_log_storage).__name__ == "ConsolidatedSqliteEventLogStorage"


def test_a_batch_is_stored_whole_or_not_at_all(tmp_path: Path) -> None:
    with open_instance(Settings(data_dir=tmp_path)) as instance:
        storage = instance.event_log_storage
        run = materialize([a_table], instance=instance)
        [event] = [
            entry
            for entry in instance.all_logs(run.run_id)
            if entry.dagster_event and entry.dagster_event.is_step_materialization
        ]
        before = len(instance.all_logs(run.run_id)), count_of_index(tmp_path)
        with pytest.raises(CheckError):
            storage.store_event_batch([event, "no event"])  # type: ignore[list-item]
        assert (len(instance.all_logs(run.run_id)), count_of_index(tmp_path)) == before
        storage.store_event_batch([event, event])
        assert (len(instance.all_logs(run.run_id)), count_of_index(tmp_path)) == (before[0] + 2, before[1] + 2)


def test_a_run_hands_over_its_events_in_batches(tmp_path: Path) -> None:
    with open_instance(Settings(data_dir=tmp_path)):
        assert int(os.environ[BATCH_SIZE]) > 1


def count_of_index(folder: Path) -> int:
    """Events in the database that is shared by all runs."""
    [file] = folder.rglob("index.db")
    with closing(sqlite3.connect(file)) as connection:
        return int(connection.execute("SELECT COUNT(*) FROM event_logs").fetchone()[0])
