"""Tests of the page Signals, and of caveats on codes, places and late reports."""

import itertools
import re
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import pyarrow as pa
import pytest
from sqlglot import exp
from starlette.testclient import TestClient

from chicago_crime import sql
from chicago_crime.dashboard import caveats
from chicago_crime.dashboard.data import Data
from chicago_crime.dashboard.filters import Filters, read_filters
from chicago_crime.dashboard.page_request import NoCrimesError, PageRequest
from chicago_crime.dashboard.pages.compare import compare
from chicago_crime.dashboard.pages.overview import overview
from chicago_crime.dashboard.pages.signals import signals
from chicago_crime.dashboard.pages.where import where
from chicago_crime.settings import Settings
from chicago_crime_tests.dashboard.conftest import client_of, data_of, rows, total
from chicago_crime_tests.sql.engines import CATALOG, in_duckdb, written
from chicago_crime_tests.support import crimes_of_months, folder_settings, run_well, write_csv


@pytest.fixture(scope="module")
def outbreak_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Three similar years, and a fourth with three times the car thefts in Austin, new codes and a reworded label."""
    folder = tmp_path_factory.mktemp("outbreak")
    theft = {"iucr": "0820", "primary_type": "THEFT", "fbi_code": "06"}
    car = {"iucr": "0910", "primary_type": "MOTOR VEHICLE THEFT", "fbi_code": "07", "community_area": 25}
    break_in = {"iucr": "0760", "primary_type": "BURGLARY", "fbi_code": "05"}
    arson = {"iucr": "1020", "primary_type": "ARSON", "fbi_code": "09", "community_area": "", "beat": "0112"}
    arson |= {"x_coordinate": "", "y_coordinate": "", "district": "061"}
    for year in range(2013, 2017):
        crimes = crimes_of_months(year, 40, **theft, location_description=f"HOTEL{'/' if year < 2016 else ' / '}MOTEL")
        crimes += crimes_of_months(year, per_month=60 if year == 2016 else 20, **car)
        if year == 2016:
            crimes += crimes_of_months(year, per_month=1, months=[12], **car | {"community_area": ""})
            crimes += crimes_of_months(year, per_month=10, months=range(7, 13), **break_in)
            crimes += crimes_of_months(year, per_month=10, months=range(7, 13), **arson)
        numbered = [row | {"id": str(year * 100_000 + number)} for number, row in enumerate(crimes)]
        write_csv(folder / "in" / f"{year}.csv", numbered)
    settings = folder_settings(folder / "data", folder / "in")
    run_well(settings, *range(2013, 2017))
    return settings


@pytest.fixture(scope="module")
def outbreak(outbreak_settings: Settings) -> Data:
    return data_of(outbreak_settings)


def test_an_outbreak_is_the_first_signal_and_links_to_its_incidents(outbreak: Data) -> None:
    found = rows(signals(PageRequest(outbreak, Filters())), "year_to_date")
    [first, *_] = [row for row in found if row["area"] == "Austin"]
    assert (first["offense"], first["now"], first["before"]) == ("Motor vehicle theft", 720, "240, 240, 240")
    assert first["verdict"] == "unusual"
    assert first["sentence"].startswith("Motor vehicle theft in Austin: 720, expected ")
    assert 150 < first["low"] < 240 < first["high"] < 350
    latest = rows(signals(PageRequest(outbreak, Filters())), "days_28")
    assert ("Austin", 60) in {(row["area"], row["now"]) for row in latest}, "although one of few thefts has no area"
    assert first == found[0] or found[0]["area"] == "Chicago"
    filters, *wrong = read_filters(parse_qsl(first["rows_of"]))
    assert wrong == [[], []]
    assert (filters.group, filters.area) == (("vehicle_theft",), (25,))
    assert (filters.start, filters.finish) == (date(2016, 1, 1), outbreak.facts().newest_day)
    [row] = outbreak.answer("places", filters.parameters([2016]) | {"place": "area"}).to_pylist()
    assert row["crimes"] == 720


def test_filters_select_signals_and_untested_counts_are_not_called_usual(outbreak: Data) -> None:
    request = PageRequest(outbreak, Filters(area=(25,), group=("vehicle_theft",), domestic=True))
    found = rows(signals(request), "year_to_date")
    assert {(row["offense"], row["area"]) for row in found} == {("Motor vehicle theft", "Austin")}
    assert request.notes == ["These filters do not apply to this page: domestic."]
    chosen = Filters(type=("MOTOR VEHICLE THEFT",), group=("burglary",))
    [_, section] = signals(PageRequest(outbreak, chosen)).sections
    assert section.title == "Year to date: no count matches the filters"
    assert "None of them match the filters" in section.intro


@pytest.mark.parametrize("chosen", [{"type": ("MOTOR VEHICLE THEFT",)}, {"group": ("vehicle_theft",)}], ids=str)
def test_a_type_is_tested_as_its_group(outbreak: Data, chosen: dict[str, tuple[str]]) -> None:
    everything = signals(PageRequest(outbreak, Filters())).sections[1].intro
    section = signals(PageRequest(outbreak, Filters(**chosen))).sections[1]
    assert section.title == "Year to date: 2 unusual counts, compared with the mean of 2013-2015"
    assert {(row["area"], row["now"]) for row in section.tables[0].rows} == {("Chicago", 721), ("Austin", 720)}
    [tested] = re.findall(r"\d+ counts of offenses", everything)
    assert f"{tested} in the city and its areas were tested, the city's separately. The filters" in section.intro


def test_incomplete_latest_days_and_two_years_are_not_compared(loaded_years: Settings, outbreak: Data) -> None:
    [section] = signals(PageRequest(data_of(loaded_years), Filters())).sections
    assert "at least 2 earlier years" in section.intro
    assert "Loaded: 2014-2015." in section.intro
    request, years = PageRequest(outbreak, Filters()), outbreak.facts().years
    ends = [date(2012, 12, 31), date(2013, 12, 31), date(2014, 12, 31), date(2015, 12, 23), date(2016, 1, 3)]
    cut = {end.year: replace(years[2013], last_day=end) for end in ends}
    request.facts = replace(outbreak.facts(), years=cut)
    [section] = signals(request).sections
    assert "needs the latest 28 days (Dec 7, 2015 \u2013 Jan 3, 2016)" in section.intro
    assert "Loaded: 2012-2015 (to December 23), 2016 (to January 3). To load more" in section.intro


def test_the_first_page_is_signals_with_only_the_filters_that_apply(client: TestClient) -> None:
    page = client.get("/?district=11&area=25&year=2016").text
    assert "<h1>Signals</h1>" in page and "compared with the same days of 2014-2015" in page
    [form] = re.findall(r'<form id="filters".*?</form>', page, re.DOTALL)
    fields = re.findall(r'<(?:input type="(?!hidden)\w+"|select) name="(\w+)"', form)
    assert {*fields} == {"group", "type", "area"}
    assert re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', form) == [("year", "2016"), ("district", "11")]
    assert re.findall(r'class="chip"[^>]*>([^<]+) <', page) == ["Austin"]
    assert "These filters do not apply to this page: year, district." in page


def test_an_embedded_chart_names_only_filters_that_apply(outbreak_settings: Settings) -> None:
    chart = client_of(outbreak_settings).get("/embed/signals/year_to_date?type=MOTOR+VEHICLE+THEFT&ward=24").text
    assert re.findall(r'class="chip">([^<]+)<', chart) == ["Motor vehicle theft"]


def test_no_cell_is_hot_where_there_is_one_or_none(outbreak: Data) -> None:
    for chosen, cells in (Filters(area=(25,)), 1), (Filters(beat=(112,)), 0):
        request = PageRequest(outbreak, replace(chosen, map="hot_spots"))
        drawn, table, _ = where(request).sections
        assert ("These crimes are in no cell" in " ".join(request.notes)) == (cells == 0)
        assert table.title.startswith("0 hot cells hold")
        assert len(table.tables[0].rows) == 0
        assert len(drawn.map.cells["tip"]) == cells


def test_trends_with_new_codes_have_a_caveat(outbreak: Data) -> None:
    years = range(2013, 2017)
    everything = PageRequest(outbreak, Filters())
    [sentence] = caveats.drifting(everything, years)  # 0760 is counted under its former type
    assert sentence.startswith("1.7% of these crimes have codes that were not used in all years (1020 in 2016)")
    thefts = rows(overview(PageRequest(outbreak, Filters(type=("THEFT",)))), "months")
    assert [row["crimes"] for row in thefts][-6:] == [50] * 6


@pytest.mark.parametrize("label", ["HOTEL/MOTEL", "HOTEL / MOTEL", "hotel motel"])
def test_labels_that_differ_in_punctuation_are_one(outbreak: Data, label: str) -> None:
    request = PageRequest(outbreak, Filters(location=(label,)))
    assert [counts["crimes"] for counts in request.totals("year").values()] == [480] * 4
    assert [one for one in outbreak.facts().choices["location"] if "HOTEL" in one] == ["HOTEL/MOTEL"]
    assert request.reworded(range(2013, 2017)) == request.reworded([2021]) == []
    [sentence] = request.reworded([2016, 2021])
    assert sentence.startswith("The City reworded many descriptions and location types in 2019 and 2020. Labels that")
    assert replace(request, filters=Filters()).reworded([2016, 2021]) == []
    missing = PageRequest(outbreak, Filters(location=(label,), year=(2021,)))
    missing.facts = replace(request.facts, years=request.facts.years | {2021: request.facts.years[2016]})
    with pytest.raises(NoCrimesError, match=re.escape(f"Matching years: 2013-2016. {sentence}")):
        missing.require_matches(0)


def test_redrawn_places_have_a_caveat(outbreak: Data) -> None:
    everything = PageRequest(outbreak, Filters())
    [sentence] = caveats.incomparable(everything, range(2014, 2025), "ward")
    assert sentence.startswith("Wards in the records changed between 2016 and 2021 and in 2023: ")
    assert caveats.incomparable(everything, [2018, 2019], "ward"), "it is unknown when they changed"
    assert caveats.incomparable(PageRequest(outbreak, Filters(beat=(1834,))), [2012, 2013])
    for kind, years in [("ward", [2014, 2016]), ("ward", [2018]), ("district", [2013, 2024]), ("area", [2001, 2024])]:
        assert not caveats.incomparable(everything, years, kind)


def test_a_district_on_no_map_has_pages(outbreak_settings: Settings) -> None:
    client = client_of(outbreak_settings)
    assert 'href="/compare?district=61&amp;rows=district"' in client.get("/compare?rows=district").text
    for page in "overview?", "compare?", "where?", "where?map=districts&", "when?", "incidents?":
        shown = client.get(f"/{page}district=61").text
        assert not re.search("There is no district|No crimes match", shown) and "<table" in shown


def test_years_with_unknown_places_are_not_compared(outbreak: Data) -> None:
    """In 2016, 60 of 1,320 crimes have no community area, but all vehicle thefts have one."""
    lacking = "In 2016, 4.6% of otherwise matching crimes have no community area: counts by community area are too low"
    vehicles, austin = Filters(type=("MOTOR VEHICLE THEFT",), area=(25,)), Filters(area=(25,), year=(2016,))
    _, change, _, rate = overview(PageRequest(outbreak, austin)).numbers
    assert change.value == rate.value == "\u2013"
    assert change.detail == rate.detail == f"{lacking} and cannot be compared."
    _, change, _, rate = overview(PageRequest(outbreak, vehicles)).numbers
    assert change.value == "+200.0%" and rate.value != "\u2013"
    months = rows(overview(PageRequest(outbreak, austin)), "months")
    assert not any(row["verdict"] for row in months)
    view = compare(PageRequest(outbreak, Filters()))
    assert {(row["year_to_date_change"], row["year_to_date_verdict"]) for row in rows(view, "spans")} == {(None, None)}
    assert total(view, "spans")["year_to_date_change"] == 601 / 720
    assert all(any(lacking in caveat for caveat in section.caveats) for section in view.sections)
    drawn, table, _ = where(PageRequest(outbreak, Filters(year=(2016,), measure="rate"))).sections
    assert lacking in drawn.caveats[0] and lacking in table.notes[0]
    assert {row["rate_per_100000"] for row in table.tables[0].rows} == {None}
    _, section = signals(PageRequest(outbreak, Filters())).sections
    assert caveats.UNPLACED in section.caveats
    assert "All crimes, Austin" not in {row["name"] for row in section.tables[0].rows}


@pytest.mark.parametrize(
    ("every", "loads", "types", "growth"),
    [
        (1, 28, (), ""),
        (1, 45, (), "about 10.2%"),
        (7, 8, ("PROMPT",), ""),
        (7, 8, (), "about 10.2%"),
        (30, 4, (), "about 10.2%"),
    ],
    ids=str,
)
def test_late_reports_are_estimated_from_old_loads(every: int, loads: int, types: tuple[str, ...], growth: str) -> None:
    """At each load, 52 of the 560 crimes of the newest four weeks are missing: one type is reported late.

    The first load was an extract without most crimes, and says nothing about late reports.
    """
    delays = [0] * 16 + [12, 18, 24, 30]
    first, year_start = date(2024, 2, 6), date(2024, 1, 1)
    snapshots = [first + timedelta(every * number) for number in range(loads)]
    kept, added = [], []
    for number, delay in itertools.product(range((snapshots[-1] - year_start).days - 7), delays):
        day = year_start + timedelta(number)
        reported = {"primary_type_comparable": "SLOW" if delay else "PROMPT"}
        crime = {"id": len(kept), "year": 2024, "date": datetime.combine(day, time(12))} | reported
        known = [at for at in snapshots if at >= day + timedelta(max(delay, 8))]
        kept += [crime] if known else []
        if known and (known[0] > first or number % 7):
            before = snapshots[snapshots.index(known[0]) - 1] if known[0] > first else date(2024, 2, 2)
            added.append(crime | {"kind": "added", "snapshot": known[0], "previous_snapshot": before})
    sample = {"year": 2024, "kind": "another_data_set", "snapshot": first, "previous_snapshot": date(2024, 2, 1)}
    used = {column.name for column in sql.statement("pages/late_reports").find_all(exp.Column)}
    catalog = {name: [one for one in CATALOG[name] if one[0] in used] for name in ("revisions", "enriched_crimes")}
    held = {"revisions": [*added, sample], "enriched_crimes": kept}
    parameters = Filters(type=types).parameters([2024])
    answer = pa.Table.from_pylist(in_duckdb(written("pages/late_reports"), held, parameters, catalog))
    request: Any = SimpleNamespace(answer=lambda *_, **__: answer, facts=SimpleNamespace(years=[2024]))
    assert [growth in sentence for sentence in caveats.still_growing(request)] == [True] * bool(growth)


@pytest.mark.parametrize("is_fresh", [True, False])
def test_the_newest_28_days_may_begin_in_the_year_before(is_fresh: bool) -> None:
    """They do not depend on the flags of that year, and a year that was loaded too early keeps its own flags."""
    spans = {
        2014: (date(2014, 12, 4), 28, True),
        2015: (date(2015, 12, 4), 28, False),
        2016: (date(2016, 1, 1), 25, is_fresh),
    }
    daily = [
        {"year": year, "day": first + timedelta(number), "crimes": 1, "is_provisional": flag}
        for year, (first, days, flag) in spans.items()
        for number in range(days)
    ]
    held = {"crimes_daily": daily, "area_rates": [{"year": year, "covered_to": date(year, 12, 31)} for year in spans]}
    found = in_duckdb(written("pages/days"), held, {}, {name: CATALOG[name] for name in held})
    assert {row["last_day"] for row in found} == {date(year, 12, 31) for year in spans}
    newest = date(2015, 12, 29) if is_fresh else None
    expected = {2014: date(2014, 12, 4), 2015: newest, 2016: newest}
    assert {row["year"]: row["provisional_from"] for row in found} == expected
