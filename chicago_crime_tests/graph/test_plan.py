"""Tests of `run --dry-run`, and of the years that sources expect."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from chicago_crime.graph.plan import YearPlan, cost_of
from chicago_crime.settings import Settings, load_settings
from chicago_crime.sources.base import Expected, SourceError
from chicago_crime.sources.folder import FolderSource
from chicago_crime.sources.sample.source import SampleSource
from chicago_crime.storage.lineage import Lineage
from chicago_crime.storage.warehouse import TableYear
from chicago_crime.tables import TABLES
from chicago_crime_tests.support import command, crimes_of_months, files_below, plan_of, rows_of, write_csv


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "in" / "2014.csv", crimes_of_months(2014))
    before = files_below(tmp_path)
    folders = ("--folder", tmp_path / "in", "--data-dir", tmp_path / "data")
    result = command("run", "--dry-run", "--years", "2014", *folders, COLUMNS="80")
    assert result.exit_code == 0, result.output
    assert files_below(tmp_path) == before
    assert not (tmp_path / "data").exists()
    assert str(file) in "".join(result.output.split())
    assert "Dry run: nothing is written" in result.output


def test_a_dry_run_of_a_run_that_would_fail_exits_with_1(loaded_years: Settings) -> None:
    before = files_below(loaded_years.data_dir)
    folders = ("--folder", loaded_years.folder, "--data-dir", loaded_years.data_dir)
    result = command("run", "--dry-run", "--years", "2014-2017", *folders, COLUMNS="80")
    assert result.exit_code == 1
    assert "This run would fail: " in result.output
    assert "in: no rows for 2016-2017. Years found: 2014-2015." in result.output.replace("\n", "")
    assert files_below(loaded_years.data_dir) == before


def test_the_plan_lists_loaded_rows_runs_and_assets_in_order(loaded_years: Settings) -> None:
    plan = plan_of(loaded_years, [2014, 2015])
    for year in plan.years:
        assert year.loaded == {name: len(rows_of(loaded_years, name, year.year)) for name in TABLES}
    assert (plan.problems, plan.warnings, plan.cost) == ([], [], None)
    some = plan_of(loaded_years, [2014, 2015, 2017], "key:crimes+")
    assert some.runs == [(2014, 2015), (2017, 2017)]
    assert some.assets[0] == "crimes" and "crime_csv" not in some.assets
    assert set(some.years[0].loaded) == set(some.assets) & set(TABLES)


def test_the_plan_uses_fetched_files_if_the_source_is_not_selected(loaded_years: Settings) -> None:
    [year] = plan_of(loaded_years, [2014], "crimes,rejected_crimes").years
    assert (year.expected.rows, year.expected.bytes) == (36, (loaded_years.folder / "2014.csv").stat().st_size)
    assert "already fetched" in year.expected.description


def test_a_year_that_an_asset_needs_and_nothing_makes_is_a_problem(loaded_years: Settings) -> None:
    plan = plan_of(loaded_years, [2014, 2016], "crimes_monthly")
    assert plan.problems == ["crimes_monthly needs enriched_crimes, which does not have 2016"]
    plan = plan_of(loaded_years, [2014, 2016], "crime_object,raw_crimes")
    assert plan.problems == ["crime_object needs crime_csv, which does not have 2016"]


def test_a_source_that_does_not_respond_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def expect(source: SampleSource, years: Sequence[int]) -> NoReturn:
        raise SourceError("it does not respond")

    monkeypatch.setattr(SampleSource, "expect", expect)
    plan = plan_of(load_settings(data_dir=tmp_path), [2014])
    assert plan.problems == ["the source sample cannot be read: it does not respond"]


def test_real_and_synthetic_years_are_not_mixed(loaded_years: Settings) -> None:
    settings = load_settings(source="sample", data_dir=loaded_years.data_dir)
    plan = plan_of(settings, [2013, 2014, 2015], accept="whatever")
    [problem] = plan.problems
    assert problem.startswith("this data folder has published real rows of 2014-2015, which must not be mixed")


def test_refusals_are_problems_unless_accepted(loaded_copy: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = Expected("all.csv", rows=30, refusals=("9 lines have no year.",))
    monkeypatch.setattr(FolderSource, "expect", lambda *_: {2014: expected, 2015: expected})
    problems = plan_of(loaded_copy, [2014, 2015]).problems
    assert [problem.split(". If the file is correct, run again with --accept")[0] for problem in problems] == [
        "9 lines have no year",
        *(f"{year} has 30 rows at the source but 36 published crimes, so it would be refused" for year in (2014, 2015)),
    ]
    accepted = plan_of(loaded_copy, [2014, 2015], accept="the City removed them")
    assert (accepted.problems, accepted.warnings) == ([], problems)
    manifest = loaded_copy.data_dir / "csv" / "2014.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"accepted": "the City removed them"}))
    accepted = plan_of(loaded_copy, [2014])  # a reason holds for later runs of the same file
    assert (accepted.problems, accepted.warnings) == ([], problems[:2])


def test_insufficient_disk_space_is_a_warning(loaded_years: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10_000, 9_000, 1_000))
    [warning] = plan_of(loaded_years, [2014]).warnings
    assert warning == "not enough disk space: free some, or load fewer years"
    assert plan_of(loaded_years, [2014], "crimes").warnings == []


@pytest.mark.parametrize(
    ("changes", "usd"),
    [
        ({"dataproc_machine_type": "n2-standard-4", "dataproc_workers": 2}, 2 * 2 * 3 * 0.2388),
        ({"dataproc_mode": "serverless"}, None),
        ({"dataproc_machine_type": "unknown-4"}, None),
    ],
)
def test_the_cost_covers_upstream_bytes_and_machines(changes: dict[str, object], usd: float | None) -> None:
    settings = load_settings(deployment="gcp", gcp_project="a-project", gcs_bucket="bucket", **changes)
    stored = {name: {2014: TableYear(100, 2**30, 0.0, Lineage("made", "of"))} for name in TABLES}
    years = [YearPlan(2014, Expected(""), {}), YearPlan(2016, Expected("", bytes=2**30), {})]
    cost = cost_of(settings, ["crimes", "enriched_crimes"], years, stored, runs=2)
    assert cost.bytes_read == 4 * 2**30
    assert cost.read_usd == pytest.approx(4 / 1024 * 6.25)
    assert cost.spark_usd == (usd and pytest.approx(usd, rel=0.01))
    assert cost_of(settings, ["crimes"], years, stored, runs=2).spark_usd == 0
