"""The pages over real years: each number is what a plain query over `crimes` gives, whatever is chosen."""

import csv
import io
import re
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from chicago_crime import reference
from chicago_crime.dashboard.app import PAGES
from chicago_crime.dashboard.serve import build_dashboard
from chicago_crime.run import RunReport
from chicago_crime.settings import Settings
from chicago_crime_tests.support import run_well

THEFT, HOMICIDE, OLD_LABEL = "type=THEFT", "type=HOMICIDE", "type=CRIM+SEXUAL+ASSAULT"

# A choice as the address says it, and as SQL over crimes (c) and the FBI's classes (f) says it.
CHOICES = {
    "": "c.year IN (2014, 2015, 2016, 2021)",
    "year=2016": "c.year = 2016",
    "year=2014-2015": "c.year IN (2014, 2015)",
    "year=2014&year=2016": "c.year IN (2014, 2016)",
    "year=2021": "c.year = 2021",
    "offense_class=violent": "f.ucr_part1_class = 'violent'",
    "year=2015&offense_class=property": "c.year = 2015 AND f.ucr_part1_class = 'property'",
    "offense_class=non_index&year=2016": "c.year = 2016 AND f.ucr_part1_class IS NULL",
    "offense_class=violent&offense_class=property": "f.ucr_part1_class IN ('violent', 'property')",
    THEFT: "c.primary_type = 'THEFT'",
    f"{THEFT}&{HOMICIDE}": "c.primary_type IN ('THEFT', 'HOMICIDE')",
    "type=CRIMINAL+SEXUAL+ASSAULT": "c.primary_type IN ('CRIM SEXUAL ASSAULT', 'CRIMINAL SEXUAL ASSAULT')",
    f"{OLD_LABEL}&source_labels=yes": "c.primary_type = 'CRIM SEXUAL ASSAULT'",
    "area=41": "c.community_area = 41",
    "area=25&area=32&year=2014": "c.community_area IN (25, 32) AND c.year = 2014",
    "district=11": "c.district = 11",
    "district=1&district=18&year=2016": "c.district IN (1, 18) AND c.year = 2016",
    "arrest=yes": "c.arrest",
    "arrest=no&year=2015": "NOT c.arrest AND c.year = 2015",
    "domestic=yes": "c.domestic",
    "domestic=no&arrest=yes": "NOT c.domestic AND c.arrest",
    f"{THEFT}&area=8&arrest=yes&year=2016": "c.primary_type = 'THEFT' AND c.community_area = 8 AND c.arrest"
    " AND c.year = 2016",
    "offense_class=violent&district=11&domestic=yes&year=2014": "f.ucr_part1_class = 'violent' AND c.district = 11"
    " AND c.domestic AND c.year = 2014",
}


@pytest.fixture
def client(real_years: tuple[Settings, list[RunReport]]) -> TestClient:
    settings, _ = real_years
    return TestClient(build_dashboard(settings))


def ask(settings: Settings, select: str, where: str) -> list[tuple]:
    crimes = settings.data_dir / "warehouse" / "crimes" / "*.parquet"
    return duckdb.sql(
        f"SELECT {select} FROM read_parquet('{crimes}') c LEFT JOIN read_csv('{reference.file('fbi_codes')}') f "
        f"USING (fbi_code) WHERE {where}"
    ).fetchall()


def shown(client: TestClient, label: str, address: str) -> str:
    """The large number that a page shows under a label."""
    page = client.get(address)
    assert page.status_code == 200, page.text
    found = re.search(rf"{label}\s*<.*?>([\d,.]+(?: %)?)<", page.text, re.DOTALL)
    assert found, page.text
    return found[1]


def rows(client: TestClient, page: str, table: str, query: str) -> list[dict[str, str]]:
    answer = client.get(f"/download/{page}/{table}.csv?{query}")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


@pytest.mark.parametrize("query", CHOICES)
def test_every_page_counts_what_a_plain_query_counts(
    client: TestClient, real_years: tuple[Settings, list[RunReport]], query: str
) -> None:
    settings, _ = real_years
    [(crimes, arrests, placeholders, placed)] = ask(
        settings,
        "COUNT(*), COUNT(*) FILTER (arrest), "
        "COUNT(*) FILTER (strftime(date, '%H:%M:%S') IN ('00:00:00', '00:01:00')), COUNT(x_coordinate)",
        CHOICES[query],
    )
    for page in ("", "where", "when"):
        assert shown(client, "Reported crimes", f"/{page}?{query}") == f"{crimes:,}", page
    assert shown(client, "With the arrest flag", f"/?{query}") == f"{100 * arrests / crimes:.1f} %"
    assert shown(client, "Without a place", f"/where?{query}") == f"{crimes - placed:,}"
    hours = rows(client, "when", "hours", query)
    assert sum(int(row["crimes"]) for row in hours) == crimes - placeholders
    assert sum(int(row["crimes"]) for row in rows(client, "where", "cells", f"{query}&map=cells")) == placed


def test_areas_and_types_are_each_what_a_plain_query_counts(
    client: TestClient, real_years: tuple[Settings, list[RunReport]]
) -> None:
    settings, _ = real_years
    where = "c.year = 2016 AND c.arrest"
    of_type = dict(ask(settings, "primary_type, COUNT(*)", f"{where} GROUP BY ALL"))
    told = rows(client, "overview", "types", "year=2016&arrest=yes&source_labels=yes")
    assert {row["type"]: int(row["crimes"]) for row in told} == of_type
    of_area = dict(ask(settings, "community_area, COUNT(*)", f"{where} GROUP BY ALL"))
    with reference.file("community_areas").open(newline="") as stream:
        names = {row["name"]: int(row["community_area"]) for row in csv.DictReader(stream)}
    told = rows(client, "where", "areas", "year=2016&arrest=yes")
    assert {names[row["name"]]: int(row["crimes"]) for row in told} == {area: of_area[area] for area in range(1, 78)}


def test_spans_are_what_a_plain_query_counts_and_nothing_where_days_are_not_loaded(
    client: TestClient, real_years: tuple[Settings, list[RunReport]]
) -> None:
    settings, _ = real_years
    told = {row["name"]: row for row in rows(client, "compare", "spans", "end=2016-06-30&rows=district&arrest=no")}
    spans = {
        "days_28": ("2016-06-03", "2016-06-30"),
        "days_28_before": ("2015-06-03", "2015-06-30"),
        "year_to_date": ("2016-01-01", "2016-06-30"),
        "year_to_date_before": ("2015-01-01", "2015-06-30"),
        "months_12": ("2015-07-01", "2016-06-30"),
    }
    for name, (first, last) in spans.items():
        where = f"NOT c.arrest AND c.district = 7 AND c.date::DATE BETWEEN '{first}' AND '{last}'"
        assert int(told["District 7"][name]) == ask(settings, "COUNT(*)", where)[0][0], name
    assert told["District 7"]["year_to_date_mean"] == ""  # 2013 is not loaded

    [whole, *_] = rows(client, "compare", "spans", "end=2021-04-30")
    assert int(whole["year_to_date"]) == ask(settings, "COUNT(*)", "c.year = 2021")[0][0]
    assert (whole["year_to_date_before"], whole["months_12"], whole["months_12_change"]) == ("", "", "")


def test_a_download_is_the_same_in_both_formats(client: TestClient) -> None:
    parquet = client.get("/download/overview/types.parquet?year=2015").content
    told = rows(client, "overview", "types", "year=2015")
    assert [row["crimes"] for row in told] == [str(n) for n in pq.read_table(io.BytesIO(parquet))["crimes"].to_pylist()]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("year=1999", "1999"),
        ("area=99", "1 to 77"),
        ("color=red", "no filter"),
        ("end=yesterday", "2016-06-30"),
        ("year=2018", "2018"),
        ("type=JAYWALKING", "JAYWALKING"),
    ],
)
@pytest.mark.parametrize("page", PAGES)
def test_a_choice_that_means_nothing_is_told_kindly(client: TestClient, page: str, query: str, told: str) -> None:
    answer = client.get(f"/{page}?{query}")
    assert answer.status_code == 200
    assert told in answer.text
    assert "Traceback" not in answer.text


def test_an_address_that_leads_nowhere_is_told(client: TestClient) -> None:
    for address in ("/nowhere", "/download/overview/nothing.csv", "/download/overview/types.exe"):
        assert client.get(address).status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_warehouse_says_how_to_fill_it(sample_settings: Settings, page: str) -> None:
    answer = TestClient(build_dashboard(sample_settings)).get(f"/{page}")
    assert answer.status_code == 200
    assert "chicago-crime run" in answer.text


def test_made_up_rows_say_so_on_every_page_and_in_every_download(sample_settings: Settings) -> None:
    run_well(sample_settings, 2020, 2021)
    client = TestClient(build_dashboard(sample_settings))
    for page in PAGES:
        assert "SYNTHETIC" in client.get(f"/{page}").text
    answer = client.get("/download/overview/types.csv")
    assert "SYNTHETIC" in answer.headers["content-disposition"]
    assert all("SYNTHETIC" in line for line in answer.text.splitlines()[1:])


def test_a_table_of_an_older_version_says_how_to_renew_it(sample_settings: Settings) -> None:
    run_well(sample_settings, 2021)
    file: Path = sample_settings.data_dir / "warehouse" / "crimes_monthly" / "2021.parquet"
    duckdb.sql(f"COPY (SELECT year, month, crimes FROM '{file}') TO '{file}.old' (FORMAT parquet)")
    Path(f"{file}.old").replace(file)
    answer = TestClient(build_dashboard(sample_settings)).get("/")
    assert answer.status_code in (200, 409)
    assert "--assets crimes_monthly" in answer.text


def test_a_year_that_comes_in_while_it_is_open_is_shown(sample_settings: Settings) -> None:
    run_well(sample_settings, 2020)
    app = build_dashboard(sample_settings)
    assert shown(TestClient(app), "Years loaded", "/data") == "1"
    run_well(sample_settings, 2021)  # takes longer than the dashboard goes without a look at the tables
    assert shown(TestClient(app), "Years loaded", "/data") == "2"
