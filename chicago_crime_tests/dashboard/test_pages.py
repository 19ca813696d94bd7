"""Tests of the pages: their numbers agree with each other and with the tables of the Spark job."""

import io
import re
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pyarrow.csv
import pytest

from chicago_crime.analysis.expected import adjusted
from chicago_crime.dashboard.data import Data
from chicago_crime.dashboard.filters import MAPS, Filters, read_filters
from chicago_crime.dashboard.hot_spots import RATES, gi_star
from chicago_crime.dashboard.page_request import NoCrimesError, PageRequest
from chicago_crime.dashboard.pages.compare import compare
from chicago_crime.dashboard.pages.data import KINDS, data_page
from chicago_crime.dashboard.pages.overview import overview
from chicago_crime.dashboard.pages.signals import signals
from chicago_crime.dashboard.pages.when import busiest_of, when
from chicago_crime.dashboard.pages.where import study_area, where
from chicago_crime.dashboard.view import as_text, crimes_text
from chicago_crime.settings import Settings
from chicago_crime.tables.years import SAMPLE
from chicago_crime_tests.dashboard.conftest import client_of, copy_of, data_of, rows
from chicago_crime_tests.outlines import fetch_outlines, write_outlines
from chicago_crime_tests.support import crimes_of_months, folder_settings, rows_of, run, run_well, write_csv


@pytest.mark.parametrize(("year", "offense_class"), [(2014, "all"), (2016, "violent")])
def test_gi_star_equals_that_of_the_spark_job(data: Data, sample: Settings, year: int, offense_class: str) -> None:
    expected = {
        (row["cell_x"], row["cell_y"]): (row["crimes"], row["neighborhood_crimes"], row["gi_star"])
        for row in rows_of(sample, "hot_spots", year)
        if row["offense_class"] == offense_class
    }
    chosen = () if offense_class == "all" else (offense_class,)
    cells = study_area(PageRequest(data, Filters(year=(year,), offense_class=chosen)))
    assert len(cells) > 1000
    at, crimes = (np.array([cell[name] for cell in cells]) for name in ("at", "crimes"))
    z, near, _ = gi_star(at.T, crimes)
    found = zip(at.tolist(), crimes, near, z, strict=True)
    assert expected == {tuple(cell): (count, around, pytest.approx(score)) for cell, count, around, score in found}


@pytest.mark.parametrize("crimes", [500, 12_000])
def test_false_hot_spots_are_rare(crimes: int) -> None:
    """Simulation: most cells have few crimes and a few have many, without clusters."""
    random = np.random.default_rng(crimes)
    cells = np.argwhere(np.ones((90, 90))).T
    share = random.gamma(0.2, size=cells.shape[1])
    counts = random.multinomial(crimes, share / share.sum())
    false = [(adjusted(gi_star(cells, random.permutation(counts))[2]) <= RATES[1]).any() for _ in range(50)]
    assert sum(false) <= 5
    counts[(abs(cells - 45) <= 2).all(axis=0)] += 30
    z, _, p = gi_star(cells, counts)
    assert {(44, 44), (45, 46)} <= set(zip(*cells[:, (z > 0) & (adjusted(p) <= RATES[0])].tolist(), strict=True))


def test_crimes_without_area_or_cell_are_mapped_as_none(settings: Settings) -> None:
    unknown = dict.fromkeys(("community_area", "x_coordinate", "y_coordinate"), "")
    write_csv(settings.folder / "2014.csv", crimes_of_months(2014, **unknown))
    run_well(settings, 2014)
    for shown in MAPS:
        request = PageRequest(data_of(settings), Filters(map=shown))
        assert not where(request).sections[0].map.marks
        assert request.notes == ["These crimes are in no cell: their records have no X and Y coordinates."]
    with pytest.raises(NoCrimesError, match="have no community area"):
        overview(PageRequest(data_of(settings), Filters(area=(25,))))


def test_a_year_that_lacks_days_is_not_compared(settings: Settings) -> None:
    for year in range(2013, 2017):
        months = range(3, 10) if year == 2016 else range(1, 13)
        crimes = crimes_of_months(year, per_month=168, months=months)
        kept = [row for row in crimes if row["date"][:10] not in {f"07/{day:02}/2016" for day in range(2, 32)}]
        write_csv(settings.folder / f"{year}.csv", kept)
    run_well(settings, *range(2013, 2017), accept="test")
    days = "January to February and July 2 to 31"
    lacks = f"2016 lacks {days}: the file is incomplete, so nothing is compared with this year."
    request = PageRequest(data_of(settings), Filters(year=(2016,)))
    page = overview(request)
    total, year_over_year, _, rate = page.numbers
    assert (total.detail, total.caveat) == (
        f"in 2016 (to September 28, without {days})",
        f"2013-2016: {SAMPLE} {lacks}",
    )
    assert (year_over_year.value, year_over_year.detail) == ("\u2013", lacks)
    [covered] = {row["days_covered"] for row in rows_of(settings, "area_rates", 2016)}
    assert covered == len(request.days) == 182
    assert rate.value == as_text(100_000 * (7 * 168 - 162) * 366 / 182 / request.residents([2016], []), "decimal")
    months = [row["month"] for row in rows(when(request), "months")]
    assert [row["month"].month for row in rows(page, "months")] == months
    assert {row["verdict"] for row in rows(page, "months")} == {None}
    assert [row["month"].month for row in rows(page, "months") if row["is_complete"]] == [3, 4, 5, 6, 8]
    [spans, _] = compare(PageRequest(data_of(settings), Filters(end=date(2016, 9, 28)))).sections
    assert lacks in spans.caveats
    assert {row["year_to_date_change"] for row in spans.tables[0].rows} == {None}
    assert signals(request).sections[0].title == "Not enough days to compare"
    earlier = overview(PageRequest(data_of(settings), Filters(year=(2015,))))
    assert earlier.numbers[1].value == "0.0%"


def test_a_year_with_far_fewer_crimes_than_another_is_not_compared(data: Data) -> None:
    request = PageRequest(data, Filters(year=(2015,)))
    held = request.facts.years
    few = {2014: replace(held[2014], crimes=270_000), 2015: replace(held[2015], crimes=80_000)}
    request.facts = replace(request.facts, years=few)
    assert overview(request).numbers[1].detail.startswith("2015 has 6,667 crimes a month, but 2014 has 22,500: a file")
    [section] = signals(request).sections
    assert section.title == "Not enough days to compare" and "a file must be incomplete" in section.caveats[0]
    request.facts = replace(request.facts, years=few | {2015: replace(held[2015], crimes=190_000)})
    assert overview(request).numbers[1].detail.startswith("2015 compared with 2014: ")


def test_months_without_chosen_days_are_not_shown_as_zero(data: Data) -> None:
    chosen = PageRequest(data, Filters(year=(2015, 2016), start=date(2015, 11, 10), finish=date(2016, 1, 20)))
    months = rows(overview(chosen), "months")
    assert [row["month"] for row in months] == [date(2015, 11, 1), date(2015, 12, 1), date(2016, 1, 1)]
    assert [row["is_complete"] for row in months] == [False, True, False]
    assert [row["month"] for row in rows(when(chosen), "months")] == [11, 12, 1]
    assert chosen.period_text == "the selected days of 2015\u20112016"


@pytest.mark.parametrize(
    ("crimes", "busiest"),
    [
        ((1900, 1000, 2000), "Busiest day: Mo (475.0 on average). "),  # the month has five We
        ((190, 100, 230), "Busiest days: Mo (47.5 on average) and We (46.0 on average). "),
        ((190, 190, 230), ""),
        ((2, 0, 0), ""),
    ],
)
def test_busiest_days_are_by_average_and_not_by_chance(crimes: tuple[int, ...], busiest: str) -> None:
    counts, occur = dict(zip(("Mo", "Tu", "We"), crimes, strict=True)), {"Mo": 4, "Tu": 4, "We": 5}
    assert busiest_of("day", counts, occur, "decimal", " on average") == busiest


def test_one_crime_is_singular_and_zero_has_no_sign() -> None:
    texts = [crimes_text(crimes, "change") for crimes in (1, -1, 0, 1234)]
    assert texts == ["+1 crime", "\u22121 crime", "0 crimes", "+1,234 crimes"]
    assert (as_text(0.0, "percent_change"), as_text(0.0004, "percent_change")) == ("0.0%", "+0.0%")
    shares = [as_text(share, "percent") for share in (0, 0.0004, 0.5, 4051 / 4053, 1)]
    assert shares == ["0.0%", "<0.1%", "50.0%", ">99.9%", "100.0%"]


@pytest.mark.parametrize(
    ("last_day", "detail"),
    [
        (date(2014, 12, 31), "2013 is not loaded"),
        (date(2015, 12, 31), r"2015 compared with 2014: \S+ crimes"),
        (date(2016, 1, 20), "2016 has no complete month yet"),
        (date(2016, 2, 28), r"2016 compared with 2015, January: \S+ crimes"),
        (date(2016, 4, 15), r"2016 compared with 2015, January to March: \S+ crimes; only 2016 has a February 29"),
    ],
)
def test_year_over_year_states_what_it_compares_or_why_not(data: Data, last_day: date, detail: str) -> None:
    request, year = PageRequest(data, Filters(year=(last_day.year,))), last_day.year
    request.facts = replace(data.facts(), years=dict(data.facts().years))
    request.facts.years[year] = replace(request.facts.years[year], last_day=last_day)
    view = overview(request)
    assert re.fullmatch(detail, view.numbers[1].detail)
    assert ("it needs a complete month" in view.sections[0].intro) == (last_day < date(2016, 2, 1))


def test_an_incomplete_month_makes_no_other_month_unusual(data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    months = {date(year, month, 1): 100 for year in (2014, 2015, 2016) for month in range(1, 13)}
    months |= {date(2016, 3, 1): 146, date(2016, 12, 1): 1}
    counts = {month: Counter({"crimes": crimes}) for month, crimes in months.items()}
    totals = PageRequest.totals
    monkeypatch.setattr(
        PageRequest, "totals", lambda self, by, *years: counts if by == "month" else totals(self, by, *years)
    )
    request = PageRequest(data, Filters(year=(2016,)))
    request.facts = replace(data.facts(), years=dict(data.facts().years))
    request.facts.years[2016] = replace(request.facts.years[2016], last_day=date(2016, 12, 2))
    view = overview(request)
    assert view.numbers[0].detail == "in 2016 (to December 2)"
    shown = rows(view, "months")
    assert [row["verdict"] for row in shown if row["crimes"] != 100] == ["may be chance", None]


@pytest.mark.parametrize(("shown", "places"), [("areas", 77), ("districts", 22), ("beats", 270), ("wards", 50)])
def test_a_map_shows_the_places_of_its_table_and_links_into_each(data: Data, shown: str, places: int) -> None:
    view = where(PageRequest(data, Filters(year=(2016,), map=shown)))
    drawn = view.sections[0].map
    found = rows(view, shown)
    assert {mark.label for mark in drawn.marks} == {f"{row['name']}: {crimes_text(row['crimes'])}" for row in found}
    assert len(found) == len(drawn.marks) >= places
    assert sum(row["crimes"] for row in found) <= 4000
    first = found[0]
    assert first["crimes"] > found[-1]["crimes"]
    [link] = [mark.link for mark in drawn.marks if mark.label.startswith(f"{first['name']}:")]
    filters, _, _ = read_filters(parse_qsl(link.removeprefix("/where?")))
    inside = where(PageRequest(data, filters))
    assert inside.sections[0].map.view != inside.sections[0].map.whole, "the map is zoomed to the place"
    assert inside.numbers[0].value == f"{first['crimes']:,}"


def test_excluded_places_are_on_the_map_without_a_number(data: Data) -> None:
    view = where(PageRequest(data, Filters(district=(11,), type=("HOMICIDE",), map="beats")))
    drawn = view.sections[0].map
    found = rows(view, "beats")
    chosen = {mark.label for mark in drawn.marks if mark.css != "unknown"}
    assert chosen == {f"{row['name']}: {crimes_text(row['crimes'])}" for row in found}
    assert {row["name"][:-2] for row in found} == {"Beat 11"}
    least, most = min(row["crimes"] for row in found), max(row["crimes"] for row in found)
    assert (drawn.legend[0][1][0], drawn.legend[-1][1][-1]) == (str(least), str(most))
    [link] = [mark.link for mark in drawn.marks if mark.label == "Beat 111"]
    assert link == "/where?type=HOMICIDE&beat=111&map=cells"


def test_rates_of_few_residents_or_crimes_are_highlighted(data: Data) -> None:
    view = where(PageRequest(data, Filters(year=(2016,), measure="rate")))
    small = {row["name"] for row in rows(view, "areas") if row["is_small"]}
    assert {"Fuller Park", "Burnside"} <= small
    assert all(row["residents"] < 10_000 or row["crimes"] < 20 for row in rows(view, "areas") if row["is_small"])
    assert {mark.label.split(":")[0] for mark in view.sections[0].map.marks if "pale" in mark.css} == small
    by_count = where(PageRequest(data, Filters(year=(2016,)))).sections[0].map
    assert not any("pale" in mark.css for mark in by_count.marks), "counts do not depend on residents"
    rate = overview(PageRequest(data, Filters(year=(2016,), area=(37, 41)))).numbers[3]
    assert rate.caveat.startswith("Fuller Park: fewer than 10,000 residents")
    robberies = overview(PageRequest(data, Filters(year=(2016,), area=(25,), type=("ROBBERY",)))).numbers
    assert [one.caveat.startswith("Fewer than 20 crimes") for one in robberies] == [False, True, True, True]


@pytest.mark.parametrize("dates", [{}, {"start": date(2014, 5, 1)}], ids=["years", "days"])
def test_the_key_figure_of_an_area_is_the_rate_on_the_map(data: Data, dates: dict[str, date]) -> None:
    request = PageRequest(data, Filters(area=(25,), **dates))
    rate, [area] = overview(request).numbers[3], rows(where(request), "areas")
    assert rate.value == as_text(area["rate_per_1000"], "decimal")
    assert [("extrapolated" in text) for text in (rate.detail, rate.caveat)] == [bool(dates)] * 2


def test_rates_of_rare_crimes_are_per_100_000_residents(data: Data) -> None:
    rare = PageRequest(data, Filters(year=(2016,), type=("HOMICIDE",), measure="rate"))
    homicides = rows(where(rare), "areas")
    assert sum(row["crimes"] for row in homicides) > 0
    for row in homicides:
        assert row["rate_per_100000"] == pytest.approx(100_000 * row["crimes"] / row["residents"])
    shown = where(rare).sections[0]
    assert shown.title.startswith("Crimes per 100,000 residents a year by community area")
    assert all("per 100,000 residents a year" in mark.label for mark in shown.map.marks)
    assert overview(rare).numbers[3].label == "Per 100,000 residents a year"
    assert overview(PageRequest(data, Filters(year=(2016,)))).numbers[3].label == "Per 1,000 residents a year"


def test_official_outlines_are_not_drawn_for_years_before_they_changed(copied: Settings, tmp_path: Path) -> None:
    assert "chicago-crime boundaries" in " ".join(where(PageRequest(data_of(copied), Filters())).sections[0].caveats)
    fetch_outlines(copied.model_copy(update={"boundaries": write_outlines(tmp_path / "outlines")}))
    data = data_of(copied)
    areas = where(PageRequest(data, Filters())).sections[0]
    assert "official" not in " ".join(areas.caveats)
    assert len(areas.map.marks) == 77
    assert {mark.path.count("M") for mark in areas.map.marks} == {1}, "each place is one square"
    west, north, *_ = map(float, areas.map.view.split())
    assert (110_000 < west < 110_300, -186_500 < north < -186_200) == (True, True), "it is in tens of feet"
    wards = where(PageRequest(data, Filters(map="wards"))).sections[0]
    assert "The official boundaries were redrawn in 2023." in wards.caveats[0]
    for shown in ("cells", "hot_spots", "areas"):
        in_ward = where(PageRequest(data, Filters(ward=(24,), map=shown))).sections[0]
        assert in_ward.caveats[-1] == wards.caveats[0] and wards.caveats[0].startswith("Approximate boundaries of 2016")
    assert {mark.path.count("M") for mark in wards.map.marks} != {1}


def test_hot_spots_of_a_place_are_relative_to_it(data: Data, sample: Settings) -> None:
    """Only cells in the selected place are part of the study area."""
    held = rows_of(sample, "enriched_crimes", 2014, 2015, 2016)
    counts = Counter((row["cell_x"], row["cell_y"]) for row in held if row["community_area"] == 25 and row["cell_x"])
    z, _, _ = gi_star(np.array(list(counts)).T, np.array(list(counts.values())))
    view = where(PageRequest(data, Filters(area=(25,), map="hot_spots")))
    found = {(row["x_ft"], row["y_ft"]): row["gi_star"] for row in rows(view, "hot-spots")}
    expected = {((x + 0.5) * 660, (y + 0.5) * 660): score for (x, y), score in zip(counts, z, strict=True)}
    assert found.items() <= {cell: pytest.approx(score) for cell, score in expected.items()}.items()
    assert f"the {len(counts)} cells of Austin" in " ".join(view.sections[0].caveats)
    hottest = rows(view, "hot-spots")[0]
    x, y = (int(hottest[name] // 660) for name in ("x_ft", "y_ft"))
    blocks = Counter(row["block"] for row in held if (row["cell_x"], row["cell_y"]) == (x, y))
    assert hottest["block"] == min(blocks, key=lambda block: (-blocks[block], block))
    assert f"{hottest['block']}, Austin: {hottest['crimes']} crimes" in " ".join(view.sections[0].map.cells["tip"])
    assert PageRequest(data, Filters()).filter_label("cell", f"{x},{y}") == f"Cell {x},{y}, {hottest['block']}"
    city = where(PageRequest(data, Filters(map="hot_spots")))
    assert found.keys() != {(row["x_ft"], row["y_ft"]) for row in rows(city, "hot-spots")}


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
    assert 'data-summary="Years loaded: 2, selected: ' in text, "for screen readers"
    [table] = re.findall(r'data-table="revisions">.*?</table>', text, re.DOTALL)
    cells = [re.sub(r"<[^>]+>|\s+", " ", cell).strip() for cell in re.findall(r"<t[hd][ >].*?</t[hd]>", table)]
    assert cells[6:12] == ["2014", "February 10, 2018", "March 1, 2018", "Added", "1", KINDS["added"][1]]
    assert cells[12:18][3:] == ["Arrest flag changed", "3", "3 now set, 0 no longer set"]
    downloaded = pyarrow.csv.read_csv(io.BytesIO(client.get("/download/data/revisions.csv").content)).to_pylist()
    assert [row["changes"] for row in downloaded] == [1, 3, 1]
    text = client.get("/data?start=2015-01-01&area=32").text
    assert "These filters do not apply to this page: community area." in text
    assert "No changes in 2015." in text
    assert 'data-table="revisions"' not in text


def test_each_year_has_its_source_and_the_reason_it_was_accepted(loaded_twice: Settings, tmp_path: Path) -> None:
    settings = copy_of(loaded_twice, tmp_path)
    write_csv(tmp_path / "2014.csv", crimes_of_months(2014, per_month=2))
    settings = settings.model_copy(update={"folder": tmp_path})
    [report] = run(settings, 2014, accept="the City withdrew a third")
    assert not report.failures
    request = PageRequest(data_of(settings), Filters())
    view = data_page(request)
    [new, old] = sorted(rows(view, "years"), key=lambda row: row["year"])
    assert (new["rows"], new["source"], new["accepted"]) == (24, "folder", "the City withdrew a third")
    assert "1 accepted" in new["checks"]
    assert {row["updated"] for row in (new, old)} == {date(2018, 2, 10)}
    assert (old["rows"], old["accepted"], old["checks"]) == (36, "", "1 warning")
    assert new["run"] == report.run_id[:8] != old["run"]
    first = rows(view, "checks")[0]
    assert (first["year"], first["check"], first["result"]) == (2014, "crime_csv:has_not_shrunk", "accepted")
    assert "24 rows" in first["found"]
    text = client_of(settings).get("/data").text
    assert f"Snapshot {request.data.catalog.snapshot}" in text
    assert text.count("the City withdrew a third") == 1
