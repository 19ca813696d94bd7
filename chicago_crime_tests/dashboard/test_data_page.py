"""Tests of the page Data: changes, labels, results of checks and missing values."""

import io
import os
import re
from pathlib import Path

import pyarrow.csv
import pytest
from dagster import AssetKey, DagsterEvent, DagsterEventType, DagsterRun, DagsterRunStatus
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned

from chicago_crime.dashboard.data import Data
from chicago_crime.dashboard.filters import Filters
from chicago_crime.dashboard.page_request import PageRequest
from chicago_crime.dashboard.pages.data import data_page
from chicago_crime.dashboard.view import Section
from chicago_crime.graph.instance import open_instance
from chicago_crime.settings import Settings
from chicago_crime.tables import CRIMES
from chicago_crime_tests.dashboard.conftest import client_of, data_of
from chicago_crime_tests.support import crimes_of_months, folder_settings, rows_of, run_well, write_csv

LATER = "03/01/2018 03:50:01 PM"


@pytest.fixture(scope="module")
def loaded_twice(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Two years, the first of which was loaded again with changes."""
    folder = tmp_path_factory.mktemp("twice")
    settings = folder_settings(folder / "data", folder / "in")
    rows = crimes_of_months(2014)
    write_csv(folder / "in" / "2014.csv", rows)
    write_csv(folder / "in" / "2015.csv", crimes_of_months(2015, primary_type="CRIM SEXUAL ASSAULT", fbi_code="02"))
    run_well(settings, 2014, 2015)
    for row in rows[:3]:
        row |= {"arrest": "true", "updated_on": LATER}
    rows[4] |= {"block": "002XX N STATE ST", "updated_on": LATER}
    write_csv(folder / "in" / "2014.csv", [*rows, rows[6] | {"id": "7"}])
    run_well(settings, 2014)
    return settings


def test_changes_are_shown_by_year_snapshot_and_kind(loaded_twice: Settings) -> None:
    client = client_of(loaded_twice)
    text = client.get("/data").text
    assert "5 changes in 1 year" in text
    [table] = re.findall(r'data-table="revisions">.*?</table>', text, re.DOTALL)
    cells = [re.sub(r"<[^>]+>|\s+", " ", cell).strip() for cell in re.findall(r"<t[hd][ >].*?</t[hd]>", table)]
    assert cells[6:12] == ["2014", "10 February 2018", "1 March 2018", "Added", "1", "new in the data"]
    assert cells[12:18][3:] == ["Arrest flag changed", "3", "3 now set, 0 no longer set"]
    downloaded = pyarrow.csv.read_csv(io.BytesIO(client.get("/download/data/revisions.csv").content)).to_pylist()
    assert [row["changes"] for row in downloaded] == [1, 3, 1]
    text = client.get("/data?year=2015").text
    assert "Nothing in 2015 differs from what was loaded before." in text
    assert 'data-table="revisions"' not in text


def test_labels_of_types_are_shown_with_those_they_are_merged_into(loaded_twice: Settings) -> None:
    table = data_page(PageRequest(data_of(loaded_twice), Filters())).table("labels")
    assert table
    assert [(row["source"], row["comparable"], row["crimes"]) for row in table.rows] == [
        ("CRIM SEXUAL ASSAULT", "CRIMINAL SEXUAL ASSAULT", 36),
        ("THEFT", "THEFT", 37),
    ]


def test_the_page_does_not_need_the_table_of_revisions(loaded_twice: Settings, tmp_path: Path) -> None:
    settings = loaded_twice.model_copy(update={"data_dir": tmp_path / "data"})
    warehouse = tmp_path / "data" / "warehouse"
    warehouse.mkdir(parents=True)
    for table in (loaded_twice.data_dir / "warehouse").iterdir():
        if table.name != "revisions" and table.is_dir():
            (warehouse / table.name).symlink_to(table)
    assert "differs from what was loaded before" in client_of(settings).get("/data").text


@pytest.mark.parametrize(("status", "result"), [("STARTED", "running"), ("FAILURE", "did not run")])
def test_a_planned_check_without_a_result_is_shown_as_such(copied: Settings, status: str, result: str) -> None:
    plan_check(copied, status)
    response = client_of(copied).get("/data")
    assert response.status_code == 200
    assert re.search(rf"Newest results of \d+ checks: \d+ passed, 1 {result}\.", response.text)
    data = data_of(copied)
    first = data.check_results()[0]
    assert (first.asset, first.check, first.outcome) == ("crimes", "is_like_the_year_before", result)
    assert data.nulls().keys() == {2014, 2015, 2016}, "the results before it still count"


def plan_check(settings: Settings, status: str) -> None:
    """Record what Dagster does when a run starts that will evaluate a check."""
    planned = AssetCheckEvaluationPlanned(asset_key=AssetKey("crimes"), check_name="is_like_the_year_before")
    kind = DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED.value
    with open_instance(settings) as instance:
        run = instance.add_run(DagsterRun(job_name="years", status=DagsterRunStatus(status)))
        instance.report_dagster_event(DagsterEvent(kind, "years", event_specific_data=planned), run.run_id)


def missing(data: Data, *years: int) -> Section:
    """The section about missing values."""
    view = data_page(PageRequest(data, Filters(year=years)))
    return next(section for section in view.sections if section.name == "nulls")


def test_missing_values_are_those_of_the_table(sample: Settings, data: Data) -> None:
    [table] = missing(data, 2014, 2016).tables
    rows = {year: rows_of(sample, "crimes", year) for year in (2014, 2016)}
    assert {row["column"] for row in table.rows} == {column.name for column in CRIMES.columns if column.nullable}
    assert any(row["nulls"] for row in table.rows)
    for row in table.rows:
        nulls = {year: sum(crime[row["column"]] is None for crime in crimes) for year, crimes in rows.items()}
        shares = {year: count / len(rows[year]) for year, count in nulls.items()}
        assert row["nulls"] == sum(nulls.values()), row["column"]
        assert row["share"] == pytest.approx(row["nulls"] / sum(map(len, rows.values())))
        assert row["worst_share"] == pytest.approx(max(shares.values()))
        assert not row["nulls"] or shares[row["worst_year"]] == max(shares.values())


def test_missing_values_of_a_replaced_year_are_unknown_until_a_run_counts_them(copied: Settings) -> None:
    os.utime(copied.data_dir / "warehouse" / "crimes" / "2015.parquet")  # as if another program had replaced the year
    section = missing(data_of(copied))
    assert "No counts for 2015 in" in section.caveats[0]
    assert "chicago-crime run --years 2015 --assets crimes" in section.caveats[0]
    alone = missing(data_of(copied), 2014, 2016)
    assert not alone.caveats
    assert list(section.tables[0].rows) == list(alone.tables[0].rows)
    run_well(copied, 2015, assets="crimes")
    assert not missing(data_of(copied)).caveats


def test_without_dagster_records_the_page_says_so(data: Data, tmp_path: Path) -> None:
    data.dagster_home = tmp_path / "no-dagster"
    section = missing(data)
    assert not section.tables
    assert "No counts for 2014-2016 in" in section.caveats[0]
    assert data.check_results() == []
