"""Runs on a laptop that are killed, canceled or fill the disk: each table keeps the complete old or new year."""

import os
import random
import re
import resource
import shutil
import signal
import subprocess
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from dagster import DagsterInstance

from chicago_crime.dashboard.app import PAGES
from chicago_crime.graph.command_line_runs import LEASES, RunCanceledError, recorded
from chicago_crime.graph.instance import open_instance
from chicago_crime.graph.status import read_status
from chicago_crime.installation import Installation
from chicago_crime.settings import Settings
from chicago_crime_tests.dashboard.conftest import client_of
from chicago_crime_tests.end_to_end.browsing import begin
from chicago_crime_tests.end_to_end.cloud import counted
from chicago_crime_tests.end_to_end.disturbed_runs import COUNTED, published_version
from chicago_crime_tests.support import crimes_of_months, files_below, folder_settings, run_well, write_csv
from chicago_crime_tests.waiting import TIMEOUT_S

OLD, NEW = 40, 50
"""Crimes per month in the two versions of the year."""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both versions, and an installation that has loaded the old one."""
    folder = tmp_path_factory.mktemp("loaded")
    for name, per_month in (("old", OLD), ("new", NEW)):
        write_csv(folder / name / "2014.csv", crimes_of_months(2014, per_month))
    run_well(folder_settings(folder / "data", folder / "old"), 2014)
    return folder


@pytest.fixture
def settings(loaded: Path, tmp_path: Path) -> Settings:
    """A copy of the loaded installation, with folders of both versions next to it."""
    shutil.copytree(loaded, tmp_path, dirs_exist_ok=True)
    return folder_settings(tmp_path / "data", tmp_path / "old")


def start(settings: Settings, version: str, **more: object) -> subprocess.Popen:
    folders = ["--folder", str(settings.data_dir.parent / version), "--data-dir", str(settings.data_dir)]
    return begin("run", "--years", "2014", "--accept", "a test", *folders, start_new_session=True, **more)


def versions(settings: Settings) -> dict[str, int]:
    """The version of the year in each table, in crimes per month. Checks that no table mixes versions."""
    found = {}
    for name in COUNTED:
        file = settings.data_dir / "warehouse" / name / "2014.parquet"
        [(crimes,)] = duckdb.sql(f"SELECT {counted(name)} FROM '{file}'").fetchall()
        assert crimes in (12 * OLD, 12 * NEW), (name, crimes)
        found[name] = crimes // 12
    return found


def assert_readers_see(settings: Settings, per_month: int) -> None:
    """Check that queries and pages show this version."""
    assert published_version(settings) == per_month
    client = client_of(settings)
    for page in PAGES:
        answer = client.get(f"/{page}?year=2014")
        assert answer.status_code == 200 and 'id="citation"' in answer.text, (page, answer.text)
    assert re.search(rf'"value">(<a [^>]+>)?{12 * per_month}<', client.get("/overview?year=2014").text)


def assert_the_next_run_repairs_all(settings: Settings) -> None:
    process = start(settings, "new")
    seen = {published_version(settings) for _ in process.stdout}
    assert (process.wait(), set(versions(settings).values())) == (0, {NEW})
    assert seen <= {OLD, NEW}, "readers never see a mixed state"
    assert_readers_see(settings, NEW)
    assert read_status(Installation(settings)).is_complete
    assert files_below(settings.data_dir / "staging") == {}


def test_kill_9_leaves_complete_tables_and_the_next_run_repairs(settings: Settings) -> None:
    """`benchmarks.kills` kills runs of real years at random moments."""
    process = start(settings, "new")
    for line in process.stdout:
        if line.startswith("rejected_crimes 2014"):
            time.sleep(random.random() * 0.2)  # somewhere in the next step
            os.kill(process.pid, signal.SIGKILL)
            break
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    versions(settings)
    assert_readers_see(settings, OLD)
    assert status_of_runs(settings)[0] == "STARTED"
    assert_the_next_run_repairs_all(settings)
    assert status_of_runs(settings)[:2] == ["SUCCESS", "FAILURE"], "the dead run holds no place in the queue"
    revisions = settings.data_dir / "warehouse" / "revisions" / "2014.parquet"
    changes = duckdb.sql(f"SELECT kind, COUNT(*), COUNT(DISTINCT id) FROM '{revisions}' GROUP BY ALL").fetchall()
    assert changes == [("added", 12 * (NEW - OLD), 12 * (NEW - OLD))]


def status_of_runs(settings: Settings) -> list[str]:
    """Dagster's status of each run, newest first."""
    with open_instance(settings) as instance:
        return [run.status.name for run in instance.get_runs()]


@pytest.mark.parametrize(("number", "done"), [(signal.SIGHUP, "crime_csv"), (signal.SIGINT, "rejected_crimes")])
def test_a_signal_cancels_a_run_and_the_old_year_stays(settings: Settings, number: signal.Signals, done: str) -> None:
    process = start(settings, "new")
    for line in process.stdout:
        assert published_version(settings) == OLD
        if line.startswith(f"{done} 2014"):
            os.killpg(process.pid, number)  # as a terminal does
            break
    output, _ = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 128 + number, output
    assert f"was canceled by {number.name}. " in output.splitlines()[-1]
    assert "Traceback" not in output
    assert status_of_runs(settings)[0] == "CANCELED"
    assert list((settings.data_dir / LEASES).iterdir()) == []
    assert_readers_see(settings, OLD)


def test_a_signal_ends_the_run_even_if_python_drops_its_exception(settings: Settings) -> None:
    thing, went_on = set[int](), list[bool]()
    reference = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGTERM))
    with (
        DagsterInstance.ephemeral() as instance,
        pytest.raises(RunCanceledError, match="SIGTERM"),
        recorded(instance, settings, "a-run"),
    ):
        del thing
        assert reference() is None
        time.sleep(10)
        went_on.append(True)
    assert went_on == []


def no_file_above(size: int) -> Callable[[], None]:
    """A function that limits file sizes in the new process, as if the disk were full."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_full_disk_ends_the_run_with_an_error_and_the_old_year_stays(settings: Settings) -> None:
    kept = [settings.data_dir / name for name in ("warehouse", "objects", "csv")]
    before = [files_below(place) for place in kept]
    rows = crimes_of_months(2014, 28)
    for row in rows:
        row["description"] = "x" * 10_000
    write_csv(settings.data_dir.parent / "large" / "2014.csv", rows)

    process = start(settings, "large", preexec_fn=no_file_above(2_000_000))
    output, _ = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 1, output
    assert "failed: 2014: crime_csv: " in output.splitlines()[-1]
    assert "File too large" in output
    assert [files_below(place) for place in kept] == before
    assert_readers_see(settings, OLD)
    assert files_below(settings.data_dir / "staging") == {}


def test_a_disk_that_is_full_from_the_start_is_named(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    process = begin("run", "--years", "2014", "--data-dir", data, preexec_fn=no_file_above(20_000))
    output, _ = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, "Traceback" in output) == (1, False)
    assert data in output and "Is the disk full" in output
