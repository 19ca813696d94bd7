"""Runs in the cloud that are killed, or that meet: each year is wholly old or wholly new, and the next run repairs all.

Runs are processes of their own here, the servers live on: Google does not die with us.
"""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping

import pytest

from chicago_crime_tests.end_to_end.cloud import Cloud, cloud_in
from chicago_crime_tests.end_to_end.disturbed_runs import (
    BEFORE_SPARK,
    NEW,
    OLD,
    YEAR,
    Call,
    Chosen,
    assert_made_of,
    let_be,
    load,
    run_of,
    the_other,
    versions,
)
from chicago_crime_tests.patience import PATIENCE_S, until
from chicago_crime_tests.servers.faults import Fault, FaultyServer
from chicago_crime_tests.servers.portal_server import PortalServer
from chicago_crime_tests.support import crimes_of_months, write_csv


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


# The call that is under way when the run dies. What comes before Spark is killed and repaired without it, which is
# quicker.
MOMENTS = {
    "an object is uploaded": (Call("storage POST /upload/bucket/o multipart", 0), BEFORE_SPARK),
    "the raw table is loaded": (Call("bigquery POST jobs", 0), BEFORE_SPARK),
    "the typed table is replaced": (Call("bigquery POST jobs", 4), BEFORE_SPARK),
    "the typed table is exported": (Call("bigquery POST jobs", 5), ""),
    "the cluster is created": (Call("dataproc POST regions/us-central1/clusters", 0), ""),
    "the Spark job runs": (Call("dataproc POST regions/us-central1/jobs:submit", 0), ""),
    "the cluster is deleted": (Call("dataproc DELETE regions/us-central1/clusters/*", 0), ""),
    "the Spark tables are published": (Call("bigquery POST jobs", 6), ""),
    "staged files are removed": (Call("storage POST /batch/storage/v1", 0), ""),
    "a mart is written": (Call("bigquery POST jobs", 8), ""),
}


def is_killed(process: subprocess.Popen[str], servers: Mapping[str, FaultyServer], at: Call) -> None:
    """Have a run die by kill -9 when it makes a call, and wait until what it has asked for is done."""
    chosen = Chosen(Fault(before=lambda: os.kill(process.pid, signal.SIGKILL)), at.__eq__)
    chosen.rule(servers)
    output, _ = process.communicate(timeout=PATIENCE_S)
    let_be(servers)
    assert chosen.befallen == {at}, output
    assert process.returncode == -signal.SIGKILL, output


@pytest.mark.parametrize("moment", MOMENTS)
def test_kill_9_leaves_each_table_wholly_old_or_new_and_the_next_run_repairs(cloud: Cloud, moment: str) -> None:
    call, assets = MOMENTS[moment]
    version, now = the_other(cloud)
    is_killed(cloud.begin(*run_of(cloud, version, assets)), cloud.servers, call)
    until(lambda: all(job.done.is_set() for job in cloud.bigquery.jobs.by_id.values()))
    versions(cloud)
    load(cloud, version, assets)
    assert_made_of(cloud, now, assets)


def test_kill_9_while_the_source_hands_over_a_year_changes_nothing_and_the_next_run_repairs(cloud: Cloud) -> None:
    _, now = the_other(cloud)
    before = versions(cloud)
    with PortalServer(crimes_of_months(YEAR, now)).answering() as portal:
        command = ["run", "--years", str(YEAR), "--source", "portal", "--allow-shrink", "--assets", BEFORE_SPARK]
        address = {"CHICAGO_CRIME_PORTAL_URL": portal.url}
        is_killed(cloud.begin(*command, env=address), {"portal": portal}, Call("portal GET /resource/ijzp-q8t2.csv", 0))
        assert versions(cloud) == before
        again = cloud.command(*command, **address)
    assert again.code == 0, again.output
    assert_made_of(cloud, now, BEFORE_SPARK)


def test_two_backfills_of_overlapping_years_at_once_leave_every_year_whole(cloud: Cloud) -> None:
    processes = [cloud.begin(*run_of(cloud, "new", years=years)) for years in ("2012-2014", "2013-2015")]
    for process in processes:
        output, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, output  # with the checks that nothing is lost, which are among the run's
    for year in range(2012, 2016):
        assert_made_of(cloud, NEW, year=year)


def test_two_runs_with_different_files_of_a_year_at_once_leave_each_table_wholly_of_one(cloud: Cloud) -> None:
    processes = [cloud.begin(*run_of(cloud, version)) for version in ("old", "new")]
    for process in processes:
        output, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode in (0, 1), output
        assert "Traceback" not in output
    versions(cloud)
    load(cloud, "new")
    assert_made_of(cloud, NEW)
