"""Tests of `chicago-crime rehearse`: every step against test servers, with failures."""

import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from typer.testing import Result

from chicago_crime_tests.servers.faults import NO_FAULT, Fault, Request
from chicago_crime_tests.support import command
from chicago_crime_tests.whole_cloud import BUCKET, DATASET, WholeCloud, whole_cloud

PUT, LOAD, MERGE, EXPORT = "store an object", "load a CSV", "replace a year by MERGE", "export and load Parquet"
PUBLISH, BATCH, CLUSTER = "publish a snapshot and read it back", "run Spark as a batch", "run Spark on a cluster"
BEGIN, END = "remove leftovers of earlier rehearsals", "remove everything"
STEPS = (BEGIN, PUT, LOAD, MERGE, EXPORT, PUBLISH, BATCH, CLUSTER, END)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[WholeCloud]:
    with whole_cloud(tmp_path) as made:
        yield made


def rehearse(cloud: WholeCloud, report: Path, *options: str, **more: str) -> tuple[Result, dict[str, str]]:
    """Return the command's result and the outcome of each step in the report."""
    result = command("rehearse", "--report", report, *options, **cloud.environment, COLUMNS="200", **more)
    rows = [line.strip("| ").split(" | ") for line in report.read_text().splitlines()] if report.exists() else []
    return result, {row[0]: row[1] for row in rows if len(row) > 2 and row[0] != "step"}


def left(cloud: WholeCloud) -> list[str]:
    return [*cloud.bigquery.catalog.datasets, *cloud.left()]


def test_a_rehearsal_tries_everything_after_confirmation_and_cleans_up(cloud: WholeCloud, tmp_path: Path) -> None:
    cloud.storage.buckets.write(BUCKET, "rehearsal/crimes/2014.csv", b"of a killed rehearsal")
    cloud.bigquery.catalog.add_dataset(f"{DATASET}_rehearsal", {})
    cloud.bigquery.catalog.exports_no_rows = False
    report = tmp_path / "report.md"
    refused, outcomes = rehearse(cloud, report, input="n\n")
    assert (refused.exit_code, outcomes, cloud.bigquery.calls) == (1, {}, [])
    result, outcomes = rehearse(cloud, report, "--cluster", input="y\n")
    assert outcomes == dict.fromkeys(STEPS, "passed"), report.read_text()
    assert "It costs a few cents" in result.output
    assert result.exit_code == 0
    assert left(cloud) == []
    assert "500 rows by the job and by count" in report.read_text()
    assert not any(name in report.read_text() for name in (BUCKET, cloud.environment["CHICAGO_CRIME_GCP_PROJECT"]))


@pytest.mark.parametrize(
    ("statements", "failed", "words"),
    [
        ([], {PUT}, "storage.objects.create"),
        (["MERGE"], {MERGE}, "As Google says it"),
        (["format = 'PARQUET'", "FOR SYSTEM_TIME"], {EXPORT, PUBLISH, BATCH, CLUSTER}, "As Google says it"),
    ],
    ids=["put", "merge", "independent steps"],
)
def test_a_failed_step_skips_only_dependent_steps(
    cloud: WholeCloud, tmp_path: Path, statements: list[str], failed: set[str], words: str
) -> None:
    cloud.bigquery.jobs.will_fail = [(text, "invalid", "As Google says it") for text in statements]
    if PUT in failed:
        cloud.storage.forbidden = {"storage.objects.create"}
    if BATCH in failed:
        cloud.dataproc.rule = lambda request: Fault(status=400) if request.method == "POST" else NO_FAULT
    result, outcomes = rehearse(cloud, tmp_path / "report.md", "--cluster", "--yes")
    assert {name for name, outcome in outcomes.items() if outcome == "failed"} == failed, result.output
    first = min(STEPS.index(name) for name in failed)
    assert all(outcomes[name] == "passed" for name in (*STEPS[:first], STEPS[-1]))
    assert {outcomes[name] for name in STEPS[first:-1]} - {"failed"} == ({"skipped"} if len(failed) == 1 else set())
    assert words in result.output
    assert "chicago-crime doctor lists" in result.output or "attach the report" in result.output
    assert result.exit_code == 1
    assert left(cloud) == []


@pytest.mark.parametrize("number", [0, 1], ids=["before", "after"])
def test_a_failed_removal_is_reported(cloud: WholeCloud, tmp_path: Path, number: int) -> None:
    removals = count()

    def refuse_one(request: Request) -> Fault:
        is_removal = request.method == "DELETE" and request.path.endswith("_rehearsal")
        return Fault(status=400) if is_removal and next(removals) == number else NO_FAULT

    cloud.bigquery.rule = refuse_one
    cloud.storage.forbidden = {"storage.objects.create"}
    result, outcomes = rehearse(cloud, tmp_path / "report.md", "--yes")
    assert "Rehearse again, which starts by removing it" in result.output
    assert [name for name, outcome in outcomes.items() if outcome == "failed"] == [[BEGIN], [PUT, END]][number]
    assert (len(outcomes) == 1) == (number == 0)  # nothing is tried while leftovers remain


def test_a_dry_run_estimates_the_cost(cloud: WholeCloud) -> None:
    done = command("run", "--years", 2014, "--dry-run", COLUMNS="150", **cloud.environment)
    assert done.exit_code == 0, done.output
    assert re.search(r"BigQuery: about .* read, 0\.\d\d USD", done.output)
    assert re.search(r"Spark: at most \d+\.\d\d USD, if every machine runs until its time limit", done.output)
