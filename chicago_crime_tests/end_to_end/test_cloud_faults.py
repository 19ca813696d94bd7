"""Whole runs in the cloud that meet faults, are killed, or meet each other.

A run succeeds or fails cleanly, each year of a table is wholly old or wholly new, and the next run repairs everything.
`python -m benchmarks.faults` tries every fault, and the death of the run, at every call, which takes hours.
"""

from collections.abc import Iterator

import pytest

from chicago_crime_tests.end_to_end.cloud import Cloud, cloud_in
from chicago_crime_tests.end_to_end.disturbed_runs import (
    FAULTS,
    NEW,
    OLD,
    Call,
    Chosen,
    assert_made_of,
    kill_run_at,
    load,
    run_of,
    run_under,
    versions,
)
from chicago_crime_tests.support import crimes_of_months, write_csv
from chicago_crime_tests.waiting import TIMEOUT_S


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud that has loaded the old version. Each test repairs what it damages by loading a version."""
    folder = tmp_path_factory.mktemp("faults")
    for version, per_month in (("old", OLD), ("new", NEW)):
        for year in range(2013, 2016):
            write_csv(folder / version / f"{year}.csv", crimes_of_months(year, per_month))
    with cloud_in(folder) as made:
        load(made, "old")
        yield made


@pytest.mark.parametrize("kind", ["503", "lost"])
def test_a_fault_at_the_first_call_of_every_kind(cloud: Cloud, kind: str) -> None:
    """The other faults are handled like 503."""
    chosen = Chosen(FAULTS[kind], lambda call: call.place == 0)
    run_under(cloud, chosen)
    assert len(chosen.hit) >= 25


# The call at which the run dies.
MOMENTS = {
    "the Spark job runs": Call("dataproc POST regions/us-central1/jobs:submit", 0),
    "a table is exported": Call("bigquery POST jobs", 28),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_kill_9_leaves_whole_tables_and_the_next_run_repairs(cloud: Cloud, moment: str) -> None:
    assert kill_run_at(cloud, MOMENTS[moment])


def test_two_runs_at_once_leave_each_table_of_their_common_year_wholly_of_one(cloud: Cloud) -> None:
    processes = [
        cloud.begin(*run_of(cloud, version, years=years))
        for version, years in (("old", "2013-2014"), ("new", "2014-2015"))
    ]
    for process in processes:
        output, _ = process.communicate(timeout=TIMEOUT_S)
        assert process.returncode in (0, 1), output
        assert "Traceback" not in output
    versions(cloud)
    ended = cloud.command_here(*run_of(cloud, "new", years="2013-2015"))
    assert ended.code == 0, ended.output
    for year in (2013, 2014, 2015):
        assert_made_of(cloud, NEW, year=year)
