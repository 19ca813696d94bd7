"""Tests of `chicago_crime/storage/google/bigquery/answers.py`: what is left of a statement with its parameters.

That its result is the laptop's is tested in `test_bigquery_parity.py` and `end_to_end/test_cloud_dashboard.py`.
"""

from datetime import date

import pytest
import sqlglot
from sqlglot import exp

from chicago_crime.dashboard.filters import Filters
from chicago_crime.dashboard.pages.compare import spans_until
from chicago_crime.storage.google.bigquery.answers import FEW_YEARS, MB, MOST_BYTES_ALONE, PAGE, most_bytes, reduced
from chicago_crime.storage.google.bigquery.packing import PACKED, UNPACKABLE
from chicago_crime.tables import ENRICHED_CRIMES

YEARS = range(2001, 2023)


def columns_read(query: str, table: str) -> set[str]:
    """The columns of a table that a statement names where it reads it."""
    [source] = [one for one in sqlglot.parse_one(query, read="bigquery").find_all(exp.Table) if one.name == table]
    select = source.find_ancestor(exp.Select)
    assert select
    return {column.name for column in select.find_all(exp.Column)}


@pytest.mark.parametrize(
    "filters",
    [
        Filters(),
        Filters(type=("THEFT",), area=(1, 2), district=(3,), offense_class=("violent",), arrest=True, domestic=False),
    ],
)
@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("overview", "crimes_monthly"),
        ("where", "crimes_by_cell"),
        ("when", "crimes_hourly"),
        ("choices", "crimes_monthly"),
    ],
)
def test_a_mart_is_read_by_its_number_alone(name: str, table: str, filters: Filters) -> None:
    query, _ = reduced(f"pages/{name}", filters.parameters(YEARS))
    assert columns_read(query, table) == {PACKED, UNPACKABLE}


@pytest.mark.parametrize(("chosen", "names_year"), [(1, True), (FEW_YEARS, True), (FEW_YEARS + 1, False)])
def test_few_years_choose_partitions_and_many_do_not_cost_a_column(chosen: int, names_year: bool) -> None:
    query, _ = reduced("pages/where", Filters().parameters(YEARS[:chosen]))
    assert ("year" in columns_read(query, "crimes_by_cell")) == names_year
    assert (f"WHERE year IN ({', '.join(map(str, YEARS[:chosen]))})) AS crimes_by_cell" in query) == names_year


def test_a_filter_that_is_off_is_not_in_the_statement() -> None:
    parameters = Filters(area=(25,)).parameters([2015, 2016]) | {"rows_are": "district"}
    query, left = reduced("pages/compare", parameters | spans_until(date(2016, 6, 15), [2015, 2016]))
    assert left == {"areas": [25], "last_day": date(2016, 6, 15)}
    own = columns_read(query, "enriched_crimes") & {column.name for column in ENRICHED_CRIMES.columns}
    assert own == {"date", "year", "month", "community_area", "district"}
    with_all = Filters(area=(25,), arrest=False, domestic=True, type=("THEFT",)).parameters([2016])
    query, left = reduced("pages/where", with_all)
    assert left == {"areas": [25], "arrest": False, "domestic": True, "types": ["THEFT"]}


def test_compare_reads_days_of_the_months_that_a_span_begins_or_ends_in() -> None:
    spans = spans_until(date(2016, 1, 5), range(2012, 2017))
    assert spans["months"] == [date(year, month, 1) for year in range(2012, 2017) for month in (1, 12)][1:-1]
    query, _ = reduced("pages/compare", Filters().parameters(range(2012, 2017)) | spans | {"rows_are": "area"})
    months = ", ".join(f"CAST('{month}' AS DATE)" for month in spans["months"])
    assert f"month IN ({months})" in query
    whole = spans["whole_months"]
    assert isinstance(whole, list)
    assert len(whole) == 60 - 8
    assert not set(whole) & set(spans["months"])


def test_a_value_is_never_part_of_the_text() -> None:
    evil = "x') OR 1=1 --"
    query, left = reduced("pages/overview", Filters(type=(evil,)).parameters(YEARS))
    assert evil not in query
    assert left == {"types": [evil]}


def test_no_choice_of_years_is_none() -> None:
    query, _ = reduced("pages/coverage", {"years": []})
    assert "WHERE FALSE" in query


def test_the_caps_of_statements_that_share_a_page_stay_below_it() -> None:
    assert most_bytes("pages/where") + most_bytes("pages/cells") <= MOST_BYTES_ALONE < PAGE
    assert all(most_bytes(f"pages/{name}") >= 2 * 10 * MB for name in ("when", "compare")), "10 MB a table"
