"""Tests of the page Compare: each period equals a plain SQL count, or is empty if days are missing."""

import math
import re
from dataclasses import replace
from datetime import date
from typing import Any

import duckdb
import pytest

from chicago_crime.dashboard.data import Data
from chicago_crime.dashboard.filters import Filters
from chicago_crime.dashboard.page_request import PageRequest
from chicago_crime.dashboard.pages.compare import ALONE, compare
from chicago_crime.dashboard.pages.incidents import incidents
from chicago_crime.dashboard.pages.overview import overview
from chicago_crime.dashboard.pages.signals import signals
from chicago_crime.dashboard.pages.when import when
from chicago_crime.dashboard.report import shortened
from chicago_crime.settings import Settings
from chicago_crime.sources.sample.source import SampleSource
from chicago_crime_tests.dashboard.conftest import data_of, rows, table_of, total
from chicago_crime_tests.support import folder_settings, run_well


def count(settings: Settings, where: str) -> int:
    crimes = settings.data_dir / "warehouse" / "crimes" / "*.parquet"
    [(n,)] = duckdb.sql(f"SELECT COUNT(*) FROM read_parquet('{crimes}') WHERE {where}").fetchall()
    return int(n)


@pytest.fixture(scope="module")
def five_years(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Five years of sample data, the last of which ends in early November."""
    folder = tmp_path_factory.mktemp("five")
    (folder / "in").mkdir()
    for year in range(2012, 2017):
        rows = SampleSource(rows=1500).fetch(year, folder).path.read_text()
        (folder / "in" / f"{year}.csv").write_text(re.sub(r"(?m)^.*,(11/[123]|12/)[0-9/]*2016 .*\n", "", rows))
    settings = folder_settings(folder / "data", folder / "in")
    run_well(settings, *range(2012, 2017))
    return settings


@pytest.fixture(scope="module")
def data(five_years: Settings) -> Data:
    return data_of(five_years)


SPAN_STARTS = {
    "days_28": ("DATE '{day}' - 27", "'{day}'"),
    "year_to_date": ("'{year}-01-01'", "'{day}'"),
    "whole_year": ("'{whole}-01-01'", "'{whole}-12-31'"),
}


@pytest.mark.parametrize(
    ("end", "rows", "days_before"),
    [
        ("2016-10-31", "area", ["2015-10-31", "2014-10-31", "2013-10-31", "2012-10-31"]),
        ("2016-02-29", "type", ["2015-02-28", "2014-02-28", "2013-02-28", "2012-02-29"]),
        ("2015-12-31", "ward", ["2014-12-31", "2013-12-31", "2012-12-31"]),
    ],
)
def test_spans_and_earlier_years_equal_sql_counts(
    five_years: Settings, data: Data, end: str, rows: str, days_before: list[str]
) -> None:
    table = table_of(compare(PageRequest(data, Filters(rows=rows, end=date.fromisoformat(end)))), "spans")
    column = {"area": "community_area", "type": "primary_type_comparable"}.get(rows, rows)
    areas = data.facts().areas
    crimes = five_years.data_dir / "warehouse" / "enriched_crimes" / "*.parquet"

    def counts(span: str, day: str) -> dict[str, int]:
        year = int(day[:4])
        first, last = (
            text.format(day=day, year=year, whole=year if day.endswith("12-31") else year - 1)
            for text in SPAN_STARTS[span]
        )
        counted = duckdb.sql(
            f"SELECT {column}, COUNT(*) FROM '{crimes}' WHERE date::DATE BETWEEN {first} AND {last} "
            f"AND {column} IS NOT NULL GROUP BY ALL"
        ).fetchall()
        return {{"area": areas.get(key), "ward": f"Ward {key}"}.get(rows, key): n for key, n in counted}

    for span in (one for one in SPAN_STARTS if f"{one}_earlier" in (table.total or {})):
        now, before, *others = (counts(span, day) for day in (end, *days_before))
        assert sum(before.values()) > 0
        for row in table.rows:
            if (name := row["name"]).startswith("No "):
                continue
            earlier = [counted.get(name, 0) for counted in (before, *others)]
            assert (row[span], row[f"{span}_before"]) == (now.get(name, 0), earlier[0]), (span, name)
            assert row[f"{span}_earlier"] == earlier[: len(row[f"{span}_earlier"])]
            assert len(row[f"{span}_earlier"]) >= 3
            assert row[f"{span}_is_small"] == (earlier[0] < 20)
        assert len(table.rows) > 15


def test_changes_have_verdicts_and_years_have_a_table(five_years: Settings, data: Data) -> None:
    view = compare(PageRequest(data, Filters(rows="type", end=date(2015, 10, 31))))
    by_year = table_of(view, "by-year")
    assert ALONE not in view.sections[0].caveats
    assert {row["whole_year_verdict"] for row in rows(view, "spans")} == {"usual", "cannot tell"}, "there is no trend"
    assert total(view, "spans")["year_to_date_verdict"] == "usual"
    assert [column.label for column in by_year.columns][-2:] == ["2015", "2016, to November 8"]
    [theft] = [row for row in by_year.rows if row["name"] == "THEFT"]
    assert theft["2014"] == count(five_years, "year = 2014 AND primary_type = 'THEFT'")
    assert "year=2014" in theft["of_2014"]
    assert "type=THEFT" in theft["of_2014"]
    view = compare(PageRequest(data, Filters(rows="district", district=(11,), end=date(2016, 10, 31))))
    assert ALONE in view.sections[0].caveats
    [row] = rows(view, "spans")
    verdict = total(view, "spans")["year_to_date_verdict"]
    assert verdict == row["year_to_date_verdict"] is not None, "a single row is the total"


def test_no_verdict_compares_places_before_and_after_they_changed(data: Data) -> None:
    """Districts changed in 2012, so only the city has three comparable earlier years."""
    view = compare(PageRequest(data, Filters(rows="district", end=date(2015, 10, 31))))
    counted = [row["year_to_date_earlier"] for row in (*rows(view, "spans"), total(view, "spans"))]
    known = [sum(not math.isnan(n) for n in earlier) for earlier in counted]
    assert {*known[:-1]} == {2} and known[-1] == 3
    in_one = PageRequest(data, Filters(district=(11,), year=(2014,)))
    of_2013 = replace(in_one, filters=Filters(district=(11,), rows="type", end=date(2013, 10, 31)))
    untested = compare(of_2013).sections[0]
    assert "Verdict" not in {column.label for column in untested.tables[0].shown_columns}
    assert not untested.link and not [caveat for caveat in untested.caveats if "erdict" in caveat], "there are none"
    assert {row["year_to_date_change"] for row in untested.tables[0].rows} == {None}
    months = overview(in_one).sections[0]
    year_over_year = overview(replace(in_one, filters=Filters(district=(11,), year=(2013,)))).numbers[1]
    assert year_over_year.value == "\u2013" and year_over_year.detail in months.caveats, "2012 had other districts"
    assert {row["verdict"] for row in months.tables[0].rows} == {None}
    pages = [page(replace(in_one, filters=Filters(district=(11,)))) for page in (overview, when, incidents)]
    for section in (*view.sections, months, *pages[0].sections, *pages[1].sections, pages[2].sections[0]):
        assert any(caveat.startswith("Districts in the records changed in 2012: ") for caveat in section.caveats)
    for number in (page.numbers[0] for page in pages[:2]):
        assert number.caveat.endswith(months.caveats[-1])


def test_verdicts_agree_with_signals(data: Data) -> None:
    tested, compared = (page(PageRequest(data, Filters())) for page in (signals, compare))
    counts = [*rows(compared, "spans"), total(compared, "spans") | {"name": "Chicago"}]
    verdicts = {row["name"]: row["year_to_date_verdict"] for row in counts}
    all_crimes = [row for row in rows(tested, "year_to_date") if row["offense"] == "All crimes"]
    of_all_crimes = {row["area"]: row["verdict"] for row in all_crimes}
    assert len(of_all_crimes) > 50
    inside = {"usual", "cannot tell"}
    differ = {name for name, verdict in of_all_crimes.items() if (verdict in inside) != (verdicts[name] in inside)}
    assert differ == set()
    assert {*of_all_crimes.values()} > {"usual", "may be chance"}


def test_an_incomplete_year_is_not_the_last_full_year(five_years: Settings, data: Data) -> None:
    view = compare(PageRequest(data, Filters()))
    table = table_of(view, "spans")
    newest = {"28 days": 2016, "Year to date": 2016, "Full year": 2015}
    expected = [(span, str(year)) for span, last in newest.items() for year in (last, last - 1)]
    assert [(column.group, column.label) for column in table.shown_columns if column.kind == "count"] == expected
    assert total(view, "spans")["whole_year"] == count(five_years, "year = 2015")
    full_year = table_of(compare(PageRequest(data, Filters(end=date(2015, 12, 31)))), "spans")
    assert [group for group, _ in full_year.groups] == ["", "28 days", "Full year"]
    assert not [column for column in full_year.columns if column.name.startswith("whole_year")]


def test_the_intro_and_the_links_have_the_compared_days(data: Data) -> None:
    view = compare(PageRequest(data, Filters(end=date(2016, 3, 15))))
    assert view.sections[0].intro.startswith(
        "28 days: Feb 17 \u2013 Mar 15, 2016, compared with Feb 16 \u2013 Mar 15, 2015; "
        "Year to date: Jan 1 \u2013 Mar 15, 2016, compared with Jan 1 \u2013 Mar 15, 2015 "
        "(only 2016 has a February 29); "
    )
    assert "start=2015-02-16&finish=2015-03-15" in total(view, "spans")["of_days_28_before"]


def test_a_missing_year_before_has_a_note_and_its_empty_columns_are_not_printed(data: Data) -> None:
    request = PageRequest(data, Filters())
    held = request.facts.years
    request.facts = replace(request.facts, years={year: held[year] for year in (2012, 2013, 2014, 2016)})
    printed = [column.label for column in shortened(table_of(compare(request), "spans"), 3)[0].columns]
    assert request.notes[0].startswith("2015 is not loaded")
    assert printed == ["Area", "2016", "Expected from", "Expected to", "Verdict"]


@pytest.mark.parametrize(
    ("kind", "chosen", "label"),
    [
        ("beat", {"district": (11,)}, r"Beat \d+ in District 11"),
        ("beat", {"ward": (24,), "district": (11,)}, r"Beat \d+ in District 11 and Ward 24"),
        ("area", {"ward": (24,)}, r"[\w ]+ in Ward 24"),
        ("ward", {"area": (29,)}, r"North Lawndale in Ward \d+"),
        ("district", {"beat": (1011, 1012, 1013)}, r"District \d+ in the chosen places"),
    ],
)
def test_a_row_is_the_smaller_place_within_the_larger(data: Data, kind: str, chosen: Any, label: str) -> None:
    names = [row["name"] for row in rows(compare(PageRequest(data, Filters(rows=kind, **chosen))), "spans")]
    assert [name for name in names if re.fullmatch(label, name)]
    assert {name for name in names if not re.fullmatch(label, name)} <= {f"No {kind}"}


def test_a_beat_is_compared_with_its_district_and_missing_years_have_a_note(five_years: Settings, data: Data) -> None:
    [(beat, district)] = duckdb.sql(
        f"SELECT beat, MODE(district) FROM '{five_years.data_dir}/warehouse/crimes/*.parquet' GROUP BY ALL "
        "ORDER BY COUNT(*) DESC, beat LIMIT 1"
    ).fetchall()
    request = PageRequest(data, Filters(year=(2009,), beat=(beat,)))
    view = compare(request)
    assert request.notes == ["2009 is not loaded. To load: chicago-crime run --years 2009 --source portal"]
    places = (f"beat = {beat}", f"district = {district}")
    in_beat, in_district = (count(five_years, f"year = 2016 AND {one}") for one in places)
    thefts = compare(PageRequest(data, Filters(beat=(beat,), type=("THEFT",)))).sections[-1].intro
    assert re.search(rf"of the [\d,]+ matching crimes in District {district} ", thefts)
    crimes = f"{in_beat:,} of the {in_district:,} crimes in District {district}"
    sentence = f"In 2016 (to November 8), Beat {beat} had {crimes} ("
    [*_, by_year] = view.sections
    assert sentence in by_year.intro
    for table, column in (("spans", "whole_year"), ("by-year", "2015")):
        counted = {row["name"]: row[column] for row in rows(view, table)}
        names = counted.keys() - {"No community area"}
        assert names and all(name.startswith(f"Beat {beat} in ") for name in names), "no row is a whole area"
        assert sum(counted.values()) == count(five_years, f"year = 2015 AND beat = {beat}")
