"""Daily updates from the portal: the files equal a full download, but only changes are transferred."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from chicago_crime.intake.source_files import Manifest, SourceFiles
from chicago_crime.sources.base import SourceError, no_progress
from chicago_crime.sources.portal import PortalSource
from chicago_crime.sources.retry import RetryPolicy
from chicago_crime_tests.servers.faults import NO_FAULT, Fault
from chicago_crime_tests.servers.portal_server import PortalServer
from chicago_crime_tests.support import NAMES, crime, crimes_of_months, refuse

YEARS = range(2013, 2017)
ROWS = ",".join(NAMES)
CHANGES = "updated_at >="  # in requests for changes


class Copy:
    """A folder of source files with all years, updated from the portal each day."""

    def __init__(self, portal: PortalServer, folder: Path, years: Iterable[int] = YEARS):
        self.portal, self.folder, self.years = portal, folder, list(years)
        self.files = SourceFiles(folder / "csv", folder / "staging")
        policy = RetryPolicy(attempts=2, first_wait_s=0.01, timeout_s=5)
        self.source = PortalSource(portal.url, rows_per_page=40, policy=policy, today=date(2016, 3, 2))
        self.kept: list[int] = []

    def day(self, days: int = 1) -> dict[int, Manifest]:
        """Let days pass, then update all years as the asset `crime_csv` does; return the manifests of changed years."""
        self.source = replace(self.source, today=(self.source.today or date.min) + timedelta(days))
        self.portal.requests.clear()
        self.portal.rows_sent.clear()
        folder = self.folder / f"{self.source.today}"
        folder.mkdir()
        previous = self.files.previous_files(self.source, self.years)
        prepared = self.source.prepare(self.years, folder, no_progress, previous)
        self.kept = prepared.unchanged()
        fetched = set(self.years) - set(self.kept)
        return {year: self.files.fetch(prepared, year, no_progress, refuse) for year in sorted(fetched)}

    def csvs(self) -> dict[int, bytes]:
        return {year: self.files.csv(year).read_bytes() for year in self.years}

    def is_a_full_load(self) -> bool:
        """Whether its files equal a full download."""
        folder = self.folder / f"full-{self.source.today}"
        folder.mkdir()
        return self.csvs() == {year: self.source.fetch(year, folder).path.read_bytes() for year in self.years}


@pytest.fixture
def portal() -> Iterator[PortalServer]:
    rows = [row for year in YEARS for row in crimes_of_months(year)]
    with PortalServer(rows[:-1]).answering() as server:
        server.change(rows)  # most rows were written long before the last update
        yield server


@pytest.fixture
def copy(portal: PortalServer, tmp_path: Path) -> Copy:
    copy = Copy(portal, tmp_path)
    copy.day()
    return copy


def revise(portal: PortalServer, number: int) -> None:
    """In each year, add a row with an id below the others, revise one, remove one, and move one to the next year."""
    rows: list[dict[str, str]] = []
    for year in YEARS:
        of_year = sorted((dict(row) for row in portal.rows if row["year"] == str(year)), key=lambda row: int(row["id"]))
        del of_year[20 + number]
        of_year[-1] |= {"arrest": "true", "updated_on": f"2026-02-{number:02}T15:50:01.000"}
        if year != YEARS[-1]:
            of_year[15] |= {"year": str(year + 1), "date": f"{year + 1}-01-01T00:00:00.000"}
        rows += [*of_year, crime(id=year * 1000 + number, year=year, date=f"03/02/{year} 10:15:00 AM")]
    portal.change(rows)


def test_updates_are_complete_while_the_portal_keeps_changing(copy: Copy, portal: PortalServer) -> None:
    revise(portal, 1)
    portal.will(Fault(before=lambda: revise(portal, 2)), on=CHANGES)
    portal.will(Fault(before=lambda: revise(portal, 3)), on=CHANGES, after=3)  # during a later page
    copy.day()
    sent = dict(portal.rows_sent)
    assert copy.is_a_full_load()
    assert sent[ROWS] <= len(YEARS) * (3 + 6 + 9)  # three downloads of added, revised and moved rows
    assert sent["id"] == len(portal.rows)  # rows were removed from each year


def test_only_changes_are_downloaded(copy: Copy, portal: PortalServer) -> None:
    revised = [row | {"arrest": "true"} if row["id"] == "201403001" else row for row in portal.rows]
    late = crime(id=201699999, year=2016, date="02/20/2016 10:15:00 AM")
    portal.change([*revised, late])
    copy.day()
    assert copy.kept == [year for year in YEARS if year not in (2014, 2016)]
    assert portal.rows_sent[ROWS] == 3  # one of them from the overlap with the previous update
    assert portal.rows_sent["id"] == 0
    assert len(portal.requests) == 4  # the states, two pages of changes, and the states again
    assert copy.is_a_full_load()
    copy.day()
    assert (copy.kept, len(portal.requests), portal.rows_sent[ROWS]) == (list(YEARS), 1, 0)
    portal.change(row for row in portal.rows if row["id"] != "201512002")
    copy.day()
    assert (portal.rows_sent[ROWS], portal.rows_sent["id"]) == (0, 35)
    assert copy.is_a_full_load()


def test_a_row_published_late_is_found_in_the_overlap(copy: Copy, portal: PortalServer) -> None:
    early, late = crime(id=1, year=2014), crime(id=2, year=2014)
    portal.change([*portal.rows, late])
    portal.change([*portal.rows, early], passed=timedelta(0))
    portal.change([row for row in portal.rows if row["id"] != "1"], passed=timedelta(0))
    copy.day()
    portal.change([*portal.rows, early], passed=timedelta(hours=-5))
    copy.day()
    assert copy.is_a_full_load()


def test_a_weekly_full_download_reports_missed_changes(copy: Copy, portal: PortalServer) -> None:
    for row in portal.rows:
        if row["id"] == "201401001":
            portal.alter(row, block="002XX N STATE ST")
    copy.day(6)
    assert copy.kept == list(YEARS)
    manifests = copy.day()
    assert portal.rows_sent[ROWS] == len(portal.rows)
    assert [year for year, one in manifests.items() if "difference" in one.details] == [2014]
    assert "1 rows, the first with id 201401001" in str(manifests[2014].details["difference"])
    assert copy.is_a_full_load()
    copy.day()
    assert copy.kept == list(YEARS)


def fully_downloaded(copy: Copy) -> list[int]:
    """Return the years downloaded in full on the last day."""
    wheres = [one.query["$where"] for one in copy.portal.requests if len(one.query["$select"]) > 100]
    return [year for year in copy.years if f"year = {year} AND id > 0" in wheres]


@pytest.mark.parametrize(
    ("suffix", "old", "new"),
    [
        ("csv", "THEFT", "BOOTH"),
        ("csv", "ward", "bard"),
        ("json", '"portal": "http:', '"portal": "https:'),
        ("json", '"source": "portal"', '"source": "folder"'),
        ("json", "read_until", "until"),
    ],
    ids=["damaged", "other columns", "other portal", "another source", "earlier version"],
)
def test_other_files_are_downloaded_in_full(copy: Copy, portal: PortalServer, suffix: str, old: str, new: str) -> None:
    [file] = copy.files.folder.glob(f"2014*.{suffix}")
    text = file.read_text()
    file.write_text(text.replace(old, new, 1))
    assert file.read_text() != text
    revise(portal, 1)
    copy.day()
    assert fully_downloaded(copy) == [2014]
    assert copy.is_a_full_load()


def test_updates_can_be_disabled(copy: Copy, portal: PortalServer) -> None:
    copy.source = replace(copy.source, full_download_after_days=0)
    copy.day()
    assert fully_downloaded(copy) == list(YEARS)


def test_a_portal_without_update_times_is_downloaded_in_full(copy: Copy, portal: PortalServer) -> None:
    portal.rule = lambda request: Fault(status=400) if ":updated_at" in str(request.query) else NO_FAULT
    for _ in range(2):
        copy.day()
        assert fully_downloaded(copy) == list(YEARS)
    portal.forget_faults()
    copy.day()
    assert fully_downloaded(copy) == list(YEARS)
    copy.day()
    assert copy.kept == list(YEARS)


def test_a_year_that_changes_during_the_request_for_ids_is_downloaded_in_full(copy: Copy, portal: PortalServer) -> None:
    revise(portal, 1)
    portal.will(Fault(before=lambda: revise(portal, 2)), on="'$select': 'id'")
    copy.day()
    assert fully_downloaded(copy) == list(YEARS)
    assert copy.is_a_full_load()


def test_an_interrupted_update_changes_nothing_and_the_next_one_catches_up(copy: Copy, portal: PortalServer) -> None:
    before = copy.csvs()
    revise(portal, 1)
    portal.will(Fault(status=503), on=CHANGES, times=2)
    with pytest.raises(SourceError, match="503"):
        copy.day()
    assert copy.csvs() == before
    portal.will(Fault(cut_after=40), on=CHANGES)
    copy.day()
    assert copy.is_a_full_load()
