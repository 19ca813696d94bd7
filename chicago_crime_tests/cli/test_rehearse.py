"""Tests of `chicago-crime rehearse`: every step against the servers, each made to fail once."""

import re
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from chicago_crime.cli.app import app
from chicago_crime_tests.servers.faults import NO_FAULT, Fault, Request
from chicago_crime_tests.whole_cloud import BUCKET, DATASET, WholeCloud, whole_cloud

PUT, LOAD, MERGE, EXPORT = "store an object", "load a CSV", "replace a year by MERGE", "export and load Parquet"
PUBLISH, BATCH, CLUSTER = "publish a snapshot and read it back", "run Spark as a batch", "run Spark on a cluster"
STEPS = (
    "remove what an earlier rehearsal left",
    PUT,
    LOAD,
    MERGE,
    EXPORT,
    PUBLISH,
    BATCH,
    CLUSTER,
    "remove everything",
)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[WholeCloud]:
    with whole_cloud(tmp_path) as made:
        yield made


def rehearse(cloud: WholeCloud, report: Path, *options: str, **more: str) -> tuple[Result, dict[str, str]]:
    """The command's result, and the outcome of each step in the report."""
    arguments = ["rehearse", "--report", str(report), *options]
    result = CliRunner().invoke(app, arguments, env=cloud.environment | {"COLUMNS": "200"}, **more)
    rows = [line.strip("| ").split(" | ") for line in report.read_text().splitlines()] if report.exists() else []
    return result, {row[0]: row[1] for row in rows if len(row) > 2 and row[0] != "step"}


def left(cloud: WholeCloud) -> list[str]:
    """What a rehearsal left behind."""
    return [*cloud.bigquery.catalog.datasets, *cloud.left()]


def test_a_good_rehearsal_tries_everything_and_leaves_nothing(cloud: WholeCloud, tmp_path: Path) -> None:
    cloud.storage.write(BUCKET, "rehearsal/crimes/2014.csv", b"of one that was killed")
    cloud.bigquery.catalog.add_dataset(f"{DATASET}_rehearsal", {})
    cloud.bigquery.files.writes_no_rows = False
    report = tmp_path / "report.md"
    result, outcomes = rehearse(cloud, report, "--cluster", input="y\n")
    assert outcomes == dict.fromkeys(STEPS, "passed"), report.read_text()
    assert "It costs a few cents" in result.output
    assert result.exit_code == 0
    assert left(cloud) == []
    assert "500 rows by the job and by count" in report.read_text()
    assert not any(name in report.read_text() for name in (BUCKET, cloud.environment["CHICAGO_CRIME_GCP_PROJECT"]))


def test_nothing_is_done_without_consent(cloud: WholeCloud, tmp_path: Path) -> None:
    result, outcomes = rehearse(cloud, tmp_path / "report.md", input="n\n")
    assert (result.exit_code, outcomes, cloud.bigquery.calls) == (1, {}, [])


def no_create(cloud: WholeCloud) -> None:
    cloud.storage.permissions.remove("storage.objects.create")


def fails(*statements: str) -> Callable[[WholeCloud], None]:
    def prepare(cloud: WholeCloud) -> None:
        cloud.bigquery.jobs.will_fail = [(text, "invalid", "As Google says it") for text in statements]

    return prepare


def all_independent(cloud: WholeCloud) -> None:
    fails("format = 'PARQUET'", "FOR SYSTEM_TIME")(cloud)
    cloud.dataproc.rule = lambda request: Fault(status=400) if request.method == "POST" else NO_FAULT


@pytest.mark.parametrize(
    ("prepare", "failed", "words"),
    [
        (no_create, {PUT}, "storage.objects.create"),
        (fails("MERGE"), {MERGE}, "As Google says it"),
        (all_independent, {EXPORT, PUBLISH, BATCH, CLUSTER}, "As Google says it"),
    ],
    ids=["put", "merge", "all that are independent"],
)
def test_a_step_that_fails_says_so_and_stops_nothing_that_does_not_need_it(
    cloud: WholeCloud, tmp_path: Path, prepare: Callable[[WholeCloud], None], failed: set[str], words: str
) -> None:
    prepare(cloud)
    result, outcomes = rehearse(cloud, tmp_path / "report.md", "--cluster", "--yes")
    assert {name for name, outcome in outcomes.items() if outcome == "failed"} == failed, result.output
    first = min(STEPS.index(name) for name in failed)
    assert all(outcomes[name] == "passed" for name in (*STEPS[:first], STEPS[-1]))
    assert {outcomes[name] for name in STEPS[first:-1]} - {"failed"} == ({"left out"} if len(failed) == 1 else set())
    assert words in result.output
    assert "chicago-crime doctor names" in result.output or "attach the report" in result.output
    assert result.exit_code == 1
    assert left(cloud) == []


@pytest.mark.parametrize("number", [0, 1], ids=["before", "after"])
def test_a_removal_that_fails_is_told(cloud: WholeCloud, tmp_path: Path, number: int) -> None:
    removals = count()

    def refuse_one(request: Request) -> Fault:
        is_removal = request.method == "DELETE" and request.path.endswith("_rehearsal")
        return Fault(status=400) if is_removal and next(removals) == number else NO_FAULT

    cloud.bigquery.rule = refuse_one
    no_create(cloud)
    result, outcomes = rehearse(cloud, tmp_path / "report.md", "--yes")
    assert "Rehearse again: it begins by removing" in result.output
    assert [name for name, outcome in outcomes.items() if outcome == "failed"] == [[STEPS[0]], [PUT, STEPS[-1]]][number]
    assert (len(outcomes) == 1) == (number == 0)  # on top of what is left, nothing is tried


def test_a_dry_run_estimates_what_the_run_would_cost(cloud: WholeCloud) -> None:
    done = CliRunner().invoke(app, ["run", "--years", "2014", "--dry-run"], env={"COLUMNS": "150", **cloud.environment})
    assert done.exit_code == 0, done.output
    assert re.search(r"BigQuery: about .* read, 0\.\d\d USD", done.output)
    assert re.search(r"Spark: at most \d+\.\d\d USD, if every machine lives as long as it may", done.output)
