"""Tests of `chicago_crime/dashboard/data_page.py`: which values are missing, as the runs' checks counted them."""

import os
import shutil
from pathlib import Path

import pytest

from chicago_crime.dashboard.data import Data
from chicago_crime.dashboard.filters import Filters
from chicago_crime.dashboard.page_request import PageRequest
from chicago_crime.dashboard.pages.data import data_page
from chicago_crime.dashboard.view import Section
from chicago_crime.settings import Settings
from chicago_crime.tables import CRIMES
from chicago_crime_tests.dashboard.conftest import data_of
from chicago_crime_tests.support import rows_of, run_well


def missing(data: Data, *years: int) -> Section:
    """What the page says of values that are missing."""
    view = data_page(PageRequest(data, Filters(year=years)))
    return next(section for section in view.sections if section.name == "nulls")


@pytest.mark.parametrize("years", [(2014,), (2014, 2016), ()], ids=str)
def test_missing_values_are_those_of_the_table(sample: Settings, data: Data, years: tuple[int, ...]) -> None:
    [table] = missing(data, *years).tables
    rows = {year: rows_of(sample, "crimes", year) for year in years or (2014, 2015, 2016)}
    assert {row["column"] for row in table.rows} == {column.name for column in CRIMES.columns if column.nullable}
    assert any(row["nulls"] for row in table.rows)
    for row in table.rows:
        nulls = {year: sum(crime[row["column"]] is None for crime in crimes) for year, crimes in rows.items()}
        shares = {year: count / len(rows[year]) for year, count in nulls.items()}
        assert row["nulls"] == sum(nulls.values()), row["column"]
        assert row["share"] == pytest.approx(row["nulls"] / sum(map(len, rows.values())))
        assert row["worst_share"] == pytest.approx(max(shares.values()))
        assert not row["nulls"] or shares[row["worst_year"]] == max(shares.values())


def test_a_year_that_was_replaced_since_is_said_to_be_uncounted_until_a_run_counts_it(
    sample: Settings, tmp_path: Path
) -> None:
    shutil.copytree(sample.data_dir, tmp_path / "data")
    settings = sample.model_copy(update={"data_dir": tmp_path / "data"})
    shutil.copytree(sample.home, settings.home, dirs_exist_ok=True)
    file = settings.data_dir / "warehouse" / "crimes" / "2015.parquet"
    os.utime(file)  # as another program would leave it that replaced the year
    section = missing(data_of(settings))
    assert "no count of 2015:" in section.caveats[0]
    assert "WHERE month BETWEEN '2015-01-01' AND '2015-12-31'" in section.caveats[0]
    alone = missing(data_of(settings), 2014, 2016)
    assert not alone.caveats
    assert list(section.tables[0].rows) == list(alone.tables[0].rows)
    run_well(settings, 2015, assets="crimes,rejected_crimes,revisions")
    assert not missing(data_of(settings)).caveats


def test_without_records_the_page_says_how_to_count(data: Data, tmp_path: Path) -> None:
    data.dagster_home = tmp_path / "no-dagster"
    section = missing(data)
    assert not section.tables
    assert "no count of 2014-2016: " in section.caveats[0]
    assert 'chicago-crime query "SELECT COUNTIF(case_number IS NULL) AS case_number,' in section.caveats[0]
