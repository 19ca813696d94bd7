"""The full graph on real years: every row accounted for, and counts confirmed by an independent program."""

import csv
import gzip
import re
from collections import Counter
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from chicago_crime import reference
from chicago_crime.analysis.expected import UNUSUAL
from chicago_crime.analysis.signals import find_signals
from chicago_crime.dashboard.data import Data
from chicago_crime.dashboard.filters import Filters
from chicago_crime.dashboard.page_request import PageRequest
from chicago_crime.dashboard.pages.compare import compare
from chicago_crime.dashboard.pages.overview import overview
from chicago_crime.dashboard.pages.signals import signals
from chicago_crime.graph.run import RunReport
from chicago_crime.graph.status import read_status
from chicago_crime.installation import Installation
from chicago_crime.settings import Settings
from chicago_crime.tables import TABLES, Table
from chicago_crime_tests.support import REAL_ROWS, folder_settings, real_year, run, run_well, warehouse_of


def test_every_row_is_accounted_for(real_runs: tuple[Settings, list[RunReport]]) -> None:
    settings, reports = real_runs
    metadata = {key: values for report in reports for key, values in report.metadata.items()}
    assert {year: metadata["raw_crimes", year]["dagster/partition_row_count"] for year in REAL_ROWS} == REAL_ROWS
    for year, rows in REAL_ROWS.items():
        names = ("crimes", "rejected_crimes", "enriched_crimes")
        typed, rejected, enriched = (metadata[name, year]["dagster/partition_row_count"] for name in names)
        assert (typed + rejected, enriched) == (rows, typed)
        assert metadata["crime_object", year]["quarantined_lines"] == 0
    problems = [check for report in reports if report.years.startswith("2014") for check in report.checks]
    assert {(one.check, one.is_error) for one in problems} == {("codes_are_stable", False)}
    [problem] = [one for one in problems if one.year == 2015]
    # Identity theft moved from THEFT to DECEPTIVE PRACTICE in 2015.
    assert "0840 vanishes (412 crimes in 2014, 0 in 2015), 0841 vanishes (131 crimes" in problem.description
    statuses = read_status(Installation(settings)).years
    assert {status.year: status.problems for status in statuses} == {year: [] for year in REAL_ROWS}


def test_a_real_year_without_most_crimes_of_some_months_is_incomplete(tmp_path: Path) -> None:
    with gzip.open(real_year(2015), "rt", newline="") as file:
        kept = [line for line in file if not re.match(r"\d*[1-9],\w+,0[2-5]/", line)]
    (tmp_path / "2015.csv").write_text("".join(kept), newline="")
    [report] = run(folder_settings(tmp_path / "data", tmp_path), 2015, assets="crime_csv")
    [check] = [check for check in report.checks if check.is_error]
    assert re.match(r"only \d\d rows a day in 2015-02, but \d\d\d in another month \(and 3 more", check.description)


@pytest.mark.parametrize("year", [2014, 2016, 2021])
def test_counts_match_an_independent_program(real_years: Settings, year: int) -> None:
    """The independent program uses only Python's csv module. The file of 2021 has different formats."""
    with reference.file("fbi_codes").open(newline="") as stream:
        classes = {row["fbi_code"]: row["ucr_part1_class"] or "non_index" for row in csv.DictReader(stream)}
    by_type: Counter[str] = Counter()
    arrests: Counter[str] = Counter()
    by_month_class: Counter[tuple[int, str]] = Counter()
    by_area: Counter[int] = Counter()
    with gzip.open(real_year(year), "rt", newline="") as file:
        for row in csv.DictReader(file):
            by_type[row["Primary Type"]] += 1
            arrests[row["Primary Type"]] += row["Arrest"] in ("true", "1")
            by_month_class[int(row["Date"][:2]), classes[row["FBI Code"]]] += 1
            by_area[int(float(row["Community Area"] or 0))] += 1
    warehouse = warehouse_of(real_years)

    types = f"SELECT primary_type, crimes, arrests FROM crime_type_count WHERE year = {year}"
    counted = [(name, by_type[name], arrests[name]) for name in by_type]
    assert sorted(warehouse.first_rows(types, None).rows) == sorted(counted)
    months = (
        "SELECT MONTH(month) AS m, offense_class AS c, SUM(crimes)::INT AS n FROM crimes_monthly "
        f"WHERE year = {year} GROUP BY ALL"
    )
    assert {(month, name): n for month, name, n in warehouse.first_rows(months, None).rows} == by_month_class
    areas = f"SELECT community_area, crimes FROM area_rates WHERE year = {year} AND offense_class = 'all'"
    assert dict(warehouse.first_rows(areas, None).rows) == {area: by_area[area] for area in range(1, 78)}


def test_offense_groups_and_wards_match_published_counts(real_years: Settings) -> None:
    """Homicides and carjackings as published; the others as counted with Python's csv module."""
    data = Data(Installation(real_years).reader())
    table = overview(PageRequest(data, Filters(year=(2014, 2015, 2016)))).table("groups")
    groups = {row["name"]: [row["2014"], row["2015"], row["2016"]] for row in table.rows}
    assert groups["Homicide"] == [426, 502, 786]
    assert groups["Murder"] == [424, 496, 782]
    assert [groups["Carjacking"][2], groups["Carjacking, aggravated"][2]] == [663, 398]
    with gzip.open(real_year(2016), "rt", newline="") as file:
        rows = [*csv.DictReader(file)]
    robberies = Counter(row["Ward"] for row in rows if row["Primary Type"] == "ROBBERY")
    by_fbi_code = Counter(row["FBI Code"] for row in rows)
    assert groups["Aggravated assault"][2] == by_fbi_code["04A"]
    assert groups["Aggravated battery"][2] == by_fbi_code["04B"]
    table = compare(PageRequest(data, Filters(type=("ROBBERY",), rows="ward"))).table("by-year")
    by_ward = {row["name"].removeprefix("Ward ").replace("No ward", ""): row["2016"] for row in table.rows}
    assert {ward: n for ward, n in by_ward.items() if n} == robberies


def test_murder_and_carjacking_of_2016_are_unusual(real_years: Settings) -> None:
    """As newspapers reported; at the end of 2016, compared with two earlier years."""
    data = Data(Installation(real_years).reader())
    parameters = {"last_day": date(2016, 12, 31), "years": [2014, 2015, 2016], "years_back": [0, 1, 2]}
    found = find_signals(data.answer("signals", parameters), "year_to_date", [0, 1, 2])
    unusual = {one.offenses[0][1] for one in found if one.area is None and one.verdict == UNUSUAL}
    assert {"murder", "carjacking", "gun_battery"} <= unusual
    assert not {"sexual_assault", "burglary", "retail_theft"} & unusual
    assert len([one for one in found if one.verdict == UNUSUAL]) < 100


def test_a_group_shares_the_name_of_a_type_only_if_it_has_the_same_crimes(real_years: Settings) -> None:
    for section in signals(PageRequest(Data(Installation(real_years).reader()), Filters())).sections:
        names = [row["name"] for row in section.tables[0].rows]
        assert len(names) == len({*names}) > 100


def test_running_again_changes_no_table(real_years: Settings, tmp_path: Path) -> None:
    folder = real_years.data_dir / "warehouse"
    before = {name: content_of(table, folder / name / "2021.parquet") for name, table in TABLES.items()}
    run_well(real_years, 2021)
    for name, table in TABLES.items():
        assert content_of(table, folder / name / "2021.parquet") == before[name], name


def content_of(table: Table, file: Path) -> object:
    """Return the bytes of an ordered table's file, else its rows in any order."""
    return file.read_bytes() if table.order else sorted(map(repr, pq.read_table(file).to_pylist()))
