"""Runs that overlap in one year, one of them a backfill of the Dagster UI: one consistent state, or a reason."""

import json
import signal
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import psutil

from chicago_crime.definitions import build_definitions
from chicago_crime.graph.status import read_status
from chicago_crime.installation import Installation
from chicago_crime_tests.end_to_end.browsing import PROGRAM, free_port
from chicago_crime_tests.support import crimes_of_months, folder_settings, write_csv
from chicago_crime_tests.waiting import TIMEOUT_S, wait_until

YEARS = (2016, 2021)

BACKFILL = """mutation($of: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $of) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
STATE = "query($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }"

ARRESTS = """
SELECT (SELECT COUNT_IF(arrest) FROM crimes WHERE year = $year), (SELECT COUNT(*) FROM crimes WHERE year = $year),
    (SELECT COUNT_IF(arrest) FROM enriched_crimes WHERE year = $year),
    (SELECT COUNT(*) FROM enriched_crimes WHERE year = $year),
    (SELECT SUM(arrests) FROM crime_type_count WHERE year = $year),
    (SELECT SUM(crimes) FROM crime_type_count WHERE year = $year)
"""


def call(address: str, query: str, **variables: Any) -> Any:
    """Send a GraphQL query to the webserver, as the UI does."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{address}/graphql", body, {"Content-Type": "application/json"})
    answer = json.load(urllib.request.urlopen(request, timeout=TIMEOUT_S))
    assert "errors" not in answer, answer
    [data] = answer["data"].values()
    return data


def test_three_runs_of_one_year_leave_it_wholly_of_one(tmp_path: Path) -> None:
    for folder, arrests in (("in", 9), ("turned", 27)):
        for year in YEARS:
            rows = [row | {"arrest": str(n < arrests)} for n, row in enumerate(crimes_of_months(year))]
            write_csv(tmp_path / folder / f"{year}.csv", rows)
    settings = folder_settings(tmp_path / "data", tmp_path / "in")
    port = free_port()
    address = f"http://127.0.0.1:{port}"

    def start(log: str, *arguments: object, ignoring: str = "--default-signal=INT") -> subprocess.Popen[bytes]:
        command = ["env", ignoring, PROGRAM[0], "-u", *PROGRAM[1:], *map(str, arguments)]
        command += ["--data-dir", str(settings.data_dir)]
        with (tmp_path / f"{log}.log").open("w") as file:
            return subprocess.Popen(command, stdout=file, stderr=file)

    # Started with SIGINT ignored, as a script does for `make dev &`; Ctrl-C must work nevertheless.
    ui = start("ui", "dev", "--port", port, "--folder", settings.folder, ignoring="--ignore-signal=INT")
    try:
        wait_until(lambda: f"Then the UI is on {address} " in (tmp_path / "ui.log").read_text())
        wait_until(lambda: json.load(urllib.request.urlopen(f"{address}/server_info")), OSError)
        graph = build_definitions(Installation(settings)).resolve_asset_graph()
        years = [key for key in graph.materializable_asset_keys if graph.get(key).is_partitioned]
        keys = [{"path": list(key.path)} for key in years]
        launched = call(address, BACKFILL, of={"assetSelection": keys, "partitionNames": list(map(str, YEARS))})
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        runs = [
            start("real", "run", "--years", "2021", "--folder", settings.folder),
            start("turned", "run", "--years", "2021", "--folder", tmp_path / "turned", "--accept", "a test"),
        ]
        codes = [run.wait(4 * TIMEOUT_S) for run in runs]
        states = ("COMPLETED_SUCCESS", "COMPLETED_FAILED", "CANCELED", "FAILED")
        state = wait_until(lambda: (now := call(address, STATE, id=launched["backfillId"])["status"]) in states and now)
    finally:
        children = psutil.Process(ui.pid).children(recursive=True)
        ui.send_signal(signal.SIGINT)
        ui.wait(TIMEOUT_S)
    _, alive = psutil.wait_procs(children, timeout=TIMEOUT_S)
    assert (alive, len(children) >= 3) == ([], True)
    outputs = [(tmp_path / f"{log}.log").read_text() for log in ("real", "turned")]
    for code, output in zip(codes, outputs, strict=True):
        assert code in (0, 1) and "Traceback" not in output, output
        assert code == 0 or "was published by the run" in output, output
    assert state == "COMPLETED_SUCCESS"
    assert any("waiting for the run" in output for output in outputs), outputs
    for year in YEARS:
        [row] = Installation(settings).reader().first_rows(ARRESTS.replace("$year", str(year)), None).rows
        assert row in ((9, 36) * 3, (27, 36) * 3)
        assert row[0] == 9 or year == 2021
    assert read_status(Installation(settings)).is_complete
