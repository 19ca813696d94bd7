"""Compare: each span and each mean is what a plain query counts, and nothing where its days are not loaded."""

import re
from datetime import date
from pathlib import Path

import duckdb
import pytest

from chicago_crime.dashboard.filters import Filters
from chicago_crime.dashboard.page_request import PageRequest
from chicago_crime.dashboard.pages.compare import compare
from chicago_crime.dashboard.view import View
from chicago_crime.graph.run import RunReport
from chicago_crime.settings import Settings
from chicago_crime.sources.sample.source import SampleSource
from chicago_crime_tests.dashboard.conftest import data_of
from chicago_crime_tests.support import folder_settings, run_well

Loaded = tuple[Settings, list[RunReport]]


def count(settings: Settings, where: str) -> int:
    crimes = settings.data_dir / "warehouse" / "crimes" / "*.parquet"
    [(n,)] = duckdb.sql(f"SELECT COUNT(*) FROM read_parquet('{crimes}') WHERE {where}").fetchall()
    return int(n)


def spans(settings: Settings, end: str) -> dict:
    view: View = compare(PageRequest(data_of(settings), Filters(rows="district", end=date.fromisoformat(end))))
    table = view.table("spans")
    assert table
    return {row["name"]: row for row in table.rows}


def test_each_span_is_what_a_plain_query_counts(real_years: Loaded) -> None:
    settings, _ = real_years
    told = spans(settings, "2016-06-30")["District 7"]
    days = {
        "days_28": ("2016-06-03", "2016-06-30"),
        "days_28_before": ("2015-06-03", "2015-06-30"),
        "year_to_date": ("2016-01-01", "2016-06-30"),
        "year_to_date_before": ("2015-01-01", "2015-06-30"),
        "whole_year": ("2015-01-01", "2015-12-31"),
        "whole_year_before": ("2014-01-01", "2014-12-31"),
    }
    for name, (first, last) in days.items():
        asked = f"district = 7 AND date::DATE BETWEEN '{first}' AND '{last}'"
        assert told[name] == count(settings, asked), name
    of_2014 = "district = 7 AND date::DATE BETWEEN '2014-01-01' AND '2014-06-30'"
    assert told["year_to_date_mean"] == (told["year_to_date_before"] + count(settings, of_2014)) / 2
    assert (told["year_to_date_mean_years"], told["year_to_date_mean_is_small"]) == (2, True)  # 2013 is not loaded
    assert (told["whole_year_mean_years"], told["whole_year_mean"]) == (1, told["whole_year_before"])


def test_a_span_whose_days_are_not_all_loaded_has_no_number(real_years: Loaded) -> None:
    settings, _ = real_years
    whole = spans(settings, "2021-04-30")["Whole choice"]
    assert whole["year_to_date"] == count(settings, "year = 2021")
    assert (whole["year_to_date_before"], whole["year_to_date_change"], whole["whole_year"]) == (None, None, None)
    assert (whole["year_to_date_mean"], whole["year_to_date_mean_years"]) == (None, 0)


@pytest.fixture(scope="module")
def five_years(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Five years of the sample, of which the last leaves off in the middle of November."""
    folder = tmp_path_factory.mktemp("five")
    source = SampleSource(rows=1500)
    for year in range(2012, 2017):
        file = source.fetch(year, make_folder(folder / str(year))).path
        lines = file.read_text().splitlines(keepends=True)
        kept = [line for line in lines if not re.search(r",(11/[123]|12/)[0-9/]*2016 ", line)]
        make_folder(folder / "in").joinpath(f"{year}.csv").write_text("".join(kept))
    settings = folder_settings(folder / "data", folder / "in")
    run_well(settings, *range(2012, 2017))
    return settings


def make_folder(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


SPAN_STARTS = {
    "days_28": ("DATE '{day}' - 27", "'{day}'"),
    "year_to_date": ("'{year}-01-01'", "'{day}'"),
    "whole_year": ("'{whole}-01-01'", "'{whole}-12-31'"),
}


@pytest.mark.parametrize(
    ("end", "days_before"),
    [
        ("2016-10-31", ["2015-10-31", "2014-10-31", "2013-10-31"]),
        ("2016-02-29", ["2015-02-28", "2014-02-28", "2013-02-28"]),
        ("2016-01-05", ["2015-01-05", "2014-01-05", "2013-01-05"]),
        ("2015-12-31", ["2014-12-31", "2013-12-31", "2012-12-31"]),
    ],
)
def test_the_mean_of_three_years_is_that_of_a_plain_query(five_years: Settings, end: str, days_before: list) -> None:
    found = spans(five_years, end)
    crimes = five_years.data_dir / "warehouse" / "crimes" / "*.parquet"

    def counts(span: str, day: str) -> dict[str, int]:
        year = int(day[:4])
        first, last = (
            text.format(day=day, year=year, whole=year if day.endswith("12-31") else year - 1)
            for text in SPAN_STARTS[span]
        )
        return dict(
            duckdb.sql(
                f"SELECT 'District ' || district, COUNT(*) FROM '{crimes}' WHERE date::DATE BETWEEN {first} AND {last} "
                "AND district IS NOT NULL GROUP BY ALL"
            ).fetchall()
        )

    for span in SPAN_STARTS:
        now, before, *others = (counts(span, day) for day in (end, *days_before))
        assert sum(before.values()) > 0
        for name, row in found.items():
            if not name.startswith("District"):
                continue
            three = [of.get(name, 0) for of in (before, *others)]
            mean = sum(three) / 3
            assert (row[span], row[f"{span}_before"]) == (now.get(name, 0), three[0]), (span, name)
            assert row[f"{span}_mean"] == pytest.approx(mean), (span, name)
            assert row[f"{span}_mean_years"] == 3
            assert row[f"{span}_mean_is_small"] == (mean < 20)
            if mean:
                assert row[f"{span}_mean_change"] == pytest.approx(row[span] / mean - 1)
        assert len(found) > 15


def test_a_year_that_is_not_over_is_no_whole_year(five_years: Settings) -> None:
    last = data_of(five_years).facts().newest_day
    assert (last.year, last.month) == (2016, 11)
    view = compare(PageRequest(data_of(five_years), Filters()))
    table = view.table("spans")
    assert table
    assert [(column.group, column.label) for column in table.shown_columns if column.kind == "count"] == [
        ("28 days", "2016"),
        ("28 days", "2015"),
        ("Year to date", "2016"),
        ("Year to date", "2015"),
        ("Whole year", "2015"),
        ("Whole year", "2014"),
    ]
    assert table.rows[0]["whole_year"] == count(five_years, "year = 2015")


def test_means_of_fewer_years_are_marked_and_the_reason_is_told(five_years: Settings) -> None:
    view = compare(PageRequest(data_of(five_years), Filters(end=date(2014, 10, 31))))
    table = view.table("spans")
    assert table
    means = [(column.label, column.is_small) for column in table.shown_columns if column.kind == "mean"]
    assert means == [
        ("2-yr mean", "days_28_mean_is_few"),
        ("2-yr mean", "year_to_date_mean_is_few"),
        ("1-yr mean", "whole_year_mean_is_few"),
    ]
    assert all(row["days_28_mean_is_few"] and row["days_28_mean_is_small"] for row in table.rows)
    told = " ".join(view.sections[0].caveats)
    assert "28 days 2, year to date 2, whole year 1), because 2010-2011 are not loaded to the end" in told
    assert {"days_28_mean_years", "whole_year_mean_years"} <= set(table.download(False).column_names)
