"""The stack of `docker-compose.yaml` as processes: runs, queue, retries, dashboard, schedule and sensor."""

import json
import re
import signal
import tempfile
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from zoneinfo import ZoneInfo

import psutil
import pyarrow.parquet as pq
import pytest

from chicago_crime_tests.end_to_end.browsing import free_port
from chicago_crime_tests.end_to_end.stack import Stack
from chicago_crime_tests.waiting import TIMEOUT_S, wait_until

pytestmark = pytest.mark.postgresql

ROWS = 600
WEB, DASHBOARD = "3000", "8050"
RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")

LAUNCH = """
mutation Launch($job: String!, $tags: [ExecutionTag!]!) {
  launchPipelineExecution(executionParams: {
    selector: {repositoryLocationName: "chicago_crime", repositoryName: "__repository__", jobName: $job},
    runConfigData: {}, executionMetadata: {tags: $tags}
  }) { __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } }
}"""
RUNS = "{ runsOrError { ... on Runs { results { runId status parentRunId tags { key value } } } } }"
EVENTS = """query Events($run: ID!) { logsForRun(runId: $run) {
  ... on EventConnection { events { __typename ... on MessageEvent { message } } } } }"""
AUTOMATION = """{ repositoriesOrError { ... on RepositoryConnection { nodes {
  schedules { name scheduleState { status } } sensors { name sensorState { status } } } } } }"""

WHERE = 'repositoryLocationName: "chicago_crime", repositoryName: "__repository__"'
SENSOR = f"""mutation {{ sensorDryRun(selectorData: {{{WHERE}, sensorName: "new_source_files"}}, cursor: "") {{
  ... on PythonError {{ message stack }}
  __typename ... on DryRunInstigationTick {{ evaluationResult {{ skipReason error {{ message }} }} }} }} }}"""
SCHEDULE = f"""mutation Dry($at: Float) {{
  scheduleDryRun(selectorData: {{{WHERE}, scheduleName: "refresh_newest_years"}}, timestamp: $at) {{
    ... on PythonError {{ message stack }}
    __typename ... on DryRunInstigationTick {{
      evaluationResult {{ runRequests {{ tags {{ key value }} }} error {{ message }} }} }} }} }}"""


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """The whole stack, started in the Compose file's order and stopped as Docker does. No process may be left."""
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
        assert [process.cmdline() for process in psutil.process_iter() if belongs(process, folder)] == []


def belongs(process: psutil.Process, folder: Path) -> bool:
    """Whether a process belongs to the stack in a folder."""
    try:
        return str(folder) in " ".join([*process.cmdline(), *process.environ().values()])
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return False


def shorten_intervals(instance: Path) -> None:
    """Set the daemon's intervals to one second, and nothing else."""
    intervals = r"(?<=poll_interval_seconds: )60$|(?<=code_failure_retry_delay: )30$"
    text, count = re.subn(intervals, "1", instance.read_text(), flags=re.MULTILINE)
    assert count == 2
    instance.write_text(text.replace("run_queue:", "run_queue:\n  dequeue_interval_seconds: 1"))


def call(stack: Stack, query: str, **variables: Any) -> Any:
    """Send a GraphQL query to the webserver, as the UI does."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{stack.address(WEB)}/graphql", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            answer = json.load(response)
    except HTTPError as error:
        pytest.fail(f"{error}: {error.read().decode()}")
    assert "errors" not in answer, answer
    [data] = answer["data"].values()
    return data


def launch(stack: Stack, first: int, last: int) -> str:
    """Launch a run of the whole graph for a range of years."""
    tags = [{"key": name, "value": str(year)} for name, year in zip(RANGE, (first, last), strict=True)]
    return launch_job(stack, "load_and_publish", tags)


def launch_job(stack: Stack, job: str, tags: list[dict[str, str]]) -> str:
    launched = call(stack, LAUNCH, job=job, tags=tags)
    assert launched["__typename"] == "LaunchRunSuccess", launched
    return launched["run"]["runId"]


def runs(stack: Stack) -> dict[str, dict[str, Any]]:
    return {run["runId"]: run for run in call(stack, RUNS)["results"]}


def status(stack: Stack, run: str) -> str:
    return runs(stack)[run]["status"]


def final_status(stack: Stack, run: str) -> str:
    """Wait until a run ends, and return its status."""
    states = ("SUCCESS", "FAILURE", "CANCELED")
    return wait_until(lambda: (now := status(stack, run)) in states and now)


def messages(stack: Stack, run: str) -> str:
    events = call(stack, EVENTS, run=run)["events"]
    return "\n".join(f"{event['__typename']} {event.get('message')}" for event in events)


def page(stack: Stack, path: str) -> str:
    with urllib.request.urlopen(stack.address(DASHBOARD) + path, timeout=TIMEOUT_S) as answer:
        assert answer.status == 200
        return answer.read().decode()


def rows(stack: Stack, table: str, year: int) -> int:
    return pq.read_metadata(stack.folder / "data" / "warehouse" / table / f"{year}.parquet").num_rows


def test_the_schedule_and_the_sensor_are_off_and_work(stack: Stack) -> None:
    [repository] = call(stack, AUTOMATION)["nodes"]
    assert repository["schedules"] == [{"name": "refresh_newest_years", "scheduleState": {"status": "STOPPED"}}]
    off = {"status": "STOPPED"}
    assert repository["sensors"] == [
        {"name": name, "sensorState": off} for name in ("default_automation_condition_sensor", "new_source_files")
    ]
    result = call(stack, SENSOR)["evaluationResult"]
    assert result["error"] is None and "sample" in result["skipReason"]
    monday = datetime(2016, 3, 7, 6, tzinfo=ZoneInfo("America/Chicago"))
    result = call(stack, SCHEDULE, at=monday.timestamp())["evaluationResult"]
    assert result["error"] is None
    [request] = result["runRequests"]
    tags = {tag["key"]: tag["value"] for tag in request["tags"]}
    assert [tags[name] for name in RANGE] == ["2015", "2016"]


def test_a_run_from_the_ui_is_queued_runs_in_the_code_location_and_shows_in_the_dashboard(stack: Stack) -> None:
    assert "Nothing is loaded" in page(stack, "/overview")
    run = launch(stack, 2016, 2016)
    assert final_status(stack, run) == "SUCCESS", messages(stack, run)
    events = messages(stack, run)
    assert events.index("RunEnqueuedEvent") < events.index("RunStartingEvent"), "the daemon dequeues it"
    assert run in (stack.folder / "code.log").read_text(), "it is a process of the code location"
    count = rows(stack, "enriched_crimes", 2016)
    assert count >= ROWS * 0.9
    overview = wait_until(lambda: f"{count:,}" in (text := page(stack, "/overview?year=2016")) and text)
    assert "SYNTHETIC" in overview
    assert "nothing_lost" in page(stack, "/data"), "the dashboard reads checks from the same database"
    # The folder is read-only in the image. The webserver does without the two folders that it tries to create.
    files = [file.name for file in stack.home.rglob("*") if file.is_file()]
    assert sorted(files) == ["dagster.yaml", "workspace.yaml"]


def test_a_stopped_code_location_finishes_its_runs_and_others_stay_in_the_queue(stack: Stack) -> None:
    run = launch(stack, 2006, 2008)
    wait_until(lambda: status(stack, run) == "STARTED")
    stack.send("code", signal.SIGTERM)
    waiting, refused = launch(stack, 2011, 2011), launch_job(stack, "fetch_boundaries", [])
    wait_until(lambda: "re-submitting the run into the queue" in messages(stack, refused))
    assert status(stack, run) == "STARTED", "the code location refused the new run while it was still up"
    assert status(stack, waiting) == "QUEUED", "the other run has its pools"
    assert stack.stop("code") == 0
    assert status(stack, run) == "SUCCESS"
    stack.start("code")
    for one in (waiting, refused):
        assert final_status(stack, one) == "SUCCESS", messages(stack, one)
    assert all(one["parentRunId"] is None for one in runs(stack).values()), "no run was retried"


def test_a_run_whose_code_location_is_killed_fails_and_is_retried(stack: Stack) -> None:
    run = launch(stack, 2002, 2002)
    wait_until(lambda: status(stack, run) == "STARTED")
    stack.stop("code", signal.SIGKILL)
    assert status(stack, run) == "STARTED", "nothing has noticed yet"
    stack.start("code")
    assert final_status(stack, run) == "FAILURE"
    assert "no process for it" in messages(stack, run)
    [retry] = wait_until(lambda: [one["runId"] for one in runs(stack).values() if one["parentRunId"] == run])
    assert final_status(stack, retry) == "SUCCESS", messages(stack, retry)
    assert rows(stack, "enriched_crimes", 2002) >= ROWS * 0.9
