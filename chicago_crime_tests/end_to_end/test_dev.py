"""`chicago-crime dev`: a backfill in the Dagster UI loads years, and Ctrl-C ends all processes."""

import json
import signal
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import psutil
from dagster import DagsterRun, DagsterRunStatus

from chicago_crime.definitions import build_definitions
from chicago_crime.graph.instance import open_instance
from chicago_crime.graph.status import read_status
from chicago_crime.installation import Installation
from chicago_crime_tests.end_to_end.browsing import PROGRAM, free_port
from chicago_crime_tests.support import crimes_of_months, folder_settings, write_csv
from chicago_crime_tests.waiting import TIMEOUT_S, wait_until

YEARS = (2015, 2016)

BACKFILL = """mutation($of: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $of) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
LOCATIONS = "{ workspaceOrError { ... on Workspace { locationEntries { name } } } }"
STATE = "query($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }"


def call(address: str, query: str, **variables: Any) -> Any:
    """Send a GraphQL query to the webserver, as the UI does."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{address}/graphql", body, {"Content-Type": "application/json"})
    answer = json.load(urllib.request.urlopen(request, timeout=TIMEOUT_S))
    assert "errors" not in answer, answer
    [data] = answer["data"].values()
    return data


def test_a_backfill_in_the_ui_loads_years_and_ctrl_c_leaves_no_process(tmp_path: Path) -> None:
    """A run of a UI that was killed does not block the queue."""
    for year in YEARS:
        write_csv(tmp_path / "in" / f"{year}.csv", crimes_of_months(year))
    settings, port, log = folder_settings(tmp_path / "data", tmp_path / "in"), free_port(), tmp_path / "log"
    dead = DagsterRun("load_and_publish", status=DagsterRunStatus.STARTED)
    with open_instance(settings) as instance:
        instance.add_run(dead)
    address, folders = f"http://127.0.0.1:{port}", ("--folder", settings.folder, "--data-dir", settings.data_dir)
    # Started with SIGINT ignored, as in scripts with `make dev &`; Ctrl-C must work nevertheless.
    command = ["env", "--ignore-signal=INT", PROGRAM[0], "-u", *PROGRAM[1:], "dev", "--port", port, *folders]
    with log.open("w") as output:
        ui = subprocess.Popen([*map(str, command)], stdout=output, stderr=output)
    try:
        wait_until(lambda: f"The UI will be at {address} " in log.read_text())
        wait_until(lambda: json.load(urllib.request.urlopen(f"{address}/server_info")), OSError)
        assert call(address, LOCATIONS) == {"locationEntries": [{"name": "chicago_crime"}]}
        graph = build_definitions(Installation(settings)).resolve_asset_graph()
        keys = [{"path": list(key.path)} for key in graph.materializable_asset_keys if graph.get(key).is_partitioned]
        launched = call(address, BACKFILL, of={"assetSelection": keys, "partitionNames": list(map(str, YEARS))})
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        states = ("COMPLETED_SUCCESS", "COMPLETED_FAILED", "CANCELED", "FAILED")
        state = wait_until(lambda: (now := call(address, STATE, id=launched["backfillId"])["status"]) in states and now)
    finally:
        children = psutil.Process(ui.pid).children(recursive=True)
        ui.send_signal(signal.SIGINT)
        ui.wait(TIMEOUT_S)
    _, alive = psutil.wait_procs(children, timeout=TIMEOUT_S)
    assert (alive, len(children) >= 3) == ([], True)
    assert state == "COMPLETED_SUCCESS", log.read_text()
    with open_instance(settings) as instance:
        assert instance.get_run_by_id(dead.run_id).status is DagsterRunStatus.FAILURE
    assert read_status(Installation(settings)).is_complete
