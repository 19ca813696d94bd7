"""Runs in the cloud that are killed, or that meet: each year is wholly old or wholly new, and the next run repairs all.

Runs are processes of their own here, the servers live on: Google does not die with us.
"""

import os
import signal
from collections.abc import Iterator

import pytest

from chicago_crime.tables import TABLES
from chicago_crime_tests.end_to_end.browsing import until
from chicago_crime_tests.end_to_end.cloud import Cloud, cloud_in
from chicago_crime_tests.servers.faults import Fault
from chicago_crime_tests.support import crimes_of_months, write_csv

YEAR = 2014
OLD, NEW = 3, 4
"""Crimes a month in the two versions of a year."""

COUNTED = [name for name in TABLES if name not in ("rejected_crimes", "revisions")]
"""The tables in which every crime of a year counts."""
BEFORE_SPARK = "crime_csv,crime_object,raw_crimes,revisions,crimes,rejected_crimes"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud that has loaded the old version. Its tests repair what they damage, each by loading the other version."""
    folder = tmp_path_factory.mktemp("crashes")
    for version, per_month in (("old", OLD), ("new", NEW)):
        for year in range(2012, 2016):
            write_csv(folder / version / f"{year}.csv", crimes_of_months(year, per_month))
    with cloud_in(folder) as made:
        load(made, "old")
        yield made


def run_of(cloud: Cloud, version: str, assets: str = "", years: str = str(YEAR)) -> list[str]:
    """The command that loads years of a version, or only some assets of it."""
    some = ["--assets", assets] if assets else []
    return ["run", "--years", years, "--folder", str(cloud.folder / version), "--allow-shrink", *some]


def load(cloud: Cloud, version: str, assets: str = "") -> None:
    ended = cloud.command_here(*run_of(cloud, version, assets))
    assert ended.code == 0, ended.output


def versions(cloud: Cloud, year: int = YEAR) -> dict[str, int]:
    """For each table which version a year is wholly of, in crimes a month; no crime is there twice."""
    found = {name: cloud.crimes(name).get(year, 0) for name in COUNTED}
    assert set(found.values()) <= {12 * OLD, 12 * NEW}, found
    for table in ("crimes", "enriched_crimes"):
        ids = [row["id"] for row in cloud.rows(table)]
        assert len(ids) == len(set(ids)), table
    return {name: crimes // 12 for name, crimes in found.items()}


def assert_made_of(cloud: Cloud, per_month: int, assets: str = "", year: int = YEAR) -> None:
    """All tables, or those among some assets, are wholly of one version, and nothing is left to be removed."""
    found = versions(cloud, year)
    made = [name for name in found if not assets or name in assets.split(",")]
    assert {name: found[name] for name in made} == dict.fromkeys(made, per_month)
    assert cloud.left() == []


# Whatever is asked of these paths at these places of a run is under way when the run dies. What comes before Spark is
# killed and repaired without it, which is quicker.
JOBS = "/projects/chicago-test/jobs?"
MOMENTS = {
    "an object is uploaded": ("storage", "/upload/storage/v1/b/chicago-test/o", 0, BEFORE_SPARK),
    "the raw table is loaded": ("bigquery", JOBS, 0, BEFORE_SPARK),
    "the typed table is replaced": ("bigquery", JOBS, 4, BEFORE_SPARK),
    "the cluster is created": ("dataproc", "/clusters?", 0, ""),
    "the Spark job runs": ("dataproc", "jobs:submit", 0, ""),
    "the Spark tables are published": ("bigquery", JOBS, 6, ""),
    "a mart is written": ("bigquery", JOBS, 8, ""),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_kill_9_leaves_each_table_wholly_old_or_new_and_the_next_run_repairs(cloud: Cloud, moment: str) -> None:
    before = versions(cloud)["crimes"]
    version, now = ("new", NEW) if before == OLD else ("old", OLD)
    service, path, after, assets = MOMENTS[moment]
    process = cloud.begin(*run_of(cloud, version, assets))
    killed: list[bool] = []

    def kill() -> None:
        os.kill(process.pid, signal.SIGKILL)
        killed.append(True)

    cloud.servers[service].will(Fault(before=kill), on=path, after=after)
    output, _ = process.communicate(timeout=300)
    cloud.servers[service].forget_faults()
    assert killed and process.returncode == -signal.SIGKILL, output
    until(lambda: all(job.done.is_set() for job in cloud.bigquery.jobs.by_id.values()))
    versions(cloud)
    load(cloud, version, assets)
    assert_made_of(cloud, now, assets)


def test_two_backfills_of_overlapping_years_at_once_leave_every_year_whole(cloud: Cloud) -> None:
    processes = [cloud.begin(*run_of(cloud, "new", years=years)) for years in ("2012-2014", "2013-2015")]
    for process in processes:
        output, _ = process.communicate(timeout=300)
        assert process.returncode == 0, output  # with the checks that nothing is lost, which are among the run's
    for year in range(2012, 2016):
        assert_made_of(cloud, NEW, year=year)


def test_two_runs_with_different_files_of_a_year_at_once_leave_each_table_wholly_of_one(cloud: Cloud) -> None:
    processes = [cloud.begin(*run_of(cloud, version)) for version in ("old", "new")]
    for process in processes:
        output, _ = process.communicate(timeout=300)
        assert process.returncode in (0, 1), output
        assert "Traceback" not in output
    versions(cloud)
    load(cloud, "new")
    assert_made_of(cloud, NEW)
