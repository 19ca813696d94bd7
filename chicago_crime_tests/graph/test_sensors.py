"""The sensor with a folder, a real instance, and fetched years."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from dagster import DefaultSensorStatus, build_sensor_context
from dagster._core.definitions.sensor_definition import SensorExecutionData

from chicago_crime.definitions import build_definitions
from chicago_crime.errors import PlatformError
from chicago_crime.graph.dagster_internals import years_in_tags
from chicago_crime.installation import Installation
from chicago_crime.settings import Settings
from chicago_crime.sources.base import no_progress
from chicago_crime.sources.folder import SETTLE_S
from chicago_crime.tables.years import current_year
from chicago_crime_tests.support import crimes_of_months, folder_settings, refuse, write_csv

NEXT_YEAR = current_year() + 1


class Watch:
    """The sensor of an installation, with a cursor that persists between ticks as in the daemon."""

    def __init__(self, settings: Settings):
        self.settings, self.cursor = settings, None
        self.definitions = build_definitions(Installation(settings))

    def tick(self) -> SensorExecutionData:
        parts = {name: (self.definitions.resources or {})[name] for name in ("source", "source_files")}
        context = build_sensor_context(cursor=self.cursor, definitions=self.definitions, resources=parts)
        [sensor] = self.definitions.sensors or []
        assert sensor.default_status is DefaultSensorStatus.STOPPED
        result = sensor.evaluate_tick(context)
        self.cursor = result.cursor or self.cursor
        return result

    def requested(self) -> list[list[int]]:
        return [years_in_tags(request.tags) for request in self.tick().run_requests or []]


@pytest.fixture
def folder(tmp_path: Path) -> Watch:
    """A watch on a folder with three years that were written a while ago."""
    for year in (2012, 2014, 2015):
        put(tmp_path / "in" / f"{year}.csv", year)
    return Watch(folder_settings(tmp_path / "data", tmp_path / "in"))


@pytest.fixture
def loaded(folder: Watch) -> Watch:
    """The same watch after the years were loaded, and a tick."""
    installation = Installation(folder.settings)
    for year in (2012, 2014, 2015):
        installation.source_files.fetch(installation.source, year, no_progress, refuse)
    result = folder.tick()
    assert (result.run_requests, result.skip_message) == ([], "the source folder has nothing new")
    return folder


def put(file: Path, year: int, seconds_ago: float = 3600, **values: Any) -> None:
    """Write a year's file with a modification time in the past."""
    write_csv(file, crimes_of_months(year, **values))
    at = time.time() - seconds_ago
    os.utime(file, (at, at))


def test_files_are_requested_once_in_contiguous_ranges(folder: Watch) -> None:
    assert folder.requested() == [[2012], [2014, 2015]]
    assert folder.requested() == []


def test_loaded_years_are_not_requested_even_without_a_cursor(loaded: Watch) -> None:
    (loaded.settings.data_dir / "csv" / "2015.json").write_bytes(b"{")
    loaded.cursor = None
    assert loaded.requested() == [[2015]], "the version of a damaged manifest is unknown"


def test_changed_and_new_files_of_a_folder_are_requested_when_written(loaded: Watch, tmp_path: Path) -> None:
    put(tmp_path / "in" / "2014.csv", 2014, seconds_ago=1800)  # same size, newer
    result = loaded.tick()
    assert [years_in_tags(request.tags) for request in result.run_requests] == [[2014]]
    assert not any(one.run_key for one in result.run_requests), "or Dagster skips the version of a restored file"
    put(tmp_path / "in" / "2013.csv", 2013)
    assert loaded.requested() == [[2013]]
    put(tmp_path / "in" / "2016.csv", 2016, seconds_ago=SETTLE_S / 2)
    put(tmp_path / "in" / "2014.csv", 2014, seconds_ago=1, per_month=1)
    assert loaded.requested() == []
    put(tmp_path / "in" / "2016.csv", 2016, seconds_ago=SETTLE_S + 1)
    assert loaded.requested() == [[2016]]


def test_a_missing_folder_fails_the_tick_and_the_next_one_catches_up(loaded: Watch, tmp_path: Path) -> None:
    (tmp_path / "in").rename(tmp_path / "away")
    with pytest.raises(PlatformError, match="is not a folder"):
        loaded.tick()
    (tmp_path / "away").rename(tmp_path / "in")
    put(tmp_path / "in" / "2016.csv", 2016)
    assert loaded.requested() == [[2016]]


def test_a_future_year_is_not_loaded(loaded: Watch, tmp_path: Path) -> None:
    put(tmp_path / "in" / f"{NEXT_YEAR}.csv", NEXT_YEAR)
    result = loaded.tick()
    assert not result.run_requests
    assert f"{NEXT_YEAR} has not started yet" in (result.skip_message or "")
    assert str(NEXT_YEAR) not in json.loads(loaded.cursor or "")
