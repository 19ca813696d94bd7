"""The stack of `docker-compose.yaml` as plain processes: queue, runs in the code location, retries, dashboard."""

import re
import signal
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from dagster import DagsterInstance, DagsterRunStatus
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG
from dagster_graphql import DagsterGraphQLClient

from chicago_crime_tests.end_to_end.browsing import free_port
from chicago_crime_tests.end_to_end.stack import Stack
from chicago_crime_tests.waiting import TIMEOUT_S, wait_until

pytestmark = pytest.mark.postgresql

ROWS = 600
WEB, DASHBOARD = "3000", "8050"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """The full stack, started in the Compose file's order and stopped as Docker does."""
    with tempfile.TemporaryDirectory(prefix="stack") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL may run as another user
        no_portal = f"http://127.0.0.1:{free_port()}"
        stack = Stack(folder, {"CHICAGO_CRIME_SAMPLE_ROWS": str(ROWS), "CHICAGO_CRIME_PORTAL_URL": no_portal})
        shorten_intervals(stack.home / "dagster.yaml")
        try:
            with stack.database():
                stack.run("migrate")
                stack.start("code")
                stack.start("webserver", "daemon", "dashboard")
                yield stack
                codes = {service: stack.stop(service) for service in reversed(list(stack.processes))}
                assert set(codes.values()) <= {0, -signal.SIGTERM}, (codes, [stack.log(service) for service in codes])
        finally:
            stack.kill_all()


@pytest.fixture(scope="module")
def instance(stack: Stack) -> Iterator[DagsterInstance]:
    """The stack's Dagster instance, as its services use it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in stack.environment("daemon").items():
            if name.startswith("DAGSTER_"):
                patch.setenv(name, value)
        with DagsterInstance.from_config(str(stack.home)) as instance:
            yield instance


def shorten_intervals(instance: Path) -> None:
    """Set the daemon's intervals to one second, and nothing else."""
    intervals = r"(?<=poll_interval_seconds: )60$|(?<=code_failure_retry_delay: )30$"
    text, count = re.subn(intervals, "1", instance.read_text(), flags=re.MULTILINE)
    assert count == 2
    instance.write_text(text.replace("run_queue:", "run_queue:\n  dequeue_interval_seconds: 1"))


def launch(stack: Stack, year: int) -> str:
    """Launch a run of the full graph as the UI does, and wait until it has started."""
    tags = dict.fromkeys((ASSET_PARTITION_RANGE_START_TAG, ASSET_PARTITION_RANGE_END_TAG), str(year))
    client = DagsterGraphQLClient("127.0.0.1", int(stack.ports[WEB]))
    run = client.submit_job_execution("load_and_publish", tags=tags)
    wait_until(lambda: client.get_run_status(run) is DagsterRunStatus.STARTED)
    return run


def status(instance: DagsterInstance, run_id: str) -> DagsterRunStatus:
    return instance.get_run_by_id(run_id).status


def final_status(instance: DagsterInstance, run_id: str) -> DagsterRunStatus:
    ended = (DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)
    return wait_until(lambda: (now := status(instance, run_id)) in ended and now)


def log_of(instance: DagsterInstance, run_id: str) -> str:
    entries = instance.all_logs(run_id)
    return "\n".join(f"{one.dagster_event and one.dagster_event.event_type_value} {one.message}" for one in entries)


def page(stack: Stack, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{stack.ports[DASHBOARD]}{path}", timeout=TIMEOUT_S) as answer:
        return answer.read().decode()


def rows(stack: Stack, year: int) -> int:
    return pq.read_metadata(stack.folder / "data" / "warehouse" / "enriched_crimes" / f"{year}.parquet").num_rows


def test_a_run_is_queued_survives_a_stop_and_appears_in_the_dashboard(stack: Stack, instance: DagsterInstance) -> None:
    assert "Nothing is loaded" in page(stack, "/overview")
    run = launch(stack, 2016)
    assert stack.stop("code") == 0
    assert status(instance, run) is DagsterRunStatus.SUCCESS, log_of(instance, run)
    assert run in (stack.folder / "code.log").read_text(), "it is a process of the code location"
    stack.start("code")
    events = log_of(instance, run)
    assert events.index("PIPELINE_ENQUEUED") < events.index("PIPELINE_STARTING"), "the daemon dequeues it"
    count = rows(stack, 2016)
    assert count >= ROWS * 0.9
    overview = wait_until(lambda: f"{count:,}" in (text := page(stack, "/overview?year=2016")) and text)
    assert "SYNTHETIC" in overview
    assert "nothing_lost" in page(stack, "/data"), "the dashboard reads checks from the same database"
    # The folder is read-only in the image. The webserver works without the two folders that it tries to create.
    files = [file.name for file in stack.home.rglob("*") if file.is_file()]
    assert sorted(files) == ["dagster.yaml", "workspace.yaml"]


def test_a_run_whose_code_location_is_killed_fails_and_is_retried(stack: Stack, instance: DagsterInstance) -> None:
    run = launch(stack, 2002)
    stack.stop("code", signal.SIGKILL)
    assert status(instance, run) is DagsterRunStatus.STARTED, "nothing has noticed yet"
    stack.start("code")
    assert final_status(instance, run) is DagsterRunStatus.FAILURE
    assert "no process for it" in log_of(instance, run)
    [retry] = wait_until(lambda: [one.run_id for one in instance.get_runs() if one.parent_run_id == run])
    assert final_status(instance, retry) is DagsterRunStatus.SUCCESS, log_of(instance, retry)
    assert rows(stack, 2002) >= ROWS * 0.9
