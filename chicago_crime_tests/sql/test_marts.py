"""Tests of the marts' SQL: crimes_monthly, crimes_hourly, crimes_by_cell, area_rates and the example answers."""

from collections import Counter
from datetime import date

import pytest

from chicago_crime.settings import Settings
from chicago_crime_tests.support import crime, crimes_of_months, folder_settings, rows_of, run_well, write_csv

NOWHERE = {"x_coordinate": "0", "y_coordinate": "0", "latitude": "36.619446395", "longitude": "-91.686565684"}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("marts")
    rows = [
        *crimes_of_months(2014, per_month=10),  # thefts in the Loop, at 10:15
        crime(id=1, date="03/03/2014 12:00:00 AM", fbi_code="01A", primary_type="HOMICIDE", arrest="true"),
        crime(id=2, date="03/03/2014 12:01:00 AM", fbi_code="01A", primary_type="HOMICIDE"),
        crime(id=3, date="03/03/2014 12:05:00 AM", fbi_code="01A", primary_type="HOMICIDE", community_area="1"),
        crime(id=4, date="12/30/2014 09:00:00 PM", community_area="0", district="", domestic="true", **NOWHERE),
    ]
    write_csv(folder / "in" / "2014.csv", rows)
    unplaced = crime(id=1, date="12/01/2015 01:00:00 PM", community_area="", x_coordinate="", y_coordinate="")
    write_csv(folder / "in" / "2015.csv", [*crimes_of_months(2015, per_month=4), unplaced])
    settings = folder_settings(folder / "data", folder / "in")
    run_well(settings, 2014, 2015)
    return settings


def test_months_and_cells_count_every_crime_once(loaded: Settings) -> None:
    rows = rows_of(loaded, "crimes_monthly", 2014)
    assert sum(row["crimes"] for row in rows) == 124
    assert sum(row["crimes"] for row in rows if row["arrest"]) == 1
    assert sum(row["crimes"] for row in rows if row["domestic"]) == 1
    nowhere = [row for row in rows if row["community_area"] is None]
    assert [(row["crimes"], row["district"], str(row["month"])) for row in nowhere] == [(1, None, "2014-12-01")]
    cells: Counter[tuple] = Counter()
    for row in rows_of(loaded, "crimes_by_cell", 2014):
        cells[row["cell_x"], row["cell_y"], row["offense_class"] == "violent"] += row["crimes"]
    # 1,176,352 and 1,900,927 ft / 660; no coordinates
    assert cells == {(1782, 2880, True): 3, (1782, 2880, False): 120, (None, None, False): 1}


def test_hours_count_placeholder_times_separately(loaded: Settings) -> None:
    rows = rows_of(loaded, "crimes_hourly", 2014)
    by_hour: Counter[int] = Counter()
    for row in rows:
        by_hour[row["hour"]] += row["crimes"]
    assert {hour: n for hour, n in by_hour.items() if n} == {0: 1, 10: 120, 21: 1}
    assert sum(row["time_placeholders"] for row in rows) == 2
    assert {row["day_of_week"] for row in rows if row["hour"] == 0} == {1}  # 3 March 2014 was a Monday


def test_every_area_and_class_has_a_rate_and_small_populations_are_marked(loaded: Settings) -> None:
    rates = {(row["community_area"], row["offense_class"]): row for row in rows_of(loaded, "area_rates", 2014)}
    assert len(rates) == 77 * 4
    loop = rates[32, "all"]
    assert (loop["community_area_name"], loop["crimes"], loop["arrests"]) == ("Loop", 122, 1)
    # 29,283 residents in 2010 and 42,298 in 2020, so 34,489 in 2014 by linear interpolation.
    assert loop["population"] == pytest.approx(29_283 + 0.4 * (42_298 - 29_283))
    assert (loop["days_covered"], loop["covered_to"]) == (365, date(2014, 12, 31)), "updated in 2018"
    assert loop["rate_per_1000"] == pytest.approx(122 * 1000 / 34_489)
    assert (rates[1, "violent"]["crimes"], rates[1, "property"]["crimes"], rates[2, "all"]["crimes"]) == (1, 0, 0)
    assert rates[32, "violent"]["crimes"] + rates[32, "property"]["crimes"] == 122
    few = {row["community_area_name"] for row in rates.values() if row["is_small_population"]}
    # Avalon Park had 10,185 residents in 2010 and 9,458 in 2020, so 9,894 in 2014. Hegewisch grew past 10,000 by 2020.
    assert few == {"Fuller Park", "Burnside", "Oakland", "Riverdale", "Pullman", "Hegewisch", "Avalon Park"}


def test_a_part_of_a_year_is_no_year_without_crimes_at_its_end(settings: Settings) -> None:
    write_csv(settings.folder / "2021.csv", crimes_of_months(2021, per_month=7, months=[1, 2, 3, 4]))  # updated in 2022
    run_well(settings, 2021)
    covered = {(row["days_covered"], row["covered_to"]) for row in rows_of(settings, "area_rates", 2021)}
    assert covered == {(97, date(2021, 4, 7))}


def test_rates_with_many_unknown_areas_are_unknown_and_latitude_and_longitude_are_a_place(loaded: Settings) -> None:
    rates = {(row["crimes"], row["rate_per_1000"]) for row in rows_of(loaded, "area_rates", 2015)}
    assert rates == {(48, None), (0, None)}
    coverage = [rows_of(loaded, "code_coverage", year) for year in (2014, 2015)]
    assert [sum(row["without_place"] for row in rows) for rows in coverage] == [1, 0]
