"""Tests of `chicago_crime/jobs.py`: what the schedule asks for."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from dagster import DagsterInstance, DefaultScheduleStatus, build_schedule_context
from dagster._core.definitions.schedule_definition import ScheduleExecutionData

from chicago_crime.definitions import build_definitions
from chicago_crime.graph.jobs import refresh_newest_years
from chicago_crime.installation import Installation
from chicago_crime.settings import Settings, load_settings
from chicago_crime.tables.years import CURRENT_YEAR
from chicago_crime_tests.support import crimes_of_months, folder_settings, write_csv


def tick(settings: Settings, at: datetime) -> ScheduleExecutionData:
    """What the schedule says at a time."""
    context = build_schedule_context(
        DagsterInstance.ephemeral(),
        scheduled_execution_time=at.replace(tzinfo=ZoneInfo("America/Chicago")),
        resources=build_definitions(Installation(settings)).resources,
    )
    return refresh_newest_years.evaluate_tick(context)


def years_asked(told: ScheduleExecutionData) -> list[tuple[str, str]]:
    names = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
    return [tuple(request.tags[name] for name in names) for request in told.run_requests or []]  # type: ignore[misc]


def test_it_comes_on_monday_mornings_and_is_off_until_it_is_switched_on() -> None:
    assert refresh_newest_years.default_status is DefaultScheduleStatus.STOPPED
    assert (refresh_newest_years.cron_schedule, refresh_newest_years.execution_timezone) == (
        "0 6 * * 1",
        "America/Chicago",
    )


def test_it_asks_for_the_current_year_and_the_one_before(tmp_path: Path) -> None:
    told = tick(load_settings(data_dir=tmp_path), datetime(2016, 3, 7, 6))
    assert years_asked(told) == [("2015", "2016")]


@pytest.mark.parametrize(
    ("there", "asked"), [([2014, 2015], [("2015", "2015")]), ([2014], []), ([2015, 2016], [("2015", "2016")])]
)
def test_it_asks_only_for_years_that_the_source_has(
    tmp_path: Path, there: list[int], asked: list[tuple[str, str]]
) -> None:
    for year in there:
        write_csv(tmp_path / "in" / f"{year}.csv", crimes_of_months(year))
    told = tick(folder_settings(tmp_path / "data", tmp_path / "in"), datetime(2016, 3, 7, 6))
    assert years_asked(told) == asked
    assert told.skip_message == (None if asked else "the source folder has neither 2015 nor 2016")


def test_a_code_location_that_is_up_since_last_year_still_refreshes_the_years_that_it_has(tmp_path: Path) -> None:
    for year in (CURRENT_YEAR, CURRENT_YEAR + 1):
        write_csv(tmp_path / "in" / f"{year}.csv", crimes_of_months(year))
    told = tick(folder_settings(tmp_path / "data", tmp_path / "in"), datetime(CURRENT_YEAR + 1, 1, 11, 6))
    assert years_asked(told) == [(str(CURRENT_YEAR), str(CURRENT_YEAR))]
