"""Tests of the pages: their numbers agree with each other and with the tables that the Spark job computes."""

import numpy as np
import pytest

from chicago_crime.dashboard.data import Data
from chicago_crime.dashboard.filters import Filters
from chicago_crime.dashboard.hot_spots import gi_star
from chicago_crime.dashboard.page_request import PageRequest
from chicago_crime.dashboard.pages.compare import compare
from chicago_crime.dashboard.pages.overview import overview
from chicago_crime.dashboard.pages.when import when
from chicago_crime.dashboard.pages.where import where
from chicago_crime.settings import Settings
from chicago_crime_tests.dashboard.conftest import rows
from chicago_crime_tests.support import rows_of


@pytest.mark.parametrize(("year", "offense_class"), [(2014, "all"), (2016, "violent")])
def test_gi_star_is_that_of_the_spark_job(data: Data, sample: Settings, year: int, offense_class: str) -> None:
    expected = {
        (row["cell_x"], row["cell_y"]): (row["crimes"], row["neighborhood_crimes"], row["gi_star"])
        for row in rows_of(sample, "hot_spots", year)
        if row["offense_class"] == offense_class
    }
    chosen = () if offense_class == "all" else (offense_class,)
    answer = PageRequest(data, Filters(year=(year,), offense_class=chosen)).answer("where").to_pylist()
    counts: dict[tuple[int, int], int] = {}
    for row in answer:
        if row["cell_x"] is not None:
            cell = (row["cell_x"], row["cell_y"])
            counts[cell] = counts.get(cell, 0) + row["crimes"]
    assert len(counts) > 1000
    cells = list(counts)
    z, near = gi_star(np.array(cells).T, np.array(list(counts.values())))
    ours = {cell: (counts[cell], near[i], pytest.approx(z[i])) for i, cell in enumerate(cells)}
    assert expected == ours


CHOICES = [
    Filters(),
    Filters(year=(2016,), offense_class=("violent",)),
    Filters(area=(25, 29), arrest=False),
    Filters(district=(11,), domestic=True, year=(2014, 2016)),
    Filters(type=("THEFT", "BATTERY"), source_labels=True),
]


@pytest.mark.parametrize("filters", CHOICES, ids=str)
def test_the_pages_count_the_same_crimes(data: Data, filters: Filters) -> None:
    pages = {page: page(PageRequest(data, filters)) for page in (overview, where, when)}
    by_type = sum(row["crimes"] for row in rows(pages[overview], "types"))
    assert by_type > 0
    assert sum(row["crimes"] for row in rows(pages[when], "months")) == by_type
    assert sum(row["crimes"] for row in rows(pages[overview], "months")) == by_type
    [of_where, _, without_area] = pages[where].numbers
    assert int(of_where.value.replace(",", "")) == by_type
    assert sum(row["crimes"] for row in rows(pages[where], "areas")) == by_type - int(without_area.value)


def test_the_map_draws_the_areas_of_its_table(data: Data) -> None:
    view = where(PageRequest(data, Filters(area=(25, 41))))
    drawn = view.sections[0].figures[0].data["areas"]
    crimes = {name: n for name, n in zip(drawn["name"], drawn["crimes"], strict=True) if n is not None}
    assert crimes == {row["name"]: row["crimes"] for row in rows(view, "areas")}
    assert set(crimes) == {"Austin", "Hyde Park"}
    assert len(drawn["geometry"]) == 77


def test_rates_of_few_residents_are_marked_on_the_map_and_in_the_table(data: Data) -> None:
    view = where(PageRequest(data, Filters(year=(2016,), measure="rate")))
    small = {row["name"] for row in rows(view, "areas") if row["is_small"]}
    assert {"Fuller Park", "Burnside"} <= small
    assert all(row["residents"] < 10_000 or row["crimes"] < 20 for row in rows(view, "areas") if row["is_small"])
    drawn = view.sections[0].figures[0].data["areas"]
    assert {name for name, is_pale in zip(drawn["name"], drawn["is_pale"], strict=True) if is_pale} == small
    by_count = where(PageRequest(data, Filters(year=(2016,)))).sections[0].figures[0].data["areas"]
    assert not any(by_count["is_pale"]), "counts do not depend on residents"
    rate = overview(PageRequest(data, Filters(year=(2016,), area=(37, 41)))).numbers[3]
    assert rate.caveat.startswith("Fuller Park: fewer than 10,000 residents")


def test_whole_years_compare_as_the_overview_does(data: Data) -> None:
    moved = rows(overview(PageRequest(data, Filters())), "moved-types")
    of_overview = {row["name"]: (row["now"], row["before"]) for row in moved}
    found = rows(compare(PageRequest(data, Filters(rows="type"))), "spans")
    end = data.facts().newest_day
    assert (end.month, end.day) == (12, 31)
    assert {row["name"]: (row["year_to_date"], row["year_to_date_before"]) for row in found} == of_overview
    assert all(row["whole_year"] == row["year_to_date"] for row in found)
    assert {row["year_to_date_mean_years"] for row in found} == {2}, "2013 is not loaded"
