"""The stack of `docker-compose.yaml` on this machine: what a person with Docker gets, process by process."""

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

from chicago_crime_tests.end_to_end.stack import Stack
from chicago_crime_tests.patience import PATIENCE_S, until

pytestmark = pytest.mark.postgresql

ROWS = 600
WEB, DASHBOARD = "3000", "8050"
RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")

LAUNCH = """
mutation Launch($tags: [ExecutionTag!]!) {
  launchPipelineExecution(executionParams: {
    selector: {repositoryLocationName: "chicago_crime", repositoryName: "__repository__", jobName: "everything"},
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
    """The whole stack, started in the order of the Compose file and stopped as Docker stops it; nothing may be left."""
    with tempfile.TemporaryDirectory(prefix="stack") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL may run as another user
        stack = Stack(folder, {"CHICAGO_CRIME_SAMPLE_ROWS": str(ROWS)})
        hurry(stack.home / "dagster.yaml")
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
    """Whether a process is one of the stack in a folder."""
    try:
        return str(folder) in " ".join([*process.cmdline(), *process.environ().values()])
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return False


def hurry(instance: Path) -> None:
    """Have what the daemon waits for come after a second already; nothing else differs from the server's file."""
    waits = r"(?<=poll_interval_seconds: )60$|(?<=code_failure_retry_delay: )30$"
    text, count = re.subn(waits, "1", instance.read_text(), flags=re.MULTILINE)
    assert count == 2
    instance.write_text(text.replace("run_queue:", "run_queue:\n  dequeue_interval_seconds: 1"))


def ask(stack: Stack, query: str, **variables: Any) -> Any:
    """Ask the webserver as the UI does."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{stack.address(WEB)}/graphql", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            told = json.load(answer)
    except HTTPError as error:
        pytest.fail(f"{error}: {error.read().decode()}")
    assert "errors" not in told, told
    [data] = told["data"].values()
    return data


def launch(stack: Stack, first: int, last: int) -> str:
    """Launch a run of the whole graph for a range of years."""
    tags = [{"key": name, "value": str(year)} for name, year in zip(RANGE, (first, last), strict=True)]
    launched = ask(stack, LAUNCH, tags=tags)
    assert launched["__typename"] == "LaunchRunSuccess", launched
    return launched["run"]["runId"]


def runs(stack: Stack) -> dict[str, dict[str, Any]]:
    return {run["runId"]: run for run in ask(stack, RUNS)["results"]}


def status(stack: Stack, run: str) -> str:
    return runs(stack)[run]["status"]


def ended(stack: Stack, run: str) -> str:
    """The state in which a run ended."""
    states = ("SUCCESS", "FAILURE", "CANCELED")
    return until(lambda: (now := status(stack, run)) in states and now)


def messages(stack: Stack, run: str) -> str:
    events = ask(stack, EVENTS, run=run)["events"]
    return "\n".join(f"{event['__typename']} {event.get('message')}" for event in events)


def page(stack: Stack, path: str) -> str:
    with urllib.request.urlopen(stack.address(DASHBOARD) + path, timeout=PATIENCE_S) as answer:
        assert answer.status == 200
        return answer.read().decode()


def rows(stack: Stack, table: str, year: int) -> int:
    return pq.read_metadata(stack.folder / "data" / "warehouse" / table / f"{year}.parquet").num_rows


def test_every_health_check_is_content_and_the_daemon_finds_its_database(stack: Stack) -> None:
    checked = [service for service in stack.services if "healthcheck" in stack.services[service]]
    assert set(stack.services) - set(checked) == {"migrate"}
    for service in checked:
        assert stack.check(service).returncode == 0, service


def test_the_schedule_and_the_sensor_are_there_and_off(stack: Stack) -> None:
    [repository] = ask(stack, AUTOMATION)["nodes"]
    assert repository["schedules"] == [{"name": "refresh_newest_years", "scheduleState": {"status": "STOPPED"}}]
    assert repository["sensors"] == [{"name": "new_source_files", "sensorState": {"status": "STOPPED"}}]


def test_the_schedule_and_the_sensor_can_be_tried_in_the_code_location(stack: Stack) -> None:
    told = ask(stack, SENSOR)["evaluationResult"]
    assert told == {"skipReason": "the source sample has no year that could be new", "error": None}
    monday = datetime(2016, 3, 7, 6, tzinfo=ZoneInfo("America/Chicago"))
    told = ask(stack, SCHEDULE, at=monday.timestamp())["evaluationResult"]
    assert told["error"] is None
    [request] = told["runRequests"]
    tags = {tag["key"]: tag["value"] for tag in request["tags"]}
    assert [tags[name] for name in RANGE] == ["2015", "2016"]


def test_a_run_from_the_ui_goes_through_the_queue_into_the_code_location_and_the_dashboard_shows_it(
    stack: Stack,
) -> None:
    assert "Nothing is loaded" in page(stack, "/overview")
    run = launch(stack, 2016, 2016)
    assert ended(stack, run) == "SUCCESS", messages(stack, run)
    told = messages(stack, run)
    assert told.index("RunEnqueuedEvent") < told.index("RunStartingEvent")  # taken out of the queue by the daemon
    assert run in (stack.folder / "code.log").read_text()  # it was a process of the code location
    count = rows(stack, "enriched_crimes", 2016)
    assert count >= ROWS * 0.9
    seen = until(lambda: f"{count:,}" in (text := page(stack, "/overview?year=2016")) and text)
    assert "SYNTHETIC" in seen
    assert "nothing_lost" in page(stack, "/data")  # the dashboard reads the checks from the same database
    # In the image it is read-only. The webserver tries to make two folders for telemetry, and does without.
    files = [file.name for file in stack.home.rglob("*") if file.is_file()]
    assert sorted(files) == ["dagster.yaml", "workspace.yaml"]


def test_a_stopped_code_location_lets_its_runs_end_and_others_wait_for_the_next(stack: Stack) -> None:
    run = launch(stack, 2006, 2008)
    until(lambda: status(stack, run) == "STARTED")
    stack.tell("code", signal.SIGTERM)
    waiting = launch(stack, 2011, 2011)
    until(lambda: "re-submitting the run into the queue" in messages(stack, waiting))
    assert status(stack, run) == "STARTED"  # it was refused, and not merely out of reach
    assert stack.stop("code") == 0
    assert status(stack, run) == "SUCCESS"
    stack.start("code")
    assert ended(stack, waiting) == "SUCCESS", messages(stack, waiting)
    assert all(one["parentRunId"] is None for one in runs(stack).values())  # nothing was run again


def test_a_run_whose_process_was_killed_fails_and_is_run_again(stack: Stack) -> None:
    run = launch(stack, 2014, 2014)
    until(lambda: status(stack, run) == "STARTED")
    below = psutil.Process(stack.processes["code"].pid).children()
    [process] = [child for child in below if any("spawn_main" in word for word in child.cmdline())]
    process.kill()  # as the kernel does when memory is used up
    assert_run_again(stack, run, 2014)


def test_a_run_whose_code_location_was_killed_fails_and_is_run_again(stack: Stack) -> None:
    run = launch(stack, 2002, 2002)
    until(lambda: status(stack, run) == "STARTED")
    stack.stop("code", signal.SIGKILL)
    assert status(stack, run) == "STARTED"  # nobody can tell yet
    stack.start("code")
    assert_run_again(stack, run, 2002)
    assert "the code location has no process for it" in messages(stack, run)


def assert_run_again(stack: Stack, run: str, year: int) -> None:
    """See that a run fails, and that another one, started by the daemon, does its work."""
    assert ended(stack, run) == "FAILURE"
    [again] = until(lambda: [one["runId"] for one in runs(stack).values() if one["parentRunId"] == run])
    assert ended(stack, again) == "SUCCESS", messages(stack, again)
    assert rows(stack, "enriched_crimes", year) >= ROWS * 0.9
