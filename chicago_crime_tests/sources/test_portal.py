"""Tests of `chicago_crime/sources/portal.py` against a portal server on loopback."""

import csv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import groupby
from pathlib import Path

import pytest
from pydantic import SecretStr

from chicago_crime.sources.base import SourceError
from chicago_crime.sources.portal import MAX_READS, PortalSource
from chicago_crime.sources.retry import RetryPolicy
from chicago_crime_tests.servers.faults import NO_FAULT, Fault, FaultyHandler, FaultyServer
from chicago_crime_tests.servers.portal_server import PortalServer
from chicago_crime_tests.support import all_text_of, crime, crimes_of_months

APP_TOKEN = "planted0app0token"
QUICK = RetryPolicy(attempts=5, first_wait_s=0.01, timeout_s=5)
TODAY = date(2016, 3, 5)


@pytest.fixture
def portal() -> Iterator[PortalServer]:
    """A portal with 36 rows of 2014, 6 of 2016 and one without a year, not ordered by id."""
    rows = crimes_of_months(2014) + crimes_of_months(2016, months=(1, 2)) + [crime(year="")]
    rows[5]["location"] = f"\n,  \n{rows[5]['location']}"  # some versions of the API write three lines
    with PortalServer(rows[::-1], APP_TOKEN).answering() as server:
        yield server


def source(portal: FaultyServer, app_token: str = "", page: int = 10) -> PortalSource:
    return PortalSource(portal.url, SecretStr(app_token) if app_token else None, page, QUICK, TODAY)


def rows_of_file(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as stream:
        return list(csv.DictReader(stream))


def rows_of_portal(portal: PortalServer, year: int) -> list[dict[str, str]]:
    return sorted((row for row in portal.rows if row["year"] == str(year)), key=lambda row: int(row["id"]))


def page_starts(portal: PortalServer) -> list[int]:
    """Return the id after which each requested page starts."""
    return [int(one.query["$where"].split(" > ")[1]) for one in portal.requests if one.path.endswith(".csv")]


def test_a_year_is_downloaded_in_ordered_pages_over_one_connection(portal: PortalServer, tmp_path: Path) -> None:
    progress: list[tuple[int, int | None]] = []
    file = source(portal).fetch(2014, tmp_path, lambda done, total: progress.append((done, total)))
    assert rows_of_file(file.path) == rows_of_portal(portal, 2014)
    assert file.origin == f"{portal.url}/d/ijzp-q8t2, year 2014, 36 rows"
    assert (file.details["rows"], file.details["partial"], file.synthetic) == (36, False, False)
    assert progress == [(10, 36), (20, 36), (30, 36), (36, 36)]
    last_ids = [int(rows_of_portal(portal, 2014)[n]["id"]) for n in (9, 19, 29)]
    assert page_starts(portal) == [0, *last_ids]
    assert len({one.port for one in portal.requests}) == 1
    assert {one.query["$order"] for one in portal.requests if one.path.endswith(".csv")} == {"id"}
    assert source(portal).fetch(2016, tmp_path).details["partial"] is True


def test_the_newest_year_is_the_year_of_eight_days_ago() -> None:
    for today, newest in ((date(2024, 1, 8), 2023), (date(2024, 1, 9), 2024), (date(2024, 12, 31), 2024)):
        assert PortalSource("http://nowhere", today=today).years() == list(range(2001, newest + 1))


def test_a_plan_only_counts_rows(portal: PortalServer) -> None:
    found = source(portal).expect([2014, 2015, 2016])
    assert {year: expected.rows for year, expected in found.items()} == {2014: 36, 2016: 6}
    assert all("count" in request.query["$select"] for request in portal.requests)


def test_only_a_lost_page_is_requested_again(portal: PortalServer, tmp_path: Path) -> None:
    third = int(rows_of_portal(portal, 2014)[19]["id"])
    portal.will(Fault(cut_after=40), on=f"id > {third}")
    portal.will(Fault(status=202), on=f"id > {third}")  # the result is being prepared
    assert rows_of_file(source(portal).fetch(2014, tmp_path).path) == rows_of_portal(portal, 2014)
    starts = page_starts(portal)
    assert starts.count(third) == 3
    assert len(starts) == len(set(starts)) + 2


@pytest.mark.parametrize("kind", ["added row", "removed row", "changed row"])
def test_a_year_that_changes_meanwhile_is_downloaded_again(portal: PortalServer, tmp_path: Path, kind: str) -> None:
    rows = list(portal.rows)
    late = crime(id=1, year=2014, updated_on="02/11/2018 03:50:01 PM")  # before the current page
    changed = {
        "added row": [*rows, late],
        "removed row": [row for row in rows if row["id"] != rows_of_portal(portal, 2014)[0]["id"]],
        "changed row": [late if row["id"] == rows_of_portal(portal, 2014)[0]["id"] else row for row in rows],
    }[kind]
    portal.will(Fault(before=lambda: portal.change(changed)), on=f"id > {rows_of_portal(portal, 2014)[19]['id']}")
    file = source(portal).fetch(2014, tmp_path)
    assert rows_of_file(file.path) == rows_of_portal(portal, 2014)
    assert len(rows_of_file(file.path)) == len([row for row in changed if row["year"] == "2014"])
    assert page_starts(portal).count(0) == 2


def test_a_temporarily_missing_row_is_not_lost(portal: PortalServer, tmp_path: Path) -> None:
    """Both counts agree, but differ from the number of rows received."""
    complete = list(portal.rows)
    without = [row for row in complete if row["id"] != rows_of_portal(portal, 2014)[-1]["id"]]
    portal.will(Fault(before=lambda: portal.change(without)), on=f"id > {rows_of_portal(portal, 2014)[19]['id']}")
    portal.will(NO_FAULT, on=".json")
    portal.will(Fault(before=lambda: portal.change(complete)), on=".json")
    file = source(portal).fetch(2014, tmp_path)
    assert len(rows_of_file(file.path)) == 36
    assert page_starts(portal).count(0) == 2


@pytest.mark.parametrize("most_rows", [7, 12], ids=["pages smaller than requested", "pages"])
def test_two_stale_counts_do_not_hide_a_row(portal: PortalServer, tmp_path: Path, most_rows: int) -> None:
    """Even if the stale number of rows fills the last page, another page is requested."""
    portal.most_rows = most_rows
    portal.change([*portal.rows, crime(id=9_999_999_999, year=2014)])
    portal.will(Fault(is_stale=True), on=".json", times=2)
    file = source(portal, page=12).fetch(2014, tmp_path)
    assert len(rows_of_file(file.path)) == 37


def test_a_year_that_changes_during_each_download_is_an_error(portal: PortalServer, tmp_path: Path) -> None:
    def one_more() -> None:
        portal.change([*portal.rows, crime(id=1_000_000_000 + len(portal.rows), year=2014)])

    portal.will(Fault(before=one_more), on="id > 0", times=MAX_READS)
    with pytest.raises(SourceError, match=r"changed 2014 during each of 3 downloads.*try again in an hour"):
        source(portal).fetch(2014, tmp_path)
    assert page_starts(portal).count(0) == MAX_READS


def test_threads_fetch_years_one_at_a_time(portal: PortalServer, tmp_path: Path) -> None:
    one, years = source(portal), (2014, 2016)
    portal.will(Fault(wait_s=0.05), times=99)
    with ThreadPoolExecutor(2) as pool:
        files = list(pool.map(lambda year: one.fetch(year, tmp_path), years))
    assert [len(rows_of_file(file.path)) for file in files] == [36, 6]
    requested = [year for one in portal.requests for year in years if f"year = {year}" in str(one.query)]
    assert len(list(groupby(requested))) == 2


def test_the_error_for_a_rejected_app_token_does_not_contain_it(portal: PortalServer, tmp_path: Path) -> None:
    wrong = "wrong0app0token"
    with pytest.raises(SourceError, match=r"403.*CHICAGO_CRIME_PORTAL_APP_TOKEN.*unset") as raised:
        source(portal, app_token=wrong).fetch(2014, tmp_path)
    assert wrong not in all_text_of(raised.value)
    assert len(portal.requests) == 1


def test_a_year_without_crimes_or_out_of_range_is_an_error(portal: PortalServer, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="has no crimes for 2015 yet"):
        source(portal).fetch(2015, tmp_path)
    with pytest.raises(SourceError, match="no year 2017: it has 2001 to 2016"):
        source(portal).fetch(2017, tmp_path)


class _FixedHandler(FaultyHandler):
    def answer(self) -> None:
        self.reply(*self.server.answer)


class _FixedServer(FaultyServer):
    """Not the portal: sends the same response to every request."""

    handler = _FixedHandler
    answer: tuple[int, bytes, dict[str, str]]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((404, b"no such page", {}), "404.*CHICAGO_CRIME_PORTAL_URL"),
        ((200, b"\n<html>back soon</html>", {"Content-Type": "text/html"}), "under maintenance.*try again later"),
        ((403, b"", {}), "403.*Create a free one.*CHICAGO_CRIME_PORTAL_APP_TOKEN"),
        ((400, b'{"message": "query.soql.no-such-column; No such column: ward; position"}', {}), "the column 'ward'"),
        ((400, b'{"message": "No such column: \x1b[31mx"}', {}), r"returned 400 \(Bad Request\)$"),
        ((200, b"[{}]", {}), "unexpected response to a count of rows"),
    ],
)
def test_another_server_is_an_error(tmp_path: Path, answer: tuple[int, bytes, dict[str, str]], message: str) -> None:
    with _FixedServer().answering() as other:
        other.answer = answer
        with pytest.raises(SourceError, match=message):
            source(other).fetch(2014, tmp_path)


def test_the_app_token_is_not_sent_to_a_redirect(portal: PortalServer, tmp_path: Path) -> None:
    with _FixedServer().answering() as other:
        other.answer = (302, b"", {"Location": f"{portal.url}/resource/ijzp-q8t2.json"})
        with pytest.raises(SourceError, match=r"302.*CHICAGO_CRIME_PORTAL_URL"):
            source(other, app_token=APP_TOKEN).fetch(2014, tmp_path)
    assert portal.requests == []


def test_the_access_check_mentions_the_app_token(portal: PortalServer) -> None:
    assert source(portal).check_access() == f"{portal.url} responds to requests without an app token"
    assert source(portal, app_token=APP_TOKEN).check_access().endswith("with an app token")
