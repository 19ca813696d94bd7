"""Full runs in the cloud with faults, kills or concurrent runs.

A run succeeds or fails cleanly, each year of a table is entirely old or entirely new, and the next run repairs
everything. `python -m benchmarks.faults` tries every fault, and kills, at every call, which takes hours.
"""

import time
from collections.abc import Iterator

import pytest

from chicago_crime_tests.end_to_end import disturbed_runs as runs
from chicago_crime_tests.end_to_end.cloud import Cloud, cloud_in
from chicago_crime_tests.servers.faults import Fault
from chicago_crime_tests.support import crimes_of_months, write_csv
from chicago_crime_tests.waiting import TIMEOUT_S


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud that has loaded the old version. Each test repairs any damage by loading a version."""
    folder = tmp_path_factory.mktemp("faults")
    for version, per_month in (("old", runs.OLD), ("new", runs.NEW)):
        write_csv(folder / version / f"{runs.YEAR}.csv", crimes_of_months(runs.YEAR, per_month))
    with cloud_in(folder) as made:
        runs.load(made, "old")
        yield made


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the waits of retries and polls in this process."""
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep(min(seconds, 0.05)))


def test_a_lost_response_at_the_first_call_of_every_kind(cloud: Cloud) -> None:
    """`python -m benchmarks.faults` tries the other faults."""
    chosen = runs.Chosen(Fault(loses_answer=True), lambda call: call.place == 0)
    runs.run_under(cloud, chosen)
    assert len(chosen.hit) >= 25


def test_kill_9_leaves_complete_tables_and_the_next_run_repairs(cloud: Cloud) -> None:
    assert runs.kill_run_at(cloud, runs.Call("dataproc POST regions/us-central1/jobs:submit", 0))


def test_concurrent_runs_leave_each_table_with_one_version(cloud: Cloud) -> None:
    processes = [cloud.begin(*runs.run_of(cloud, version)) for version in ("old", "new")]
    for process in processes:
        output, _ = process.communicate(timeout=TIMEOUT_S)
        assert process.returncode in (0, 1), output
        assert "Traceback" not in output
    runs.versions(cloud)
    runs.load(cloud, "new")
    runs.assert_made_of(cloud, runs.NEW)
