"""Compare over real years: each span is what a plain query counts, and nothing where its days are not loaded."""

from datetime import date

import duckdb

from chicago_crime.dashboard.compare import compare
from chicago_crime.dashboard.filters import Filters
from chicago_crime.dashboard.pages import Asked
from chicago_crime.dashboard.view import View
from chicago_crime.run import RunReport
from chicago_crime.settings import Settings
from chicago_crime_tests.dashboard.conftest import data_of

Loaded = tuple[Settings, list[RunReport]]


def count(settings: Settings, where: str) -> int:
    crimes = settings.data_dir / "warehouse" / "crimes" / "*.parquet"
    [(n,)] = duckdb.sql(f"SELECT COUNT(*) FROM read_parquet('{crimes}') WHERE {where}").fetchall()
    return int(n)


def spans(settings: Settings, end: str) -> dict:
    view: View = compare(Asked(data_of(settings), Filters(rows="district", end=date.fromisoformat(end))))
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
        "months_12": ("2015-07-01", "2016-06-30"),
        "months_12_before": ("2014-07-01", "2015-06-30"),
    }
    for name, (first, last) in days.items():
        asked = f"district = 7 AND date::DATE BETWEEN '{first}' AND '{last}'"
        assert told[name] == count(settings, asked), name
    assert told["year_to_date_mean"] is None  # 2013 is not loaded


def test_a_span_whose_days_are_not_all_loaded_has_no_number(real_years: Loaded) -> None:
    settings, _ = real_years
    whole = spans(settings, "2021-04-30")["Whole choice"]
    assert whole["year_to_date"] == count(settings, "year = 2021")
    assert (whole["year_to_date_before"], whole["months_12"], whole["months_12_change"]) == (None, None, None)
